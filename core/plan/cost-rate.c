/* SPDX-License-Identifier: Apache-2.0
 * The bytes that a channel gives a move in a second, by one connection and by several, and how many are worth
 * a candidate. docs/cost-model.md ("Rate", "Several connections") says where the constants come from; pure.
 *
 * LIMITS, known to be wrong:
 * - A link's nominal rate says little: a virtual link calls itself 10 Gbit/s and gives what it is shaped to.
 * - What one thread encrypts or copies is a fixed range, whatever the processor.
 * - An idle processor may be the second thread of a busy core, and idle in that moment alone. */
#include "plan/range.h"

static const double gbit_bytes_per_s = 125e6;
static const struct range rate_default = { 12.5e6, 125e6, 12.5e9 };
/* What a link may give of what it says: others use it too; and above 1 Gbit/s it may be a virtual one, which
 * says 10 Gbit/s and gives what it is shaped to. */
static const double link_shared = 0.75, link_shaped = 0.1;
static const double framing = 0.94; /* of a link's rate, left to the payload by Ethernet, IP and TCP */

/* What one thread sends: with a cipher, and with the copies through sockets alone. */
static const struct range encrypted_rate = { 80e6, 300e6, 1500e6 };
static const struct range clear_rate = { 450e6, 1100e6, 3000e6 };
/* What was measured on this way a moment ago, of payload: QEMU's stream may do a little better or worse. One
 * connection's ceiling in the measuring process is no link's: from there on it says less. */
static const struct range measured_share = { 0.8, 1.0, 1.15 }, fast_share = { 0.4, 1.0, 4.0 };
static const double measured_well = 200e6;
/* What earlier moves showed, one figure each, so that luck stays possible. */
static const struct range history_share = { 0.8, 1.0, 1.2 };
/* The same drawn on to a number of connections that no move had. */
static const struct range drawn_share = { 0.7, 1.0, 1.3 };

/* A rate up to this share above what 1 Gbit/s carries is taken for that of a link, not of a thread. */
static const double above_gbit = 1.2;
/* What each further connection adds to the first, where a processor of either host is idle for it. */
static const double more_share = 0.8;
static const double more_least = 0.9; /* of one connection's rate: they may share what one had */
/* One ssh carries them all: no further cipher, and more turns. */
static const struct range one_forward = { 0.5, 0.8, 1.0 };
/* An ssh each, and no processor idle: all of that work once more on the same ones. */
static const double several_least = 0.4, several_busy = 0.8;
enum { MOST_CONNECTIONS = 8 };

static bool is_known(uint64_t figure)
{
    return figure != NOT_KNOWN;
}
static bool is_rate(uint64_t bytes_per_s)
{
    return is_known(bytes_per_s) && bytes_per_s > 0;
}

/* ---- the link ---- */

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

struct range cost_link(double link, double believed)
{
    const double low = link <= gbit_bytes_per_s ? link * link_shared
                                                : fmax(link * link_shaped, gbit_bytes_per_s * link_shared);

    return range_times((struct range){ low, fmin(link, believed), link }, range_of(framing));
}

static struct range measured_range(uint64_t bytes_per_s, double link)
{
    const double seen = (double)bytes_per_s;
    const struct range rate = range_times(range_of(seen), seen < measured_well ? measured_share : fast_share);

    return (struct range){ rate.low, rate.likely, fmax(seen, fmin(rate.high, link)) };
}

/* Measured, or as it says of itself. */
static struct range link_rate(const struct facts *f, const struct channel *c)
{
    const double link = link_of(f, c);

    if (is_rate(c->measured_bytes_per_s))
        return measured_range(c->measured_bytes_per_s, link);
    return isfinite(link) ? cost_link(link, gbit_bytes_per_s) : range_times(rate_default, range_of(framing));
}

/* ---- what moves showed ---- */

/* As wide as they lay apart. */
struct range cost_seen(uint64_t seen, uint64_t spread)
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

static const struct constants *seen_by(const struct channel *c, unsigned connections)
{
    if (connections <= 1)
        return is_rate(c->history.samples) ? &c->history : NULL;
    for (size_t i = 0; i < c->n_several; i++)
        if (c->several[i].connections == connections && is_rate(c->several[i].history.bytes_per_s))
            return &c->several[i].history;
    return NULL;
}

static void take_constants(const struct constants *own, struct constants *h)
{
    take(own->setup_ms, own->setup_ms_spread, &h->setup_ms, &h->setup_ms_spread);
    take(own->finish_ms, own->finish_ms_spread, &h->finish_ms, &h->finish_ms_spread);
    take(own->downtime_ms, own->downtime_ms_spread, &h->downtime_ms, &h->downtime_ms_spread);
}

struct constants cost_history(const struct planning *p, const struct channel *c, unsigned connections,
                              bool *ret_has_setup)
{
    const struct constants *one = seen_by(c, 1), *own = seen_by(c, connections);
    struct constants h = p->facts->history;

    if (one)
        take_constants(one, &h);
    if (one && own == one)
        take(one->bytes_per_s, one->bytes_per_s_spread, &h.bytes_per_s, &h.bytes_per_s_spread);
    if (own && own != one) {
        take_constants(own, &h);
        take(own->bytes_per_s, own->bytes_per_s_spread, &h.bytes_per_s, &h.bytes_per_s_spread);
    }
    *ret_has_setup = is_known(h.setup_ms) && (connections <= 1 || (own && is_rate(own->setup_ms)));
    return h;
}

/* ---- one connection ---- */

static struct range thread_rate(const struct channel *c)
{
    return c->protects_data >= 2 ? encrypted_rate : clear_rate;
}

