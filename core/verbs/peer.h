/* SPDX-License-Identifier: Apache-2.0
 * Where a connection of this process really leads: libvirt resolves names by itself, and does not tell. */
#ifndef VERBS_PEER_H
#define VERBS_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define PEERS_MOST 1024u

struct peers {
    bool is_open[PEERS_MOST]; /* by descriptor */
};

void peers_note(struct peers *ret);
/* The numeric address at the other end of what was connected since; false: by no network. */
bool peer_since(const struct peers *before, char buf[INET6_ADDRSTRLEN]);

#endif
