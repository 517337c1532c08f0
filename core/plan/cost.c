/* SPDX-License-Identifier: Apache-2.0
 * Prices a strategy: time, downtime, bytes and exposure as low / likely / high. docs/cost-model.md says where
 * each constant comes from; cost-memory.c has the memory. Pure; refused strategies are priced too.
 *
 * UNITS. Bytes, bytes per second and milliseconds; in between double, made whole by range_estimate() alone.
 *
 * LIMITS, known to be wrong:
 * - A link's nominal rate says little: a virtual link calls itself 10 Gbit/s and gives what it is shaped to.
 * - What one core encrypts is a fixed range, whatever the processor.
 * - Copied disks are read and written at constant rates, and the guest's own writes are a fixed allowance. */
#include "plan/range.h"

static const double gbit_bytes_per_s = 125e6;
static const struct range rate_default = { 12.5e6, 125e6, 12.5e9 };
/* What a link may give of what it says: others use it too; and above 1 Gbit/s it may be a virtual one, which
 * says 10 Gbit/s and gives what it is shaped to. */
static const double link_shared = 0.75, link_shaped = 0.1;
static const double framing = 0.94; /* of a link's rate, left to the payload by Ethernet, IP and TCP */

/* One core's cipher, and the copies through sockets beside it. */
static const struct range encrypted_rate = { 80e6, 300e6, 1500e6 };

static const struct range setup_ms = { 310, 450, 800 }; /* connect and begin 100, prepare 350 */
static const struct range encrypted_setup_ms = { 20, 150, 600 };
static const struct range round_trips = { 10, 20,
                                          60 }; /* libvirt's calls and handshakes, one after another */
static const struct range finish_ms = { 120, 220, 380 };  /* finish 20, confirm 200 */
static const struct range held_ms = { 1700, 2000, 2300 }; /* the end of the source's QEMU */
static const struct range offline_ms = { 30, 150, 900 };  /* a definition there and back */

static const struct range storage_rate = { 50e6, 500e6, 2000e6 };
static const struct range disk_ms = { 50, 100, 300 };         /* start and end of one disk's copy */
static const struct range relocation_ms = { 150, 350, 1000 }; /* look, create, open, pivot, look again */
static const struct range copied_share = { 0.5, 1.0, 1.5 }; /* of the allocated bytes; guest writes on top */
static const struct range image_bytes_not_known = { 0, 2147483648.0, 1099511627776.0 };
/* What was measured on this way a moment ago, of payload: QEMU's stream may do a little better or worse. One
 * connection's ceiling in the measuring process is no link's: from there on it says less. */
static const struct range measured_share = { 0.8, 1.0, 1.15 }, fast_share = { 0.4, 1.0, 4.0 };
static const double measured_well = 200e6;
/* What earlier moves of this pair showed, one figure each, so that luck stays possible. */
static const struct range history_share = { 0.8, 1.0, 1.2 };

static bool is_known(uint64_t figure)
{
    return figure != NOT_KNOWN;
}
static bool is_rate(uint64_t bytes_per_s)
{
    return is_known(bytes_per_s) && bytes_per_s > 0;
}

/* ---- rate ---- */

static double link_of(const struct facts *f, const struct channel *c)
{
    double link = INFINITY;

    if (is_rate(c->bytes_per_s))
        return (double)c->bytes_per_s;
    if (is_rate(f->source.link_bytes_per_s))
        link = (double)f->source.link_bytes_per_s;
    if (is_rate(f->dest.link_bytes_per_s))
        link = fmin(link, (double)f->dest.link_bytes_per_s);
    return link;
}

static double link_low(double link)
{
    return link <= gbit_bytes_per_s ? link * link_shared
                                    : fmax(link * link_shaped, gbit_bytes_per_s * link_shared);
}

/* What earlier moves showed, as wide as they lay apart. */
static struct range seen_range(uint64_t seen, uint64_t spread)
{
    const double middle = (double)seen;

    if (!is_known(spread) || !spread)
        return range_times(range_of(middle), history_share);
    return (struct range){ fmax(middle - (double)spread, middle / 4), middle, middle + (double)spread };
}

static void take(uint64_t seen, uint64_t spread, uint64_t *to, uint64_t *to_spread)
{
    if (!is_rate(seen))
        return;
    *to = seen;
    *to_spread = spread;
}

/* What the channel itself showed, figure by figure; where it has none, what the pair of hosts did. */
static struct constants history_of(const struct planning *p, const struct channel *c)
{
    const struct constants *own = &c->history;
    struct constants h = p->facts->history;

