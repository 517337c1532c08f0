/* SPDX-License-Identifier: Apache-2.0
 * The world of model-test.c: two libvirtds with a QEMU each, a client with its gate, a network and a
 * recovery, in one word of 64 bits, and every step that one of them can take from there.
 * Core/handover/README.md says it in prose. */
#ifndef UNIT_RUN_MODEL_H
#define UNIT_RUN_MODEL_H

#include "handover/outcome.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENDED, PAUSED, RUNNING };                                           /* s_qemu */
enum { QUIET, BEGUN, PERFORMING, PERFORMED, ENDING, CANCELLING, CLOSING }; /* s_phase */
/* d_qemu; cut: paused in post-copy, without its memory; stopped: it ran, and an error of its own paused it */
enum { NOTHING, WAITING, ARRIVED, STARTED, CUT, STOPPED };
enum { IDLE, PREPARED, FINISHING, FINISHED }; /* d_phase */
enum { OFF_ABSENT, OFF_OTHER, OFF_WORD };     /* s_off: moved; d_off: failed. Forgotten by a restart */
enum { NONE, OK, CANCEL };                    /* request, reply, confirm */
enum { C_NEW, C_BEGUN, C_PREPARED, C_PERFORM, C_FINISH, C_FINISH_CANCEL, C_CONFIRM, C_CONFIRM_OK, C_OVER };
enum { G_LOOK, G_LET, G_DROP, G_DROPPED, G_SHUT, G_TURN }; /* gate */
enum { R_LOOK, R_LOOKED, R_RESUME_SOURCE, R_DROP, R_RESUME_DEST, R_FINISH, R_STAYED, R_MOVED };

union world {
    uint64_t key;
    struct {
        uint64_t s_qemu : 2, s_up : 1, s_phase : 3, s_off : 2, s_conn : 1; /* conn: the client's, intact */
        uint64_t d_qemu : 3, d_up : 1, d_phase : 2, d_off : 2, d_defined : 1, d_conn : 1, d_rebooted : 1;
        uint64_t s_dead : 1, d_dead : 1; /* the host, for good; the operator attests it */
        uint64_t net : 1;
        uint64_t client : 4, request : 2, reply : 2, confirm : 2, held : 1, gate : 3;
        uint64_t s_stopped : 1;          /* paused by somebody else, or by an error */
        uint64_t s_forgot : 1;           /* its libvirtd no longer says that it was post-copy */
        uint64_t post : 1, d_failed : 1; /* switched to post-copy; what libvirt there says of its end */
        uint64_t asked : 1, destroyed : 1, said : 1; /* the journal */
        uint64_t recovery : 3, seen_state : 3, seen_reason : 3, seen_job : 1;
        /* What nobody in the world can see: */
        uint64_t whole : 1;   /* the memory has arrived */
        uint64_t ran : 1;     /* the destination has run */
        uint64_t stale : 1;   /* the source ran on after its memory was taken */
        uint64_t meddled : 1; /* a recovery started what others had stopped */
        uint64_t lost : 1;    /* a recovery ended what was the last copy, or what had run */
    };
};
_Static_assert(sizeof(union world) == sizeof(uint64_t), "a world is one word");

struct variant {
    bool is_held, was_paused, is_persistent;
    bool has_gate;      /* false, not held and without a lock: plain virsh */
    bool has_lock;      /* a disk's lock: whose QEMU does not get it stays paused */
    bool reboots;       /* hosts may reboot */
    bool guest_ends;    /* the guest may shut itself down */
    bool stops;         /* the guest may stop by an error of its own, after the move */
    bool forgets;       /* a libvirtd that dies may forget why a guest is paused, and end no incoming one */
    bool postcopy;      /* the source may switch to it */
    bool qemu_dies;     /* either QEMU may be killed, in whatever state */
    bool dies;          /* hosts may die for good */
    bool closing_crash; /* the source's libvirtd may die in the ms in which it clears up after a closed client
                         */
    bool turns;         /* the gate makes the held confirm a success instead of dropping it */
    bool absence_is_trusted; /* the gate takes absence for a fact, even after a reboot */
    bool job_unseen;         /* the destination's incoming job reads as none */
    bool says_moved;         /* the success of libvirt's call is in the journal */
};

/* ---- what a look shows ---- */

static inline struct side look_source(const struct variant *v, union world w)
{
    static const enum side_state states[] = { SIDE_OFF, SIDE_PAUSED, SIDE_RUNNING };
    struct side s = { .state = states[w.s_qemu], .has_job = w.s_phase != QUIET };

    if (w.s_dead)
        return (struct side){ .state = SIDE_DEAD };
    if (!w.s_up)
        return (struct side){ .state = SIDE_NOT_KNOWN };
    if (w.s_qemu == PAUSED)
        s.reason = w.s_stopped             ? REASON_OTHER
                   : w.post && !w.s_forgot ? REASON_POSTCOPY
                   : v->was_paused         ? REASON_USER
                                           : REASON_MIGRATION;
    if (w.s_qemu == ENDED && w.s_off == OFF_ABSENT)
        s.state = SIDE_ABSENT;
    if (w.s_qemu == ENDED && w.s_off == OFF_WORD)
        s.reason = REASON_MIGRATED;
    return s;
}

