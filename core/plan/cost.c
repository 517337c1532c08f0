/* SPDX-License-Identifier: Apache-2.0
 * Prices a strategy: time, downtime, bytes and exposure as low / likely / high. docs/cost-model.md says where
 * each constant comes from; cost-memory.c has the memory. Pure; refused strategies are priced too.
 *
 * UNITS. Bytes, bytes per second and milliseconds; in between double, made whole by range_estimate() alone.
 *
 * LIMITS, known to be wrong (those of rates stand in cost-rate.c):
 * - Copied disks are read and written at constant rates, and the guest's own writes are a fixed allowance. */
#include "plan/range.h"

static const struct range setup_ms = { 310, 450, 800 }; /* connect and begin 100, prepare 350 */
static const struct range encrypted_setup_ms = { 20, 150, 600 };
/* Each connection beyond the first: opened, and with TLS shaken hands over. */
static const struct range connection_ms = { 0.2, 1, 10 }, encrypted_connection_ms = { 3, 10, 60 };
static const struct range forwards_ms = { 100, 300, 3000 }; /* logins, all at once */
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
static const double luck = 1.2; /* above the downtime that moves showed */

static bool is_known(uint64_t figure)
{
    return figure != NOT_KNOWN;
}
static bool is_rate(uint64_t bytes_per_s)
{
    return is_known(bytes_per_s) && bytes_per_s > 0;
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
            const uint64_t before = chain_sent_bytes(&p->facts->domain, disks, i);

            sum = range_plus(sum, disk_bytes(&p->facts->domain.disks[i], disks[i]));
            sum = range_plus(sum, is_known(before) ? range_of((double)before) : image_bytes_not_known);
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
            rate = range_smaller(rate, cost_link((double)link, 1e9));
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
    return is_known(seen) && seen ? cost_seen(seen, spread) : otherwise;
}

static struct range fixed_ms(const struct planning *p, const struct channel *c, unsigned connections)
{
    bool has_setup;
    const struct constants h = cost_history(p, c, connections, &has_setup);
    struct range ms = known_or(h.setup_ms, h.setup_ms_spread, setup_ms);

    if (!is_known(h.setup_ms)) {
        if (c->protects_data >= 2)
            ms = range_plus(ms, encrypted_setup_ms);
        if (is_known(c->latency_us))
            ms = range_plus(ms, range_times(round_trips, range_of((double)c->latency_us / 1000)));
    }
    if (!has_setup && connections > 1)
        ms = range_plus(ms, range_times(c->protects_data >= 2 ? encrypted_connection_ms : connection_ms,
                                        range_of(connections - 1)));
    if (channel_forwards(c, connections) > 1 && !has_setup)
        ms = range_plus(ms, forwards_ms);
    return range_plus(ms, known_or(h.finish_ms, h.finish_ms_spread, finish_ms));
}

static void learn_downtime(const struct planning *p, const struct strategy *s, struct range *ms)
{
    bool ignored;
    const uint64_t seen = cost_history(p, s->channel, s->connections, &ignored).downtime_ms;

    if (!is_known(seen) || ms->high <= 0)
        return;
    ms->low = fmin(ms->low, (double)seen);
    ms->likely = fmin(fmax(ms->low, (double)seen), fmax(ms->high, (double)seen * luck));
    ms->high = fmax(ms->high, (double)seen * luck);
}

/* Memory is one part of a move; the disks and the constants are the same on every way. */
static struct price price_of(const struct planning *p, const struct strategy *s, const struct memory_cost *m,
                             const struct cost_shared *shared)
{
    struct range ms = s->mode == MODE_OFFLINE ? offline_ms : range_plus(shared->fixed_ms, m->ms);
    struct range downtime = m->downtime_ms;

    ms = range_plus(ms, range_duration_ms(shared->copied, range_smaller(shared->rate_of_one, storage_rate)));
    ms = range_plus(ms, range_times(disk_ms, range_of((double)shared->n_copied)));
    ms = range_plus(ms, shared->relocation.ms);
    downtime.likely = fmin(downtime.likely, downtime.high);
    if (s->mode != MODE_PAUSED && !cost_knows_downtime(p))
        learn_downtime(p, s, &downtime);
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

void cost_share(const struct planning *p, const struct channel *c, unsigned connections,
                const enum treatment *disks, struct cost_shared *ret)
{
    const struct range rate = cost_rate(p, c, connections);

    if (rate.low != ret->rate.low || rate.likely != ret->rate.likely || rate.high != ret->rate.high)
        cost_memory_guests(p, rate, &ret->guests);
    ret->rate = rate;
    ret->rate_of_one = connections > 1 ? cost_rate(p, c, 1) : rate;
    ret->fixed_ms = fixed_ms(p, c, connections);
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

    cost_share(p, s->channel, s->connections, s->disks, &shared);
    cost_price_shared(p, &shared, s, &stays, &switches);
    if (s->mode == MODE_POSTCOPY) {
        s->stays = price_of(p, s, &stays, &shared);
        s->switches = price_of(p, s, &switches, &shared);
    }
}
