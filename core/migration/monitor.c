/* SPDX-License-Identifier: Apache-2.0
 * Looks at the job, keeps its newest figures, and acts on the controller's word and on the user's. The worker
 * of the source may die under it: the move then goes on without a bar, and in pre-copy. */
#include "migration/monitor.h"

#include "base/log.h"
#include "recovery/settle.h"

/* Each look costs libvirtd and QEMU a question in the midst of the move: few while a pass goes on, and close
 * together where it is about to end and a decision falls. */
#define LOOK_LEAST_MS 40u
#define LOOK_MOST_MS 160u
#define ABORT_AGAIN_MS 200u

static void report(struct move *m, const json_t *job)
{
    uint64_t page = json_u64(job, "page_bytes", 4096), dirty = json_u64(job, "dirty_pages_per_s", NOT_KNOWN);
    bool on_disks = json_u64(job, "disk_remaining_bytes", 0) > 0;
    struct run_progress p = {
        .phase = m->is_postcopy                           ? "post-copy"
                 : m->gate && gate_saw_performed(m->gate) ? "switch-over"
                 : on_disks                               ? "copying disks"
                                                          : "pre-copy",
        .elapsed_ms = loop_now_ms() - m->began_ms,
        .total_bytes = json_u64(job, "total_bytes", NOT_KNOWN),
        .processed_bytes = json_u64(job, "processed_bytes", NOT_KNOWN),
        .remaining_bytes = json_u64(job, "remaining_bytes", NOT_KNOWN),
        .bytes_per_s = json_u64(job, on_disks ? "disk_bytes_per_s" : "memory_bytes_per_s", NOT_KNOWN),
        .dirty_bytes_per_s = dirty == NOT_KNOWN ? NOT_KNOWN : dirty * page,
        .pass = json_u64(job, "pass", NOT_KNOWN),
    };

    /* Before the first pass libvirt counts nothing, and a bar of zeroes says nothing. */
    if (m->o->progress && json_flag(job, "is_active", false) && p.total_bytes != NOT_KNOWN &&
        p.total_bytes > 0)
        m->o->progress(m->o->context, &p);
}

/* After a move through post-copy no host has statistics any more: these are what is left of them. */
static void keep_figures(struct move *m, const json_t *job)
{
    const uint64_t sent = json_u64(job, "memory_processed_bytes", 0), ms = loop_now_ms() - m->carried_ms;
    const uint64_t elapsed = json_u64(job, "elapsed_ms", NOT_KNOWN), now = loop_now_ms();
    const uint64_t disks = json_u64(job, "disk_processed_bytes", 0);
    const uint64_t total = json_u64(job, "disk_total_bytes", 0);
    struct actual *a = &m->actual;

    /* The answer took a while to come: the earliest is the nearest. */
    if (json_flag(job, "is_active", false) && elapsed <= now && now - elapsed < a->job_began_ms)
        a->job_began_ms = now - elapsed;
    /* libvirt forgets them when the mirrors end, which is before the job does. */
    if (total > 0 && (a->disk_bytes == NOT_KNOWN || disks > a->disk_bytes))
        a->disk_bytes = disks;
    if (total > 0 && (a->disk_total_bytes == NOT_KNOWN || total > a->disk_total_bytes))
        a->disk_total_bytes = total;
    if (!json_flag(job, "is_active", false) || sent == 0)
        return;
    if (a->first_ms == NOT_KNOWN) {
        a->first_ms = ms;
        a->first_bytes = sent;
    }
    a->last_ms = ms;
    a->last_bytes = sent;
    a->processed_bytes = json_u64(job, "processed_bytes", NOT_KNOWN);
    a->qemu_setup_ms = json_u64(job, "setup_ms", a->qemu_setup_ms);
    a->passes = json_u64(job, "pass", a->passes);
    if (a->first_pass_bytes == NOT_KNOWN && a->passes != NOT_KNOWN && a->passes > 1)
        a->first_pass_bytes = sent;
    a->samples++;
}

