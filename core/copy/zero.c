/* SPDX-License-Identifier: Apache-2.0
 * The bytes are compared with themselves, one vector further on: libc's memcmp then uses the widest vectors
 * of this processor, which a loop of ours, built for any, could not. */
#include "copy/zero.h"
#include <string.h>

#define HEAD 16u

bool zero_is(const void *bytes, size_t n)
{
    static const unsigned char none[HEAD];

    if (n <= HEAD)
        return memcmp(bytes, none, n) == 0;
    return memcmp(bytes, none, HEAD) == 0 &&
           memcmp(bytes, (const unsigned char *)bytes + HEAD, n - HEAD) == 0;
}

static size_t grain_end(size_t n, size_t at)
{
    const size_t end = at - at % ZERO_GRAIN + ZERO_GRAIN;

    return end < n ? end : n;
}

size_t zero_run(const unsigned char *bytes, size_t n, size_t at, bool *ret_is_zero)
{
    size_t end = grain_end(n, at);

    *ret_is_zero = zero_is(bytes + at, end - at);
    while (end < n) {
        const size_t next = grain_end(n, end);

        if (zero_is(bytes + end, next - end) != *ret_is_zero)
            break;
        end = next;
    }
    return end - at;
}
