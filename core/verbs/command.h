/* SPDX-License-Identifier: Apache-2.0
 * A command on the host that a worker serves: here when its libvirt is this machine's own, over the way where
 * there is one. Runs in the worker. */
#ifndef VERBS_COMMAND_H
#define VERBS_COMMAND_H

#include "plugin/virt-ferry-plugin.h"
#include "worker/worker.h"

/* The words of argv are constants of printable ASCII without ' and !; what comes from outside goes through
 * command->input. 0 when it ended, whatever its exit code; ERROR_REFUSED where no command can be run. */
int command_run(struct child *c, struct ferry_command *command, struct error *err);

/* Without trying one: can any be run on that host? */
bool command_can_run(struct child *c);

/* The same for a shell's script, a constant, with input on its standard input (NULL: none): all that it
 * printed, malloc'ed, whatever its exit code. NULL with the error: it could not be run, did not end in time,
 * or printed more than COMMAND_OUTPUT bytes or no text. */
char *command_script(struct child *c, const char *script, const char *input, unsigned ms, struct error *err);

/* {"argv": [words], "input", "timeout_ms"}: {"exit", "output", "is_cut"}; at most COMMAND_OUTPUT bytes. */
int verb_run(struct child *c, const json_t *args, json_t *reply, struct error *err);
#define COMMAND_OUTPUT 65536u

#endif
