/* SPDX-License-Identifier: Apache-2.0
 * A guest that stands still at the source while nothing moves: the other end of a connection is gone, and
 * QEMU, which waits for an answer and has nothing to send, does not learn of it by itself. */
#ifndef MIGRATION_STALL_H
#define MIGRATION_STALL_H

#include <stdbool.h>
#include <stdint.h>

/* As long as libvirt's keepalive takes to call a silent peer dead. */
#define STALL_MS 30000u

struct stall {
    bool is_watched;
    uint64_t moved_bytes, since_ms;
};

/* After each look at the job: whether it is over with patience, which is then begun anew. moved_bytes: of
 * memory and disks. */
bool stall_see(struct stall *s, uint64_t now_ms, bool is_suspended, uint64_t moved_bytes);

#endif