    if (!is_rate(own->samples))
        return h;
    take(own->bytes_per_s, own->bytes_per_s_spread, &h.bytes_per_s, &h.bytes_per_s_spread);
    take(own->setup_ms, own->setup_ms_spread, &h.setup_ms, &h.setup_ms_spread);
    take(own->finish_ms, own->finish_ms_spread, &h.finish_ms, &h.finish_ms_spread);
    take(own->downtime_ms, own->downtime_ms_spread, &h.downtime_ms, &h.downtime_ms_spread);
    return h;
}

static struct range measured_range(uint64_t bytes_per_s, double link)
{
    const double seen = (double)bytes_per_s;
    const struct range rate = range_times(range_of(seen), seen < measured_well ? measured_share : fast_share);

    return (struct range){ rate.low, rate.likely, fmax(seen, fmin(rate.high, link)) };
}

/* Both are of payload: where they agree, what they agree on; else the newer. */
static struct range measured_rate(const struct channel *c, const struct constants *h, double link)
{
    const struct range now = measured_range(c->measured_bytes_per_s, link);
    struct range both;

    if (!is_rate(h->bytes_per_s))
        return now;
    both = seen_range(h->bytes_per_s, h->bytes_per_s_spread);
    both = (struct range){ fmax(both.low, now.low), now.likely, fmin(both.high, now.high) };
    if (both.low > both.high)
        return now;
    both.likely = fmin(fmax(both.likely, both.low), both.high);
    return both;
}

static struct range channel_rate(const struct planning *p, const struct channel *c)
{
    const struct constants h = history_of(p, c);
    const uint64_t seen = h.bytes_per_s, cap = p->limits.bandwidth_bytes_per_s;
    const double link = link_of(p->facts, c);
    struct range rate = range_times(rate_default, range_of(framing));

    if (is_rate(c->measured_bytes_per_s))
        rate = measured_rate(c, &h, link);
    else if (is_rate(seen)) /* a payload rate: framing is in it */
        rate = seen_range(seen, h.bytes_per_s_spread);
    else if (isfinite(link))
        rate = range_times((struct range){ link_low(link), fmin(link, gbit_bytes_per_s), link },
                           range_of(framing));
    if (c->protects_data >= 2 && !is_rate(seen))
        rate = range_smaller(rate, encrypted_rate);
    if (is_rate(cap))
        rate = range_smaller(rate, range_of((double)cap));
    return rate;
}

/* ---- disks ---- */

/* Where the whole of it is copied, what it rests on is too. */
static struct range disk_bytes(const struct disk *d, enum treatment t)
{
    const uint64_t capacity = d->at_source.capacity_bytes;
    const uint64_t occupied = t == TREAT_COPY ? disk_occupied_bytes(d) : d->at_source.allocated_bytes;

    if (is_known(occupied))
        return range_times(range_of((double)occupied), copied_share);
    if (is_known(capacity))
        return range_times(range_of((double)capacity), (struct range){ 0, 1, copied_share.high });
    return image_bytes_not_known;
}

static struct range copied_bytes(const struct planning *p, const enum treatment *disks, size_t *ret_n)
{
    struct range sum = { 0 };

    *ret_n = 0;
    for (size_t i = 0; i < p->facts->domain.n_disks; i++)
        if (treatment_copies(disks[i])) {
            sum = range_plus(sum, disk_bytes(&p->facts->domain.disks[i], disks[i]));
            (*ret_n)++;
        }
    return sum;
}

/* Through QEMU, from one place to another of the same host; a place that many hosts reach is behind a link.
 */
struct cost_relocation cost_relocation(const struct facts *f, const enum treatment *disks,
                                       uint64_t cap_bytes_per_s)
{
    struct cost_relocation cost = { .ms = range_of(0) };

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i], *to = disk_relocation(d);
        const uint64_t link = f->source.link_bytes_per_s;
        struct range bytes, rate = storage_rate;

        if (disks[i] != TREAT_RELOCATE || !to)
            continue;
        bytes = disk_writes_zeroes(to) && is_known(d->at_source.capacity_bytes)
                    ? range_of((double)d->at_source.capacity_bytes)
                    : disk_bytes(d, TREAT_COPY);
        if ((to->type == DISK_NETWORK || to->sharing == SHARING_PROVED) && is_rate(link))
            rate = range_smaller(rate, range_times((struct range){ link_low((double)link),
                                                                   fmin((double)link, 1e9), (double)link },
                                                   range_of(framing)));
        if (is_rate(cap_bytes_per_s))
            rate = range_smaller(rate, range_of((double)cap_bytes_per_s));
        cost.bytes = range_plus(cost.bytes, bytes);
        cost.ms = range_plus(cost.ms, range_plus(relocation_ms, range_duration_ms(bytes, rate)));
    }
    return cost;
}

