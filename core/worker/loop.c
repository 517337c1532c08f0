/* SPDX-License-Identifier: Apache-2.0
 * epoll over a fixed table of descriptors, and a signalfd. A handler may remove any descriptor, its own too.
 */
#include "worker/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#define MAX_WATCHED 64u

struct watched {
    int fd; /* -1 = free */
    loop_event *handler;
    void *context;
};

struct loop {
    int epoll_fd, signal_fd;
    unsigned interrupts, ints, stops;
    uint64_t interrupted_ms;
    bool ends_waits, was_slow;
    void (*leave)(void *context);
    void (*slow)(void *context, const char *what);
    void *told;
    const char *waits_for;
    struct watched watched[MAX_WATCHED];
};

static void user_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGCONT);
}

static void on_signal(void *context, uint32_t events)
{
    struct loop *l = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCONT) {
            l->stops++;
            continue;
        }
        if (l->interrupts++ == 0)
            l->interrupted_ms = loop_now_ms();
        l->ints += info.ssi_signo == SIGINT;
        if (l->ints >= 2 && info.ssi_signo == SIGINT && l->leave)
            l->leave(l->told);
    }
}

void loop_tell(struct loop *l, void (*leave)(void *context), void (*slow)(void *context, const char *what),
               void *context)
{
    l->leave = leave;
    l->slow = slow;
    l->told = context;
}

const char *loop_waits_for(struct loop *l, const char *what)
{
    const char *before = l->waits_for;

    l->waits_for = what;
    return before;
}

unsigned loop_stops(struct loop *l)
{
    on_signal(l, 0);
    return l->stops;
}

/* How long a round may last until the user has to be told what is waited for. */
static int until_slow_ms(const struct loop *l, int timeout_ms)
{
    const uint64_t now = loop_now_ms(), at = l->interrupted_ms + LOOP_SLOW_MS;
    const uint64_t left = at > now ? at - now : 0;

    if (!l->interrupts || l->was_slow || !l->slow || (timeout_ms >= 0 && (uint64_t)timeout_ms <= left))
        return timeout_ms;
    return (int)left;
}

static void tell_slow(struct loop *l)
{
    if (!l->interrupts || l->was_slow || !l->slow || loop_now_ms() < l->interrupted_ms + LOOP_SLOW_MS)
        return;
    l->was_slow = true;
    l->slow(l->told, l->waits_for);
}

static int watch_signals(struct loop *l, struct error *err)
{
    sigset_t set;

    user_signals(&set);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_errno(err, NULL, "could not block signals");
    l->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (l->signal_fd < 0)
        return error_errno(err, NULL, "could not watch signals");
    return loop_add(l, l->signal_fd, EPOLLIN, on_signal, l, err);
}

struct loop *loop_new(struct error *err)
{
    OWNED(loop) l = calloc(1, sizeof *l);

    if (!l) {
        error_memory(err);
        return NULL;
    }
    for (unsigned i = 0; i < MAX_WATCHED; i++)
        l->watched[i].fd = -1;
    l->signal_fd = -1;
    l->waits_for = "";
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        error_errno(err, NULL, "could not create an epoll descriptor");
        return NULL;
    }
    if (watch_signals(l, err) < 0)
        return NULL;
    return HAND_OVER(l);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    l->leave = NULL;
    if (l->signal_fd >= 0) {
        /* One that was meant for what has just ended must not end the process before it told its outcome. */
        on_signal(l, 0);
        (void)close(l->signal_fd);
    }
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    loop_leave_child();
    free(l);
}

void loop_leave_child(void)
{
    sigset_t set;

    user_signals(&set);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static struct watched *watched_of(struct loop *l, int fd)
{
    for (unsigned i = 0; i < MAX_WATCHED; i++)
        if (l->watched[i].fd == fd)
            return &l->watched[i];
    return NULL;
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_event *handler, void *context, struct error *err)
{
    struct watched *w = watched_of(l, -1);
    struct epoll_event e = { .events = events, .data.fd = fd };

    if (!w)
        return error_set(err, ERROR_SYSTEM, NULL, "too many descriptors are watched at once");
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
        return error_errno(err, NULL, "could not watch a descriptor");
    *w = (struct watched){ .fd = fd, .handler = handler, .context = context };
    return 0;
}

int loop_change(struct loop *l, int fd, uint32_t events, struct error *err)
{
    struct epoll_event e = { .events = events, .data.fd = fd };

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &e) < 0)
        return error_errno(err, NULL, "could not change how a descriptor is watched");
    return 0;
}

void loop_remove(struct loop *l, int fd)
{
    struct watched *w = fd >= 0 ? watched_of(l, fd) : NULL;

    if (!w)
        return;
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    w->fd = -1;
}

int loop_step(struct loop *l, int timeout_ms, struct error *err)
{
    struct epoll_event ready[16];
    int n = epoll_wait(l->epoll_fd, ready, 16, until_slow_ms(l, timeout_ms));

    if (n < 0 && errno != EINTR)
        return error_errno(err, NULL, "could not wait for events");
    for (int i = 0; i < n; i++) {
        /* Looked up anew each time: an earlier handler of this round may have removed it. */
        struct watched *w = watched_of(l, ready[i].data.fd);

        if (w)
            w->handler(w->context, ready[i].events);
    }
    tell_slow(l);
    return 0;
}

unsigned loop_interrupts(const struct loop *l)
{
    return l->interrupts;
}

void loop_end_waits(struct loop *l, bool on)
{
    l->ends_waits = on;
}

bool loop_ends_waits(const struct loop *l)
{
    return l->ends_waits && l->interrupts > 0;
}

uint64_t loop_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t loop_awake_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void loop_pause_ms(unsigned ms)
{
    struct timespec left = { .tv_sec = ms / 1000u, .tv_nsec = (long)(ms % 1000u) * 1000000L };

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
