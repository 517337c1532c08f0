/* SPDX-License-Identifier: Apache-2.0
 * ssh's ProxyCommand, by ProxyUseFdpass: waits for a line that says where to, connects, and hands the socket
 * to ssh, which then talks to sshd by itself. Of such a socket packets that are small do not wait for the
 * acknowledgement of those before (40 ms in a login): ssh asks for that only when it has logged in. Says what
 * ssh itself would say of a failure, and else which address it was and how long that took: dial.h reads it.
 */
#include "../../common/pass-fd.h"
#include "../dial.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
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
#include <time.h>
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

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void tell(const struct addrinfo *to, uint64_t us)
{
    char address[INET6_ADDRSTRLEN + IF_NAMESIZE];

    if (getnameinfo(to->ai_addr, to->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
        (void)fprintf(stderr, "transport-ssh-dial: reached %s %" PRIu64 " us\n", address, us);
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
        const uint64_t begun = now_us();

        problem = connect_to(one, ms, ret);
        if (!problem) {
            tell(one, now_us() - begun);
            break;
        }
    }
    freeaddrinfo(all);
    if (problem)
        (void)fprintf(stderr, "ssh: connect to host %s port %s: %s\n", host, port, strerror(problem));
    return problem ? -1 : 0;
}

/* One line; whoever would write it may be gone instead. */
static bool read_line(const char *gate, char *buf, size_t size)
{
    const int fd = open(gate, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = fd >= 0 ? 1 : -1;

    while (got > 0 && n + 1 < size && !memchr(buf, '\n', n)) {
        do
            got = read(fd, buf + n, size - 1 - n);
        while (got < 0 && errno == EINTR);
        n += got > 0 ? (size_t)got : 0;
    }
    buf[n] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && buf[n - 1] == '\n';
}

int main(int argc, char **argv)
{
    char line[DIAL_LINE_SIZE];
    char *rest = line, *end = NULL;
    const char *host, *port, *number;
    long seconds;
    int fd = -1;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 2) {
        (void)fprintf(stderr, "usage: transport-ssh-dial GATE, as ssh's ProxyCommand; GATE gives a line HOST "
                              "PORT SECONDS\n");
        return 2;
    }
    if (!read_line(argv[1], line, sizeof line))
        return 1;
    host = strsep(&rest, " ");
    port = strsep(&rest, " ");
    number = rest ? rest : "";
    seconds = strtol(number, &end, 10);
    if (!port || end == number || *end != '\n' || seconds < 1 || seconds > MOST_S) {
        (void)fprintf(stderr, "transport-ssh-dial: a line that is not HOST PORT SECONDS\n");
        return 2;
    }
    if (dial(host, port, (int)seconds * 1000, &fd) < 0)
        return 1;
    if (!pass_fd(fd, STDOUT_FILENO)) {
        (void)fprintf(stderr, "transport-ssh-dial: standard output takes no socket: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
