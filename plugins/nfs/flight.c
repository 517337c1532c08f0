/* SPDX-License-Identifier: Apache-2.0
 * The loop around libnfs, which itself never waits: poll, with the time that is left. */
#include "flight.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { LANDED = 0, WENT_WRONG = 1 }; /* libnfs's RPC_STATUS_SUCCESS and _ERROR */

void flight_landed(struct rpc_context *rpc, int status, void *data, void *private_data)
{
    struct asked *a = private_data;

    (void)rpc;
    a->flight->waiting--;
    if (status == LANDED) {
        if (a->take)
            a->take(a->into, data);
        return;
    }
    a->flight->failed = true;
    if (status == WENT_WRONG && data && !a->flight->why[0])
        (void)snprintf(a->flight->why, sizeof a->flight->why, "%s", (const char *)data);
}

void flight_refuse(struct flight *f, struct rpc_context *rpc)
{
    f->failed = true;
    if (!f->why[0])
        (void)snprintf(f->why, sizeof f->why, "%s",
                       rpc_get_error(rpc) ? rpc_get_error(rpc) : "libnfs refused");
}

uint64_t flight_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* libnfs says of a refused connection that the socket hung up. */
static void say_broken(int fd, struct flight *f)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0)
        (void)snprintf(f->why, sizeof f->why, "%s", strerror(error));
}

bool flight_is_closed(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) < 0 || n == 0;
}

static bool turn(struct rpc_context *rpc, struct flight *f, uint64_t until_ms)
{
    const uint64_t now = flight_now_ms();
    struct pollfd at = { .fd = rpc_get_fd(rpc), .events = (short)rpc_which_events(rpc) };
    int n;

    if (now >= until_ms)
        return false;
    n = poll(&at, 1, (int)(until_ms - now));
    if (n < 0)
        return errno == EINTR;
    if (n > 0 && at.revents & POLLERR) {
        say_broken(at.fd, f);
        return false;
    }
    /* Where libnfs does not see it poll would say so again and again, until the time is over. */
    if (n > 0 && at.revents & POLLIN && flight_is_closed(at.fd)) {
        (void)snprintf(f->why, sizeof f->why, "it closed the connection");
        return false;
    }
    return n > 0 && rpc_service(rpc, at.revents) == 0;
}

bool flight_wait(struct rpc_context **rpc, struct flight *f, uint64_t until_ms)
{
    bool good = true;

    while (good && f->waiting > 0 && !f->failed)
        good = turn(*rpc, f, until_ms);
    if (good && !f->failed)
        return true;
    if (!f->why[0] && flight_now_ms() < until_ms)
        (void)snprintf(f->why, sizeof f->why, "%s",
                       rpc_get_error(*rpc) ? rpc_get_error(*rpc) : "it closed the connection");
    /* Lands what still flies. */
    rpc_destroy_context(*rpc);
    *rpc = NULL;
    return false;
}

struct rpc_context *flight_connect(const char *address, int port, struct flight *f, uint64_t until_ms)
{
    struct rpc_context *rpc = rpc_init_context();
    struct asked a = { .flight = f };

    *f = (struct flight){ .waiting = 1 };
    if (!rpc) {
        (void)snprintf(f->why, sizeof f->why, "no memory left");
        return NULL;
    }
    if (rpc_connect_async(rpc, address, port, flight_landed, &a) < 0) {
        f->waiting = 0;
        flight_refuse(f, rpc);
    }
    return flight_wait(&rpc, f, until_ms) ? rpc : NULL;
}
