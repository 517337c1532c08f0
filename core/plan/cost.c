/* SPDX-License-Identifier: Apache-2.0
 * Prices a strategy: time, downtime and bytes as low / likely / high. docs/cost-model.md says where each
 * constant comes from. Pure; refused strategies are priced like the others.
 *
 * UNITS. Bytes, bytes per second and milliseconds; in between double, made whole by clamped() alone.
 *
 * LIMITS, known to be wrong:
 * - The dirty rate is not measured. A guest that writes faster than the channel carries needs more than the
 *   high figure, which allows every page to travel three times.
 * - The non-zero share of RAM is a guess between nothing and what QEMU holds.
 * - A link's nominal rate says little: a virtual link calls itself 10 Gbit/s and gives what it is shaped to.
 * - An encrypted channel is bounded by one core; without a history that is not in the rate.
 * - Copied disks are read and written at constant rates, and the guest's own writes are a fixed allowance. */
#include "plan/planner.h"
#include <math.h>

struct range {
    double low, likely, high;
};

static const double page_bytes = 4096, zero_page_bytes = 8;
/* Where not even the size of the guest is known. */
static const struct range guest_bytes_not_known = { 67108864.0, 2147483648.0, 1099511627776.0 };
/* Of what QEMU holds, the share that is neither zero nor its own: a guess. */
static const double nonzero_share = 0.6;
/* How often each byte travels. Idle guests re-send next to nothing; the high one is a cap, not a bound. */
static const struct range passes = { 1.0, 1.02, 3.0 };

static const double gbit_bytes_per_s = 125e6;
static const struct range rate_default = { 12.5e6, 125e6, 12.5e9 };
/* What a link may give of what it says: others use it too; and above 1 Gbit/s it may be a virtual one, which
 * says 10 Gbit/s and gives what it is shaped to. */
static const double link_shared = 0.5, link_shaped = 0.1;
static const double framing = 0.94;     /* of a link's rate, left to the payload by Ethernet, IP and TCP */
static const double rate_floor = 65536; /* below it nothing migrates; keeps zero out of the divisions */

static const struct range setup_ms = { 300, 450, 1500 }; /* connect and begin 100, prepare 350 */
static const struct range encrypted_setup_ms = { 20, 150, 600 };
static const struct range round_trips = { 10, 20,
                                          60 }; /* libvirt's calls and handshakes, one after another */
static const struct range finish_ms = { 100, 220, 700 };     /* finish 20, confirm 200 */
static const struct range held_ms = { 1700, 2000, 2300 };    /* the end of the source's QEMU */
static const struct range switch_over_ms = { 30, 120, 100 }; /* high: beyond the allowed downtime */

static const struct range storage_rate = { 50e6, 500e6, 2000e6 };
static const struct range disk_ms = { 50, 100, 300 };       /* start and end of one disk's copy */
static const struct range copied_share = { 0.5, 1.0, 1.5 }; /* of the allocated bytes; guest writes on top */
/* What earlier moves of this pair showed, one figure each, so that luck stays possible. */
static const struct range history_share = { 0.8, 1.0, 1.2 };

/* The largest figures that are ever shown: ten years, and 2^60 bytes. */
static const double max_ms = 315360000000.0, max_bytes = 1152921504606846976.0;

static uint64_t clamped(double value, double max)
{
    if (isnan(value) || value <= 0)
        return 0;
    return (uint64_t)(value > max ? max : value);
}

static struct estimate estimate_of(struct range r, double max)
{
    struct estimate e = { clamped(r.low, max), clamped(r.likely, max), clamped(r.high, max) };

    if (e.high < e.low)
        e.high = e.low;
    if (e.likely < e.low)
        e.likely = e.low;
    if (e.likely > e.high)
        e.likely = e.high;
    return e;
}

static struct range range_of(double value)
{
    return (struct range){ value, value, value };
}
static struct range plus(struct range a, struct range b)
{
    return (struct range){ a.low + b.low, a.likely + b.likely, a.high + b.high };
}
static struct range times(struct range a, struct range b)
{
    return (struct range){ a.low * b.low, a.likely * b.likely, a.high * b.high };
}
static struct range smaller(struct range a, struct range b)
{
    return (struct range){ fmin(a.low, b.low), fmin(a.likely, b.likely), fmin(a.high, b.high) };
}
/* Milliseconds for bytes at a rate: few bytes go with the high rate. */
static struct range duration_ms(struct range bytes, struct range rate)
{
    return (struct range){ 1000 * bytes.low / fmax(rate.high, rate_floor),
                           1000 * bytes.likely / fmax(rate.likely, rate_floor),
                           1000 * bytes.high / fmax(rate.low, rate_floor) };
}

static bool is_known(uint64_t figure)
{
    return figure != NOT_KNOWN;
}
static bool is_rate(uint64_t bytes_per_s)
{
    return is_known(bytes_per_s) && bytes_per_s > 0;
}

