/* SPDX-License-Identifier: Apache-2.0
 * Everything that must stand before libvirt is asked: images, the domain's settings, the mover and its gate.
 * Each act is journalled before it is done; undo.c has the way back of each. */
#include "run/move.h"

#include "base/log.h"
#include "facts/json.h"
#include "verbs/verbs.h"
#include "worker/sockets.h"
#include <string.h>

#define CREATE_MS 60000u

/* QEMU will write over it: nothing is made, and nothing can be taken back. */
static int note_overwritten(struct move *m, const struct disk *d, struct error *err)
{
    return move_record(m, "overwrite",
                       json_pack("{ss ss ss}", "host", m->survey.dest_host, "target", d->target, "place",
                                 disk_dest_source(d)),
                       err);
}

int prepare_images(struct move *m, struct error *err)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i];
        json_t *args;

        if (!treatment_copies(m->strategy->disks[i]) || m->is_offline)
            continue;
        if (disk_is_device(d) && d->at_dest.present == TRI_YES) {
            if (note_overwritten(m, d, err) < 0)
                return -err->code;
            if (!disk_is_in_device(d))
                continue;
        }
        args = json_pack("{so ss sb sb}", "facts", facts_to_json(m->facts), "target", d->target, "on_base",
                         (int)treatment_rests(m->strategy->disks[i]), "onto",
                         (int)(disk_is_device(d) && d->at_dest.present == TRI_YES));
        if (worker_do(m->survey.destination, "image-create", args, CREATE_MS, NULL, err) < 0)
            return error_while(err, "creating the image of disk '%s'", d->target);
    }
    return 0;
}

/* It goes with the way, whatever becomes of this run: there is nothing to journal. */
int prepare_data(struct move *m, struct error *err)
{
    return m->is_offline ? 0 : survey_open_data(&m->survey, m->strategy->channel, err);
}

int prepare_domain(struct move *m, struct error *err)
{
    uint64_t wanted = m->o->limits.max_downtime_ms;

    if (m->autostart) {
        if (move_record(m, "autostart-off", NULL, err) < 0 ||
            worker_do(m->survey.source, "autostart", json_pack("{ss sb}", "uuid", m->uuid, "on", 0),
                      ANSWER_MS, NULL, err) < 0)
            return -err->code;
    }
    if (wanted != NOT_KNOWN && !m->is_offline) {
        uint64_t old = m->facts->domain.max_downtime_ms;

        if (move_record(m, "max-downtime",
                        json_pack("{sI sI}", "wanted_ms", (json_int_t)wanted, "old_ms",
                                  (json_int_t)(old == NOT_KNOWN ? 300u : old)),
                        err) < 0 ||
            worker_do(m->survey.source, "max-downtime",
                      json_pack("{ss sI}", "uuid", m->uuid, "ms", (json_int_t)wanted), ANSWER_MS, NULL,
                      err) < 0)
            return -err->code;
    }
    return 0;
}

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

void prepare_mover_early(struct move *m)
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

int prepare_mover(struct move *m, struct error *err)
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

int prepare_mover_again(struct move *m, struct error *err)
{
    OWNED(call) opening = NULL;

    forget_mover(m);
    opening = ask_to_open(m, m->survey.dest_uri, err);
    return opening ? call_wait(opening, NULL, err) : -err->code;
}
