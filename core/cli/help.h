/* SPDX-License-Identifier: Apache-2.0
 * Help, made from the rows of commands and options alone. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/text.h"
#include "cli/commands.h"

void help_all(struct text *t);
/* All commands whose first word it is; false when there is none of more than that word. */
bool help_group(struct text *t, const char *word);
void help_command(struct text *t, const struct command *c);

#endif
