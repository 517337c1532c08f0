/* SPDX-License-Identifier: Apache-2.0
 * What the cluster's answers mean for a move: who may have the image open, which features stand in the way,
 * whether the pool takes writes. Pure: lists, bits and JSON in, a verdict out. */
#ifndef CEPH_JUDGE_H
#define CEPH_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image that QEMU has open for writing is watched by it, once. Whoever opens it only to read is not seen.
 */
enum judge_watch {
    WATCH_EXPECTED,
    WATCH_NONE,     /* the domain is not shut off, and nobody has the image open: it has another one */
    WATCH_SECOND,   /* beside the domain somebody else has it open */
    WATCH_SOMEBODY, /* the domain is shut off, or only reads, and somebody has it open for writing */
};
struct judge_use {
    bool is_in_use; /* the domain is not shut off */
    bool is_read;   /* the guest cannot write the image */
    bool is_shareable;
};
enum judge_watch judge_watchers(size_t n, struct judge_use use);

/* The first feature that keeps the destination's QEMU from the image, as 1 << bit; 0 = none. */
uint64_t judge_blocking_feature(uint64_t features);

enum judge_full { FULL_NO, FULL_NOT_KNOWN, FULL_NEAR, FULL_QUOTA, FULL_CLUSTER };
/* Of 'osd pool ls detail', as JSON. */
enum judge_full judge_pool_full(const char *json, size_t n, int64_t pool_id);
/* Of 'df detail', as JSON: what can still be written to the pool, its quota counted; UINT64_MAX = not known.
 */
uint64_t judge_pool_free(const char *json, size_t n, int64_t pool_id);

#endif
