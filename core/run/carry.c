/* SPDX-License-Identifier: Apache-2.0
 * libvirt is asked to migrate, and watched: progress, the user's wish to stop, the time-out, and the gate,
 * where a held message is answered by a look at the destination. What libvirt returns is kept as a hint. */
#include "run/move.h"

#include "base/log.h"
#include <string.h>

#define STEP_MS 20
#define MONITOR_MS 100u
#define GATE_LOOK_MS                                                                                         \
    15000u /* how long the destination may need to answer before the outcome is not known                    \
            */

struct watch {
    struct call *job; /* a question for the job's statistics, or NULL */
    uint64_t asked_ms;
    bool abort_asked;
    unsigned interrupts;
};

static int disks_to_copy(struct move *m, json_t *args)
{
    json_t *disks = json_array();

    for (size_t i = 0; disks && i < m->facts->domain.n_disks; i++)
        if (m->strategy->disks[i] == TREAT_COPY)
            (void)json_array_append_new(disks, json_string(m->facts->domain.disks[i].target));
    return json_put(args, "disks", disks);
}

static json_t *migrate_args(struct move *m, struct error *err)
{
    OWNED_JSON args =
        json_pack("{ss ss sb sb sb}", "uuid", m->uuid, "data_uri", m->strategy->channel->data_uri,
                  "is_persistent", (int)m->is_persistent, "stay_paused", (int)m->is_held, "unsafe_with_proof",
                  (int)m->strategy->needs_unsafe);
    uint64_t cap = m->o->limits.bandwidth_bytes_per_s;

    if (!args || disks_to_copy(m, args) < 0 ||
        (cap != NOT_KNOWN && json_put_u64(args, "bandwidth_mib_per_s", cap >> 20 ? cap >> 20 : 1u) < 0)) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(args);
}

