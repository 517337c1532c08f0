/* SPDX-License-Identifier: Apache-2.0
 * The worker tells ten times a second, which is also when the user's wish to stop is heard. */
#include "run/copies.h"

#include <string.h>

void copies_of(struct copies *k, const char *target)
{
    k->began_ms = loop_now_ms();
    (void)snprintf(k->phase, sizeof k->phase, "copying disk '%.60s'", target);
}

static void report(const struct copies *k, uint64_t done, uint64_t whole, uint64_t zeroes)
{
    const struct move *m = k->m;
    const uint64_t ms = loop_now_ms() - k->began_ms;
    const struct run_progress p = { .phase = k->phase,
                                    .elapsed_ms = loop_now_ms() - m->began_ms,
                                    .total_bytes = whole,
                                    .processed_bytes = done,
                                    .remaining_bytes = whole > done ? whole - done : 0,
                                    .bytes_per_s =
                                        ms > 0 ? (uint64_t)((double)done * 1000.0 / (double)ms) : NOT_KNOWN,
                                    .dirty_bytes_per_s = NOT_KNOWN,
                                    .pass = NOT_KNOWN,
                                    .zero_bytes = zeroes };

    if (m->o->progress && whole > 0)
        m->o->progress(m->o->context, &p);
}

int copies_told(void *context, const json_t *record, struct error *err)
{
    struct copies *k = context;

    if (loop_interrupts(k->m->loop) > 0)
        return error_set(err, ERROR_CANCELLED, NULL, "the copy was cancelled");
    if (!text_equal(json_text(record, "step", ""), "copied"))
        return move_record_for_worker(k->m, record, err);
    report(k, json_u64(record, "done_bytes", 0), json_u64(record, "whole_bytes", 0),
           json_u64(record, "zero_bytes", 0));
    return 0;
}
