/* SPDX-License-Identifier: Apache-2.0
 * One poll loop; bytes go from socket to socket through a pipe of the kernel's (splice), and never come up
 * here. What one side does not take stays with the other: a pipe for each direction is all that is held.
 *
 *   QEMU ──► here ──► the ssh that has fewest of them ──► there
 *
 * A connection is handed on when it comes; where an ssh is gone the next one gets it. The end of a direction
 * is passed on when all before it was; a side that is gone altogether ends the other as soon as it writes.
 *
 * QEMU before 8.0 takes the first connection that arrives for the main one, whichever it is. So the others of
 * RAM wait until the first has arrived: ssh reads of a connection only once sshd has made the other end of it
 * (what is being opened is not read: channels.c there). */
#include "relay.h"
#include "ended.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIRS_MOST 128u /* connections at a time, six descriptors each; more of them wait */
#define PIPE_BYTES (256 * 1024)
#define ROUNDS 8     /* of one direction, before the others have their turn */
#define ARRIVAL_MS 2 /* how often the first is looked at: nothing tells that it has arrived */
#define RAM 0u

/* From one side of a pair to the other. */
struct half {
    int pipe[2];
    size_t held;     /* bytes in the pipe */
    bool has_passed; /* some went through */
    bool is_over;
};
struct pair {
    struct half half[2]; /* from fd[0] to fd[1], and back */
    int fd[2];           /* QEMU, ssh */
    unsigned by;         /* which ssh */
    bool is_hung[2];     /* that side is gone; what it sent may still be there to be read */
    bool is_ram;
    bool is_first; /* of RAM's, and not known to have arrived */
};

/* Of the process of its own. */
static const struct relay *plan;
static struct pair pairs[PAIRS_MOST];
static unsigned n_pairs, load[RELAY_MOST];
static bool is_full;

static struct relay begun; /* by the process that asked for it */
static pid_t child, ended_pid;
static int ended_as;

/* ---- one pair ---- */

