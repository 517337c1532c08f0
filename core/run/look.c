/* SPDX-License-Identifier: Apache-2.0
 * A look at a host over a fresh connection: an error is "not known", never "absent". */
#include "run/move.h"

#include "base/log.h"
#include <stdio.h>

static enum side_state state_of_word(const char *word)
{
    if (text_equal(word, "running"))
        return SIDE_RUNNING;
    if (text_equal(word, "paused"))
        return SIDE_PAUSED;
    if (text_equal(word, "shutoff") || text_equal(word, "crashed"))
        return SIDE_OFF;
    return SIDE_NOT_KNOWN;
}

static enum side_reason reason_of_word(const char *word)
{
    if (text_equal(word, "migration") || text_equal(word, "starting-up"))
        return REASON_MIGRATION;
    if (text_equal(word, "user"))
        return REASON_USER;
    if (text_equal(word, "postcopy") || text_equal(word, "postcopy-failed"))
        return REASON_POSTCOPY;
    if (text_equal(word, "failed"))
        return REASON_FAILED;
    if (text_equal(word, "migrated"))
        return REASON_MIGRATED;
    if (text_equal(word, "destroyed"))
        return REASON_DESTROYED;
    return REASON_OTHER;
}

static struct side side_of(struct move *m, bool is_dest, const json_t *state)
{
    struct side side = { .state = SIDE_ABSENT };
    struct age_moment now;

    age_now(&now);
    side.has_rebooted = json_u64(state, "uptime_s", NOT_KNOWN) < age_s(&m->began, &now);
    if (json_flag(state, "present", false)) {
        side.state = state_of_word(json_text(state, "state", ""));
        side.reason = reason_of_word(json_text(state, "reason", ""));
        side.has_job = json_flag(state, "has_job", false);
    }
    log_event("run", "look", "%s: %s %s%s", is_dest ? m->survey.dest_host : m->survey.source_host,
              json_flag(state, "present", false) ? json_text(state, "state", "?") : "absent",
              json_text(state, "reason", ""), side.has_job ? ", with a job" : "");
    return side;
}

static void note_sight(struct move *m, bool is_dest, const json_t *state)
{
    struct sight *s = &m->sights[is_dest];
    const json_t *mark = mark_in(state);

    *s = (struct sight){ .at_ms = 0 };
    (void)snprintf(s->state, sizeof s->state, "%s", json_text(state, "state", ""));
    (void)snprintf(s->reason, sizeof s->reason, "%s", json_text(state, "reason", ""));
    s->was_heard = true;
    s->is_persistent = json_flag(state, "is_persistent", false);
    s->has_job = json_flag(state, "present", false) && json_flag(state, "has_job", false);
    s->has_other_mark = mark && !text_equal(json_text(mark, "run", ""), m->run);
    if (s->has_other_mark)
        (void)snprintf(s->other_run, sizeof s->other_run, "%s", json_text(mark, "run", ""));
}

bool look_is_stale(const struct move *m)
{
    uint64_t newest = 0;

    for (int i = 0; i < 2; i++)
        if (m->sights[i].at_ms > newest)
            newest = m->sights[i].at_ms;
    return loop_stops(m->loop) != m->n_stops || loop_awake_ms() - newest > LOOK_FRESH_MS;
}

void look_ahead(struct move *m)
{
    if (m->ahead_ms)
        return;
    m->ahead_ms = loop_now_ms();
    for (int i = 0; i < 2; i++)
        survey_reach(&m->survey, i, &m->ahead[i]);
}

/* What was begun ahead is taken once, by the look that it was begun for: a connection that broke meanwhile
 * makes that look "not known", and the next one is made over another. */
static void reach_for_look(struct move *m, bool is_dest, struct reach *ret)
{
    struct reach *ahead = &m->ahead[is_dest];

    if (ahead->worker && loop_now_ms() - m->ahead_ms < LOOK_AHEAD_MS) {
        *ret = *ahead;
        *ahead = (struct reach){ .is_dest = is_dest };
        return;
    }
    reach_done(ahead);
    survey_reach(&m->survey, is_dest, ret);
}

/* A look that was begun: the question stands behind the connection, so that both hosts answer at once. */
struct looking {
    struct reach reach;
    struct call *state;
};

static void looking_done(struct looking *l)
{
    call_free(l->state);
    reach_done(&l->reach);
}
#define OWNED_LOOKING __attribute__((cleanup(looking_done))) struct looking

static json_t *uuid_args(const struct move *m)
{
    return json_pack("{ss}", "uuid", m->uuid);
}

