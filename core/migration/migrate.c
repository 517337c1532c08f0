/* SPDX-License-Identifier: Apache-2.0
 * The order of a run: settle what earlier ones left, mark, survey, plan, prepare, carry, settle. Until
 * libvirt is asked, any failure undoes what was prepared; from then on both hosts decide. */
#include "migration/migrate.h"

#include "base/log.h"
#include "facts/overwrite.h"
#include "host/compare.h"
#include "migration/steps.h"
#include "recovery/settle.h"
#include "relocation/relocation.h"
#include "state/locks.h"
#include <string.h>

#define FACTS_FRESH_MS 5000u

/* A place that cannot be looked at is one strategy less, and no more. */
static int relocation_look(struct move *m, struct error *err)
{
    struct error failed = { 0 };

    if (relocation_survey(m, &failed) == 0)
        return 0;
    if (failed.code == ERROR_CANCELLED || failed.code == ERROR_MEMORY || failed.code == ERROR_USAGE) {
        *err = failed;
        return -err->code;
    }
    /* Nobody asked for a place that was picked. */
    if (m->wish == &m->picked) {
        log_event("run", "relocate", "not to '%s': %s", m->wish->to, failed.what);
        m->wish = NULL;
        return 0;
    }
    move_say(m, "disks cannot be relocated to '%s' first: %s%s%s", m->wish->to, failed.what,
             failed.why[0] ? ": " : "", failed.why);
    return 0;
}

/* A lock is tried for a move that rests on it, never for a plan. */
static bool wants_lock(const struct move *m)
{
    const char *named = m->o->saved ? json_text(m->o->saved, "strategy", "") : m->o->strategy;

    return named && strstr(named, "-locked");
}

static struct facts *survey_with_locks(struct move *m, struct error *err)
{
    OWNED_JSON locks = NULL;
    struct facts *f;

    if (m->state_dir || (m->state_dir = state_dir(err)))
        locks = locks_read(m->state_dir);
    *err = (struct error){ 0 }; /* without what was remembered it is tried again */
    m->survey.locks = locks;
    m->survey.prove_locks = m->marked_ms && wants_lock(m);
    f = survey_run(&m->survey, err);
    m->survey.locks = NULL;
    if (f && locks)
        remember_locks(m, f, locks);
    return f;
}

static int look(struct move *m, struct error *err)
{
    m->facts = m->result->facts = survey_with_locks(m, err);
    m->surveyed_ms = loop_awake_ms();
    if (m->facts && m->o->domain && m->o->compare_bases && m->survey.destination &&
        compare_bases(m->facts, m->survey.source, m->survey.destination, err) < 0)
        return -err->code;
    if (!m->facts || overwrite_apply(m->facts, &m->o->overwrite, err) < 0 || measure(m, err) < 0)
        return -err->code;
    if (m->o->domain && m->survey.destination && !m->result->was_relocated &&
        m->facts->domain.run != RUN_SHUTOFF &&
        (relocation_pick(m, err) < 0 || (m->wish && relocation_look(m, err) < 0)))
        return -err->code;
    recall(m);
    return m->journal ? move_surveyed(m, err) : 0;
}

static int look_and_plan(struct move *m, struct error *err)
{
    if (look(m, err) < 0)
        return -err->code;
    m->plan = m->result->plan = plan_make(m->facts, &m->o->limits, err);
    if (!m->plan)
        return -err->code;
    if (m->o->planned)
        m->o->planned(m->o->context, m->plan);
    return 0;
}

/* Asks at most once for each host. */
static int connect_source(struct move *m, struct error *err)
{
    int r = survey_connect_source(&m->survey, err);
    const char *asked = NULL; /* the survey's own text of it */

    while (r < 0 && m->survey.wants_password && m->survey.wants_password != asked && m->o->ask_password) {
        asked = m->survey.wants_password;
        if (!m->o->ask_password(asked))
            break;
        survey_done(&m->survey);
        *err = (struct error){ 0 };
        r = survey_connect_source(&m->survey, err);
    }
    return move_connected(r, err);
}

static int without_moving(const struct run_options *o, int (*next)(struct move *, struct error *),
                          struct run_result *ret, struct error *err)
{
    struct move m;
    OWNED(loop) loop = loop_new(err);
    int r;

    move_begin(&m, o, ret);
    m.loop = m.survey.loop = loop;
    if (loop)
        loop_end_waits(loop, true);
    r = !loop || connect_source(&m, err) < 0 ||
                move_connected(survey_connect_dest(&m.survey, err), err) < 0 || next(&m, err) < 0
            ? -err->code
            : 0;
    undo_look(&m, r);
    move_done(&m);
    return r;
}

int run_plan(const struct run_options *o, struct run_result *ret, struct error *err)
{
    return without_moving(o, look_and_plan, ret, err);
}

int run_survey(const struct run_options *o, struct run_result *ret, struct error *err)
{
    return without_moving(o, look, ret, err);
}

/* A plan alone does not try what a move that names the strategy has tried (locked): so the reason is said
 * here. */
static void refused(const struct move *m, const struct strategy *s, struct error *err)
{
    const struct finding *f = plan_refuses(m->plan, s);

    error_set(err, ERROR_REFUSED, NULL, "strategy '%s' is refused", s->id);
    if (f)
        error_why(err, "%s: %s", f->id, f->what ? f->what : f->id);
    error_fix(err, "%s", f && f->fix ? f->fix : "See why: virt-ferry plan.");
}