static void close_fds(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

static void pair_close(struct pair *p)
{
    close_fds(p->fd, 2);
    close_fds(p->half[0].pipe, 2);
    close_fds(p->half[1].pipe, 2);
}

static bool is_for_later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* All that came was passed on: so is the end. */
static void half_ends(struct half *h, int to)
{
    h->is_over = true;
    (void)shutdown(to, SHUT_WR);
}

/* Nobody takes it any more: whoever sends it hears of that. */
static void half_is_dead(struct half *h, int from)
{
    h->is_over = true;
    h->held = 0;
    (void)shutdown(from, SHUT_RD);
}

/* The pipe is filled when it is empty, and emptied when it is not: how full it is nobody can tell. */
static void half_step(struct half *h, int from, int to)
{
    for (int i = 0; i < ROUNDS && !h->is_over; i++) {
        ssize_t n;

        if (h->held == 0) {
            n = splice(from, NULL, h->pipe[1], NULL, PIPE_BYTES, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
            if (n < 0 && is_for_later())
                return;
            if (n <= 0) {
                half_ends(h, to);
                return;
            }
            h->held = (size_t)n;
        }
        n = splice(h->pipe[0], NULL, to, NULL, h->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (n < 0 && is_for_later())
            return;
        if (n <= 0)
            half_is_dead(h, from);
        else
            h->held -= (size_t)n;
        h->has_passed |= n > 0;
    }
}

/* What poll is to look for on that side. A side that is gone is told again and again: not to be asked then
 * but for what it left. */
static struct pollfd side_poll(const struct pair *p, int side)
{
    const struct half *out = &p->half[side], *in = &p->half[1 - side];
    struct pollfd f = { .fd = p->fd[side] };

    if (!out->is_over && out->held == 0)
        f.events |= POLLIN;
    if (!in->is_over && in->held > 0)
        f.events |= POLLOUT;
    if (p->is_hung[side] && !f.events)
        f.fd = -1;
    return f;
}

static void side_heard(struct pair *p, int side, short events)
{
    struct half *in = &p->half[1 - side];

    if (!(events & (POLLHUP | POLLERR)))
        return;
    p->is_hung[side] = true;
    if (!in->is_over)
        half_is_dead(in, p->fd[1 - side]);
}

/* All that was passed on to ssh was read by it. */
static bool has_arrived(const struct pair *p)
{
    int left = 0;

    return p->half[0].has_passed && ioctl(p->fd[1], SIOCOUTQ, &left) == 0 && left == 0;
}

/* false: it is over, and closed. */
static bool pair_step(struct pair *p, short of_qemu, short of_ssh)
{
    if (of_qemu || of_ssh) {
        side_heard(p, 0, of_qemu);
        side_heard(p, 1, of_ssh);
        half_step(&p->half[0], p->fd[0], p->fd[1]);
        half_step(&p->half[1], p->fd[1], p->fd[0]);
    }
    p->is_first = p->is_first && !has_arrived(p);
    if (!p->half[0].is_over || !p->half[1].is_over)
        return true;
    pair_close(p);
    return false;
}

/* ---- new ones ---- */

static int connect_to(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* The one with fewest that is not in `tried`; RELAY_MOST: there is none. */
static unsigned idlest(unsigned tried)
{
    unsigned best = RELAY_MOST;

    for (unsigned i = 0; i < plan->n; i++)
        if (!(tried & 1u << i) && (best == RELAY_MOST || load[i] < load[best]))
            best = i;
    return best;
}

static int hand_on(unsigned service, unsigned *ret_by)
{
    unsigned tried = 0;

    for (unsigned by; (by = idlest(tried)) != RELAY_MOST; tried |= 1u << by) {
        const int fd = connect_to(plan->there[by][service]);

        *ret_by = by;
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static bool pipe_open(struct half *h)
{
    if (pipe2(h->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    (void)fcntl(h->pipe[0], F_SETPIPE_SZ, PIPE_BYTES); /* else it is smaller */
    return true;
}

/* Is there a connection of RAM's, or its first one that is still on its way? */
static bool has_ram(bool is_on_its_way)
{
    for (unsigned i = 0; i < n_pairs; i++)
        if (pairs[i].is_ram && (pairs[i].is_first || !is_on_its_way))
            return true;
    return false;
}

static void take_in(int listener, unsigned service)
{
    struct pair p = { .fd = { -1, -1 }, .half = { { .pipe = { -1, -1 } }, { .pipe = { -1, -1 } } } };

    p.fd[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (p.fd[0] < 0) {
        /* No descriptor is left, or the like: when one ends there is. */
        is_full = !is_for_later() && errno != ECONNABORTED;
        return;
    }
    p.fd[1] = hand_on(service, &p.by);
    if (p.fd[1] < 0 || !pipe_open(&p.half[0]) || !pipe_open(&p.half[1])) {
        pair_close(&p);
        return;
    }
    p.is_ram = service == RAM;
    p.is_first = p.is_ram && !has_ram(false);
    load[p.by]++;
    pairs[n_pairs++] = p;
}

/* ---- the loop ---- */

static void step(const int *listeners)
{
    struct pollfd list[RELAY_SERVICES + 2 * PAIRS_MOST];
    const unsigned before = n_pairs;
    const bool waits = has_ram(true), has_room = !is_full && n_pairs < PAIRS_MOST;
    unsigned kept = 0;

    for (unsigned i = 0; i < RELAY_SERVICES; i++)
        list[i] =
            (struct pollfd){ .fd = has_room && !(waits && i == RAM) ? listeners[i] : -1, .events = POLLIN };
    for (unsigned i = 0; i < before; i++)
        for (int side = 0; side < 2; side++)
            list[RELAY_SERVICES + 2 * i + (unsigned)side] = side_poll(&pairs[i], side);
    if (poll(list, RELAY_SERVICES + 2 * before, waits ? ARRIVAL_MS : -1) < 0)
        return;
    for (unsigned i = 0; i < before; i++) {
        const struct pollfd *f = &list[RELAY_SERVICES + (size_t)2 * i];

        if (pair_step(&pairs[i], f[0].revents, f[1].revents)) {
            pairs[kept++] = pairs[i];
            continue;
        }
        load[pairs[i].by]--;
        is_full = false;
    }
    n_pairs = kept;
    for (unsigned i = 0; i < RELAY_SERVICES; i++)
        if (list[i].revents && n_pairs < PAIRS_MOST)
            take_in(listeners[i], i);
}

static __attribute__((noreturn)) void serve(const int *sockets, pid_t parent)
{
    const int high[RELAY_SERVICES] = { fcntl(sockets[0], F_DUPFD, RELAY_SERVICES),
                                       fcntl(sockets[1], F_DUPFD, RELAY_SERVICES) };
    int listeners[RELAY_SERVICES];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (getppid() != parent)
        _exit(1);
    for (int i = 0; i < (int)RELAY_SERVICES; i++)
        listeners[i] = dup2(high[i], i);
    /* Nothing of our parent's stays open here, its socket to its own parent least of all. */
    if (listeners[0] < 0 || listeners[1] < 0 || close_range(RELAY_SERVICES, ~0u, 0) < 0)
        _exit(1);
    plan = &begun;
    while (!is_full || n_pairs > 0)
        step(listeners);
    _exit(1);
}

/* ---- for the process that asked ---- */

/* Open to root alone from its first moment on. */
static int listen_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (fd >= 0 && (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
                    listen(fd, SOMAXCONN) < 0)) {
        const int problem = errno;

        (void)close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

int relay_begin(const struct relay *r)
{
    const pid_t self = getpid();
    int sockets[RELAY_SERVICES] = { -1, -1 };
    int problem = 0;

    relay_end();
    ended_pid = 0;
    begun = *r;
    for (unsigned i = 0; i < RELAY_SERVICES && !problem; i++) {
        sockets[i] = listen_at(begun.here[i]);
        if (sockets[i] < 0) {
            problem = errno;
            begun.here[i][0] = '\0'; /* what stands there is another's */
        }
    }
    if (!problem) {
        child = fork();
        if (child == 0)
            serve(sockets, self);
        if (child < 0)
            problem = errno;
    }
    close_fds(sockets, RELAY_SERVICES);
    if (problem) {
        child = 0;
        relay_end();
    }
    return problem;
}

bool relay_has_ended(int *ret_code, long *ret_pid)
{
    int status;

    if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
        ended_pid = child;
        ended_as = ended_code(status);
        child = 0;
    }
    *ret_code = ended_as;
    *ret_pid = (long)ended_pid;
    return ended_pid > 0;
}

void relay_end(void)
{
    if (child > 0) {
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    child = 0;
    for (unsigned i = 0; i < RELAY_SERVICES; i++)
        if (begun.here[i][0])
            (void)unlink(begun.here[i]);
    begun = (struct relay){ .n = 0 };
}
