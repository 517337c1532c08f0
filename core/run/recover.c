/* SPDX-License-Identifier: Apache-2.0
 * Runs of this client that died: their journals are open and nobody holds them. Each is settled by the same
 * code as a run that lives, from what its journal says. */
#include "run/move.h"

#include "base/log.h"
#include <stdio.h>
#include <string.h>

/* Takes over what the journal of a dead run says of it. */
static int resume_journal(struct move *dead, const json_t *begin, struct error *err)
{
    const json_t *migrate = journal_last(dead->journal, "migrate");

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
    dead->began_wall_s = json_u64(begin, "at_ms", 0) / 1000u;
    dead->survey.source_uri = json_text(begin, "source_uri", "");
    dead->survey.dest_uri = strdup(json_text(begin, "dest_uri", ""));
    return dead->survey.dest_uri ? 0 : error_memory(err);
}

static int settle_dead(struct move *dead, const json_t *begin, struct error *err)
{
    /* A survey holds no domain: there is only what it created to be removed. */
    if (!text_equal(json_text(begin, "kind", ""), "migrate"))
        return undo_all(dead, err);
    return settle(dead, err);
}

int recover_run(struct move *m, const char *run, enum run_outcome *ret, struct error *err)
{
    struct run_result result = { .outcome = OUTCOME_NONE };
    struct move dead = { .o = m->o, .result = &result, .loop = m->loop };
    const json_t *begin;
    int r;

    dead.survey = (struct survey){ .loop = m->loop, .config = m->o->config };
    dead.survey.journal = move_record_for_worker;
    dead.survey.context = &dead;
    snprintf(dead.run, sizeof dead.run, "%s", run);
    dead.journal = journal_open(m->state_dir, run, err);
    if (!dead.journal)
        return -err->code;
    begin = journal_last(dead.journal, "begin");
    r = journal_is_ended(dead.journal) ? 0 : resume_journal(&dead, begin, err);
    if (r == 0 && !journal_is_ended(dead.journal)) {
        r = settle_dead(&dead, begin, err);
        /* "It stayed" is an error to the user of that run, and good news here. */
        if (r < 0 && (result.outcome == OUTCOME_STAYED || result.outcome == OUTCOME_MOVED) &&
            journal_is_ended(dead.journal)) {
            *err = (struct error){ 0 };
            r = 0;
        }
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
static const json_t *last_step(const json_t *records, const char *step)
{
    const json_t *found = NULL, *record;
    size_t i;

    json_array_foreach(records, i, record) if (text_equal(json_text(record, "step", ""), step)) found =
        record;
    return found;
}

static int recover_one(struct move *m, const char *run, bool *ret_moved, struct error *err)
{
    bool is_held = false;
    struct error unreadable = { 0 };
    OWNED_JSON records = journal_peek(m->state_dir, run, &is_held, &unreadable);
    const json_t *begin = last_step(records, "begin");
    enum run_outcome outcome = OUTCOME_NONE;

    if (!records || last_step(records, "end") || !begin || !concerns(m, begin))
        return 0;
    if (is_held) {
        if (!text_equal(json_text(begin, "kind", ""), "migrate"))
            return 0;
        error_set(err, ERROR_BUSY, NULL, "run '%s' on this host holds domain '%s'", run, m->o->domain);
        return error_fix(err, "Wait until it has ended.");
    }
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
