/* SPDX-License-Identifier: Apache-2.0
 * What ssh's own words mean. Pure; the samples that the tests hold were taken from OpenSSH 9.2. */
#ifndef TRANSPORT_SSH_SAID_H
#define TRANSPORT_SSH_SAID_H

#include <stddef.h>

enum said {
    SAID_NOTHING, /* nothing that is understood */
    SAID_KEY_NOT_KNOWN,
    SAID_KEY_CHANGED,
    SAID_DENIED,
    SAID_TIMEOUT,
    SAID_REFUSED,
    SAID_NO_ROUTE,
    SAID_NO_NAME,
    SAID_OPEN_FAILED, /* logged in, but the other end could not or would not open libvirt's socket */
    SAID_FORBIDDEN,   /* the same, and it says that it may not */
};

enum said said_by(const char *text);
/* The last line that is not empty, without its end; for the operator. */
void said_last_line(const char *text, char *buf, size_t size);
/* The line that means this, else the last. */
void said_line_of(const char *text, enum said what, char *buf, size_t size);
/* The last line of an ssh that has ended: what it said of a channel in it was no reason. */
void said_last_words(const char *text, char *buf, size_t size);

#endif
