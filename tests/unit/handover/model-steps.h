/* SPDX-License-Identifier: Apache-2.0
 * Every step that libvirt, the client with its gate, a recovery or a fault can take from a world. */
#ifndef UNIT_RUN_MODEL_STEPS_H
#define UNIT_RUN_MODEL_STEPS_H

#include "model-search.h"

/* ---- libvirt ---- */

static inline void qemu_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    bool guest_lives = now.s_qemu == RUNNING || (v->was_paused && now.s_qemu == PAUSED);

    STEP("memory arrives",
         now.net && now.s_phase == PERFORMING && !now.whole && now.d_qemu == WAITING && guest_lives,
         w.whole = 1;
         w.s_qemu = PAUSED);
    STEP("source switches to post-copy",
         v->postcopy && now.net && now.s_phase == PERFORMING && !now.whole && now.d_qemu == WAITING &&
             guest_lives,
         w.post = 1;
         w.s_qemu = PAUSED; dest_starts(&w));
    STEP("last page comes",
         now.post && now.net && !now.whole && now.d_qemu == STARTED && now.s_qemu == PAUSED, w.whole = 1);
    STEP("post-copy is cut",
         now.post && !now.whole && now.d_qemu == STARTED && (!now.net || now.s_qemu == ENDED),
         w.d_qemu = CUT);
    STEP("guest stops at the source",
         v->stops && now.s_qemu == RUNNING && now.s_phase == QUIET && now.client == C_OVER, w.s_qemu = PAUSED;
         w.s_stopped = 1);
    STEP("guest stops at the destination", v->stops && now.d_qemu == STARTED && !now.post,
         w.d_qemu = STOPPED);
    STEP("guest ends at the source", v->guest_ends && now.s_qemu == RUNNING, source_ends(v, &w, OFF_OTHER));
    STEP("guest ends at the destination", v->guest_ends && now.d_qemu == STARTED, w.d_qemu = NOTHING;
         w.d_off = w.d_defined ? OFF_OTHER : OFF_ABSENT);
}

static inline void source_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;

    if (!now.s_up)
        return;
    STEP("perform succeeds", now.s_phase == PERFORMING && now.whole && now.s_qemu == PAUSED,
         w.s_phase = PERFORMED);
    STEP("perform fails", now.s_phase == PERFORMING, source_resumes(v, &w); w.s_phase = QUIET);
    STEP("confirm: moved", now.confirm == OK && now.s_phase == PERFORMED, w.confirm = NONE;
         w.s_phase = ENDING);
    STEP("confirm: cancelled", now.confirm == CANCEL && (now.s_phase == PERFORMED || now.s_phase == BEGUN),
         w.confirm = NONE;
         w.s_phase = CANCELLING);
    STEP("confirm without a job", now.confirm && now.s_phase == QUIET, w.confirm = NONE);
    STEP("source ended by confirm", now.s_phase == ENDING, source_ends(v, &w, OFF_WORD); w.s_phase = QUIET);
    STEP("source resumed by confirm", now.s_phase == CANCELLING, source_resumes(v, &w); w.s_phase = QUIET);
    STEP("source sees its client gone", !now.s_conn && (now.s_phase == BEGUN || now.s_phase == PERFORMED),
         w.s_phase = CLOSING);
    STEP("source ends behind its last page",
         now.post && now.whole && now.s_qemu == PAUSED && now.s_phase == QUIET, source_ends(v, &w, OFF_WORD));
    STEP("source's job ends, it stays paused", now.s_phase == CLOSING, w.s_phase = QUIET);
}

