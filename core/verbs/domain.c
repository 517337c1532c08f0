/* SPDX-License-Identifier: Apache-2.0
 * What a domain is doing on a host, read without a lock that a job could hold, and the few acts of a run upon
 * it. Each act is asked for by the parent after it stands in the journal. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/domain-xml.h"
#include "worker/loop.h"
#include "worker/serve.h"
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

static const char *paused_word(int reason)
{
    static const char *const words[] = {
        [VIR_DOMAIN_PAUSED_USER] = "user",
        [VIR_DOMAIN_PAUSED_MIGRATION] = "migration",
        [VIR_DOMAIN_PAUSED_SAVE] = "save",
        [VIR_DOMAIN_PAUSED_DUMP] = "dump",
        [VIR_DOMAIN_PAUSED_IOERROR] = "ioerror",
        [VIR_DOMAIN_PAUSED_WATCHDOG] = "watchdog",
        [VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = "from-snapshot",
        [VIR_DOMAIN_PAUSED_SHUTTING_DOWN] = "shutting-down",
        [VIR_DOMAIN_PAUSED_SNAPSHOT] = "snapshot",
        [VIR_DOMAIN_PAUSED_CRASHED] = "crashed",
        [VIR_DOMAIN_PAUSED_STARTING_UP] = "starting-up",
        [VIR_DOMAIN_PAUSED_POSTCOPY] = "postcopy",
        [VIR_DOMAIN_PAUSED_POSTCOPY_FAILED] = "postcopy-failed",
    };

    if (reason <= 0 || (size_t)reason >= sizeof words / sizeof *words || !words[reason])
        return "other";
    return words[reason];
}

static const char *off_word(int reason)
{
    static const char *const words[] = {
        [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = "shutdown",
        [VIR_DOMAIN_SHUTOFF_DESTROYED] = "destroyed",
        [VIR_DOMAIN_SHUTOFF_CRASHED] = "crashed",
        [VIR_DOMAIN_SHUTOFF_MIGRATED] = "migrated",
        [VIR_DOMAIN_SHUTOFF_SAVED] = "saved",
        [VIR_DOMAIN_SHUTOFF_FAILED] = "failed",
        [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = "from-snapshot",
        [VIR_DOMAIN_SHUTOFF_DAEMON] = "daemon",
    };

    if (reason <= 0 || (size_t)reason >= sizeof words / sizeof *words || !words[reason])
        return "other";
    return words[reason];
}

static const char *reason_word(int state, int reason)
{
    return state == VIR_DOMAIN_PAUSED    ? paused_word(reason)
           : state == VIR_DOMAIN_SHUTOFF ? off_word(reason)
           /* It runs on without the pages that did not come. */
           : state == VIR_DOMAIN_RUNNING && reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED ? "postcopy-failed"
                                                                                         : "";
}

static const char *state_word(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN:
        return "running";
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
        return "paused";
    case VIR_DOMAIN_SHUTOFF:
        return "shutoff";
    case VIR_DOMAIN_CRASHED:
        return "crashed";
    default:
        return "other";
    }
}

static int put_mark(virDomainPtr d, unsigned flags, const char *key, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *element = virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, MARK_URI, flags);
    struct error rubbish = { 0 };
    struct mark m;

    if (!element)
        return 0;
    if (mark_read(element, &m, &rubbish) < 0)
        m = (struct mark){ .run = "?" };
    return json_put(reply, key,
                    json_pack("{ss ss sI}", "run", m.run, "host", m.host, "time_s", (json_int_t)m.time_s)) < 0
               ? error_memory(err)
               : 0;
}

static int put_marks(virDomainPtr d, json_t *reply, struct error *err)
{
    if (virDomainIsActive(d) == 1 && put_mark(d, VIR_DOMAIN_AFFECT_LIVE, "mark", reply, err) < 0)
        return -err->code;
    if (virDomainIsPersistent(d) == 1 && put_mark(d, VIR_DOMAIN_AFFECT_CONFIG, "mark_config", reply, err) < 0)
        return -err->code;
    return 0;
}

/* A job that is under way, or of which libvirt does not tell: for an incoming migration it has an error
 * alone, "available only on the source host". */
static bool has_job(virDomainPtr d)
{
    virDomainJobInfo job = { 0 };

    if (virDomainGetJobInfo(d, &job) < 0)
        return virDomainIsActive(d) != 0;
    return job.type == VIR_DOMAIN_JOB_BOUNDED || job.type == VIR_DOMAIN_JOB_UNBOUNDED;
}

