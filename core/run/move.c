/* SPDX-License-Identifier: Apache-2.0
 * What the parts of a run share: its journal, its words to the user, its end. */
#include "run/move.h"

#include "base/log.h"
#include "translate/translate.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

const char *this_host(char *buf, size_t size)
{
    if (gethostname(buf, size) < 0)
        snprintf(buf, size, "?");
    buf[size - 1] = '\0';
    return buf;
}

void move_begin(struct move *m, const struct run_options *o, struct run_result *ret)
{
    *ret = (struct run_result){ .time_ms = NOT_KNOWN,
                                .downtime_ms = NOT_KNOWN,
                                .bytes = NOT_KNOWN,
                                .memory_bytes = NOT_KNOWN,
                                .disk_bytes = NOT_KNOWN };
    *m = (struct move){
        .o = o, .result = ret, .wish = o->relocate, .kind = "migrate", .old_downtime_ms = NOT_KNOWN
    };
    m->began_ms = loop_now_ms();
    age_now(&m->began);
    m->survey = (struct survey){ .config = o->config,
                                 .source_uri = o->source_uri,
                                 .domain = o->domain,
                                 .dest = o->dest,
                                 .maps = o->maps,
                                 .n_maps = o->n_maps,
                                 .tls_destination = o->tls_destination,
                                 .via = o->via,
                                 .journal = move_record_for_worker,
                                 .context = m };
}

void move_leave(struct move *m)
{
    call_free(m->opening);
    m->opening = NULL;
    worker_leave(m->mover);
    for (int i = 0; i < 2; i++) {
        call_free(m->ahead[i].call);
        m->ahead[i].call = NULL;
        worker_leave(m->ahead[i].worker);
        worker_leave(m->seen[i]);
    }
    survey_leave(&m->survey);
}

void move_done(struct move *m)
{
    move_leave(m);
    reach_done(&m->ahead[0]);
    reach_done(&m->ahead[1]);
    worker_free(m->mover);
    worker_free(m->sender);
    gate_free(m->gate);
    worker_free(m->seen[0]);
    worker_free(m->seen[1]);
    m->seen[0] = m->seen[1] = NULL;
    survey_done(&m->survey);
    journal_free(m->journal);
    free(m->state_dir);
    m->mover = m->sender = NULL;
    m->gate = NULL;
    m->journal = NULL;
    m->state_dir = NULL;
}

static void leave(void *context)
{
    const struct move *m = context;

    if (m->o->signals.leave)
        m->o->signals.leave(m->o->context, m->run, m->journal && journal_last(m->journal, "migrate"));
}

static void slow(void *context, const char *what)
{
    const struct move *m = context;

    if (m->o->signals.slow)
        m->o->signals.slow(m->o->context, what);
}

void move_hear_signals(struct move *m)
{
    loop_tell(m->loop, leave, slow, m);
}

void move_phase(struct move *m, const char *name)
{
    struct run_progress p = { .phase = name,
                              .elapsed_ms = loop_now_ms() - m->began_ms,
                              .total_bytes = NOT_KNOWN,
                              .processed_bytes = NOT_KNOWN,
                              .remaining_bytes = NOT_KNOWN,
                              .bytes_per_s = NOT_KNOWN,
                              .dirty_bytes_per_s = NOT_KNOWN,
                              .pass = NOT_KNOWN };

    if (m->o->progress)
        m->o->progress(m->o->context, &p);
}

int move_cancelled(struct move *m, struct error *err)
{
    return error_set(err, ERROR_CANCELLED, NULL, "cancelled; the guest is at '%s'", m->survey.source_host);
}

int move_not_interrupted(struct move *m, struct error *err)
{
    if (loop_step(m->loop, 0, err) < 0)
        return -err->code;
    return loop_interrupts(m->loop) > 0 ? move_cancelled(m, err) : 0;
}

/* What libvirt said when a host was not reached, in an operator's words. What a driver said is in such. */
int move_connected(int r, struct error *err)
{
    if (r < 0 && err->code == ERROR_CONNECTION && err->why[0])
        (void)translate_error(err, NULL);
    return r;
}

