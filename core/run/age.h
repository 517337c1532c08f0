/* SPDX-License-Identifier: Apache-2.0
 * How long ago a run began, by clocks that nobody can set back as far as there are any: a host that has been
 * up for less has been booted since, and may have run the guest before. */
#ifndef RUN_AGE_H
#define RUN_AGE_H

#include "base/json.h"
#include <stdbool.h>
#include <stdint.h>

struct age_moment {
    uint64_t wall_s;
    uint64_t awake_ms; /* since `boot`, sleep included */
    char boot[40];     /* which boot of which machine; "": not known */
    bool is_elsewhere; /* the clocks are another machine's */
};

void age_now(struct age_moment *ret);

/* NOT_KNOWN: it may be any time ago. */
uint64_t age_s(const struct age_moment *began, const struct age_moment *now);

/* Of the journal's "begin". */
int age_put(json_t *begin, const struct age_moment *began);
void age_read(const json_t *begin, struct age_moment *ret);

#endif