static inline void dest_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    bool is_whole = now.d_qemu == WAITING && now.whole, is_defined = now.d_defined || !v->is_persistent;
    bool is_shut_out = v->has_lock && now.s_qemu == RUNNING;

    if (!now.d_up)
        return;
    STEP("finish begins", now.request == OK && now.d_phase == PREPARED, w.request = NONE;
         w.d_phase = FINISHING);
    STEP("finish: cancelled", now.request == CANCEL && now.d_phase == PREPARED, w.request = NONE;
         dest_gives_up(&w, OFF_WORD); w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish without a job", now.request && now.d_phase == IDLE, w.request = NONE;
         w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish defines the domain", now.d_phase == FINISHING && v->is_persistent && !now.d_defined,
         w.d_defined = 1);
    STEP("finish starts the guest",
         now.d_phase == FINISHING && is_whole && is_defined && !v->is_held && !v->was_paused && !is_shut_out,
         dest_starts(&w);
         w.d_phase = FINISHED);
    STEP("finish leaves the guest paused",
         now.d_phase == FINISHING && is_whole && is_defined && (v->is_held || v->was_paused),
         w.d_phase = FINISHED);
    STEP("finish of post-copy", now.d_phase == FINISHING && now.d_qemu == STARTED && now.whole && is_defined,
         w.d_phase = FINISHED);
    STEP("destination hears that it is whole", now.d_failed && now.whole && now.d_qemu == STARTED,
         w.d_failed = 0);
    STEP("finish fails", now.d_phase == FINISHING, dest_gives_up(&w, OFF_WORD);
         w.reply = w.d_conn ? CANCEL : NONE);
    STEP("finish answers", now.d_phase == FINISHED, w.d_phase = IDLE; w.reply = w.d_conn ? OK : NONE;
         w.d_qemu = w.d_qemu == WAITING ? ARRIVED : w.d_qemu);
    STEP("destination sees its client gone", !now.d_conn && now.d_phase == PREPARED,
         dest_gives_up(&w, OFF_OTHER));
}

static inline void source_returns(struct search *s, union world now)
{
    const struct variant *v = &s->v;
    union world w = now;

    if (now.s_up || now.s_dead)
        return;
    w.s_up = 1;
    if (now.s_phase == PERFORMING || now.s_phase == CANCELLING || now.s_phase == CLOSING)
        source_resumes(v, &w);
    if (w.s_off == OFF_WORD)
        w.s_off = OFF_OTHER;
    if (now.s_phase == ENDING)
        source_ends(v, &w, OFF_OTHER);
    w.s_phase = QUIET;
    reach(s, w, "source's libvirtd returns");
    w.s_forgot = 1;
    if (v->forgets && now.post && now.d_qemu == CUT)
        reach(s, w, "source's libvirtd returns and forgets");
}

static inline void dest_returns(struct search *s, union world now)
{
    union world w = now;

    if (now.d_up || now.d_dead)
        return;
    w.d_up = 1;
    if (w.d_off == OFF_WORD)
        w.d_off = OFF_OTHER;
    if (now.d_phase != IDLE && now.d_qemu != NOTHING && (now.post || now.d_qemu != STARTED))
        dest_gives_up(&w, OFF_OTHER);
    w.d_phase = IDLE;
    reach(s, w, "destination's libvirtd returns");
    if (!s->v.forgets)
        return;
    w = now;
    w.d_up = 1;
    w.d_phase = IDLE;
    w.d_qemu = now.d_qemu == ARRIVED ? WAITING : now.d_qemu;
    w.d_failed = now.post && now.d_qemu == STARTED;
    reach(s, w, "destination's libvirtd returns and forgets");
}

/* ---- the client: libvirt's own protocol in the mover, and the gate ---- */

static inline void client_confirms(struct search *s, union world now, bool is_ok)
{
    union world w = now;

    w.reply = NONE;
    w.client = is_ok ? C_CONFIRM_OK : C_CONFIRM;
    if (!now.s_conn) {
        w.said = is_ok;
        client_ends(&w);
    } else if (!is_ok && s->v.has_gate && !now.post) { /* the switch has disarmed it */
        w.held = 1;
    } else {
        w.confirm = is_ok ? OK : CANCEL;
    }
    reach(s, w, is_ok ? "client confirms: moved" : "client confirms: cancelled");
}

