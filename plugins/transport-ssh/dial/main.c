/* SPDX-License-Identifier: Apache-2.0
 * ssh's ProxyCommand, by ProxyUseFdpass: connects to HOST PORT and hands the socket to ssh, which then talks
 * to sshd by itself. Of such a socket packets that are small do not wait for the acknowledgement of those
 * before (40 ms in a login): ssh asks for that only when it has logged in. Says what ssh itself would say. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_S 3600

/* 0, or the errno for which there is no connection; *ret is closed then. */
static int finish(int fd, const struct addrinfo *to, int ms)
{
    struct pollfd one = { fd, POLLOUT, 0 };
    int problem = 0, ready;
    socklen_t n = sizeof problem;

    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    do
        ready = poll(&one, 1, ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return ETIMEDOUT;
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &n) < 0)
        return errno;
    return problem;
}

static int connect_to(const struct addrinfo *to, int ms, int *ret)
{
    static const int on = 1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
    int problem;

    if (fd < 0)
        return errno;
    problem = finish(fd, to, ms);
    /* As ssh has its own: blocking until it says otherwise, and kept alive. */
    if (!problem &&
        (fcntl(fd, F_SETFL, 0) < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
         setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0))
        problem = errno;
    if (problem) {
        (void)close(fd);
        return problem;
    }
    *ret = fd;
    return 0;
}

static bool hand_over(int fd, int to)
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

    memset(&room, 0, sizeof room);
    head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

static int dial(const char *host, const char *port, int ms, int *ret)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *all = NULL;
    int problem = getaddrinfo(host, port, &hints, &all);

    if (problem) {
        (void)fprintf(stderr, "ssh: Could not resolve hostname %s: %s\n", host, gai_strerror(problem));
        return -1;
    }
    for (const struct addrinfo *one = all; one; one = one->ai_next) {
        problem = connect_to(one, ms, ret);
        if (!problem)
            break;
    }
    freeaddrinfo(all);
    if (problem)
        (void)fprintf(stderr, "ssh: connect to host %s port %s: %s\n", host, port, strerror(problem));
    return problem ? -1 : 0;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    const long seconds = argc == 4 ? strtol(argv[3], &end, 10) : 0;
    int fd = -1;

    if (argc != 4 || *end || seconds < 1 || seconds > MOST_S) {
        (void)fprintf(stderr, "usage: transport-ssh-dial HOST PORT SECONDS, as ssh's ProxyCommand\n");
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dial(argv[1], argv[2], (int)seconds * 1000, &fd) < 0)
        return 1;
    if (!hand_over(fd, STDOUT_FILENO)) {
        (void)fprintf(stderr, "transport-ssh-dial: standard output takes no socket: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
