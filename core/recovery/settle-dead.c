/* SPDX-License-Identifier: Apache-2.0
 * A run that died, taken over from its journal and settled by the same code as one that lives; and what
 * `migrate` does first: those of this client that left something of its domain. */
#include "recovery/settle.h"

#include "base/log.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* A journal is data, and may have come from elsewhere: some parameters of a URI name programs. These two name
 * files with keys, and a run needs them again. */
static bool is_plain(const char *parameters)
{
    static const char *const known[] = { "authfile=", "pkipath=" };

    for (const char *at = parameters; *at; at += strcspn(at, "?&;"), at += *at != '\0')
        if (!text_starts(at, known[0]) && !text_starts(at, known[1]))
            return false;
    return true;
}

bool recover_takes_uri(const char *uri, const struct run_options *o)
{
    const char *query = uri + strcspn(uri, "?#");

    return !*query || (*query == '?' && is_plain(query + 1)) || text_equal(uri, o->source_uri) ||
           text_equal(uri, o->dest);
}

static int take_uris(struct move *dead, const json_t *begin, struct error *err)
{
    const char *uris[] = { json_text(begin, "source_uri", ""), json_text(begin, "dest_uri", "") };

    for (int i = 0; i < 2; i++) {
        if (recover_takes_uri(uris[i], dead->o))
            continue;
        error_set(err, ERROR_NOT_KNOWN, NULL, "the URI '%s' of run '%s' is not taken from its journal",
                  uris[i], dead->run);
        if (i == 0)
            return error_fix(err, "If it is right, give it yourself: virt-ferry -c '%s' recover %s.", uris[i],
                             dead->run);
        return error_fix(
            err, "If it is right, give it yourself: virt-ferry migrate '%s' '%s' settles the run first.",
            dead->name, uris[i]);
    }
    dead->survey.source_uri = uris[0];
    dead->survey.dest_uri = strdup(uris[1]);
    return dead->survey.dest_uri ? 0 : error_memory(err);
}

int recover_resume(struct move *dead, struct error *err)
{
    const json_t *begin = journal_last(dead->journal, "begin");
    const json_t *migrate = journal_last(dead->journal, "migrate");
    char host[HOST_NAME_SIZE];

    if (!begin)
        return error_set(err, ERROR_NOT_KNOWN, NULL, "the journal of run '%s' has no beginning", dead->run);
    snprintf(dead->name, sizeof dead->name, "%s", json_text(begin, "domain", ""));
    snprintf(dead->uuid, sizeof dead->uuid, "%s", json_text(begin, "uuid", ""));
    snprintf(dead->survey.source_host, sizeof dead->survey.source_host, "%s",
             json_text(begin, "source_host", ""));
    snprintf(dead->survey.dest_host, sizeof dead->survey.dest_host, "%s", json_text(begin, "dest_host", ""));
    dead->was_paused = json_flag(begin, "was_paused", false);
    dead->is_persistent = json_flag(begin, "is_persistent", false);
    dead->autostart = json_flag(begin, "autostart", false);
    dead->is_held = json_flag(migrate, "is_held", false);
    dead->is_offline = json_flag(migrate, "is_offline", false);
    dead->is_p2p = json_flag(migrate, "is_p2p", false);
    age_read(begin, &dead->began);
    dead->is_recovery = true;
    dead->is_foreign = !text_equal(json_text(begin, "client", this_host(host, sizeof host)), host);
    dead->began.is_elsewhere = dead->is_foreign;
    return take_uris(dead, begin, err);
}

/* How a run of each kind is settled. */
static const struct {
    const char *kind;
    int (*settle)(struct move *dead, struct error *err);
} kinds[] = {
    { "migrate", settle },
    { "relocate", undo_all }, /* the guest stays: its disks are looked at first */
    { "survey", undo_all },   /* it holds no domain: there is only what it created */
    { "copy", undo_all },     /* nor does a copy of an image; the same command would go on with it */
};

/* "It stayed" is an error to the user of that run, and good news here. */
static int judge(struct move *dead, int r, struct error *err)
{
    if (!journal_is_ended(dead->journal))
        return r;
    if (dead->result->problems.len == 0) {
        *err = (struct error){ 0 };
        return 0;
    }
    return dead->result->outcome == OUTCOME_MOVED
               ? r
               : error_set(err, ERROR_PROBLEMS, NULL, "run '%s' is undone, with problems", dead->run);
}

/* The dead run was let in by what its user typed, and that died with it. Asked before anything is settled,
 * when nothing waits for us; a host that cannot be reached is for the settling to tell. */
static void be_let_in(struct move *dead)
{
    for (int is_dest = 0; dead->o->ask_password && is_dest < 2; is_dest++) {
        OWNED(worker) fresh = NULL;
        struct error ignored = { 0 };

        if (is_dest && !dead->survey.dest_uri[0])
            continue;
        dead->survey.wants_password = NULL;
        fresh = survey_fresh(&dead->survey, is_dest, &ignored);
        if (!fresh && dead->survey.wants_password)
            (void)dead->o->ask_password(dead->survey.wants_password);
    }
}

