/* SPDX-License-Identifier: Apache-2.0
 * A job that is under way: looked at several times a second, shown, switched to post-copy where the
 * controller says so, aborted where the user does. */
#ifndef MIGRATION_MONITOR_H
#define MIGRATION_MONITOR_H

#include "migration/controller.h"
#include "migration/stall.h"
#include "run/move.h"

struct monitor {
    struct call *job;       /* a question for the job's statistics, or NULL */
    struct call *switching; /* the wish for post-copy, or NULL */
    struct call *marked;    /* the second look at the mark, or NULL */
    bool looked_at_mark;
    uint64_t asked_ms, wait_ms;
    uint64_t silent_ms; /* when the first question was asked that nobody answered; 0 = none */
    bool stop_wanted, abort_accepted, said_too_late, said_silent;
    uint64_t abort_again_ms;
    struct unheard unheard;
    struct stall stall;
    unsigned interrupts;
    struct controller control;
};

void monitor_begin(struct move *m, struct monitor *mon);
void monitor_step(struct move *m, struct monitor *mon);
void monitor_done(struct monitor *mon);

#endif
