/* SPDX-License-Identifier: Apache-2.0
 * What migrate, recover and abort share on the screen: a run's words, and what the user's signals do to the
 * process. */
#ifndef CLI_RECOVERY_H
#define CLI_RECOVERY_H

#include "cli/cli.h"
#include "plugin/registry.h"
#include "run/recovery.h"

/* context is the struct cli. */
void recovery_say(void *context, const char *line);
/* Ends the process at once, with what the journal is left to. */
void recovery_leave(const struct cli *cli, const char *run, bool is_asked) __attribute__((noreturn));
void recovery_slow(const struct cli *cli, const char *what);

#endif
