/* SPDX-License-Identifier: Apache-2.0
 * Source and destination read again and compared, piece by piece of one grid, by XXH3-128. Both sides of a
 * piece are under way at once, and several pieces are. */
#include "copy/direct.h"
#include "copy/job.h"
#include "copy/zero.h"
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

/* How much a sample is: enough to see a shifted, torn or empty image, little enough not to be waited for. */
#define SAMPLES 48u
#define SAMPLE_BYTES 65536u

/* One piece in two slots: its bytes at the source, and at the destination. */
struct pair {
    struct slot *source, *dest;
    unsigned waiting;
    bool is_busy;
};
#define PAIRS 8u

struct verify {
    struct job *job;
    struct pair pairs[PAIRS];
    size_t n_pairs, busy;
    size_t room;     /* of a buffer, for one piece */
    uint64_t at;     /* full: the next offset */
    uint64_t sample; /* sampled: the next sample */
    uint64_t length; /* what is compared: the source's */
};

static void begin(struct verify *v, struct job *j)
{
    const size_t most = j->n_units * j->unit_bytes / j->walk.piece_bytes;
    const size_t buffers = most < j->n_large ? most : j->n_large;

    *v = (struct verify){ .job = j, .length = j->from->is.length_bytes, .room = j->walk.piece_bytes };
    v->n_pairs = buffers / 2 < PAIRS ? buffers / 2 : PAIRS;
    /* All slots are free by now. */
    for (size_t i = 0; i < v->n_pairs; i++) {
        v->pairs[i].source = &j->slots[2 * i];
        v->pairs[i].dest = &j->slots[2 * i + 1];
        v->pairs[i].source->buffer = j->memory + 2 * i * v->room;
        v->pairs[i].dest->buffer = j->memory + (2 * i + 1) * v->room;
    }
}

/* The first and the last block, blocks that were written, and any others. */
static bool next_sample(struct verify *v, struct piece *ret)
{
    const uint64_t blocks = (v->length + SAMPLE_BYTES - 1) / SAMPLE_BYTES;
    const uint64_t n = blocks < SAMPLES ? blocks : SAMPLES;
    const struct job *j = v->job;
    const uint64_t kept = j->n_written < JOB_KEPT ? j->n_written : JOB_KEPT;
    const uint64_t *written = v->sample > 1 && v->sample - 2 < kept ? &j->written_at[v->sample - 2] : NULL;
    uint64_t block = v->sample;

    if (v->sample >= n)
        return false;
    if (blocks > SAMPLES && v->sample > 1)
        block = written ? *written / SAMPLE_BYTES : job_random(v->job) % blocks;
    else if (blocks > SAMPLES && v->sample == 1)
        block = blocks - 1;
    v->sample++;
    ret->offset = block * SAMPLE_BYTES;
    ret->length = v->length - ret->offset < SAMPLE_BYTES ? v->length - ret->offset : SAMPLE_BYTES;
    return true;
}

/* Where both ends know it to be zero nothing is read; walk.c's pieces are of the source alone, so each is
 * looked at as data once either end has some. */
static int next_full(struct verify *v, struct piece *ret, struct error *err)
{
    struct job *j = v->job;

    for (;;) {
        struct ferry_extent at_source, at_dest;
        uint32_t n;
        uint64_t end;

        if (v->at >= v->length)
            return 0;
        if (end_extents(j->from, v->at, &at_source, 1, &n, err) < 0 ||
            end_extents(j->to, v->at, &at_dest, 1, &n, err) < 0)
            return -err->code;
        end = at_source.length_bytes < at_dest.length_bytes ? at_source.length_bytes : at_dest.length_bytes;
        end = end > v->length - v->at ? v->length : v->at + end;
        if (at_source.is_zero && at_dest.is_zero && end - end % v->room > v->at) {
            v->job->now.verified_bytes += end - end % v->room - v->at;
            v->at = end == v->length ? end : end - end % v->room;
            continue;
        }
        ret->offset = v->at;
        ret->length = v->length - v->at < v->room ? v->length - v->at : v->room;
        v->at += ret->length;
        return 1;
    }
}

static int next_piece(struct verify *v, struct piece *ret, struct error *err)
{
    if (v->job->wants->verify == COPY_VERIFY_FULL)
        return next_full(v, ret, err);
    return next_sample(v, ret) ? 1 : 0;
}

static int send(struct copy_end *e, struct slot *s, const struct piece *p, struct error *err)
{
    uint64_t length = p->length;

    /* The destination may go on, in blocks of its own. */
    if (length % e->is.block_bytes && p->offset + length < e->is.length_bytes)
        length += e->is.block_bytes - length % e->is.block_bytes;
    if (length > e->is.length_bytes - p->offset)
        length = e->is.length_bytes - p->offset;
    s->offset = p->offset;
    s->length = p->length;
    s->is_busy = true;
    s->request = (struct ferry_request){
        .what = FERRY_READ, .offset_bytes = p->offset, .length_bytes = length, .buffer = s->buffer
    };
    return end_submit(e, &s->request, err);
}

