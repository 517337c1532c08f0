/* SPDX-License-Identifier: Apache-2.0
 * Copies one image into another: one loop over both drivers' asynchronous I/O, in one thread, which never
 * waits for one end alone. README.md states how; who calls opens and closes the ends. */
#ifndef COPY_COPY_H
#define COPY_COPY_H

#include "copy/end.h"

enum copy_verify { COPY_VERIFY_SAMPLED, COPY_VERIFY_FULL, COPY_VERIFY_NONE };

/* How far a copy is; told about ten times a second, and once after each flush. */
struct copy_progress {
    uint64_t whole_bytes; /* of the destination */
    uint64_t done_bytes;  /* all before this offset was copied */
    uint64_t safe_bytes;  /* all before this offset outlasts a loss of power: a copy may begin again there */
    uint64_t read_bytes;  /* from the source */
    uint64_t written_bytes;  /* to the destination; what was lost and written again counts twice */
    uint64_t zero_bytes;     /* neither read nor written, or read and not written */
    uint64_t verified_bytes; /* read back and compared */
    uint64_t cloned_bytes;   /* that the storage itself holds twice now, at no cost */
    uint32_t lost_times;     /* how often the storage forgot what was not flushed */
};

struct copy_wants {
    uint64_t from_bytes; /* begin here: all before stands in the destination already */
    /* The destination was made for this copy and holds nothing but what it wrote, though it is not empty any
     * more: what was not written reads as zero. For a copy that begins again. */
    bool was_empty;
    enum copy_verify verify;
    /* May end the copy by a negative code with err set; NULL = nobody is told. */
    int (*tell)(void *context, const struct copy_progress *p, struct error *err);
    void *context;
};

/* Both are open, `to` for writing and at least as long. The rest of it reads as zero afterwards. 0 once all
 * stands in the destination for good, and was verified as asked: both are open still. Closed after a failure.
 */
int copy_run(struct copy_end *from, struct copy_end *to, const struct copy_wants *wants,
             struct copy_progress *ret, struct error *err);

#endif