/* What moves showed and what was measured are of payload both: where they agree, what they agree on; else the
 * newer. */
static struct range agreed(struct range seen, struct range now)
{
    struct range both = { fmax(seen.low, now.low), now.likely, fmin(seen.high, now.high) };

    if (both.low > both.high)
        return now;
    both.likely = fmin(fmax(seen.likely, both.low), both.high);
    return both;
}

static struct range rate_of_one(const struct planning *p, const struct channel *c, bool *ret_seen)
{
    bool ignored;
    const struct constants h = cost_history(p, c, 1, &ignored);

    struct range seen;

    *ret_seen = is_rate(h.bytes_per_s);
    if (!*ret_seen)
        return range_smaller(link_rate(p->facts, c), thread_rate(c));
    seen = cost_seen(h.bytes_per_s, h.bytes_per_s_spread); /* a payload rate: framing is in it */
    return is_rate(c->measured_bytes_per_s) ? agreed(seen, link_rate(p->facts, c)) : seen;
}

/* ---- several ---- */

/* Of the host that has fewer; NOT_KNOWN where one does not tell. */
static uint64_t idle_milli(const struct facts *f)
{
    const uint64_t source = f->source.cpus_idle_milli, dest = f->dest.cpus_idle_milli;

    if (!is_known(source) || !is_known(dest))
        return NOT_KNOWN;
    return source < dest ? source : dest;
}

/* One connection was as fast as its thread, not as its link, so far as a rate tells that. */
static bool is_thread_bound(const struct channel *c, double rate)
{
    return rate >= thread_rate(c).low && rate >= above_gbit * framing * gbit_bytes_per_s;
}

static struct range gain_of(const struct facts *f, const struct channel *c, unsigned n)
{
    const unsigned forwards = channel_forwards(c, n);
    const double least = forwards ? several_least : more_least, busy = forwards ? several_busy : 1;
    const double threads = forwards ? forwards : n; /* that encrypt, or copy */
    const uint64_t idle = idle_milli(f);
    double used;

    if (forwards == 1)
        return one_forward;
    if (!is_known(idle))
        return (struct range){ least, busy, threads };
    used = fmax(1, fmin(threads, (double)idle / 1000));
    return (struct range){ least, 1 + more_share * (used - 1) - (1 - busy) * fmax(0, 2 - used), used };
}

static const struct several *nearest(const struct channel *c, unsigned n)
{
    const struct several *best = NULL;
    double best_off = INFINITY;

    for (size_t i = 0; i < c->n_several; i++) {
        const struct several *one = &c->several[i];
        const double off = fabs((double)one->connections - (double)n);

        if (is_known(one->connections) && one->connections > 1 && is_rate(one->history.bytes_per_s) &&
            off < best_off) {
            best = one;
            best_off = off;
        }
    }
    return best;
}

/* The straight line through what one connection does and what so many showed. */
static struct range drawn(const struct several *seen, double one, bool one_is_seen, unsigned n, double link)
{
    const double at = (double)seen->connections, rate = (double)seen->history.bytes_per_s;
    double here;

    if (!one_is_seen)
        here = n < at ? rate * n / at : rate;
    else
        here = one + (rate - one) * (n - 1) / (at - 1);
    here = fmax(here, fmin(one, rate) / 2);
    return range_times(range_of(fmin(here, fmax(link, rate))), drawn_share);
}

static struct range rate_of_several(const struct planning *p, const struct channel *c, unsigned n)
{
    const struct constants *own = seen_by(c, n);
    const struct several *near = nearest(c, n);
    const struct range link = link_rate(p->facts, c), gain = gain_of(p->facts, c, n);
    bool seen;
    const struct range one = rate_of_one(p, c, &seen);

    if (own)
        return cost_seen(own->bytes_per_s, own->bytes_per_s_spread);
    if (near)
        return drawn(near, one.likely, seen, n, link.high);
    if (!seen)
        return range_smaller(link, range_times(range_smaller(link, thread_rate(c)), gain));
    return (struct range){
        one.low * gain.low,
        is_thread_bound(c, one.likely) || gain.likely < 1
            ? fmin(fmax(link.high, one.likely), one.likely * gain.likely)
            : one.likely,
        fmin(fmax(link.high, one.high), one.high * gain.high),
    };
}

struct range cost_rate(const struct planning *p, const struct channel *c, unsigned connections)
{
    const uint64_t cap = p->limits.bandwidth_bytes_per_s;
    bool ignored;
    const struct range rate =
        connections > 1 ? rate_of_several(p, c, connections) : rate_of_one(p, c, &ignored);

    return is_rate(cap) ? range_smaller(rate, range_of((double)cap)) : rate;
}

/* As many as are idle on both hosts and as the link has room for, where one was seen to be bound by its
 * thread; else one. */
unsigned cost_connections(const struct planning *p, const struct channel *c)
{
    const uint64_t idle = idle_milli(p->facts), cap = p->limits.bandwidth_bytes_per_s;
    const unsigned forwards = channel_forwards(c, MOST_CONNECTIONS);
    const struct range link = link_rate(p->facts, c);
    bool seen;
    const double one = rate_of_one(p, c, &seen).likely;
    double room = seen ? link.high : link.likely, most; /* unseen, what is likely must have the room */

    if (!c->can_multifd || forwards == 1 || !is_known(idle) || !is_thread_bound(c, one))
        return 1;
    if (is_rate(cap))
        room = fmin(room, (double)cap);
    most = fmin(floor((double)idle / 1000), ceil(room / one));
    if (forwards)
        most = fmin(most, forwards);
    return most < 2 ? 1 : (unsigned)fmin(most, MOST_CONNECTIONS);
}
