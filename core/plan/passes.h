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
/* What memory is moved, and how. */
struct passes_job {
    double first;      /* bytes of each page once */
    double end_zeroes; /* of the memory's end that may be left when the first pass ends, pages of zeroes: what
                          that pass found is left in their stead, and need not be sent again */
    double bytes_per_s, downtime_s;
};
/* throttled: as QEMU's auto-converge slows the guest, by 20 % after two
 * passes that did not help and 10 % more after every two further ones. */
struct passes passes_make(const struct dirty_model *w, const struct passes_job *job, bool throttled);

/* QEMU sends for 50 ms between two thoughts of whether what is left fits into the allowed downtime: a pass
 * lasts half of that longer than it had to. */
#define PASSES_SLACK_S 0.03

/* A pass boundary of a move that is armed for post-copy, in bytes. to_send is what is left above what fits
 * into the allowed downtime, most often what the pass found. */
struct passes_boundary {
    double to_send;
    double first; /* the same at the first boundary, where post-copy would have brought it */
    double again; /* sent since then */
};
/* true: pre-copy ends, and what it sends from the first boundary on is at most PASSES_STAY_SHARE times what
 * post-copy would have brought there, or takes no longer than PASSES_SOON_S. It may be a moment more where it
 * ends in that moment: no guest is divided between two hosts to save one. But one that seems to end soon at
 * each boundary is not let go on for ever. */
#define PASSES_STAY_SHARE 2.0
#define PASSES_SOON_S 1.0
#define PASSES_MOMENT_S 0.25
bool passes_stay(const struct dirty_model *w, const struct passes_boundary *at, double bytes_per_s,
                 double downtime_s);

/* A whole move that is armed so: at each boundary what the passes so far found is all that is known, and of a
 * guest that had written its whole working set by the first it is little. */
struct passes_armed {
    bool stays;   /* pre-copy ends */
    double again; /* sent in the passes behind the first and before the switch */
    double left;  /* what the last of them left for post-copy to bring */
};
/* really: how the guest dirties; share: what of that the job shows. */
struct passes_armed passes_armed(const struct dirty_model *really, double share,
                                 const struct passes_job *job);

#endif