static void ask_for_postcopy(struct move *m, struct monitor *mon)
{
    struct error err = { 0 };

    if (move_record(m, "postcopy-asked",
                    json_pack("{sI sI sI}", "pass", (json_int_t)mon->control.pass, "dirtied_bytes",
                              (json_int_t)mon->control.dirtied_bytes, "bytes_per_s",
                              (json_int_t)mon->control.bytes_per_s),
                    &err) < 0)
        return;
    mon->switching =
        worker_ask(m->survey.source, "start-postcopy", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &err);
}

/* The figures are of the moment in which the host took them: an answer that came late would make the pass
 * look long that it ends, and the next one short. */
static void consult_controller(struct move *m, struct monitor *mon, const json_t *job)
{
    const uint64_t page = json_u64(job, "page_bytes", 4096), zero = json_u64(job, "memory_zero_pages", 0);
    const struct job_sample sample = { .at_ms = json_u64(job, "elapsed_ms", loop_now_ms()),
                                       .pass = json_u64(job, "pass", NOT_KNOWN),
                                       .sent_bytes = json_u64(job, "memory_processed_bytes", NOT_KNOWN),
                                       .remaining_bytes = json_u64(job, "memory_remaining_bytes", NOT_KNOWN),
                                       .zero_bytes = page && zero < UINT64_MAX / page ? zero * page : 0 };
    const enum control decision = controller_see(&mon->control, &sample);

    log_event("run", "sample", "at %llu ms, pass %llu: sent %llu, remain %llu, zero %llu",
              (unsigned long long)sample.at_ms, (unsigned long long)sample.pass,
              (unsigned long long)sample.sent_bytes, (unsigned long long)sample.remaining_bytes,
              (unsigned long long)sample.zero_bytes);
    if (decision != CONTROL_WAIT)
        log_event("run", "boundary", "pass %llu: %llu bytes dirtied, %.0f bytes/s: %s",
                  (unsigned long long)sample.pass, (unsigned long long)mon->control.dirtied_bytes,
                  mon->control.bytes_per_s, decision == CONTROL_STAY ? "pre-copy" : "post-copy");
    if (decision == CONTROL_POSTCOPY && !mon->switching && !m->is_postcopy)
        ask_for_postcopy(m, mon);
}

/* Accepted does not mean switched: the last pass may end in pre-copy all the same, and then the gate must
 * still hold. Only a source that is seen to have stopped for post-copy is never resumed by libvirt. */
static void note_postcopy(struct move *m, const json_t *job)
{
    struct error err = { 0 };

    if (m->is_postcopy || !json_flag(job, "is_postcopy", false))
        return;
    m->is_postcopy = m->result->went_postcopy = true;
    m->actual.postcopy_ms = loop_now_ms() - m->carried_ms;
    (void)move_record(m, "postcopy", NULL, &err);
    move_say(m, "pre-copy would not end soon: the guest goes on at '%s', and its memory follows (post-copy)",
             m->survey.dest_host);
    if (m->gate)
        gate_disarm(m->gate);
}

/* libvirt's finish waits for a destination that waits for pages, and may never hear that nobody sends them.
 */
static void note_cut(struct move *m, struct monitor *mon, const json_t *job)
{
    if (!postcopy_unheard(m, &mon->unheard, json_flag(job, "is_cut", false)) || m->gave_up_halves)
        return;
    m->gave_up_halves = true;
    worker_kill(m->mover);
}

static void hear_switch(struct monitor *mon)
{
    struct error err = { 0 };

    if (!mon->switching || !call_is_over(mon->switching))
        return;
    if (call_wait(mon->switching, NULL, &err) < 0)
        log_event("run", "post-copy", "not accepted: %s (%s)", err.what, err.why);
    call_free(mon->switching);
    mon->switching = NULL;
}

static uint64_t next_look_ms(const struct move *m, const json_t *job)
{
    const uint64_t left = json_u64(job, "memory_remaining_bytes", NOT_KNOWN);
    const uint64_t rate = json_u64(job, "memory_bytes_per_s", 0);
    uint64_t half;

    if (m->strategy->mode != MODE_POSTCOPY || m->is_postcopy || !rate || left > UINT64_MAX / 1000u)
        return LOOK_MOST_MS;
    half = left * 1000u / rate / 2u;
    return half < LOOK_LEAST_MS ? LOOK_LEAST_MS : half > LOOK_MOST_MS ? LOOK_MOST_MS : half;
}

