/* SPDX-License-Identifier: Apache-2.0
 * How far a server's clock is from that of this machine, as the server's portmapper tells it beside the
 * ports: in whole seconds, and at no cost. */
#ifndef NFS_CLOCK_H
#define NFS_CLOCK_H

#include <stdint.h>

/* A portmapper that was asked. */
struct clock {
    int64_t asked_ms, told_ms; /* of this machine, since 1970 */
    uint32_t second;           /* of the server; 0: it did not tell */
};

int64_t clock_now_ms(void);
/* What is sure: so many ms the server's is ahead of ours (behind: negative); 0: they may be equal. */
int64_t clock_apart_ms(const struct clock *c);

#endif
