/* SPDX-License-Identifier: Apache-2.0
 * Bytes to and from a socket, within TLS or without, never longer than until a given time. */
#ifndef TRANSPORT_TLS_STREAM_H
#define TRANSPORT_TLS_STREAM_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
    int fd;               /* non-blocking */
    gnutls_session_t tls; /* NULL: in the clear */
    int64_t until_ms;     /* monotonic */
    int problem;          /* of TLS: GnuTLS's code of what ended it, 0 = its end or the system's */
    bool is_late;         /* the time was over */
};

int64_t stream_now_ms(void);
/* All n bytes, or false. */
bool stream_read(struct stream *s, void *to, size_t n);
bool stream_write(struct stream *s, const void *from, size_t n);
/* The handshake of a session whose transport is fd. */
bool stream_handshake(struct stream *s);

#endif
