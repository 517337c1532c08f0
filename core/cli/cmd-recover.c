/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry recover: finishes or undoes the runs that died, and says of each what was found and done. */
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/running.h"
#include "cli/table.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct option_row recover_options[] = {
    { .name = "dry-run", .help = "say of each open run what is found and what would be done" },
    { .name = "host-is-dead",
      .argument = "HOST",
      .type = OPTION_TEXT,
      .flags = OPTION_REPEATS,
      .help = "attest that this host is dead and will not go on with a guest; one that answers is refused" },
    { .name = "journal",
      .argument = "DIR",
      .type = OPTION_TEXT,
      .help = "the state folder of another machine, copied or mounted here" },
    { .name = "yes", .letter = 'y', .help = "attest without being asked" },
    { .name = NULL },
};

struct asker {
    struct cli *cli;
    bool says_yes;
};

static bool attests(void *context, const char *claim)
{
    const struct asker *a = context;

    return a->says_yes || (!a->cli->is_json && ask_attest(claim));
}

static void say(void *context, const char *line)
{
    const struct asker *a = context;

    running_say(a->cli, line);
}

static void leave(void *context, const char *run, bool is_asked)
{
    const struct asker *a = context;

    running_leave(a->cli, run, is_asked);
}

static void slow(void *context, const char *what)
{
    const struct asker *a = context;

    running_slow(a->cli, what);
}

static const char *state_word(const struct recovered *row)
{
    static const char *const words[] = {
        [RECOVERED_ALIVE] = "in progress",    [RECOVERED_ELSEWHERE] = "elsewhere",
        [RECOVERED_CLOSED] = "closed before", [RECOVERED_WOULD] = "open",
        [RECOVERED_SETTLED] = "settled",      [RECOVERED_FAILED] = "open"
    };

    return words[row->state];
}

/* The table's decisions, as what would come next. */
static const char *would_words(const struct recovered *row)
{
    static const struct {
        const char *decision, *words;
    } rows[] = {
        { "stayed", "would undo what was prepared" },
        { "resume-source", "would resume the guest at the source, and undo" },
        { "drop-dest", "would end what waits at the destination" },
        { "finish", "would finish the move" },
        { "resume-dest", "would start the guest at the destination" },
        { "wait", "would wait for the job" },
        { "gone", "would touch nothing: it runs nowhere" },
        { "twice", "would touch nothing: it runs twice" },
        { "not-known", "would touch nothing: it is not known" },
        { "mark-clear", "would remove the mark" },
        { "join", "would join its halves again" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_equal(row->decision, rows[i].decision))
            return rows[i].words;
    return "would remove what it had created";
}

/* What was done, or would be. */
static void add_result(struct text *t, const struct recovered *row)
{
    if (row->err.code && row->state != RECOVERED_SETTLED)
        text_add(t, "%s", row->err.what);
    else if (row->state == RECOVERED_WOULD)
        text_add(t, "%s", would_words(row));
    else if (row->outcome == OUTCOME_MOVED)
        text_add(t, "the guest is at '%s'", row->dest_host);
    else if (row->outcome == OUTCOME_STAYED)
        text_add(t, "the guest is at '%s'", row->source_host);
    else
        text_add(t, "what it had created is removed");
    if (row->because && row->state != RECOVERED_ALIVE)
        text_add(t, ": %s", row->because);
}

static void add_side(struct text *t, const char *host, const char *seen)
{
    text_add(t, "%s%s%s", host, *seen ? ": " : "", seen);
}

static int add_row(struct table *t, const struct recovered *row, struct error *err)
{
    OWNED_TEXT source = { 0 };
    OWNED_TEXT dest = { 0 };
    OWNED_TEXT result = { 0 };
    const char *cells[] = { row->run, row->domain, state_word(row), row->step, NULL, NULL, NULL };

    add_side(&source, row->source_host, row->source_seen);
    add_side(&dest, row->dest_host, row->dest_seen);
    add_result(&result, row);
    if (source.failed || dest.failed || result.failed)
        return error_memory(err);
    cells[4] = text_of(&source);
    cells[5] = text_of(&dest);
    cells[6] = text_of(&result);
    return table_add(t, cells, err);
}

static void print_problems(const struct recovery *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *at = text_of(&all->list[i].problems);

        while (*at) {
            const size_t n = strcspn(at, "\n");
            OWNED_MEMORY char *line = strndup(at, n);

            printf("  %s: %s\n", all->list[i].run, line ? ESCAPED(line) : "?");
            at += n + (at[n] == '\n');
        }
    }
}

