/* SPDX-License-Identifier: Apache-2.0
 * A gate on a bench: a client and a daemon that the test plays itself, in one thread, and messages as libvirt
 * frames them. */
#ifndef UNIT_RUN_GATE_BENCH_H
#define UNIT_RUN_GATE_BENCH_H

#include "check-main.h"
#include "handover/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { CALL = 0, REPLY = 1, EVENT = 2, STREAM = 3, CALL_FDS = 4, REPLY_FDS = 5 };
enum { PERFORM = 216, CONFIRM = 218, PERFORM_PARAMS = 305, CONFIRM_PARAMS = 307, GET_STATE = 212 };
#define QEMU_PROGRAM 0x20008086u
#define KEEPALIVE_PROGRAM 0x6b656570u
#define HEADER 28u

struct bench {
    struct loop *loop;
    struct gate *gate;
    char folder[32], upstream[64], runtime[64];
    int listener, client, server;
};

static void bench_done(struct bench *b)
{
    gate_free(b->gate);
    loop_free(b->loop);
    (void)close(b->listener);
    if (b->client >= 0)
        (void)close(b->client);
    if (b->server >= 0)
        (void)close(b->server);
    (void)unlink(b->upstream);
    ck_assert_msg(rmdir(b->runtime) == 0, "'%s' is not empty", b->runtime);
    (void)rmdir(b->folder);
}
#define BENCH __attribute__((cleanup(bench_done))) struct bench

static int socket_at(const char *path, bool listens)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(strlen(path), sizeof a.sun_path);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (!listens)
        return connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : (close(fd), -1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    return fd;
}

static void turn(struct bench *b, int times)
{
    struct error err = { 0 };

    for (int i = 0; i < times; i++)
        ck_assert_msg(loop_step(b->loop, 2, &err) == 0, "%s", err.what);
}

static struct bench bench_new(void)
{
    struct bench b = { .folder = "/tmp/gate-test-XXXXXX", .client = -1, .server = -1 };
    struct error err = { 0 };

    ck_assert_ptr_nonnull(mkdtemp(b.folder));
    (void)snprintf(b.upstream, sizeof b.upstream, "%s/libvirt-sock", b.folder);
    (void)snprintf(b.runtime, sizeof b.runtime, "%s/run", b.folder);
    b.listener = socket_at(b.upstream, true);
    b.loop = loop_new(&err);
    ck_assert_ptr_nonnull(b.loop);
    b.gate = gate_open(b.loop, b.upstream, false, b.runtime, &err);
    ck_assert_msg(b.gate != NULL, "%s", err.what);
    return b;
}

/* A client that was let in, and the daemon's end of its connection. */
static struct bench bench_connected(void)
{
    struct bench b = bench_new();

    gate_admit(b.gate, getpid());
    b.client = socket_at(gate_path(b.gate), false);
    ck_assert_int_ge(b.client, 0);
    turn(&b, 3);
    b.server = accept4(b.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_msg(b.server >= 0, "the gate did not connect to the daemon");
    return b;
}

/* ---- libvirt's framing ---- */

struct message {
    char bytes[512];
    size_t n;
};

static void put(struct message *m, size_t at, uint32_t word)
{
    word = htonl(word);
    memcpy(m->bytes + at, &word, sizeof word);
}

/* payload words that count up from the serial, then the last word. */
static struct message message_of(uint32_t procedure, uint32_t type, uint32_t status, size_t words,
                                 uint32_t last)
{
    static uint32_t serial;
    struct message m = { .n = HEADER + words * 4u };
    const uint32_t header[] = { (uint32_t)m.n, QEMU_PROGRAM, 1, procedure, type, ++serial, status };

    for (size_t i = 0; i < 7; i++)
        put(&m, i * 4, header[i]);
    for (size_t i = 0; i < words; i++)
        put(&m, HEADER + i * 4, i + 1 == words ? last : serial * 1000u + (uint32_t)i);
    return m;
}

static struct message confirm_of(uint32_t procedure, uint32_t cancelled)
{
    return message_of(procedure, CALL, 0, 12, cancelled);
}

static struct message keepalive(void)
{
    struct message m = message_of(1, EVENT, 0, 0, 0);

    put(&m, 4, KEEPALIVE_PROGRAM);
    return m;
}

static void send_bytes(int fd, const char *bytes, size_t n)
{
    ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void send_message(int fd, const struct message *m)
{
    send_bytes(fd, m->bytes, m->n);
}

/* Exactly these bytes arrive. */
static void arrives(struct bench *b, int fd, const char *bytes, size_t n)
{
    char got[8192];
    size_t have = 0;

    ck_assert_uint_le(n, sizeof got);
    for (int i = 0; i < 500 && have < n; i++) {
        ssize_t r;

        turn(b, 1);
        r = recv(fd, got + have, n - have, 0);
        ck_assert_msg(r != 0, "closed after %zu of %zu bytes", have, n);
        have += r > 0 ? (size_t)r : 0;
    }
    ck_assert_uint_eq(have, n);
    ck_assert_mem_eq(got, bytes, n);
}

static void passes(struct bench *b, int from, int to, struct message m)
{
    send_message(from, &m);
    arrives(b, to, m.bytes, m.n);
}

static void nothing_arrives(struct bench *b, int fd)
{
    char byte;

    turn(b, 10);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

static void is_closed(struct bench *b, int fd)
{
    char byte;
    ssize_t r = -1;

    for (int i = 0; i < 50 && r < 0; i++) {
        turn(b, 1);
        r = recv(fd, &byte, 1, 0);
        if (r < 0 && errno == ECONNRESET)
            return;
    }
    ck_assert_msg(r == 0, "the connection is still open");
}

static void succeed_perform(struct bench *b, uint32_t procedure)
{
    passes(b, b->client, b->server, message_of(procedure, CALL, 0, 8, 7));
    ck_assert(!gate_saw_performed(b->gate));
    passes(b, b->server, b->client, message_of(procedure, REPLY, 0, 2, 0));
    ck_assert(gate_saw_performed(b->gate));
}

#endif
