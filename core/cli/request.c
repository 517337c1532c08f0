/* SPDX-License-Identifier: Apache-2.0
 * Precedence: option, environment, the user's file, the system's; the settings know the last three. */
#include "cli/request.h"

#include "base/name.h"
#include "cli/ask.h"
#include "cli/output.h"
#include "cli/running.h"
#include "facts/json.h"
#include "facts/location.h"
#include "facts/map.h"
#include "facts/overwrite.h"
#include "host/survey.h"
#include "migration/migrate.h"
#include "plugin/registry.h"
#include "state/network.h"
#include <string.h>
#include <unistd.h>

static void say(void *context, const char *line)
{
    struct request *r = context;

    if (r->progress)
        progress_clear(r->progress);
    output_remark(r->cli, "%s", line);
}

static void planned(void *context, const struct plan *p)
{
    struct request *r = context;
    struct error err = { 0 };

    /* With --json stdout holds one document, the result; the plan is then its member. */
    if (r->shows_plan && !r->cli->is_json && !r->cli->is_quiet)
        (void)request_show_plan(r->cli, p, &err);
    (void)fflush(stdout);
}

static void leave(void *context, const char *run, bool is_asked)
{
    const struct request *r = context;

    if (r->progress)
        progress_clear(r->progress);
    running_leave(r->cli, run, is_asked);
}

static void slow(void *context, const char *what)
{
    const struct request *r = context;

    if (r->progress)
        progress_clear(r->progress);
    running_slow(r->cli, what);
}

/* libvirt says 0 before it has measured: nothing then, and the line keeps room for what is known. */
static uint64_t known(uint64_t figure)
{
    return figure > 0 ? figure : NOT_KNOWN;
}

static void progress(void *context, const struct run_progress *p)
{
    struct request *r = context;
    struct progress_sample s = { .phase = p->phase,
                                 .done_bytes = p->processed_bytes,
                                 .total_bytes = p->total_bytes,
                                 .remaining_bytes = p->remaining_bytes,
                                 .rate_bytes_per_s = p->bytes_per_s,
                                 .dirty_bytes_per_s = known(p->dirty_bytes_per_s),
                                 .pass = known(p->pass),
                                 .eta_ms = NOT_KNOWN,
                                 .zero_bytes = p->zero_bytes };

    /* Zero pages are done without being sent, so what is left says more than what was processed. */
    if (p->total_bytes != NOT_KNOWN && p->remaining_bytes <= p->total_bytes)
        s.done_bytes = p->total_bytes - p->remaining_bytes;
    if (p->remaining_bytes != NOT_KNOWN && p->remaining_bytes > 0 && p->bytes_per_s != NOT_KNOWN &&
        p->bytes_per_s > 0 && p->remaining_bytes < UINT64_MAX / 1000u)
        s.eta_ms = p->remaining_bytes * 1000u / p->bytes_per_s;
    if (r->progress)
        progress_show(r->progress, &s, p->elapsed_ms);
}

static uint64_t figure(const struct options *o, const char *option, const struct config *config,
                       const char *key)
{
    return option_u64(o, option, config_u64(config, "migrate", key, NOT_KNOWN));
}

static enum prefer prefer_of(const char *word)
{
    return text_equal(word, "downtime")   ? PREFER_DOWNTIME
           : text_equal(word, "bytes")    ? PREFER_BYTES
           : text_equal(word, "exposure") ? PREFER_EXPOSURE
                                          : PREFER_TIME;
}

/* A plan is data: no parameter of a URI may come out of one, for some of them name programs. */
static int check_saved_uri(const char *uri, struct error *err)
{
    if (uri[0] && !strpbrk(uri, "?#"))
        return 0;
    error_set(err, ERROR_INPUT, NULL, "its URI '%s' is not taken from a file", uri);
    return error_fix(err, "Name domain and destination instead, with --strategy.");
}

/* Lent to the run. A saved plan brings its own. */
static int take_maps(struct request *r, size_t n)
{
    r->run.maps = r->maps;
    r->run.n_maps = n;
    return 0;
}

/* A host by the name that [map] would give it; false: its URI names none that could stand there. */
static bool host_called(const char *uri, char *buf, size_t size)
{
    struct error ignored = { 0 };

    if (!strstr(uri, "://"))
        return (size_t)snprintf(buf, size, "%s", uri) < size;
    if (survey_host_of_uri(uri, buf, size, &ignored) < 0)
        return false;
    return !text_equal(buf, "localhost") || gethostname(buf, size) == 0;
}

