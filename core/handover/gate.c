/* SPDX-License-Identifier: Apache-2.0
 * Relays whole messages of libvirt's protocol both ways and reads their headers only. A message that cannot
 * be understood, or that carries descriptors, closes the gate: then the source stays as it is, which is safe.
 */
#include "handover/gate.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/sockets.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* libvirt's remote protocol, as src/remote/remote_protocol.x and src/rpc/virnetprotocol.x state it; the
 * numbers are wire ABI and never change. */
enum {
    PROGRAM = 0x20008086,
    PERFORM3 = 216,
    PERFORM3_PARAMS = 305,
    CONFIRM3 = 218,
    CONFIRM3_PARAMS = 307,
    TYPE_CALL = 0,
    TYPE_REPLY = 1,
    TYPE_CALL_WITH_FDS = 4,
    TYPE_REPLY_WITH_FDS = 5,
    STATUS_OK = 0,
    HEADER_BYTES = 28,
    MESSAGE_MAX = 33554432 + HEADER_BYTES, /* libvirt's own bound, 32 MiB of payload */
};

/* Bytes on their way in one direction. */
struct stream {
    int from, to;
    char *in, *out;
    size_t in_len, in_size, out_len, out_size;
};

struct gate {
    struct loop *loop;
    char folder[SOCKETS_PATH_SIZE], path[SOCKETS_PATH_SIZE], upstream[108];
    bool is_session;
    int folder_lock; /* -1: the folder is gone */
    int listener, client, server;
    pid_t peer;
    struct stream calls, replies; /* client to server, server to client */
    char *held;
    size_t held_len;
    bool performed, confirmed, disarmed, closed;
};

static void stream_done(struct stream *s)
{
    if (s->in)
        explicit_bzero(s->in, s->in_size);
    if (s->out)
        explicit_bzero(s->out, s->out_size);
    free(s->in);
    free(s->out);
    *s = (struct stream){ 0 };
}

static bool room_for(char **bytes, size_t *size, size_t wanted)
{
    size_t bigger = *size ? *size : 65536u;
    char *grown;

    if (wanted <= *size)
        return true;
    while (bigger < wanted)
        bigger *= 2u;
    /* Not realloc: the old bytes may hold a secret and are wiped. */
    grown = bigger > 3u * (size_t)MESSAGE_MAX ? NULL : malloc(bigger);
    if (!grown)
        return false;
    if (*bytes) {
        memcpy(grown, *bytes, *size);
        explicit_bzero(*bytes, *size);
        free(*bytes);
    }
    *bytes = grown;
    *size = bigger;
    return true;
}

static uint32_t word_at(const char *message, size_t offset)
{
    uint32_t be;

    memcpy(&be, message + offset, sizeof be);
    return ntohl(be);
}

