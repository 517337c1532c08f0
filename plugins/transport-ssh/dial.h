/* SPDX-License-Identifier: Apache-2.0
 * ssh given a socket that is connected already (dial/main.c), where its configuration leaves the connection
 * alone: on that no small packet of a login waits 40 ms for the acknowledgement of the one before. */
#ifndef TRANSPORT_SSH_DIAL_H
#define TRANSPORT_SSH_DIAL_H

#include "place.h"

#define DIAL_PROGRAM "transport-ssh-dial" /* beside the plugin */
#define DIAL_SIZE 768u

/* By what ssh -G printed, beside a proxy: does ssh connect as it does by itself, from any address? */
bool dial_is_plain(const char *printed);
/* "ProxyCommand=...", by the program that stands beside the plugin and is as hard to change for others;
 * false: it is not there, or a word could be more than a word to a shell, or does not fit. ssh connects by
 * itself then. */
bool dial_option(char *buf, size_t size, const char *host, const char *port, unsigned seconds);
/* Of what ssh said before it ended: it was given no socket, and that is not the host's fault. */
bool dial_failed(const char *said);

#endif
