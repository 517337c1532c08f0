/* SPDX-License-Identifier: Apache-2.0
 * One request is one call of NFS after the other until all its bytes are done, since a server may take or
 * give fewer than it is asked for. */
#include "stream.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICKETS 512u
#define GIVE_UP_MS 45000u
/* A server that fetches a file from somewhere slower puts requests off. */
#define PUT_OFF_MS 120000u
#define AGAIN_MS 300
#define ROUNDS_MOST 256

/* A request on its way, as libnfs gives it back. */
struct ticket {
    struct stream *stream;
    struct ferry_request *request;
    struct ticket *next;
};

static void connect_it(struct stream *s);

/* Where zeroes have to be written after all. */
static char zeroes[1u << 20];

/* ---- answers ---- */

static void push(struct ferry_request **list, struct ferry_request *r)
{
    r->next = *list;
    *list = r;
}

static void is_done(struct stream *s, struct ferry_request *r, int error)
{
    r->error = error;
    s->under_way--;
    push(&s->done, r);
}

static void wake_later(const struct stream *s)
{
    const struct itimerspec in = { .it_value = { .tv_nsec = AGAIN_MS * 1000000L } };

    (void)timerfd_settime(s->timer, 0, &in, NULL);
}

/* The request that libnfs gives back, or NULL where it is to be asked again. */
static struct ferry_request *take_back(struct ticket *t, int status, const void *result)
{
    struct stream *s = t->stream;
    struct ferry_request *r = t->request;

    t->next = s->tickets;
    s->tickets = t;
    if (status == RPC_STATUS_SUCCESS && result) {
        s->broken_ms = 0;
        return r;
    }
    push(&s->again, r);
    return NULL;
}

/* libnfs has a quota that is reached for a result that is out of range, and a file that is gone for an error
 * of the storage. */
static int errno_of(nfsstat3 status)
{
    switch (status) {
    case NFS3ERR_DQUOT:
        return EDQUOT;
    case NFS3ERR_STALE:
        return ESTALE;
    default:
        return -nfsstat3_to_errno((int)status);
    }
}

static void put_off(struct stream *s, struct ferry_request *r)
{
    const uint64_t now = flight_now_ms();

    if (!s->put_off_ms)
        s->put_off_ms = now;
    if (now - s->put_off_ms > PUT_OFF_MS) {
        is_done(s, r, ETIMEDOUT);
        return;
    }
    push(&s->later, r);
    wake_later(s);
}

/* NULL: it is asked again, or has failed. Every answer of NFS begins with its status. */
static struct ferry_request *answered(void *own, int status, void *result)
{
    struct stream *s = ((struct ticket *)own)->stream;
    struct ferry_request *r = take_back(own, status, result);
    const nfsstat3 *said = result;

    if (r && *said == NFS3_OK)
        s->put_off_ms = 0;
    if (!r || *said == NFS3_OK)
        return r;
    if (*said == NFS3ERR_JUKEBOX)
        put_off(s, r);
    else
        is_done(s, r, errno_of(*said));
    return NULL;
}

/* So many bytes more. */
static void go_on(struct stream *s, struct ferry_request *r, uint64_t bytes)
{
    const uint64_t left = r->length_bytes - r->progress_bytes;

    if (bytes == 0 || bytes > left) {
        is_done(s, r, EIO);
        return;
    }
    r->progress_bytes += bytes;
    if (bytes == left)
        is_done(s, r, 0);
    else
        stream_send(s, r);
}

static void read_came(struct rpc_context *rpc, int status, void *result, void *own)
{
    struct stream *s = ((struct ticket *)own)->stream;
    struct ferry_request *r = answered(own, status, result);
    const READ3res *answer = result;
    uint64_t n;

    (void)rpc;
    if (!r)
        return;
    n = answer->READ3res_u.resok.data.data_len;
    if (n <= r->length_bytes - r->progress_bytes)
        memcpy((char *)r->buffer + r->progress_bytes, answer->READ3res_u.resok.data.data_val, n);
    go_on(s, r, n);
}