/* libvirt refuses to abort a job that it has not begun yet: it is asked until it accepts. */
static void press_abort(struct move *m, struct monitor *mon)
{
    struct error err = { 0 };

    if (!mon->stop_wanted || mon->abort_accepted || m->is_postcopy || loop_now_ms() < mon->abort_again_ms)
        return;
    call_free(mon->job);
    mon->job = NULL;
    mon->abort_accepted = worker_do(m->survey.source, "abort-job", json_pack("{ss}", "uuid", m->uuid),
                                    ANSWER_MS, NULL, &err) == 0;
    if (!mon->abort_accepted)
        log_event("run", "abort", "not accepted: %s (%s)", err.what, err.why);
    mon->abort_again_ms = loop_now_ms() + ABORT_AGAIN_MS;
}

/* Wished for twice, as where its host does not answer, the mover's death ends the job as well. */
static void stop_job(struct move *m, struct monitor *mon, const char *why)
{
    struct error err = { 0 };

    if (mon->stop_wanted) {
        worker_kill(m->mover);
        return;
    }
    mon->stop_wanted = true;
    move_say(m, "%s: the migration is aborted, the guest stays", why);
    if (move_record(m, "abort", NULL, &err) < 0)
        log_event("run", "abort", "not in the journal: %s (%s)", err.what, err.why);
    press_abort(m, mon);
}

/* Aborted, the guest goes on at the source; where libvirt cannot end the job either, the call is left, both
 * hosts are looked at, and that is told. */
static void give_up(struct move *m, struct monitor *mon, const char *what)
{
    error_set(&m->ended_why, ERROR_FAILED, NULL, "%s for %s", what, MS_TEXT(STALL_MS));
    (void)error_fix(&m->ended_why,
                    "See the link between '%s' and '%s', and whether the latter lives. The guest goes on at "
                    "'%s'; when the cause is gone, run the same command again.",
                    m->survey.source_host, m->survey.dest_host, m->survey.source_host);
    m->is_cancelled = true;
    stop_job(m, mon, what);
}

static bool can_go_back(const struct move *m)
{
    return !m->is_postcopy && m->strategy->mode != MODE_OFFLINE && !(m->gate && gate_saw_performed(m->gate));
}

static void note_stall(struct move *m, struct monitor *mon, const json_t *job)
{
    const uint64_t moved =
        json_u64(job, "memory_processed_bytes", 0) + json_u64(job, "disk_processed_bytes", 0);

    if (stall_see(&mon->stall, loop_now_ms(), can_go_back(m) && json_flag(job, "is_suspended", false), moved))
        give_up(m, mon, "the guest stood still and nothing moved");
}

/* One question that took too long says little of a busy host: it is asked once more, over a connection of its
 * own. */
static bool is_still_silent(struct move *m)
{
    struct error err = { 0 };
    OWNED(worker) fresh = survey_fresh(&m->survey, false, &err);

    return fresh && worker_do(fresh, "job", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, NULL, &err) < 0 &&
           err.code == ERROR_TIMEOUT;
}

static void say_silent(struct move *m, struct monitor *mon)
{
    if (!mon->said_silent)
        move_say(
            m,
            "QEMU on '%s' has not told for %s how the move goes, and was asked for post-copy: it is waited "
            "for. See there whether it is stopped (ps: state T) and lives.",
            m->survey.source_host, MS_TEXT(STALL_MS));
    mon->said_silent = true;
}

/* QEMU that waits for its disks before it stops the guest does not answer libvirt either. Of one that was
 * asked for post-copy nobody knows then whether the guest runs over there: that has no way back. */
static void note_silence(struct move *m, struct monitor *mon)
{
    if (!mon->silent_ms || loop_now_ms() - mon->silent_ms < STALL_MS)
        return;
    if (journal_last(m->journal, "postcopy-asked")) {
        say_silent(m, mon);
        return;
    }
    if (!can_go_back(m))
        return;
    mon->silent_ms = is_still_silent(m) ? loop_now_ms() : 0;
    if (mon->silent_ms)
        give_up(m, mon, "QEMU at the source did not tell how the move goes");
}

