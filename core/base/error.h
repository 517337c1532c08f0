/* SPDX-License-Identifier: Apache-2.0
 * What went wrong, as an operator needs it: what, on which host, why, and what to do next.
 * Lives where the caller put it, holds no allocation, so reporting an error can never fail. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/* The first twelve are the exit codes that the manual documents; the others map onto them (error_exit). */
enum error_code {
    ERROR_NONE = 0,
    ERROR_FAILED = 1,      /* failed, the guest is untouched at the source */
    ERROR_USAGE = 2,       /* a wrong command line or configuration */
    ERROR_REFUSED = 3,     /* a rule refused it */
    ERROR_CONNECTION = 4,  /* a host does not answer, or not to us */
    ERROR_CANCELLED = 5,   /* by the user; the guest is at the source */
    ERROR_PROBLEMS = 6,    /* moved, with problems named */
    ERROR_NOT_KNOWN = 7,   /* the outcome is not known: look now */
    ERROR_BUSY = 8,        /* another run holds the domain */
    ERROR_PARTIAL = 9,     /* part of a list was done */
    ERROR_STALE = 10,      /* a saved plan no longer fits */
    ERROR_GUEST_LOST = 11, /* the guest was lost */
    ERROR_MEMORY = 20,     /* no memory left */
    ERROR_SYSTEM,          /* a system call failed */
    ERROR_INPUT,           /* data from outside cannot be accepted */
    ERROR_TIMEOUT,         /* no answer in time; what was asked may have happened */
    ERROR_ABSENT,          /* what was named is not there */
    ERROR_EXISTS,          /* what was to be created is there already */
    ERROR_SPACE,           /* no room for it */
    ERROR_LIBVIRT,         /* libvirt answered with an error */
};

struct error {
    int code;   /* enum error_code; ERROR_NONE while nothing was set */
    int detail; /* libvirt's own error number where code came from libvirt, errno for ERROR_SYSTEM, else 0 */
    char host[128]; /* "" where no host is concerned */
    char what[768];
    char why[768]; /* the cause below it, often libvirt's own text; "" where what says it all */
    char fix[768]; /* whole sentences with the command in them; "" where there is none */
};

/* Each returns the negative code, so that the last line of a failing path can be `return error_…`.
 * host may be NULL. error_set replaces what was there; why and fix are emptied. */
int error_set(struct error *err, enum error_code code, const char *host, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int error_why(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_fix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what was being done: the message becomes "DOING: MESSAGE". */
int error_while(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ERROR_SYSTEM with errno's text as why. */
int error_errno(struct error *err, const char *host, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int error_memory(struct error *err);

/* The documented exit code, 0 to 11, for a code. */
int error_exit(int code);

/* "what on host 'h': why", for a line of a log; buf is always terminated. */
void error_line(const struct error *err, char *buf, unsigned long size);

#endif
