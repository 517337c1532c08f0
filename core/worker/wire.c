/* SPDX-License-Identifier: Apache-2.0
 * Four bytes of length in the machine's order, then that many bytes of JSON; both ends are this program. */
#include "worker/wire.h"

#include "base/owned.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int send_all(int fd, const void *bytes, size_t n, struct error *err)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return error_errno(err, NULL, "could not reach the worker");
        at += sent;
        n -= (size_t)sent;
    }
    return 0;
}

int wire_send(int fd, const json_t *message, struct error *err)
{
    OWNED_MEMORY char *text = json_write(message, false, err);
    size_t n = text ? strlen(text) : 0;
    uint32_t head = (uint32_t)n;
    int r;

    if (!text)
        return -err->code;
    if (n > JSON_MAX_BYTES)
        return error_set(err, ERROR_INPUT, NULL, "a message of %zu bytes is too long", n);
    r = send_all(fd, &head, sizeof head, err);
    if (r == 0)
        r = send_all(fd, text, n, err);
    explicit_bzero(text, n);
    return r;
}

static int receive_all(int fd, void *bytes, size_t n, struct error *err)
{
    char *at = bytes;

    while (n > 0) {
        ssize_t got = recv(fd, at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, NULL, "could not read from the peer process");
        if (got == 0)
            return error_set(err, ERROR_CONNECTION, NULL, "the peer process ended");
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

json_t *wire_receive(int fd, struct error *err)
{
    OWNED_MEMORY char *text = NULL;
    uint32_t n;
    json_t *message;

    if (receive_all(fd, &n, sizeof n, err) < 0)
        return NULL;
    if (n > JSON_MAX_BYTES) {
        error_set(err, ERROR_INPUT, NULL, "a message of %u bytes is too long", n);
        return NULL;
    }
    text = malloc(n + 1u);
    if (!text) {
        error_memory(err);
        return NULL;
    }
    if (receive_all(fd, text, n, err) < 0)
        return NULL;
    message = json_read(text, n, "a worker's message", err);
    explicit_bzero(text, n);
    return message;
}

void wire_inbox_done(struct wire_inbox *in)
{
    if (in->bytes)
        explicit_bzero(in->bytes, in->size);
    free(in->bytes);
    *in = (struct wire_inbox){ 0 };
}

int wire_fill(struct wire_inbox *in, int fd, struct error *err)
{
    ssize_t got;

    if (in->size - in->len < 65536u) {
        size_t size = in->size + 262144u;
        char *grown = size > 2u * JSON_MAX_BYTES ? NULL : realloc(in->bytes, size);

        if (!grown)
            return error_memory(err);
        in->bytes = grown;
        in->size = size;
    }
    got = recv(fd, in->bytes + in->len, in->size - in->len, MSG_DONTWAIT);
    if (got > 0) {
        in->len += (size_t)got;
        return 1;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return error_set(err, ERROR_CONNECTION, NULL, "the worker ended before it answered");
}

json_t *wire_next(struct wire_inbox *in, struct error *err)
{
    uint32_t n;
    json_t *message;

    if (in->len < sizeof n)
        return NULL;
    memcpy(&n, in->bytes, sizeof n);
    if (n > JSON_MAX_BYTES) {
        error_set(err, ERROR_INPUT, NULL, "a message of %u bytes is too long", n);
        return NULL;
    }
    if (in->len < sizeof n + n)
        return NULL;
    message = json_read(in->bytes + sizeof n, n, "a worker's message", err);
    in->len -= sizeof n + n;
    memmove(in->bytes, in->bytes + sizeof n + n, in->len);
    explicit_bzero(in->bytes + in->len, sizeof n + n);
    return message;
}
