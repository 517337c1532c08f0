/* SPDX-License-Identifier: Apache-2.0
 * Where is the guest? Looks at both hosts, decides by the table, acts, and looks again, until it stayed,
 * moved, or cannot be known; the same for a run that just ended and for one that died (settle-dead.c). */
#include "recovery/settle.h"

#include "base/log.h"
#include "translate/translate.h"
#include <stdio.h>

#define PATIENCE_MS 20000u /* for a host that does not answer, or a job that does not end */
#define PAUSE_MS 200u
#define RESUME_PAUSE_MS 2000u /* QEMU notices a lost link later than libvirt does */
#define MAX_ACTS 6

static const char *seen_word(const struct side *s)
{
    static const char *const words[] = { [SIDE_NOT_KNOWN] = "does not answer",
                                         [SIDE_ABSENT] = "absent",
                                         [SIDE_OFF] = "shut off",
                                         [SIDE_PAUSED] = "paused",
                                         [SIDE_RUNNING] = "running",
                                         [SIDE_DEAD] = "dead, as was attested" };

    return s->has_job ? "busy with a job" : words[s->state];
}

static bool was_postcopy(struct move *m, const struct evidence *e)
{
    return m->is_postcopy || journal_last(m->journal, "postcopy") || e->source.reason == REASON_POSTCOPY ||
           e->dest.reason == REASON_POSTCOPY;
}

/* Each host had a part of its memory, and one of the parts is gone: exit 11. */
static int guest_lost(struct move *m, const struct evidence *e, struct error *err)
{
    error_set(err, ERROR_GUEST_LOST, NULL, "domain '%s' was lost in post-copy", m->name);
    if (m->dest_is_mute)
        error_why(err,
                  "QEMU on '%s' was asked to go on and has not answered for %u s: it waits, it seems, for a "
                  "page that nobody sends",
                  m->survey.dest_host, JOIN_STILL_MS / 1000u);
    else
        error_why(err, "on '%s': %s; on '%s': %s; a part of its memory is gone", m->survey.source_host,
                  seen_word(&e->source), m->survey.dest_host, seen_word(&e->dest));
    return advise_gone(m, true, err);
}

/* In a job that has lost its destination: paused for its last pass, or its QEMU does not answer. */
static bool may_hang(const struct move *m, const struct evidence *e)
{
    const struct sight *s = &m->sights[0];
    const bool stands = s->has_job && text_equal(s->state, "paused") && text_equal(s->reason, "migration");

    return (stands || !s->was_heard) && (e->dest.state == SIDE_OFF || e->dest.state == SIDE_ABSENT) &&
           m->journal && journal_last(m->journal, "migrate");
}

/* What could not be settled: exit 7, with what was seen and what to do. */
static int not_settled(struct move *m, const struct evidence *e, enum decision d, struct error *err)
{
    m->result->outcome = OUTCOME_NOT_KNOWN;
    if (d == DECIDE_GONE && was_postcopy(m, e))
        return guest_lost(m, e, err);
    error_set(err, ERROR_NOT_KNOWN, NULL,
              d == DECIDE_TWICE  ? "domain '%s' runs, or has run, on both hosts"
              : d == DECIDE_GONE ? m->is_offline ? "domain '%s' is defined on neither host"
                                                 : "domain '%s' runs on neither host"
                                 : "it is not known where domain '%s' runs",
              m->name);
    error_why(err, "on '%s': %s; on '%s': %s; nothing was started or removed", m->survey.source_host,
              seen_word(&e->source), m->survey.dest_host, seen_word(&e->dest));
    if (d == DECIDE_GONE)
        return advise_gone(m, false, err);
    if (d == DECIDE_TWICE)
        return error_fix(err,
                         "Decide which of the two is right and end the other: virsh destroy. Then clean up: "
                         "virt-ferry recover %s.",
                         m->run);
    if (m->is_dead[0] || m->is_dead[1])
        return advise_dead(m, err);
    if (postcopy_is_unheard(m))
        return advise_unheard(m, err);
    if ((d == DECIDE_WAIT || d == DECIDE_NOT_KNOWN) && may_hang(m, e))
        return advise_hung(m, err);
    if (d == DECIDE_WAIT)
        return error_fix(
            err, "When the job has ended, or is ended by virt-ferry abort '%s': virt-ferry recover %s.",
            m->name, m->run);
    return advise_row(m, err);
}

/* Behind what the translation knows to do, if it does. */
static int add_untouched(struct error *err, const char *host)
{
    char known[sizeof err->fix];

    (void)snprintf(known, sizeof known, "%s", err->fix);
    return error_fix(
        err, "%s%sThe guest is untouched at '%s'; when the cause is gone, run the same command again.", known,
        known[0] ? " " : "", host);
}