int recover_settle(struct move *dead, struct error *err)
{
    const char *kind = json_text(journal_last(dead->journal, "begin"), "kind", "");
    char host[HOST_NAME_SIZE];

    if (journal_is_ended(dead->journal))
        return 0;
    be_let_in(dead);
    if (move_record(dead, "recover",
                    json_pack("{ss sI}", "client", this_host(host, sizeof host), "pid", (json_int_t)getpid()),
                    err) < 0)
        return -err->code;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_equal(kinds[i].kind, kind))
            return judge(dead, kinds[i].settle(dead, err), err);
    return error_set(err, ERROR_NOT_KNOWN, NULL, "run '%s' is a '%s', which this virt-ferry does not know",
                     dead->run, kind);
}

int recover_run(struct move *m, const char *run, enum run_outcome *ret, struct error *err)
{
    struct run_result result = { .outcome = OUTCOME_NONE };
    struct move dead = { .o = m->o, .result = &result, .loop = m->loop };
    int r;

    dead.survey = (struct survey){ .loop = m->loop, .config = m->o->config };
    dead.survey.journal = move_record_for_worker;
    dead.survey.context = &dead;
    snprintf(dead.run, sizeof dead.run, "%s", run);
    dead.journal = journal_open(m->state_dir, run, err);
    if (!dead.journal)
        return -err->code;
    r = journal_is_ended(dead.journal) ? 0 : recover_resume(&dead, err);
    if (r == 0 && dead.is_foreign) {
        error_set(err, ERROR_BUSY, NULL, "run '%s' of another machine holds domain '%s'", run, dead.name);
        r = error_fix(err, "If it died, finish what it left: virt-ferry recover %s.", run);
    }
    if (r == 0)
        r = recover_settle(&dead, err);
    if (r < 0 && journal_is_ended(dead.journal)) {
        *err = (struct error){ 0 };
        r = 0;
    }
    *ret = result.outcome;
    move_done(&dead);
    run_result_done(&result);
    return r;
}

static bool concerns(struct move *m, const json_t *begin)
{
    if (!text_equal(json_text(begin, "source_uri", ""), m->o->source_uri))
        return false;
    return text_equal(json_text(begin, "domain", ""), m->o->domain) ||
           text_equal(json_text(begin, "uuid", ""), m->o->domain);
}

/* A run that looked before it marked the domain has begun twice: the later one says all. */
const json_t *recover_last_step(const json_t *records, const char *step)
{
    const json_t *found = NULL, *record;
    size_t i;

    json_array_foreach(records, i, record) if (text_equal(json_text(record, "step", ""), step)) found =
        record;
    return found;
}

/* It lives, in its own process or in one that settles it. */
static int refuse_living(struct move *m, const char *run, const json_t *records, struct error *err)
{
    const json_t *begin = recover_last_step(records, "begin");
    char host[HOST_NAME_SIZE], when[40];

    error_set(err, ERROR_BUSY, NULL, "run '%s' of host '%s' holds domain '%s' since %s", run,
              json_text(begin, "client", this_host(host, sizeof host)), m->o->domain,
              time_words(json_u64(begin, "at_ms", 0) / 1000u, when, sizeof when));
    return error_fix(err, "Wait until it has ended, or stop it: virt-ferry abort '%s'.", m->o->domain);
}

static int recover_one(struct move *m, const char *run, bool *ret_moved, struct error *err)
{
    bool is_held = false;
    struct error unreadable = { 0 };
    OWNED_JSON records = journal_peek(m->state_dir, run, &is_held, &unreadable);
    const json_t *begin = recover_last_step(records, "begin");
    enum run_outcome outcome = OUTCOME_NONE;

    /* Whatever hinders that, nothing was done that could be in the way. */
    if (records && !begin && !is_held)
        (void)journal_close_unbegun(m->state_dir, run, &unreadable);
    if (!records || recover_last_step(records, "end") || !begin || !concerns(m, begin))
        return 0;
    if (is_held)
        return text_equal(json_text(begin, "kind", ""), "survey") ? 0 : refuse_living(m, run, records, err);
    move_say(m, "run %s for this domain died; it is settled first", run);
    if (recover_run(m, run, &outcome, err) < 0)
        return -err->code;
    if (outcome == OUTCOME_MOVED) {
        move_say(m, "run %s had moved the domain to '%s'; that is finished now", run,
                 json_text(begin, "dest_host", ""));
        *ret_moved = text_equal(json_text(begin, "dest", ""), m->o->dest);
    } else {
        move_say(m, "run %s is undone: the guest is at '%s'", run, json_text(begin, "source_host", ""));
    }
    return 0;
}

int recover_domain(struct move *m, bool *ret_moved, struct error *err)
{
    OWNED_JSON runs = journal_list(m->state_dir, err);
    size_t i;
    const json_t *run;

    if (!runs)
        return -err->code;
    json_array_foreach(runs, i,
                       run) if (recover_one(m, json_string_value(run), ret_moved, err) < 0) return -err->code;
    return 0;
}