static void close_end(struct gate *g, int *fd)
{
    loop_remove(g->loop, *fd);
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void stop_listening(struct gate *g)
{
    loop_remove(g->loop, g->listener);
    if (g->listener >= 0)
        (void)close(g->listener);
    g->listener = -1;
    if (g->folder_lock < 0)
        return;
    sockets_remove(g->folder);
    (void)close(g->folder_lock);
    g->folder_lock = -1;
}

void gate_close(struct gate *g)
{
    if (g->closed)
        return;
    log_event("gate", "closed", "%s", g->held ? "with a confirm held" : "");
    g->closed = true;
    stop_listening(g);
    close_end(g, &g->client);
    close_end(g, &g->server);
    free(g->held);
    g->held = NULL;
}

/* Appends a message to what is to be written; the writing itself waits for the descriptor. */
static bool queue(struct stream *s, const char *message, size_t n)
{
    if (!room_for(&s->out, &s->out_size, s->out_len + n))
        return false;
    memcpy(s->out + s->out_len, message, n);
    s->out_len += n;
    return true;
}

static void watch_again(struct gate *g)
{
    struct error err = { 0 };

    if (g->closed)
        return;
    if (loop_change(g->loop, g->client, EPOLLIN | (g->replies.out_len ? EPOLLOUT : 0u), &err) < 0 ||
        loop_change(g->loop, g->server, EPOLLIN | (g->calls.out_len ? EPOLLOUT : 0u), &err) < 0)
        gate_close(g);
}

static bool write_out(struct stream *s)
{
    while (s->out_len > 0) {
        ssize_t sent = send(s->to, s->out, s->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        s->out_len -= (size_t)sent;
        memmove(s->out, s->out + sent, s->out_len);
    }
    return true;
}

/* May this message let the source run after the destination may have? */
static bool is_guarded_confirm(const struct gate *g, const char *message)
{
    uint32_t procedure = word_at(message, 12);

    return !g->disarmed && g->performed && word_at(message, 4) == PROGRAM &&
           word_at(message, 16) == TYPE_CALL && (procedure == CONFIRM3 || procedure == CONFIRM3_PARAMS);
}

static void note_reply(struct gate *g, const char *message)
{
    uint32_t procedure = word_at(message, 12);

    if (word_at(message, 4) == PROGRAM && word_at(message, 16) == TYPE_REPLY &&
        (procedure == PERFORM3 || procedure == PERFORM3_PARAMS) && word_at(message, 24) == STATUS_OK) {
        log_event("gate", "armed", "perform was answered with success");
        g->performed = true;
    }
}

/* false: the message is not to be relayed, and the gate must close. */
static bool pass(struct gate *g, struct stream *s, const char *message, size_t n)
{
    uint32_t type = word_at(message, 16);

    if (type == TYPE_CALL_WITH_FDS || type == TYPE_REPLY_WITH_FDS)
        return false;
    if (s == &g->replies) {
        note_reply(g, message);
        return queue(s, message, n);
    }
    if (!is_guarded_confirm(g, message))
        return queue(s, message, n);
    if (fault_point("confirm"))
        return false;
    /* XDR is made of words: what is not has no last word to read. A second one cannot wait beside the first.
     */
    if (n < HEADER_BYTES + 4u || n % 4u != 0 || g->held)
        return false;
    /* The last word is the verdict: 0 = the source is ended, else it is resumed. */
    if (word_at(message, n - 4u) == 0) {
        g->confirmed = true;
        return queue(s, message, n);
    }
    log_event("gate", "holding", "a cancelled confirm");
    g->held = malloc(n);
    if (!g->held)
        return false;
    memcpy(g->held, message, n);
    g->held_len = n;
    return true;
}

static bool relay(struct gate *g, struct stream *s)
{
    ssize_t got;

    if (!room_for(&s->in, &s->in_size, s->in_len + 65536u))
        return false;
    got = recv(s->from, s->in + s->in_len, s->in_size - s->in_len, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    s->in_len += (size_t)got;
    while (s->in_len >= HEADER_BYTES) {
        size_t n = word_at(s->in, 0);

        if (n < HEADER_BYTES || n > MESSAGE_MAX)
            return false;
        if (s->in_len < n)
            break;
        if (!pass(g, s, s->in, n))
            return false;
        s->in_len -= n;
        memmove(s->in, s->in + n, s->in_len);
    }
    return write_out(s);
}

static void on_traffic(struct gate *g, struct stream *reads, struct stream *writes, uint32_t events)
{
    if (((events & EPOLLOUT) && !write_out(writes)) ||
        ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !relay(g, reads)))
        gate_close(g);
    watch_again(g);
}

static void on_client(void *context, uint32_t events)
{
    struct gate *g = context;

    on_traffic(g, &g->calls, &g->replies, events);
}

static void on_server(void *context, uint32_t events)
{
    struct gate *g = context;

    on_traffic(g, &g->replies, &g->calls, events);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    /* Not blocking: a stopped daemon with a full backlog would stop the loop with it. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void on_listener(void *context, uint32_t events)
{
    struct gate *g = context;
    struct ucred who = { 0 };
    socklen_t n = sizeof who;
    struct error err = { 0 };
    int fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    /* libvirt will see our credentials behind this door: nobody but our own mover may use it. */
    if (g->peer <= 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || who.pid != g->peer) {
        (void)close(fd);
        return;
    }
    stop_listening(g);
    g->client = fd;
    g->server = connect_to(g->upstream);
    g->calls = (struct stream){ .from = g->client, .to = g->server };
    g->replies = (struct stream){ .from = g->server, .to = g->client };
    if (g->server < 0 || loop_add(g->loop, g->client, EPOLLIN, on_client, g, &err) < 0 ||
        loop_add(g->loop, g->server, EPOLLIN, on_server, g, &err) < 0)
        gate_close(g);
}

static int make_folder(struct gate *g, const char *runtime_dir, struct error *err)
{
    /* What a run that was killed before its mover came left behind. */
    sockets_sweep(runtime_dir);
    if (sockets_make(runtime_dir, SOCKETS_CLOSED, g->folder, sizeof g->folder, &g->folder_lock, err) < 0)
        return -err->code;
    if (snprintf(g->path, sizeof g->path, "%s/gate", g->folder) >= (int)sizeof g->path)
        return error_set(err, ERROR_SYSTEM, NULL, "the path '%s' is too long for a socket", runtime_dir);
    return 0;
}

struct gate *gate_open(struct loop *l, const char *upstream, bool is_session, const char *runtime_dir,
                       struct error *err)
{
    OWNED(gate) g = calloc(1, sizeof *g);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!g) {
        error_memory(err);
        return NULL;
    }
    *g = (struct gate){
        .loop = l, .is_session = is_session, .folder_lock = -1, .listener = -1, .client = -1, .server = -1
    };
    if (snprintf(g->upstream, sizeof g->upstream, "%s", upstream) >= (int)sizeof g->upstream) {
        error_set(err, ERROR_SYSTEM, NULL, "the path '%s' is too long for a socket", upstream);
        return NULL;
    }
    if (make_folder(g, runtime_dir, err) < 0)
        return NULL;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", g->path);
    g->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (g->listener < 0 || bind(g->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(g->listener, 4) < 0) {
        error_errno(err, NULL, "could not listen on '%s'", g->path);
        return NULL;
    }
    if (loop_add(l, g->listener, EPOLLIN, on_listener, g, err) < 0)
        return NULL;
    return HAND_OVER(g);
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    gate_close(g);
    stream_done(&g->calls);
    stream_done(&g->replies);
    free(g);
}

void gate_admit(struct gate *g, pid_t peer)
{
    g->peer = peer;
}

const char *gate_path(const struct gate *g)
{
    return g->path;
}

char *gate_uri(const struct gate *g, struct error *err)
{
    struct text t = { 0 };

    text_add(&t, "qemu+unix:///%s?socket=", g->is_session ? "session" : "system");
    for (const char *c = g->path; *c; c++)
        text_add(&t,
                 strchr("/-_.", *c) || (*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z')
                     ? "%c"
                     : "%%%02X",
                 (unsigned char)*c);
    if (t.failed) {
        text_done(&t);
        error_memory(err);
        return NULL;
    }
    return t.s;
}

bool gate_is_holding(const struct gate *g)
{
    return g->held != NULL;
}

void gate_let_through(struct gate *g)
{
    if (!g->held)
        return;
    log_event("gate", "let through", "the cancelled confirm");
    if (!queue(&g->calls, g->held, g->held_len) || !write_out(&g->calls))
        gate_close(g);
    free(g->held);
    g->held = NULL;
    watch_again(g);
}

void gate_disarm(struct gate *g)
{
    g->disarmed = true;
}

bool gate_saw_performed(const struct gate *g)
{
    return g->performed;
}

bool gate_saw_confirmed(const struct gate *g)
{
    return g->confirmed;
}