static int begin_pairs(struct verify *v, struct error *err)
{
    for (size_t i = 0; i < v->n_pairs; i++) {
        struct pair *p = &v->pairs[i];
        struct piece piece = { 0 };
        int r;

        if (p->is_busy)
            continue;
        r = next_piece(v, &piece, err);
        if (r <= 0)
            return r;
        p->is_busy = true;
        p->waiting = 2;
        v->busy++;
        if (send(v->job->from, p->source, &piece, err) < 0 || send(v->job->to, p->dest, &piece, err) < 0)
            return -err->code;
    }
    return 0;
}

static int compare(struct verify *v, struct pair *p, struct error *err)
{
    const XXH128_hash_t a = XXH3_128bits(p->source->buffer, p->source->length);
    const XXH128_hash_t b = XXH3_128bits(p->dest->buffer, p->dest->length);

    p->is_busy = false;
    v->busy--;
    v->job->now.verified_bytes += p->source->length;
    if (XXH128_isEqual(a, b))
        return 0;
    error_set(err, ERROR_FAILED, NULL, "'%s' differs from '%s' between offsets %" PRIu64 " and %" PRIu64,
              v->job->to->name, v->job->from->name, p->source->offset, p->source->offset + p->source->length);
    error_why(err,
              "XXH3-128 of source %016" PRIx64 "%016" PRIx64 ", of destination %016" PRIx64 "%016" PRIx64,
              a.high64, a.low64, b.high64, b.low64);
    return error_fix(err, "The copy is not used. Look at both storages, and copy again.");
}

static int take_back(struct verify *v, struct copy_end *e, struct error *err)
{
    struct ferry_request *done = NULL;
    int n = 0;

    if (end_reap(e, &done, err) < 0)
        return -err->code;
    for (; done; done = done->next, n++) {
        struct slot *s = (struct slot *)(void *)done;
        struct pair *p = &v->pairs[(size_t)(s - v->job->slots) / 2];

        s->is_busy = false;
        if (done->error)
            return end_refused(e, done, err);
        if (--p->waiting == 0 && compare(v, p, err) < 0)
            return -err->code;
    }
    return n;
}

/* How many grains the destination says to have data in. */
static int count_grains(struct job *j, uint64_t *ret, struct error *err)
{
    uint64_t at = 0, counted_to = 0;

    *ret = 0;
    while (at < j->to->is.length_bytes) {
        uint32_t n = 0;

        if (end_extents(j->to, at, j->walk.extents, WALK_EXTENTS, &n, err) < 0)
            return -err->code;
        for (uint32_t i = 0; i < n; i++) {
            const uint64_t first = at / ZERO_GRAIN, end = at + j->walk.extents[i].length_bytes;
            const uint64_t last = (end + ZERO_GRAIN - 1) / ZERO_GRAIN;

            at = end;
            if (j->walk.extents[i].is_zero || last <= counted_to)
                continue;
            *ret += last - (first > counted_to ? first : counted_to);
            counted_to = last;
        }
    }
    return 0;
}

/* The driver may know what the destination occupies: at least what was written must be there. Every grain
 * that was has a byte in it that is not zero, where zeroes need not be written. */
static int compare_extents(struct job *j, struct error *err)
{
    const uint64_t written = j->now.written_bytes;
    uint64_t grains;

    if (!j->to->driver->extents || !j->reads_zero || j->now.lost_times || j->wants->from_bytes)
        return 0;
    if (count_grains(j, &grains, err) < 0)
        return -err->code;
    if (grains >= written / ZERO_GRAIN)
        return 0;
    error_set(err, ERROR_FAILED, NULL,
              "%" PRIu64 " bytes were written to '%s', and only %" PRIu64 " are there", written, j->to->name,
              grains * ZERO_GRAIN);
    return error_fix(err, "The copy is not used. Look at the storage, and copy again.");
}

int verify_run(struct job *j, struct error *err)
{
    struct verify v;

    if (j->wants->verify == COPY_VERIFY_NONE)
        return 0;
    /* Where bytes lie in a file is not to be believed twice. */
    direct_stop(j->from);
    if (compare_extents(j, err) < 0)
        return -err->code;
    begin(&v, j);
    for (;;) {
        int from, to;

        if (begin_pairs(&v, err) < 0)
            return -err->code;
        if (v.busy == 0)
            return 0;
        from = take_back(&v, j->from, err);
        to = from < 0 ? from : take_back(&v, j->to, err);
        if (to < 0 || job_tell(j, false, err) < 0)
            return -err->code;
        if (from + to == 0 && job_wait(j, err) < 0)
            return -err->code;
        j->heard_ms = from + to > 0 ? job_now_ms() : j->heard_ms;
    }
}
