/* SPDX-License-Identifier: Apache-2.0
 * The mark: a run's name in the domain's own metadata while it works on it. Whoever finds another's undoes; a
 * mark whose journal is here and held by nobody is that of a run that died, and is settled first. libvirt has
 * no compare-and-set: why two runs cannot both think that they hold it stands in README.md. */
#include "run/move.h"

#include "base/log.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *time_words(uint64_t time_s, char *buf, size_t size)
{
    const time_t t = (time_t)time_s;
    struct tm utc;

    if (!gmtime_r(&t, &utc) || strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &utc) == 0)
        (void)snprintf(buf, size, "?");
    return buf;
}

int mark_busy(const json_t *mark, struct error *err)
{
    const char *run = json_text(mark, "run", "?"), *host = json_text(mark, "host", "?");
    char when[40];

    error_set(err, ERROR_BUSY, NULL, "run '%s' of host '%s' holds the domain since %s", run, host,
              time_words(json_u64(mark, "time_s", 0), when, sizeof when));
    return error_fix(
        err,
        "Wait for it. If it died, finish what it left, on '%s': virt-ferry recover %s. Where "
        "that machine is gone: virt-ferry recover --journal DIR, with a copy of its state folder.",
        host, run);
}

/* What an earlier run left; 0 when it is out of the way. */
static int settle_other(struct move *m, const json_t *mark, mark_settle *settle_dead, struct error *err)
{
    const char *run = json_text(mark, "run", "?");
    bool is_held = false;
    struct error absent = { 0 };
    enum run_outcome outcome = OUTCOME_NONE;
    OWNED_JSON records = NULL;

    if (name_check_run(run, &absent) == 0)
        records = journal_peek(m->state_dir, run, &is_held, &absent);
    /* It is here and cannot be read. Nobody works on it, and nobody may go on from it. */
    if (!records && absent.code == ERROR_NOT_KNOWN) {
        *err = absent;
        return -err->code;
    }
    if (!records || is_held)
        return mark_busy(mark, err);
    move_say(m, "run %s of this host died; it is settled first", run);
    if (settle_dead(m, run, &outcome, err) < 0)
        return -err->code;
    if (outcome == OUTCOME_MOVED)
        return error_set(err, ERROR_FAILED, NULL, "run '%s' turned out to have moved the domain", run);
    return 0;
}

static json_t *state_of(struct move *m, struct error *err)
{
    json_t *state = NULL;
    json_t *args =
        m->uuid[0] ? json_pack("{ss}", "uuid", m->uuid) : json_pack("{ss}", "domain", m->o->domain);

    return worker_do(m->survey.source, "state", args, ANSWER_MS, &state, err) < 0 ? NULL : state;
}

static int read_domain(struct move *m, const json_t *state, struct error *err)
{
    snprintf(m->uuid, sizeof m->uuid, "%s", json_text(state, "uuid", ""));
    snprintf(m->name, sizeof m->name, "%s", json_text(state, "name", ""));
    m->was_paused = text_equal(json_text(state, "state", ""), "paused");
    m->is_persistent = json_flag(state, "is_persistent", false);
    m->autostart = json_flag(state, "autostart", false);
    if (!json_flag(state, "present", false)) {
        error_set(err, ERROR_ABSENT, m->survey.source_host, "no domain '%s'", m->o->domain);
        return error_fix(err, "See what is there: virsh -c '%s' list --all.", m->o->source_uri);
    }
    /* Whose job it is the mark says better. */
    if (json_flag(state, "has_job", false) && !mark_in(state)) {
        error_set(err, ERROR_REFUSED, m->survey.source_host, "a job is in progress on domain '%s'",
                  m->o->domain);
        return error_fix(err, "Wait for it or abort it: virsh domjobinfo, virsh domjobabort.");
    }
    return 0;
}

const json_t *mark_in(const json_t *reply)
{
    const json_t *live = json_child(reply, "mark");

    return live ? live : json_child(reply, "mark_config");
}

uint64_t mark_settle_ms(uint64_t took_ms)
{
    if (took_ms <= MARK_PROMPT_MS)
        return MARK_SETTLE_MS;
    return took_ms > 1000u ? MARK_SLOWEST_MS : MARK_SLOW_MS + 4u * took_ms;
}

