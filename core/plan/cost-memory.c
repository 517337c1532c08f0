/* SPDX-License-Identifier: Apache-2.0
 * What the guest's memory costs in each mode: three guests are imagined, a quiet one on a good link, the
 * likely one, and a busy one on a poor link, and each makes its passes (passes.c).
 * docs/cost-model.md has the constants; pure.
 *
 * LIMITS, known to be wrong:
 * - Where the dirty rate was not measured the busy guest writes as fast as the link carries, all of its
 * memory.
 * - The non-zero share of RAM is a guess from what QEMU holds, unless the memory was looked at. */
#include "plan/passes.h"
#include "plan/range.h"

static const double page_bytes = 4096, zero_page_bytes = 8;
/* Where not even the size of the guest is known. */
static const struct range guest_bytes_not_known = { 67108864.0, 2147483648.0, 1099511627776.0 };
/* Of what QEMU holds, the share that is neither zero nor its own: guesses. */
static const struct range nonzero_share = { 0.35, 0.6, 1.0 };
/* What an idle guest dirties in a second, and of the same pages again and again. */
static const double idle_share = 0.02;
/* Post-copy: pages that are asked for one by one come slower than those that stream. */
static const struct range pull_share = { 1.0, 1.05, 1.35 };

static const struct range switch_over_ms = { 30, 120, 100 }; /* high: beyond the allowed downtime */
/* Post-copy: the switch, and what is on its way when it comes: buffers of sockets and links, behind which the
 * device state stands, and then the first pages that the guest asks for. */
static const struct range postcopy_switch_ms = { 60, 150, 450 }, postcopy_ahead = { 2e6, 10e6, 28e6 };
/* What the job shows may be so much less than was measured a moment before: near the border the guest that is
 * taken to be quiet is given the way of pre-copy. */
static const double quieter = 0.85;
/* The guest looked at, so that the rate is known too. */
static const struct range postcopy_seen_ms = { 150, 200, 290 }, postcopy_seen_ahead = { 14e6, 20e6, 28e6 };
static const struct range paused_switch_ms = { 60, 250, 700 };

/* What QEMU sends beside the guest's RAM. */
static const struct range beside_ram = { 0, 1048576.0, 6291456.0 };
/* QEMU sends for so long between two looks at what is left. */
static const double look_s = 0.05, look_mostly_s = 0.0375; /* three times of four less than that late */
/* The guest looked at: what is left is priced, and the rest is the switch alone. */
static const struct range bare_switch_ms = { 25, 45, 85 };

static bool is_known(uint64_t figure)
{
    return figure != NOT_KNOWN;
}

/* What the guest sent before, within what it can hold now. */
static struct range as_before(const struct constants *seen, double most)
{
    const double middle = (double)seen->guest_bytes;
    const double spread = is_known(seen->guest_bytes_spread) ? (double)seen->guest_bytes_spread : middle / 5;

    return range_smaller((struct range){ fmax(middle - spread, middle / 4), middle, middle + spread },
                         range_of(most));
}

/* Each page once. */
static struct range ram_unseen(const struct domain *d)
{
    const double zeroes = zero_page_bytes / page_bytes;
    double all, most;
    struct range full;

    if (!is_known(d->memory_bytes) && !is_known(d->memory_now_bytes))
        return range_times(guest_bytes_not_known, (struct range){ zeroes, nonzero_share.likely, 1 });
    most = is_known(d->memory_now_bytes) ? (double)d->memory_now_bytes : (double)d->memory_bytes;
    all = is_known(d->memory_bytes) ? fmax((double)d->memory_bytes, most) : most;
    full = range_times(range_of(most), (struct range){ 0, nonzero_share.likely, nonzero_share.high });
    if (is_known(d->memory_rss_bytes))
        full = range_times(range_of(fmin(most, (double)d->memory_rss_bytes)), nonzero_share);
    return (struct range){ full.low + (all - full.low) * zeroes, full.likely + (all - full.likely) * zeroes,
                           full.high + (all - full.high) * zeroes };
}

