/* SPDX-License-Identifier: Apache-2.0
 * All are asked at once. What sshd says behind a login is several packets, and the kernel there holds the
 * later ones back until ours has acknowledged the first, which it puts off for 40 ms unless there is
 * something to send. So something is sent: a connection that is closed at once. */
#include "hello.h"
#include "master.h"
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_NUDGE_MS 1
#define LAST_NUDGE_MS 64

/* "Which ways to authenticate are there": libvirt's first question, answered before anybody is known.
 * Length, program, version, procedure REMOTE_PROC_AUTH_LIST, call, serial, status; wire ABI. */
static const unsigned char question[28] = { 0, 0, 0, 28, 0x20, 0, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0, 66 };

struct asked {
    int fd; /* -1: closed */
    bool has_answered;
};

static int connect_to(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void forget(struct asked *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
}

static void ask(struct asked *a, const char *path)
{
    *a = (struct asked){ .fd = connect_to(path) };
    if (a->fd >= 0 && send(a->fd, question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question)
        forget(a);
}

static void hear(struct asked all[PLACE_SERVICES], int ms)
{
    struct pollfd wait_for[PLACE_SERVICES];
    char byte;

    for (unsigned i = 0; i < PLACE_SERVICES; i++)
        wait_for[i] = (struct pollfd){ all[i].has_answered ? -1 : all[i].fd, POLLIN, 0 };
    if (poll(wait_for, PLACE_SERVICES, ms) <= 0)
        return;
    for (unsigned i = 0; i < PLACE_SERVICES; i++) {
        if (!wait_for[i].revents)
            continue;
        all[i].has_answered = recv(all[i].fd, &byte, 1, 0) == 1;
        if (!all[i].has_answered)
            forget(&all[i]);
    }
}

/* The first that is not closed. */
static unsigned preferred(const struct asked all[PLACE_SERVICES])
{
    unsigned i = 0;

    while (i < PLACE_SERVICES && all[i].fd < 0)
        i++;
    return i;
}

/* At one that nobody serves, if there is one: a daemon would note that it was hung up on. */
static void nudge(const struct asked all[PLACE_SERVICES], const struct forward list[PLACE_SERVICES])
{
    unsigned at = PLACE_SERVICES - 1;
    int fd;

    for (unsigned i = 0; i < PLACE_SERVICES; i++)
        if (all[i].fd < 0)
            at = i;
    fd = connect_to(list[at].here);
    if (fd >= 0)
        (void)close(fd);
}

enum hello_answer hello(const struct forward list[PLACE_SERVICES], int ms, unsigned *ret_which)
{
    const int64_t until = master_now_ms() + ms;
    struct asked all[PLACE_SERVICES];
    int64_t nudge_at = master_now_ms() + FIRST_NUDGE_MS, now;
    int pause = FIRST_NUDGE_MS;

    for (unsigned i = 0; i < PLACE_SERVICES; i++)
        ask(&all[i], list[i].here);
    while ((*ret_which = preferred(all)) < PLACE_SERVICES && !all[*ret_which].has_answered &&
           (now = master_now_ms()) < until) {
        if (now >= nudge_at) {
            nudge(all, list);
            pause *= 2;
            nudge_at = pause <= LAST_NUDGE_MS ? now + pause : until;
        }
        /* Never less than 0, which would be for ever. */
        hear(all, (int)((nudge_at < until ? nudge_at : until) - now));
    }
    for (unsigned i = 0; i < PLACE_SERVICES; i++)
        forget(&all[i]);
    if (*ret_which == PLACE_SERVICES)
        return HELLO_CLOSED;
    return all[*ret_which].has_answered ? HELLO_YES : HELLO_SILENT;
}
