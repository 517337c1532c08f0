/* SPDX-License-Identifier: Apache-2.0
 * SCM_RIGHTS. */
#include "pass-fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool pass_fd(int fd, int socket)
{
    char byte = 0;
    struct iovec data = { &byte, 1 };
    union {
        char bytes[CMSG_SPACE(sizeof fd)];
        struct cmsghdr aligned;
    } room;
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes
    };
    struct cmsghdr *head;
    ssize_t sent;

    memset(&room, 0, sizeof room);
    head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == 1;
}
