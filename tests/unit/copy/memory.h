/* SPDX-License-Identifier: Apache-2.0
 * A storage driver whose images are memory: it answers in another order than it was asked, knows extents or
 * not, and fails where it is told to. What was not flushed it can lose. */
#ifndef UNIT_COPY_MEMORY_H
#define UNIT_COPY_MEMORY_H

#include "copy/copy.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What the engine promises of a request. A fuzz target has its own word for it, and no test library. */
#ifndef MEMORY_PROMISE
#include <check.h>
#define MEMORY_PROMISE(condition) ck_assert_msg(condition, "%s", #condition)
#endif

#define MEMORY_HELD 512u

struct memory {
    unsigned char *bytes, *safe; /* safe: what outlasts a loss */
    uint64_t length;
    uint32_t block, piece, depth;
    bool reads_zero, is_dest; /* is_dest: it was opened to be written */
    /* extents: NULL = none known, else a byte for each 4 KiB: written there */
    bool knows_extents;
    bool in_order; /* it must be written so */
    uint64_t flush_bytes, written_to;
    /* Faults; -1 = none. */
    int64_t read_fails_at, write_fails_at;
    int read_error, write_error;
    unsigned lose_at_flush; /* the N-th flush answers LOST, 0 = none */
    bool loses_always, changes;
    bool holds_unknown; /* what it holds cannot be asked */
    bool goes_away;     /* nor, once it was read, when it was changed */
    /* What was done. */
    uint64_t read_bytes, written_bytes, zero_requests, zeroes_written;
    unsigned flushes, most_held, in_hand_at_close;
    /* Under way. */
    struct ferry_request *held[MEMORY_HELD];
    unsigned n_held;
    uint64_t random;
    int fd;
};

static struct memory *memory_of(const struct ferry_disk *d)
{
    return (struct memory *)(uintptr_t)strtoull(d->source, NULL, 16);
}

static int memory_claim(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    (void)disk;
    return 0;
}

static int memory_open(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct memory *m = memory_of(how->disk);

    (void)call;
    (void)services;
    m->is_dest = how->flags & FERRY_OPEN_WRITE;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ret->fd = m->fd;
    ret->handle = m;
    ret->length_bytes = m->length;
    ret->block_bytes = m->block;
    ret->piece_bytes = m->piece;
    ret->depth = m->depth;
    ret->reads_zero = m->reads_zero;
    ret->flush_bytes = m->flush_bytes;
    return 0;
}

static bool memory_is_zero(const unsigned char *bytes, uint64_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static int memory_silent(struct ferry_call *call, const struct ferry_services *services)
{
    services->error(call, "Wait.", "the memory does not answer");
    services->no_answer(call);
    return -1;
}

static int memory_extents(struct ferry_call *call, const struct ferry_services *services, void *handle,
                          uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    const struct memory *m = handle;
    uint64_t at = from;
    uint32_t n = 0;

    if (m->holds_unknown)
        return memory_silent(call, services);
    MEMORY_PROMISE(from < m->length && room > 0);
    while (at < m->length && n < room) {
        const uint64_t begin = at;
        bool kind = false;

        while (at < m->length) {
            const uint64_t end = m->length - at < 512 ? m->length - at : 512 - at % 512;
            const bool is_zero = m->knows_extents && memory_is_zero(m->bytes + at, end);

            if (at > begin && is_zero != kind)
                break;
            kind = is_zero;
            at += end;
        }
        ret[n++] =
            (struct ferry_extent){ .offset_bytes = begin, .length_bytes = at - begin, .is_zero = kind };
    }
    *ret_n = n;
    return 0;
}

static int memory_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                         struct ferry_request *r)
{
    struct memory *m = handle;
    const bool is_last = r->offset_bytes + r->length_bytes == m->length;

    (void)call;
    (void)services;
    MEMORY_PROMISE(m->n_held < MEMORY_HELD);
    MEMORY_PROMISE(r->size == sizeof *r && r->error == 0 && r->progress_bytes == 0 && !r->own && !r->next);
    MEMORY_PROMISE(r->what >= FERRY_READ && r->what <= FERRY_FLUSH && (m->is_dest || r->what == FERRY_READ));
    if (r->what != FERRY_FLUSH) {
        MEMORY_PROMISE(r->length_bytes > 0 && r->offset_bytes < m->length &&
                       r->length_bytes <= m->length - r->offset_bytes);
        MEMORY_PROMISE(r->offset_bytes % m->block == 0);
        MEMORY_PROMISE(r->length_bytes % m->block == 0 || is_last);
    }
    if (m->in_order && r->what == FERRY_WRITE) {
        MEMORY_PROMISE(m->n_held == 0);
        MEMORY_PROMISE(r->offset_bytes >= m->written_to);
        m->written_to = r->offset_bytes + r->length_bytes;
    }
    if (r->what == FERRY_READ || r->what == FERRY_WRITE)
        MEMORY_PROMISE((uintptr_t)r->buffer % m->block == 0);
    m->held[m->n_held++] = r;
    m->most_held = m->n_held > m->most_held ? m->n_held : m->most_held;
    (void)eventfd_write(m->fd, 1);
    return 0;
}

