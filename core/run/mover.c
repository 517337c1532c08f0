/* SPDX-License-Identifier: Apache-2.0
 * The mover as the parent has it: its process, its connections, and the gate before the source's. */
#include "run/move.h"

#include "base/log.h"
#include "verbs/verbs.h"
#include "worker/sockets.h"
#include <string.h>

static char *socket_of_source(struct move *m, struct error *err)
{
    const char *of_way = survey_source_socket(&m->survey);
    char *socket = of_way ? strdup(of_way) : gate_upstream(m->o->source_uri, err);

    if (!socket && of_way)
        error_memory(err);
    return socket;
}

static int open_gate(struct move *m, struct error *err)
{
    OWNED_MEMORY char *upstream = socket_of_source(m, err);
    char folder[SOCKETS_PATH_SIZE];

    if (!upstream)
        return -err->code;
    sockets_dir(folder, sizeof folder);
    m->gate = gate_open(m->loop, upstream, gate_is_session(m->o->source_uri), folder, err);
    return m->gate ? 0 : -err->code;
}

/* Asks the mover to connect; the gate, if any, is open. */
static struct call *ask_to_open(struct move *m, const char *dest_uri, struct error *err)
{
    struct worker_setup setup = { .host = m->survey.source_host,
                                  .verbs = verbs_mover,
                                  .config = m->o->config };
    OWNED_MEMORY char *uri = m->gate ? gate_uri(m->gate, err) : NULL;

    if (m->gate && !uri)
        return NULL;
    m->mover = worker_start(m->loop, &setup, err);
    if (!m->mover)
        return NULL;
    if (m->gate)
        gate_admit(m->gate, worker_pid(m->mover));
    return worker_ask(m->mover, "open",
                      json_pack("{ss ss ss ss*}", "source_uri",
                                survey_libvirt_uri(&m->survey, m->survey.source_uri), "dest_uri",
                                survey_libvirt_uri(&m->survey, dest_uri), "dest_host", m->survey.dest_host,
                                "gate_uri", uri),
                      2u * ANSWER_MS, err);
}

static void forget_mover(struct move *m)
{
    call_free(m->opening);
    if (m->mover)
        worker_kill(m->mover); /* it did nothing yet: no goodbye is worth waiting for */
    worker_free(m->mover);
    gate_free(m->gate);
    m->opening = NULL;
    m->mover = NULL;
    m->gate = NULL;
}

void mover_begin(struct move *m)
{
    struct error err = { 0 };

    if (!m->survey.dest_uri)
        return;
    /* Without a gate it may be the held hand-over that is chosen, which needs none. */
    if (open_gate(m, &err) < 0)
        log_event("run", "gate", "not open yet: %s", err.what);
    m->opening = ask_to_open(m, m->survey.dest_uri, &err);
    if (!m->opening)
        forget_mover(m);
}

int mover_open(struct move *m, struct error *err)
{
    const bool is_gated = m->strategy->hand_over == HAND_OVER_GATED;
    const char *dest_uri = m->strategy->channel->dest_uri;
    struct error failed = { 0 };
    OWNED(call) opening = NULL;

    if (m->opening && text_equal(dest_uri, m->survey.dest_uri) && is_gated == (m->gate != NULL) &&
        call_wait(m->opening, NULL, &failed) == 0) {
        call_free(m->opening);
        m->opening = NULL;
        return 0;
    }
    forget_mover(m);
    if (is_gated && open_gate(m, err) < 0)
        return -err->code;
    opening = ask_to_open(m, dest_uri, err);
    return opening ? call_wait(opening, NULL, err) : -err->code;
}

int mover_anew(struct move *m, struct error *err)
{
    OWNED(call) opening = NULL;

    forget_mover(m);
    opening = ask_to_open(m, m->survey.dest_uri, err);
    return opening ? call_wait(opening, NULL, err) : -err->code;
}
