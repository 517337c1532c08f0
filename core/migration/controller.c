/* SPDX-License-Identifier: Apache-2.0
 * Each pass boundary is a point of w(t): what it found dirty was dirtied while the pass lasted.
 * The model is refitted there and asked the question that the planner asked before (plan/passes.c). */
#include "migration/controller.h"

#include "facts/model.h"
#include <math.h>

/* A pass that was shorter than this tells of the clock and not of the guest. */
static const double shortest_pass_s = 0.02;

static bool is_whole(const struct job_sample *s)
{
    return s->pass != NOT_KNOWN && s->pass > 0 && s->remaining_bytes != NOT_KNOWN &&
           s->sent_bytes != NOT_KNOWN;
}

static double fits(const struct controller *c)
{
    return c->bytes_per_s * (double)c->downtime_ms / 1000;
}

static void begin_pass(struct controller *c, double at_ms, double sent)
{
    c->began_ms = at_ms;
    c->began_sent = sent;
}

/* Pages of zeroes that went by since the last look: they are done at once and cost the channel nothing. */
static double zeroes(const struct controller *c, const struct job_sample *s)
{
    return s->zero_bytes != NOT_KNOWN && s->zero_bytes > c->last_zero ? (double)(s->zero_bytes - c->last_zero)
                                                                      : 0;
}

/* What is yet to be sent before the rest fits. It is less than what was dirtied where zeroes at the end of a
 * pass left nothing of what may be left. */
static double to_send(const struct controller *c, const struct job_sample *s)
{
    return fmax((double)s->remaining_bytes - fits(c), 0);
}

/* What was dirtied is what remains now and did not before, and was done in between; of all the passes that
 * ended since. Where zeroes are not told, that sum is too small; so what is beyond the allowed downtime
 * counts at least: QEMU begins no new pass before what is left fits into it. */
static double dirtied(const struct controller *c, const struct job_sample *s)
{
    const double step = (double)(s->sent_bytes - c->last_sent) + zeroes(c, s);
    const double sum = (double)s->remaining_bytes + step - (double)c->last_remaining;
    const double bytes = fmax(sum / (double)(s->pass - c->pass), to_send(c, s));

    return fmax(fmin(bytes, c->w.cap), 0);
}

/* When the pass ended: a look comes late on a busy machine, and a pass that seems to begin late seems short,
 * and its guest busier than it is. It ended soon after what was left fitted into the allowed downtime; how
 * soon depends on whether the zeroes came first. Of several that ended since the last look only their sum is
 * known. */
static double ended_ms(const struct controller *c, const struct job_sample *s, double zeroes_first)
{
    const double left = fmax((double)c->last_remaining - zeroes_first - fits(c), 0);
    const double at = (double)c->last_ms + (left / fmax(c->bytes_per_s, 1) + PASSES_SLACK_S) * 1000;

    return s->pass > c->pass + 1 ? (double)s->at_ms : fmin(at, (double)s->at_ms);
}

static void learn(struct controller *c, double pass_s, const struct job_sample *s)
{
    const double missed_s = (double)c->missed_sent / fmax(c->bytes_per_s, 1);

    c->w.cap = c->memory_bytes && c->memory_bytes != NOT_KNOWN ? (double)c->memory_bytes : 1e18;
    c->dirtied_bytes = (uint64_t)dirtied(c, s);
    dirty_learn(&c->w, pass_s + missed_s, (double)c->dirtied_bytes);
}

/* The look comes behind the boundary, when some of what was left there is sent already. */
static struct passes_boundary boundary(struct controller *c, const struct job_sample *s, double end_sent)
{
    const double left = to_send(c, s), now_sent = (double)s->sent_bytes;

    if (!c->has_boundary) {
        c->has_boundary = true;
        c->first_sent = end_sent;
        c->first_to_send = left + now_sent - end_sent;
    }
    return (struct passes_boundary){ left, c->first_to_send, fmax(now_sent - c->first_sent, 0) };
}

static enum control end_pass(struct controller *c, const struct job_sample *s)
{
    const double seconds = ((double)s->at_ms - c->began_ms) / 1000,
                 sent = (double)s->sent_bytes - c->began_sent;
    enum control decision = CONTROL_WAIT;
    double end_ms = (double)s->at_ms, end_sent = (double)s->sent_bytes;
    struct passes_boundary at;

    if (seconds >= shortest_pass_s && sent > 0) {
        c->bytes_per_s = sent / seconds;
        /* At the latest for the pass that ended, at the earliest for the one that began: neither seems
         * shorter than it is. */
        end_ms = ended_ms(c, s, 0);
        learn(c, fmax((end_ms - c->began_ms) / 1000 / (double)(s->pass - c->pass), shortest_pass_s), s);
        end_ms = ended_ms(c, s, zeroes(c, s));
        end_sent -= ((double)s->at_ms - end_ms) / 1000 * c->bytes_per_s;
        at = boundary(c, s, end_sent);
        decision = passes_stay(&c->w, &at, c->bytes_per_s, (double)c->downtime_ms / 1000) ? CONTROL_STAY
                                                                                          : CONTROL_POSTCOPY;
    }
    c->missed_sent = 0;
    begin_pass(c, end_ms, end_sent);
    return decision;
}

enum control controller_see(struct controller *c, const struct job_sample *s)
{
    enum control decision = CONTROL_WAIT;

    if (!is_whole(s))
        return CONTROL_WAIT;
    if (c->pass == 0 || s->pass < c->pass || s->sent_bytes < c->last_sent || s->at_ms < c->last_ms) {
        c->missed_sent = c->pass == 0 && s->pass == 1 ? s->sent_bytes : 0;
        begin_pass(c, (double)s->at_ms, (double)s->sent_bytes);
        c->has_boundary = false;
    } else if (s->pass > c->pass) {
        decision = end_pass(c, s);
    }
    c->pass = s->pass;
    c->last_ms = s->at_ms;
    c->last_sent = s->sent_bytes;
    c->last_remaining = s->remaining_bytes;
    c->last_zero = s->zero_bytes != NOT_KNOWN ? s->zero_bytes : 0;
    return decision;
}