static int set_mark(struct move *m, struct error *err)
{
    OWNED_JSON reply = NULL;
    char host[HOST_NAME_SIZE];

    if (worker_do(m->survey.source, "mark-set",
                  json_pack("{ss ss ss sI}", "uuid", m->uuid, "run", m->run, "host",
                            this_host(host, sizeof host), "time_s", (json_int_t)time(NULL)),
                  ANSWER_MS, &reply, err) < 0)
        return -err->code;
    if (mark_in(reply))
        return mark_busy(mark_in(reply), err);
    m->marked_ms = loop_now_ms();
    m->mark_settles_ms = mark_settle_ms(json_u64(reply, "took_ms", NOT_KNOWN));
    log_event("run", "mark", "set in %llu ms, believed after %llu",
              (unsigned long long)json_u64(reply, "took_ms", NOT_KNOWN),
              (unsigned long long)m->mark_settles_ms);
    return 0;
}

/* A look that had to create something before the domain was marked has begun the run's journal already. */
static int begin_journal(struct move *m, struct error *err)
{
    OWNED_JSON begin = NULL;
    char host[HOST_NAME_SIZE];
    /* Before a channel is chosen it is the one that was given. */
    const char *dest_uri = m->survey.dest_uri ? m->survey.dest_uri : m->o->dest;

    if (!m->journal &&
        (name_new_run(m->run, err) < 0 || !(m->journal = journal_create(m->state_dir, m->run, err))))
        return -err->code;
    begin =
        json_pack("{ss ss sI ss ss ss ss* ss ss ss* sb sb sb}", "kind", m->kind, "client",
                  this_host(host, sizeof host), "pid", (json_int_t)getpid(), "domain", m->name, "uuid",
                  m->uuid, "source_uri", m->o->source_uri, "dest_uri", dest_uri, "source_host",
                  m->survey.source_host, "dest_host", m->survey.dest_host, "dest", m->o->dest, "was_paused",
                  (int)m->was_paused, "is_persistent", (int)m->is_persistent, "autostart", (int)m->autostart);
    if (!begin || age_put(begin, &m->began) < 0)
        return error_memory(err);
    return move_record(m, "begin", json_incref(begin), err);
}

int mark_take(struct move *m, mark_settle *settle_dead, struct error *err)
{
    OWNED_JSON state = state_of(m, err);
    const json_t *mark;

    if (!state || read_domain(m, state, err) < 0)
        return -err->code;
    mark = mark_in(state);
    if (mark) {
        survey_domain_changed(&m->survey);
        if (settle_other(m, mark, settle_dead, err) < 0)
            return -err->code;
        /* Settling changed it. */
        json_decref(state);
        state = state_of(m, err);
        if (!state || read_domain(m, state, err) < 0)
            return -err->code;
        if (mark_in(state))
            return mark_busy(mark_in(state), err);
    }
    if (begin_journal(m, err) < 0)
        return -err->code;
    snprintf(m->result->run, sizeof m->result->run, "%s", m->run);
    if (move_record(m, "mark", NULL, err) < 0)
        return -err->code;
    return set_mark(m, err);
}

int mark_judge(const struct move *m, const json_t *state, struct error *err)
{
    const json_t *mark = mark_in(state);

    if (!json_flag(state, "present", false))
        return error_set(err, ERROR_BUSY, m->survey.source_host,
                         "domain '%s' went away while this run prepared: another run moved it", m->name);
    if (!mark) {
        error_set(err, ERROR_BUSY, m->survey.source_host, "this run's mark is gone from domain '%s'",
                  m->name);
        return error_fix(err,
                         "See whether somebody else works on the domain, then run the same command again.");
    }
    return text_equal(json_text(mark, "run", ""), m->run) ? 0 : mark_busy(mark, err);
}

int mark_still_ours(struct move *m, struct error *err)
{
    const uint64_t age = loop_now_ms() - m->marked_ms;
    OWNED_JSON state = NULL;

    if (age < m->mark_settles_ms)
        loop_pause_ms((unsigned)(m->mark_settles_ms - age));
    state = state_of(m, err);
    if (!state || mark_judge(m, state, err) < 0)
        return -err->code;
    /* One that marked and went on before this run's slow mark came. */
    if (json_flag(state, "has_job", false))
        return error_set(err, ERROR_BUSY, m->survey.source_host, "a job has begun on domain '%s'", m->name);
    return 0;
}

/* Two runs at once disturb each other's survey: what one then finds is of less weight than that the other
 * holds the domain. */
void mark_first(struct move *m, struct error *err)
{
    struct error busy = { 0 };

    loop_end_waits(m->loop, false);
    if (err->code != ERROR_CANCELLED && m->journal && mark_still_ours(m, &busy) < 0 &&
        busy.code == ERROR_BUSY)
        *err = busy;
}