static int put_state(struct child *c, virDomainPtr d, json_t *reply, struct error *err)
{
    int state, reason, autostart = 0;
    int persistent = virDomainIsPersistent(d);

    if (virDomainGetState(d, &state, &reason, 0) < 0)
        return libvirt_error(err, c->host, "could not ask for the domain's state");
    (void)virDomainGetAutostart(d, &autostart);
    if (json_put_text(reply, "state", state_word(state)) < 0 ||
        json_put_text(reply, "reason", reason_word(state, reason)) < 0 ||
        json_put_text(reply, "name", virDomainGetName(d)) < 0 ||
        json_put_flag(reply, "is_active", virDomainIsActive(d) == 1) < 0 ||
        json_put_flag(reply, "is_persistent", persistent == 1) < 0 ||
        json_put_flag(reply, "has_job", has_job(d)) < 0 ||
        json_put_flag(reply, "autostart", autostart != 0) < 0 ||
        json_put_flag(reply, "has_managed_save", virDomainHasManagedSaveImage(d, 0) == 1) < 0)
        return error_memory(err);
    return put_marks(d, reply, err);
}

/* Seconds since that host booted, from what its processors did since: libvirt has no call for it. */
static uint64_t uptime_s(struct child *c)
{
    virNodeCPUStats stats[16];
    int n = 0;
    uint64_t sum_ns = 0;
    virNodeInfo node;

    if (virNodeGetCPUStats(c->libvirt, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &n, 0) < 0 || n > 16 ||
        virNodeGetCPUStats(c->libvirt, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &n, 0) < 0 ||
        virNodeGetInfo(c->libvirt, &node) < 0 || node.cpus == 0)
        return NOT_KNOWN;
    for (int i = 0; i < n; i++)
        sum_ns += stats[i].value;
    return sum_ns / node.cpus / 1000000000u;
}

/* {"domain": a name or a uuid}: its "name" */
int verb_domain_name(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    if (!d)
        return -err->code;
    return json_put_text(reply, "name", virDomainGetName(d)) < 0 ? error_memory(err) : 0;
}

/* {"uuid" or "domain"}: "uptime_s" of the host, "present", and if so "state", "reason", "is_active",
 * "is_persistent", "has_job", "autostart", "has_managed_save", "mark", "mark_config" */
int verb_state(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    char uuid[VIR_UUID_STRING_BUFLEN];
    uint64_t uptime = uptime_s(c);

    if (uptime != NOT_KNOWN && json_put_u64(reply, "uptime_s", uptime) < 0)
        return error_memory(err);
    if (!d && err->code == ERROR_ABSENT)
        return json_put_flag(reply, "present", false);
    if (!d)
        return -err->code;
    if (json_put_flag(reply, "present", true) < 0 || virDomainGetUUIDString(d, uuid) < 0 ||
        json_put_text(reply, "uuid", uuid) < 0)
        return error_memory(err);
    return put_state(c, d, reply, err);
}

static int set_metadata(struct child *c, virDomainPtr d, const char *element, struct error *err)
{
    bool is_active = virDomainIsActive(d) == 1, is_persistent = virDomainIsPersistent(d) == 1;
    unsigned flags =
        (is_active ? VIR_DOMAIN_AFFECT_LIVE : 0u) | (is_persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0u);

    if (virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, element, element ? MARK_KEY : NULL, MARK_URI,
                             flags) < 0) {
        if (!element && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
            return 0;
        return libvirt_error(err, c->host, "could not %s the run's mark", element ? "set" : "remove");
    }
    return 0;
}

/* {"uuid", "run", "host", "time_s"}: "took_ms" between the look at what stood there and the mark's being set;
 * where a mark stands, "mark" or "mark_config", and nothing is set */
int verb_mark_set(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    struct mark m = { .time_s = json_u64(args, "time_s", 0) };
    OWNED_MEMORY char *element = NULL;
    uint64_t looked_ms;

    if (!d)
        return -err->code;
    snprintf(m.run, sizeof m.run, "%s", json_text(args, "run", ""));
    snprintf(m.host, sizeof m.host, "%s", json_text(args, "host", ""));
    element = mark_write(&m, err);
    looked_ms = loop_now_ms();
    if (!element || put_marks(d, reply, err) < 0)
        return -err->code;
    if (json_child(reply, "mark") || json_child(reply, "mark_config"))
        return 0;
    if (set_metadata(c, d, element, err) < 0)
        return -err->code;
    return json_put_u64(reply, "took_ms", loop_now_ms() - looked_ms) < 0 ? error_memory(err) : 0;
}

static bool mark_is_ours(virDomainPtr d, unsigned flags, const char *run)
{
    OWNED_MEMORY char *element = virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, MARK_URI, flags);
    struct error err = { 0 };
    struct mark m;

    return element && mark_read(element, &m, &err) == 0 && strcmp(m.run, run) == 0;
}

/* {"uuid", "run"}: removes the mark of that run and of no other; {} */
int verb_mark_clear(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    const char *run = json_text(args, "run", "");
    unsigned flags = 0;

    (void)reply;
    if (!d)
        return err->code == ERROR_ABSENT ? 0 : -err->code;
    if (virDomainIsActive(d) == 1 && mark_is_ours(d, VIR_DOMAIN_AFFECT_LIVE, run))
        flags |= VIR_DOMAIN_AFFECT_LIVE;
    if (virDomainIsPersistent(d) == 1 && mark_is_ours(d, VIR_DOMAIN_AFFECT_CONFIG, run))
        flags |= VIR_DOMAIN_AFFECT_CONFIG;
    if (flags && virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, NULL, NULL, MARK_URI, flags) < 0)
        return libvirt_error(err, c->host, "could not remove the run's mark");
    return 0;
}

