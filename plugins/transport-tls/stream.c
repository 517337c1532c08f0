/* SPDX-License-Identifier: Apache-2.0
 * Waits by poll alone, so that whoever is silent costs the time that was given and no more. */
#include "stream.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t stream_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool wait_for(struct stream *s, short events)
{
    struct pollfd one = { .fd = s->fd, .events = events };
    int n;

    do {
        const int64_t left = s->until_ms - stream_now_ms();

        n = left > 0 ? poll(&one, 1, (int)left) : 0;
    } while (n < 0 && errno == EINTR);
    s->is_late = n == 0;
    return n > 0;
}

/* Whether it is worth trying again after r, which is GnuTLS's. */
static bool again(struct stream *s, ssize_t r)
{
    if (r == GNUTLS_E_AGAIN)
        return wait_for(s, gnutls_record_get_direction(s->tls) ? POLLOUT : POLLIN);
    /* Whoever warns without end is late as well. */
    if (r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_WARNING_ALERT_RECEIVED) {
        s->is_late = stream_now_ms() >= s->until_ms;
        return !s->is_late;
    }
    s->problem = (int)r;
    return false;
}

bool stream_handshake(struct stream *s)
{
    for (;;) {
        const int r = gnutls_handshake(s->tls);

        if (r == 0)
            return true;
        if (!again(s, r))
            return false;
    }
}

/* Less than 0: it is over. */
static ssize_t some(struct stream *s, void *to, const void *from, size_t n)
{
    for (;;) {
        ssize_t r;

        if (s->tls)
            r = to ? gnutls_record_recv(s->tls, to, n) : gnutls_record_send(s->tls, from, n);
        else
            r = to ? recv(s->fd, to, n, 0) : send(s->fd, from, n, MSG_NOSIGNAL);
        if (r > 0)
            return r;
        if (r == 0)
            return -1;
        if (s->tls ? again(s, r) : errno == EINTR)
            continue;
        if (s->tls || (errno != EAGAIN && errno != EWOULDBLOCK) || !wait_for(s, to ? POLLIN : POLLOUT))
            return -1;
    }
}

bool stream_read(struct stream *s, void *to, size_t n)
{
    for (char *at = to; n > 0;) {
        const ssize_t r = some(s, at, NULL, n);

        if (r < 0)
            return false;
        at += r;
        n -= (size_t)r;
    }
    return true;
}

bool stream_write(struct stream *s, const void *from, size_t n)
{
    for (const char *at = from; n > 0;) {
        const ssize_t r = some(s, NULL, at, n);

        if (r < 0)
            return false;
        at += r;
        n -= (size_t)r;
    }
    return true;
}
