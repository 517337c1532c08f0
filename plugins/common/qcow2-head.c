/* SPDX-License-Identifier: Apache-2.0
 * Reads the head of a qcow2 image, after QEMU's docs/interop/qcow2.txt. Every offset and length in it is a
 * stranger's. */
#include "qcow2-head.h"
#include <string.h>

#define LEAST_BYTES 72u /* of version 2, which has no features and no length of its own */
#define LEAST_BYTES_3 104u
#define FEATURE_DATA_FILE 4u /* incompatible feature, bit 2 */
#define EXTENSION_BASE_FORMAT 0xe2792acau
#define EXTENSION_DATA_FILE 0x44415441u
#define EXTENSION_BITMAPS 0x23852875u

static uint64_t big_endian(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static bool take_name(const unsigned char *at, uint64_t length, char *name, size_t size)
{
    if (length == 0 || length >= size || memchr(at, '\0', length))
        return false;
    memcpy(name, at, length);
    name[length] = '\0';
    return true;
}

static bool take_base(const unsigned char *bytes, size_t n, struct qcow2_head *ret)
{
    const uint64_t at = big_endian(bytes + 8, 8), length = big_endian(bytes + 16, 4);

    if (at == 0)
        return true;
    return at <= n && length <= n - at && take_name(bytes + at, length, ret->base, sizeof ret->base);
}

/* They follow the header: a type, a length, and the bytes, padded to 8; type 0 ends them. */
static bool take_extensions(const unsigned char *bytes, size_t n, size_t at, struct qcow2_head *ret)
{
    while (at <= n && n - at >= 8) {
        const uint64_t type = big_endian(bytes + at, 4), length = big_endian(bytes + at + 4, 4);

        at += 8;
        if (type == 0)
            return true;
        if (length > n - at)
            return false;
        if ((type == EXTENSION_BASE_FORMAT &&
             !take_name(bytes + at, length, ret->base_format, sizeof ret->base_format)) ||
            (type == EXTENSION_DATA_FILE &&
             !take_name(bytes + at, length, ret->data_file, sizeof ret->data_file)))
            return false;
        ret->is_plain = ret->is_plain && type != EXTENSION_BITMAPS;
        at += (size_t)((length + 7) & ~UINT64_C(7));
    }
    return false;
}

bool qcow2_read_head(const unsigned char *bytes, size_t n, struct qcow2_head *ret)
{
    static const unsigned char magic[4] = { 'Q', 'F', 'I', 0xfb };
    uint64_t version, cluster_bits, length = LEAST_BYTES;

    *ret = (struct qcow2_head){ 0 };
    if (n < LEAST_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return false;
    version = big_endian(bytes + 4, 4);
    cluster_bits = big_endian(bytes + 20, 4);
    ret->capacity = big_endian(bytes + 24, 8);
    ret->n_snapshots = (uint32_t)big_endian(bytes + 60, 4);
    if ((version != 2 && version != 3) || cluster_bits < 9 || cluster_bits > 21 || ret->capacity == 0 ||
        ret->capacity > INT64_MAX)
        return false;
    if (version == 3) {
        if (n < LEAST_BYTES_3)
            return false;
        ret->has_data_file = big_endian(bytes + 72, 8) & FEATURE_DATA_FILE;
        length = big_endian(bytes + 100, 4);
        ret->is_plain = cluster_bits == 16 && big_endian(bytes + 96, 4) == 4 && ret->n_snapshots == 0 &&
                        big_endian(bytes + 72, 8) == 0;
        if (length < LEAST_BYTES_3 || length > n)
            return false;
    }
    return take_base(bytes, n, ret) && take_extensions(bytes, n, (size_t)length, ret);
}