/* ---- RAM ---- */

static struct range ram_once(const struct domain *d)
{
    const double zeroes = zero_page_bytes / page_bytes;
    double all, most, likely;

    if (!is_known(d->memory_bytes) && !is_known(d->memory_now_bytes))
        return times(guest_bytes_not_known, (struct range){ zeroes, nonzero_share, 1 });
    most = is_known(d->memory_now_bytes) ? (double)d->memory_now_bytes : (double)d->memory_bytes;
    all = is_known(d->memory_bytes) ? fmax((double)d->memory_bytes, most) : most;
    if (is_known(d->memory_rss_bytes))
        most = fmin(most, (double)d->memory_rss_bytes);
    likely = most * nonzero_share;
    return (struct range){ all * zeroes, likely + (all - likely) * zeroes, most + (all - most) * zeroes };
}

static struct range ram_bytes(const struct domain *d)
{
    /* A paused guest dirties nothing. */
    return times(ram_once(d), d->run == RUN_PAUSED ? range_of(1) : passes);
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

static struct range channel_rate(const struct planning *p, const struct channel *c)
{
    const uint64_t seen = p->facts->history.bytes_per_s, cap = p->limits.bandwidth_bytes_per_s;
    const double link = link_of(p->facts, c);
    struct range rate = times(rate_default, range_of(framing));

    if (is_rate(seen)) /* a payload rate: framing is in it */
        rate = times(range_of((double)seen), history_share);
    else if (isfinite(link))
        rate = times((struct range){ link_low(link), fmin(link, gbit_bytes_per_s), link }, range_of(framing));
    if (is_rate(cap))
        rate = smaller(rate, range_of((double)cap));
    return rate;
}

/* ---- disks ---- */

static struct range disk_bytes(const struct disk *d)
{
    const struct disk_image *image = &d->at_source;

    if (is_known(image->allocated_bytes))
        return times(range_of((double)image->allocated_bytes), copied_share);
    if (is_known(image->capacity_bytes))
        return times(range_of((double)image->capacity_bytes), (struct range){ 0, 1, copied_share.high });
    return (struct range){ 0, guest_bytes_not_known.likely, guest_bytes_not_known.high };
}

static struct range copied_bytes(const struct planning *p, const struct strategy *s, size_t *ret_n)
{
    struct range sum = { 0 };

    *ret_n = 0;
    for (size_t i = 0; i < p->facts->domain.n_disks; i++)
        if (s->disks[i] == TREAT_COPY) {
            sum = plus(sum, disk_bytes(&p->facts->domain.disks[i]));
            (*ret_n)++;
        }
    return sum;
}

/* ---- the constants of a move ---- */

/* Nothing takes no time: a zero is a figure that was not taken. */
static struct range known_or(uint64_t seen, struct range otherwise)
{
    return is_known(seen) && seen ? times(range_of((double)seen), history_share) : otherwise;
}

static struct range fixed_ms(const struct planning *p, const struct channel *c)
{
    const struct constants *h = &p->facts->history;
    struct range ms = known_or(h->setup_ms, setup_ms);

    if (!is_known(h->setup_ms)) {
        if (c->protects_data >= 2)
            ms = plus(ms, encrypted_setup_ms);
        if (is_known(c->latency_us))
            ms = plus(ms, times(round_trips, range_of((double)c->latency_us / 1000)));
    }
    return plus(ms, known_or(h->finish_ms, finish_ms));
}

static struct range downtime_of(const struct planning *p, const struct strategy *s)
{
    const uint64_t seen = p->facts->history.downtime_ms;
    struct range ms = switch_over_ms;

    if (p->facts->domain.run == RUN_PAUSED) /* it does not run before either */
        return range_of(0);
    ms.high += (double)p->plan->max_downtime_ms;
    if (is_known(seen)) {
        ms.low = fmin(ms.low, (double)seen);
        ms.likely = (double)seen;
        ms.high = fmax(ms.high, (double)seen * history_share.high);
    }
    ms.likely = fmin(ms.likely, ms.high);
    return s->hand_over == HAND_OVER_HELD ? plus(ms, held_ms) : ms;
}

void cost_price(const struct planning *p, struct strategy *s)
{
    const struct range ram = ram_bytes(&p->facts->domain), rate = channel_rate(p, s->channel);
    size_t n_copied;
    const struct range copied = copied_bytes(p, s, &n_copied);
    struct range ms = plus(fixed_ms(p, s->channel), duration_ms(ram, rate));

    ms = plus(ms, duration_ms(copied, smaller(rate, storage_rate)));
    ms = plus(ms, times(disk_ms, range_of((double)n_copied)));
    if (s->hand_over == HAND_OVER_HELD)
        ms = plus(ms, held_ms);
    s->time_ms = estimate_of(ms, max_ms);
    s->downtime_ms = estimate_of(downtime_of(p, s), max_ms);
    s->bytes = estimate_of(plus(ram, copied), max_bytes);
}
