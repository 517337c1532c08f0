/* SPDX-License-Identifier: Apache-2.0
 * Runs a program on this machine: argv and no shell, bytes in, bounded bytes out, a limit of time.
 * It dies with whoever called. The one place where a short-lived program is started. */
#ifndef PLUGIN_PROGRAM_H
#define PLUGIN_PROGRAM_H

#include "base/error.h"
#include "plugin/virt-ferry-plugin.h"

/* 0 when it ended, whatever its exit code. ERROR_ABSENT: there is no such program; ERROR_TIMEOUT: killed. */
int program_run(struct ferry_command *c, struct error *err);

#endif