static inline struct side look_dest(const struct variant *v, union world w)
{
    static const enum side_state states[] = { SIDE_OFF,     SIDE_PAUSED, SIDE_PAUSED,
                                              SIDE_RUNNING, SIDE_PAUSED, SIDE_PAUSED };
    static const enum side_reason reasons[] = { REASON_OTHER, REASON_MIGRATION, REASON_USER,
                                                REASON_OTHER, REASON_POSTCOPY,  REASON_OTHER };
    struct side s = { .state = states[w.d_qemu],
                      .reason = reasons[w.d_qemu],
                      .has_job = w.d_phase != IDLE && w.d_qemu != NOTHING && !v->job_unseen };

    if (w.d_dead)
        return (struct side){ .state = SIDE_DEAD };
    if (!w.d_up || !w.net)
        return (struct side){ .state = SIDE_NOT_KNOWN };
    if (w.d_qemu == NOTHING && w.d_off == OFF_ABSENT)
        s.state = SIDE_ABSENT;
    if (w.d_qemu == NOTHING && w.d_off == OFF_WORD)
        s.reason = REASON_FAILED;
    if (w.d_qemu == STARTED && w.d_failed)
        s.reason = REASON_POSTCOPY;
    return s;
}

/* The table in force, which a test may have changed, and which of its rows decided so far. */
struct table {
    const struct outcome_row *rows;
    size_t n;
    uint64_t used;
};

static inline enum decision decide(const struct variant *v, struct table *t, union world w,
                                   struct side source)
{
    const struct outcome_row *row;
    const struct evidence e = { .source = source,
                                .dest = look_dest(v, w),
                                .was_asked = w.asked,
                                .was_paused = v->was_paused,
                                .is_held = v->is_held,
                                .dest_destroyed = w.destroyed,
                                .dest_rebooted = w.d_rebooted,
                                .said_moved = v->says_moved && w.said };

    row = outcome_row(t->rows, t->n, &e);
    if (!row)
        return DECIDE_NOT_KNOWN;
    t->used |= UINT64_C(1) << (row - t->rows);
    return row->decision;
}

/* ---- what an act does ---- */

static inline void dest_ends(union world *w, unsigned off);

/* By a recovery, or the gate: what ran there is not theirs to end. */
static inline void dest_is_dropped(union world *w)
{
    w->lost |= w->d_qemu != NOTHING && w->ran;
    dest_ends(w, OFF_OTHER);
    w->destroyed = 1;
}

/* A QEMU at the destination that has opened the disks for writing: it ran there, and goes on or not. */
static inline bool has_disks(union world w)
{
    return w.d_qemu == STARTED || w.d_qemu == STOPPED;
}

static inline void source_resumes(const struct variant *v, union world *w)
{
    if (w->s_qemu != PAUSED || v->was_paused || w->post) /* libvirt never does after the switch */
        return;
    if (v->has_lock && has_disks(*w))
        return;
    w->meddled |= w->s_stopped;
    w->s_stopped = 0;
    w->s_qemu = RUNNING;
    w->stale |= w->whole;
}

static inline void source_ends(const struct variant *v, union world *w, unsigned off)
{
    w->s_qemu = ENDED;
    w->s_off = v->is_persistent ? off : OFF_ABSENT;
}

static inline void dest_ends(union world *w, unsigned off)
{
    w->d_qemu = NOTHING;
    w->d_failed = 0;
    w->d_phase = IDLE;
    w->d_off = w->d_defined ? off : OFF_ABSENT;
}

static inline void dest_starts(union world *w)
{
    w->d_qemu = STARTED;
    w->ran = 1;
}

/* The destination's part of a job that ended badly. What runs without its memory is nobody's to end. */
static inline void dest_gives_up(union world *w, unsigned off)
{
    if (!w->post) {
        dest_ends(w, off);
        return;
    }
    w->d_failed = 1;
    w->d_phase = IDLE;
}

/* The mover and its gate are gone, however they went. */
static inline void client_ends(union world *w)
{
    w->client = C_OVER;
    w->s_conn = w->d_conn = 0;
    w->held = 0;
    w->gate = G_LOOK;
    w->reply = NONE;
}

static inline void source_daemon_ends(union world *w)
{
    w->s_up = w->s_conn = 0;
    w->confirm = NONE;
    if (w->held) /* the gate's way on is closed, so it closes */
        client_ends(w);
}

static inline void dest_daemon_ends(union world *w)
{
    w->d_up = w->d_conn = 0;
    w->request = NONE;
}

#endif
