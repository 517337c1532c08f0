/* SPDX-License-Identifier: Apache-2.0
 * The new places of disks: which disks go, and what the source's host sees where they shall go. */
#include "relocation/relocation.h"

#include "facts/json.h"
#include "facts/location.h"

static bool is_wished(const struct relocation_wish *wish, const struct disk *d)
{
    for (size_t i = 0; i < wish->disks.n; i++)
        if (text_equal(wish->disks.names[i], d->target))
            return true;
    return wish->disks.n == 0 && disk_is_writable(d);
}

/* Before a move, what both hosts reach already has no reason to go. */
static bool is_to_go(const struct move *m, const struct disk *d)
{
    return is_wished(m->wish, d) && !(m->survey.destination && d->sharing == SHARING_PROVED);
}

static int check_wishes(const struct move *m, struct error *err)
{
    const struct relocation_wish *wish = m->wish;

    for (size_t i = 0; i < wish->disks.n; i++)
        if (!facts_disk(m->facts, wish->disks.names[i])) {
            error_set(err, ERROR_USAGE, NULL, "domain '%s' has no disk '%s'", m->facts->domain.name,
                      ESCAPED(wish->disks.names[i]));
            return error_fix(err, "See its disks: virsh domblklist DOMAIN.");
        }
    return 0;
}

int relocation_survey(struct move *m, struct error *err)
{
    const struct relocation_wish *wish = m->wish;
    OWNED_JSON reply = NULL;
    json_t *wishes = json_array();
    struct facts *seen;

    for (size_t i = 0; wishes && i < m->facts->domain.n_disks; i++)
        if (is_to_go(m, &m->facts->domain.disks[i]))
            (void)json_array_append_new(wishes,
                                        json_pack("{ss ss ss*}", "target", m->facts->domain.disks[i].target,
                                                  "to", wish->to, "format", wish->format));
    if (check_wishes(m, err) < 0) {
        json_decref(wishes);
        return -err->code;
    }
    worker_journal_to(m->survey.source, move_record_for_worker, m);
    if (worker_do(m->survey.source, "survey-relocation",
                  json_pack("{so so}", "facts", facts_to_json(m->facts), "wishes", wishes), SURVEY_DISKS_MS,
                  &reply, err) < 0)
        return -err->code;
    seen = facts_from_json(json_child(reply, "facts"), err);
    if (!seen)
        return -err->code;
    /* What drivers say of a place that need not be taken is in no other strategy's way. */
    if (m->survey.destination)
        seen->findings.n = m->facts->findings.n;
    facts_free(m->facts);
    m->facts = m->result->facts = seen;
    return m->survey.destination ? relocation_reach(m, err) : 0;
}

const char *relocation_place(struct arena *a, const struct disk *d)
{
    const struct location l = location_of_disk(d);
    const char *text = location_text(a, &l);

    return text ? text : "?";
}
