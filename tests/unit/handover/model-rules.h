/* SPDX-License-Identifier: Apache-2.0
 * What must hold in every world, and what the last word may be where all are well again; and the search
 * itself, breadth first. */
#ifndef UNIT_RUN_MODEL_RULES_H
#define UNIT_RUN_MODEL_RULES_H

#include "model-steps.h"

#include "base/owned.h"

/* ---- what must hold ---- */

/* Everybody is up again and has nothing left to do: here the table has the last word. */
static inline bool is_calm(union world w)
{
    return (w.s_up || w.s_dead) && (w.d_up || w.d_dead) && w.net && w.client == C_OVER &&
           w.s_phase == QUIET && w.d_phase == IDLE && !w.request && !w.confirm;
}

/* A run that was settled is not looked at again. */
static inline void check_settled(struct search *s, union world w)
{
    bool may_be_gone = s->v.guest_ends || s->v.reboots || s->v.dies || s->v.qemu_dies;

    if (w.recovery == R_STAYED)
        breaks(s, WRONGLY_SETTLED, w.d_qemu != NOTHING || (w.s_qemu == ENDED && !may_be_gone));
    else
        breaks(s, WRONGLY_SETTLED, w.s_qemu != ENDED || (w.d_qemu == NOTHING && !may_be_gone));
}

/* What the recovery does of it, with nothing else going on. */
static inline void act(const struct variant *v, enum decision d, union world *w)
{
    if (d == DECIDE_RESUME_SOURCE && w->s_up)
        source_resumes(v, w);
    if (d == DECIDE_RESUME_DEST && w->d_up && (w->d_qemu == ARRIVED || w->d_qemu == WAITING))
        dest_starts(w);
    if (d == DECIDE_DROP_DEST && w->d_up)
        dest_is_dropped(w);
}

/* Settled, and nobody lets the guest go on. */
static inline bool is_left_paused(const struct search *s, union world w)
{
    if (s->v.was_paused)
        return false;
    return w.s_qemu == ENDED ? w.d_qemu == ARRIVED || w.d_qemu == WAITING
                             : w.d_qemu == NOTHING && w.s_qemu == PAUSED && !w.s_stopped;
}

/* The cases that README.md names: here alone "not known" may be the last word. */
static inline bool is_unknowable(const struct variant *v, union world w)
{
    bool had_word = (w.s_off == OFF_WORD && !w.s_dead) || (v->says_moved && w.said);

    if (w.post)
        return w.s_qemu == PAUSED && w.d_qemu != NOTHING;
    if (w.d_qemu == NOTHING) /* did it run there? */
        return w.s_qemu != ENDED && !w.destroyed && (w.d_off == OFF_OTHER || w.d_rebooted || w.d_dead);
    if (w.s_qemu != ENDED || had_word)
        return false;
    if (w.d_qemu == WAITING) /* is its memory whole? */
        return true;
    return w.d_qemu == ARRIVED &&
           (v->is_held ? w.s_off == OFF_OTHER || w.s_dead : w.s_dead); /* did the source run on? */
}

static inline bool is_act(enum decision d)
{
    return d == DECIDE_RESUME_SOURCE || d == DECIDE_DROP_DEST || d == DECIDE_RESUME_DEST;
}

/* With all parties back the recovery ends, by a few acts: the last word is judged. */
static inline void check_calm(struct search *s, union world w)
{
    enum decision d = decide(&s->v, &s->table, w, look_source(&s->v, w));
    bool source_lives;

    s->calm[d]++;
    for (int acts = 0; is_act(d) && acts < 4; acts++) {
        check_said(s, d, look_source(&s->v, w), w);
        act(&s->v, d, &w);
        d = decide(&s->v, &s->table, w, look_source(&s->v, w));
    }
    source_lives = w.s_qemu != ENDED;
    check_said(s, d, look_source(&s->v, w), w);
    breaks(s, LAST_COPY, w.lost);
    breaks(s, NOT_OURS, w.meddled);
    switch (d) {
    case DECIDE_STAYED:
        breaks(s, WRONGLY_SETTLED,
               (!source_lives && w.asked) || w.d_qemu != NOTHING || w.ran || is_left_paused(s, w));
        break;
    case DECIDE_FINISH:
        breaks(s, WRONGLY_SETTLED,
               w.s_qemu == RUNNING || w.stale || !w.whole || w.d_qemu == NOTHING || w.d_qemu == CUT ||
                   is_left_paused(s, w));
        break;
    case DECIDE_GONE: /* check_said has judged it */
        break;
    case DECIDE_TWICE:
        breaks(s, NOT_SETTLED, w.s_qemu != RUNNING || w.d_qemu == NOTHING);
        break;
    case DECIDE_NOT_KNOWN:
        breaks(s, NOT_SETTLED, !is_unknowable(&s->v, w));
        break;
    default: /* it waits, or acts, for ever */
        breaks(s, NOT_SETTLED, true);
        break;
    }
}

static inline void check_world(struct search *s, union world w)
{
    breaks(s, TWO_RUN, w.s_qemu == RUNNING && w.d_qemu == STARTED);
    breaks(s, SOURCE_AFTER, w.s_qemu == RUNNING && w.ran);
    breaks(s, DEST_AFTER, w.d_qemu == STARTED && w.stale);
    breaks(s, LAST_COPY, w.lost);
    breaks(s, NOT_OURS, w.meddled || (s->v.was_paused && (w.s_qemu == RUNNING || w.d_qemu == STARTED)));
    if (is_calm(w) && w.recovery == R_LOOK)
        check_calm(s, w);
    if (is_calm(w) && (w.recovery == R_STAYED || w.recovery == R_MOVED))
        check_settled(s, w);
}

static inline bool is_broken(const struct search *s)
{
    for (int rule = 0; rule < RULES; rule++)
        if (s->broken[rule] && !(s->tolerated >> rule & 1u))
            return true;
    return false;
}

static inline struct search search_by(struct variant v, const struct outcome_row *rows, size_t n,
                                      const unsigned *tolerated)
{
    const bool ends_early = tolerated != NULL;
    struct search s = {
        .v = v, .table = { rows, n, 0 }, .ends_early = ends_early, .tolerated = ends_early ? *tolerated : 0
    };
    union world start = { .key = 0 };

    start.s_qemu = v.was_paused ? PAUSED : RUNNING;
    start.s_up = start.s_conn = start.d_up = start.d_conn = start.net = 1;
    reach(&s, start, "start");
    for (s.at = 0; s.at < s.n && !(ends_early && is_broken(&s)); s.at++) {
        union world now = s.list[s.at].world;

        check_world(&s, now);
        qemu_steps(&s, now);
        source_steps(&s, now);
        dest_steps(&s, now);
        source_returns(&s, now);
        dest_returns(&s, now);
        client_steps(&s, now);
        gate_steps(&s, now);
        recovery_steps(&s, now);
        fault_steps(&s, now);
    }
    return s;
}

static inline struct search search(struct variant v)
{
    size_t n;
    const struct outcome_row *rows = outcome_rows(&n);

    return search_by(v, rows, n, NULL);
}

static inline void search_done(struct search *s)
{
    free(s->list);
    free(s->slots);
}
#define SEARCH __attribute__((cleanup(search_done))) struct search

#endif
