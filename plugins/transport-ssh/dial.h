/* SPDX-License-Identifier: Apache-2.0
 * ssh given a socket that is connected already (dial/main.c), where its configuration leaves the connection
 * alone: on that no small packet of a login waits 40 ms for the acknowledgement of the one before. */
#ifndef TRANSPORT_SSH_DIAL_H
#define TRANSPORT_SSH_DIAL_H

#include "place.h"
#include <netinet/in.h>
#include <stdint.h>

#define DIAL_PROGRAM "transport-ssh-dial" /* beside the plugin */
#define DIAL_SIZE 768u
#define DIAL_LINE_SIZE 320u /* "HOST PORT SECONDS\n" */

/* What the program has told of the connection that it made. */
struct dialled {
    char address[INET6_ADDRSTRLEN]; /* numeric, no brackets; "" = nothing was told */
    uint64_t latency_us;
};

/* By what ssh -G printed, beside a proxy: does ssh connect as it does by itself, from any address? */
bool dial_is_plain(const char *printed);

/* The program waits to be told where to: ssh can start before it is known. */
struct dial {
    int gate[2]; /* it opens the first; the second is ours */
};
/* "ProxyCommand=...", of the program that stands beside the plugin and is as hard to change for others;
 * false: it is not there, or a shell could misread its path, or that does not fit. ssh connects by itself
 * then. dial_done ends a program that still waits. */
bool dial_new(struct dial *ret, char *buf, size_t size);
/* To a name or an address; seconds: for each of its addresses. false: it could be misread; nothing is told.
 */
bool dial_to(const struct dial *d, const char *host, const char *port, unsigned seconds);
void dial_done(struct dial *d);

/* Of what ssh said before it ended: it was given no socket, and that is not the host's fault. */
bool dial_failed(const char *said);
/* Of what ssh said from its start; whoever answers at the other end speaks behind the program. */
void dial_reached(const char *said, struct dialled *ret);
/* What others said behind the program's line. */
const char *dial_behind(const char *said);

#endif
