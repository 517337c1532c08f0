/* SPDX-License-Identifier: Apache-2.0
 * Extents are rounded outwards where they hold data: what is between two blocks' borders is read. */
#include "copy/walk.h"

static uint64_t down(uint64_t n, uint64_t block)
{
    return n - n % block;
}

static uint64_t up(uint64_t n, uint64_t block)
{
    return n % block ? down(n, block) + block : n;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void walk_begin(struct walk *w, struct copy_end *source, uint64_t whole_bytes, uint32_t block_bytes,
                uint32_t piece_bytes, uint64_t from)
{
    w->source = source;
    w->source_bytes = source->is.length_bytes;
    w->whole_bytes = whole_bytes;
    w->block_bytes = block_bytes;
    w->piece_bytes = piece_bytes;
    w->at = down(from, block_bytes);
    w->n = w->next = 0;
}

/* The extent that holds w->at, which lies in the source. */
static int find_extent(struct walk *w, const struct ferry_extent **ret, struct error *err)
{
    for (;;) {
        for (; w->next < w->n; w->next++) {
            const struct ferry_extent *e = &w->extents[w->next];

            if (w->at < e->offset_bytes + e->length_bytes) {
                *ret = e;
                return 0;
            }
        }
        w->next = 0;
        if (end_extents(w->source, w->at, w->extents, WALK_EXTENTS, &w->n, err) < 0) {
            w->n = 0;
            return -err->code;
        }
    }
}

/* How far the zeroes go from w->at, over as many extents as are known. */
static uint64_t zeroes_end(const struct walk *w)
{
    uint64_t end = w->at;

    for (uint32_t i = w->next; i < w->n && w->extents[i].is_zero; i++)
        end = w->extents[i].offset_bytes + w->extents[i].length_bytes;
    return end;
}

int walk_next(struct walk *w, struct piece *ret, struct error *err)
{
    const struct ferry_extent *e = NULL;
    uint64_t end;

    if (w->at >= w->whole_bytes)
        return 0;
    ret->offset = w->at;
    if (w->at >= w->source_bytes) {
        ret->is_zero = true;
        ret->length = w->whole_bytes - w->at;
        w->at = w->whole_bytes;
        return 1;
    }
    if (find_extent(w, &e, err) < 0 || !e)
        return -err->code;
    end = e->is_zero ? zeroes_end(w) : 0;
    ret->is_zero = e->is_zero && (end >= w->source_bytes || down(end, w->block_bytes) > w->at);
    if (ret->is_zero)
        end = end >= w->source_bytes ? w->source_bytes : down(end, w->block_bytes);
    else
        end = lesser(up(e->is_zero ? w->at + 1 : e->offset_bytes + e->length_bytes, w->block_bytes),
                     down(w->at, w->piece_bytes) + w->piece_bytes);
    end = lesser(end, w->source_bytes);
    ret->length = end - w->at;
    /* The destination's last block may hold more than the source's last bytes: zeroes, which whoever writes
     * data adds himself. */
    w->at = end == w->source_bytes ? lesser(up(end, w->block_bytes), w->whole_bytes) : end;
    if (ret->is_zero)
        ret->length = w->at - ret->offset;
    return 1;
}
