/* SPDX-License-Identifier: Apache-2.0
 * What the parts of a run share: its journal, its words to the user, its end. */
#include "run/move.h"

#include "base/fault.h"
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void move_done(struct move *m)
{
    call_free(m->opening);
    worker_leave(m->mover);
    reach_done(&m->ahead[0]);
    reach_done(&m->ahead[1]);
    worker_leave(m->seen[0]);
    worker_leave(m->seen[1]);
    worker_free(m->mover);
    worker_free(m->copier);
    gate_free(m->gate);
    worker_free(m->seen[0]);
    worker_free(m->seen[1]);
    m->opening = NULL;
    m->seen[0] = m->seen[1] = NULL;
    survey_done(&m->survey);
    journal_free(m->journal);
    free(m->state_dir);
    m->mover = m->copier = NULL;
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

int move_record(struct move *m, const char *step, json_t *fields, struct error *err)
{
    OWNED_JSON owned = fields;

    if (!m->journal && journal_of_survey(m, err) < 0)
        return -err->code;
    log_event("run", "step", "%s", step);
    return journal_append(m->journal, step, owned ? json_incref(owned) : NULL, err);
}

int move_record_for_worker(void *move, const json_t *record, struct error *err)
{
    OWNED_JSON fields = json_deep_copy(record);
    const char *step = json_text(record, "step", NULL);

    if (!fields || !step)
        return error_set(err, ERROR_INPUT, NULL, "a worker's record for the journal has no step");
    (void)json_object_del(fields, "step");
    return move_record(move, step, json_incref(fields), err);
}

int move_act(struct move *m, bool is_dest, const char *step, const char *verb, struct error *err)
{
    const struct sight *s = &m->sights[is_dest];
    OWNED(worker) fresh = NULL;
    char done[64];

    if (move_record(m, step, NULL, err) < 0 || !(fresh = look_worker(m, is_dest, err)))
        return -err->code;
    if (fault_point("act"))
        return error_set(err, ERROR_FAILED, NULL, "step '%s' was not done: fault 'act'", step);
    /* The last moment before it: what was seen of the other host counts no longer after a stop. */
    if (look_is_stale(m))
        return error_set(err, ERROR_STALE, NULL, "what was seen is too old to act upon");
    if (worker_do(
            fresh, verb,
            json_pack("{ss s{ss ss}}", "uuid", m->uuid, "expect", "state", s->state, "reason", s->reason),
            ANSWER_MS * 2u, NULL, err) < 0)
        return -err->code;
    snprintf(done, sizeof done, "%s-done", step);
    return move_record(m, done, NULL, err);
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