/* {"uuid", "on"}: {} */
int verb_autostart(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return -err->code;
    if (virDomainSetAutostart(d, json_flag(args, "on", false)) < 0)
        return libvirt_error(err, c->host, "could not switch autostart");
    return 0;
}

/* {"uuid", "ms"}: sets the allowed downtime; {} */
int verb_max_downtime(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return -err->code;
    if (virDomainMigrateSetMaxDowntime(d, json_u64(args, "ms", 300), 0) < 0)
        return libvirt_error(err, c->host, "could not set the allowed downtime");
    return 0;
}

/* A guest that has executed anything has asked for a block of its disks. */
static int check_unused(struct child *c, virDomainPtr d, struct error *err)
{
    virDomainBlockStatsStruct all;

    if (virDomainBlockStats(d, "", &all, sizeof all) < 0)
        return libvirt_error(err, c->host, "could not ask whether the guest has used its disks");
    if (all.rd_req <= 0 && all.wr_req <= 0)
        return 0;
    error_set(err, ERROR_STALE, c->host, "the domain is no longer as it was seen");
    return error_why(err, "the guest has used its disks: it was resumed");
}

/* An act rests on a look: what is no longer as it was seen is left as it is. {"expect": {"state", "reason",
 * "is_unused"}} */
static int check_expected(struct child *c, virDomainPtr d, const json_t *args, struct error *err)
{
    const json_t *expect = json_child(args, "expect");
    int state, reason;

    if (!expect)
        return 0;
    if (virDomainGetState(d, &state, &reason, 0) < 0)
        return libvirt_error(err, c->host, "could not ask for the domain's state");
    if (text_equal(json_text(expect, "state", ""), state_word(state)) &&
        text_equal(json_text(expect, "reason", ""), reason_word(state, reason)))
        return json_flag(expect, "is_unused", false) ? check_unused(c, d, err) : 0;
    error_set(err, ERROR_STALE, c->host, "the domain is no longer as it was seen");
    return error_why(err, "it was %s %s, and is %s %s", json_text(expect, "state", "?"),
                     json_text(expect, "reason", ""), state_word(state), reason_word(state, reason));
}

/* {"uuid", "expect"}: {} */
int verb_resume(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d || check_expected(c, d, args, err) < 0)
        return -err->code;
    if (virDomainResume(d) < 0)
        return libvirt_error(err, c->host, "could not resume the domain");
    return 0;
}

static int no_longer_off(struct child *c, struct error *err)
{
    error_set(err, ERROR_STALE, c->host, "the domain is no longer shut off: somebody has started it");
    return error_fix(err, "Run the same command again: it takes the domain as it is then.");
}

/* {"uuid"}: starts its QEMU, in which nothing is executed; one that is active already is ERROR_STALE, and a
 * saved state is not restored; {} */
int verb_start_paused(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return -err->code;
    if (virDomainIsActive(d) != 0)
        return no_longer_off(c, err);
    if (virDomainHasManagedSaveImage(d, 0) != 0)
        return error_set(err, ERROR_FAILED, c->host,
                         "a managed-save image is there, which a start would restore");
    if (virDomainCreateWithFlags(d, VIR_DOMAIN_START_PAUSED) == 0)
        return 0;
    if (virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID)
        return no_longer_off(c, err);
    return libvirt_error(err, c->host, "could not start the domain's QEMU");
}

/* {"uuid", "expect"}: ends its QEMU; absent or not active is success; {} */
int verb_destroy(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return err->code == ERROR_ABSENT ? 0 : -err->code;
    if (virDomainIsActive(d) == 0)
        return 0;
    if (check_expected(c, d, args, err) < 0)
        return -err->code;
    if (virDomainDestroy(d) < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN && virDomainIsActive(d) != 0)
        return libvirt_error(err, c->host, "could not end the domain's QEMU");
    return 0;
}

/* {"uuid"}: removes a definition that is shut off, and nothing of its state; absent is success; {} */
int verb_undefine(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return err->code == ERROR_ABSENT ? 0 : -err->code;
    if (virDomainIsActive(d) != 0)
        return error_set(err, ERROR_FAILED, c->host, "the domain is not shut off, so its definition stays");
    if (virDomainHasManagedSaveImage(d, 0) != 0)
        return error_set(err, ERROR_FAILED, c->host,
                         "a managed-save image is there, so the domain's definition stays");
    if (virDomainUndefineFlags(d, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_TPM |
                                      VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA) < 0)
        return libvirt_error(err, c->host, "could not remove the domain's definition");
    return 0;
}
