/* SPDX-License-Identifier: Apache-2.0
 * `recover`: which runs are meant, what may be done to each, and what became of it. How a run is settled
 * stands in settle-dead.c and settle.c; here is whose journal it is, whether its hosts are the right ones,
 * and what the operator attests. */
#include "recovery/recovery.h"

#include "base/log.h"
#include "recovery/by-mark.h"
#include <stdio.h>
#include <string.h>

void recovery_done(struct recovery *r)
{
    for (size_t i = 0; i < r->n; i++)
        text_done(&r->list[i].problems);
    free(r->list);
    *r = (struct recovery){ .n = 0 };
}

static struct recovered *add_row(struct recovery *r, const char *run, struct error *err)
{
    struct recovered *row;

    if (r->n == r->size) {
        size_t size = r->size ? 2 * r->size : 8;
        struct recovered *list = reallocarray(r->list, size, sizeof *list);

        if (!list) {
            error_memory(err);
            return NULL;
        }
        r->list = list;
        r->size = size;
    }
    row = &r->list[r->n++];
    *row = (struct recovered){ .state = RECOVERED_FAILED, .outcome = OUTCOME_NONE };
    (void)snprintf(row->run, sizeof row->run, "%s", run);
    return row;
}

static void copy(char *to, size_t size, const json_t *record, const char *key)
{
    (void)snprintf(to, size, "%s", json_text(record, key, ""));
}

static void fill_row(struct recovered *row, const json_t *records)
{
    const json_t *begin = recover_last_step(records, "begin");

    copy(row->kind, sizeof row->kind, begin, "kind");
    copy(row->domain, sizeof row->domain, begin, "domain");
    copy(row->uuid, sizeof row->uuid, begin, "uuid");
    copy(row->source_host, sizeof row->source_host, begin, "source_host");
    copy(row->dest_host, sizeof row->dest_host, begin, "dest_host");
    copy(row->client, sizeof row->client, begin, "client");
    copy(row->step, sizeof row->step, json_array_get(records, json_array_size(records) - 1), "step");
    row->began_s = json_u64(begin, "at_ms", 0) / 1000u;
}

static const char *seen_words(const struct move *m, bool is_dest, char *buf, size_t size)
{
    const struct sight *s = &m->sights[is_dest];

    if (m->is_dead[is_dest])
        (void)snprintf(buf, size, "dead (attested)");
    else if (s->at_ms == 0)
        buf[0] = '\0';
    else if (!s->was_heard)
        (void)snprintf(buf, size, "does not answer");
    else if (!s->state[0])
        (void)snprintf(buf, size, "absent");
    else
        (void)snprintf(buf, size, "%s%s%s%s", s->state, s->reason[0] ? "/" : "", s->reason,
                       s->has_job ? ", with a job" : "");
    return buf;
}

static void fill_seen(struct recovered *row, const struct move *m)
{
    (void)seen_words(m, false, row->source_seen, sizeof row->source_seen);
    (void)seen_words(m, true, row->dest_seen, sizeof row->dest_seen);
    if (m->row) {
        row->decision = decision_word(m->row->decision);
        row->row = m->row->name;
        row->because = m->row->because;
    }
}

bool recovery_calls_dead(const struct recovery_options *o, const char *host)
{
    for (size_t i = 0; i < o->n_dead; i++)
        if (text_equal(o->dead[i], host))
            return true;
    return false;
}

int recovery_ask(const struct recovery_options *o, const char *claim, struct error *err)
{
    if (o->is_dry || (o->attests && o->attests(o->context, claim)))
        return 0;
    error_set(err, ERROR_REFUSED, NULL, "nobody attested that %s", claim);
    return error_fix(err, "Make sure of it; then answer yes on the terminal, or add --yes.");
}