/* Also of writes that are answered after the flush was sent: it need not have seen them. */
static void see_verifier(struct stream *s, const char verifier[8])
{
    if (s->has_verifier && memcmp(s->verifier, verifier, 8) != 0)
        s->is_mixed = true;
    memcpy(s->verifier, verifier, 8);
    s->has_verifier = true;
}

static void write_came(struct rpc_context *rpc, int status, void *result, void *own)
{
    struct stream *s = ((struct ticket *)own)->stream;
    struct ferry_request *r = answered(own, status, result);
    const WRITE3res *answer = result;

    (void)rpc;
    if (!r)
        return;
    see_verifier(s, answer->WRITE3res_u.resok.verf);
    go_on(s, r, answer->WRITE3res_u.resok.count);
}

static void commit_came(struct rpc_context *rpc, int status, void *result, void *own)
{
    struct stream *s = ((struct ticket *)own)->stream;
    struct ferry_request *r = answered(own, status, result);
    const COMMIT3res *answer = result;
    bool is_lost;

    (void)rpc;
    if (!r)
        return;
    is_lost =
        s->is_mixed || (s->has_verifier && memcmp(s->verifier, answer->COMMIT3res_u.resok.verf, 8) != 0);
    memcpy(s->verifier, answer->COMMIT3res_u.resok.verf, 8);
    s->has_verifier = true;
    s->is_mixed = false;
    is_done(s, r, is_lost ? FERRY_LOST : 0);
}

/* ---- questions ---- */

static nfs_fh3 handle_of(const struct handle *h)
{
    return (nfs_fh3){ .data = { .data_len = h->n, .data_val = (char *)(uintptr_t)h->bytes } };
}

static int ask_write(struct stream *s, struct ferry_request *r, struct ticket *t, uint64_t offset, count3 n)
{
    WRITE3args args = { .file = handle_of(&s->file), .offset = offset, .count = n, .stable = UNSTABLE };

    args.data.data_len = n;
    args.data.data_val = r->what == FERRY_ZERO ? zeroes : (char *)r->buffer + r->progress_bytes;
    return rpc_nfs3_write_async(s->rpc, write_came, &args, t);
}

static int ask(struct stream *s, struct ferry_request *r, struct ticket *t)
{
    const uint64_t offset = r->offset_bytes + r->progress_bytes, left = r->length_bytes - r->progress_bytes;
    const count3 n = left < s->piece_bytes ? (count3)left : s->piece_bytes;
    READ3args read = { .file = handle_of(&s->file), .offset = offset, .count = n };
    COMMIT3args commit = { .file = handle_of(&s->file) };

    switch (r->what) {
    case FERRY_READ:
        return rpc_nfs3_read_async(s->rpc, read_came, &read, t);
    case FERRY_FLUSH:
        return rpc_nfs3_commit_async(s->rpc, commit_came, &commit, t);
    default:
        return ask_write(s, r, t, offset, n);
    }
}

void stream_send(struct stream *s, struct ferry_request *r)
{
    struct ticket *t = s->tickets;

    if (!s->rpc || !s->is_connected || !t) {
        push(&s->again, r);
        return;
    }
    s->tickets = t->next;
    *t = (struct ticket){ .stream = s, .request = r };
    if (ask(s, r, t) == 0)
        return;
    t->next = s->tickets;
    s->tickets = t;
    is_done(s, r, ENOMEM);
}

static void send_again(struct stream *s)
{
    struct ferry_request *list = s->again;

    s->again = NULL;
    for (struct ferry_request *next; list; list = next) {
        next = list->next;
        stream_send(s, list);
    }
}

/* ---- the connection ---- */

/* libnfs gives back all that is on its way: it is asked again on the next connection. */
static void break_it(struct stream *s)
{
    struct rpc_context *rpc = s->rpc;

    s->rpc = NULL;
    s->is_connected = false;
    if (s->socket >= 0)
        (void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->socket, NULL);
    s->socket = -1;
    if (!s->broken_ms)
        s->broken_ms = flight_now_ms();
    if (rpc)
        rpc_destroy_context(rpc);
    wake_later(s);
}