static bool knows_content(const struct domain *d)
{
    const struct memory_end *all = d->n_content ? &d->content[d->n_content - 1] : NULL;

    return all && is_known(all->low_bytes) && is_known(all->bytes) && is_known(all->high_bytes) &&
           is_known(d->memory_bytes);
}

bool cost_knows_downtime(const struct planning *p)
{
    return knows_content(&p->facts->domain) && p->facts->domain.n_dirty > 0;
}

/* Each page once, as it was found a moment ago. Beside the guest's RAM QEMU sends its ROMs and its display's.
 */
static struct range ram_seen(const struct domain *d, double all)
{
    const struct memory_end *seen = &d->content[d->n_content - 1];
    const double zeroes = zero_page_bytes / page_bytes;
    const struct range full = { (double)seen->low_bytes, (double)seen->bytes, (double)seen->high_bytes };

    return (struct range){ full.low * (1 - zeroes) + all * zeroes,
                           full.likely * (1 - zeroes) + all * zeroes + beside_ram.likely,
                           full.high * (1 - zeroes) + all * zeroes + beside_ram.high };
}

static struct range ram_once(const struct planning *p, struct range unseen)
{
    const struct constants *seen = &p->facts->history;
    const struct domain *d = &p->facts->domain;

    if (knows_content(d))
        return range_smaller(ram_seen(d, (double)d->memory_bytes), range_of((double)d->memory_bytes));
    if (!is_known(seen->guest_bytes) || !seen->guest_bytes || !is_known(p->facts->domain.memory_bytes))
        return unseen;
    return as_before(seen, (double)p->facts->domain.memory_bytes);
}

static double of(const struct range *r, int which)
{
    return which == QUIET ? r->low : which == LIKELY ? r->likely : r->high;
}
static double *in(struct range *r, int which)
{
    return which == QUIET ? &r->low : which == LIKELY ? &r->likely : &r->high;
}

static void guest_not_measured(struct memory_guest *g, int which)
{
    if (which == LIKELY)
        dirty_learn(&g->w, 1, g->job.first * idle_share);
    else if (which == BUSY)
        dirty_learn(&g->w, 1, g->job.bytes_per_s);
    if (which == LIKELY)
        g->w.cap = g->job.first * idle_share;
}

static void guest_measured(struct memory_guest *g, const struct domain *d, int which)
{
    for (size_t i = 0; i < d->n_dirty; i++) {
        const struct dirty_window *seen = &d->dirty[i];
        const uint64_t bytes = which == QUIET    ? seen->low_bytes
                               : which == LIKELY ? seen->bytes
                                                 : seen->high_bytes;

        if (is_known(seen->window_ms) && is_known(bytes))
            dirty_learn(&g->w, (double)seen->window_ms / 1000, (double)bytes);
    }
    /* What the guest writes beyond the last window is not known, and its slope can only fall. */
    g->w.fades = which == QUIET ? 1 : which == LIKELY && d->n_content ? 0.5 : 0;
    g->was_measured = true;
}

/* Of the last bytes of the memory, those in pages that are not zero. */
static double full_at_end(const struct domain *d, double bytes, int which)
{
    struct range before = { 0, 0, 0 };
    double from = 0;

    for (size_t i = 0; i < d->n_content; i++) {
        const struct memory_end *e = &d->content[i];
        const struct range full = { (double)e->low_bytes, (double)e->bytes, (double)e->high_bytes };
        const double end = (double)e->end_bytes, rise = of(&full, which) - of(&before, which);

        if (bytes <= end && end > from)
            return fmin(fmax(of(&before, which) + rise * (bytes - from) / (end - from), 0), bytes);
        before = full;
        from = end;
    }
    return fmin(of(&before, which), bytes);
}

