/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry migrate: moves a domain by the cheapest way that is safe, and says what became of it. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "migration/migrate.h"
#include <stdio.h>

const struct option_row migrate_options[] = {
    REQUEST_LIMITS,
    { .name = "strategy", .argument = "ID", .type = OPTION_TEXT, .help = "take this one of the plan" },
    { .name = "plan",
      .argument = "FILE",
      .type = OPTION_TEXT,
      .flags = OPTION_INSTEAD,
      .help = "do what a saved plan says, or nothing when it is stale" },
    { .name = "timeout",
      .argument = "TIME",
      .type = OPTION_MS,
      .bare_ms = 1000,
      .help = "abort the move after so many seconds; the guest then stays" },
    { .name = "dry-run", .help = "show the plan and end" },
    { .name = "live", .flags = OPTION_HIDDEN },
    { .name = "persistent", .flags = OPTION_HIDDEN },
    { .name = "undefinesource", .flags = OPTION_HIDDEN },
    { .name = NULL },
};

/* A saved plan names it by its uuid. */
static const char *name_of(const struct run_options *o, const struct run_result *result)
{
    return result->facts && result->facts->domain.name ? result->facts->domain.name : o->domain;
}

static void put_figure(json_t *j, const char *key, uint64_t figure)
{
    if (figure != NOT_KNOWN)
        (void)json_put_u64(j, key, figure);
}

static int result_json(const struct run_options *o, const struct run_result *result, struct error *err)
{
    OWNED_JSON j = json_pack("{ss ss ss ss}", "outcome", "moved", "run", result->run, "domain",
                             name_of(o, result), "destination", o->dest);
    OWNED_JSON problems = json_array();
    json_t *actual = json_object();

    if (!j || !actual || !problems || json_put(j, "actual", actual) < 0 ||
        (result->strategy && json_put_text(j, "strategy", result->strategy) < 0))
        return error_memory(err);
    put_figure(actual, "time_ms", result->time_ms);
    if (json_put_flag(actual, "went_postcopy", result->went_postcopy) < 0)
        return error_memory(err);
    put_figure(actual, "downtime_ms", result->downtime_ms);
    if (result->downtime_is_least && json_put_flag(actual, "downtime_is_least", true) < 0)
        return error_memory(err);
    put_figure(actual, "bytes", result->bytes);
    put_figure(actual, "memory_bytes", result->memory_bytes);
    put_figure(actual, "disk_bytes", result->disk_bytes);
    if (result->plan && json_put(j, "plan", plan_to_json(result->plan)) < 0)
        return error_memory(err);
    if (result->problems.len > 0 && json_put_text(j, "problems", text_of(&result->problems)) < 0)
        return error_memory(err);
    return output_json(j, err);
}

/* In lines, as the plan's sentence has: names and strategies are long. */
static void actual_lines(const struct run_options *o, const struct run_result *result)
{
    printf("Moved '%s' to '%s'", ESCAPED(name_of(o, result)), ESCAPED(o->dest));
    if (result->strategy)
        printf(" by %s", result->strategy);
    printf(":\n  %s", MS_TEXT(result->time_ms));
    if (result->downtime_ms != NOT_KNOWN)
        printf(", downtime %s%s", result->downtime_is_least ? "at least " : "", MS_TEXT(result->downtime_ms));
    if (result->bytes != NOT_KNOWN)
        printf(", %s", SIZE_TEXT(result->bytes));
    else if (result->strategy) /* else there was no move of this run */
        printf(", bytes not known");
    if (result->bytes != NOT_KNOWN && result->disk_bytes && result->memory_bytes)
        printf(" (%s of memory, %s of disks)", SIZE_TEXT(result->memory_bytes),
               SIZE_TEXT(result->disk_bytes));
    printf(".\n");
    if (result->strategy && text_starts(result->strategy, "postcopy"))
        printf("  %s.\n", result->went_postcopy ? "It went on in post-copy"
                                                : "Pre-copy was enough; post-copy stood ready");
}

static int report(const struct cli *cli, const struct run_options *o, const struct run_result *result,
                  struct error *err)
{
    if (result->outcome != OUTCOME_MOVED)
        return 0;
    if (cli->is_json)
        return result_json(o, result, err);
    actual_lines(o, result);
    return 0;
}

static int dry_run(struct request *request, struct error *err)
{
    struct run_result result = { 0 };
    int r = run_plan(&request->run, &result, err);

    if (r == 0 && request->cli->is_json)
        r = request_show_plan(request->cli, result.plan, err);
    if (r == 0 && !plan_chosen(result.plan))
        r = request_refusal(request->cli, result.plan, err);
    run_result_done(&result);
    return r;
}

/* Post-copy that nobody asked for is no reason to fail: where only the attempt showed that it cannot be had,
 * the guest is moved without it. */
static int migrate(struct request *request, struct run_result *result, struct error *err)
{
    int r = run_migrate(&request->run, result, err);

    if (r == 0 || !result->lacks_postcopy || request->run.strategy || request->run.saved)
        return r;
    output_remark(request->cli, "%s: the move is made again, without post-copy", err->what);
    run_result_done(result);
    *result = (struct run_result){ 0 };
    *err = (struct error){ 0 };
    request->run.limits.no_postcopy = true;
    return run_migrate(&request->run, result, err);
}

int cmd_migrate(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { 0 };
    struct error shown = { 0 };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    request.shows_plan = option_flag(o, "dry-run") || cli->verbosity > 0;
    if (option_flag(o, "dry-run")) {
        r = dry_run(&request, err);
        request_done(&request);
        return r;
    }
    request.progress = progress_new(cli, stderr, err);
    if (!request.progress)
        return -err->code;
    r = migrate(&request, &result, err);
    progress_free(request.progress);
    request.progress = NULL;
    if (report(cli, &request.run, &result, &shown) < 0 && r == 0) {
        *err = shown;
        r = -shown.code;
    }
    request_done(&request);
    if (r < 0 && result.run[0])
        output_remark(cli, "this was run %s", result.run);
    run_result_done(&result);
    return r;
}
