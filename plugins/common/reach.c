/* SPDX-License-Identifier: Apache-2.0
 * Connects without blocking to all addresses of a host at once; keeps the first, or none.
 * Only the resolver can take longer than it was given: it cannot be bounded, the worker is. */
#include "reach.h"
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_ADDRESSES 16
#define EARLIER_US 250000u  /* for an address that stands before one that has answered */
#define MAX_MBIT 10000000ul /* above it a driver only says that it does not know */

struct attempts {
    struct pollfd list[MAX_ADDRESSES];
    const struct addrinfo *address[MAX_ADDRESSES];
    nfds_t n;
    int refused_errno; /* the last one seen */
};

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void start(struct attempts *a, const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
        a->refused_errno = errno;
        (void)close(fd);
        return;
    }
    if (fd < 0) {
        a->refused_errno = errno;
        return;
    }
    a->list[a->n] = (struct pollfd){ .fd = fd, .events = POLLOUT };
    a->address[a->n++] = address;
}

/* Reads the answers that have come; the index of one that is connected, or -1. */
static int take_answers(struct attempts *a)
{
    for (nfds_t i = 0; i < a->n; i++) {
        int problem = 0;
        socklen_t size = sizeof problem;

        if (a->list[i].fd < 0 || !a->list[i].revents)
            continue;
        if (getsockopt(a->list[i].fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0)
            return (int)i;
        a->refused_errno = problem;
        (void)close(a->list[i].fd);
        a->list[i].fd = -1;
    }
    return -1;
}

static int count_open(const struct attempts *a)
{
    int n = 0;

    for (nfds_t i = 0; i < a->n; i++)
        n += a->list[i].fd >= 0;
    return n;
}

/* The index of the first that answered, or -1; then refused_errno is ETIMEDOUT when some never did. */
static int wait_for_one(struct attempts *a, uint64_t until_us)
{
    while (count_open(a) > 0) {
        uint64_t now = now_us();
        int ms = now < until_us ? (int)((until_us - now + 999) / 1000) : 0;
        int n = poll(a->list, a->n, ms);
        int first;

        if (n < 0 && errno != EINTR) {
            a->refused_errno = errno;
            return -1;
        }
        first = n > 0 ? take_answers(a) : -1;
        if (first >= 0)
            return first;
        if (n == 0 && ms == 0)
            break;
    }
    if (count_open(a) > 0)
        a->refused_errno = ETIMEDOUT;
    return -1;
}

static int same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    if (!a || a->sa_family != b->sa_family)
        return 0;
    if (a->sa_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)a)->sin_addr, &((const struct sockaddr_in *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    return a->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

static uint64_t speed_of(const char *interface)
{
    char path[64 + IF_NAMESIZE];
    char line[32];
    FILE *file;
    unsigned long mbit = 0;

    (void)snprintf(path, sizeof path, "/sys/class/net/%s/speed", interface);
    file = fopen(path, "re");
    if (!file)
        return UINT64_MAX;
    if (fgets(line, sizeof line, file) && line[0] != '-')
        mbit = strtoul(line, NULL, 10);
    (void)fclose(file);
    return mbit > 0 && mbit < MAX_MBIT ? mbit * 125000u : UINT64_MAX;
}

/* By the interface that bears the local end's address. */
static uint64_t speed_of_link(int fd)
{
    struct sockaddr_storage own = { 0 };
    socklen_t size = sizeof own;
    struct ifaddrs *all = NULL;
    uint64_t speed = UINT64_MAX;

    if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 || getifaddrs(&all) < 0)
        return UINT64_MAX;
    for (const struct ifaddrs *i = all; i && speed == UINT64_MAX; i = i->ifa_next)
        if (same_address(i->ifa_addr, (const struct sockaddr *)&own))
            speed = speed_of(i->ifa_name);
    freeifaddrs(all);
    return speed;
}

uint64_t reach_speed(const char *address)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *to = NULL;
    uint64_t speed = UINT64_MAX;
    int fd = getaddrinfo(address, "9", &hints, &to) == 0 ? socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)
                                                         : -1;

    if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        speed = speed_of_link(fd);
    if (fd >= 0)
        (void)close(fd);
    if (to)
        freeaddrinfo(to);
    return speed;
}

