/* SPDX-License-Identifier: Apache-2.0
 * Orders priced and judged strategies. The one place that knows what is cheaper, equal and safer.
 * Owns the order, not the prices. See README.md. */
#include "plan/plan.h"
#include "plan/planner.h"
#include <string.h>

/* Costs nearer than this are equal: the model cannot tell them apart. The larger of share and floor counts.
 */
static const struct {
    double share;
    uint64_t floor;
} error_of_model[] = {
    [PREFER_TIME] = { 0.15, 300 },
    [PREFER_DOWNTIME] = { 0.15, 100 },
    [PREFER_BYTES] = { 0.05, 8u << 20 },
    [PREFER_EXPOSURE] = { 0.15, 300 },
};

static enum prefer prefer_of(const struct plan_limits *limits)
{
    return (unsigned)limits->prefer <= PREFER_EXPOSURE ? limits->prefer : PREFER_TIME;
}

static uint64_t cost_of(const struct strategy *s, enum prefer prefer)
{
    switch (prefer) {
    case PREFER_DOWNTIME:
        return s->downtime_ms.likely;
    case PREFER_BYTES:
        return s->bytes.likely;
    case PREFER_EXPOSURE:
        return s->exposure_ms.likely;
    case PREFER_TIME:
        break;
    }
    return s->time_ms.likely;
}

/* dearer >= cheaper */
static bool is_equal_cost(uint64_t cheaper, uint64_t dearer, enum prefer prefer)
{
    const double share = error_of_model[prefer].share * (double)dearer;
    const double floor = (double)error_of_model[prefer].floor;

    return (double)(dearer - cheaper) <= (share > floor ? share : floor);
}

static int order_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Among equals. Post-copy that is only armed costs nothing while pre-copy ends by itself; where no figure
 * promises that, it is what makes the move end. A guest is slowed or stopped only for a reason. */
static int mode_order(const struct strategy *s)
{
    switch (s->mode) {
    case MODE_POSTCOPY:
        return s->exposure_ms.high ? 0 : 2;
    case MODE_PRECOPY:
        return 1;
    case MODE_THROTTLED:
        return 3;
    case MODE_PAUSED:
        return 4;
    case MODE_OFFLINE:
        break;
    }
    return 5;
}

/* Encryption first, then an address that was really reached; gated keeps the downtime short. */
static int order_safer(const struct strategy *a, const struct strategy *b)
{
    int order = order_u64(b->channel->protects_data, a->channel->protects_data);

    if (!order)
        order = order_u64(b->channel->protects_control, a->channel->protects_control);
    if (!order)
        order = (int)b->channel->was_probed - (int)a->channel->was_probed;
    if (!order)
        order = (int)a->hand_over - (int)b->hand_over;
    /* Direct, what is seen here is seen first, and what ends here ends there too. */
    if (!order)
        order = (int)a->is_p2p - (int)b->is_p2p;
    /* Several have more parts that can fail, no post-copy to end in, and take processors from others. */
    if (!order)
        order = (a->connections > b->connections) - (a->connections < b->connections);
    if (!order)
        order = mode_order(a) - mode_order(b);
    return order;
}

static int order_cheaper(const struct strategy *a, const struct strategy *b, enum prefer prefer)
{
    int order = order_u64(cost_of(a, prefer), cost_of(b, prefer));

    if (!order)
        order = order_u64(a->time_ms.likely, b->time_ms.likely);
    return order || !a->id || !b->id ? order : strcmp(a->id, b->id);
}

struct ranking {
    enum prefer prefer;
};

static int compare_cheaper(const void *a, const void *b, void *context)
{
    return order_cheaper(a, b, ((const struct ranking *)context)->prefer);
}

static int compare_safer(const void *a, const void *b, void *context)
{
    const int order = order_safer(a, b);

    return order ? order : compare_cheaper(a, b, context);
}

