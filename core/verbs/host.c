/* SPDX-License-Identifier: Apache-2.0
 * A worker's connection, and the table of what can be asked over it. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "state/config.h"
#include "verbs/command.h"
#include "worker/serve.h"
#include <stdio.h>
#include <string.h>

const struct verb verbs_host[] = {
    { "connect", verb_connect },
    { "hostname", verb_hostname },
    { "survey-host", verb_survey_host },
    { "probe", verb_probe },
    { "address", verb_address },
    { "name-addresses", verb_name_addresses },
    { "check-channels", verb_check_channels },
    { "qemu-owner", verb_qemu_owner },
    { "run", verb_run },
    { "reach-ports", verb_reach_ports },
    { "survey-domain", verb_survey_domain },
    { "survey-disks", verb_survey_disks },
    { "survey-pair", verb_survey_pair },
    { "domain-name", verb_domain_name },
    { "state", verb_state },
    { "mark-set", verb_mark_set },
    { "mark-clear", verb_mark_clear },
    { "autostart", verb_autostart },
    { "max-downtime", verb_max_downtime },
    { "start-paused", verb_start_paused },
    { "resume", verb_resume },
    { "destroy", verb_destroy },
    { "undefine", verb_undefine },
    { "job", verb_job },
    { "control", verb_control },
    { "abort-job", verb_abort_job },
    { "start-postcopy", verb_start_postcopy },
    { "measure-dirty", verb_measure_dirty },
    { "measure-memory", verb_measure_memory },
    { "measure-link", verb_measure_link },
    { "nonce-open", verb_nonce_open },
    { "nonce-look", verb_nonce_look },
    { "nonce-stat", verb_nonce_stat },
    { "nonce-close", verb_nonce_close },
    { "nonce-remove", verb_nonce_remove },
    { "lock-hold", verb_lock_hold },
    { "lock-try", verb_lock_try },
    { "lock-release", verb_lock_release },
    { "image-create", verb_image_create },
    { "image-remove", verb_image_remove },
    { "image-hold", verb_image_hold },
    { "image-send", verb_image_send },
    { "survey-relocation", verb_survey_relocation },
    { "relocation-room", verb_relocation_room },
    { "relocation-create", verb_relocation_create },
    { "image-users", verb_image_users },
    { "image-retire", verb_image_retire },
    { "block-copy", verb_block_copy },
    { "block-look", verb_block_look },
    { "block-pivot", verb_block_pivot },
    { "block-abort", verb_block_abort },
    { "definition-read", verb_definition_read },
    { "definition-write", verb_definition_write },
    { NULL, NULL },
};

static int take_way(struct child *c, const json_t *way, struct error *err)
{
    c->way.driver = registry_transport(json_text(way, "driver", ""), &c->way.owner);
    if (!c->way.driver)
        return error_set(err, ERROR_INPUT, c->host, "the driver of its way is not there");
    (void)snprintf(c->way.uri, sizeof c->way.uri, "%s", json_text(way, "uri", ""));
    (void)snprintf(c->way.folder, sizeof c->way.folder, "%s", json_text(way, "folder", ""));
    return 0;
}

/* Nobody is asked: a worker has neither a terminal nor the time, and what libvirt's own questions print would
 * stand in our output. What auth.conf says was taken before. */
static int ask_nobody(virConnectCredentialPtr wanted, unsigned n, void *context)
{
    (void)wanted;
    (void)n;
    (void)context;
    return -1;
}

virConnectAuth verb_auth(void)
{
    virConnectAuth auth = *virConnectAuthPtrDefault; /* its kinds of credentials */

    auth.cb = ask_nobody;
    return auth;
}

/* {"uri", "way" (absent: none)}: connects; {"is_local": libvirt is that of this machine} */
int verb_connect(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *uri = json_text(args, "uri", "");
    const json_t *way = json_child(args, "way");
    virConnectAuth auth = verb_auth();

    if (way && take_way(c, way, err) < 0)
        return -err->code;
    c->libvirt = virConnectOpenAuth(uri, &auth, 0);
    if (!c->libvirt) {
        libvirt_error(err, c->host, "could not connect to '%s'", way ? c->way.uri : uri);
        err->code = ERROR_CONNECTION;
        return error_fix(err, "Try the same by hand: virsh -c '%s' version.", way ? c->way.uri : uri);
    }
    return json_put_flag(reply, "is_local", verb_is_local(c)) < 0 ? error_memory(err) : 0;
}

bool verb_takes_hostname(const char *hostname, const char *dest_host)
{
    struct error ignored = { 0 };

    return hostname && name_check_host(hostname, &ignored) == 0 && !text_starts(hostname, "localhost") &&
           !text_equal(hostname, dest_host);
}

/* {"dest_host"}: of a host whose URI names none: {"hostname": as libvirt there says}, by which this worker
 * calls it from now on; {} where that would not tell the two hosts apart */
int verb_hostname(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *hostname = virConnectGetHostname(c->libvirt);

    if (!verb_takes_hostname(hostname, json_text(args, "dest_host", "")))
        return 0;
    if (json_put_text(reply, "hostname", hostname) < 0)
        return error_memory(err);
    c->host = HAND_OVER(hostname);
    return 0;
}

bool verb_is_local(struct child *c)
{
    OWNED_MEMORY char *uri = virConnectGetURI(c->libvirt);

    return uri_is_here(uri);
}

static const char *config_for_driver(void *context, const char *section, const char *key)
{
    const struct child *c = context;

    return c->config ? config_get(c->config, section, key) : NULL;
}

static int journal_for_driver(void *context, const char *driver, const char *what, const char *place,
                              const char *name, const char *identity, struct error *err)
{
    struct child *c = context;
    OWNED_JSON record = json_pack("{ss ss ss ss ss ss*}", "step", "create", "host", c->host, "driver", driver,
                                  "what", what, "place", place ? place : "", "identity", identity);

    if (!record || json_put_text(record, "name", name) < 0)
        return error_memory(err);
    return child_journal(c, json_incref(record), err);
}

static int run_for_driver(void *context, struct ferry_command *command, struct error *err)
{
    return command_run(context, command, err);
}

struct call_host verb_call_host(struct child *c)
{
    return (struct call_host){ .host = c->host,
                               .libvirt = c->libvirt,
                               .config = config_for_driver,
                               .journal = journal_for_driver,
                               .run = run_for_driver,
                               .context = c };
}
