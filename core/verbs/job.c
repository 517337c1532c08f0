/* SPDX-License-Identifier: Apache-2.0
 * A migration job as libvirt counts it, and its end on demand. */
#include "verbs/verbs.h"

#include "worker/serve.h"

static const struct {
    const char *libvirt, *ours;
} counters[] = {
    { VIR_DOMAIN_JOB_TIME_ELAPSED, "elapsed_ms" },
    { VIR_DOMAIN_JOB_DOWNTIME, "downtime_ms" },
    { VIR_DOMAIN_JOB_DOWNTIME_NET, "downtime_net_ms" },
    { VIR_DOMAIN_JOB_SETUP_TIME, "setup_ms" },
    { VIR_DOMAIN_JOB_DATA_TOTAL, "total_bytes" },
    { VIR_DOMAIN_JOB_DATA_PROCESSED, "processed_bytes" },
    { VIR_DOMAIN_JOB_DATA_REMAINING, "remaining_bytes" },
    { VIR_DOMAIN_JOB_MEMORY_TOTAL, "memory_total_bytes" },
    { VIR_DOMAIN_JOB_MEMORY_PROCESSED, "memory_processed_bytes" },
    { VIR_DOMAIN_JOB_MEMORY_REMAINING, "memory_remaining_bytes" },
    { VIR_DOMAIN_JOB_MEMORY_CONSTANT, "memory_zero_pages" },
    { VIR_DOMAIN_JOB_MEMORY_BPS, "memory_bytes_per_s" },
    { VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, "dirty_pages_per_s" },
    { VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, "page_bytes" },
    { VIR_DOMAIN_JOB_MEMORY_ITERATION, "pass" },
    { VIR_DOMAIN_JOB_DISK_TOTAL, "disk_total_bytes" },
    { VIR_DOMAIN_JOB_DISK_PROCESSED, "disk_processed_bytes" },
    { VIR_DOMAIN_JOB_DISK_REMAINING, "disk_remaining_bytes" },
    { VIR_DOMAIN_JOB_DISK_BPS, "disk_bytes_per_s" },
};

/* The source has stopped for good and the guest runs over there: what libvirt never takes back. Whether the
 * rest of its memory can still follow; and whether it stands still for its last pass. */
static int put_switch(virDomainPtr d, json_t *reply)
{
    int state = 0, reason = 0;
    const bool is_paused = virDomainGetState(d, &state, &reason, 0) == 0 && state == VIR_DOMAIN_PAUSED;
    const bool is_cut = is_paused && reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED;

    return json_put_flag(reply, "is_postcopy",
                         is_cut || (is_paused && reason == VIR_DOMAIN_PAUSED_POSTCOPY)) < 0 ||
                   json_put_flag(reply, "is_cut", is_cut) < 0 ||
                   json_put_flag(reply, "is_suspended", is_paused && reason == VIR_DOMAIN_PAUSED_MIGRATION) <
                       0
               ? -1
               : 0;
}

/* Those of the last job stay, for whoever else asks; libvirt before 6.0 knows no keeping. */
static int read_stats(virDomainPtr d, bool is_completed, int *type, virTypedParameterPtr *params, int *n)
{
    const unsigned last = VIR_DOMAIN_JOB_STATS_COMPLETED;

    if (!is_completed)
        return virDomainGetJobStats(d, type, params, n, 0);
    if (virDomainGetJobStats(d, type, params, n, last | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) == 0)
        return 0;
    return virDomainGetJobStats(d, type, params, n, last);
}

/* {"uuid", "completed"}: "is_active", "is_postcopy", "is_cut" (post-copy that lost its link), "is_suspended"
 * (by the migration), and every counter that libvirt knows; completed reads the last job's */
int verb_job(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    virTypedParameterPtr params = NULL;
    int n = 0, type = VIR_DOMAIN_JOB_NONE, r = 0;

    if (!d)
        return -err->code;
    if (read_stats(d, json_flag(args, "completed", false), &type, &params, &n) < 0)
        return libvirt_error(err, c->host, "could not read the job's statistics");
    if (json_put_flag(reply, "is_active",
                      type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED) < 0 ||
        put_switch(d, reply) < 0)
        r = error_memory(err);
    for (size_t i = 0; r == 0 && i < sizeof counters / sizeof *counters; i++) {
        unsigned long long value;

        if (virTypedParamsGetULLong(params, n, counters[i].libvirt, &value) == 1 &&
            json_put_u64(reply, counters[i].ours, value) < 0)
            r = error_memory(err);
    }
    virTypedParamsFree(params, n);
    return r;
}

/* {"uuid"}: "is_free": libvirt is not asking its QEMU anything at this moment. Of one that is never seen to
 * be free QEMU has not answered. */
int verb_control(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    virDomainControlInfo info = { 0 };

    if (!d)
        return -err->code;
    if (virDomainGetControlInfo(d, &info, 0) < 0)
        return libvirt_error(err, c->host, "could not ask whether the domain's QEMU answers");
    return json_put_flag(reply, "is_free", info.state == VIR_DOMAIN_CONTROL_OK) < 0 ? error_memory(err) : 0;
}

/* {"uuid"}: {} */
int verb_abort_job(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return -err->code;
    if (virDomainAbortJob(d) < 0)
        return libvirt_error(err, c->host, "could not abort the domain's job");
    return 0;
}

/* {"uuid"}: asks for post-copy; accepted is not yet switched: the job may end in pre-copy all the same; {} */
int verb_start_postcopy(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);

    (void)reply;
    if (!d)
        return -err->code;
    if (virDomainMigrateStartPostCopy(d, 0) < 0)
        return libvirt_error(err, c->host, "could not switch the migration to post-copy");
    return 0;
}