static inline void client_steps(struct search *s, union world now)
{
    bool reaches_dest = now.net && now.d_up && now.d_conn;

    STEP("journal: migrate", now.client == C_NEW && !now.asked, w.asked = 1);
    STEP("begin", now.client == C_NEW && now.asked && now.s_up && now.s_conn, w.s_phase = BEGUN;
         w.client = C_BEGUN);
    STEP("prepare", now.client == C_BEGUN && reaches_dest, w.d_qemu = WAITING; w.d_phase = PREPARED;
         w.client = C_PREPARED);
    STEP("prepare fails", now.client == C_BEGUN && now.s_conn, w.confirm = CANCEL; w.client = C_CONFIRM);
    STEP("perform", now.client == C_PREPARED && now.s_conn && now.s_phase == BEGUN, w.s_phase = PERFORMING;
         w.client = C_PERFORM);
    STEP("perform was answered: success", now.client == C_PERFORM && now.s_conn && now.s_phase == PERFORMED,
         w.client = C_FINISH;
         w.request = now.d_conn ? OK : NONE);
    STEP("perform was answered: failure",
         (now.client == C_PERFORM || now.client == C_PREPARED) && (!now.s_conn || now.s_phase == QUIET),
         w.client = C_FINISH_CANCEL;
         w.request = now.d_conn ? CANCEL : NONE);
    if (now.client == C_FINISH && now.reply && now.net)
        client_confirms(s, now, now.reply == OK);
    /* Its patience may end at any time: a host can be slow as well as dead. */
    if (now.client == C_FINISH) {
        union world w = now;

        w.d_conn = 0;
        client_confirms(s, w, false);
    }
    STEP("cancelled finish is over", now.client == C_FINISH_CANCEL, client_ends(&w));
    STEP("call returns", now.client == C_CONFIRM && !now.held, client_ends(&w));
    STEP("call returns success", now.client == C_CONFIRM_OK, w.said = s->v.says_moved; client_ends(&w));
    STEP("call fails early", (now.client == C_NEW || now.client == C_BEGUN) && !now.s_conn, client_ends(&w));
}

static inline void gate_looks(struct search *s, union world now)
{
    struct side source = { .state = SIDE_PAUSED, .reason = s->v.was_paused ? REASON_USER : REASON_MIGRATION };
    enum decision d = decide(&s->v, &s->table, now, source);
    bool may_run = d == DECIDE_RESUME_SOURCE || d == DECIDE_STAYED ||
                   (s->v.absence_is_trusted && look_dest(&s->v, now).state == SIDE_ABSENT);

    STEP("gate saw nothing there", may_run, w.gate = G_LET);
    STEP("gate saw it wait there", d == DECIDE_DROP_DEST, w.gate = G_DROP);
    STEP("gate saw it run there", d == DECIDE_FINISH, w.gate = s->v.turns ? G_TURN : G_SHUT);
    STEP("gate cannot know", d == DECIDE_NOT_KNOWN, w.gate = G_SHUT);
}

static inline void gate_steps(struct search *s, union world now)
{
    bool answers = now.d_up && now.net;

    if (!now.held)
        return;
    if (answers && now.gate == G_LOOK)
        gate_looks(s, now);
    STEP("gate lets through", now.gate == G_LET, w.held = 0; w.gate = G_LOOK; w.confirm = CANCEL);
    STEP("gate ends the destination", now.gate == G_DROP && answers, dest_is_dropped(&w); w.gate = G_DROPPED);
    STEP("gate looks after", now.gate == G_DROPPED && answers, w.gate = w.d_qemu == NOTHING ? G_LET : G_LOOK);
    STEP("gate gives an act up", !answers && now.gate != G_LOOK, w.gate = G_LOOK);
    STEP("gate makes it a success", now.gate == G_TURN, w.held = 0; w.gate = G_LOOK; w.confirm = OK);
    STEP("gate closes", now.gate == G_SHUT, client_ends(&w));
    STEP("gate's patience ends", true, client_ends(&w));
}

/* ---- settling, in the run itself or in a later one ---- */

static inline void recovery_decides(struct search *s, union world now)
{
    struct side source = { .state = (enum side_state)now.seen_state,
                           .reason = (enum side_reason)now.seen_reason,
                           .has_job = now.seen_job };
    const enum decision d = decide(&s->v, &s->table, now, source);
    union world w = now;

    check_said(s, d, source, now);
    w.seen_state = w.seen_reason = w.seen_job = 0;
    w.recovery = R_LOOK;
    switch (d) {
    case DECIDE_STAYED:
        w.recovery = R_STAYED;
        if (w.d_qemu == NOTHING)
            w.d_off = w.d_defined = 0; /* undone */
        break;
    case DECIDE_RESUME_SOURCE:
        w.recovery = R_RESUME_SOURCE;
        break;
    case DECIDE_DROP_DEST:
        w.recovery = R_DROP;
        break;
    case DECIDE_RESUME_DEST:
        w.recovery = R_RESUME_DEST;
        break;
    case DECIDE_FINISH:
        w.recovery = R_FINISH;
        break;
    default:
        break;
    }
    reach(s, w, "recovery looks at the destination");
}

