/* SPDX-License-Identifier: Apache-2.0
 * Figures as low / likely / high while a price is made of them, and the one function that makes them whole.
 * Internal to core/plan. */
#ifndef PLAN_RANGE_H
#define PLAN_RANGE_H

#include "plan/passes.h"
#include "plan/planner.h"
#include <math.h>

struct range {
    double low, likely, high;
};

/* The largest figures that are ever shown: ten years, and 2^60 bytes. */
#define COST_MAX_MS 315360000000.0
#define COST_MAX_BYTES 1152921504606846976.0
#define COST_LEAST_RATE 65536.0 /* below it nothing migrates; keeps zero out of the divisions */

static inline struct range range_of(double value)
{
    return (struct range){ value, value, value };
}
static inline struct range range_plus(struct range a, struct range b)
{
    return (struct range){ a.low + b.low, a.likely + b.likely, a.high + b.high };
}
static inline struct range range_times(struct range a, struct range b)
{
    return (struct range){ a.low * b.low, a.likely * b.likely, a.high * b.high };
}
static inline struct range range_smaller(struct range a, struct range b)
{
    return (struct range){ fmin(a.low, b.low), fmin(a.likely, b.likely), fmin(a.high, b.high) };
}
/* From the least to the most, where the order of the guests is not that of their figures. */
static inline struct range range_across(struct range r)
{
    return (struct range){ fmin(fmin(r.low, r.likely), r.high), r.likely,
                           fmax(fmax(r.low, r.likely), r.high) };
}
/* Milliseconds for bytes at a rate: few bytes go with the high rate. */
static inline struct range range_duration_ms(struct range bytes, struct range rate)
{
    return (struct range){ 1000 * bytes.low / fmax(rate.high, COST_LEAST_RATE),
                           1000 * bytes.likely / fmax(rate.likely, COST_LEAST_RATE),
                           1000 * bytes.high / fmax(rate.low, COST_LEAST_RATE) };
}

static inline uint64_t range_whole(double value, double max)
{
    if (isnan(value) || value <= 0)
        return 0;
    return (uint64_t)(value > max ? max : value);
}
/* No-number, negative and endless figures alike end here. */
static inline struct estimate range_estimate(struct range r, double max)
{
    struct estimate e = { range_whole(r.low, max), range_whole(r.likely, max), range_whole(r.high, max) };

    if (e.high < e.low)
        e.high = e.low;
    if (e.likely < e.low)
        e.likely = e.low;
    if (e.likely > e.high)
        e.likely = e.high;
    return e;
}

/* What a link that says so much carries; likely no more than believed. */
struct range cost_link(double bytes_per_s, double believed);
/* A figure that earlier moves showed, as wide as they lay apart. */
struct range cost_seen(uint64_t seen, uint64_t spread);
/* What moves over the channel by so many connections showed, figure by figure; where they have none, what one
 * connection did (but for the rate), and then what the pair of hosts did. ret_has_setup: the set-up of so
 * many is among it. */
struct constants cost_history(const struct planning *p, const struct channel *c, unsigned connections,
                              bool *ret_has_setup);
/* What memory gets by so many connections; a disk that is copied has one, always. */
struct range cost_rate(const struct planning *p, const struct channel *c, unsigned connections);

/* What memory costs on one way: the time on the wire, what it sends, how long the guest stands still beyond
 * the constants, and how long it runs there without all of its memory. */
struct memory_cost {
    struct range ms, bytes, downtime_ms, exposure_ms;
    bool may_not_end;
};
/* The three guests that are imagined (cost-memory.c), the same for every strategy over one channel. */
enum { QUIET, LIKELY, BUSY, N_GUESTS };
struct memory_guest {
    struct passes_job job;
    struct dirty_model w;
    bool was_measured;
};
struct memory_guests {
    struct memory_guest of[N_GUESTS];
    struct memory_cost precopy; /* by the passes, unthrottled: post-copy asks for it too */
    struct passes made[N_GUESTS];
};
void cost_memory_guests(const struct planning *p, struct range rate, struct memory_guests *ret);
/* The guest was looked at: what is left at its switch-over is known better than from other guests' moves. */
bool cost_knows_downtime(const struct planning *p);
/* For MODE_POSTCOPY ret_stays and ret_switches are its branches, and the return spans both. */
struct memory_cost cost_memory(const struct planning *p, enum memory_mode mode,
                               const struct memory_guests *guests, struct memory_cost *ret_stays,
                               struct memory_cost *ret_switches);

/* What it costs to bring the disks that are relocated to their new place, on the source, before a move. */
struct cost_relocation {
    struct range ms, bytes;
};
struct cost_relocation cost_relocation(const struct facts *f, const enum treatment *disks,
                                       uint64_t cap_bytes_per_s);

/* What all strategies have in common that go over one channel by so many connections and treat the disks
 * alike. It begins zeroed,
 * and a second channel of the same facts takes over what does not differ. */
struct cost_shared {
    struct range rate, rate_of_one, fixed_ms, copied;
    struct cost_relocation relocation; /* before the move */
    size_t n_copied;
    struct memory_guests guests;
};
void cost_share(const struct planning *p, const struct channel *c, unsigned connections,
                const enum treatment *disks, struct cost_shared *ret);
/* Without its branches: ret_stays and ret_switches are what these cost. */
void cost_price_shared(const struct planning *p, const struct cost_shared *shared, struct strategy *s,
                       struct memory_cost *ret_stays, struct memory_cost *ret_switches);

#endif
