/* SPDX-License-Identifier: Apache-2.0
 * The way forward: the guest is at the destination, so the source's QEMU and definition go, autostart comes
 * back there, and last of all the mark. Each step tolerates that it was done before. */
#include "recovery/settle.h"

#include "base/log.h"

#define JOB_END_MS 15000u

/* The destination; its figures of the job are asked at once, and come while the source is cleaned. */
struct dest_end {
    struct worker *worker; /* NULL: failed says why */
    struct call *job;
    struct error failed;
};

static json_t *state_at(struct move *m, struct worker *w, struct error *err)
{
    json_t *state = NULL;

    return worker_do(w, "state", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &state, err) < 0 ? NULL
                                                                                                 : state;
}

/* A source that is left paused, with the gate closed or the client dead: its job must end before its QEMU
 * can. */
static int end_source(struct move *m, struct worker *source, struct error *err)
{
    uint64_t until = loop_now_ms() + JOB_END_MS;
    OWNED_JSON state = NULL;

    for (;;) {
        json_decref(state);
        state = state_at(m, source, err);
        if (!state)
            return -err->code;
        if (!json_flag(state, "present", false) || !json_flag(state, "is_active", false))
            return 0;
        if (text_equal(json_text(state, "state", ""), "running"))
            return error_set(err, ERROR_NOT_KNOWN, m->survey.source_host, "the domain runs there again");
        if (!json_flag(state, "has_job", false))
            break;
        if (loop_now_ms() > until)
            return error_set(err, ERROR_TIMEOUT, m->survey.source_host,
                             "the migration job there does not end");
        loop_pause_ms(100);
    }
    if (move_record(m, "source-destroy", NULL, err) < 0)
        return -err->code;
    return worker_do(source, "destroy",
                     json_pack("{ss s{ss ss}}", "uuid", m->uuid, "expect", "state",
                               json_text(state, "state", ""), "reason", json_text(state, "reason", "")),
                     ANSWER_MS * 2u, NULL, err);
}

/* Refused there of a domain that runs. */
static int undefine_at(struct move *m, struct worker *source, struct error *err)
{
    if (!m->is_persistent)
        return 0;
    if (move_record(m, "source-undefine", NULL, err) < 0)
        return -err->code;
    return worker_do(source, "undefine", json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, NULL, err);
}

static int forget_at(struct move *m, struct worker *source, struct error *err)
{
    const struct sight *seen = &m->sights[0];
    struct error first = { 0 };

    /* Off already as the look saw it that this was decided by: it is looked at again where that came to
     * nothing. */
    if (seen->was_heard && (!seen->state[0] || text_equal(seen->state, "shutoff")) &&
        undefine_at(m, source, &first) == 0)
        return 0;
    if (end_source(m, source, err) == 0)
        return undefine_at(m, source, err);
    /* A worker that did not answer is gone, and says nothing of the domain. */
    if (first.code && err->code != ERROR_NOT_KNOWN)
        *err = first;
    return -err->code;
}

static int forget_source(struct move *m, struct error *err)
{
    struct worker *source = look_worker(m, false, err);
    const int r = source ? forget_at(m, source, err) : -err->code;

    if (r == 0)
        worker_leave(source); /* that was the last question to it */
    look_worker_back(m, false, source);
    return r;
}

uint64_t held_downtime_ms(const struct actual *a, uint64_t job_elapsed_ms, uint64_t job_downtime_ms,
                          bool *ret_least)
{
    uint64_t stopped;

    *ret_least = job_downtime_ms != NOT_KNOWN;
    if (a->job_began_ms == NOT_KNOWN || a->resumed_ms == NOT_KNOWN || job_elapsed_ms == NOT_KNOWN ||
        job_downtime_ms > job_elapsed_ms)
        return job_downtime_ms;
    /* Both counts end at one moment of one clock: their difference is the source's stop, since the job began.
     */
    stopped = a->job_began_ms + (job_elapsed_ms - job_downtime_ms);
    if (stopped > a->resumed_ms || a->resumed_ms - stopped < job_downtime_ms)
        return job_downtime_ms;
    *ret_least = false;
    return a->resumed_ms - stopped;
}

