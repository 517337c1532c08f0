/* SPDX-License-Identifier: Apache-2.0
 * How a guest dirties its memory, and the passes that pre-copy needs for it. Pure arithmetic: the planner
 * prices with it before a move, and the controller of core/migration asks it again at every pass boundary. */
#ifndef PLAN_PASSES_H
#define PLAN_PASSES_H

#include <stdbool.h>
#include <stddef.h>

enum { DIRTY_POINTS_MOST = 8, PASSES_MOST = 60 };

/* w(t): the distinct bytes that are dirtied in t seconds. Straight between the points, from nothing at 0;
 * behind the last point its slope goes on, up to the cap. Concave: a slope never grows. */
struct dirty_model {
    struct dirty_at {
        double s, bytes;
    } at[DIRTY_POINTS_MOST];
    size_t n; /* 0: an idle guest */
    double cap;
    double fades; /* the share of its last slope that is gone behind the last point; 0: it goes on */
};
/* Keeps the points in order of time and never falling; a point of the same time replaces, and the oldest-held
 * in the middle goes when there are too many. */
void dirty_learn(struct dirty_model *w, double s, double bytes);
double dirty_in(const struct dirty_model *w, double s);

struct passes {
    bool ends;
    unsigned n;   /* passes made */
    double bytes; /* sent in all of them, and at the switch-over */
    double s;     /* the time of that */
    double last;  /* what is sent while the guest stands still */
    bool slows; /* throttled, the guest would be slowed; where not, throttled passes are the same as these */
};
/* first: what the first pass sends. throttled: as QEMU's auto-converge slows the guest, by 20 % after two
 * passes that did not help and 10 % more after every two further ones. */
struct passes passes_make(const struct dirty_model *w, double first, double bytes_per_s, double downtime_s,
                          bool throttled);

/* QEMU sends for 50 ms between two thoughts of whether what is left fits into the allowed downtime: a pass
 * lasts half of that longer than it had to. */
#define PASSES_SLACK_S 0.03

/* Armed for post-copy at a pass boundary: to_send is what is left above what fits into the allowed downtime,
 * most often what the pass found dirty again. true: pre-copy ends, and what it sends until then is at most
 * PASSES_STAY_SHARE times what post-copy would bring, or takes no longer than PASSES_SOON_S: no guest is
 * divided between two hosts to save a moment. */
#define PASSES_STAY_SHARE 2.0
#define PASSES_SOON_S 1.0
bool passes_stay(const struct dirty_model *w, double to_send, double bytes_per_s, double downtime_s);

#endif