static const struct strategy *wanted(struct move *m, struct error *err)
{
    const struct strategy *best = plan_chosen(m->plan);

    if (m->o->saved)
        return plan_saved(m->plan, m->o->saved, err);
    if (!m->o->strategy) {
        if (!best)
            plan_refusal(m->plan, err);
        return best;
    }
    for (size_t i = 0; i < m->plan->n; i++) {
        if (!text_equal(m->plan->list[i].id, m->o->strategy))
            continue;
        if (i < m->plan->n_valid)
            return &m->plan->list[i];
        refused(m, &m->plan->list[i], err);
        return NULL;
    }
    error_set(err, ERROR_USAGE, NULL, "the plan has no strategy '%s'", m->o->strategy);
    error_fix(err, "See their names: virt-ferry plan.");
    return NULL;
}

/* What was surveyed before this process stood still may be so no longer; a moment of it is no more than
 * preparing takes. */
static int not_stopped(struct move *m, struct error *err)
{
    if (loop_stops(m->loop) == m->stops_before || loop_awake_ms() - m->surveyed_ms < FACTS_FRESH_MS)
        return 0;
    error_set(err, ERROR_FAILED, NULL,
              "this run was stopped for a while, and what it had seen may have changed");
    return error_fix(err, "Nothing was begun: run the same command again.");
}

/* The disks are where both hosts reach them: what was asked for by name was to get them there. */
static const struct strategy *next_best(struct move *m, struct error *err)
{
    const struct strategy *best = plan_chosen(m->plan);

    if (!best)
        plan_refusal(m->plan, err);
    return best;
}

/* Everything up to the point where libvirt is asked; a failure here is undone by the caller. */
static int make_ready(struct move *m, struct error *err)
{
    move_phase(m, "survey");
    m->stops_before = loop_stops(m->loop);
    if (move_connected(survey_connect_dest(&m->survey, err), err) < 0)
        return -err->code;
    mover_begin(m);
    if (look_and_plan(m, err) < 0)
        return -err->code;
    m->strategy = wanted(m, err);
    if (!m->strategy)
        return -err->code;
    if (relocation_is_first(m)) {
        move_phase(m, "prepare");
        if (relocation_first(m, err) < 0 || look_and_plan(m, err) < 0 || !(m->strategy = next_best(m, err)))
            return -err->code;
    }
    m->result->strategy = m->strategy->id;
    m->is_held = m->strategy->hand_over == HAND_OVER_HELD;
    m->is_p2p = m->strategy->is_p2p;
    m->is_offline = m->strategy->mode == MODE_OFFLINE;
    move_phase(m, "prepare");
    if (move_not_interrupted(m, err) < 0 || chain_send(m, err) < 0 || mover_open(m, err) < 0 ||
        prepare_data(m, err) < 0 || prepare_images(m, err) < 0 || prepare_domain(m, err) < 0 ||
        offline_send(m, err) < 0)
        return -err->code;
    if (mark_still_ours(m, err) < 0)
        return -err->code;
    return not_stopped(m, err) < 0 ? -err->code : move_not_interrupted(m, err);
}

static int mark_once(void *move, struct error *err)
{
    struct move *m = move;

    return m->marked_ms ? 0 : mark_take(m, recover_run, err);
}

static int migrate(struct move *m, struct error *err)
{
    bool moved_before = false;

    if (!(m->state_dir = state_dir(err)) || recover_domain(m, &moved_before, err) < 0)
        return -err->code;
    if (moved_before) {
        m->result->outcome = OUTCOME_MOVED;
        return 0;
    }
    loop_end_waits(m->loop, true);
    m->survey.meanwhile = mark_once;
    if (connect_source(m, err) < 0)
        return m->journal || m->uuid[0] ? undo_given_up(m, err) : -err->code;
    /* Without a way to the destination only the plan's refusal is to come. */
    if (m->survey.dest_uri && mark_once(m, err) < 0)
        return undo_given_up(m, err);
    if (make_ready(m, err) < 0) {
        mark_first(m, err);
        return undo_given_up(m, err);
    }
    loop_end_waits(m->loop, false);
    if (carry_over(m, err) < 0 && !journal_last(m->journal, "migrate"))
        return undo_given_up(m, err);
    /* Whatever the mover still holds open would be a second opinion on the way; and the call is over, so that
     * waiting for its goodbyes would be waiting for nothing. */
    worker_strike(m->mover);
    worker_leave(m->survey.source); /* what is looked at now is over connections of its own */
    move_phase(m, "verify");
    return settle(m, err);
}

/* The guest did not move, and still something of it did. */
static int stayed_relocated(struct move *m, struct error *err)
{
    move_problem(m, "the disks of '%s' are at their new place all the same; the guest is at '%s'", m->name,
                 m->survey.source_host);
    if (err->code == ERROR_REFUSED)
        err->code = ERROR_FAILED;
    return -err->code;
}

int run_migrate(const struct run_options *o, struct run_result *ret, struct error *err)
{
    struct move m;
    OWNED(loop) loop = loop_new(err);
    int r;

    move_begin(&m, o, ret);
    m.loop = m.survey.loop = loop;
    if (loop)
        move_hear_signals(&m);
    r = loop ? migrate(&m, err) : -err->code;
    if (r < 0 && m.journal && journal_last(m.journal, "pivoted") && ret->outcome == OUTCOME_STAYED)
        r = stayed_relocated(&m, err);
    ret->time_ms = loop_now_ms() - m.began_ms;
    move_leave(&m);
    remember(&m);
    move_done(&m);
    return r;
}
