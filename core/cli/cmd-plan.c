/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry plan: what would be done, what it would cost, and why everything else would not. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "facts/json.h"
#include "run/run.h"

const struct option_row plan_options[] = {
    REQUEST_FACTS,
    { .name = "save-facts",
      .argument = "FILE",
      .type = OPTION_TEXT,
      .help = "write what this plan was made of to a file, for --facts" },
    { .name = "output",
      .letter = 'o',
      .argument = "FILE",
      .type = OPTION_TEXT,
      .help = "save the chosen strategy to a file, for migrate --plan" },
    REQUEST_LIMITS,
    { .name = "strategy", .argument = "ID", .type = OPTION_TEXT, .help = "ask for this one of the plan" },
    { .name = "measure-dirty",
      .argument = "SECONDS",
      .type = OPTION_U64,
      .help = "watch for so long (1 to 60) how fast the guest writes its memory, and measure the way" },
    { .name = NULL },
};

static int save_facts(const char *path, const struct facts *f, struct error *err)
{
    OWNED_JSON j = facts_to_json(f);

    return j ? output_file(path, j, err) : error_memory(err);
}

int cmd_plan(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { .cli = cli };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    r = request_plan(&request, o, &result, err);
    if (r == 0 && option_text(o, "save-facts"))
        r = save_facts(option_text(o, "save-facts"), result.facts, err);
    if (r == 0)
        r = request_show_plan(cli, result.plan, err);
    if (r == 0 && option_text(o, "output"))
        r = request_save_plan(&request, result.plan, option_text(o, "output"), err);
    if (r == 0 && !plan_chosen(result.plan))
        r = request_refusal(cli, result.plan, err);
    run_result_done(&result);
    request_done(&request);
    return r;
}
