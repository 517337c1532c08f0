/* SPDX-License-Identifier: Apache-2.0
 * Old images go when the guest was seen to be in the new ones, and nothing of the host names them. What is in
 * the way of that is a problem to name, never a reason to remove. A run that dies here leaves them. */
#include "relocation/relocation.h"

#include "facts/json.h"
#include <string.h>

#define RETIRE_MS 30000u
#define RELEASE_TRIES 20 /* a client of Ceph is seen for a moment after it has gone */
#define RELEASE_PAUSE_MS 250u

static json_t *args_of(const struct move *m, const struct disk *d, const char *identity)
{
    return json_pack("{so ss ss*}", "facts", facts_to_json(m->facts), "target", d->target, "identity",
                     identity);
}

static int note(struct move *m, const struct disk *d, struct error *err)
{
    struct finding_refs *list = &m->result->retired;
    const char **grown = arena_grown(m->facts->arena, list->names, list->n, sizeof *grown);

    if (!grown)
        return error_memory(err);
    list->names = grown;
    grown[list->n++] = d->target;
    return 0;
}

static int remove_image(struct move *m, const struct disk *d, const char *identity, bool *ret_left,
                        struct error *err)
{
    for (int i = 0;; i++) {
        OWNED_JSON reply = NULL;

        *err = (struct error){ 0 };
        if (worker_do(m->survey.source, "image-retire", args_of(m, d, identity), RETIRE_MS, &reply, err) ==
            0) {
            *ret_left = json_flag(reply, "left", false);
            return 0;
        }
        if (i >= RELEASE_TRIES || err->code == ERROR_TIMEOUT)
            return -err->code;
        loop_pause_ms(RELEASE_PAUSE_MS);
    }
}

static int retire(struct move *m, const struct disk *d, struct error *err)
{
    const char *identity = d->at_source.identity ? d->at_source.identity : d->at_source.file_id;
    OWNED_JSON reply = NULL;
    bool is_left = false;

    if (worker_do(m->survey.source, "image-users", args_of(m, d, NULL), RETIRE_MS, &reply, err) < 0)
        return -err->code;
    if (json_flag(reply, "is_used", true))
        return error_set(err, ERROR_REFUSED, m->survey.source_host, "a domain names it");
    if (move_record(m, "delete-source",
                    json_pack("{ss ss* ss}", "target", d->target, "place", d->source, "identity", identity),
                    err) < 0 ||
        remove_image(m, d, identity, &is_left, err) < 0)
        return -err->code;
    if (is_left)
        return error_set(err, ERROR_REFUSED, m->survey.source_host, "another image stands there now");
    return note(m, d, err);
}

void relocation_retire(struct move *m)
{
    /* The guest is where it should be, by all that was read: anything else was said. */
    if (m->result->problems.len > 0) {
        move_say(m, "the old images are left, for the problems that were found");
        return;
    }
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i];
        struct error err = { 0 };

        if (disk_relocation(d) && retire(m, d, &err) < 0)
            move_problem(m, "the old image of disk '%s' is left: %s%s%s", d->target, err.what,
                         err.why[0] ? ": " : "", err.why);
    }
}
