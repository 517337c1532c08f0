/* SPDX-License-Identifier: Apache-2.0
 * The choice alone, for whoever asks about many domains and many hosts: what plan_make would choose and what
 * that costs, without the texts, the order of the others and their findings. Ask plan_make for those, for the
 * one pair that is looked at. Pure like the rest of this folder. */
#ifndef PLAN_BRIEF_H
#define PLAN_BRIEF_H

#include "plan/plan.h"

struct brief {
    const struct channel *channel; /* of the facts; NULL when nothing can be chosen */
    enum memory_mode mode;
    enum hand_over hand_over;
    bool copies_disks, needs_unsafe;
    unsigned connections;
    struct estimate time_ms, downtime_ms, bytes, exposure_ms;
    const char *refused_by; /* when nothing can be: the id of a finding; of the whole move if there is one.
                               A driver's or the survey's own lives as long as the facts */
};

/* What every brief of one thread needs again: made once, it grows to the largest domain seen and no further.
 */
struct briefing;
struct briefing *briefing_new(const struct plan_limits *limits); /* NULL without memory */
void briefing_free(struct briefing *b);
OWNED_DEFINE(briefing)

/* Fails only without memory. */
int briefing_make(struct briefing *b, const struct facts *facts, struct brief *ret, struct error *err);

#endif