uint64_t disk_sent_bytes(const struct facts *f, const struct strategy *s, const struct actual *a)
{
    uint64_t capacity = 0, allocated = 0;

    if (a->disk_bytes == NOT_KNOWN || a->disk_total_bytes == NOT_KNOWN)
        return NOT_KNOWN;
    /* An overlay's holes are its base, and no part of the job. */
    for (size_t i = 0; i < f->domain.n_disks; i++)
        if (treatment_rests(s->disks[i]))
            return a->disk_bytes;
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];
        const uint64_t whole = d->at_source.capacity_bytes;
        const uint64_t occupied =
            s->disks[i] == TREAT_COPY ? disk_occupied_bytes(d) : d->at_source.allocated_bytes;

        if (!treatment_copies(s->disks[i]))
            continue;
        if (whole == NOT_KNOWN || occupied == NOT_KNOWN)
            return NOT_KNOWN;
        capacity += whole;
        /* A full qcow2 file is larger than its disk. */
        allocated += occupied < whole ? occupied : whole;
    }
    if (a->disk_total_bytes >= capacity)
        return a->disk_bytes >= capacity - allocated ? a->disk_bytes - (capacity - allocated) : NOT_KNOWN;
    /* What the guest wrote meanwhile comes on top; far more than that, and some holes are counted. */
    return a->disk_total_bytes <= allocated + allocated / 4 ? a->disk_bytes : NOT_KNOWN;
}

/* The job's statistics at the destination know of memory; of the disks the looks at the source do. */
static void read_bytes(struct move *m, const json_t *job)
{
    struct run_result *r = m->result;

    r->memory_bytes = json_u64(job, "memory_processed_bytes", NOT_KNOWN);
    r->disk_bytes = move_copies_disks(m) ? disk_sent_bytes(m->facts, m->strategy, &m->actual) : 0;
    if (r->disk_bytes != NOT_KNOWN)
        r->disk_bytes += m->chains.bytes;
    r->bytes = r->memory_bytes == NOT_KNOWN || r->disk_bytes == NOT_KNOWN ? NOT_KNOWN
                                                                          : r->memory_bytes + r->disk_bytes;
}

static void read_actual(struct move *m, struct dest_end *dest)
{
    struct error err = { 0 };
    OWNED_JSON job = NULL;

    /* There was no job; what the copies of disks wrote they have said. */
    if (m->is_offline && m->facts && m->strategy) {
        m->result->memory_bytes = 0;
        m->result->bytes = m->result->disk_bytes = move_copies_disks(m) ? m->result->disk_bytes : 0;
        return;
    }
    if (!dest->job || call_wait(dest->job, &job, &err) < 0)
        return;
    m->result->downtime_ms = json_u64(job, "downtime_ms", json_u64(job, "downtime_net_ms", NOT_KNOWN));
    if (m->is_held && !m->was_paused)
        m->result->downtime_ms = held_downtime_ms(&m->actual, json_u64(job, "elapsed_ms", NOT_KNOWN),
                                                  m->result->downtime_ms, &m->result->downtime_is_least);
    if (m->facts && m->strategy) /* a recovery has no plan, and nobody reads its figures */
        read_bytes(m, job);
}

static void ask_dest(struct move *m, struct dest_end *dest)
{
    struct error ignored = { 0 };

    dest->worker = look_worker(m, true, &dest->failed);
    if (dest->worker)
        dest->job = worker_ask(dest->worker, "job", json_pack("{ss sb}", "uuid", m->uuid, "completed", 1),
                               ANSWER_MS, &ignored);
}

static bool lacks_definition(const struct move *m, bool is_persistent)
{
    return m->is_persistent && !is_persistent;
}

static bool stands_still(const struct move *m, const char *state)
{
    return text_equal(state, "paused") && !m->was_paused;
}

/* As the look saw it that this was decided by. What was not well is looked at again before it is named. */
static bool was_well(const struct move *m)
{
    const struct sight *s = &m->sights[1];

    return s->was_heard && s->state[0] && !lacks_definition(m, s->is_persistent) &&
           !stands_still(m, s->state);
}

