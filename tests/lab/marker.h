/* SPDX-License-Identifier: Apache-2.0
 * What a guest holds much of in the memory that it changes, and in each write that it logs: 64 bytes that no
 * compression shortens and nobody else sends, for `lab capture` to look for on the wire. */
#ifndef LAB_MARKER_H
#define LAB_MARKER_H

#include <stdint.h>

#define MARKER_BYTES 64u

/* seed 1: memory, 2: disks. A generator's bytes, so that no file on the hosts holds them. */
static inline void marker_make(uint64_t seed, unsigned char marker[MARKER_BYTES])
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u;

    for (unsigned i = 0; i < MARKER_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        marker[i] = (unsigned char)(x >> 32);
    }
}

#endif