/* Behind the source's last word nothing is told any more but that it went to post-copy, if it was asked to;
 * and the guest stands still. */
static bool tells_no_more(const struct move *m)
{
    return m->strategy->mode == MODE_OFFLINE ||
           (m->gate && gate_saw_performed(m->gate) && !journal_last(m->journal, "postcopy-asked"));
}

static void watch_job(struct move *m, struct monitor *mon)
{
    struct error err = { 0 };

    hear_switch(mon);
    if (mon->job && call_is_over(mon->job)) {
        OWNED_JSON job = NULL;

        if (call_wait(mon->job, &job, &err) < 0) {
            if (err.code == ERROR_TIMEOUT && !mon->silent_ms)
                mon->silent_ms = mon->asked_ms;
        } else {
            mon->wait_ms = next_look_ms(m, job);
            mon->silent_ms = 0;
            note_postcopy(m, job);
            note_cut(m, mon, job);
            note_stall(m, mon, job);
            keep_figures(m, job);
            report(m, job);
            if (m->strategy->mode == MODE_POSTCOPY && !m->is_postcopy && !m->is_cancelled)
                consult_controller(m, mon, job);
        }
        call_free(mon->job);
        mon->job = NULL;
    }
    if (!mon->job && !tells_no_more(m) && loop_now_ms() - mon->asked_ms >= mon->wait_ms) {
        mon->asked_ms = loop_now_ms();
        mon->job = worker_ask(m->survey.source, "job", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &err);
    }
}

/* The mark was believed soon after it was set: one that was set too slowly for that shows now. */
static void look_at_mark(struct move *m, struct monitor *mon)
{
    OWNED_JSON state = NULL;
    struct error err = { 0 };

    if (!mon->looked_at_mark && loop_now_ms() - m->marked_ms >= MARK_AGAIN_MS) {
        mon->looked_at_mark = true;
        mon->marked =
            worker_ask(m->survey.source, "state", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &err);
    }
    if (!mon->marked || !call_is_over(mon->marked))
        return;
    /* What does not answer, or is gone already, says nothing of another run. */
    if (call_wait(mon->marked, &state, &err) == 0 && json_flag(state, "present", false) &&
        mark_judge(m, state, &err) < 0 && !m->is_postcopy) {
        m->ended_why = err;
        m->is_cancelled = true;
        stop_job(m, mon, "another run set its mark on the domain");
    }
    call_free(mon->marked);
    mon->marked = NULL;
}

static void obey_user(struct move *m, struct monitor *mon)
{
    bool late = m->o->timeout_ms != NOT_KNOWN && loop_now_ms() - m->began_ms > m->o->timeout_ms;
    bool is_interrupted = loop_interrupts(m->loop) > mon->interrupts;

    mon->interrupts = loop_interrupts(m->loop);
    if ((is_interrupted || late) && m->is_postcopy) {
        if (!mon->said_too_late)
            move_say(m, "the guest runs at '%s' already: there is no way back, the move goes on",
                     m->survey.dest_host);
        mon->said_too_late = true;
    } else if (is_interrupted) {
        m->is_cancelled = true;
        stop_job(m, mon, "cancelled");
    } else if (late && !m->is_timed_out) {
        m->is_timed_out = m->is_cancelled = true;
        stop_job(m, mon, "the time that was allowed is over");
    }
}

void monitor_begin(struct move *m, struct monitor *mon)
{
    *mon = (struct monitor){ .interrupts = loop_interrupts(m->loop),
                             .wait_ms = LOOK_MOST_MS,
                             .control = { .memory_bytes = m->facts->domain.memory_bytes,
                                          .downtime_ms = m->plan->max_downtime_ms } };
}

void monitor_step(struct move *m, struct monitor *mon)
{
    watch_job(m, mon);
    note_silence(m, mon);
    look_at_mark(m, mon);
    obey_user(m, mon);
    press_abort(m, mon);
}

void monitor_done(struct monitor *mon)
{
    call_free(mon->job);
    call_free(mon->switching);
    call_free(mon->marked);
    mon->job = mon->switching = mon->marked = NULL;
}