/* What answers is not dead, whatever the operator believes. */
static int take_dead(const struct recovery_options *o, struct move *m, struct error *err)
{
    const char *const hosts[2] = { m->survey.source_host, m->survey.dest_host };

    for (int i = 0; i < 2; i++) {
        OWNED(worker) w = NULL;
        struct error silent = { 0 };
        char claim[400];

        if (!recovery_calls_dead(o, hosts[i]))
            continue;
        w = survey_fresh(&m->survey, i == 1, &silent);
        if (w) {
            error_set(err, ERROR_REFUSED, hosts[i], "this host answers, so it is not dead");
            return error_fix(err, "Run the same command without --host-is-dead '%s'.", hosts[i]);
        }
        (void)snprintf(claim, sizeof claim, "host '%s' is dead: no guest runs there, nor ever goes on there",
                       hosts[i]);
        if (recovery_ask(o, claim, err) < 0)
            return -err->code;
        m->is_dead[i] = true;
    }
    return 0;
}

/* "This host" in another machine's journal is that machine; -c says how it is reached from here. */
static int take_source(const struct recovery_options *o, struct move *m, struct error *err)
{
    char host[256];
    OWNED(worker) w = NULL;
    OWNED_JSON reply = NULL;

    if (survey_host_of_uri(m->survey.source_uri, host, sizeof host, err) < 0)
        return -err->code;
    if (!text_equal(host, "localhost"))
        return 0;
    if (!o->is_uri_given) {
        error_set(err, ERROR_USAGE, NULL, "run '%s' was begun on its source '%s' itself", m->run,
                  m->survey.source_host);
        return error_fix(err, "Say how that host is reached from here: virt-ferry -c URI recover %s.",
                         m->run);
    }
    m->survey.source_uri = o->source_uri;
    if (recovery_calls_dead(o, m->survey.source_host))
        return 0;
    w = survey_fresh(&m->survey, false, err);
    if (!w || worker_do(w, "hostname", json_pack("{ss}", "dest_host", ""), ANSWER_MS, &reply, err) < 0)
        return -err->code;
    if (text_equal(json_text(reply, "hostname", ""), m->survey.source_host))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' leads to '%s', and run '%s' was of '%s'", o->source_uri,
              json_text(reply, "hostname", "?"), m->run, m->survey.source_host);
    return error_fix(err, "Give the URI of '%s' with -c.", m->survey.source_host);
}

static int take_foreign(const struct recovery_options *o, struct move *m, const struct recovered *row,
                        struct error *err)
{
    char claim[400];

    if (!m->is_foreign)
        return 0;
    if (take_source(o, m, err) < 0)
        return -err->code;
    (void)snprintf(claim, sizeof claim,
                   "run %s no longer lives on '%s', and this is the newest copy of its journal", m->run,
                   row->client);
    return recovery_ask(o, claim, err);
}

static int record_attested(struct move *m, struct error *err)
{
    if (!m->is_dead[0] && !m->is_dead[1] && !m->is_foreign)
        return 0;
    return move_record(m, "attested",
                       json_pack("{sb sb sb}", "source_is_dead", (int)m->is_dead[0], "dest_is_dead",
                                 (int)m->is_dead[1], "client_is_gone", (int)m->is_foreign),
                       err);
}

/* What settling would begin with; nothing is done. */
static void would(struct move *m, struct recovered *row)
{
    row->state = RECOVERED_WOULD;
    if (row->domain[0] && !text_equal(row->kind, "survey")) {
        const struct evidence e = look_at_both(m);

        m->row = settle_expects(m, &e);
    }
    fill_seen(row, m);
    if (m->row && postcopy_is_cut(m)) {
        row->decision = "join";
        row->because = "each host has its part of it, and they may reach each other again";
    }
}

static int settle_row_of(const struct recovery_options *o, struct move *m, struct recovered *row)
{
    struct error *err = &row->err;

    if (recover_resume(m, err) < 0 || take_foreign(o, m, row, err) < 0 || take_dead(o, m, err) < 0)
        return -err->code;
    if (o->is_dry) {
        would(m, row);
        return 0;
    }
    if (record_attested(m, err) < 0 || recover_settle(m, err) < 0) {
        fill_seen(row, m);
        if (err->code == ERROR_PROBLEMS)
            row->state = RECOVERED_SETTLED;
        return -err->code;
    }
    fill_seen(row, m);
    row->state = RECOVERED_SETTLED;
    return 0;
}

