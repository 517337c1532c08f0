/* SPDX-License-Identifier: Apache-2.0
 * The copy engine between two images in memory whose shape, driver and faults the input decides: blocks,
 * pieces, what is said to be zero (also what cannot be), answers in any order, errors, and storage that
 * forgets. A copy that is called done is equal, outlasts a loss of power, and has touched nothing but what it
 * was given. */
#include "copy/copy.h"
#include "fuzz.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HELD_MOST = 512, LENGTH_MOST = 384 << 10, UNIT = 512 };

/* The first bytes of an input. */
enum { FROM_BLOCK, TO_BLOCK, PIECE, DEPTH, LENGTH, LENGTH_TOO, LONGER, HOW, FAULT, PLACE, WHEN, ORDER, BODY };
enum { KNOWS = 1, LIES = 2, OLD = 4, FULL = 8, NONE = 16, EVEN = 32, FLUSHES = 64 };

struct end {
    unsigned char *bytes, *safe;
    uint64_t length, fails_at;
    uint32_t block;
    const uint8_t *input;
    int error; /* of what touches fails_at */
    bool is_dest, loses;
    unsigned flushes, n_held;
    struct ferry_request *held[HELD_MOST];
    uint64_t random;
    int fd;
};
static struct end ends[2];

static struct end *end_of(const struct ferry_disk *d)
{
    return &ends[d->source[0] == 'b'];
}

static int claim(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    (void)disk;
    return 0;
}

static int open_end(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct end *e = end_of(how->disk);

    (void)call;
    (void)services;
    e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ret->fd = e->fd;
    ret->handle = e;
    ret->length_bytes = e->length;
    ret->block_bytes = e->block;
    ret->piece_bytes = 65536u << e->input[PIECE] % 7;
    ret->depth = 1 + e->input[DEPTH] % 32u;
    ret->reads_zero = e->is_dest && !(e->input[HOW] & OLD);
    ret->flush_bytes = e->input[HOW] & FLUSHES ? 65536 : 0;
    return 0;
}

static bool is_zero(const unsigned char *at, uint64_t n)
{
    return n == 0 || (at[0] == 0 && memcmp(at, at + 1, n - 1) == 0);
}

/* True ones, in units; or, where the input wants that, some that cannot be. */
static int extents(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    struct end *e = handle;
    uint64_t at = from;

    (void)call;
    (void)services;
    PROMISE(from < e->length && room > 0);
    for (*ret_n = 0; at < e->length && *ret_n < room; ++*ret_n) {
        struct ferry_extent *x = &ret[*ret_n];

        *x = (struct ferry_extent){ .offset_bytes = at, .is_zero = e->input[HOW] & KNOWS ? 1 : 0 };
        for (bool is_first = true; at < e->length; is_first = false) {
            const uint64_t n = e->length - at < UNIT ? e->length - at : UNIT - at % UNIT;
            const uint32_t kind = e->input[HOW] & KNOWS && is_zero(e->bytes + at, n);

            if (is_first)
                x->is_zero = kind;
            if (kind != x->is_zero)
                break;
            at += n;
        }
        x->length_bytes = at - x->offset_bytes;
        e->random = e->random * 6364136223846793005u + 1442695040888963407u;
        if (e->input[HOW] & LIES && e->random >> 60 == 0)
            x->length_bytes = e->random >> 50 & 1 ? e->random : 0;
        if (e->input[HOW] & LIES && e->random >> 60 == 1)
            x->offset_bytes += UNIT;
    }
    return 0;
}

static int submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                  struct ferry_request *r)
{
    struct end *e = handle;

    (void)call;
    (void)services;
    PROMISE(r->size == sizeof *r && r->error == 0 && r->progress_bytes == 0 && !r->own && !r->next);
    PROMISE(r->what >= FERRY_READ && r->what <= FERRY_FLUSH && (e->is_dest || r->what == FERRY_READ));
    if (r->what != FERRY_FLUSH) {
        PROMISE(r->length_bytes > 0 && r->offset_bytes < e->length &&
                r->length_bytes <= e->length - r->offset_bytes);
        PROMISE(r->offset_bytes % e->block == 0);
        PROMISE(r->length_bytes % e->block == 0 || r->offset_bytes + r->length_bytes == e->length);
        PROMISE(r->what == FERRY_ZERO || (uintptr_t)r->buffer % e->block == 0);
    }
    PROMISE(e->n_held < HELD_MOST);
    e->held[e->n_held++] = r;
    (void)eventfd_write(e->fd, 1);
    return 0;
}

static void flush(struct end *e, struct ferry_request *r)
{
    if (e->loses && ++e->flushes == 1u + e->input[WHEN] % 4u) {
        memcpy(e->bytes, e->safe, e->length);
        r->error = FERRY_LOST;
    } else {
        memcpy(e->safe, e->bytes, e->length);
    }
}

static void do_it(struct end *e, struct ferry_request *r)
{
    if (r->what == FERRY_FLUSH) {
        flush(e, r);
    } else if (e->error && r->offset_bytes <= e->fails_at &&
               e->fails_at - r->offset_bytes < r->length_bytes) {
        r->error = e->error;
    } else if (r->what == FERRY_READ) {
        memcpy(r->buffer, e->bytes + r->offset_bytes, r->length_bytes);
    } else if (r->what == FERRY_WRITE) {
        memcpy(e->bytes + r->offset_bytes, r->buffer, r->length_bytes);
    } else {
        memset(e->bytes + r->offset_bytes, 0, r->length_bytes);
    }
}

