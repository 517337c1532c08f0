/* SPDX-License-Identifier: Apache-2.0
 * The services behind virt-ferry-plugin.h, and the small steps around each call into a driver.
 * A driver's word is taken as data: bounded, copied, and never printed here. */
#include "plugin/call.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/load.h"
#include "plugin/program.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_TEXT (1u << 20)

static const char *host_name(const struct ferry_call *call)
{
    return call->host->host ? call->host->host : "";
}

static void service_error(struct ferry_call *call, const char *fix, const char *what_format, ...)
{
    char what[sizeof call->err->what];
    va_list args;

    va_start(args, what_format);
    (void)vsnprintf(what, sizeof what, what_format, args);
    va_end(args);
    (void)error_set(call->err, ERROR_FAILED, host_name(call), "%s", what);
    if (fix)
        (void)error_fix(call->err, "%s", fix);
    call->error_was_set = true;
}

static void service_log(struct ferry_call *call, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!log_on())
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_event(call->driver, "says", "%s", line);
}

static const char *service_config(struct ferry_call *call, const char *key)
{
    if (!call->host->config || !key || !call->plugin)
        return NULL;
    return call->host->config(call->host->context, call->plugin->plugin.name, key);
}

static const char *no_memory(struct ferry_call *call)
{
    (void)error_memory(call->err);
    call->error_was_set = true;
    return NULL;
}

static const char *service_text(struct ferry_call *call, const char *format, ...)
{
    OWNED_MEMORY char *made = NULL;
    const char *kept;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&made, format, args);
    va_end(args);
    if (n < 0) {
        made = NULL;
        return no_memory(call);
    }
    if ((unsigned)n > MAX_TEXT) {
        service_error(call, NULL, "driver '%s' made a text of %d bytes, %u are allowed", call->driver, n,
                      MAX_TEXT);
        return NULL;
    }
    kept = arena_text(call->texts, made);
    return kept ? kept : no_memory(call);
}

static void *service_libvirt(struct ferry_call *call)
{
    if (!call->host->libvirt)
        service_error(call, NULL, "driver '%s' asks for libvirt, and there is no connection here",
                      call->driver);
    return call->host->libvirt;
}

static const char *service_host(struct ferry_call *call)
{
    return host_name(call);
}

static int service_journal(struct ferry_call *call, const char *what, const char *place, const char *name,
                           const char *identity)
{
    if (!call->host->journal) {
        service_error(call, NULL, "driver '%s' may not create anything here: no journal is open",
                      call->driver);
        return -1;
    }
    if (!what || !load_is_word(what) || !place || !name || !*name) {
        service_error(call, NULL, "driver '%s' does not say what it is about to create", call->driver);
        return -1;
    }
    if (call->host->journal(call->host->context, call->driver, what, place, name, identity, call->err) < 0) {
        call->error_was_set = true;
        return -1;
    }
    return 0;
}

static void service_finding(struct ferry_call *call, int severity, const char *id, const char *what,
                            const char *fix)
{
    struct facts *f = call->findings_to;
    enum severity level = severity < NOTES ? NOTES : severity > REFUSES ? REFUSES : (enum severity)severity;
    struct finding *made;

    if (!f || !what)
        return;
    made = facts_add_finding(f, level, arena_text(f->arena, load_is_word(id) ? id : call->driver),
                             arena_text(f->arena, call->where));
    /* Without memory the arena remembers, and the survey that owns it fails at its end. */
    if (!made)
        return;
    made->what = arena_text(f->arena, what);
    made->fix = arena_text(f->arena, fix);
}

static int service_program(struct ferry_call *call, struct ferry_command *command)
{
    if (program_run(command, call->err) == 0)
        return 0;
    call->error_was_set = true;
    return -1;
}

static int service_run(struct ferry_call *call, struct ferry_command *command)
{
    if (!call->host->run)
        (void)error_set(call->err, ERROR_REFUSED, host_name(call), "no command can be run there");
    else if (call->host->run(call->host->context, command, call->err) == 0)
        return 0;
    call->error_was_set = true;
    return -1;
}

static void service_no_answer(struct ferry_call *call)
{
    if (call->error_was_set && call->err->code == ERROR_FAILED)
        call->err->code = ERROR_TIMEOUT;
}