static inline void recovery_steps(struct search *s, union world now)
{
    bool answers = now.d_up && now.net;
    struct side source = look_source(&s->v, now);

    if (now.client != C_OVER)
        return;
    STEP("recovery looks at the source", now.recovery == R_LOOK, w.recovery = R_LOOKED;
         w.seen_state = source.state; w.seen_reason = source.reason; w.seen_job = source.has_job);
    if (now.recovery == R_LOOKED)
        recovery_decides(s, now);
    STEP("recovery resumes the source", now.recovery == R_RESUME_SOURCE && now.s_up, w.recovery = R_LOOK;
         if (w.s_phase == QUIET) source_resumes(&s->v, &w));
    STEP("recovery ends the destination", now.recovery == R_DROP && answers, w.recovery = R_LOOK;
         dest_is_dropped(&w));
    STEP("recovery ends the destination and dies", now.recovery == R_DROP && answers, w.recovery = R_LOOK;
         dest_is_dropped(&w); w.destroyed = now.destroyed);
    STEP("recovery starts the destination", now.recovery == R_RESUME_DEST && answers, w.recovery = R_LOOK;
         if (w.d_phase == IDLE && (w.d_qemu == ARRIVED || w.d_qemu == WAITING)) dest_starts(&w));
    STEP("recovery has no source to end", now.recovery == R_FINISH && now.s_dead, w.recovery = R_MOVED);
    STEP(
        "recovery ends the source", now.recovery == R_FINISH && now.s_up && now.s_phase == QUIET,
        w.recovery = R_LOOK;
        if (w.s_qemu != RUNNING) {
            w.lost |= w.s_qemu == PAUSED && ((w.d_qemu != ARRIVED && !w.ran) || (w.post && !w.whole));
            source_ends(&s->v, &w, OFF_ABSENT);
            w.recovery = R_MOVED;
        });
    STEP("recovery dies", now.recovery > R_LOOK && now.recovery < R_STAYED, w.recovery = R_LOOK;
         w.seen_state = 0; w.seen_reason = 0; w.seen_job = 0);
}

/* ---- faults ---- */

static inline void fault_steps(struct search *s, union world now)
{
    const struct variant *v = &s->v;

    STEP("source's libvirtd dies", now.s_up && (now.s_phase != CLOSING || v->closing_crash),
         source_daemon_ends(&w));
    STEP("destination's libvirtd dies", now.d_up, dest_daemon_ends(&w));
    STEP("client dies", now.client != C_OVER, client_ends(&w));
    STEP("client loses its way to the source", now.s_conn && now.client != C_OVER, w.s_conn = 0;
         if (w.held) client_ends(&w));
    STEP("link goes", now.net, w.net = 0);
    STEP("link comes", !now.net, w.net = 1);
    STEP("request is lost", now.request && !now.net, w.request = NONE);
    STEP("answer is lost", now.reply && (!now.net || !now.d_up), w.reply = NONE);
    STEP("source's QEMU dies", v->qemu_dies && now.s_qemu != ENDED, source_ends(v, &w, OFF_OTHER);
         w.s_phase = QUIET; w.s_stopped = 0);
    STEP("destination's QEMU dies", v->qemu_dies && now.d_qemu != NOTHING, dest_ends(&w, OFF_OTHER));
    STEP("source's host dies", v->dies && !now.s_dead && !now.d_dead, source_ends(v, &w, OFF_OTHER);
         w.s_phase = QUIET; w.s_dead = 1; source_daemon_ends(&w));
    STEP("destination's host dies", v->dies && !now.s_dead && !now.d_dead, dest_ends(&w, OFF_OTHER);
         w.d_dead = 1; dest_daemon_ends(&w));
    STEP("source's host reboots", v->reboots, source_ends(v, &w, OFF_OTHER); w.s_phase = QUIET;
         source_daemon_ends(&w));
    STEP("destination's host reboots", v->reboots, dest_ends(&w, OFF_OTHER); w.d_rebooted = 1;
         dest_daemon_ends(&w));
}

#endif
