/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry plan: what would be done, what it would cost, and why everything else would not. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "facts/json.h"
#include "run/run.h"

const struct option_row plan_options[] = {
    REQUEST_LIMITS,
    { .name = NULL },
};

int cmd_plan(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { .cli = cli };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    r = run_plan(&request.run, &result, err);
    if (r == 0)
        r = request_show_plan(cli, result.plan, err);
    if (r == 0 && !plan_chosen(result.plan))
        r = request_refusal(cli, result.plan, err);
    run_result_done(&result);
    request_done(&request);
    return r;
}
