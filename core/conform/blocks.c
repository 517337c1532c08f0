/* SPDX-License-Identifier: Apache-2.0
 * Block I/O of a storage driver tried on an empty image: figures, extents, then bytes written, read back,
 * zeroed and flushed, all at once where the driver takes it. */
#include "conform/trial.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MOST 4096u
#define PIECE_LEAST 65536u
#define PIECE_MOST (4u << 20)
#define PARTS 8u
#define WAIT_MS 10000

struct blocks {
    struct trial *t;
    struct ferry_opened is;
    uint64_t bytes;
    unsigned char *memory;
};

static bool is_power(uint64_t n, uint64_t least, uint64_t most)
{
    return n >= least && n <= most && (n & (n - 1)) == 0;
}

static bool look_at_figures(const struct blocks *b)
{
    const struct ferry_opened *o = &b->is;

    if (o->fd < 0 || !o->handle || o->depth == 0)
        trial_note(b->t, "opens an image without a descriptor, a handle or a depth");
    else if (!is_power(o->block_bytes, 1, BLOCK_MOST) || !is_power(o->piece_bytes, PIECE_LEAST, PIECE_MOST))
        trial_note(b->t, "says %u for 'block_bytes' and %u for 'piece_bytes'", (unsigned)o->block_bytes,
                   (unsigned)o->piece_bytes);
    else if (o->length_bytes < b->bytes || o->reads_zero > 1)
        trial_note(b->t, "gives another length than that with which the image was created");
    else
        return true;
    return false;
}

static void look_at_extents(const struct blocks *b)
{
    const struct trial *t = b->t;
    uint64_t at = 0;

    while (t->storage->extents && at < b->is.length_bytes) {
        struct ferry_extent e[4];
        uint32_t n = 0;

        if (t->storage->extents(&b->t->now.call, b->t->now.services, b->is.handle, at, e, 4, &n) < 0 ||
            n == 0 || n > 4) {
            trial_note(b->t, "gives no extents from an offset on");
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (e[i].offset_bytes != at || e[i].length_bytes == 0 ||
                e[i].length_bytes > b->is.length_bytes - at || e[i].is_zero > 1) {
                trial_note(b->t, "gives extents with gaps, or that go beyond the end");
                return;
            }
            at += e[i].length_bytes;
        }
    }
}

/* PARTS requests at once, over the whole image; each must come back once, without an error. */
static bool do_all(const struct blocks *b, uint32_t what)
{
    struct ferry_request requests[PARTS];
    const uint64_t part = b->bytes / PARTS;
    const unsigned n = what == FERRY_FLUSH ? 1 : PARTS;
    unsigned came = 0;

    memset(requests, 0, sizeof requests);
    for (unsigned i = 0; i < n; i++) {
        requests[i].size = sizeof requests[i];
        requests[i].what = what;
        if (what != FERRY_FLUSH) {
            requests[i].offset_bytes = i * part;
            requests[i].length_bytes = part;
        }
        if (what == FERRY_READ || what == FERRY_WRITE)
            requests[i].buffer = b->memory + i * part;
        if (b->t->storage->submit(&b->t->now.call, b->t->now.services, b->is.handle, &requests[i]) < 0) {
            trial_note(b->t, "does not take a request");
            return false;
        }
    }
    while (came < n) {
        struct pollfd at = { .fd = b->is.fd, .events = POLLIN };
        struct ferry_request *done = NULL;

        if (b->t->storage->reap(&b->t->now.call, b->t->now.services, b->is.handle, &done) < 0) {
            trial_note(b->t, "loses the storage: %s", b->t->now.err.what);
            return false;
        }
        for (; done && came < n; done = done->next, came++)
            if (done->error) {
                trial_note(b->t, "answers %d to a request of kind %u", (int)done->error, (unsigned)what);
                return false;
            }
        if (came < n && poll(&at, 1, WAIT_MS) == 0) {
            trial_note(b->t, "wakes nobody when a request of kind %u is done", (unsigned)what);
            return false;
        }
    }
    return true;
}

static unsigned char pattern(uint64_t i)
{
    return (unsigned char)(i * 2654435761u >> 11);
}

static bool reads_as(const struct blocks *b, bool zero)
{
    memset(b->memory, 0x55, b->bytes);
    if (!do_all(b, FERRY_READ))
        return false;
    for (uint64_t i = 0; i < b->bytes; i++)
        if (b->memory[i] != (zero ? 0 : pattern(i))) {
            trial_note(b->t, "reads other bytes than %s at offset %llu", zero ? "zeroes" : "were written",
                       (unsigned long long)i);
            return false;
        }
    return true;
}

static void try_all(const struct blocks *b)
{
    look_at_extents(b);
    if (b->is.reads_zero && !reads_as(b, true))
        return;
    for (uint64_t i = 0; i < b->bytes; i++)
        b->memory[i] = pattern(i);
    if (!do_all(b, FERRY_WRITE) || !do_all(b, FERRY_FLUSH) || !reads_as(b, false))
        return;
    look_at_extents(b);
    if (do_all(b, FERRY_ZERO) && do_all(b, FERRY_FLUSH))
        (void)reads_as(b, true);
}

void trial_blocks(struct trial *t, const struct ferry_disk *d, uint64_t bytes)
{
    const struct ferry_opening how = { .size = sizeof how, .flags = FERRY_OPEN_WRITE, .disk = d };
    struct blocks b = { .t = t, .is = { .size = sizeof b.is, .fd = -1 }, .bytes = bytes };

    if (t->storage->open(&t->now.call, t->now.services, &how, &b.is) < 0) {
        trial_note(t, "does not work there: %s", t->now.err.what);
        return;
    }
    b.memory = aligned_alloc(BLOCK_MOST, bytes);
    if (!b.memory)
        trial_note(t, "there is no memory to try it with");
    else if (look_at_figures(&b))
        try_all(&b);
    t->storage->close(&t->now.call, t->now.services, b.is.handle);
    free(b.memory);
}