static enum reach_answer answer_of(const struct attempts *a, const char **ret_why)
{
    switch (a->refused_errno) {
    case ECONNREFUSED:
        return REACH_REFUSED;
    case ETIMEDOUT:
        return REACH_SILENT;
    default:
        *ret_why = strerror(a->refused_errno);
        return REACH_FAILED;
    }
}

/* The first in order that is connected, or is connected soon: a resolver's order has its reasons. */
static int prefer_earlier(struct attempts *a, int answered, uint64_t until_us)
{
    const uint64_t patience_us = now_us() + EARLIER_US;
    const uint64_t limit_us = patience_us < until_us ? patience_us : until_us;
    const nfds_t all = a->n;
    int earlier;

    /* Those behind it are not waited for. */
    for (a->n = (nfds_t)answered; a->n > 0 && (earlier = wait_for_one(a, limit_us)) >= 0;
         a->n = (nfds_t)earlier)
        answered = earlier;
    a->n = all;
    return answered;
}

/* It stands before the one that answered, and is neither connected nor refused. */
static void note_silent(const struct attempts *a, int answered, struct reached *ret)
{
    for (int i = 0; i < answered && !ret->silent[0]; i++)
        if (a->list[i].fd >= 0 && getnameinfo(a->address[i]->ai_addr, a->address[i]->ai_addrlen, ret->silent,
                                              sizeof ret->silent, NULL, 0, NI_NUMERICHOST) != 0)
            ret->silent[0] = '\0';
}

static enum reach_answer connect_one(const struct addrinfo *all, uint64_t until_us, struct reached *ret,
                                     const char **ret_why, int *ret_fd)
{
    struct attempts a = { .refused_errno = EADDRNOTAVAIL };
    uint64_t begun = now_us();
    enum reach_answer answer = REACH_YES;
    int first;

    for (const struct addrinfo *i = all; i && a.n < MAX_ADDRESSES; i = i->ai_next)
        start(&a, i);
    first = wait_for_one(&a, until_us);
    ret->latency_us = now_us() - begun;
    if (first > 0) {
        first = prefer_earlier(&a, first, until_us);
        note_silent(&a, first, ret);
    }
    if (first < 0)
        answer = answer_of(&a, ret_why);
    else if (getnameinfo(a.address[first]->ai_addr, a.address[first]->ai_addrlen, ret->address,
                         sizeof ret->address, NULL, 0, NI_NUMERICHOST) != 0) {
        *ret_why = "the address cannot be written as a number";
        answer = REACH_FAILED;
    } else {
        ret->bytes_per_s = speed_of_link(a.list[first].fd);
        *ret_fd = a.list[first].fd;
        a.list[first].fd = -1;
    }
    for (nfds_t i = 0; i < a.n; i++)
        if (a.list[i].fd >= 0)
            (void)close(a.list[i].fd);
    return answer;
}

enum reach_answer reach(const char *host, const char *port, int ms, struct reached *ret, const char **ret_why)
{
    int fd;
    const enum reach_answer answer = reach_open(host, port, ms, ret, ret_why, &fd);

    if (fd >= 0)
        (void)close(fd);
    return answer;
}

enum reach_answer reach_open(const char *host, const char *port, int ms, struct reached *ret,
                             const char **ret_why, int *ret_fd)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    uint64_t until_us = now_us() + (uint64_t)ms * 1000u;
    struct addrinfo *all = NULL;
    enum reach_answer answer;
    int problem = getaddrinfo(host, port, &hints, &all);

    *ret = (struct reached){ .bytes_per_s = UINT64_MAX };
    *ret_why = "";
    *ret_fd = -1;
    if (problem != 0) {
        *ret_why = problem == EAI_SYSTEM ? strerror(errno) : gai_strerror(problem);
        return REACH_NO_NAME;
    }
    answer = connect_one(all, until_us, ret, ret_why, ret_fd);
    freeaddrinfo(all);
    return answer;
}
