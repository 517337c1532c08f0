/* SPDX-License-Identifier: Apache-2.0
 * Disks to their new places while the guest runs: images made, copied by QEMU, and the guest switched over to
 * all of them at once. Each act stands in the journal before it is done; recovery/settle-disks.c has the way
 * back.
 */
#include "relocation/relocation.h"

#include "base/log.h"
#include "facts/json.h"
#include "relocation/watch.h"
#include <string.h>

#define CREATE_MS 60000u
#define BEGIN_MS 60000u /* QEMU opens the image, and first clears it */
#define PIVOT_MS 30000u
#define PIVOT_TRIES 100
#define PIVOT_PAUSE_MS 20u

/* ---- acts ---- */

static json_t *args_of(const struct move *m, const struct disk *d)
{
    return json_pack("{ss so ss}", "uuid", m->uuid, "facts", facts_to_json(m->facts), "target", d->target);
}

/* What the image's driver calls it, once it is there: after the switch QEMU must have that one open. */
static int note_identity(struct move *m, const struct disk *d, struct error *err)
{
    OWNED_JSON reply = NULL;

    if (worker_do(m->survey.source, "relocation-room", args_of(m, d), SURVEY_DISKS_MS, &reply, err) < 0 ||
        move_record(
            m, "relocation-image-done",
            json_pack("{ss ss*}", "target", d->target, "identity", json_text(reply, "identity", NULL)),
            err) < 0)
        return -err->code;
    return m->survey.destination ? relocation_prove(m, d, json_child(reply, "facts"), err) : 0;
}

static int make_image(struct move *m, const struct disk *d, struct error *err)
{
    const struct disk *to = disk_relocation(d);
    const char *place = relocation_place(m->facts->arena, to);

    if (disk_is_device(to) && to->at_dest.present == TRI_YES)
        return move_record(
            m, "overwrite",
            json_pack("{ss ss ss}", "host", m->survey.source_host, "target", d->target, "place", place), err);
    if (move_record(m, "relocation-image", json_pack("{ss ss}", "target", d->target, "place", place), err) <
        0)
        return -err->code;
    if (worker_do(m->survey.source, "relocation-create", args_of(m, d), CREATE_MS, NULL, err) < 0)
        return error_while(err, "creating the new image of disk '%s'", d->target);
    return note_identity(m, d, err);
}

static int begin_copy(struct move *m, const struct disk *d, struct error *err)
{
    const struct disk *to = disk_relocation(d);
    json_t *args = args_of(m, d);
    const uint64_t cap = m->o->limits.bandwidth_bytes_per_s;

    if (!args || json_put_flag(args, "is_synchronous", m->o->limits.synchronous_writes) < 0 ||
        (cap != NOT_KNOWN && json_put_u64(args, "bandwidth_bytes_per_s", cap) < 0)) {
        json_decref(args);
        return error_memory(err);
    }
    if (move_record(m, "block-copy",
                    json_pack("{ss ss ss ss}", "target", d->target, "place",
                              relocation_place(m->facts->arena, to), "name", to->source, "old_place",
                              relocation_place(m->facts->arena, d)),
                    err) < 0) {
        json_decref(args);
        return -err->code;
    }
    return worker_do(m->survey.source, "block-copy", args, BEGIN_MS, NULL, err);
}

static int pivot(struct move *m, const struct disk *d, struct error *err)
{
    for (int i = 0;; i++) {
        *err = (struct error){ 0 };
        if (worker_do(m->survey.source, "block-pivot",
                      json_pack("{ss ss}", "uuid", m->uuid, "target", d->target), PIVOT_MS, NULL, err) == 0)
            return move_record(m, "pivoted", json_pack("{ss}", "target", d->target), err);
        /* A worker that was killed is no more asked: what came of it is looked at. */
        if (i >= PIVOT_TRIES || err->code == ERROR_TIMEOUT)
            return -err->code;
        loop_pause_ms(PIVOT_PAUSE_MS);
    }
}

/* ---- all of it ---- */

static int copy_all(struct move *m, struct error *err)
{
    OWNED(relocation_watch) watch = relocation_watch_new(m, err);

    if (!watch)
        return -err->code;
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i];

        if (!disk_relocation(d))
            continue;
        if (move_not_interrupted(m, err) < 0 || make_image(m, d, err) < 0 || begin_copy(m, d, err) < 0 ||
            relocation_watch_until_ready(watch, d, err) < 0)
            return -err->code;
    }
    m->result->disk_bytes = relocation_watch_bytes(watch);
    return 0;
}

