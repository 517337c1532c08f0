/* SPDX-License-Identifier: Apache-2.0
 * Two hosts judged without a domain: the rules that need none, and whether any channel is left.
 * Pure as the planner is: facts whose domain has no name in, findings out. */
#ifndef PLAN_PAIR_H
#define PLAN_PAIR_H

#include "plan/plan.h"

struct pair {
    struct arena *arena;
    const struct facts *facts; /* lent */
    struct findings findings;  /* of the hosts and of each channel, that one's driver as where */
    size_t n_channels;         /* that nothing refuses */
    bool is_fit;               /* a domain could move: a channel is left, and nothing refuses the hosts */
};

/* facts must outlive it. Fails only without memory. */
struct pair *pair_judge(const struct facts *facts, const struct plan_limits *limits, struct error *err);
void pair_free(struct pair *p);
OWNED_DEFINE(pair)

/* The next of the source's mounts, from *at on, that the destination lacks; NULL when there is none. */
const struct mount *pair_mount_lacking(const struct facts *f, size_t *at);

#endif
