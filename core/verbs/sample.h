/* SPDX-License-Identifier: Apache-2.0
 * Where to look into a guest's memory, and what the looks say of all of it. Pure. */
#ifndef VERBS_SAMPLE_H
#define VERBS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_PAGE 4096u
#define SAMPLE_PAGES 16u /* that are read at one place, since a call costs more than they do */
#define SAMPLE_CHUNK (SAMPLE_PAGE * SAMPLE_PAGES)
#define SAMPLE_MOST 512u /* places */

/* The guest-physical address of an offset into the memory of an x86 machine, none of which is a device's:
 * below 4 GiB there is room for devices, and how much memory lies below that is the machine type's own.
 * false: of this machine nobody here knows. */
bool sample_address(const char *arch, const char *machine, uint64_t memory_bytes, uint64_t offset,
                    uint64_t *ret);

/* An offset in the i-th of n equal parts, at a chunk's border: where in it, random says. */
uint64_t sample_offset(uint64_t memory_bytes, size_t n, size_t i, uint64_t random);

/* How many pages of a chunk are not all zero, or differ from what they were. */
unsigned sample_full(const unsigned char *chunk);
unsigned sample_changed(const unsigned char *chunk, const unsigned char *was);

/* Bytes that the counts of n places, in their order (at most SAMPLE_PAGES each), say of memory_bytes. Low and
 * high are two standard deviations away, as neighbours differ, and never nearer than what one place can hide.
 */
struct sample_estimate {
    double low, bytes, high;
};
struct sample_estimate sample_estimate(const unsigned char *counts, size_t n, uint64_t memory_bytes);

#endif
