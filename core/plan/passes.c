/* SPDX-License-Identifier: Apache-2.0
 * Pre-copy, pass by pass: what one pass leaves is what was dirtied while it lasted.
 * As QEMU 7.2 does it. Bounded: PASSES_MOST passes, and no figure that is not a number leaves here. */
#include "plan/passes.h"
#include <math.h>
#include <string.h>

static const double least_rate = 65536;
/* QEMU's auto-converge: initial and increment, in shares of the processors, and how often it looks on. */
static const double throttle_first = 0.20, throttle_step = 0.10, throttle_most = 0.99;
enum { THROTTLE_PATIENCE = 2 };
/* A pass that leaves more than this of what it sent did not help: QEMU's throttle-trigger-threshold. */
static const double throttle_trigger = 0.5;
/* Without throttling: passes that shrink by less than this end only by luck. */
static const double shrinks = 0.97;

/* QEMU looks for dirty pages again as soon as what is left fits into the allowed downtime, and stops the
 * guest if it still does with what it finds. */
static const double slack_s = PASSES_SLACK_S;
/* An idle guest has next to nothing left by then, a busy one all that was allowed. */
static const double kept_back = 4;

static bool is_figure(double x)
{
    return isfinite(x) && x >= 0;
}

/* Of figures that are numbers; fmin and fmax are calls into another library, for what is done a million
 * times. */
static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void dirty_drop(struct dirty_model *w, size_t i)
{
    memmove(&w->at[i], &w->at[i + 1], (w->n - i - 1) * sizeof w->at[0]);
    w->n--;
}

void dirty_learn(struct dirty_model *w, double s, double bytes)
{
    size_t i = 0;

    if (!is_figure(s) || !is_figure(bytes) || s <= 0)
        return;
    while (i < w->n && w->at[i].s < s)
        i++;
    if (i < w->n && w->at[i].s <= s) {
        w->at[i].bytes = bytes;
    } else {
        if (w->n == DIRTY_POINTS_MOST) {
            dirty_drop(w, w->n / 2);
            i -= i > w->n / 2;
        }
        memmove(&w->at[i + 1], &w->at[i], (w->n - i) * sizeof w->at[0]);
        w->at[i] = (struct dirty_at){ s, bytes };
        w->n++;
    }
    for (size_t k = 1; k < w->n; k++) /* more time cannot dirty less */
        w->at[k].bytes = fmax(w->at[k].bytes, w->at[k - 1].bytes);
}

/* The rate of each stretch between two points, and the last that holds behind them. */
struct slopes {
    double of[DIRTY_POINTS_MOST], behind;
};

static void slopes_of(const struct dirty_model *w, struct slopes *ret)
{
    struct dirty_at from = { 0, 0 };
    double least = 0;

    for (size_t i = 0; i < w->n; i++) {
        ret->of[i] = (w->at[i].bytes - from.bytes) / (w->at[i].s - from.s);
        least = i ? lesser(least, ret->of[i]) : ret->of[i];
        from = w->at[i];
    }
    ret->behind = least * (1 - w->fades);
}

/* Of a time that is a figure. */
static double dirtied(const struct dirty_model *w, const struct slopes *slopes, double s)
{
    struct dirty_at from = { 0, 0 };
    size_t i = 0;

    while (i < w->n && s > w->at[i].s)
        from = w->at[i++];
    if (w->n == 0)
        return 0;
    return lesser(larger(from.bytes + (i < w->n ? slopes->of[i] : slopes->behind) * (s - from.s), 0), w->cap);
}

double dirty_in(const struct dirty_model *w, double s)
{
    struct slopes slopes;

    slopes_of(w, &slopes);
    return is_figure(s) ? dirtied(w, &slopes, s) : 0;
}