static int stayed(struct move *m, struct error *err)
{
    m->result->outcome = OUTCOME_STAYED;
    undo_and_tell(m);
    if (m->ended_why.code) {
        *err = m->ended_why;
        return -err->code;
    }
    if (m->is_timed_out)
        return error_set(err, ERROR_CANCELLED, NULL,
                         "the time that was allowed was over; the guest is at '%s'", m->survey.source_host);
    if (m->is_cancelled)
        return error_set(err, ERROR_CANCELLED, NULL, "cancelled; the guest is at '%s'",
                         m->survey.source_host);
    if (m->libvirt.code) {
        *err = m->libvirt;
        err->code = ERROR_FAILED;
        m->result->lacks_postcopy = m->strategy && m->strategy->mode == MODE_POSTCOPY &&
                                    m->result->problems.len == 0 && translate_blames_postcopy(err);
        if (!move_blame_way(m, err))
            (void)translate_error(err, m->facts);
        return add_untouched(err, m->survey.source_host);
    }
    return error_set(err, ERROR_FAILED, NULL, "the migration did not take place; the guest is at '%s'",
                     m->survey.source_host);
}

/* 1: look again; 0 or negative: settled. */
static int obey(struct move *m, enum decision d, struct error *err)
{
    switch (d) {
    case DECIDE_STAYED:
        return stayed(m, err);
    case DECIDE_FINISH:
        return finish_forward(m, err);
    case DECIDE_RESUME_SOURCE:
        (void)move_act(m, false, "source-resume", "resume", err);
        return 1;
    case DECIDE_DROP_DEST:
        (void)move_act(m, true, "dest-destroy", "destroy", err);
        return 1;
    case DECIDE_RESUME_DEST:
        if (move_act(m, true, "dest-resume", "resume", err) == 0)
            m->actual.resumed_ms = loop_now_ms();
        return 1;
    default:
        return 1;
    }
}

static bool is_act(enum decision d)
{
    return d == DECIDE_RESUME_SOURCE || d == DECIDE_DROP_DEST || d == DECIDE_RESUME_DEST;
}

const struct outcome_row *settle_row(const struct move *m, const struct evidence *e)
{
    /* Of a definition alone there are few cases: their words are enough. */
    static const struct outcome_row offline[] = {
        [DECIDE_STAYED] = { .name = "offline", .because = "the source defines it, or runs it" },
        [DECIDE_FINISH] = { .name = "offline", .because = "the destination defines it" },
        [DECIDE_WAIT] = { .name = "offline", .because = "what libvirt has begun it may still finish" },
        [DECIDE_GONE] = { .name = "offline", .because = "neither host defines it" },
        [DECIDE_TWICE] = { .name = "offline", .because = "it runs on both hosts" },
        [DECIDE_NOT_KNOWN] = { .name = "offline", .because = "silence is no fact" },
    };
    size_t n;
    const struct outcome_row *rows = outcome_rows(&n);

    return m->is_offline ? &offline[outcome_decide_offline(e)] : outcome_row(rows, n, e);
}

/* A recovery leaves alone what another run holds by now. */
static int refuse_other(const struct move *m, struct error *err)
{
    for (int i = 0; m->is_recovery && i < 2; i++)
        if (m->sights[i].has_other_mark) {
            error_set(err, ERROR_BUSY, i ? m->survey.dest_host : m->survey.source_host,
                      "run '%s' holds domain '%s' by its mark", m->sights[i].other_run, m->name);
            return error_fix(err, "First that one: virt-ferry recover %s, where it ran.",
                             m->sights[i].other_run);
        }
    return 0;
}

/* What is left to be waited for by somebody who wants to go is told by what was seen. */
static bool has_patience(const struct move *m, uint64_t until)
{
    return loop_now_ms() <= until && !(m->is_recovery && loop_interrupts(m->loop) > 0);
}

static bool is_over(const struct move *m, enum decision d, uint64_t until, int acts)
{
    return d == DECIDE_TWICE || d == DECIDE_GONE || acts > MAX_ACTS ||
           (!has_patience(m, until) && (d == DECIDE_NOT_KNOWN || d == DECIDE_WAIT));
}

static uint64_t patience_ms(const struct move *m)
{
    if ((m->is_postcopy || journal_last(m->journal, "postcopy")) && !m->gave_up_halves)
        return POSTCOPY_PATIENCE_MS;
    /* The gate has waited for that host already. */
    return m->gave_up_looking ? PATIENCE_MS / 10u : PATIENCE_MS;
}

