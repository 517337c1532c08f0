/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry help: the same text as --help. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/help.h"
#include <stdio.h>

int cmd_help(struct cli *cli, const struct options *o, struct error *err)
{
    OWNED_TEXT t = { 0 };
    char *words[2] = { (char *)operand_at(o, 0), (char *)operand_at(o, 1) };
    int n = (int)operand_count(o), n_words = 0;
    const struct command *c = NULL;

    (void)cli;
    if (n == 0) {
        help_all(&t);
    } else if (n > 1 || !help_group(&t, words[0])) {
        c = command_find(n, words, &n_words, err);
        if (!c)
            return -err->code;
        if (n_words < n)
            return error_set(err, ERROR_USAGE, NULL, "'%s' is no part of command '%s'", words[n_words],
                             c->name);
        help_command(&t, c);
    }
    if (t.failed)
        return error_memory(err);
    (void)fputs(text_of(&t), stdout);
    return 0;
}