/* One run whose journal is in dir; what became of it stands in the row. */
static void recover_this(const struct recovery_options *o, struct loop *loop, const char *dir,
                         struct recovered *row)
{
    struct run_result result = { .outcome = OUTCOME_NONE };
    const struct run_options run = { .source_uri = o->source_uri,
                                     .domain = row->domain,
                                     .ask_password = o->ask_password,
                                     .config = o->config,
                                     .say = o->say,
                                     .signals = o->signals,
                                     .context = o->context };
    struct move m = { .o = &run, .result = &result, .loop = loop };
    bool is_held = false;

    m.survey = (struct survey){
        .loop = loop, .config = o->config, .journal = move_record_for_worker, .context = &m
    };
    (void)snprintf(m.run, sizeof m.run, "%s", row->run);
    move_hear_signals(&m);
    m.journal =
        o->is_dry ? journal_look(dir, row->run, &is_held, &row->err) : journal_open(dir, row->run, &row->err);
    if (m.journal)
        (void)settle_row_of(o, &m, row);
    else if (row->err.code == ERROR_BUSY)
        row->state = RECOVERED_ALIVE;
    row->outcome = result.outcome;
    row->problems = result.problems;
    result.problems = (struct text){ 0 };
    loop_tell(loop, NULL, NULL, NULL);
    move_done(&m);
    run_result_done(&result);
}

/* A process holds it: who, and is that one of its own or another recovery? */
static void tell_alive(struct recovered *row, const json_t *records)
{
    const json_t *by = recover_last_step(records, "recover");
    char when[40];

    row->state = RECOVERED_ALIVE;
    error_set(&row->err, ERROR_BUSY, NULL, "run '%s' of domain '%s' is %s since %s", row->run, row->domain,
              by ? "being recovered" : "in progress",
              time_words(by ? json_u64(by, "at_ms", 0) / 1000u : row->began_s, when, sizeof when));
    error_fix(&row->err,
              by ? "Wait until that has ended." : "Wait for it, or stop it: virt-ferry abort '%s'.",
              row->domain);
}

static bool is_meant(const struct recovery_options *o, const struct recovered *row)
{
    return !o->what || text_equal(o->what, row->run) || text_equal(o->what, row->domain) ||
           text_equal(o->what, row->uuid);
}

static int look_at_run(const struct recovery_options *o, struct loop *loop, const char *dir, const char *run,
                       struct recovery *ret, struct error *err)
{
    bool is_held = false;
    struct error unreadable = { 0 };
    OWNED_JSON records = journal_peek(dir, run, &is_held, &unreadable);
    struct recovered *row = add_row(ret, run, err);
    const json_t *end = recover_last_step(records, "end");

    const bool is_unbegun = records && !is_held && json_array_size(records) <= 1;

    if (!row)
        return -err->code;
    fill_row(row, records);
    if (is_unbegun && !o->is_dry)
        (void)journal_close_unbegun(dir, run, &unreadable);
    if (!is_meant(o, row) || (records && (end || is_unbegun) && !text_equal(o->what, run))) {
        if (!records && !ret->unreadable.code)
            ret->unreadable = unreadable;
        ret->n--;
        return 0;
    }
    if (!records) {
        row->err = unreadable;
    } else if (end || is_unbegun) {
        row->state = RECOVERED_CLOSED;
        row->outcome = text_equal(json_text(end, "outcome", ""), "moved") ? OUTCOME_MOVED : OUTCOME_STAYED;
    } else if (is_held) {
        tell_alive(row, records);
    } else {
        recover_this(o, loop, dir, row);
    }
    return 0;
}

/* The worse, the later. A run that lives is none of `recover`'s business, unless it was named, or is what
 * another recovery works on. */
static int weight(const struct recovery_options *o, const struct recovered *row)
{
    static const int order[] = { ERROR_CONNECTION, ERROR_REFUSED,    ERROR_BUSY,
                                 ERROR_PROBLEMS,   ERROR_GUEST_LOST, ERROR_NOT_KNOWN };
    const int code = row->err.code;

    if (!code || (row->state == RECOVERED_ALIVE && !o->what && !strstr(row->err.what, "being recovered")))
        return -1;
    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
        if (code == order[i])
            return i + 1;
    return 0;
}