static int pivot_all(struct move *m, struct error *err)
{
    if (move_record(m, "pivot", NULL, err) < 0)
        return -err->code;
    for (size_t i = 0; i < m->facts->domain.n_disks; i++)
        if (disk_relocation(&m->facts->domain.disks[i]) && pivot(m, &m->facts->domain.disks[i], err) < 0)
            return -err->code;
    return 0;
}

static const char *identity_noted(const struct move *m, const char *target)
{
    const json_t *records = journal_records(m->journal), *one;
    const char *found = NULL;
    size_t i;

    json_array_foreach(records, i, one) if (text_equal(json_text(one, "step", ""), "relocation-image-done") &&
                                            text_equal(json_text(one, "target", ""), target)) found =
        json_text(one, "identity", NULL);
    return found;
}

/* The definition that libvirt keeps follows by itself; one that named another image before is its owner's. */
static void check_definition(struct move *m, const struct disk *d, const json_t *look, const char *place)
{
    const char *config = json_text(look, "config_place", NULL);

    if (m->is_persistent && !text_equal(config, place))
        move_problem(m,
                     "the persistent definition names '%s' for disk '%s', not '%s': mend it with virsh edit",
                     config ? config : "nothing", d->target, place);
}

static void check_image(struct move *m, const struct disk *d, const struct disk *now)
{
    const char *made = identity_noted(m, d->target);

    if (made && now->at_source.identity && !text_equal(made, now->at_source.identity))
        move_problem(m, "disk '%s' is not in the image that was made for it: '%s' instead of '%s'", d->target,
                     now->at_source.identity, made);
    if (now->at_source.is_open == TRI_NO)
        move_problem(m, "what stands at the new place of disk '%s' is not what QEMU has open", d->target);
    if (!text_equal(now->format, disk_relocation(d)->format))
        move_problem(m, "disk '%s' is used as %s, and was made as %s", d->target,
                     now->format ? now->format : "?", disk_relocation(d)->format);
}

/* Nothing of this is a reason to go back: the old image no longer has the guest's newest writes. */
static int verify(struct move *m, struct error *err)
{
    OWNED_JSON reply = NULL;
    OWNED_JSON look = NULL;
    OWNED(facts) now = NULL;
    json_t *targets = json_array();
    size_t k = 0;

    for (size_t i = 0; targets && i < m->facts->domain.n_disks; i++)
        if (disk_relocation(&m->facts->domain.disks[i]))
            (void)json_array_append_new(targets, json_string(m->facts->domain.disks[i].target));
    if (worker_do(m->survey.source, "block-look", json_pack("{ss so}", "uuid", m->uuid, "targets", targets),
                  ANSWER_MS, &look, err) < 0 ||
        worker_do(m->survey.source, "survey-domain", json_pack("{ss}", "domain", m->uuid), SURVEY_DISKS_MS,
                  &reply, err) < 0)
        return -err->code;
    now = facts_from_json(json_child(reply, "facts"), err);
    if (!now)
        return -err->code;
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i], *seen = facts_disk(now, d->target);
        const struct disk *to = disk_relocation(d);
        const char *place = to ? relocation_place(m->facts->arena, to) : NULL;
        const json_t *one = to ? json_array_get(json_child(look, "disks"), k++) : NULL;

        if (!to)
            continue;
        if (!seen || !text_equal(json_text(one, "place", NULL), place))
            return error_set(err, ERROR_NOT_KNOWN, m->survey.source_host, "disk '%s' is at '%s', not at '%s'",
                             d->target, json_text(one, "place", "?"), place);
        check_definition(m, d, one, place);
        check_image(m, d, seen);
    }
    return 0;
}

int relocation_carry(struct move *m, struct error *err)
{
    if (copy_all(m, err) < 0 || mark_still_ours(m, err) < 0 || move_not_interrupted(m, err) < 0)
        return -err->code;
    move_phase(m, "switch-over");
    if (pivot_all(m, err) < 0)
        return -err->code;
    move_phase(m, "verify");
    if (verify(m, err) < 0 || move_record(m, "relocated", NULL, err) < 0)
        return -err->code;
    m->result->was_relocated = true;
    return 0;
}