const struct ferry_services call_services = {
    .size = sizeof call_services,
    .error = service_error,
    .log = service_log,
    .config = service_config,
    .text = service_text,
    .libvirt = service_libvirt,
    .host = service_host,
    .journal = service_journal,
    .finding = service_finding,
    .program = service_program,
    .run = service_run,
    .no_answer = service_no_answer,
};

int call_begin(struct ferry_call *call, const struct call_host *host, const struct plugin_entry *plugin,
               const char *driver, const char *where, struct facts *findings_to, struct error *err)
{
    *call = (struct ferry_call){
        .host = host,
        .plugin = plugin,
        .driver = driver,
        .where = where,
        .texts = arena_new(),
        .findings_to = findings_to,
        .err = err,
    };
    return call->texts ? 0 : error_memory(err);
}

void call_done(struct ferry_call *call)
{
    arena_free(call->texts);
    call->texts = NULL;
}

int call_failed(struct ferry_call *call, const char *doing)
{
    if (!call->error_was_set || call->err->code == ERROR_NONE)
        (void)error_set(call->err, ERROR_FAILED, host_name(call), "driver '%s' failed and gave no reason",
                        call->driver);
    if (doing)
        return error_while(call->err, "%s", doing);
    return -call->err->code;
}

static const char *type_word(const struct disk *d)
{
    switch (d->type) {
    case DISK_EMPTY:
    case DISK_FILE:
        return "file";
    case DISK_BLOCK:
        return "block";
    case DISK_NETWORK:
        return "network";
    case DISK_VOLUME:
        return "volume";
    case DISK_DIR:
        return "dir";
    case DISK_OTHER:
        break;
    }
    return "other";
}

struct ferry_disk call_disk(const struct disk *d, const char *at_source)
{
    bool is_drive = d->device == DEVICE_CDROM || d->device == DEVICE_FLOPPY;

    return (struct ferry_disk){
        .size = sizeof(struct ferry_disk),
        .flags = (d->readonly ? FERRY_DISK_READONLY : 0) | (d->shareable ? FERRY_DISK_SHAREABLE : 0) |
                 (is_drive ? FERRY_DISK_CDROM : 0),
        .target = d->target ? d->target : "",
        .type = type_word(d),
        .source = d->source,
        .format = d->format,
        .protocol = d->protocol,
        .server = d->server,
        .pool = d->pool,
        .volume = d->volume,
        .cache = d->cache,
        .capacity_bytes = d->at_source.capacity_bytes,
        .at_source = at_source,
        .user = d->user,
        .group = d->group,
        .hosts = d->hosts.names,
        .n_hosts = (uint32_t)d->hosts.n,
        .config_file = d->config_file,
        .snapshot = d->snapshot,
        .auth_user = d->auth_user,
        .secret_type = d->secret_type,
        .secret_uuid = d->secret_uuid,
        .secret_usage = d->secret_usage,
        .discard = d->discard,
    };
}

/* 0 when it is not its own, or could not be asked. */
static int score_of(const struct call_host *host, const struct plugin_entry *plugin,
                    const struct ferry_storage *driver, const struct ferry_disk *disk)
{
    struct error ignored = { 0 };
    struct ferry_call call;
    int score;

    if (call_begin(&call, host, plugin, driver->name, disk->target, NULL, &ignored) < 0)
        return 0;
    score = driver->claim(&call, &call_services, disk);
    call_done(&call);
    return score > 100 ? 100 : score;
}

const struct ferry_storage *call_claim(const struct call_host *host, const struct disk *d,
                                       const char *at_source, const struct plugin_entry **ret_owner)
{
    const struct ferry_disk disk = call_disk(d, at_source);
    const struct ferry_storage *best = NULL;
    int best_score = 0;

    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *plugin = registry_at(i);

        for (size_t j = 0; j < plugin->n_storage; j++) {
            const struct ferry_storage *driver = &plugin->storage[j];
            int score = score_of(host, plugin, driver, &disk);

            if (score <= 0 || score < best_score)
                continue;
            if (best && score == best_score && strcmp(driver->name, best->name) > 0)
                continue;
            best = driver;
            best_score = score;
            if (ret_owner)
                *ret_owner = plugin;
        }
    }
    return best;
}