static void report(struct move *m, const json_t *job)
{
    uint64_t page = json_u64(job, "page_bytes", 4096), dirty = json_u64(job, "dirty_pages_per_s", NOT_KNOWN);
    bool on_disks = json_u64(job, "disk_remaining_bytes", 0) > 0;
    struct run_progress p = {
        .phase = m->gate && gate_saw_performed(m->gate) ? "switch-over"
                 : on_disks                             ? "copying disks"
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

/* The source's worker may die under this: the move then goes on without a bar. */
static void watch_job(struct move *m, struct watch *w)
{
    struct error err = { 0 };

    if (w->job && call_is_over(w->job)) {
        OWNED_JSON job = NULL;

        if (call_wait(w->job, &job, &err) == 0)
            report(m, job);
        call_free(w->job);
        w->job = NULL;
    }
    if (!w->job && loop_now_ms() - w->asked_ms >= MONITOR_MS) {
        w->asked_ms = loop_now_ms();
        w->job = worker_ask(m->survey.source, "job", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &err);
    }
}

/* Asks libvirt to abort the job; where its host does not answer, the mover's death ends the job as well. */
static void stop_job(struct move *m, struct watch *w, const char *why)
{
    struct error err = { 0 };

    call_free(w->job);
    w->job = NULL;
    if (w->abort_asked) {
        worker_kill(m->mover);
        return;
    }
    w->abort_asked = true;
    move_say(m, "%s: the migration is aborted, the guest stays", why);
    if (move_record(m, "abort", NULL, &err) < 0 ||
        worker_do(m->survey.source, "abort-job", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, NULL, &err) <
            0)
        log_event("run", "abort", "not accepted: %s (%s)", err.what, err.why);
}

static void obey_user(struct move *m, struct watch *w)
{
    bool late = m->o->timeout_ms != NOT_KNOWN && loop_now_ms() - m->began_ms > m->o->timeout_ms;

    if (loop_interrupts(m->loop) > w->interrupts) {
        w->interrupts = loop_interrupts(m->loop);
        m->is_cancelled = true;
        stop_job(m, w, "cancelled");
    } else if (late && !m->is_timed_out) {
        m->is_timed_out = m->is_cancelled = true;
        stop_job(m, w, "the time that was allowed is over");
    }
}

static void close_gate(struct move *m, const char *why)
{
    struct error err = { 0 };

    (void)move_record(m, "gate-closed", json_pack("{ss}", "why", why), &err);
    gate_close(m->gate);
    worker_kill(m->mover);
}

static void let_through(struct move *m)
{
    struct error err = { 0 };

    /* Without the record a later recovery would not know that the source may run: then it must not. */
    if (move_record(m, "gate-let-through", NULL, &err) < 0)
        close_gate(m, "the journal could not be written");
    else
        gate_let_through(m->gate);
}

/* The source is paused for as long as the gate holds: what the table says of the destination then. */
static enum decision decide_at_gate(struct move *m)
{
    struct evidence e = { .source = { .state = SIDE_PAUSED,
                                      .reason = m->was_paused ? REASON_USER : REASON_MIGRATION },
                          .dest = look_at(m, true),
                          .was_asked = true,
                          .was_paused = m->was_paused,
                          .dest_destroyed = journal_last(m->journal, "dest-destroy-done") != NULL };

    e.dest_rebooted = e.dest.has_rebooted;
    return e.dest.state == SIDE_NOT_KNOWN ? DECIDE_WAIT : outcome_decide(&e);
}

/* libvirt is about to resume the source. Nothing is let through that was not seen to be right. */
static void serve_gate(struct move *m)
{
    uint64_t until = loop_now_ms() + GATE_LOOK_MS;
    struct error err = { 0 };

    move_say(m,
             "libvirt could not see the end of the move; the destination is looked at before the source may "
             "run");
    if (move_record(m, "gate-holding", NULL, &err) < 0) {
        close_gate(m, "the journal could not be written");
        return;
    }
    while (gate_is_holding(m->gate) && loop_now_ms() < until) {
        switch (decide_at_gate(m)) {
        case DECIDE_STAYED:
        case DECIDE_RESUME_SOURCE:
            let_through(m);
            return;
        case DECIDE_DROP_DEST: /* and the next look shows whether that came to pass */
            if (move_act(m, true, "dest-destroy", "destroy", &err) == 0)
                break;
            __attribute__((fallthrough));
        case DECIDE_WAIT:
            (void)loop_step(m->loop, 300, &err);
            break;
        default:
            close_gate(m, "the destination runs, or may have run");
            return;
        }
    }
    if (gate_is_holding(m->gate)) {
        m->gave_up_looking = true;
        close_gate(m, "the destination could not be looked at");
    }
}

int carry_over(struct move *m, struct error *err)
{
    struct watch w = { .interrupts = loop_interrupts(m->loop) };
    OWNED(call) migrate = NULL;
    json_t *args = migrate_args(m, err);

    if (!args)
        return -err->code;
    if (move_record(m, "migrate",
                    json_pack("{ss sb ss}", "strategy", m->strategy->id, "is_held", (int)m->is_held,
                              "data_uri", m->strategy->channel->data_uri),
                    err) < 0) {
        json_decref(args);
        return -err->code;
    }
    migrate = worker_ask(m->mover, "migrate", args, 0, err);
    if (!migrate)
        return -err->code;
    while (!call_is_over(migrate)) {
        if (loop_step(m->loop, STEP_MS, err) < 0)
            break;
        if (m->gate && gate_is_holding(m->gate))
            serve_gate(m);
        else {
            watch_job(m, &w);
            obey_user(m, &w);
        }
    }
    call_free(w.job);
    /* From a success on libvirt never lets the source run again: a look later may not show that any more. */
    if (call_is_over(migrate) && call_wait(migrate, NULL, &m->libvirt) == 0)
        (void)move_record(m, "migrated", NULL, err);
    return 0;
}
