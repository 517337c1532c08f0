/* SPDX-License-Identifier: Apache-2.0
 * Where is the guest? Looks at both hosts, decides by the table, acts, and looks again, until it stayed,
 * moved, or cannot be known; the same for a run that just ended and for one that died (recover.c). */
#include "run/move.h"

#include "base/log.h"
#include "run/translate.h"
#include <stdio.h>

#define PATIENCE_MS 20000u /* for a host that does not answer, or a job that does not end */
#define POSTCOPY_PATIENCE_MS                                                                                 \
    600000u /* its memory still follows: there is nothing else to do than to wait                            \
             */
#define PAUSE_MS 200u
#define MAX_ACTS 6

static const char *seen_word(const struct side *s)
{
    static const char *const words[] = { [SIDE_NOT_KNOWN] = "does not answer",
                                         [SIDE_ABSENT] = "absent",
                                         [SIDE_OFF] = "shut off",
                                         [SIDE_PAUSED] = "paused",
                                         [SIDE_RUNNING] = "running" };

    return s->has_job ? "busy with a job" : words[s->state];
}

static bool was_postcopy(struct move *m, const struct evidence *e)
{
    return m->is_postcopy || journal_last(m->journal, "postcopy") || e->source.reason == REASON_POSTCOPY ||
           e->dest.reason == REASON_POSTCOPY;
}

int settle_advise_gone(const struct move *m, bool was_postcopy, struct error *err)
{
    const char *source = m->survey.source_host, *dest = m->survey.dest_host;

    if (was_postcopy)
        return error_fix(
            err,
            "1. Look at what is left of it on both hosts: virsh domstate --reason. 2. End that: "
            "virsh destroy. 3. Its newest writes are on its disks at '%s', whole up to the last "
            "one: start it there; where it is not defined, define it from virsh dumpxml "
            "--inactive at '%s'. 4. At '%s' undefine it: virsh undefine --keep-nvram. 5. Run the "
            "same virt-ferry migrate: it closes run %s.",
            dest, source, source, m->run);
    if (m->is_offline)
        return error_fix(
            err,
            "1. Look on both hosts: virsh list --all. 2. Where it is on neither, define it at "
            "'%s' anew, from a backup of its definition; its disks are untouched. 3. Run the same "
            "virt-ferry migrate: it closes run %s.",
            source, m->run);
    return error_fix(
        err,
        "1. See that it still runs on neither: virsh domstate --reason at '%s' and at '%s'. 2. See "
        "in /var/log/libvirt/qemu at '%s' whether it ran there. 3. Start it there if it did, since "
        "its newest writes are there, else at '%s': on one host only. 4. Undefine it on the other: "
        "virsh undefine --keep-nvram. 5. Run the same virt-ferry migrate: it closes run %s.",
        source, dest, dest, source, m->run);
}

/* Each host had a part of its memory, and one of the parts is gone: exit 11. */
static int guest_lost(struct move *m, const struct evidence *e, struct error *err)
{
    error_set(err, ERROR_GUEST_LOST, NULL, "domain '%s' was lost in post-copy", m->name);
    error_why(err, "on '%s': %s; on '%s': %s; a part of its memory is gone", m->survey.source_host,
              seen_word(&e->source), m->survey.dest_host, seen_word(&e->dest));
    return settle_advise_gone(m, true, err);
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
        return settle_advise_gone(m, false, err);
    if (d == DECIDE_TWICE)
        return error_fix(err,
                         "Decide which of the two is right and end the other: virsh destroy. Then run the "
                         "same virt-ferry migrate again to clean up.");
    return error_fix(
        err, "When both hosts answer again, run the same virt-ferry migrate: it first settles run %s.",
        m->run);
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
    struct error undo = { 0 };

    m->result->outcome = OUTCOME_STAYED;
    if (undo_all(m, &undo) < 0)
        move_problem(m, "what was prepared is not all undone: %s: %s; the next run for this domain does it",
                     undo.what, undo.why);
    if (m->mark_lost.code) {
        *err = m->mark_lost;
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

int settle(struct move *m, struct error *err)
{
    /* The gate has waited for that host already. */
    uint64_t until = loop_now_ms() + (m->gave_up_looking ? PATIENCE_MS / 10u : PATIENCE_MS);
    int acts = 0;

    if (m->is_postcopy || journal_last(m->journal, "postcopy"))
        until = loop_now_ms() + POSTCOPY_PATIENCE_MS;

    for (;;) {
        struct evidence e = look_at_both(m);
        enum decision d = m->is_offline ? outcome_decide_offline(&e) : outcome_decide(&e);
        struct error failed = { 0 };
        int r;

        log_event("run", "decision", "%s", decision_word(d));
        if (d == DECIDE_TWICE || d == DECIDE_GONE || acts > MAX_ACTS ||
            (loop_now_ms() > until && (d == DECIDE_NOT_KNOWN || d == DECIDE_WAIT)))
            return not_settled(m, &e, d, err);
        acts += is_act(d);
        r = obey(m, d, &failed);
        if (r <= 0) {
            *err = failed;
            return r;
        }
        if (failed.code)
            move_say(m, "%s: %s", failed.what, failed.why);
        if (d == DECIDE_WAIT || d == DECIDE_NOT_KNOWN || failed.code)
            loop_pause_ms(PAUSE_MS);
    }
}
