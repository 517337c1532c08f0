/* SPDX-License-Identifier: Apache-2.0
 * An ssh that ended by itself while it was needed: libvirt and QEMU only see that a socket was closed. What
 * it was, where it ran, its last words, and where to look. */
#ifndef TRANSPORT_SSH_ENDED_H
#define TRANSPORT_SSH_ENDED_H

#include <stdbool.h>
#include <sys/wait.h>
#include <virt-ferry-plugin.h>

struct ended {
    const char *to;    /* the host that it led to */
    int code;          /* as a shell tells it: 128 + N after signal N */
    long pid;          /* 0 = not known */
    bool is_at_source; /* it was started by the source, else here */
    bool is_relay;     /* no ssh, but what hands connections on to several */
    const char *said;  /* all that it said since it stood */
};

/* How a process ended, by what waitpid gave, as a shell tells it. */
static inline int ended_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* "CODE PID" of a shell there; false: it is something else. */
bool ended_read(const char *line, struct ended *ret);

/* The call's error: what, and where to look; -1. */
int ended_tell(struct ferry_call *call, const struct ferry_services *services, const struct ended *e);

#endif
