/* SPDX-License-Identifier: Apache-2.0
 * Writes that are not stable until a COMMIT says that the server still has all of them. */
#ifndef NFS_SEND_H
#define NFS_SEND_H

#include <stddef.h>
#include <stdint.h>

#define SEND_TRIES 4

/* Where the bytes go. Each answers 0, or -1 after it said why. The verifier is the server's: another one
 * means that it restarted and may have lost what it had not written. */
struct sink {
    void *context;
    /* *ret_n: how many it took, from 1 to n */
    int (*write)(void *context, uint64_t offset, const unsigned char *bytes, uint32_t n, uint32_t *ret_n,
                 char ret_verifier[8]);
    int (*commit)(void *context, char ret_verifier[8]);
};

/* Sends all, in pieces of at most `piece` bytes, and again from the beginning while verifiers differ. 0 when
 * the server has them for good, -1 as the sink said, 1 when the verifier changed SEND_TRIES times. */
int send_all(const struct sink *sink, const unsigned char *bytes, size_t n, uint32_t piece);

#endif