/* ---- the constants of a move ---- */

/* Nothing takes no time: a zero is a figure that was not taken. */
static struct range known_or(uint64_t seen, uint64_t spread, struct range otherwise)
{
    return is_known(seen) && seen ? seen_range(seen, spread) : otherwise;
}

static struct range fixed_ms(const struct planning *p, const struct channel *c)
{
    const struct constants h = history_of(p, c);
    struct range ms = known_or(h.setup_ms, h.setup_ms_spread, setup_ms);

    if (!is_known(h.setup_ms)) {
        if (c->protects_data >= 2)
            ms = range_plus(ms, encrypted_setup_ms);
        if (is_known(c->latency_us))
            ms = range_plus(ms, range_times(round_trips, range_of((double)c->latency_us / 1000)));
    }
    return range_plus(ms, known_or(h.finish_ms, h.finish_ms_spread, finish_ms));
}

static void learn_downtime(const struct planning *p, const struct channel *c, struct range *ms)
{
    const uint64_t seen = history_of(p, c).downtime_ms;

    if (!is_known(seen) || ms->high <= 0)
        return;
    ms->low = fmin(ms->low, (double)seen);
    ms->likely = fmin(fmax(ms->low, (double)seen), fmax(ms->high, (double)seen * history_share.high));
    ms->high = fmax(ms->high, (double)seen * history_share.high);
}

/* Memory is one part of a move; the disks and the constants are the same on every way. */
static struct price price_of(const struct planning *p, const struct strategy *s, const struct memory_cost *m,
                             const struct cost_shared *shared)
{
    struct range ms = s->mode == MODE_OFFLINE ? offline_ms : range_plus(shared->fixed_ms, m->ms);
    struct range downtime = m->downtime_ms;

    ms = range_plus(ms, range_duration_ms(shared->copied, range_smaller(shared->rate, storage_rate)));
    ms = range_plus(ms, range_times(disk_ms, range_of((double)shared->n_copied)));
    ms = range_plus(ms, shared->relocation.ms);
    downtime.likely = fmin(downtime.likely, downtime.high);
    if (s->mode != MODE_PAUSED && !cost_knows_downtime(p))
        learn_downtime(p, s->channel, &downtime);
    if (s->hand_over == HAND_OVER_HELD) {
        ms = range_plus(ms, held_ms);
        if (downtime.high > 0)
            downtime = range_plus(downtime, held_ms);
    }
    return (struct price){ .time_ms = range_estimate(ms, COST_MAX_MS),
                           .downtime_ms = range_estimate(downtime, COST_MAX_MS),
                           .bytes = range_estimate(
                               range_plus(m->bytes, range_plus(shared->copied, shared->relocation.bytes)),
                               COST_MAX_BYTES),
                           .exposure_ms = range_estimate(m->exposure_ms, COST_MAX_MS) };
}

void cost_share(const struct planning *p, const struct channel *c, const enum treatment *disks,
                struct cost_shared *ret)
{
    const struct range rate = channel_rate(p, c);

    if (rate.low != ret->rate.low || rate.likely != ret->rate.likely || rate.high != ret->rate.high)
        cost_memory_guests(p, rate, &ret->guests);
    ret->rate = rate;
    ret->fixed_ms = fixed_ms(p, c);
    ret->copied = copied_bytes(p, disks, &ret->n_copied);
    ret->relocation = cost_relocation(p->facts, disks, p->limits.bandwidth_bytes_per_s);
}

void cost_price_shared(const struct planning *p, const struct cost_shared *shared, struct strategy *s,
                       struct memory_cost *ret_stays, struct memory_cost *ret_switches)
{
    const struct memory_cost all = cost_memory(p, s->mode, &shared->guests, ret_stays, ret_switches);
    const struct price price = price_of(p, s, &all, shared);

    s->time_ms = price.time_ms;
    s->downtime_ms = price.downtime_ms;
    s->bytes = price.bytes;
    s->exposure_ms = price.exposure_ms;
    s->may_not_end = all.may_not_end;
}

void cost_price(const struct planning *p, struct strategy *s)
{
    struct cost_shared shared = { .n_copied = 0 };
    struct memory_cost stays, switches;

    cost_share(p, s->channel, s->disks, &shared);
    cost_price_shared(p, &shared, s, &stays, &switches);
    if (s->mode == MODE_POSTCOPY) {
        s->stays = price_of(p, s, &stays, &shared);
        s->switches = price_of(p, s, &switches, &shared);
    }
}
