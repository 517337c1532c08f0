/* SPDX-License-Identifier: Apache-2.0
 * Time without a byte, counted from the first look that finds the guest suspended. */
#include "migration/stall.h"

bool stall_see(struct stall *s, uint64_t now_ms, bool is_suspended, uint64_t moved_bytes)
{
    if (is_suspended && s->is_watched && moved_bytes == s->moved_bytes && now_ms - s->since_ms < STALL_MS)
        return false;
    if (is_suspended && s->is_watched && moved_bytes == s->moved_bytes) {
        s->since_ms = now_ms;
        return true;
    }
    *s = (struct stall){ .is_watched = is_suspended, .moved_bytes = moved_bytes, .since_ms = now_ms };
    return false;
}
