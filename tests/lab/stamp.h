/* SPDX-License-Identifier: Apache-2.0
 * What the guest writes to its disks with --write-log, and what stamp-check expects to find there.
 * Both sides include it: the layout on the disk and the line on the console are one contract. */
#ifndef LAB_STAMP_H
#define LAB_STAMP_H

#include <stdint.h>
#include <string.h>

#define STAMP_RING_OFFSET (1024 * 1024)
#define STAMP_BLOCK_SIZE 4096u
#define STAMP_BLOCKS 256u
#define STAMP_MAGIC "FERRYLAB"

/* Fixed widths and the full stop let a reader drop a line that was cut in two: when a guest moves,
 * the start of a line may stand on the source's console and its end on the destination's. */
#define STAMP_ACK_FORMAT "ack %02x %04x %012llx %016llx."
#define STAMP_LOST_FORMAT "lost %02x %04x %012llx."

struct stamp {
    char magic[8];
    uint32_t disk;
    uint32_t block;
    uint64_t sequence;
    uint64_t time_ns; /* two runs of one guest part here: same sequence, other time */
    uint64_t sum;     /* over the whole block with this field zero */
    uint8_t filling[STAMP_BLOCK_SIZE - 40];
};

_Static_assert(sizeof(struct stamp) == STAMP_BLOCK_SIZE, "a stamp fills its block");

static inline uint64_t stamp_sum(const struct stamp *stamp)
{
    struct stamp copy = *stamp;
    uint64_t words[STAMP_BLOCK_SIZE / 8], sum = 0xcbf29ce484222325u;

    copy.sum = 0;
    memcpy(words, &copy, sizeof words);
    for (unsigned i = 0; i < STAMP_BLOCK_SIZE / 8; i++)
        sum = (sum ^ words[i]) * 0x100000001b3u;
    return sum;
}

static inline int stamp_is_valid(const struct stamp *stamp, unsigned disk, unsigned block)
{
    return !memcmp(stamp->magic, STAMP_MAGIC, sizeof stamp->magic) && stamp->disk == disk &&
           stamp->block == block && stamp->sum == stamp_sum(stamp);
}

#endif
