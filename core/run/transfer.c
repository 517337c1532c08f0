/* SPDX-License-Identifier: Apache-2.0
 * The worker tells ten times a second, which is also when the user's wish to stop is heard. What is sent to
 * another host is made there first, journalled, and is held at the source until the worker ends. */
#include "run/transfer.h"

#include "facts/json.h"
#include "host/compare.h"
#include <string.h>

#define HOLD_MS 120000u
#define CREATE_MS 60000u
#define TRY_MS 10000u

void transfer_of(struct transfer *t, const char *target)
{
    t->began_ms = loop_now_ms();
    (void)snprintf(t->phase, sizeof t->phase, "copying disk '%.60s'", target);
}

static void report(const struct transfer *t, uint64_t done, uint64_t whole, uint64_t zeroes)
{
    const struct move *m = t->m;
    const uint64_t ms = loop_now_ms() - t->began_ms;
    const struct run_progress p = { .phase = t->phase,
                                    .elapsed_ms = loop_now_ms() - m->began_ms,
                                    .total_bytes = whole,
                                    .processed_bytes = done,
                                    .remaining_bytes = whole > done ? whole - done : 0,
                                    .bytes_per_s =
                                        ms > 0 ? (uint64_t)((double)done * 1000.0 / (double)ms) : NOT_KNOWN,
                                    .dirty_bytes_per_s = NOT_KNOWN,
                                    .pass = NOT_KNOWN,
                                    .zero_bytes = zeroes };

    if (m->o->progress && whole > 0)
        m->o->progress(m->o->context, &p);
}

int transfer_told(void *context, const json_t *record, struct error *err)
{
    struct transfer *t = context;

    if (loop_interrupts(t->m->loop) > 0)
        return error_set(err, ERROR_CANCELLED, NULL, "the copy was cancelled");
    if (!text_equal(json_text(record, "step", ""), "copied"))
        return move_record_for_worker(t->m, record, err);
    report(t, json_u64(record, "done_bytes", 0), json_u64(record, "whole_bytes", 0),
           json_u64(record, "zero_bytes", 0));
    return 0;
}

/* ---- to another host, through its libvirt ---- */

static json_t *args_of(const struct transfer *t, const struct disk *d, size_t layer)
{
    return json_pack("{so ss sI}", "facts", facts_to_json(t->m->facts), "target", d->target, "layer",
                     (json_int_t)layer);
}

static int make(struct transfer *t, json_t *args, uint64_t bytes, struct error *err)
{
    if (!args || json_put_u64(args, "sent_bytes", bytes) < 0) {
        json_decref(args);
        return error_memory(err);
    }
    return worker_do(t->m->survey.destination, "image-create", args, CREATE_MS, NULL, err);
}

static int fill(struct transfer *t, json_t *args, const char *verify, json_t **ret, struct error *err)
{
    if (!args || json_put_text(args, "verify", verify) < 0) {
        json_decref(args);
        return error_memory(err);
    }
    return worker_do(t->worker, "image-send", args, 0, ret, err);
}

int transfer_send(struct transfer *t, const struct disk *d, size_t layer, const char *verify,
                  struct error *err)
{
    struct move *m = t->m;
    const struct disk *image = layer ? &d->chain[layer - 1] : d;
    OWNED_JSON held = NULL;
    OWNED_JSON sent = NULL;

    transfer_of(t, d->target);
    if (move_not_interrupted(m, err) < 0)
        return -err->code;
    if (worker_do(t->worker, "image-hold", args_of(t, d, layer), HOLD_MS, &held, err) < 0 ||
        make(t, args_of(t, d, layer), json_u64(held, "length_bytes", 0), err) < 0 ||
        move_record(m, "image-copy",
                    json_pack("{ss ss}", "target", d->target, "place", disk_dest_source(image)), err) < 0 ||
        fill(t, args_of(t, d, layer), verify, &sent, err) < 0)
        return error_while(err, layer ? "copying what disk '%s' rests on" : "copying the image of disk '%s'",
                           d->target);
    if (!json_flag(sent, "is_synced", false))
        move_say(m, "'%s' is left to the destination's page cache: nothing can be run there that syncs it",
                 disk_dest_source(image));
    t->done += json_u64(sent, "written_bytes", 0);
    return 0;
}

/* ---- what a disk rests on ---- */

static bool can_run_there(struct move *m)
{
    struct error ignored = { 0 };

    return worker_do(m->survey.destination, "run",
                     json_pack("{s[s] sI}", "argv", "true", "timeout_ms", (json_int_t)TRY_MS),
                     TRY_MS + ANSWER_MS, NULL, &ignored) == 0;
}

/* The guest will read it as what it had: all of it is looked at, there by a program, or read back from there.
 */
static int send_layer(struct transfer *t, const struct disk *d, size_t layer, bool runs, struct error *err)
{
    const struct disk *file = &d->chain[layer - 1];
    char digest[COMPARE_DIGEST_SIZE];
    int equal;

    if (transfer_send(t, d, layer, runs ? "sampled" : "full", err) < 0)
        return -err->code;
    if (!runs)
        return 0;
    equal = compare_content(file, t->m->survey.source, t->m->survey.destination, digest, err);
    if (equal < 0)
        return error_while(err, "comparing what disk '%s' rests on", d->target);
    if (equal)
        return 0;
    error_set(err, ERROR_FAILED, t->m->survey.dest_host, "'%s' arrived there as something else",
              disk_dest_source(file));
    return error_fix(err, "Look at the storage of both hosts, then run the same command again.");
}

int transfer_send_chains(struct transfer *t, struct error *err)
{
    const struct domain *domain = &t->m->facts->domain;
    const enum treatment *disks = t->m->strategy->disks;
    bool was_tried = false, runs = false;

    for (size_t i = 0; i < domain->n_disks; i++)
        /* The lowest first: none names what is not there yet. */
        for (size_t l = domain->disks[i].n_chain; l-- > 0;) {
            if (!chain_sends(domain, disks, i, l))
                continue;
            runs = was_tried ? runs : can_run_there(t->m);
            was_tried = true;
            if (send_layer(t, &domain->disks[i], l + 1, runs, err) < 0)
                return -err->code;
        }
    return 0;
}
