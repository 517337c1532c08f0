/* SPDX-License-Identifier: Apache-2.0
 * After a failure, a cancel or a death of a relocation: is each disk in its old image or in its new one?
 * Where one has been switched over the others follow; where none has, all copies are ended. Nothing is
 * removed here. */
#include "recovery/settle.h"

#include "base/log.h"

#define ABORT_MS 30000u
#define PATIENCE_MS 20000u
#define PAUSE_MS 50u

static bool is_step(const json_t *record, const char *step)
{
    return text_equal(json_text(record, "step", ""), step);
}

bool settle_has(const struct move *m, const char *step, const char *target)
{
    const json_t *records = journal_records(m->journal), *one;
    size_t i;

    json_array_foreach(records, i, one) if (is_step(one, step) &&
                                            text_equal(json_text(one, "target", ""), target)) return true;
    return false;
}

bool settle_keeps(const struct move *m, const json_t *records, size_t i)
{
    const json_t *record = json_array_get(records, i);

    /* The pool through which it was made is none that a guest uses. */
    if (text_equal(json_text(record, "what", ""), "pool"))
        return false;
    while (i-- > 0) {
        const json_t *before = json_array_get(records, i);

        if (is_step(before, "relocation-image"))
            return journal_last(m->journal, "relocation-not-known") ||
                   settle_has(m, "pivoted", json_text(before, "target", ""));
        if (is_step(before, "relocated") || is_step(before, "begin") || is_step(before, "surveyed"))
            return false;
    }
    return false;
}

/* The copies that were begun since the last relocation that was seen to its end. */
static json_t *begun(const struct move *m)
{
    const json_t *records = journal_records(m->journal), *one;
    OWNED_JSON list = json_array();
    size_t i;

    json_array_foreach(records, i, one)
    {
        if (is_step(one, "relocated"))
            (void)json_array_clear(list);
        else if (is_step(one, "block-copy") && json_array_append(list, (json_t *)(uintptr_t)one) < 0)
            return NULL;
    }
    return list ? HAND_OVER(list) : NULL;
}

json_t *settle_look(struct move *m, struct worker *w, const json_t *disks, struct error *err)
{
    json_t *targets = json_array(), *seen = NULL;
    size_t i;
    const json_t *one;

    json_array_foreach(disks, i, one)(void)
        json_array_append_new(targets, json_string(json_text(one, "target", "")));
    return worker_do(w, "block-look", json_pack("{ss so}", "uuid", m->uuid, "targets", targets), ANSWER_MS,
                     &seen, err) < 0
               ? NULL
               : seen;
}

/* Is the disk in its new image: where the guest runs, or where its definition will start it. */
static bool is_moved(const json_t *seen, const json_t *disk, const json_t *copy)
{
    const char *at = json_text(disk, json_flag(seen, "is_active", false) ? "place" : "config_place", NULL);

    return at && text_equal(at, json_text(copy, "place", NULL));
}

static bool is_mirrored(const json_t *disk, const json_t *copy)
{
    const char *mirror = json_text(disk, "mirror", NULL);

    return mirror && (text_equal(mirror, json_text(copy, "name", NULL)) || mirror[0] == '?');
}

/* Writes down what was seen; *ret_moved: how many are in their new images. */
static int note_moved(struct move *m, const json_t *seen, const json_t *copies, size_t *ret_moved,
                      struct error *err)
{
    size_t i;
    const json_t *copy;

    *ret_moved = 0;
    json_array_foreach(copies, i, copy)
    {
        const json_t *disk = json_array_get(json_child(seen, "disks"), i);
        const char *target = json_text(copy, "target", "");

        if (!is_moved(seen, disk, copy))
            continue;
        ++*ret_moved;
        if (!settle_has(m, "pivoted", target) &&
            move_record(m, "pivoted", json_pack("{ss}", "target", target), err) < 0)
            return -err->code;
    }
    return 0;
}

/* One that cannot be switched over any more, since it is not ready, is ended: its disk stays in the old
 * image.
 */
static int end_copy(struct move *m, struct worker *w, const char *target, bool forward, struct error *err)
{
    struct error failed = { 0 };
    const char *verb = "block-pivot";

    if (forward && worker_do(w, verb, json_pack("{ss ss}", "uuid", m->uuid, "target", target), ABORT_MS, NULL,
                             &failed) == 0)
        return 0;
    if (failed.code == ERROR_TIMEOUT) {
        *err = failed;
        return -err->code;
    }
    verb = "block-abort";
    return worker_do(w, verb, json_pack("{ss ss}", "uuid", m->uuid, "target", target), ABORT_MS, NULL, err);
}

/* 1: something was ended, look again. */
static int end_copies(struct move *m, struct worker *w, const json_t *seen, const json_t *copies,
                      bool forward, struct error *err)
{
    int again = 0;
    size_t i;
    const json_t *copy;

    json_array_foreach(copies, i, copy)
    {
        const json_t *disk = json_array_get(json_child(seen, "disks"), i);

        if (!is_mirrored(disk, copy) && !json_flag(disk, "has_job", false))
            continue;
        if (end_copy(m, w, json_text(copy, "target", ""), forward, err) < 0)
            return -err->code;
        again = 1;
    }
    return again;
}

/* A guest that ended when the switch had been asked for may have written to its new images already, although
 * libvirt never heard of it: where no definition says that it was in the new one, nobody can say any more. */
static int not_known(struct move *m, const json_t *seen, const json_t *copies, struct error *err)
{
    size_t i;
    const json_t *copy;

    if (!journal_last(m->journal, "pivot"))
        return 0;
    if (!journal_last(m->journal, "relocation-not-known") &&
        move_record(m, "relocation-not-known", NULL, err) < 0)
        return -err->code;
    json_array_foreach(copies, i,
                       copy) if (!is_moved(seen, json_array_get(json_child(seen, "disks"), i), copy))
        move_problem(
            m,
            "domain '%s' ended in the middle of the switch: its newest writes to disk '%s' are at '%s' or at "
            "'%s'; both are left",
            m->name, json_text(copy, "target", ""), json_text(copy, "place", ""),
            json_text(copy, "old_place", ""));
    return 0;
}

static int settle_copies(struct move *m, struct worker *w, const json_t *copies, struct error *err)
{
    const uint64_t until = loop_now_ms() + PATIENCE_MS;

    for (;;) {
        OWNED_JSON seen = settle_look(m, w, copies, err);
        size_t n_moved;
        int r;

        if (!seen)
            return -err->code;
        if (!json_flag(seen, "present", false))
            return not_known(m, seen, copies, err);
        if (note_moved(m, seen, copies, &n_moved, err) < 0)
            return -err->code;
        if (!json_flag(seen, "is_active", false) && n_moved < json_array_size(copies))
            return not_known(m, seen, copies, err);
        r = end_copies(m, w, seen, copies, n_moved > 0, err);
        if (r <= 0)
            return r;
        if (loop_now_ms() > until)
            return error_set(err, ERROR_TIMEOUT, m->survey.source_host, "a copy of a disk does not end");
        loop_pause_ms(PAUSE_MS);
    }
}

int settle_disks(struct move *m, struct error *err)
{
    OWNED_JSON copies = m->journal ? begun(m) : json_array();
    OWNED(worker) w = NULL;

    if (!copies)
        return error_memory(err);
    if (json_array_size(copies) == 0)
        return 0;
    w = survey_fresh(&m->survey, false, err);
    return w ? settle_copies(m, w, copies, err) : -err->code;
}
