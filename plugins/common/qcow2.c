/* SPDX-License-Identifier: Apache-2.0
 * Writes an empty qcow2 image, version 3, 64 KiB clusters, after QEMU's docs/interop/qcow2.txt.
 * Pure: a size in, bytes out. libvirt would run qemu-img, which overwrites what stands there. */
#include "qcow2.h"
#include <string.h>

#define MAX_CAPACITY (UINT64_C(1) << 50)
#define HEADER_BYTES 104u
#define CLUSTER_BITS 16u
#define EXTENSION_FORMAT 0xe2792acau
#define FORMAT_MAX 8u /* extensions are padded to it: "raw" and "qcow2" fit */
#define RESERVED_MORE (UINT64_C(64) << 20)
#define RESERVED_MOST (UINT64_C(8) << 40)
#define REFCOUNT_ORDER 4u /* 16 bits each */
/* One L1 entry covers a full L2 table: 8,192 clusters of 64 KiB. */
#define L1_ENTRY_COVERS ((uint64_t)(QCOW2_CLUSTER / 8) * QCOW2_CLUSTER)

enum cluster { CLUSTER_HEADER, CLUSTER_REFCOUNT_TABLE, CLUSTER_REFCOUNT_BLOCK, CLUSTER_L1 };

static void put32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put64(unsigned char *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static uint64_t l1_entries(uint64_t capacity_bytes)
{
    return (capacity_bytes + L1_ENTRY_COVERS - 1) / L1_ENTRY_COVERS;
}

static uint64_t clusters_of(uint64_t capacity_bytes)
{
    return CLUSTER_L1 + (l1_entries(capacity_bytes) * 8 + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER;
}

uint64_t qcow2_file_bytes(uint64_t capacity_bytes)
{
    if (capacity_bytes == 0 || capacity_bytes % 512 != 0 || capacity_bytes > MAX_CAPACITY)
        return 0;
    return clusters_of(capacity_bytes) * QCOW2_CLUSTER;
}

uint64_t qcow2_reserved_bytes(uint64_t capacity_bytes)
{
    const uint64_t head = qcow2_file_bytes(capacity_bytes);
    /* Data, its L2 tables (8 bytes of 64 KiB), its reference counts (2 bytes), each begun cluster whole. */
    const uint64_t most =
        head + capacity_bytes + capacity_bytes / 8192 + capacity_bytes / 32768 + UINT64_C(8) * QCOW2_CLUSTER;
    const uint64_t bytes = (2 * most + RESERVED_MORE) / QCOW2_CLUSTER * QCOW2_CLUSTER;

    return head == 0 || bytes > RESERVED_MOST ? 0 : bytes;
}

/* The name of the format stands as a header extension behind the header, the path behind the extensions. */
static int put_base(const struct qcow2_base *base, unsigned char head[QCOW2_HEAD_BYTES])
{
    const size_t path_len = strlen(base->path), format_len = strlen(base->format);
    const size_t path_at = HEADER_BYTES + 8 + FORMAT_MAX + 8;

    if (path_len == 0 || path_len > QCOW2_BASE_MAX || format_len == 0 || format_len > FORMAT_MAX)
        return -1;
    put32(head + HEADER_BYTES, EXTENSION_FORMAT);
    put32(head + HEADER_BYTES + 4, (uint32_t)format_len);
    memcpy(head + HEADER_BYTES + 8, base->format, format_len);
    /* The extension that follows, of type and length 0, ends them; all of it is zero already. */
    put64(head + 8, path_at);
    put32(head + 16, (uint32_t)path_len);
    memcpy(head + path_at, base->path, path_len);
    return 0;
}

int qcow2_write_head(uint64_t capacity_bytes, const struct qcow2_base *base,
                     unsigned char head[QCOW2_HEAD_BYTES])
{
    static const unsigned char magic[4] = { 'Q', 'F', 'I', 0xfb };
    unsigned char *counts = head + (size_t)CLUSTER_REFCOUNT_BLOCK * QCOW2_CLUSTER;
    uint64_t clusters = clusters_of(capacity_bytes);

    memset(head, 0, QCOW2_HEAD_BYTES);
    memcpy(head, magic, sizeof magic);
    put32(head + 4, 3);
    put32(head + 20, CLUSTER_BITS);
    put64(head + 24, capacity_bytes);
    put32(head + 36, (uint32_t)l1_entries(capacity_bytes));
    put64(head + 40, (uint64_t)CLUSTER_L1 * QCOW2_CLUSTER);
    put64(head + 48, (uint64_t)CLUSTER_REFCOUNT_TABLE * QCOW2_CLUSTER);
    put32(head + 56, 1);
    put32(head + 96, REFCOUNT_ORDER);
    put32(head + 100, HEADER_BYTES);
    put64(head + (size_t)CLUSTER_REFCOUNT_TABLE * QCOW2_CLUSTER,
          (uint64_t)CLUSTER_REFCOUNT_BLOCK * QCOW2_CLUSTER);
    /* 1 PiB has 259 clusters, a refcount block counts 32,768. */
    for (uint64_t i = 0; i < clusters; i++)
        counts[2 * i + 1] = 1;
    return base ? put_base(base, head) : 0;
}
