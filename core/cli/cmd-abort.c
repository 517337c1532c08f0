/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry abort: stops the run that holds a domain, and waits until the guest is seen to be left in peace.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/running.h"
#include <stdio.h>

int cmd_abort(struct cli *cli, const struct options *o, struct error *err)
{
    const struct recovery_options options = { .source_uri = cli->uri,
                                              .what = operand_at(o, 0),
                                              .config = cli_config(cli, err),
                                              .say = running_say,
                                              .context = cli };
    struct recovered row;
    OWNED_JSON j = NULL;

    if (!options.config || registry_load(NULL, err) < 0)
        return -err->code;
    if (run_abort(&options, &row, err) < 0)
        return -err->code;
    if (!cli->is_json) {
        printf("Stopped run %s: the guest '%s' is at '%s'.\n", row.run, ESCAPED(row.domain),
               ESCAPED(row.source_host));
        return 0;
    }
    j = json_pack("{ss ss ss ss}", "outcome", "stayed", "run", row.run, "domain", row.domain, "source",
                  row.source_host);
    return j ? output_json(j, err) : error_memory(err);
}
