/* SPDX-License-Identifier: Apache-2.0
 * Writes and their COMMIT. libnfs's own fsync drops the verifier, and with it the news that a server lost
 * data. */
#include "send.h"
#include <stdbool.h>
#include <string.h>

/* All pieces once; *ret_same: one verifier for all of them. */
static int send_once(const struct sink *sink, const unsigned char *bytes, size_t n, uint32_t piece,
                     char ret_verifier[8], bool *ret_same)
{
    char verifier[8];
    uint32_t taken;

    *ret_same = true;
    for (size_t at = 0; at < n; at += taken) {
        const uint32_t wanted = n - at < piece ? (uint32_t)(n - at) : piece;

        if (sink->write(sink->context, at, bytes + at, wanted, &taken, verifier) < 0)
            return -1;
        if (at == 0)
            memcpy(ret_verifier, verifier, sizeof verifier);
        else if (memcmp(ret_verifier, verifier, sizeof verifier) != 0)
            *ret_same = false;
    }
    return 0;
}

int send_all(const struct sink *sink, const unsigned char *bytes, size_t n, uint32_t piece)
{
    for (int i = 0; i < SEND_TRIES; i++) {
        char written[8];
        char committed[8];
        bool is_same;

        if (send_once(sink, bytes, n, piece, written, &is_same) < 0 ||
            sink->commit(sink->context, committed) < 0)
            return -1;
        if (is_same && memcmp(written, committed, sizeof written) == 0)
            return 0;
    }
    return 1;
}
