/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry version: the program's own, and the ABI that its plugins must be built for. */
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "plugin/virt-ferry-plugin.h"
#include <stdio.h>

#ifndef FERRY_VERSION
#define FERRY_VERSION "0"
#endif

int cmd_version(struct cli *cli, const struct options *o, struct error *err)
{
    OWNED_JSON j = NULL;

    (void)o;
    if (!cli->is_json) {
        (void)printf("virt-ferry %s (plugin ABI %u)\n", FERRY_VERSION, FERRY_ABI);
        return 0;
    }
    j = json_pack("{s:s, s:i}", "version", FERRY_VERSION, "plugin_abi", (int)FERRY_ABI);
    return j ? output_json(j, err) : error_memory(err);
}
