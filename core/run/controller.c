/* SPDX-License-Identifier: Apache-2.0
 * Each pass boundary is a point of w(t): what it found dirty was dirtied while the pass lasted.
 * The model is refitted there and asked the question that the planner asked before (plan/passes.c). */
#include "run/controller.h"

#include "facts/model.h"
#include <math.h>

/* A pass that was shorter than this tells of the clock and not of the guest. */
static const double shortest_pass_s = 0.02;

static bool is_whole(const struct job_sample *s)
{
    return s->pass != NOT_KNOWN && s->pass > 0 && s->remaining_bytes != NOT_KNOWN &&
           s->sent_bytes != NOT_KNOWN;
}

static void begin_pass(struct controller *c, const struct job_sample *s)
{
    c->missed_sent = c->pass == 0 && s->pass == 1 ? s->sent_bytes : 0;
    c->pass = s->pass;
    c->began_ms = s->at_ms;
    c->began_sent = s->sent_bytes;
}

/* What was dirtied is what remains now and did not before, and was sent in between. Zero pages are done
 * without being sent, which spoils that sum; so what is beyond the allowed downtime counts at least: QEMU
 * begins no new pass before what is left fits into it. */
static double dirtied(const struct controller *c, const struct job_sample *s)
{
    const double fits = c->bytes_per_s * (double)c->downtime_ms / 1000;
    const double step = (double)(s->sent_bytes - c->last_sent);
    const double sum = (double)s->remaining_bytes + step - (double)c->last_remaining;
    double bytes = fmax(sum, (double)s->remaining_bytes - fits);

    return fmax(fmin(bytes, c->w.cap), 0);
}

static void learn(struct controller *c, const struct job_sample *s, double seconds, double sent)
{
    c->bytes_per_s = sent / seconds;
    seconds += (double)c->missed_sent / fmax(c->bytes_per_s, 1);
    c->w.cap = c->memory_bytes && c->memory_bytes != NOT_KNOWN ? (double)c->memory_bytes : 1e18;
    c->dirtied_bytes = (uint64_t)dirtied(c, s);
    dirty_learn(&c->w, seconds, (double)c->dirtied_bytes);
}

enum control controller_see(struct controller *c, const struct job_sample *s)
{
    enum control decision = CONTROL_WAIT;
    double seconds, sent;

    if (!is_whole(s))
        return CONTROL_WAIT;
    if (c->pass == 0 || s->pass < c->pass || s->sent_bytes < c->last_sent || s->at_ms < c->last_ms)
        begin_pass(c, s);
    seconds = (double)(s->at_ms - c->began_ms) / 1000;
    sent = (double)(s->sent_bytes - c->began_sent);
    if (s->pass > c->pass) {
        /* Several passes between two looks: what remains is of the last, and short ones are no worry. */
        if (seconds >= shortest_pass_s && sent > 0) {
            learn(c, s, seconds / (double)(s->pass - c->pass), sent / (double)(s->pass - c->pass));
            decision =
                passes_stay(&c->w, (double)c->dirtied_bytes, c->bytes_per_s, (double)c->downtime_ms / 1000)
                    ? CONTROL_STAY
                    : CONTROL_POSTCOPY;
        }
        begin_pass(c, s);
    }
    c->last_ms = s->at_ms;
    c->last_sent = s->sent_bytes;
    c->last_remaining = s->remaining_bytes;
    return decision;
}
