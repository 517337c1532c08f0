/* SPDX-License-Identifier: Apache-2.0
 * The table: what both hosts and the journal say -> what may be done. Pure; its rows and the invariants that
 * they keep stand in README.md, and a test walks every combination. */
#ifndef RUN_OUTCOME_H
#define RUN_OUTCOME_H

#include <stdbool.h>

enum side_state {
    SIDE_NOT_KNOWN, /* it did not answer; never the same as absent */
    SIDE_ABSENT,
    SIDE_OFF, /* defined, no QEMU */
    SIDE_PAUSED,
    SIDE_RUNNING,
};

/* Why a side is paused or off, as far as the table needs it. */
enum side_reason {
    REASON_OTHER,
    REASON_MIGRATION, /* paused by libvirt for a move: at the destination it has never run */
    REASON_USER,      /* paused on request; so does libvirt call a guest that arrived to stay paused */
    REASON_POSTCOPY,  /* its memory is on the other host */
    REASON_FAILED,    /* off since its start failed: it has never run */
    REASON_MIGRATED,  /* off since libvirt moved it away */
    REASON_DESTROYED, /* off since somebody ended its QEMU */
};

struct side {
    enum side_state state;
    enum side_reason reason;
    bool has_job;
    bool has_rebooted; /* the host, since the run began */
};

struct evidence {
    struct side source, dest;
    bool was_asked;  /* libvirt was asked to migrate: before that the destination can hold nothing of it */
    bool was_paused; /* before the move, so it shall be after it */
    bool is_held;    /* hand-over held: the destination does not start by itself */
    bool dest_destroyed; /* this run ended the destination's QEMU, which had not run */
    bool dest_rebooted;  /* since the run began: absence there proves nothing */
    bool said_moved;     /* libvirt's call returned success: it never lets the source run after that */
};

enum decision {
    DECIDE_STAYED,        /* undo what was prepared */
    DECIDE_RESUME_SOURCE, /* then it stayed */
    DECIDE_DROP_DEST,     /* end what waits at the destination and has never run, then look again */
    DECIDE_FINISH,        /* it moved: finish forward */
    DECIDE_RESUME_DEST,   /* the source has ended: start the destination, then finish forward */
    DECIDE_WAIT,          /* a job is still going on: look again */
    DECIDE_GONE,          /* it runs on neither host, and the source cannot be started safely by us */
    DECIDE_TWICE,         /* both run or have run: nothing is touched */
    DECIDE_NOT_KNOWN,     /* nothing is touched */
};

enum decision outcome_decide(const struct evidence *e);
/* Of a domain that was shut off when its definition was to move: nothing ran, and one host shall define it.
 */
enum decision outcome_decide_offline(const struct evidence *e);
const char *decision_word(enum decision d);

#endif
