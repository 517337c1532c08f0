/* SPDX-License-Identifier: Apache-2.0
 * The table: what both hosts and the journal say -> what may be done. Pure; its rows and the invariants that
 * they keep stand in README.md, and a test walks every combination. */
#ifndef HANDOVER_OUTCOME_H
#define HANDOVER_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side_state {
    SIDE_NOT_KNOWN, /* it did not answer; never the same as absent */
    SIDE_ABSENT,
    SIDE_OFF, /* defined, no QEMU */
    SIDE_PAUSED,
    SIDE_RUNNING,
    SIDE_DEAD, /* the operator attests that the host is dead: no QEMU runs there, and what ran is not known */
    SIDE_STATES,
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
    SIDE_REASONS,
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

/* What stands in a row's condition, as bits. */
#define OUTCOME_ASKED 1u
#define OUTCOME_WAS_PAUSED 2u
#define OUTCOME_HELD 4u
#define OUTCOME_DESTROYED 8u
#define OUTCOME_REBOOTED 16u
#define OUTCOME_SAID_MOVED 32u
#define OUTCOME_SOURCE_JOB 64u
#define OUTCOME_DEST_JOB 128u

struct outcome_row {
    const char *name;      /* as README.md has it, and a trace and a dry run say it */
    uint64_t source, dest; /* which states for which reasons fit: a bit each */
    /* One of them fits; the second counts only where it is not empty. */
    struct {
        unsigned need, forbid; /* OUTCOME_ */
    } when[2];
    enum decision decision;
    const char *because;
};

/* The table itself. */
const struct outcome_row *outcome_rows(size_t *ret_n);
/* The first of these rows that fits; NULL = none does, and nothing is known then. */
const struct outcome_row *outcome_row(const struct outcome_row *rows, size_t n, const struct evidence *e);
enum decision outcome_decide(const struct evidence *e);
/* Of a domain that was shut off when its definition was to move: nothing ran, and one host shall define it.
 */
enum decision outcome_decide_offline(const struct evidence *e);
const char *decision_word(enum decision d);

#endif
