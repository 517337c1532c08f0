/* SPDX-License-Identifier: Apache-2.0
 * Commands over the master without another ssh (session/main.c), where that program stands beside the plugin.
 */
#ifndef TRANSPORT_SSH_SESSION_H
#define TRANSPORT_SSH_SESSION_H

#include "place.h"

#define SESSION_PROGRAM "transport-ssh-session"

/* As words_of_run. */
void words_of_session(struct words *w, const struct place *p, const char *folder, const char *command);

#endif
