/* SPDX-License-Identifier: Apache-2.0
 * Calls the rules that need no domain, those of a channel for each channel. */
#include "plan/pair.h"
#include "plan/planner.h"
#include "plan/rules.h"

static bool refuses_channel(const struct pair *p, const struct channel *ch)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (p->findings.list[i].severity == REFUSES && text_equal(p->findings.list[i].where, ch->driver))
            return true;
    return false;
}

static bool refuses_hosts(const struct pair *p)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (p->findings.list[i].severity == REFUSES &&
            !rules_is_about_channel(p->facts, &p->findings.list[i]))
            return true;
    return false;
}

static void judge(struct pair *p, const struct plan_limits *limits)
{
    struct rule_case c = { .arena = p->arena, .facts = p->facts, .limits = limits };
    const struct rule *r;

    for (size_t i = 0; i < p->facts->findings.n; i++)
        findings_add(p->arena, &p->findings, &p->facts->findings.list[i]);
    for (size_t i = 0; (r = rules_at(i)); i++) {
        if (r->scope != PER_PAIR && !r->of_pair)
            continue;
        c.channel = NULL;
        if (r->scope != PER_CHANNEL) {
            rules_apply(r, c, &p->findings);
            continue;
        }
        for (size_t k = 0; k < p->facts->n_channels; k++) {
            c.channel = &p->facts->channels[k];
            rules_apply(r, c, &p->findings);
        }
    }
    for (size_t k = 0; k < p->facts->n_channels; k++)
        p->n_channels += !refuses_channel(p, &p->facts->channels[k]);
    p->is_fit = p->n_channels > 0 && !refuses_hosts(p);
}

struct pair *pair_judge(const struct facts *facts, const struct plan_limits *limits, struct error *err)
{
    OWNED(pair) p = calloc(1, sizeof *p);

    if (!p || !(p->arena = arena_new())) {
        error_memory(err);
        return NULL;
    }
    p->facts = facts;
    judge(p, limits);
    if (arena_failed(p->arena)) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(p);
}

void pair_free(struct pair *p)
{
    if (!p)
        return;
    arena_free(p->arena);
    free(p);
}
