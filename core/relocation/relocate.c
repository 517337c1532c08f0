/* SPDX-License-Identifier: Apache-2.0
 * The order of a relocation by itself: settle what earlier runs left, mark, survey, judge, carry. One host,
 * no destination. Until the guest is switched over any failure is undone. */
#include "relocation/relocate.h"

#include "base/log.h"
#include "facts/overwrite.h"
#include "recovery/settle.h"
#include "relocation/relocation.h"
#include <string.h>

static int look_and_judge(struct move *m, struct error *err)
{
    m->facts = m->result->facts = survey_run_alone(&m->survey, err);
    if (!m->facts || relocation_survey(m, err) < 0 || overwrite_apply(m->facts, &m->o->overwrite, err) < 0)
        return -err->code;
    if (m->journal && move_surveyed(m, err) < 0)
        return -err->code;
    m->result->relocation = relocation_plan_make(m->facts, &m->o->limits, err);
    return m->result->relocation ? 0 : -err->code;
}

/* Nothing is lost by a QEMU that stays: its disks are where its definition leads. */
static void end_stand_in(struct move *m)
{
    struct error failed = { 0 };

    if (settle_stand_in(m, m->survey.source, &failed) < 0)
        move_problem(m,
                     "the QEMU that copied for domain '%s' could not be ended: %s: %s; it is paused: virsh "
                     "destroy '%s'",
                     m->name, failed.what, failed.why, m->name);
}

static int finish(struct move *m, struct error *err)
{
    struct error failed = { 0 };

    m->result->outcome = OUTCOME_MOVED;
    if (m->o->limits.deletes_source)
        relocation_retire(m);
    end_stand_in(m);
    if (move_record(m, "mark-clear", NULL, &failed) < 0 ||
        worker_do(m->survey.source, "mark-clear", json_pack("{ss ss}", "uuid", m->uuid, "run", m->run),
                  ANSWER_MS, NULL, &failed) < 0 ||
        move_record(m, "end", json_pack("{ss}", "outcome", "relocated"), &failed) < 0)
        move_problem(m, "the run's mark could not be removed: %s: %s", failed.what, failed.why);
    if (m->result->problems.len > 0)
        return error_set(err, ERROR_PROBLEMS, NULL, "the disks of domain '%s' are relocated, with problems",
                         m->name);
    return 0;
}

/* Where the guest is is never in question; where its disks are is said. */
static int back_out(struct move *m, struct error *err)
{
    const bool is_cancel = err->code == ERROR_CANCELLED;
    bool is_undone;

    (void)undo_given_up(m, err);
    is_undone = journal_is_ended(m->journal);
    if (journal_last(m->journal, "pivoted")) {
        m->result->outcome = OUTCOME_MOVED;
        if (is_undone && !is_cancel)
            error_fix(err, "Some disks are in their new images, none is lost: see virsh domblklist, then run "
                           "the same command for the others.");
        return error_while(err, "the relocation was begun and not finished");
    }
    if (!is_undone) {
        m->result->outcome = OUTCOME_NOT_KNOWN;
        err->code = ERROR_NOT_KNOWN;
        return error_fix(err, "When the host answers again, run the same command: it first settles run %s.",
                         m->run);
    }
    if (is_cancel)
        return error_set(err, ERROR_CANCELLED, NULL, "cancelled; all disks are where they were");
    return -err->code;
}

static int carry(struct move *m, struct error *err)
{
    /* The copy engine opens what has the image's path on this machine. */
    if (m->facts->domain.run == RUN_SHUTOFF && !facts_is_here(&m->facts->source))
        return error_set(err, ERROR_REFUSED, m->survey.source_host,
                         "domain '%s' does not run, and its images are on another machine", m->name);
    return m->facts->domain.run == RUN_SHUTOFF ? relocation_off_carry(m, err) : relocation_carry(m, err);
}

