/* SPDX-License-Identifier: Apache-2.0
 * After a failure or a death in the relocation of a domain that is shut off: which of its disks does the
 * definition lead to? Nothing is removed or written here. */
#include "recovery/settle.h"

/* A write that was asked for by one who died is over by then. */
#define WRITTEN_BY_MS 1000u

static int settle_disk(struct move *m, const json_t *seen, const json_t *now, const json_t *disk,
                       struct error *err)
{
    const char *place = json_text(disk, "place", ""), *target = json_text(disk, "target", "");
    const bool is_active = json_flag(seen, "is_active", false);
    const bool is_defined = text_equal(json_text(now, "config_place", NULL), place);
    const bool is_live = is_active && text_equal(json_text(now, "place", NULL), place);

    if (!is_defined && !is_live)
        return 0;
    if (is_active && is_defined != is_live)
        move_problem(m,
                     "disk '%s' of domain '%s' runs in one image and is defined with the other: '%s', '%s'",
                     target, m->name, place, json_text(disk, "old_place", ""));
    return settle_has(m, "pivoted", target)
               ? 0
               : move_record(m, "pivoted", json_pack("{ss}", "target", target), err);
}

int settle_definition(struct move *m, struct error *err)
{
    const json_t *list = json_child(journal_last(m->journal, "definition"), "disks"), *one;
    OWNED(worker) w = NULL;
    OWNED_JSON seen = NULL;
    size_t i;

    if (journal_last(m->journal, "relocated"))
        return 0;
    if (!journal_last(m->journal, "definition-done"))
        loop_pause_ms(WRITTEN_BY_MS);
    w = survey_fresh(&m->survey, false, err);
    seen = w ? settle_look(m, w, list, err) : NULL;
    if (!seen)
        return -err->code;
    if (!json_flag(seen, "present", false)) {
        move_say(m, "domain '%s' is gone; both images of each of its disks are left", m->name);
        return journal_last(m->journal, "relocation-not-known")
                   ? 0
                   : move_record(m, "relocation-not-known", NULL, err);
    }
    json_array_foreach(list, i, one) if (settle_disk(m, seen, json_array_get(json_child(seen, "disks"), i),
                                                     one, err) < 0) return -err->code;
    return 0;
}