/* Those of the configuration are for hosts that are asked: saved facts and plans have their own. */
static int add_config_maps(struct request *r, const struct options *o, size_t *n, struct error *err)
{
    char source[256], dest[256];

    if (!r->run.dest || !r->run.source_uri || option_text(o, "plan") || option_text(o, "facts"))
        return 0;
    return config_add_maps(
        r->run.config, host_called(r->run.source_uri, source, sizeof source) ? source : NULL,
        host_called(r->run.dest, dest, sizeof dest) ? dest : NULL, r->arena, &r->maps, n, err);
}

static int read_maps(struct request *r, const struct options *o, struct error *err)
{
    static const struct {
        const char *option;
        enum map_kind kind;
    } rows[] = { { "map-network", MAP_NETWORK }, { "map-storage", MAP_STORAGE } };
    size_t n = 0;

    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (size_t i = 0; i < option_count(o, rows[k].option); i++) {
            const char *text = option_nth(o, rows[k].option, i);
            struct error why = { 0 };
            struct map m;

            if (map_parse(rows[k].kind, text, r->arena, &m, &why) == 0 &&
                map_add(r->arena, &r->maps, &n, &m, &why) == 0)
                continue;
            error_set(err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--%s'", text,
                      rows[k].option);
            error_why(err, "%s", why.what);
            return error_fix(err, "%s", why.fix);
        }
    if (add_config_maps(r, o, &n, err) < 0)
        return -err->code;
    return take_maps(r, n);
}

