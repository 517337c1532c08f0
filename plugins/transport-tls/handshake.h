/* SPDX-License-Identifier: Apache-2.0
 * One connection to a libvirt daemon by TLS, as libvirt's client makes it, up to what it asks of us; all that
 * was shown on the way is kept, also where libvirt would not go on. */
#ifndef TRANSPORT_TLS_HANDSHAKE_H
#define TRANSPORT_TLS_HANDSHAKE_H

#include "auth.h"
#include "certificate.h"
#include "files.h"

enum handshake_end {
    HANDSHAKE_DONE,    /* it lets us in, as far as TLS goes */
    HANDSHAKE_LATE,    /* it accepted the connection and did not say enough in time */
    HANDSHAKE_NO_TLS,  /* what answers does not speak TLS */
    HANDSHAKE_REFUSED, /* it does not like our certificate, or that there is none */
    HANDSHAKE_FAILED,
};
struct handshake {
    enum handshake_end end;
    struct certificates shown; /* by the other side; n 0: it came to none */
    struct auth auth;
    char why[160]; /* GnuTLS's words where it FAILED */
};
/* Over fd, which stays open; key and certificate of `own` are shown where both are there. The caller frees
 * ret->shown. */
void handshake_make(int fd, const char *host, const struct files *own, bool has_certificate, int64_t until_ms,
                    struct handshake *ret);

#endif
