/* SPDX-License-Identifier: Apache-2.0
 * The memory of a copy, and what is told of it. All buffers are taken at once: a copy needs as much at its
 * end as at its beginning. */
#include "copy/job.h"
#include "base/owned.h"
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

/* Of most machines; of others it is an alignment like any. */
#define HUGE_PAGE ((size_t)2 << 20)
#define TELL_MS 100u
#define WAIT_MS 100
/* Where the storage does not ask for more: what a copy that begins again may have to do twice. */
#define FLUSH_BYTES (UINT64_C(1) << 30)

uint64_t job_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* splitmix64: any spread will do. */
uint64_t job_random(struct job *j)
{
    uint64_t z = (j->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void job_keep(struct job *j, uint64_t offset)
{
    const uint64_t nth = j->n_written++;
    const uint64_t place = nth < JOB_KEPT ? nth : job_random(j) % (nth + 1);

    if (place < JOB_KEPT)
        j->written_at[place] = offset;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static size_t within(size_t n, size_t least, size_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* How many units a piece of this length takes, as bits. */
static uint64_t bits_of(const struct job *j, uint64_t length)
{
    const uint64_t n = length > j->unit_bytes ? (length + j->unit_bytes - 1) / j->unit_bytes : 1;

    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

bool job_take_units(struct job *j, struct slot *s, uint64_t length)
{
    const uint64_t bits = bits_of(j, length);

    for (size_t i = 0; i < j->n_units && (bits << i) >> i == bits; i++) {
        if (bits << i & j->taken || (j->n_units < 64 && (bits << i) >> j->n_units))
            continue;
        s->units = bits << i;
        s->buffer = j->memory + i * j->unit_bytes;
        j->taken |= s->units;
        return true;
    }
    return false;
}

/* Direct I/O pins its memory page by page, and a device takes a bounded number of pages at a time: in huge
 * pages a piece is one of them. Without them all goes as well, and takes half as long again. */
static void *huge_pages(size_t n)
{
    const size_t rounded = (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = aligned_alloc(HUGE_PAGE, rounded);

    if (memory)
        (void)madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

static int take_memory(struct job *j, size_t piece_bytes, struct error *err)
{
    const size_t large = j->n_units * j->unit_bytes;

    /* The last slot is for flushes, and has none. */
    j->n_slots = j->n_large + j->n_small + 1;
    j->slots = calloc(j->n_slots, sizeof *j->slots);
    j->memory = huge_pages(large + j->n_small * JOB_SMALL_BYTES);
    if (!j->slots || !j->memory)
        return error_memory(err);
    for (size_t i = 0; i < j->n_large; i++)
        j->slots[i].room = piece_bytes;
    for (size_t i = 0; i < j->n_small; i++)
        j->slots[j->n_large + i] =
            (struct slot){ .buffer = j->memory + large + i * JOB_SMALL_BYTES, .room = JOB_SMALL_BYTES };
    return 0;
}

/* As many slots for large pieces as both ends have use for, and memory for them. */
static void size_memory(struct job *j, size_t piece, size_t depth)
{
    const size_t most = within(depth, JOB_LARGE_LEAST, JOB_LARGE_MOST);

    j->n_small = JOB_SMALL_MOST;
    if (piece > JOB_UNIT_BYTES) {
        j->n_large = most;
        j->unit_bytes = JOB_UNIT_BYTES;
        j->n_units = JOB_OBJECT_MEMORY / JOB_UNIT_BYTES;
    } else {
        j->n_large = j->n_units = within(JOB_LARGE_MEMORY / piece, JOB_LARGE_LEAST, most);
        j->unit_bytes = piece;
    }
}

int job_begin(struct job *j, struct copy_end *from, struct copy_end *to, const struct copy_wants *wants,
              struct error *err)
{
    const uint32_t block = larger(from->is.block_bytes, to->is.block_bytes);
    const uint32_t piece = larger(from->is.piece_bytes, to->is.piece_bytes);
    const uint32_t depth = larger(from->is.depth, to->is.depth);

    *j = (struct job){ .from = from, .to = to, .wants = wants };
    if (to->is.length_bytes < from->is.length_bytes)
        return error_set(err, ERROR_SPACE, NULL, "'%s' has %" PRIu64 " bytes, '%s' only %" PRIu64, from->name,
                         from->is.length_bytes, to->name, to->is.length_bytes);
    if (wants->from_bytes > to->is.length_bytes)
        return error_set(err, ERROR_INPUT, NULL, "a copy cannot begin at %" PRIu64 ", behind the end of '%s'",
                         wants->from_bytes, to->name);
    j->reads_zero = to->is.reads_zero || wants->was_empty;
    j->flush_bytes = to->is.flush_bytes ? to->is.flush_bytes : FLUSH_BYTES;
    size_memory(j, piece, depth);
    walk_begin(&j->walk, from, to->is.length_bytes, block, piece, wants->from_bytes);
    j->now = (struct copy_progress){ .whole_bytes = to->is.length_bytes,
                                     .done_bytes = j->walk.at,
                                     .safe_bytes = j->walk.at };
    j->heard_ms = job_now_ms();
    if (getrandom(&j->random, sizeof j->random, 0) != (ssize_t)sizeof j->random)
        j->random = j->heard_ms;
    return take_memory(j, piece, err);
}

void job_end(struct job *j)
{
    free(j->slots);
    free(j->memory);
    *j = (struct job){ 0 };
}

uint64_t job_done_to(const struct job *j)
{
    uint64_t least = j->has_piece ? j->piece.offset : j->walk.at;

    for (size_t i = 0; i + 1 < j->n_slots; i++)
        if (j->slots[i].is_busy && j->slots[i].offset < least)
            least = j->slots[i].offset;
    return least;
}

int job_tell(struct job *j, bool now, struct error *err)
{
    const uint64_t at = job_now_ms();

    if (!j->wants->tell || (!now && at - j->told_ms < TELL_MS))
        return 0;
    j->told_ms = at;
    return j->wants->tell(j->wants->context, &j->now, err);
}

int job_wait(struct job *j, struct error *err)
{
    if (end_wait(j->from, j->to, WAIT_MS)) {
        j->heard_ms = job_now_ms();
        return 0;
    }
    if (job_now_ms() - j->heard_ms < END_SILENT_MS)
        return 0;
    error_set(err, ERROR_TIMEOUT, NULL, "neither '%s' nor '%s' gave an answer for %d s", j->from->name,
              j->to->name, END_SILENT_MS / 1000);
    return error_fix(err, "See whether their storage answers.");
}