bool move_blame_way(struct move *m, struct error *err)
{
    struct error ended = { 0 };

    if (!survey_way_has_ended(&m->survey, &ended))
        return false;
    (void)error_why(&ended, "%s", err->why[0] ? err->why : err->what);
    ended.code = err->code;
    *err = ended;
    return true;
}

/* One line for the user; of one that tells of a problem the result keeps a copy. */
static void __attribute__((format(printf, 3, 0)))
say(struct move *m, bool is_problem, const char *format, va_list args)
{
    char line[1024];

    (void)vsnprintf(line, sizeof line, format, args);
    if (is_problem)
        text_add(&m->result->problems, "%s\n", line);
    log_event("run", "says", "%s", line);
    if (m->o->say)
        m->o->say(m->o->context, line);
}

int move_surveyed(struct move *m, struct error *err)
{
    struct error ended = { 0 };
    const bool left = m->survey.left || survey_way_has_ended(&m->survey, &ended);

    if (m->journal_lost.code) {
        *err = m->journal_lost;
        return -err->code;
    }
    return move_record(m, "surveyed", left ? json_pack("{sb}", "left", 1) : NULL, err);
}

void move_say(struct move *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(m, false, format, args);
    va_end(args);
}

void move_problem(struct move *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(m, true, format, args);
    va_end(args);
}

/* A survey alone has a journal too, once a worker is about to create something. */
static int journal_of_survey(struct move *m, struct error *err)
{
    char host[HOST_NAME_SIZE];

    if (!m->state_dir && !(m->state_dir = state_dir(err)))
        return -err->code;
    if (name_new_run(m->run, err) < 0 || !(m->journal = journal_create(m->state_dir, m->run, err)))
        return -err->code;
    return journal_append(m->journal, "begin",
                          json_pack("{ss ss sI ss ss ss* ss ss}", "kind", "survey", "client",
                                    this_host(host, sizeof host), "pid", (json_int_t)getpid(), "domain",
                                    m->o->domain, "source_uri", m->o->source_uri, "dest_uri",
                                    m->survey.dest_uri, "source_host", m->survey.source_host, "dest_host",
                                    m->survey.dest_host),
                          err);
}

static int record_by(struct move *m, const char *step, json_t *fields,
                     int (*append)(struct journal *, const char *, json_t *, struct error *),
                     struct error *err)
{
    OWNED_JSON owned = fields;

    if (!m->journal && journal_of_survey(m, err) < 0)
        return -err->code;
    log_event("run", "step", "%s", step);
    return append(m->journal, step, owned ? json_incref(owned) : NULL, err);
}

int move_record(struct move *m, const char *step, json_t *fields, struct error *err)
{
    return record_by(m, step, fields, journal_append, err);
}

static int record_of_worker(struct move *m, const json_t *record, bool is_last, struct error *err)
{
    OWNED_JSON fields = json_deep_copy(record);
    const char *step = json_text(record, "step", NULL);

    if (!fields || !step)
        return error_set(err, ERROR_INPUT, NULL, "a worker's record for the journal has no step");
    (void)json_object_del(fields, "step");
    return record_by(m, step, json_incref(fields), is_last ? journal_append : journal_append_ahead, err);
}

int move_record_for_worker(void *move, const json_t *records, struct error *err)
{
    struct move *m = move;
    const size_t n = json_array_size(records);
    int r = json_is_array(records) ? 0 : record_of_worker(move, records, true, err);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = record_of_worker(move, json_array_get(records, i), i + 1 == n, err);
    if (r < 0 && !m->journal_lost.code)
        m->journal_lost = *err;
    return r;
}

void run_result_done(struct run_result *r)
{
    plan_free(r->plan);
    relocation_plan_free(r->relocation);
    facts_free(r->facts);
    text_done(&r->problems);
    r->plan = NULL;
    r->relocation = NULL;
    r->facts = NULL;
}

bool move_copies_disks(const struct move *m)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++)
        if (treatment_copies(m->strategy->disks[i]))
            return true;
    return false;
}