static int not_against_it(struct move *m, struct error *err)
{
    if (relocation_plan_is_valid(m->result->relocation))
        return 0;
    return relocation_plan_refusal(m->result->relocation, err);
}

static int verify_fits(struct move *m, struct error *err)
{
    const bool is_off = m->facts->domain.run == RUN_SHUTOFF;

    if (!m->wish->verify || (is_off && !stand_in_is_needed(m)))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'--verify' is for disks that are not in use, and domain '%s' %s",
              m->name, is_off ? "is on another machine, where its QEMU copies" : "runs");
    return error_fix(err, "Leave it out: QEMU keeps both images the same until it is switched over.");
}

/* Judged before its QEMU is started, and, by what that has open, behind it. */
static int survey_through_stand_in(struct move *m, struct error *err)
{
    int r;

    if (mark_still_ours(m, err) < 0)
        return -err->code;
    /* A start that is not waited for would end behind our back. */
    loop_end_waits(m->loop, false);
    r = stand_in_begin(m, err);
    loop_end_waits(m->loop, true);
    if (r < 0)
        return r;
    facts_free(m->facts);
    m->facts = m->result->facts = NULL;
    relocation_plan_free(m->result->relocation);
    m->result->relocation = NULL;
    if (look_and_judge(m, err) < 0)
        return -err->code;
    if (m->facts->domain.run == RUN_SHUTOFF)
        return error_set(err, ERROR_FAILED, m->survey.source_host,
                         "the QEMU that was started to copy for domain '%s' has ended: see its log there",
                         m->name);
    return not_against_it(m, err);
}

static int prepare(struct move *m, struct error *err)
{
    if (look_and_judge(m, err) < 0) {
        mark_first(m, err);
        return -err->code;
    }
    if (not_against_it(m, err) < 0 || verify_fits(m, err) < 0)
        return -err->code;
    return stand_in_is_needed(m) ? survey_through_stand_in(m, err) : 0;
}

static int relocate(struct move *m, struct error *err)
{
    bool moved_before = false;

    if (!(m->state_dir = state_dir(err)) || recover_domain(m, &moved_before, err) < 0)
        return -err->code;
    loop_end_waits(m->loop, true);
    if (move_connected(survey_connect_alone(&m->survey, err), err) < 0)
        return -err->code;
    if (mark_take(m, recover_run, err) < 0)
        return m->journal ? back_out(m, err) : -err->code;
    move_phase(m, "survey");
    if (prepare(m, err) < 0)
        return back_out(m, err);
    /* From here on an act is not left in the middle: the loop looks at the user's wish itself. */
    loop_end_waits(m->loop, false);
    move_phase(m, "prepare");
    if (mark_still_ours(m, err) < 0 || carry(m, err) < 0)
        return back_out(m, err);
    return finish(m, err);
}

int run_relocate(const struct run_options *o, struct run_result *ret, struct error *err)
{
    struct move m;
    OWNED(loop) loop = loop_new(err);
    int r;

    move_begin(&m, o, ret);
    m.kind = "relocate";
    m.loop = m.survey.loop = loop;
    if (loop)
        move_hear_signals(&m);
    r = loop ? relocate(&m, err) : -err->code;
    ret->time_ms = loop_now_ms() - m.began_ms;
    move_done(&m);
    return r;
}

int run_relocation_plan(const struct run_options *o, struct run_result *ret, struct error *err)
{
    struct move m;
    OWNED(loop) loop = loop_new(err);
    int r;

    move_begin(&m, o, ret);
    m.kind = "survey";
    m.loop = m.survey.loop = loop;
    if (loop) {
        move_hear_signals(&m);
        loop_end_waits(loop, true);
    }
    r = !loop || move_connected(survey_connect_alone(&m.survey, err), err) < 0 || look_and_judge(&m, err) < 0
            ? -err->code
            : 0;
    undo_look(&m, r);
    move_done(&m);
    return r;
}
