/* SPDX-License-Identifier: Apache-2.0
 * Post-copy that lost its link: each host keeps its half of the guest's memory, and QEMU can go on from where
 * it was as soon as the two reach each other. What that needs stands in the journal, so that a recovery can
 * do it too. */
#include "recovery/settle.h"

#include "base/log.h"

#define STEP_MS 20
#define LOOK_MS 2000u
#define UNHEARD_SAY_MS 15000u

static bool is_failed(const struct sight *s)
{
    return s->was_heard && text_equal(s->reason, "postcopy-failed");
}

/* Sockets of this machine's ssh lead nowhere any more. */
bool postcopy_is_cut(const struct move *m)
{
    const char *uri = json_text(journal_last(m->journal, "migrate"), "data_uri", "");

    return is_failed(&m->sights[0]) && is_failed(&m->sights[1]) && text_equal(m->sights[0].state, "paused") &&
           text_starts(uri, "tcp:");
}

/* Its QEMU has ended, or its host is dead: none of that memory is there any more. */
static bool has_ended(const struct move *m, bool is_dest)
{
    const struct sight *s = &m->sights[is_dest];

    return m->is_dead[is_dest] || (s->was_heard && (!s->state[0] || text_equal(s->state, "shutoff") ||
                                                    text_equal(s->state, "crashed")));
}

bool postcopy_is_halved(const struct move *m)
{
    const struct sight *source = &m->sights[0], *dest = &m->sights[1];

    if (is_failed(dest))
        return has_ended(m, false) && !text_equal(source->reason, "migrated");
    return is_failed(source) && text_equal(source->state, "paused") && has_ended(m, true);
}

bool postcopy_is_unheard(const struct move *m)
{
    return is_failed(&m->sights[0]) && text_equal(m->sights[0].state, "paused") && m->sights[1].was_heard &&
           text_equal(m->sights[1].reason, "postcopy");
}

bool postcopy_unheard(struct move *m, struct unheard *u, bool is_unheard)
{
    const uint64_t now_ms = loop_now_ms();
    struct error advice = { 0 };

    if (!is_unheard) {
        u->since_ms = 0;
        return false;
    }
    u->since_ms = u->since_ms ? u->since_ms : now_ms;
    if (!u->said && now_ms - u->since_ms > UNHEARD_SAY_MS) {
        (void)advise_unheard(m, &advice);
        move_say(
            m,
            "the link was lost in post-copy, and the destination has not heard of it: it is waited for, %u s "
            "at the longest. %s",
            POSTCOPY_PATIENCE_MS / 1000u, advice.fix);
        u->said = true;
    }
    return now_ms - u->since_ms > POSTCOPY_PATIENCE_MS;
}

void joining_begin(struct joining *j, uint64_t now_ms)
{
    j->began_ms = now_ms;
    if (!j->moved_ms)
        j->moved_ms = j->answered_ms = j->looked_ms = now_ms;
}

enum join_sight joining_see(struct joining *j, uint64_t now_ms, uint64_t sent, bool is_busy)
{
    if (sent != NOT_KNOWN && sent != j->sent_bytes) {
        j->sent_bytes = sent;
        j->moved_ms = now_ms;
    }
    if (!is_busy || now_ms - j->looked_ms > JOIN_BLIND_MS)
        j->answered_ms = now_ms;
    j->looked_ms = now_ms;
    if (now_ms - j->moved_ms <= JOIN_STILL_MS)
        return JOIN_GOES_ON;
    if (now_ms - j->answered_ms > JOIN_STILL_MS)
        return JOIN_IS_MUTE;
    return now_ms - j->began_ms > JOIN_STILL_MS ? JOIN_STANDS : JOIN_GOES_ON;
}

static json_t *args_of(const struct move *m)
{
    const json_t *asked = journal_last(m->journal, "migrate");

    return json_pack("{ss ss ss sb sb ss* sO*}", "uuid", m->uuid, "data_uri",
                     json_text(asked, "data_uri", ""), "mode", "postcopy", "is_resume", 1, "is_peer_trusted",
                     (int)json_flag(asked, "is_peer_trusted", false), "listen_address",
                     json_text(asked, "listen_address", NULL), "parameters", json_child(asked, "parameters"));
}

/* A connection that broke is made anew by the next look. */
static json_t *ask_host(struct move *m, bool is_dest, const char *verb)
{
    struct error err = { 0 };
    json_t *reply = NULL;
    struct worker *w = look_worker(m, is_dest, &err);

    if (w && worker_do(w, verb, json_pack("{ss}", "uuid", m->uuid), ANSWER_MS, &reply, &err) == 0) {
        m->seen[is_dest] = w;
        return reply;
    }
    worker_free(w);
    return NULL;
}

static enum join_sight see_joining(struct move *m)
{
    OWNED_JSON job = ask_host(m, false, "job");
    OWNED_JSON control = ask_host(m, true, "control");

    return joining_see(&m->joining, loop_now_ms(), json_u64(job, "memory_processed_bytes", NOT_KNOWN),
                       control && !json_flag(control, "is_free", true));
}

static void say_still(struct move *m)
{
    struct joining *j = &m->joining;

    if (j->said || j->looked_ms - j->moved_ms <= JOIN_SAY_MS)
        return;
    move_say(m, "nothing of its memory comes%s; that is waited for, %u s at the longest",
             j->looked_ms - j->answered_ms > JOIN_SAY_MS ? ", and QEMU at the destination does not answer"
                                                         : "",
             JOIN_STILL_MS / 1000u);
    j->said = true;
}

static int give_up_joining(struct move *m, enum join_sight seen, struct error *err)
{
    worker_kill(m->mover);
    m->dest_is_mute = seen == JOIN_IS_MUTE;
    error_set(err, ERROR_TIMEOUT, m->survey.dest_host, "the halves of the guest could not be joined");
    return error_why(err, "nothing of its memory came for %u s", JOIN_STILL_MS / 1000u);
}

/* Until libvirt's call is over, which has no end of its own where QEMU there does not answer. */
static int watch_joining(struct move *m, struct call *call, struct error *err)
{
    joining_begin(&m->joining, loop_now_ms());
    for (uint64_t looked_ms = loop_now_ms(); !call_is_over(call);) {
        enum join_sight seen;

        if (loop_step(m->loop, STEP_MS, err) < 0)
            return -err->code;
        if (call_is_over(call) || loop_now_ms() - looked_ms < LOOK_MS)
            continue;
        seen = see_joining(m);
        looked_ms = loop_now_ms();
        if (seen != JOIN_GOES_ON)
            return give_up_joining(m, seen, err);
        say_still(m);
    }
    return call_wait(call, NULL, err);
}

static int ask(struct move *m, struct error *err)
{
    OWNED(call) call = NULL;
    int r;

    if (mover_anew(m, err) < 0 || !(call = worker_ask(m->mover, "migrate", args_of(m), 0, err)))
        return -err->code;
    (void)loop_waits_for(m->loop, "the rest of the guest's memory");
    r = watch_joining(m, call, err);
    (void)loop_waits_for(m->loop, "");
    return r;
}

int postcopy_resume(struct move *m, struct error *err)
{
    int r;

    if (move_record(m, "postcopy-resume", NULL, err) < 0)
        return -err->code;
    r = ask(m, err);
    worker_kill(m->mover);
    worker_free(m->mover);
    m->mover = NULL;
    if (r == 0)
        return move_record(m, "migrated", NULL, err);
    log_event("run", "resume", "%s: %s", err->what, err->why);
    return r;
}
