/* SPDX-License-Identifier: Apache-2.0
 * All descriptors are gone through: those of before are left out. */
#include "verbs/peer.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>

void peers_note(struct peers *ret)
{
    for (unsigned fd = 0; fd < PEERS_MOST; fd++)
        ret->is_open[fd] = fcntl((int)fd, F_GETFD) >= 0;
}

bool peer_since(const struct peers *before, char buf[INET6_ADDRSTRLEN])
{
    for (unsigned fd = 0; fd < PEERS_MOST; fd++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t size = sizeof peer;

        if (!before->is_open[fd] && getpeername((int)fd, (struct sockaddr *)&peer, &size) == 0 &&
            (peer.ss_family == AF_INET || peer.ss_family == AF_INET6))
            return getnameinfo((struct sockaddr *)&peer, size, buf, INET6_ADDRSTRLEN, NULL, 0,
                               NI_NUMERICHOST) == 0;
    }
    return false;
}
