/* SPDX-License-Identifier: Apache-2.0
 * The disks of a domain that is shut off and moves: libvirt moves its definition alone, so their images are
 * sent before, by the copy engine. The old ones are locked until the definition stands at the destination:
 * whoever starts the domain at the source meanwhile is refused. Nothing is decided here; up to the record
 * "migrate" all is undone. */
#include "run/copies.h"

#include "facts/json.h"

#define HOLD_MS 120000u
#define CREATE_MS 60000u

static json_t *args_of(const struct move *m, const struct disk *d)
{
    return json_pack("{so ss}", "facts", facts_to_json(m->facts), "target", d->target);
}

static int make(struct move *m, const struct disk *d, uint64_t bytes, struct error *err)
{
    json_t *args = args_of(m, d);

    if (!args || json_put_u64(args, "sent_bytes", bytes) < 0) {
        json_decref(args);
        return error_memory(err);
    }
    if (worker_do(m->survey.destination, "image-create", args, CREATE_MS, NULL, err) < 0)
        return error_while(err, "creating the image of disk '%s'", d->target);
    return 0;
}

static int send(struct copies *k, const struct disk *d, struct error *err)
{
    struct move *m = k->m;
    OWNED_JSON held = NULL;
    OWNED_JSON sent = NULL;

    copies_of(k, d->target);
    if (move_not_interrupted(m, err) < 0)
        return -err->code;
    if (worker_do(k->worker, "image-hold", args_of(m, d), HOLD_MS, &held, err) < 0 ||
        make(m, d, json_u64(held, "length_bytes", 0), err) < 0 ||
        move_record(m, "image-copy", json_pack("{ss ss}", "target", d->target, "place", disk_dest_source(d)),
                    err) < 0 ||
        worker_do(k->worker, "image-send", args_of(m, d), 0, &sent, err) < 0)
        return error_while(err, "copying the image of disk '%s'", d->target);
    if (!json_flag(sent, "is_synced", false))
        move_say(m,
                 "the new image of disk '%s' is left to the destination's page cache: nothing can be run "
                 "there that syncs it",
                 d->target);
    k->done += json_u64(sent, "written_bytes", 0);
    return 0;
}

static int send_all(struct move *m, struct error *err)
{
    struct copies k = { .m = m, .worker = m->copier };
    int r = 0;

    worker_journal_to(m->copier, copies_told, &k);
    for (size_t i = 0; r == 0 && i < m->facts->domain.n_disks; i++)
        if (treatment_copies(m->strategy->disks[i]))
            r = send(&k, &m->facts->domain.disks[i], err);
    worker_journal_to(m->copier, NULL, NULL);
    m->result->disk_bytes = k.done;
    return r;
}

static int read_definition(struct move *m, json_t **ret, struct error *err)
{
    return worker_do(m->survey.source, "definition-read",
                     json_pack("{ss so}", "uuid", m->uuid, "facts", facts_to_json(m->facts)), ANSWER_MS, ret,
                     err);
}

/* Another disk, or the same elsewhere, was not copied. */
static int is_still(struct move *m, const json_t *before, struct error *err)
{
    OWNED_JSON now = NULL;

    if (read_definition(m, &now, err) < 0)
        return -err->code;
    if (text_equal(json_text(before, "definition", ""), json_text(now, "definition", NULL)))
        return 0;
    error_set(err, ERROR_FAILED, m->survey.source_host, "the definition of '%s' was changed meanwhile",
              m->name);
    return error_fix(err, "See what it is now, then run the same command again.");
}

int offline_send(struct move *m, struct error *err)
{
    OWNED_JSON before = NULL;
    int r;

    if (!m->is_offline || !copies_disks(m))
        return 0;
    m->copier = survey_fresh(&m->survey, true, err);
    r = !m->copier || read_definition(m, &before, err) < 0 || send_all(m, err) < 0 ||
                is_still(m, before, err) < 0
            ? -err->code
            : 0;
    /* Undoing removes what it may still have open. */
    if (r < 0) {
        worker_free(m->copier);
        m->copier = NULL;
    }
    return r;
}
