/* SPDX-License-Identifier: Apache-2.0
 * Makes a plan by the five steps of README.md, and answers what was chosen and why nothing could be.
 * Owns the plan's arena; the facts are the caller's. */
#include "plan/plan.h"
#include "plan/planner.h"
#include <string.h>

static const uint64_t libvirt_max_downtime_ms = 300;

const char *treatment_word(enum treatment t)
{
    static const char *const words[] = { "shared", "copy", "nothing", "overlay", "relocate", "chain" };

    return (size_t)t < sizeof words / sizeof words[0] ? words[t] : "nothing";
}

bool treatment_copies(enum treatment t)
{
    return t == TREAT_COPY || treatment_rests(t);
}

bool treatment_rests(enum treatment t)
{
    return t == TREAT_OVERLAY || t == TREAT_CHAIN;
}

const char *memory_mode_word(enum memory_mode m)
{
    static const char *const words[] = { "precopy", "postcopy", "throttled", "paused", "offline" };

    return (size_t)m < sizeof words / sizeof words[0] ? words[m] : "precopy";
}

const char *hand_over_word(enum hand_over h)
{
    static const char *const words[] = { "gated", "locked", "held", "definition" };

    return (size_t)h < sizeof words / sizeof words[0] ? words[h] : "gated";
}

void findings_add(struct arena *a, struct findings *to, const struct finding *f)
{
    /* Grows at powers of two, so that a thousand findings are not a thousand copies of the list. */
    if ((to->n & (to->n - 1)) == 0) {
        struct finding *grown = arena_zeroed(a, to->n ? 2 * to->n : 1, sizeof *grown);

        if (!grown)
            return;
        if (to->n)
            memcpy(grown, to->list, to->n * sizeof *grown);
        to->list = grown;
    }
    to->list[to->n++] = *f;
}

size_t findings_refusing(const struct findings *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->list[i].severity == REFUSES;
    return n;
}

uint64_t planning_max_downtime_ms(const struct planning *p)
{
    if (p->limits.max_downtime_ms != NOT_KNOWN)
        return p->limits.max_downtime_ms;
    if (p->facts->domain.max_downtime_ms != NOT_KNOWN && p->facts->domain.max_downtime_ms)
        return p->facts->domain.max_downtime_ms;
    return libvirt_max_downtime_ms;
}

void plan_free(struct plan *p)
{
    /* The plan itself lies on its arena too. */
    if (p)
        arena_free(p->arena);
}

static struct plan *plan_new(const struct facts *facts)
{
    OWNED(arena) a = arena_new();
    struct plan *plan = a ? arena_zeroed(a, 1, sizeof *plan) : NULL;

    if (!plan)
        return NULL;
    plan->facts = facts;
    plan->arena = HAND_OVER(a);
    return plan;
}

struct plan *plan_make(const struct facts *facts, const struct plan_limits *limits, struct error *err)
{
    OWNED(plan) plan = plan_new(facts);
    struct planning p = { .plan = plan, .facts = facts, .limits = *limits };

    if (!plan) {
        (void)error_memory(err);
        return NULL;
    }
    plan->max_downtime_ms = planning_max_downtime_ms(&p);
    candidates_make(&p);
    for (size_t i = 0; i < plan->n; i++)
        cost_price(&p, &plan->list[i]);
    rules_judge(&p);
    rank_plan(&p);
    if (arena_failed(plan->arena)) {
        (void)error_memory(err);
        return NULL;
    }
    return HAND_OVER(plan);
}

const struct strategy *plan_chosen(const struct plan *p)
{
    return p->n_unasked ? &p->list[0] : NULL;
}

const struct strategy *plan_strategy(const struct plan *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (text_equal(p->list[i].id, id))
            return &p->list[i];
    return NULL;
}

static const struct finding *first_refusal(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].severity == REFUSES)
            return &f->list[i];
    return NULL;
}

const struct finding *plan_refuses(const struct plan *p, const struct strategy *s)
{
    const struct finding *of_plan = first_refusal(&p->findings);

    return of_plan ? of_plan : first_refusal(&s->findings);
}

static size_t strategies_with(const struct plan *p, const struct finding *f)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->list[i].findings.n; k++) {
            const struct finding *other = &p->list[i].findings.list[k];

            if (text_equal(other->id, f->id) && text_equal(other->where, f->where)) {
                n++;
                break;
            }
        }
    return n;
}

/* Only the nearest strategy's own refusals are counted: what refuses it is what the user can mend, and a
 * thousand disks cost a thousand scans, not a million. Alternatives rank last and so never speak here. */
static const struct finding *shared_refusal(const struct plan *p)
{
    const struct finding *best = NULL;
    size_t best_n = 0;

    for (size_t i = 0; p->n && i < p->list[0].findings.n; i++) {
        const struct finding *f = &p->list[0].findings.list[i];
        const size_t n =
            f->severity == REFUSES && (!best || strcmp(best->id, f->id) != 0) ? strategies_with(p, f) : 0;

        if (n > best_n) {
            best = f;
            best_n = n;
        }
    }
    return best;
}

static int refusal_of_all(const struct plan *p, struct error *err)
{
    const struct finding *f = first_refusal(&p->findings);
    const char *host = NULL;

    if (!f)
        f = shared_refusal(p);
    if (!f)
        return error_set(err, ERROR_REFUSED, NULL, "there is no strategy for this move");
    if (f->where &&
        (text_equal(f->where, p->facts->dest.name) || text_equal(f->where, p->facts->source.name)))
        host = f->where;
    (void)error_set(err, ERROR_REFUSED, host, "%s", f->what ? f->what : f->id);
    if (f->fix)
        return error_fix(err, "%s", f->fix);
    return -ERROR_REFUSED;
}

static int must_be_named(const struct strategy *s, struct error *err)
{
    if (s->hand_over == HAND_OVER_LOCKED) {
        error_set(err, ERROR_REFUSED, NULL,
                  "only the locked hand-over is left, which is no safer than its lock lives");
        return error_fix(err, "Name it if that is meant: --strategy %s.", s->id);
    }
    if (s->mode != MODE_PAUSED) {
        error_set(err, ERROR_REFUSED, NULL,
                  "only a move by %u connections would do, which may not end or slows the guest",
                  s->connections);
        return error_fix(err,
                         "Name it if that is meant: --strategy %s; or measure the guest: "
                         "--measure-dirty 4.",
                         s->id);
    }
    error_set(err, ERROR_REFUSED, NULL, "the guest would stand still for all of the move, likely %s",
              MS_TEXT(s->downtime_ms.likely));
    return error_fix(err,
                     "Name it if that is meant: --strategy %s; or allow the downtime: --max-downtime %llu.",
                     s->id, (unsigned long long)s->downtime_ms.high);
}

int plan_refusal(const struct plan *p, struct error *err)
{
    if (p->n_valid)
        return must_be_named(&p->list[0], err);
    return refusal_of_all(p, err);
}
