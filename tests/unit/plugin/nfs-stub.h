/* SPDX-License-Identifier: Apache-2.0
 * An NFS server of one file, as small as can be, in a child process. Like a real one it keeps in memory what
 * it was given until COMMIT, and forgets that when it starts again, with another verifier; and it takes less
 * than it is given, asks to come again later, and refuses, where a test tells it to. */
#ifndef UNIT_PLUGIN_NFS_STUB_H
#define UNIT_PLUGIN_NFS_STUB_H

#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STUB_LENGTH (8u << 20)
#define STUB_CALL (2u << 20)
enum { STUB_READ = 6, STUB_WRITE = 7, STUB_COMMIT = 21 };
enum { STUB_OK = 0, STUB_IO = 5, STUB_NOSPC = 28, STUB_DQUOT = 69, STUB_STALE = 70, STUB_JUKEBOX = 10008 };

/* Shared with the child. N-th: counted from 1 over the server's whole life, 0 = never. */
struct stub {
    unsigned char memory[STUB_LENGTH], disk[STUB_LENGTH]; /* what it answers from; what outlasts it */
    unsigned writes, commits, reads;
    unsigned restart_at_write; /* before it answers this one: the connection ends, and all that was not
                                  committed */
    unsigned restart_at_commit;
    bool forgets_quietly; /* the connection goes on: the verifier alone tells */
    bool forgets_always;  /* at every commit */
    unsigned jukebox_at_write;
    bool puts_off; /* says so to every write */
    uint32_t most; /* bytes taken or given at a time; 0 = all */
    int64_t fails_at;
    uint32_t status; /* what fails_at is answered */
    uint64_t verifier;
    int port;
    pid_t child;
};

/* ---- numbers on the wire ---- */

struct stub_words {
    unsigned char *at, *end;
};

static uint32_t stub_get(struct stub_words *w)
{
    uint32_t n;

    if (w->end - w->at < 4)
        _exit(3);
    memcpy(&n, w->at, 4);
    w->at += 4;
    return ntohl(n);
}

static uint64_t stub_get_long(struct stub_words *w)
{
    const uint64_t high = stub_get(w);

    return high << 32 | stub_get(w);
}

static unsigned char *stub_get_bytes(struct stub_words *w, uint32_t *ret_n)
{
    unsigned char *bytes;

    *ret_n = stub_get(w);
    bytes = w->at;
    if ((uint64_t)(w->end - w->at) < *ret_n)
        _exit(3);
    w->at += (*ret_n + 3) / 4 * 4;
    return bytes;
}

static void stub_put(struct stub_words *w, uint32_t n)
{
    n = htonl(n);
    memcpy(w->at, &n, 4);
    w->at += 4;
}

