/* SPDX-License-Identifier: Apache-2.0
 * A relocation before a move: the disks that the chosen strategy relocates go to storage of both hosts,
 * proved on the empty image before anything is copied; then all is surveyed and planned anew, as for any
 * guest there.
 */
#include "run/relocation.h"

#include "base/log.h"
#include "facts/json.h"
#include "host/proof.h"

/* The new image as if the guest had it already, and no other disk. */
static struct facts *as_disk(const json_t *seen, const char *target, struct error *err)
{
    OWNED(facts) f = facts_from_json(seen, err);
    struct disk *d = f ? facts_disk(f, target) : NULL;
    struct disk image;

    if (!f)
        return NULL;
    if (!d || d->n_relocations == 0) {
        error_set(err, ERROR_INPUT, NULL, "disk '%s' has no place to go to", target);
        return NULL;
    }
    image = d->relocation[0];
    image.bus = d->bus;
    image.device = d->device;
    image.at_source = image.at_dest;
    disk_forget_dest(&image);
    f->domain.disks[0] = image;
    f->domain.n_disks = 1;
    return HAND_OVER(f);
}

int relocation_prove(struct move *m, const struct disk *d, const json_t *seen, struct error *err)
{
    OWNED(facts) f = as_disk(seen, d->target, err);
    OWNED(facts) both = NULL;
    OWNED_JSON reply = NULL;
    const struct disk *image;

    if (!f)
        return -err->code;
    worker_journal_to(m->survey.destination, move_record_for_worker, m);
    if (worker_do(m->survey.destination, "survey-disks", json_pack("{so}", "facts", facts_to_json(f)),
                  SURVEY_DISKS_MS, &reply, err) < 0)
        return -err->code;
    both = facts_from_json(json_child(reply, "facts"), err);
    if (!both || proof_of_sharing(both, m->survey.source, m->survey.destination, err) < 0)
        return -err->code;
    image = facts_disk(both, d->target);
    if (image && image->sharing == SHARING_PROVED)
        return 0;
    error_set(err, ERROR_REFUSED, m->survey.dest_host,
              "the new place of disk '%s' is not proved to be reached by both hosts", d->target);
    error_why(err, "%s",
              image && image->sharing_evidence ? image->sharing_evidence : "no evidence was found");
    return error_fix(err,
                     "Name another location with --relocate-to, or leave it out: the disk is copied then.");
}

bool relocation_is_first(const struct move *m)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++)
        if (m->strategy->disks[i] == TREAT_RELOCATE)
            return true;
    return false;
}

int relocation_first(struct move *m, struct error *err)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++)
        if (m->strategy->disks[i] != TREAT_RELOCATE)
            m->facts->domain.disks[i].n_relocations = 0;
    loop_end_waits(m->loop, false);
    if (mark_still_ours(m, err) < 0 || relocation_carry(m, err) < 0)
        return -err->code;
    move_say(m, "the disks are at their new place, which both hosts reach; the guest follows");
    survey_domain_changed(&m->survey);
    m->strategy = NULL;
    m->result->strategy = NULL;
    plan_free(m->plan);
    facts_free(m->facts);
    m->plan = m->result->plan = NULL;
    m->facts = m->result->facts = NULL;
    return 0;
}