static int print_table(const struct recovery *all, struct error *err)
{
    static const char *const headings[] = { "RUN",    "DOMAIN",      "STATE",  "NEWEST STEP",
                                            "SOURCE", "DESTINATION", "RESULT", NULL };
    OWNED(table) t = NULL;

    if (all->n == 0) {
        printf("No run is open.\n");
        return 0;
    }
    t = table_new(headings, err);
    for (size_t i = 0; t && i < all->n; i++)
        if (add_row(t, &all->list[i], err) < 0)
            return -err->code;
    if (!t || table_print(t, err) < 0)
        return -err->code;
    print_problems(all);
    return 0;
}

static json_t *json_of(const struct recovered *row)
{
    static const char *const outcomes[] = {
        [OUTCOME_MOVED] = "moved", [OUTCOME_STAYED] = "stayed", [OUTCOME_NOT_KNOWN] = "not-known"
    };
    OWNED_JSON error = row->err.code ? json_of_error(&row->err) : NULL;

    if (row->err.code && (!error || json_put(error, "exit", json_integer(error_exit(row->err.code))) < 0))
        return NULL;
    return json_pack("{ss ss ss* ss* ss* ss* ss* ss* ss* ss* ss* ss* ss* ss* sI sO*}", "run", row->run,
                     "state", state_word(row), "kind", row->kind[0] ? row->kind : NULL, "domain",
                     row->domain[0] ? row->domain : NULL, "uuid", row->uuid[0] ? row->uuid : NULL, "source",
                     row->source_host[0] ? row->source_host : NULL, "destination",
                     row->dest_host[0] ? row->dest_host : NULL, "client", row->client[0] ? row->client : NULL,
                     "source_seen", row->source_seen[0] ? row->source_seen : NULL, "destination_seen",
                     row->dest_seen[0] ? row->dest_seen : NULL, "decision", row->decision, "row", row->row,
                     "outcome", row->outcome == OUTCOME_NONE ? NULL : outcomes[row->outcome], "problems",
                     row->problems.len ? text_of(&row->problems) : NULL, "began_s", (json_int_t)row->began_s,
                     "error", error);
}

/* The errors are members of it: stdout is one document. */
static int print_json(const struct recovery *all, struct error *err)
{
    OWNED_JSON list = json_array();
    OWNED_JSON j = NULL;

    for (size_t i = 0; list && i < all->n; i++)
        if (json_array_append_new(list, json_of(&all->list[i])) < 0)
            return error_memory(err);
    j = json_pack("{sO}", "runs", list);
    return j ? output_json(j, err) : error_memory(err);
}

static int recover(struct asker *a, const struct recovery_options *options, struct error *err)
{
    struct recovery all = { .n = 0 };
    struct error shown = { 0 };
    int r = run_recover(options, &all, err);

    if ((all.n > 0 || r == 0) &&
        (a->cli->is_json ? print_json(&all, &shown) : print_table(&all, &shown)) < 0 && r == 0) {
        *err = shown;
        r = -shown.code;
    } else if (all.n > 0 && a->cli->is_json && r < 0) {
        err->what[0] = '\0';
    }
    (void)fflush(stdout);
    recovery_done(&all);
    return r;
}

int cmd_recover(struct cli *cli, const struct options *o, struct error *err)
{
    struct asker a = { cli, option_flag(o, "yes") };
    const size_t n = option_count(o, "host-is-dead");
    OWNED_MEMORY const char **dead = calloc(n + 1, sizeof *dead);
    struct recovery_options options = { .source_uri = cli->uri,
                                        .is_uri_given = option_given(o, "connect"),
                                        .what = operand_at(o, 0),
                                        .journal_dir = option_text(o, "journal"),
                                        .dead = dead,
                                        .n_dead = n,
                                        .is_dry = option_flag(o, "dry-run"),
                                        .config = cli_config(cli, err),
                                        .attests = attests,
                                        .say = say,
                                        .signals = { leave, slow },
                                        .ask_password =
                                            cli->is_json || !isatty(STDIN_FILENO) ? NULL : ask_password,
                                        .context = &a };

    if (!dead)
        return error_memory(err);
    if (!options.config || registry_load(NULL, err) < 0)
        return -err->code;
    for (size_t i = 0; i < n; i++)
        dead[i] = option_nth(o, "host-is-dead", i);
    return recover(&a, &options, err);
}
