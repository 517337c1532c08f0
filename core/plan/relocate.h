/* SPDX-License-Identifier: Apache-2.0
 * Facts about disks that shall lie elsewhere on their own host in, a judged and priced relocation out.
 * The rules are rows like all others (rules-relocate.c); the same ones judge a move that relocates first. */
#ifndef PLAN_RELOCATE_H
#define PLAN_RELOCATE_H

#include "plan/plan.h"

struct relocation_plan {
    struct arena *arena;
    const struct facts *facts; /* lent */
    enum treatment *disks;     /* one per disk of the domain: TREAT_RELOCATE or TREAT_NOTHING */
    struct findings findings;  /* with a REFUSES among them nothing may be done */
    struct estimate time_ms, bytes;
};

/* facts must outlive it. Fails only without memory. */
struct relocation_plan *relocation_plan_make(const struct facts *facts, const struct plan_limits *limits,
                                             struct error *err);
void relocation_plan_free(struct relocation_plan *p);
OWNED_DEFINE(relocation_plan)

/* Is there nothing against it? */
bool relocation_plan_is_valid(const struct relocation_plan *p);
/* The first finding against it, as an error for exit 3. */
int relocation_plan_refusal(const struct relocation_plan *p, struct error *err);

/* For people, and as JSON. */
void relocation_plan_explain(const struct relocation_plan *p, struct text *out);
json_t *relocation_plan_to_json(const struct relocation_plan *p);

#endif