/* From what one pass dirtied on: that is what the next sends, but for what may be left of the first. */
static struct passes passes_from(const struct dirty_model *w, double to_send, double room, double rate,
                                 bool throttled)
{
    struct passes p = { .last = to_send };
    const double s_per_byte = 1 / rate, ends_at = rate * slack_s;
    struct slopes slopes;
    double slowed = 0;
    int in_vain = 0;

    slopes_of(w, &slopes);
    while (p.n < PASSES_MOST) {
        const double sent = p.last, s = sent * s_per_byte;
        const double left = dirtied(w, &slopes, s) * (1 - slowed);

        p.n++;
        p.bytes += sent;
        p.s += s;
        p.last = p.n == 1 ? larger(left - room, 0) : left;
        if (p.last <= ends_at) {
            p.ends = true;
            break;
        }
        in_vain += left > sent * throttle_trigger;
        p.slows |= in_vain >= THROTTLE_PATIENCE;
        if (throttled && in_vain >= THROTTLE_PATIENCE) {
            slowed = slowed > 0 ? fmin(slowed + throttle_step, throttle_most) : throttle_first;
            in_vain = 0;
        } else if (!throttled && p.n > 1 && left > sent * shrinks) {
            break;
        }
    }
    p.slows |= !p.ends;
    return p;
}

static double clean_rate(double bytes_per_s)
{
    return is_figure(bytes_per_s) ? fmax(bytes_per_s, least_rate) : least_rate;
}

/* A job whose figures are clean. */
struct job {
    double rate, all;
    double kept, room; /* of what may be left: what the first pass does not send, and pages of zeroes */
};

static struct job clean_job(const struct passes_job *given)
{
    const double rate = clean_rate(given->bytes_per_s), all = is_figure(given->first) ? given->first : 0;
    const double fits = rate * (is_figure(given->downtime_s) ? given->downtime_s : 0);
    const double room = is_figure(given->end_zeroes) ? lesser(given->end_zeroes, fits) : 0;

    return (struct job){ rate, all, lesser(fits - room, all), room };
}

struct passes passes_make(const struct dirty_model *w, const struct passes_job *given, bool throttled)
{
    const struct job job = clean_job(given);
    struct passes p = passes_from(w, job.all - job.kept, job.room, job.rate, throttled);
    const double found = job.room > 0 ? dirty_in(w, (job.all - job.kept) / job.rate) : 0;
    const double kept = job.kept + lesser(found, job.room);

    p.bytes += kept + p.last;
    p.s += (kept + p.last) / job.rate;
    p.last += lesser(kept, kept_back * p.last);
    return p;
}

bool passes_stay(const struct dirty_model *w, const struct passes_boundary *at, double bytes_per_s,
                 double downtime_s)
{
    const double rate = clean_rate(bytes_per_s), fits = rate * (is_figure(downtime_s) ? downtime_s : 0);
    const double most = larger((fits + at->first) * PASSES_STAY_SHARE, fits + rate * PASSES_SOON_S);
    struct passes p = { .ends = true, .bytes = at->to_send, .s = at->to_send / rate };
    double all;

    if (at->to_send > rate * slack_s)
        p = passes_from(w, at->to_send, 0, rate, false);
    all = fits + at->again + p.bytes;
    return p.ends && (all <= most || (p.s <= PASSES_MOMENT_S && all <= most + rate * PASSES_MOMENT_S));
}

struct passes_armed passes_armed(const struct dirty_model *really, double share,
                                 const struct passes_job *given)
{
    const struct job job = clean_job(given);
    struct passes_armed made = { .stays = true };
    struct dirty_model shown = { .cap = really->cap };
    struct passes_boundary at = { 0 };
    double s = (job.all - job.kept) / job.rate;

    for (int n = 0; n < PASSES_MOST; n++) {
        made.left = dirty_in(really, s) * share;
        dirty_learn(&shown, larger(s, slack_s), made.left);
        at.to_send = n ? made.left : larger(made.left - job.room, 0);
        at.first = n ? at.first : at.to_send;
        made.stays = passes_stay(&shown, &at, job.rate, given->downtime_s);
        if (!made.stays || at.to_send <= job.rate * slack_s)
            break;
        at.again += at.to_send;
        s = at.to_send / job.rate;
    }
    made.again = at.again;
    return made;
}