static int read_overwrite(struct request *r, const struct options *o, struct error *err)
{
    for (size_t i = 0; i < option_count(o, "overwrite"); i++) {
        const char *text = option_nth(o, "overwrite", i);
        struct error why = { 0 };

        if (overwrite_parse(text, r->arena, &r->run.overwrite, &why) == 0)
            continue;
        error_set(err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--overwrite'", text);
        error_why(err, "%s", why.what);
        return error_fix(err, "%s", why.fix);
    }
    return 0;
}

/* A name, or an address as it stands in a certificate. */
static int check_certificate_name(const char *name, struct error *err)
{
    return !name || name_is_address(name) ? 0 : name_check_host(name, err);
}

static int read_manner(struct request *r, const struct options *o, struct error *err)
{
    if (option_flag(o, "p2p") && option_flag(o, "direct"))
        return error_set(err, ERROR_USAGE, NULL, "options '--p2p' and '--direct' exclude each other");
    if (option_flag(o, "flatten") && option_flag(o, "keep-chain"))
        return error_set(err, ERROR_USAGE, NULL, "options '--flatten' and '--keep-chain' exclude each other");
    r->run.limits.manner = option_flag(o, "p2p")      ? MANNER_P2P
                           : option_flag(o, "direct") ? MANNER_DIRECT
                                                      : MANNER_ANY;
    return 0;
}

/* A strategy by name brings its own number, so that the name means the same whatever the hosts do besides. */
static int read_connections(struct request *r, const struct options *o, struct error *err)
{
    const uint64_t asked = option_u64(o, "connections", 0);
    const unsigned named = plan_connections_of(r->run.strategy);

    if (option_given(o, "connections") && (asked < 1 || asked > CONNECTIONS_MOST)) {
        error_set(err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--connections'",
                  ESCAPED(option_text(o, "connections")));
        return error_fix(err, "Write a number from 1 to %d.", CONNECTIONS_MOST);
    }
    if (asked && named > 1 && asked != named)
        return error_set(err, ERROR_USAGE, NULL,
                         "strategy '%s' is one of %u connections, and %llu are asked for", r->run.strategy,
                         named, (unsigned long long)asked);
    r->run.limits.connections = named > 1 ? named : (unsigned)asked;
    return 0;
}

static int check_via(const char *via, struct error *err)
{
    struct error why = { 0 };

    if (!via || network_parse_via(via, &why) == 0)
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' cannot be the value of option '--via'", via);
    error_why(err, "%s", why.what);
    return error_fix(err, "Write an address of the destination such as 10.9.0.5 or fd00:9::5, or the network "
                          "that it lies in, 10.9.0.0/16.");
}

static int read_saved(struct request *r, const char *path, struct error *err)
{
    struct run_options *run = &r->run;
    size_t n_maps = 0;

    if (run->n_maps) {
        error_set(err, ERROR_USAGE, NULL, "a saved plan has its maps in it, and takes no others");
        return error_fix(
            err, "Save the plan with them: virt-ferry plan -o FILE --map-network FROM=TO DOMAIN DEST.");
    }
    if (run->overwrite.n) {
        error_set(err, ERROR_USAGE, NULL, "a saved plan has in it what it may overwrite, and takes no more");
        return error_fix(err,
                         "Save the plan with it: virt-ferry plan -o FILE --overwrite TARGET DOMAIN DEST.");
    }
    if (run->tls_destination) {
        error_set(err, ERROR_USAGE, NULL,
                  "a saved plan has the certificate's name in it, and takes no other");
        return error_fix(
            err, "Save the plan with it: virt-ferry plan -o FILE --tls-destination NAME DOMAIN DEST.");
    }
    if (run->via) {
        error_set(err, ERROR_USAGE, NULL,
                  "a saved plan has the address for RAM and disks in it, and takes no other");
        return error_fix(err, "Save the plan with it: virt-ferry plan -o FILE --via ADDRESS DOMAIN DEST.");
    }
    r->saved = json_read_file(path, err);
    if (!r->saved || plan_saved_limits(r->saved, &run->limits, err) < 0 ||
        check_saved_uri(json_text(r->saved, "source_uri", ""), err) < 0 ||
        check_saved_uri(json_text(r->saved, "dest", ""), err) < 0 ||
        maps_from_json(json_child(r->saved, "maps"), r->arena, &r->maps, &n_maps, err) < 0 ||
        overwrite_from_json(json_child(r->saved, "overwrite"), r->arena, &run->overwrite, err) < 0)
        return error_while(err, "reading the plan '%s'", path);
    run->saved = r->saved;
    run->compare_bases |= json_flag(r->saved, "compare_bases", false);
    run->source_uri = json_text(r->saved, "source_uri", "");
    run->domain = json_text(r->saved, "domain_uuid", "");
    run->dest = json_text(r->saved, "dest", "");
    run->tls_destination = json_text(r->saved, "tls_destination", NULL);
    run->via = json_text(r->saved, "via", NULL);
    if (check_certificate_name(run->tls_destination, err) < 0 || check_via(run->via, err) < 0)
        return error_while(err, "reading the plan '%s'", path);
    return take_maps(r, n_maps);
}

static bool relocates(const struct plan *p, const struct strategy *s)
{
    for (size_t i = 0; s && i < p->facts->domain.n_disks; i++)
        if (s->disks[i] == TREAT_RELOCATE)
            return true;
    return false;
}

int request_save_plan(const struct request *r, const struct plan *p, const char *path, struct error *err)
{
    const struct strategy *s = r->run.strategy ? plan_strategy(p, r->run.strategy) : NULL;
    OWNED_JSON j = NULL;

    if (!r->run.dest)
        return error_set(err, ERROR_USAGE, NULL, "a plan of saved facts cannot be saved: it names no hosts");
    if (r->run.strategy && !s) {
        error_set(err, ERROR_USAGE, NULL, "the plan has no strategy '%s'", r->run.strategy);
        return error_fix(err, "Take one of the names in the plan's first column.");
    }
    if (relocates(p, s ? s : plan_chosen(p))) {
        error_set(err, ERROR_USAGE, NULL, "a plan that relocates disks first cannot be saved");
        return error_fix(err, "Run it at once: virt-ferry migrate --relocate-to LOCATION DOMAIN DEST.");
    }
    j = plan_save(p, s, &r->run.limits, err);
    if (!j)
        return -err->code;
    if (r->run.compare_bases && json_put_flag(j, "compare_bases", true) < 0)
        return error_memory(err);
    if (json_put_text(j, "domain", p->facts->domain.name) < 0 ||
        json_put_text(j, "domain_uuid", p->facts->domain.uuid) < 0 ||
        json_put_text(j, "source_uri", r->run.source_uri) < 0 || json_put_text(j, "dest", r->run.dest) < 0 ||
        (r->run.via && json_put_text(j, "via", r->run.via) < 0) ||
        (r->run.tls_destination && json_put_text(j, "tls_destination", r->run.tls_destination) < 0))
        return error_memory(err);
    return output_file(path, j, err);
}

static int read_relocate_to(struct request *r, const char *option, const struct config *config,
                            struct error *err)
{
    const char *to = option ? option : r->run.dest ? config_get(config, "migrate", "relocate_to") : NULL;
    const char *plain = to ? location_plain(r->arena, to) : NULL, *problem;

    if (!to)
        return 0;
    if (!plain)
        return error_memory(err);
    problem = location_problem(plain);
    if (problem) {
        error_set(err, ERROR_USAGE, NULL, "location '%s' %s", ESCAPED(to), problem);
        return error_fix(err, "Write nfs://SERVER/EXPORT, rbd:POOL or pool:NAME, in %s.",
                         option ? "--relocate-to" : "'relocate_to' of section [migrate] of the settings");
    }
    r->wish.to = to;
    r->run.relocate = &r->wish;
    return 0;
}

static int read_request(struct request *r, struct cli *cli, const struct options *o, struct error *err)
{
    const struct config *config = cli_config(cli, err);
    const bool has_domain = operand_count(o) > 1;

    if (!config || registry_load(NULL, err) < 0)
        return -err->code;
    *r = (struct request){ .cli = cli, .arena = arena_new() };
    if (!r->arena)
        return error_memory(err);
    r->run = (struct run_options){
        .source_uri = cli->uri,
        .domain = has_domain ? operand_at(o, 0) : NULL,
        .dest = operand_at(o, has_domain ? 1 : 0),
        .via = option_text(o, "via"),
        .tls_destination = option_text(o, "tls-destination"),
        .config = config,
        .limits = { .allow_cleartext = option_flag(o, "allow-cleartext"),
                    .force_managed = option_flag(o, "force-managed"),
                    .prefer = prefer_of(option_text(o, "prefer")),
                    .max_downtime_ms = figure(o, "max-downtime", config, "max_downtime"),
                    .bandwidth_bytes_per_s = figure(o, "bandwidth", config, "bandwidth"),
                    .no_postcopy = option_flag(o, "no-postcopy"),
                    .no_throttle = option_flag(o, "no-throttle"),
                    .flatten = option_flag(o, "flatten"),
                    .keep_chain = option_flag(o, "keep-chain"),
                    .deletes_source = option_flag(o, "delete-source"),
                    .synchronous_writes = option_flag(o, "synchronous-writes"),
                    .deadline_ms = option_u64(o, "deadline", NOT_KNOWN) },
        .measure_dirty_s = option_u64(o, "measure-dirty", 0),
        .compare_bases = option_flag(o, "compare-bases"),
        .strategy = option_text(o, "strategy"),
        .timeout_ms = figure(o, "timeout", config, "timeout"),
        .say = say,
        .progress = progress,
        .planned = planned,
        .signals = { leave, slow },
        .ask_password = cli->is_json || !isatty(STDIN_FILENO) ? NULL : ask_password,
        .context = r,
    };
    if (read_relocate_to(r, option_text(o, "relocate-to"), config, err) < 0)
        return -err->code;
    if (read_manner(r, o, err) < 0 || read_connections(r, o, err) < 0 ||
        check_certificate_name(r->run.tls_destination, err) < 0 || check_via(r->run.via, err) < 0 ||
        read_maps(r, o, err) < 0 || read_overwrite(r, o, err) < 0)
        return -err->code;
    return option_text(o, "plan") ? read_saved(r, option_text(o, "plan"), err) : 0;
}

int request_read(struct request *r, struct cli *cli, const struct options *o, struct error *err)
{
    int result;

    *r = (struct request){ .cli = cli };
    result = read_request(r, cli, o, err);
    if (result < 0)
        request_done(r);
    return result;
}

void request_done(struct request *r)
{
    json_decref(r->saved);
    arena_free(r->arena);
    r->saved = NULL;
    r->arena = NULL;
    progress_free(r->progress);
    r->progress = NULL;
}

int request_plan(const struct request *r, const struct options *o, struct run_result *ret, struct error *err)
{
    const char *path = option_text(o, "facts");
    OWNED_JSON j = NULL;

    if (!path)
        return run_plan(&r->run, ret, err);
    j = json_read_file(path, err);
    ret->facts = j ? facts_from_json(j, err) : NULL;
    if (!ret->facts)
        return error_while(err, "reading '%s'", path);
    if (maps_apply(ret->facts, r->run.maps, r->run.n_maps, err) < 0 ||
        overwrite_apply(ret->facts, &r->run.overwrite, err) < 0)
        return -err->code;
    ret->plan = plan_make(ret->facts, &r->run.limits, err);
    return ret->plan ? 0 : -err->code;
}

int request_show_plan(const struct cli *cli, const struct plan *p, struct error *err)
{
    OWNED_TEXT text = { 0 };

    if (cli->is_json) {
        OWNED_JSON j = plan_to_json(p);

        return j ? output_json(j, err) : error_memory(err);
    }
    plan_explain(p, cli->colors_stdout, &text);
    if (text.failed)
        return error_memory(err);
    if (fputs(text_of(&text), stdout) == EOF)
        return error_errno(err, NULL, "could not write the plan");
    return 0;
}

int request_refusal(const struct cli *cli, const struct plan *p, struct error *err)
{
    int r = plan_refusal(p, err);

    if (cli->is_json)
        err->what[0] = '\0';
    return r;
}
