/* SPDX-License-Identifier: Apache-2.0
 * The order of a copy: from the first byte to the last, the source's extents cut into pieces that both ends
 * take, on a grid, so that a copy that begins again cuts the same ones. */
#ifndef COPY_WALK_H
#define COPY_WALK_H

#include "copy/end.h"

#define WALK_EXTENTS 256u

struct walk {
    struct copy_end *source;
    uint64_t at, source_bytes, whole_bytes; /* whole: the destination's length, zeroes behind the source */
    uint32_t block_bytes, piece_bytes;
    struct ferry_extent extents[WALK_EXTENTS];
    uint32_t n, next;
};

struct piece {
    uint64_t offset, length;
    bool is_zero;
};

/* block and piece: of both ends the larger. from: a multiple of the block. */
void walk_begin(struct walk *w, struct copy_end *source, uint64_t whole_bytes, uint32_t block_bytes,
                uint32_t piece_bytes, uint64_t from);
/* 1 a piece, 0 the end; negative with err. Pieces of zeroes may be as long as the image. */
int walk_next(struct walk *w, struct piece *ret, struct error *err);

#endif
