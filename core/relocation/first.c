/* SPDX-License-Identifier: Apache-2.0
 * A relocation before a move: the disks that the chosen strategy relocates go to storage of both hosts,
 * proved on the empty image before anything is copied; then all is surveyed and planned anew, as for any
 * guest there.
 */
#include "relocation/relocation.h"

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