static double zeroes_at_end(const struct planning *p, double rate, int which)
{
    const struct domain *d = &p->facts->domain;
    const double fits = rate * (double)p->plan->max_downtime_ms / 1000;

    return knows_content(d) ? fmax(fits - full_at_end(d, fmin(fits, (double)d->memory_bytes), which), 0) : 0;
}

static struct memory_guest guest_make(const struct planning *p, struct range rate, struct range once,
                                      double most, int which)
{
    const struct domain *d = &p->facts->domain;
    const double bytes_per_s = which == QUIET ? rate.high : which == LIKELY ? rate.likely : rate.low;
    struct memory_guest g = { .job = { .first = of(&once, which),
                                       .end_zeroes = zeroes_at_end(p, bytes_per_s, which),
                                       .bytes_per_s = bytes_per_s,
                                       .downtime_s = (double)p->plan->max_downtime_ms / 1000 } };

    g.w.cap = fmax(most, g.job.first);
    if (d->run == RUN_PAUSED) /* it dirties nothing */
        g.was_measured = true;
    else if (d->n_dirty)
        guest_measured(&g, d, which);
    else
        guest_not_measured(&g, which);
    return g;
}

static void put_endless(struct memory_cost *c, int which)
{
    *in(&c->ms, which) = COST_MAX_MS;
    *in(&c->bytes, which) = COST_MAX_BYTES;
}

static void put_passes(struct memory_cost *c, int which, const struct memory_guest *g,
                       const struct passes *made)
{
    if (!made->ends) {
        c->may_not_end = true;
        put_endless(c, which);
        return;
    }
    *in(&c->ms, which) = 1000 * made->s;
    *in(&c->bytes, which) = made->bytes;
    if (g->was_measured && which != BUSY)
        *in(&c->downtime_ms, which) += 1000 * made->last / fmax(g->job.bytes_per_s, COST_LEAST_RATE);
}

/* What is left when QEMU stops the guest. One that dirties next to nothing is stopped in its first pass, when
 * the end of its memory fits into the allowed downtime; any other when that and what the pass found do. */
static double left_at_stop(const struct domain *d, const struct memory_guest *g, int which)
{
    const double rate = fmax(g->job.bytes_per_s, COST_LEAST_RATE), fits = rate * g->job.downtime_s;
    const double found = dirty_in(&g->w, g->job.first / rate);
    const double early = rate * (which == QUIET ? look_mostly_s : which == LIKELY ? look_s / 2 : 0);

    const double end = fmax(fmin(fits, (double)d->memory_bytes) - found, 0);

    /* Pages of zeroes go by at once: what is sent before the look is taken from the others. */
    if (found <= rate * look_s)
        return fmax(full_at_end(d, end, which) - early, 0) + found;
    return which == BUSY ? fits : fmax(fmin(fits, found + full_at_end(d, end, which)) - early, 0);
}

/* How long the switch takes and how much is left for it err each by itself. */
static void downtime_seen(const struct planning *p, const struct memory_guest *guests, struct range *ret)
{
    const struct range *bare = &bare_switch_ms;
    double left_ms[N_GUESTS];

    for (int i = 0; i < N_GUESTS; i++)
        left_ms[i] = 1000 * left_at_stop(&p->facts->domain, &guests[i], i) /
                     fmax(guests[i].job.bytes_per_s, COST_LEAST_RATE);
    ret->likely = bare->likely + left_ms[LIKELY];
    ret->low = ret->likely - hypot(bare->likely - bare->low, left_ms[LIKELY] - left_ms[QUIET]);
    ret->high = ret->likely + hypot(bare->high - bare->likely, left_ms[BUSY] - left_ms[LIKELY]);
    ret->high = fmin(ret->high, (double)p->plan->max_downtime_ms + bare->high);
    ret->low = fmin(ret->low, ret->high);
}

static struct range precopy_downtime(const struct planning *p)
{
    struct range ms = switch_over_ms;

    ms.high += (double)p->plan->max_downtime_ms;
    return ms;
}

static struct passes passes_of(const struct memory_guest *g, bool throttled)
{
    return passes_make(&g->w, &g->job, throttled);
}

