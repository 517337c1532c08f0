/* SPDX-License-Identifier: Apache-2.0
 * Disks of a domain that is shut off to their new places: copied by the copy engine, which keeps the old
 * images locked as a QEMU would until the definition leads to the new ones. The writing of the definition is
 * the one moment that decides: before it all is undone, after it nothing is removed. */
#include "relocation/relocation.h"

#include "base/log.h"
#include "facts/json.h"
#include "run/transfer.h"
#include "verbs/verbs.h"

#define WRITE_MS 15000u

/* libvirt is there for Ceph's driver, which asks it for the key. */
static int start_worker(struct transfer *t, struct error *err)
{
    const struct worker_setup setup = { .host = t->m->survey.source_host,
                                        .verbs = verbs_copy,
                                        .config = t->m->o->config,
                                        .journal = transfer_told,
                                        .context = t };

    t->worker = worker_start(t->m->loop, &setup, err);
    if (!t->worker)
        return -err->code;
    return worker_do(t->worker, "connect", json_pack("{ss}", "uri", t->m->o->source_uri), ANSWER_MS, NULL,
                     err);
}

static int copy(struct transfer *t, const struct disk *d, struct error *err)
{
    struct move *m = t->m;
    const struct disk *to = disk_relocation(d);
    const bool is_onto = disk_is_device(to) && to->at_dest.present == TRI_YES;
    const char *place = relocation_place(m->facts->arena, to);
    const char *verify = m->wish->verify;
    OWNED_JSON reply = NULL;

    transfer_of(t, d->target);
    if (move_not_interrupted(m, err) < 0 ||
        move_record(
            m, is_onto ? "overwrite" : "relocation-image",
            json_pack("{ss ss ss}", "host", m->survey.source_host, "target", d->target, "place", place),
            err) < 0 ||
        move_record(m, "image-copy", json_pack("{ss ss}", "target", d->target, "place", place), err) < 0)
        return -err->code;
    if (worker_do(t->worker, "copy-disk",
                  json_pack("{so ss ss* sb}", "facts", facts_to_json(m->facts), "target", d->target, "verify",
                            verify, "overwrite", (int)is_onto),
                  0, &reply, err) < 0)
        return error_while(err, "copying the image of disk '%s'", d->target);
    t->done += json_u64(reply, "whole_bytes", 0);
    return 0;
}

static int copy_all(struct transfer *t, struct error *err)
{
    const struct domain *d = &t->m->facts->domain;

    if (start_worker(t, err) < 0)
        return -err->code;
    for (size_t i = 0; i < d->n_disks; i++)
        if (disk_relocation(&d->disks[i]) && copy(t, &d->disks[i], err) < 0)
            return -err->code;
    t->m->result->disk_bytes = t->done;
    return 0;
}

/* ---- the definition ---- */

static json_t *places(const struct move *m)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i], *to = disk_relocation(d);

        if (to)
            (void)json_array_append_new(list, json_pack("{ss ss ss}", "target", d->target, "place",
                                                        relocation_place(m->facts->arena, to), "old_place",
                                                        relocation_place(m->facts->arena, d)));
    }
    return list;
}

static json_t *args_of(const struct move *m, const char *definition)
{
    return json_pack("{ss so ss*}", "uuid", m->uuid, "facts", facts_to_json(m->facts), "definition",
                     definition);
}

static int note_moved(struct move *m, const json_t *list, struct error *err)
{
    size_t i;
    const json_t *one;

    json_array_foreach(
        list, i, one) if (move_record(m, "pivoted", json_pack("{ss}", "target", json_text(one, "target", "")),
                                      err) < 0) return -err->code;
    return 0;
}

static int write_definition(struct move *m, const json_t *before, struct error *err)
{
    OWNED_JSON reply = NULL;
    OWNED_JSON list = places(m);

    if (!list)
        return error_memory(err);
    if (move_record(m, "definition", json_pack("{sO}", "disks", list), err) < 0 ||
        worker_do(m->survey.source, "definition-write", args_of(m, json_text(before, "definition", "")),
                  WRITE_MS, &reply, err) < 0 ||
        note_moved(m, list, err) < 0 || move_record(m, "definition-done", NULL, err) < 0)
        return -err->code;
    if (json_flag(reply, "is_else_changed", true))
        move_problem(m,
                     "libvirt changed more of the definition of '%s' than the places of its disks: look at "
                     "it with virsh dumpxml --inactive",
                     m->name);
    return 0;
}

static int carry(struct transfer *t, struct error *err)
{
    struct move *m = t->m;
    OWNED_JSON before = NULL;

    if (worker_do(m->survey.source, "definition-read", args_of(m, NULL), ANSWER_MS, &before, err) < 0 ||
        copy_all(t, err) < 0 || mark_still_ours(m, err) < 0 || move_not_interrupted(m, err) < 0)
        return -err->code;
    move_phase(m, "switch-over");
    if (write_definition(m, before, err) < 0 || move_record(m, "relocated", NULL, err) < 0)
        return -err->code;
    m->result->was_relocated = true;
    return 0;
}

int relocation_off_carry(struct move *m, struct error *err)
{
    struct transfer t = { .m = m };
    int r = carry(&t, err);

    /* The old images are locked until here. */
    worker_free(t.worker);
    return r;
}