static void begin_look(struct move *m, bool is_dest, struct looking *ret)
{
    struct error later = { 0 };

    m->sights[is_dest] = (struct sight){ .at_ms = 0 };
    m->n_stops = loop_stops(m->loop);
    worker_free(m->seen[is_dest]);
    m->seen[is_dest] = NULL;
    *ret = (struct looking){ .reach.is_dest = is_dest };
    if (m->is_dead[is_dest])
        return;
    reach_for_look(m, is_dest, &ret->reach);
    if (ret->reach.worker)
        ret->state = worker_ask(ret->reach.worker, "state", uuid_args(m), ANSWER_MS, &later);
}

/* Over another connection than the one that was begun it is asked again. */
static int hear_state(struct move *m, struct looking *l, struct worker *fresh, json_t **ret,
                      struct error *err)
{
    if (l->state && worker_has(fresh, l->state))
        return call_wait(l->state, ret, err);
    return worker_do(fresh, "state", uuid_args(m), ANSWER_MS, ret, err);
}

static struct side hear_look(struct move *m, struct looking *l)
{
    const bool is_dest = l->reach.is_dest;
    struct error err = { 0 };
    OWNED(worker) fresh = NULL;
    OWNED_JSON state = NULL;

    if (m->is_dead[is_dest])
        return (struct side){ .state = SIDE_DEAD };
    fresh = survey_reached(&m->survey, &l->reach, NULL, &err);
    if (!fresh || hear_state(m, l, fresh, &state, &err) < 0) {
        log_event("run", "look", "%s: not known: %s", is_dest ? m->survey.dest_host : m->survey.source_host,
                  err.what);
        return (struct side){ .state = SIDE_NOT_KNOWN };
    }
    m->seen[is_dest] = HAND_OVER(fresh);
    note_sight(m, is_dest, state);
    return side_of(m, is_dest, state);
}

static struct side finish_look(struct move *m, struct looking *l)
{
    const struct side side = hear_look(m, l);

    m->sights[l->reach.is_dest].at_ms = loop_awake_ms();
    return side;
}

struct side look_at(struct move *m, bool is_dest)
{
    OWNED_LOOKING l = { .state = NULL };

    begin_look(m, is_dest, &l);
    return finish_look(m, &l);
}

struct worker *look_worker(struct move *m, bool is_dest, struct error *err)
{
    struct worker *seen = m->seen[is_dest];

    if (m->is_dead[is_dest]) {
        error_set(err, ERROR_CONNECTION, is_dest ? m->survey.dest_host : m->survey.source_host,
                  "the host is dead, as was attested");
        return NULL;
    }
    m->seen[is_dest] = NULL;
    return seen ? seen : survey_fresh(&m->survey, is_dest, err);
}

void look_worker_back(struct move *m, bool is_dest, struct worker *w)
{
    if (!w)
        return;
    worker_free(m->seen[is_dest]);
    m->seen[is_dest] = w;
}

/* A copied journal may lack its end: that libvirt was not asked is then believed only where both hosts show
 * nothing else. */
static bool looks_asked(const struct move *m, const struct evidence *e)
{
    const enum side_state before = m->was_paused ? SIDE_PAUSED : SIDE_RUNNING;

    return e->source.has_job || e->dest.state != SIDE_ABSENT || e->source.state != before;
}

struct evidence look_at_both(struct move *m)
{
    struct evidence e = {
        .was_asked = journal_last(m->journal, "migrate") != NULL,
        .was_paused = m->was_paused,
        .is_held = m->is_held,
        .said_moved = journal_last(m->journal, "migrated") != NULL,
    };

    OWNED_LOOKING source = { .state = NULL };
    OWNED_LOOKING dest = { .state = NULL };

    begin_look(m, false, &source);
    if (e.was_asked || m->is_foreign)
        begin_look(m, true, &dest);
    e.source = finish_look(m, &source);
    e.dest = e.was_asked || m->is_foreign ? finish_look(m, &dest) : (struct side){ .state = SIDE_ABSENT };
    e.was_asked = e.was_asked || (m->is_foreign && looks_asked(m, &e));
    e.dest_rebooted = e.dest.has_rebooted;
    /* The wish alone proves nothing: a destroy that failed may have been followed by a guest that ran. */
    e.dest_destroyed =
        journal_last(m->journal, "dest-destroy-done") != NULL ||
        (journal_last(m->journal, "dest-destroy") != NULL && e.dest.reason == REASON_DESTROYED);
    return e;
}