static void connected(struct rpc_context *rpc, int status, void *result, void *own)
{
    struct stream *s = own;
    struct AUTH *who;

    (void)result;
    if (status != RPC_STATUS_SUCCESS || s->rpc != rpc)
        return;
    who = libnfs_authunix_create("virt-ferry", s->user.uid, s->user.gid, 0, NULL);
    if (!who)
        return;
    rpc_set_auth(rpc, who);
    s->is_connected = true;
}

static void watch(struct stream *s)
{
    struct epoll_event e = { 0 };

    if (!s->rpc)
        return;
    e.events = (rpc_which_events(s->rpc) & POLLOUT ? EPOLLOUT : 0u) | EPOLLIN;
    e.data.fd = rpc_get_fd(s->rpc);
    if (s->socket == e.data.fd && s->watched == e.events)
        return;
    if (epoll_ctl(s->epoll, s->socket == e.data.fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e.data.fd, &e) < 0) {
        break_it(s);
        return;
    }
    s->socket = e.data.fd;
    s->watched = e.events;
}

static void connect_it(struct stream *s)
{
    s->rpc = rpc_init_context();
    if (!s->rpc || rpc_connect_async(s->rpc, s->address, s->port, connected, s) < 0)
        break_it(s);
    else
        watch(s);
}

static void give_up(struct stream *s)
{
    struct ferry_request *list = s->again;

    s->again = NULL;
    for (struct ferry_request *next; list; list = next) {
        next = list->next;
        is_done(s, list, ETIMEDOUT);
    }
}

/* What the server put off is asked again now. */
static void take_later(struct stream *s)
{
    struct ferry_request *list = s->later;

    s->later = NULL;
    for (struct ferry_request *next; list; list = next) {
        next = list->next;
        push(&s->again, list);
    }
}

static void timer_came(struct stream *s)
{
    uint64_t n;

    if (read(s->timer, &n, sizeof n) < 0)
        return;
    take_later(s);
    if (s->broken_ms && flight_now_ms() - s->broken_ms > GIVE_UP_MS)
        give_up(s);
    if (!s->rpc)
        connect_it(s);
}

static void socket_came(struct stream *s, uint32_t events)
{
    const int flags = (events & EPOLLIN ? POLLIN : 0) | (events & EPOLLOUT ? POLLOUT : 0);

    if (!s->rpc)
        return;
    if (events & (EPOLLERR | EPOLLHUP) ||
        (events & EPOLLIN && s->is_connected && flight_is_closed(s->socket)) ||
        rpc_service(s->rpc, flags) < 0)
        break_it(s);
}

void stream_move(struct stream *s)
{
    struct epoll_event events[2];

    for (int i = 0; i < ROUNDS_MOST; i++) {
        int n;

        if (s->is_connected && s->again)
            send_again(s);
        if (s->is_connected && s->rpc && rpc_which_events(s->rpc) & POLLOUT &&
            rpc_service(s->rpc, POLLOUT) < 0)
            break_it(s);
        watch(s);
        n = epoll_wait(s->epoll, events, 2, 0);
        /* What can only be written waits for room in the socket: then poll tells. */
        if (n <= 0)
            return;
        for (int e = 0; e < n; e++)
            if (events[e].data.fd == s->timer)
                timer_came(s);
            else
                socket_came(s, events[e].events);
        if (s->done)
            return;
    }
}

int stream_begin(struct stream *s)
{
    struct epoll_event e = { .events = EPOLLIN };

    s->socket = -1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->all = calloc(TICKETS, sizeof *s->all);
    e.data.fd = s->timer;
    if (s->epoll < 0 || s->timer < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &e) < 0)
        return errno;
    if (!s->all)
        return ENOMEM;
    for (size_t i = 0; i < TICKETS; i++) {
        s->all[i].next = s->tickets;
        s->tickets = &s->all[i];
    }
    connect_it(s);
    return 0;
}

void stream_end(struct stream *s)
{
    struct rpc_context *rpc = s->rpc;

    s->rpc = NULL;
    if (rpc)
        rpc_destroy_context(rpc);
    if (s->epoll >= 0)
        (void)close(s->epoll);
    if (s->timer >= 0)
        (void)close(s->timer);
    free(s->all);
}