/* Some of what it holds, in any order. */
static int reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
                struct ferry_request **ret_done)
{
    struct end *e = handle;
    eventfd_t ignored;

    (void)call;
    (void)services;
    (void)eventfd_read(e->fd, &ignored);
    for (unsigned n = (e->n_held + 1) / 2; n > 0; n--) {
        unsigned i;

        e->random = e->random * 6364136223846793005u + 1442695040888963407u;
        i = (unsigned)(e->random >> 33) % e->n_held;
        do_it(e, e->held[i]);
        e->held[i]->next = *ret_done;
        *ret_done = e->held[i];
        e->held[i] = e->held[--e->n_held];
    }
    if (e->n_held > 0)
        (void)eventfd_write(e->fd, 1);
    return 0;
}

static void close_end(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct end *e = handle;

    (void)call;
    (void)services;
    (void)close(e->fd);
}

static const struct ferry_storage memory = { .size = sizeof memory,
                                             .name = "memory",
                                             .summary = "images in memory",
                                             .claim = claim,
                                             .open = open_end,
                                             .extents = extents,
                                             .submit = submit,
                                             .reap = reap,
                                             .close = close_end };

/* ---- the input ---- */

static void begin(struct end *e, const uint8_t *input, uint64_t length, uint32_t block, bool is_dest)
{
    *e = (struct end){
        .length = length, .block = block, .input = input, .is_dest = is_dest, .random = input[ORDER]
    };
    e->fails_at = (uint64_t)input[PLACE] * length / 256;
    e->bytes = malloc(length);
    e->safe = malloc(length);
    PROMISE(e->bytes && e->safe);
    memset(e->bytes, is_dest && input[HOW] & OLD ? 0xaa : 0, length);
    memcpy(e->safe, e->bytes, length);
}

/* Each byte of the rest is a run of data or of nothing. */
static void fill(struct end *e, const uint8_t *body, size_t n)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n && at < e->length; i++) {
        uint64_t run = (uint64_t)(body[i] >> 1) * body[i] + 1;

        run = run < e->length - at ? run : e->length - at;
        if (body[i] & 1)
            memset(e->bytes + at, body[i], run);
        at += run;
    }
}

static int copy(const struct copy_wants *wants, struct error *err)
{
    static const struct call_host host = { .host = "hostA" };
    static const struct plugin_entry owner = { .plugin = { .name = "memory" } };
    const struct ferry_disk disks[] = {
        { .size = sizeof disks[0], .target = "vda", .type = "file", .source = "a" },
        { .size = sizeof disks[0], .target = "vda", .type = "file", .source = "b" }
    };
    struct copy_end from = { 0 }, to = { 0 };
    struct copy_progress p = { 0 };
    struct end_place place = {
        .host = &host, .owner = &owner, .driver = &memory, .disk = &disks[0], .name = "a"
    };
    int r;

    PROMISE(end_open(&from, &place, false, err) == 0);
    place.disk = &disks[1];
    place.name = "b";
    PROMISE(end_open(&to, &place, true, err) == 0);
    r = copy_run(&from, &to, wants, &p, err);
    PROMISE(r < 0 || (p.done_bytes == p.whole_bytes && p.safe_bytes == p.whole_bytes));
    end_close(&from);
    end_close(&to);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct copy_wants wants = { 0 };
    struct error err = { 0 };
    uint64_t length, whole;
    int r;

    if (size < BODY || size > FUZZ_MOST)
        return 0;
    length = 1 + ((uint64_t)data[LENGTH] << 11 | (uint64_t)data[LENGTH_TOO] << 3) % LENGTH_MOST;
    length = data[HOW] & EVEN ? (length + 4095) / 4096 * 4096 : length;
    whole = length + (data[LONGER] & 1 ? (uint64_t)data[LONGER] * 257 : 0);
    begin(&ends[0], data, length, 1u << data[FROM_BLOCK] % 13, false);
    begin(&ends[1], data, whole, 1u << data[TO_BLOCK] % 13, true);
    fill(&ends[0], data + BODY, size - BODY);
    if (data[FAULT] % 8 < 2)
        ends[data[FAULT] % 8].error = data[FAULT] & 8 ? EIO : data[FAULT] & 16 ? ENOSPC : ETIMEDOUT;
    ends[1].loses = data[FAULT] % 8 == 2;
    wants.verify = data[HOW] & NONE   ? COPY_VERIFY_NONE
                   : data[HOW] & FULL ? COPY_VERIFY_FULL
                                      : COPY_VERIFY_SAMPLED;
    r = copy(&wants, &err);
    PROMISE(r == 0 || (err.code == -r && *err.what));
    PROMISE(r == 0 || ends[0].error || ends[1].error || data[HOW] & LIES);
    if (r == 0) {
        PROMISE(memcmp(ends[1].safe, ends[0].bytes, length) == 0);
        PROMISE(is_zero(ends[1].safe + length, whole - length));
    }
    for (int i = 0; i < 2; i++) {
        free(ends[i].bytes);
        free(ends[i].safe);
    }
    return 0;
}
