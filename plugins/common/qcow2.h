/* SPDX-License-Identifier: Apache-2.0
 * The beginning of an empty qcow2 image: all of it that is not zero. */
#ifndef COMMON_QCOW2_H
#define COMMON_QCOW2_H

#include <stdint.h>

#define QCOW2_CLUSTER 65536u
/* Header, refcount table, refcount block; the L1 table behind them is all zero in an empty image. */
#define QCOW2_HEAD_BYTES (3u * QCOW2_CLUSTER)

/* How long the file of an empty image is; 0 when the virtual size is none that this writer can do: 0, not a
 * multiple of 512, or more than 1 PiB. */
uint64_t qcow2_file_bytes(uint64_t capacity_bytes);

/* How long the file of a new image is to be made where nobody may see it grow: twice what QEMU can ever need
 * for an image without snapshots and bitmaps, so that it finds room within it; it is sparse. 0 as above, or
 * where so long a file is none that a server takes. */
uint64_t qcow2_reserved_bytes(uint64_t capacity_bytes);

/* What the image rests on; path is what QEMU opens. */
struct qcow2_base {
    const char *path, *format;
};
/* The longest path of a base. */
#define QCOW2_BASE_MAX 1023u

/* Fills the head for a virtual size that qcow2_file_bytes accepts; base NULL: it rests on nothing. -1: the
 * base's path or format is longer than an image can hold. */
int qcow2_write_head(uint64_t capacity_bytes, const struct qcow2_base *base,
                     unsigned char head[QCOW2_HEAD_BYTES]);

#endif
