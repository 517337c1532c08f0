/* SPDX-License-Identifier: Apache-2.0
 * Sets of processors and of NUMA nodes in libvirt's words: "0-3,^2,8". Bounded; larger figures are refused.
 * No allocation but the text. */
#ifndef FACTS_CPUSET_H
#define FACTS_CPUSET_H

#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

#define CPUSET_MAX 16384u /* libvirt's own border of a processor's number */

struct cpuset {
    uint64_t words[CPUSET_MAX / 64u];
};

/* Adds what the text names; false, and nothing added, when it is no such text. NULL names nothing. */
bool cpuset_add(struct cpuset *set, const char *text);
void cpuset_add_one(struct cpuset *set, unsigned n);
bool cpuset_is_empty(const struct cpuset *set);
/* What set has and within lacks. */
struct cpuset cpuset_without(const struct cpuset *set, const struct cpuset *within);
/* "0-3,8" on the arena; NULL for an empty one, and for one whose text would be longer than facts may hold. */
const char *cpuset_text(struct arena *a, const struct cpuset *set);

#endif