/* The nearest to being valid first: its refusal is the one that helps. */
static int compare_refused(const void *va, const void *vb, void *context)
{
    const struct strategy *a = va, *b = vb;
    int order = (int)a->is_alternative - (int)b->is_alternative;

    if (!order)
        order = order_u64(findings_refusing(&a->findings), findings_refusing(&b->findings));
    return order ? order : compare_safer(a, b, context);
}

static void rank_valid(struct strategy *list, size_t n, struct ranking *r)
{
    if (n)
        qsort_r(list, n, sizeof *list, compare_cheaper, r);
    for (size_t first = 0, end; first < n; first = end) {
        const uint64_t cheapest = cost_of(&list[first], r->prefer);

        for (end = first + 1; end < n && is_equal_cost(cheapest, cost_of(&list[end], r->prefer), r->prefer);)
            end++;
        qsort_r(list + first, end - first, sizeof *list, compare_safer, r);
    }
}

/* Post-copy cannot come to the help of several connections: nobody who did not ask for them shall have a move
 * that may never end, or a guest that is slowed, where one connection has its way out. */
static bool is_several_at_risk(const struct planning *p, const struct strategy *s)
{
    return s->connections > 1 && !p->limits.connections && (s->may_not_end || s->mode == MODE_THROTTLED);
}

/* Standing still for all of it is quick and cheap, and not what anybody means by a move of a running guest:
 * it competes only where the user allows a downtime that it keeps to, else it must be named. So must a lock
 * that holds no longer than the QEMU that has it (core/handover/README.md, limit 10). */
static bool is_last_resort(const struct planning *p, const struct strategy *s)
{
    if (s->hand_over == HAND_OVER_LOCKED || is_several_at_risk(p, s))
        return true;
    return s->mode == MODE_PAUSED &&
           (p->limits.max_downtime_ms == NOT_KNOWN || s->downtime_ms.high > p->limits.max_downtime_ms);
}

static size_t last_resorts_behind(const struct planning *p)
{
    struct strategy *list = p->plan->list;
    size_t n = 0;

    for (size_t i = 0; i < p->plan->n_valid; i++)
        if (!is_last_resort(p, &list[i])) {
            const struct strategy other = list[i];

            list[i] = list[n];
            list[n++] = other;
        }
    return n;
}

/* The cheapest opens the group of equals, and the safest of that group is what rank_valid puts first. */
const struct strategy *rank_best(const struct planning *p, const struct strategy *list, size_t n)
{
    const enum prefer prefer = prefer_of(&p->limits);
    struct ranking r = { .prefer = prefer };
    const struct strategy *best = NULL;
    uint64_t cheapest = UINT64_MAX;

    for (size_t i = 0; i < n; i++)
        if (!is_last_resort(p, &list[i]) && cost_of(&list[i], prefer) < cheapest)
            cheapest = cost_of(&list[i], prefer);
    for (size_t i = 0; i < n; i++)
        if (!is_last_resort(p, &list[i]) && is_equal_cost(cheapest, cost_of(&list[i], prefer), prefer) &&
            (!best || compare_safer(&list[i], best, &r) < 0))
            best = &list[i];
    return best;
}

void rank_plan(struct planning *p)
{
    struct plan *plan = p->plan;
    struct ranking r = { .prefer = prefer_of(&p->limits) };
    size_t n_first;

    for (size_t i = 0; i < plan->n; i++)
        if (!plan_refuses(plan, &plan->list[i])) {
            const struct strategy valid = plan->list[i];

            plan->list[i] = plan->list[plan->n_valid];
            plan->list[plan->n_valid++] = valid;
        }
    n_first = plan->n_unasked = last_resorts_behind(p);
    rank_valid(plan->list, n_first, &r);
    rank_valid(plan->list + n_first, plan->n_valid - n_first, &r);
    if (plan->n > plan->n_valid)
        qsort_r(plan->list + plan->n_valid, plan->n - plan->n_valid, sizeof *plan->list, compare_refused, &r);
}
