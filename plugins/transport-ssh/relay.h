/* SPDX-License-Identifier: Apache-2.0
 * Connections to a socket here, each handed on to one of several ssh: QEMU opens as many as it likes at one
 * place, and each ssh encrypts what it gets on a processor of its own. A process, which dies with this one.
 */
#ifndef TRANSPORT_SSH_RELAY_H
#define TRANSPORT_SSH_RELAY_H

#include "place.h"
#include <stdbool.h>

#define RELAY_SERVICES PLACE_SERVICES
#define RELAY_MOST 8u /* ssh */

struct relay {
    char here[RELAY_SERVICES][PLACE_PATH_SIZE];              /* where is listened; nothing stands there yet */
    unsigned n;                                              /* of those that follow */
    char there[RELAY_MOST][RELAY_SERVICES][PLACE_PATH_SIZE]; /* the same service, through each ssh */
};

/* It listens when this returns. 0, or an errno. One at a time. */
int relay_begin(const struct relay *r);
/* It has ended by itself: how, as a shell tells it, and which process it was. */
bool relay_has_ended(int *ret_code, long *ret_pid);
/* Ends it, and every connection with it; its sockets go. */
void relay_end(void);

#endif