static int worst(const struct recovery_options *o, const struct recovery *all, struct error *err)
{
    int heaviest = -1;

    for (size_t i = 0; i < all->n; i++) {
        const int w = weight(o, &all->list[i]);

        if (w > heaviest) {
            heaviest = w;
            *err = all->list[i].err;
        }
    }
    return heaviest < 0 ? 0 : -err->code;
}

static bool has_to_do_with(const char *dir, const char *run, const char *host)
{
    bool is_held = false;
    struct error ignored = { 0 };
    OWNED_JSON records = journal_peek(dir, run, &is_held, &ignored);
    const json_t *begin = recover_last_step(records, "begin");

    return begin && !recover_last_step(records, "end") &&
           (text_equal(json_text(begin, "source_host", ""), host) ||
            text_equal(json_text(begin, "dest_host", ""), host));
}

/* --host-is-dead with a name that no run has is a slip of the pen. A mark alone may name any. */
static int check_dead(const struct recovery_options *o, const char *dir, const json_t *runs,
                      struct error *err)
{
    for (size_t i = 0; i < o->n_dead && json_array_size(runs) > 0; i++) {
        bool is_met = false;
        const json_t *run;
        size_t k;

        json_array_foreach(runs, k, run) is_met |= has_to_do_with(dir, json_string_value(run), o->dead[i]);
        if (is_met)
            continue;
        error_set(err, ERROR_USAGE, NULL, "no open run has to do with host '%s'", o->dead[i]);
        return error_fix(err, "See the hosts as the journals name them: virt-ferry recover --dry-run.");
    }
    return 0;
}

static int recover_all(const struct recovery_options *o, struct loop *loop, const char *dir,
                       const json_t *runs, struct recovery *ret, struct error *err)
{
    const json_t *run;
    size_t i;

    json_array_foreach(runs, i, run)
    {
        if (loop_interrupts(loop) > 0)
            return error_set(err, ERROR_CANCELLED, NULL,
                             "cancelled; runs that are still open were left alone");
        if (look_at_run(o, loop, dir, json_string_value(run), ret, err) < 0)
            return -err->code;
    }
    return 0;
}

/* Its run may have moved it away, and then there is no mark to find here. */
static void suspect_unreadable(const struct recovery_options *o, const struct recovery *all,
                               struct recovered *row)
{
    if (row->err.code != ERROR_ABSENT || !all->unreadable.code)
        return;
    row->err = all->unreadable;
    (void)error_why(&row->err,
                    "there is no domain '%s' here, and that may be the journal of its run; what it did "
                    "cannot be known",
                    o->what);
}

int run_recover(const struct recovery_options *o, struct recovery *ret, struct error *err)
{
    OWNED(loop) loop = loop_new(err);
    OWNED_MEMORY char *dir = NULL;
    OWNED_JSON runs = NULL;
    struct error not_a_run = { 0 };

    if (!loop || !(dir = o->journal_dir ? state_dir_at(o->journal_dir, err) : state_dir(err)) ||
        !(runs = journal_list(dir, err)) || check_dead(o, dir, runs, err) < 0)
        return -err->code;
    if (recover_all(o, loop, dir, runs, ret, err) < 0)
        return -err->code;
    if (ret->n == 0 && o->what && name_check_run(o->what, &not_a_run) < 0) {
        struct recovered *row = add_row(ret, "", err);

        if (!row)
            return -err->code;
        switch (recover_by_mark(o, loop, dir, row)) {
        case MARK_NONE:
            ret->n--;
            break;
        case MARK_OPEN:
            recover_this(o, loop, dir, row);
            break;
        case MARK_TOLD:
            suspect_unreadable(o, ret, row);
            break;
        }
    } else if (ret->n == 0 && o->what) {
        error_set(err, ERROR_ABSENT, NULL, "there is no run '%s' in '%s'", o->what, dir);
        return error_fix(err, "See those that are open: virt-ferry recover --dry-run.");
    }
    return worst(o, ret, err);
}
