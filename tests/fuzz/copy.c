/* SPDX-License-Identifier: Apache-2.0
 * The copy engine between two images in memory whose shape, driver and faults the input decides: blocks,
 * pieces, what is said to be zero (also what cannot be), answers in any order, errors, and storage that
 * forgets. A copy that is called done is equal, outlasts a loss of power, and has touched nothing but what it
 * was given. */
#include "fuzz.h"
#define MEMORY_PROMISE PROMISE
#include "../unit/copy/memory.h"

enum { LENGTH_MOST = 384 << 10, UNIT = 512 };

/* The first bytes of an input. */
enum { FROM_BLOCK, TO_BLOCK, PIECE, DEPTH, LENGTH, LENGTH_TOO, LONGER, HOW, FAULT, PLACE, WHEN, ORDER, BODY };
enum { KNOWS = 1, LIES = 2, OLD = 4, FULL = 8, NONE = 16, EVEN = 32, FLUSHES = 64 };

static bool lies; /* what is said to be zero need not be, and need not be there */

/* True ones; or, where the input wants that, some that cannot be. */
static int extents(struct ferry_call *call, const struct ferry_services *services, void *handle,
                   uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    struct memory *m = handle;

    if (memory_extents(call, services, handle, from, ret, room, ret_n) < 0)
        return -1;
    for (uint32_t i = 0; lies && i < *ret_n; i++) {
        m->random = m->random * 6364136223846793005u + 1442695040888963407u;
        if (m->random >> 60 == 0)
            ret[i].length_bytes = m->random >> 50 & 1 ? m->random : 0;
        if (m->random >> 60 == 1)
            ret[i].offset_bytes += UNIT;
    }
    return 0;
}

static const struct ferry_storage fuzzed = { .size = sizeof fuzzed,
                                             .name = "memory",
                                             .summary = "images in memory",
                                             .claim = memory_claim,
                                             .open = memory_open,
                                             .extents = extents,
                                             .submit = memory_submit,
                                             .reap = memory_reap,
                                             .close = memory_close };

/* ---- the input ---- */

static void begin(struct memory *m, const uint8_t *input, uint64_t length, uint32_t block, bool is_dest)
{
    memory_begin(m, length, is_dest && input[HOW] & OLD ? 0xaa : 0);
    m->block = block;
    m->piece = 65536u << input[PIECE] % 7;
    m->depth = 1 + input[DEPTH] % 32u;
    m->reads_zero = is_dest && !(input[HOW] & OLD);
    m->flush_bytes = input[HOW] & FLUSHES ? 65536 : 0;
    m->knows_extents = input[HOW] & KNOWS;
    m->random = input[ORDER];
}

/* What touches one place of it, read or written, fails so. */
static void fault(struct memory *m, const uint8_t *input, int error)
{
    m->read_fails_at = m->write_fails_at = (int64_t)(input[PLACE] * m->length / 256);
    m->read_error = m->write_error = error;
}

/* Each byte of the rest is a run of data or of nothing. */
static void fill(struct memory *m, const uint8_t *body, size_t n)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n && at < m->length; i++) {
        uint64_t run = (uint64_t)(body[i] >> 1) * body[i] + 1;

        run = run < m->length - at ? run : m->length - at;
        if (body[i] & 1)
            memset(m->bytes + at, body[i], run);
        at += run;
    }
}

static int copy(struct memory *ends, const struct copy_wants *wants, struct error *err)
{
    static const struct call_host host = { .host = "hostA" };
    static const struct plugin_entry owner = { .plugin = { .name = "memory" } };
    char names[2][24];
    const struct ferry_disk disks[] = {
        { .size = sizeof disks[0], .target = "vda", .type = "file", .source = names[0] },
        { .size = sizeof disks[0], .target = "vda", .type = "file", .source = names[1] }
    };
    struct copy_end from = { 0 }, to = { 0 };
    struct copy_progress p = { 0 };
    struct end_place place = {
        .host = &host, .owner = &owner, .driver = &fuzzed, .disk = &disks[0], .name = "a"
    };
    int r;

    for (int i = 0; i < 2; i++)
        (void)snprintf(names[i], sizeof names[i], "%llx", (unsigned long long)(uintptr_t)&ends[i]);
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
    struct memory ends[2];
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
    lies = data[HOW] & LIES;
    if (data[FAULT] % 8 < 2)
        fault(&ends[data[FAULT] % 8], data, data[FAULT] & 8 ? EIO : data[FAULT] & 16 ? ENOSPC : ETIMEDOUT);
    ends[1].lose_at_flush = data[FAULT] % 8 == 2 ? 1u + data[WHEN] % 4u : 0;
    wants.verify = data[HOW] & NONE   ? COPY_VERIFY_NONE
                   : data[HOW] & FULL ? COPY_VERIFY_FULL
                                      : COPY_VERIFY_SAMPLED;
    r = copy(ends, &wants, &err);
    PROMISE(r == 0 || (err.code == -r && *err.what));
    PROMISE(r == 0 || data[FAULT] % 8 < 2 || lies);
    if (r == 0) {
        PROMISE(memcmp(ends[1].safe, ends[0].bytes, length) == 0);
        PROMISE(memory_is_zero(ends[1].safe + length, whole - length));
    }
    memory_end(&ends[0]);
    memory_end(&ends[1]);
    return 0;
}
