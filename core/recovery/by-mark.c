/* SPDX-License-Identifier: Apache-2.0
 * A mark whose journal is not here. What its run had done cannot be known: so the mark goes only where its
 * run is over by its journal, or the operator attests that it is and the guest is seen to run on unharmed. */
#include "recovery/by-mark.h"

#include <stdio.h>

static json_t *state_of(const struct recovery_options *o, struct survey *s, struct worker **ret_worker,
                        struct error *err)
{
    json_t *state = NULL;

    if (name_check_domain(o->what, err) < 0 ||
        survey_host_of_uri(s->source_uri, s->source_host, sizeof s->source_host, err) < 0)
        return NULL;
    *ret_worker = survey_fresh(s, false, err);
    if (!*ret_worker ||
        worker_do(*ret_worker, "state", json_pack("{ss}", "domain", o->what), ANSWER_MS, &state, err) < 0)
        return NULL;
    return state;
}

static int clear_mark(struct worker *w, struct recovered *row, struct error *err)
{
    return worker_do(w, "mark-clear", json_pack("{ss ss}", "uuid", row->uuid, "run", row->run), ANSWER_MS,
                     NULL, err);
}

static void settled(struct recovered *row, const char *because)
{
    row->state = RECOVERED_SETTLED;
    row->outcome = OUTCOME_STAYED;
    row->because = because;
}

/* Its journal is lost, with the machine or without. */
static int drop_lost(const struct recovery_options *o, struct worker *w, const json_t *state,
                     struct recovered *row, struct error *err)
{
    char claim[400];

    if (json_flag(state, "has_job", false))
        return error_set(err, ERROR_BUSY, NULL, "a job is in progress on domain '%s'", row->domain);
    if (!text_equal(json_text(state, "state", ""), "running")) {
        error_set(err, ERROR_NOT_KNOWN, NULL, "domain '%s' is %s, and the journal of run '%s' is not here",
                  row->domain, json_text(state, "state", "?"), row->run);
        return error_fix(err,
                         "Find the journal, or look by hand at every host that it may have been moved to; "
                         "then resume it here, and run the same command again.");
    }
    (void)snprintf(claim, sizeof claim, "run %s no longer lives on '%s', and its journal is lost", row->run,
                   row->client);
    if (recovery_ask(o, claim, err) < 0)
        return -err->code;
    row->state = RECOVERED_WOULD;
    row->decision = "mark-clear";
    row->because = "the guest runs on, without a job";
    if (o->is_dry)
        return 0;
    if (clear_mark(w, row, err) < 0)
        return -err->code;
    settled(row, row->because);
    text_add(
        &row->problems,
        "what run %s had created at its destination is not known: look there for a domain '%s' that is not "
        "running, and for its images\n",
        row->run, row->domain);
    return error_set(err, ERROR_PROBLEMS, NULL, "the mark of run '%s' is removed; its journal is lost",
                     row->run);
}

/* The run is over by its own journal. A move takes its mark along: where it stands still, the host was dead
 * when the run was closed, and what it defines is a twin. */
static int clear_closed(const struct recovery_options *o, struct worker *w, const json_t *end,
                        struct recovered *row, struct error *err)
{
    static const char because[] = "its journal has its end";

    if (text_equal(json_text(end, "outcome", ""), "moved")) {
        error_set(err, ERROR_REFUSED, row->source_host,
                  "domain '%s' is left over here: run '%s' has moved it away", row->domain, row->run);
        return error_fix(err, "See that it runs elsewhere, then: virsh undefine --keep-nvram '%s'.",
                         row->domain);
    }
    if (o->is_dry) {
        row->state = RECOVERED_WOULD;
        row->decision = "mark-clear";
        row->because = because;
        return 0;
    }
    if (clear_mark(w, row, err) < 0)
        return -err->code;
    settled(row, because);
    return 0;
}

static void fill_row(struct recovered *row, const json_t *state, const struct survey *s)
{
    const json_t *mark = mark_in(state);

    (void)snprintf(row->run, sizeof row->run, "%s", json_text(mark, "run", ""));
    (void)snprintf(row->client, sizeof row->client, "%s", json_text(mark, "host", ""));
    (void)snprintf(row->kind, sizeof row->kind, "mark");
    (void)snprintf(row->domain, sizeof row->domain, "%s", json_text(state, "name", ""));
    (void)snprintf(row->uuid, sizeof row->uuid, "%s", json_text(state, "uuid", ""));
    (void)snprintf(row->source_host, sizeof row->source_host, "%s", s->source_host);
    (void)snprintf(row->source_seen, sizeof row->source_seen, "%s%s%s%s", json_text(state, "state", "?"),
                   json_text(state, "reason", "")[0] ? "/" : "", json_text(state, "reason", ""),
                   json_flag(state, "has_job", false) ? ", with a job" : "");
    row->began_s = json_u64(mark, "time_s", 0);
}

static enum mark_found judge(const struct recovery_options *o, struct worker *w, const json_t *state,
                             const char *dir, struct recovered *row)
{
    bool is_held = false;
    struct error absent = { 0 };
    OWNED_JSON records = NULL;
    char host[HOST_NAME_SIZE];

    if (name_check_run(row->run, &absent) == 0)
        records = journal_peek(dir, row->run, &is_held, &absent);
    if (records && !recover_last_step(records, "end"))
        return MARK_OPEN;
    if (records) {
        (void)clear_closed(o, w, recover_last_step(records, "end"), row, &row->err);
    } else if (absent.code == ERROR_ABSENT && (recovery_calls_dead(o, row->client) ||
                                               text_equal(row->client, this_host(host, sizeof host)))) {
        (void)drop_lost(o, w, state, row, &row->err);
    } else if (absent.code && absent.code != ERROR_ABSENT) {
        row->err = absent;
    } else {
        row->state = RECOVERED_ELSEWHERE;
        (void)mark_busy(mark_in(state), &row->err);
    }
    return MARK_TOLD;
}

enum mark_found recover_by_mark(const struct recovery_options *o, struct loop *loop, const char *dir,
                                struct recovered *row)
{
    struct survey s = { .loop = loop, .config = o->config, .source_uri = o->source_uri, .domain = o->what };
    OWNED(worker) w = NULL;
    OWNED_JSON state = state_of(o, &s, &w, &row->err);
    enum mark_found found = MARK_TOLD;

    if (state && !json_flag(state, "present", false)) {
        error_set(&row->err, ERROR_ABSENT, s.source_host,
                  "there is no open run of a domain '%s', and no such domain", o->what);
        error_fix(&row->err, "See the open runs: virt-ferry recover --dry-run.");
    } else if (state && !mark_in(state)) {
        found = MARK_NONE;
    } else if (state) {
        fill_row(row, state, &s);
        found = judge(o, w, state, dir, row);
    }
    worker_free(HAND_OVER(w));
    survey_done(&s);
    return found;
}