static bool memory_hits(const struct ferry_request *r, int64_t at)
{
    return at >= 0 && (uint64_t)at >= r->offset_bytes && (uint64_t)at < r->offset_bytes + r->length_bytes;
}

static void memory_flush(struct memory *m, struct ferry_request *r)
{
    m->flushes++;
    if (m->loses_always || (m->lose_at_flush && m->flushes == m->lose_at_flush)) {
        memcpy(m->bytes, m->safe, m->length);
        r->error = FERRY_LOST;
    } else {
        memcpy(m->safe, m->bytes, m->length);
    }
}

static void memory_do(struct memory *m, struct ferry_request *r)
{
    unsigned char *at = m->bytes + r->offset_bytes;

    switch (r->what) {
    case FERRY_READ:
        if (memory_hits(r, m->read_fails_at)) {
            r->error = m->read_error;
            return;
        }
        memcpy(r->buffer, at, r->length_bytes);
        m->read_bytes += r->length_bytes;
        return;
    case FERRY_WRITE:
        if (memory_hits(r, m->write_fails_at)) {
            r->error = m->write_error;
            return;
        }
        if (m->reads_zero)
            for (uint64_t i = 0; i < r->length_bytes; i += 4096)
                m->zeroes_written += memory_is_zero((unsigned char *)r->buffer + i,
                                                    r->length_bytes - i < 4096 ? r->length_bytes - i : 4096);
        memcpy(at, r->buffer, r->length_bytes);
        m->written_bytes += r->length_bytes;
        return;
    case FERRY_ZERO:
        if (memory_hits(r, m->write_fails_at)) {
            r->error = m->write_error;
            return;
        }
        memset(at, 0, r->length_bytes);
        m->zero_requests++;
        return;
    default:
        memory_flush(m, r);
    }
}

/* Half of what it holds, in any order. */
static int memory_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
                       struct ferry_request **ret_done)
{
    struct memory *m = handle;
    unsigned n = (m->n_held + 1) / 2;
    eventfd_t ignored;

    (void)call;
    (void)services;
    (void)eventfd_read(m->fd, &ignored);
    while (n-- > 0) {
        const unsigned i =
            (unsigned)((m->random = m->random * 6364136223846793005u + 1442695040888963407u) >> 33) %
            m->n_held;
        struct ferry_request *r = m->held[i];

        m->held[i] = m->held[--m->n_held];
        memory_do(m, r);
        r->next = *ret_done;
        *ret_done = r;
    }
    if (m->n_held > 0)
        (void)eventfd_write(m->fd, 1);
    return 0;
}

static int memory_changed(struct ferry_call *call, const struct ferry_services *services, void *handle,
                          uint64_t *ret)
{
    const struct memory *m = handle;

    if (m->goes_away && m->read_bytes > 0)
        return memory_silent(call, services);
    *ret = m->changes ? m->read_bytes : 1;
    return 0;
}

static void memory_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct memory *m = handle;

    (void)call;
    (void)services;
    m->in_hand_at_close = m->n_held;
    (void)close(m->fd);
}

__attribute__((unused)) static const struct ferry_storage memory_storage = {
    .size = sizeof memory_storage,
    .name = "memory",
    .summary = "images in memory",
    .declares = FERRY_STORAGE_STREAMS,
    .claim = memory_claim,
    .open = memory_open,
    .extents = memory_extents,
    .submit = memory_submit,
    .reap = memory_reap,
    .changed = memory_changed,
    .close = memory_close,
};

static void memory_begin(struct memory *m, uint64_t length, int fill)
{
    *m = (struct memory){ .length = length,
                          .block = 512,
                          .piece = 65536,
                          .depth = 16,
                          .read_error = EIO,
                          .read_fails_at = -1,
                          .write_fails_at = -1,
                          .random = 4711 };
    m->bytes = malloc(length);
    m->safe = malloc(length);
    MEMORY_PROMISE(m->bytes && m->safe);
    memset(m->bytes, fill, length);
    memset(m->safe, fill, length);
    m->reads_zero = fill == 0;
}

static void memory_end(struct memory *m)
{
    free(m->bytes);
    free(m->safe);
}

#endif