static struct memory_cost by_passes(const struct planning *p, const struct memory_guest *g,
                                    const struct passes *made)
{
    struct memory_cost c = { .downtime_ms = precopy_downtime(p) };

    for (int i = 0; i < N_GUESTS; i++)
        put_passes(&c, i, &g[i], &made[i]);
    if (cost_knows_downtime(p))
        downtime_seen(p, g, &c.downtime_ms);
    return c;
}

static struct memory_cost throttled(const struct planning *p, const struct memory_guests *guests)
{
    struct passes made[N_GUESTS];

    for (int i = 0; i < N_GUESTS; i++)
        made[i] = guests->made[i].slows ? passes_of(&guests->of[i], true) : guests->made[i];
    return by_passes(p, guests->of, made);
}

static void put_stays(struct memory_cost *c, int which, double bytes, double rate)
{
    *in(&c->bytes, which) = bytes;
    *in(&c->ms, which) = 1000 * bytes / fmax(rate, COST_LEAST_RATE);
}

/* The branch that goes on in pre-copy. A guest that would not is imagined as the busiest that does; the quiet
 * one that goes on only because the job may show less of it makes the passes that are shown. */
static struct memory_cost postcopy_stays(const struct memory_guests *all, const struct passes_armed *ways)
{
    const struct memory_guest *g = all->of;
    struct memory_cost c = all->precopy;

    for (int i = 0; i < N_GUESTS; i++)
        if (!ways[i].stays)
            put_stays(&c, i, g[i].job.first * (1 + PASSES_STAY_SHARE / 2), g[i].job.bytes_per_s);
        else if (!all->made[i].ends || (i == QUIET && !passes_armed(&g[i].w, 1, &g[i].job).stays))
            put_stays(&c, i, g[i].job.first + ways[i].again + ways[i].left, g[i].job.bytes_per_s);
    c.may_not_end = false;
    return c;
}

/* What the first pass leaves when it is post-copy that has to bring it. */
static double left_to_pull(const struct memory_guest *g, int which)
{
    const double least = fmin(g->job.bytes_per_s * g->job.downtime_s, g->job.first);
    double left = dirty_in(&g->w, g->job.first / fmax(g->job.bytes_per_s, COST_LEAST_RATE));

    if (!g->was_measured && which == LIKELY)
        left = (least + g->job.first) / 2;
    return fmax(left, least);
}

/* The quiet one switches at the first boundary, if it does; the busy one after all the passes that any of the
 * three is let make first. */
static double sent_before(const struct memory_guest *g, const struct passes_armed *ways, int which)
{
    double again = which == LIKELY && !ways[LIKELY].stays ? ways[LIKELY].again : 0;

    for (int i = 0; which == BUSY && i < N_GUESTS; i++)
        again = ways[i].stays ? again : fmax(again, ways[i].again);
    return g->job.first + again;
}

static struct memory_cost postcopy_switches(const struct memory_guest *g, const struct passes_armed *ways,
                                            bool is_looked_at)
{
    const struct range ahead = is_looked_at ? postcopy_seen_ahead : postcopy_ahead;
    struct memory_cost c = { .downtime_ms = is_looked_at ? postcopy_seen_ms : postcopy_switch_ms };

    for (int i = 0; i < N_GUESTS; i++) {
        const double rate = fmax(g[i].job.bytes_per_s, COST_LEAST_RATE), left = left_to_pull(&g[i], i);
        const double before = sent_before(&g[i], ways, i);

        *in(&c.downtime_ms, i) += 1000 * fmin(of(&ahead, i), g[i].job.first) / rate;
        *in(&c.bytes, i) = before + left;
        *in(&c.exposure_ms, i) = 1000 * left / rate * of(&pull_share, i);
        *in(&c.ms, i) = 1000 * before / rate + of(&c.exposure_ms, i);
    }
    return c;
}