static bool stub_take(int fd, void *to, size_t n)
{
    return recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

/* ---- the service ---- */

static void stub_restart(struct stub *s)
{
    memcpy(s->memory, s->disk, STUB_LENGTH);
    s->verifier++;
}

static uint32_t stub_status(const struct stub *s, uint64_t offset, uint32_t n)
{
    return s->fails_at >= 0 && offset <= (uint64_t)s->fails_at && (uint64_t)s->fails_at < offset + n
               ? s->status
               : STUB_OK;
}

/* Neither answers with attributes: two words say so. */
static void stub_no_attributes(struct stub_words *reply)
{
    stub_put(reply, 0);
    stub_put(reply, 0);
}

static void stub_verifier(const struct stub *s, struct stub_words *reply)
{
    memcpy(reply->at, &s->verifier, 8);
    reply->at += 8;
}

static bool stub_write(struct stub *s, struct stub_words *call, struct stub_words *reply)
{
    const uint64_t offset = stub_get_long(call);
    uint32_t n = stub_get(call), given, status;
    const unsigned char *bytes;

    (void)stub_get(call); /* unstable */
    bytes = stub_get_bytes(call, &given);
    if (given < n || offset > STUB_LENGTH || n > STUB_LENGTH - offset)
        _exit(4);
    s->writes++;
    if (s->writes == s->restart_at_write) {
        stub_restart(s);
        if (!s->forgets_quietly)
            return false;
    }
    status = s->puts_off || s->writes == s->jukebox_at_write ? STUB_JUKEBOX : stub_status(s, offset, n);
    stub_put(reply, status);
    stub_no_attributes(reply);
    if (status != STUB_OK)
        return true;
    n = s->most && n > s->most ? s->most : n;
    memcpy(s->memory + offset, bytes, n);
    stub_put(reply, n);
    stub_put(reply, 0); /* in memory */
    stub_verifier(s, reply);
    return true;
}

static bool stub_commit(struct stub *s, struct stub_words *reply)
{
    s->commits++;
    if (s->forgets_always || s->commits == s->restart_at_commit) {
        stub_restart(s);
        if (!s->forgets_quietly)
            return false;
    }
    memcpy(s->disk, s->memory, STUB_LENGTH);
    stub_put(reply, STUB_OK);
    stub_no_attributes(reply);
    stub_verifier(s, reply);
    return true;
}

static bool stub_read(struct stub *s, struct stub_words *call, struct stub_words *reply)
{
    const uint64_t offset = stub_get_long(call);
    uint32_t n = stub_get(call);
    const uint32_t status = stub_status(s, offset, n);

    s->reads++;
    stub_put(reply, status);
    stub_put(reply, 0);
    if (status != STUB_OK)
        return true;
    n = offset > STUB_LENGTH ? 0 : n > STUB_LENGTH - offset ? (uint32_t)(STUB_LENGTH - offset) : n;
    n = s->most && n > s->most ? s->most : n;
    stub_put(reply, n);
    stub_put(reply, offset + n == STUB_LENGTH);
    stub_put(reply, n);
    memcpy(reply->at, s->memory + offset, n);
    reply->at += (n + 3) / 4 * 4;
    return true;
}

/* One call; false: the connection is to end. */
static bool stub_answer(struct stub *s, int fd)
{
    static unsigned char in[STUB_CALL], out[STUB_CALL];
    struct stub_words call = { in, in }, reply = { out + 4, out + STUB_CALL };
    uint32_t mark, xid, what, n;
    bool goes_on = true;

    if (!stub_take(fd, &mark, 4))
        return false;
    mark = ntohl(mark) & 0x7fffffff;
    if (mark > sizeof in || !stub_take(fd, in, mark))
        return false;
    call.end = in + mark;
    xid = stub_get(&call);
    for (int i = 0; i < 4; i++) /* a call of RPC 2 to NFS 3 */
        (void)stub_get(&call);
    what = stub_get(&call);
    for (int i = 0; i < 2; i++) { /* who asks, and no proof of it */
        (void)stub_get(&call);
        (void)stub_get_bytes(&call, &n);
    }
    if (what)
        (void)stub_get_bytes(&call, &n); /* the one file */
    stub_put(&reply, xid);
    stub_put(&reply, 1);
    for (int i = 0; i < 4; i++) /* accepted, without a proof, and done */
        stub_put(&reply, 0);
    if (what == STUB_WRITE)
        goes_on = stub_write(s, &call, &reply);
    else if (what == STUB_COMMIT)
        goes_on = stub_commit(s, &reply);
    else if (what == STUB_READ)
        goes_on = stub_read(s, &call, &reply);
    n = (uint32_t)(reply.at - out) - 4;
    mark = htonl(n | 0x80000000);
    memcpy(out, &mark, 4);
    return goes_on && send(fd, out, (size_t)n + 4, MSG_NOSIGNAL) == (ssize_t)n + 4;
}

static void stub_serve(struct stub *s, int listener)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        const int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            _exit(5);
        while (stub_answer(s, fd))
            ;
        (void)close(fd);
    }
}

/* fill: the byte that its file is full of. */
static struct stub *stub_begin(int fill)
{
    struct stub *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof at;
    pid_t child;

    ck_assert(s != MAP_FAILED && listener >= 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    memset(s->memory, fill, STUB_LENGTH);
    memset(s->disk, fill, STUB_LENGTH);
    s->fails_at = -1;
    s->verifier = 0x4711;
    s->port = ntohs(at.sin_port);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        stub_serve(s, listener);
    s->child = child;
    (void)close(listener);
    return s;
}

/* As by kill -9, or by a power cut: nothing is left but what was committed. */
static void stub_end(struct stub *s)
{
    int status = 0;

    (void)kill(s->child, SIGKILL);
    ck_assert_int_eq(waitpid(s->child, &status, 0), s->child);
    ck_assert_msg(WIFSIGNALED(status), "the server ended by itself: %d", WEXITSTATUS(status));
    (void)munmap(s, sizeof *s);
}

#endif