/* The source's libvirt goes on by itself: as long as it does there is something to wait for. Whoever wants no
 * more ends its job. */
static void wait_for_p2p(struct move *m, bool *said, unsigned *interrupts)
{
    OWNED(worker) source = NULL;
    struct error err = { 0 };

    if (!*said)
        move_say(m, "libvirt on '%s' goes on with the move by itself; it is waited for",
                 m->survey.source_host);
    *said = true;
    /* Of another's run he is told what was seen; to end its job has a command of its own. */
    if (m->is_recovery || loop_interrupts(m->loop) <= *interrupts)
        return;
    *interrupts = loop_interrupts(m->loop);
    m->is_cancelled = true;
    move_say(m, "cancelled: the migration is aborted, the guest stays");
    if (move_record(m, "abort", NULL, &err) < 0 || !(source = survey_fresh(&m->survey, false, &err)) ||
        worker_do(source, "abort-job", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, NULL, &err) < 0)
        move_say(m, "it could not be aborted: %s: %s", err.what, err.why);
}

/* As often as the patience lasts: a link that is back may be cut again. */
static bool join_again(struct move *m, bool *said)
{
    struct error failed = { 0 };

    if (!postcopy_is_cut(m))
        return false;
    if (!*said)
        move_say(
            m,
            "the link was lost in post-copy; both hosts keep their part of the guest, and are joined again");
    *said = true;
    if (postcopy_resume(m, &failed) < 0)
        loop_pause_ms(RESUME_PAUSE_MS);
    return true;
}

/* libvirt there calls it a job, for ever: it is given the time to say that all has come. */
static bool is_halved(const struct move *m, uint64_t *since_ms)
{
    if (!postcopy_is_halved(m))
        *since_ms = 0;
    else if (*since_ms == 0)
        *since_ms = loop_now_ms();
    return *since_ms != 0 && loop_now_ms() - *since_ms > PATIENCE_MS;
}

static const struct outcome_row halved = { .name = "postcopy-halved",
                                           .decision = DECIDE_GONE,
                                           .because = "a half of its memory is all that is left" };

const struct outcome_row *settle_expects(const struct move *m, const struct evidence *e)
{
    /* One look alone does not tell it from a destination that is about to say that all has come. */
    static const struct outcome_row halved_now = { .name = "postcopy-halved",
                                                   .decision = DECIDE_GONE,
                                                   .because = "a half of its memory is all that is left, "
                                                              "where both hosts still say so in 20 s" };

    return !m->is_offline && postcopy_is_halved(m) ? &halved_now : settle_row(m, e);
}

int settle(struct move *m, struct error *err)
{
    uint64_t until = loop_now_ms() + patience_ms(m), halved_ms = 0;
    unsigned interrupts = loop_interrupts(m->loop);
    bool said_p2p = false, said_cut = false;
    struct unheard unheard = { 0 };
    int acts = 0;

    for (;;) {
        struct evidence e = look_at_both(m);
        const enum decision d = m->is_offline ? outcome_decide_offline(&e) : outcome_decide(&e);
        const struct outcome_row *row = settle_row(m, &e);
        struct error failed = { 0 };
        int r;

        m->row = row;
        log_event("run", "decision", "%s (%s)", decision_word(d), row ? row->name : "no row");
        if (refuse_other(m, err) < 0)
            return -err->code;
        if (is_halved(m, &halved_ms)) {
            m->row = &halved;
            return not_settled(m, &e, DECIDE_GONE, err);
        }
        if (m->is_p2p && d == DECIDE_WAIT) {
            wait_for_p2p(m, &said_p2p, &interrupts);
            until = loop_now_ms() + PATIENCE_MS;
        }
        (void)postcopy_unheard(m, &unheard, postcopy_is_unheard(m)); /* for as long as the patience lasts */
        if (has_patience(m, until) && join_again(m, &said_cut)) {
            if (m->dest_is_mute)
                return not_settled(m, &e, DECIDE_GONE, err);
            continue;
        }
        if (is_over(m, d, until, acts))
            return not_settled(m, &e, d, err);
        /* This process was stopped since: it looks again. */
        if (d != DECIDE_WAIT && d != DECIDE_NOT_KNOWN && look_is_stale(m))
            continue;
        acts += is_act(d);
        r = obey(m, d, &failed);
        if (r <= 0) {
            *err = failed;
            return r;
        }
        if (failed.code)
            move_say(m, "%s: %s", failed.what, failed.why);
        if (d == DECIDE_WAIT || d == DECIDE_NOT_KNOWN || failed.code) {
            (void)loop_step(m->loop, 0, &failed);
            loop_pause_ms(PAUSE_MS);
        }
    }
}