/* Each of the three guests takes the way that the controller would take for it. */
static struct memory_cost armed(const struct memory_guests *all, bool is_looked_at,
                                struct memory_cost *ret_stays, struct memory_cost *ret_switches)
{
    const struct memory_guest *g = all->of;
    struct memory_cost c = { .may_not_end = false };
    struct passes_armed ways[N_GUESTS];

    for (int i = 0; i < N_GUESTS; i++)
        ways[i] = passes_armed(&g[i].w, i == QUIET ? quieter : 1, &g[i].job);
    *ret_stays = postcopy_stays(all, ways);
    *ret_switches = postcopy_switches(g, ways, is_looked_at);
    for (int i = 0; i < N_GUESTS; i++) {
        struct memory_cost *way = ways[i].stays ? ret_stays : ret_switches;

        *in(&c.ms, i) = of(&way->ms, i);
        *in(&c.bytes, i) = of(&way->bytes, i);
        *in(&c.downtime_ms, i) = of(&way->downtime_ms, i);
        *in(&c.exposure_ms, i) = of(&way->exposure_ms, i);
    }
    /* The quiet one that goes on in pre-copy may take longer than the busy one that does not. */
    c.ms = range_across(c.ms);
    c.bytes = range_across(c.bytes);
    c.exposure_ms = range_across(c.exposure_ms);
    /* Which way it goes does not follow the link: over the fastest it may switch too. */
    if (ways[QUIET].stays && !ways[BUSY].stays) {
        c.ms.low = fmin(c.ms.low, ret_switches->ms.low);
        c.bytes.low = fmin(c.bytes.low, ret_switches->bytes.low);
    }
    /* How long it stands still does not follow which guest it is, but which way it goes. */
    for (int i = 0; i < N_GUESTS; i++) {
        const struct memory_cost *way = ways[i].stays || !is_looked_at ? ret_stays : ret_switches;

        c.downtime_ms.low = fmin(way->downtime_ms.low, c.downtime_ms.low);
        c.downtime_ms.high = fmax(way->downtime_ms.high, c.downtime_ms.high);
    }
    return c;
}

static struct memory_cost at_rest(const struct memory_guest *g)
{
    struct memory_cost c = { .may_not_end = false };

    for (int i = 0; i < N_GUESTS; i++) {
        *in(&c.bytes, i) = g[i].job.first;
        *in(&c.ms, i) = 1000 * g[i].job.first / fmax(g[i].job.bytes_per_s, COST_LEAST_RATE);
    }
    c.downtime_ms = range_plus(c.ms, paused_switch_ms);
    return c;
}

void cost_memory_guests(const struct planning *p, struct range rate, struct memory_guests *ret)
{
    const struct range unseen = ram_unseen(&p->facts->domain), once = ram_once(p, unseen);

    for (int i = 0; i < N_GUESTS; i++)
        ret->of[i] = guest_make(p, rate, once, unseen.high, i);
    for (int i = 0; i < N_GUESTS; i++)
        ret->made[i] = passes_of(&ret->of[i], false);
    ret->precopy = by_passes(p, ret->of, ret->made);
}

struct memory_cost cost_memory(const struct planning *p, enum memory_mode mode,
                               const struct memory_guests *guests, struct memory_cost *ret_stays,
                               struct memory_cost *ret_switches)
{
    struct memory_cost c = { .may_not_end = false };

    switch (mode) {
    case MODE_PRECOPY:
        c = guests->precopy;
        break;
    case MODE_THROTTLED:
        c = throttled(p, guests);
        break;
    case MODE_POSTCOPY:
        c = armed(guests, cost_knows_downtime(p), ret_stays, ret_switches);
        break;
    case MODE_PAUSED:
        c = at_rest(guests->of);
        break;
    case MODE_OFFLINE: /* a definition of some KiB */
        break;
    }
    if (p->facts->domain.run == RUN_PAUSED || p->facts->domain.run == RUN_SHUTOFF)
        c.downtime_ms = range_of(0); /* it does not run before either */
    return c;
}
