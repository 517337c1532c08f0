/* SPDX-License-Identifier: Apache-2.0
 * Everything that must stand before libvirt is asked: images, the domain's settings, what the data goes
 * through. Each act is journalled before it is done; recovery/undo.c has the way back of each. */
#include "migration/steps.h"

#include "facts/json.h"

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
    return m->is_offline ? 0
                         : survey_open_data(&m->survey, m->strategy->channel, m->strategy->connections, err);
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
