/* SPDX-License-Identifier: Apache-2.0
 * Post-copy that lost its link: each host keeps its half of the guest's memory, and QEMU can go on from where
 * it was as soon as the two reach each other. What that needs stands in the journal, so that a recovery can
 * do it too. */
#include "recovery/settle.h"

#include "base/log.h"

#define STEP_MS 20

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

bool postcopy_is_halved(const struct move *m)
{
    const struct sight *source = &m->sights[0];

    return source->was_heard && text_equal(source->state, "shutoff") &&
           !text_equal(source->reason, "migrated") && is_failed(&m->sights[1]);
}

static json_t *args_of(const struct move *m)
{
    const json_t *asked = journal_last(m->journal, "migrate");

    return json_pack("{ss ss ss sb sb ss* sO*}", "uuid", m->uuid, "data_uri",
                     json_text(asked, "data_uri", ""), "mode", "postcopy", "is_resume", 1, "is_peer_trusted",
                     (int)json_flag(asked, "is_peer_trusted", false), "listen_address",
                     json_text(asked, "listen_address", NULL), "parameters", json_child(asked, "parameters"));
}

static int ask(struct move *m, struct error *err)
{
    OWNED(call) call = NULL;
    int r = 0;

    if (mover_anew(m, err) < 0 || !(call = worker_ask(m->mover, "migrate", args_of(m), 0, err)))
        return -err->code;
    (void)loop_waits_for(m->loop, "the rest of the guest's memory");
    while (r == 0 && !call_is_over(call))
        r = loop_step(m->loop, STEP_MS, err);
    (void)loop_waits_for(m->loop, "");
    return r < 0 ? r : call_wait(call, NULL, err);
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
