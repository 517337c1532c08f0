/* SPDX-License-Identifier: Apache-2.0
 * Reads the head of a qcow2 image, versions 2 and 3, after QEMU's docs/interop/qcow2.txt. Only asked where
 * the domain says that the format is qcow2: a guest can write such a header into a raw image. */
#include "header.h"
#include <string.h>

#define LEAST_BYTES 72u /* of version 2 */

static uint64_t big_endian(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

uint64_t header_capacity(const unsigned char *bytes, size_t n)
{
    static const unsigned char magic[4] = { 'Q', 'F', 'I', 0xfb };
    uint64_t version, cluster_bits, capacity;

    if (n < LEAST_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return 0;
    version = big_endian(bytes + 4, 4);
    cluster_bits = big_endian(bytes + 20, 4);
    capacity = big_endian(bytes + 24, 8);
    if ((version != 2 && version != 3) || cluster_bits < 9 || cluster_bits > 21 || capacity > INT64_MAX)
        return 0;
    return capacity;
}