/* What is missing at the destination is a problem to name, never a reason to go back. */
static int look_for_problems(struct move *m, struct dest_end *dest, struct error *err)
{
    OWNED_JSON state = state_at(m, dest->worker, err);

    if (!state)
        return -err->code;
    if (lacks_definition(m, json_flag(state, "is_persistent", false)))
        move_problem(m,
                     "the domain is not defined persistently on '%s': virsh dumpxml it there and define it",
                     m->survey.dest_host);
    if (stands_still(m, json_text(state, "state", "")))
        move_problem(m, "the guest is paused on '%s' (%s): see virsh domstate --reason", m->survey.dest_host,
                     json_text(state, "reason", "?"));
    return 0;
}

static int complete_dest(struct move *m, struct dest_end *dest, struct error *err)
{
    if (!dest->worker) {
        *err = dest->failed;
        return -err->code;
    }
    if (!was_well(m) && look_for_problems(m, dest, err) < 0)
        return -err->code;
    read_actual(m, dest);
    if (m->autostart && (move_record(m, "dest-autostart", NULL, err) < 0 ||
                         worker_do(dest->worker, "autostart", json_pack("{ss sb}", "uuid", m->uuid, "on", 1),
                                   ANSWER_MS, NULL, err) < 0))
        return -err->code;
    return 0;
}

static int with_problems(const struct move *m, struct error *err)
{
    return error_set(err, ERROR_PROBLEMS, NULL, "domain '%s' moved to '%s', with problems", m->name,
                     m->survey.dest_host);
}

/* The guest is over there all the same; what cannot be written is not done. */
static int moved_unwritten(struct move *m, const struct error *failed, struct error *err)
{
    move_problem(
        m,
        "the journal could not be written, so nothing of the domain was removed from '%s': %s: %s; never "
        "start it there; when the journal can be written again: virt-ferry recover %s",
        m->survey.source_host, failed->what, failed->why, m->run);
    return with_problems(m, err);
}

static int finish(struct move *m, struct dest_end *dest, struct error *err)
{
    struct error failed = { 0 };
    bool source_stays;

    ask_dest(m, dest);
    if (m->is_dead[0])
        move_problem(m,
                     "'%s' may still define the domain: never start it there; when that host is back: virsh "
                     "undefine --keep-nvram '%s'",
                     m->survey.source_host, m->name);
    source_stays = !m->is_dead[0] && forget_source(m, &failed) < 0;
    if (failed.code == ERROR_NOT_KNOWN) {
        m->result->outcome = OUTCOME_NOT_KNOWN;
        *err = failed;
        return -err->code;
    }
    if (source_stays)
        move_problem(
            m,
            "the domain's definition or its paused QEMU could not be removed from '%s': %s: %s; never "
            "start it there",
            m->survey.source_host, failed.what, failed.why);
    if (complete_dest(m, dest, err) < 0) {
        move_problem(m, "the destination could not be completed: %s: %s", err->what, err->why);
        return with_problems(m, err);
    }
    /* With the source not cleaned the run is not over: the mark stays, and the next run goes on from here. */
    if (!source_stays &&
        (move_record(m, "mark-clear", NULL, err) < 0 ||
         worker_do(dest->worker, "mark-clear", json_pack("{ss ss}", "uuid", m->uuid, "run", m->run),
                   ANSWER_MS, NULL, err) < 0 ||
         move_record(m, "end", json_pack("{ss}", "outcome", "moved"), err) < 0))
        move_problem(m, "the run's mark could not be removed on '%s': %s", m->survey.dest_host, err->what);
    return m->result->problems.len > 0 ? with_problems(m, err) : 0;
}

int finish_forward(struct move *m, struct error *err)
{
    struct dest_end dest = { .worker = NULL };
    struct error failed = { 0 };
    int r;

    m->result->outcome = OUTCOME_MOVED;
    if (move_record(m, "moved", NULL, &failed) < 0)
        return moved_unwritten(m, &failed, err);
    r = finish(m, &dest, err);
    call_free(dest.job);
    look_worker_back(m, true, dest.worker);
    return r;
}
