/* SPDX-License-Identifier: Apache-2.0
 * What migrate, recover and abort share on the screen: a run's words, and what the user's signals do to the
 * process. */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include "cli/cli.h"
#include "plugin/registry.h"
#include "recovery/recovery.h"

/* context is the struct cli. */
void running_say(void *context, const char *line);
/* Ends the process at once, with what the journal is left to. */
void running_leave(const struct cli *cli, const char *run, bool is_asked) __attribute__((noreturn));
void running_slow(const struct cli *cli, const char *what);

#endif
