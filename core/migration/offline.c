/* SPDX-License-Identifier: Apache-2.0
 * The disks of a domain that is shut off and moves: libvirt moves its definition alone, so their images are
 * sent before, by the copy engine. The old ones are locked until the definition stands at the destination:
 * whoever starts the domain at the source meanwhile is refused. Nothing is decided here; up to the record
 * "migrate" all is undone. */
#include "migration/steps.h"

#include "facts/json.h"
#include "run/transfer.h"

static int send_all(struct move *m, struct error *err)
{
    struct transfer t = { .m = m, .worker = m->sender };
    int r;

    worker_journal_to(m->sender, transfer_told, &t);
    r = transfer_send_chains(&t, err);
    for (size_t i = 0; r == 0 && i < m->facts->domain.n_disks; i++)
        if (treatment_copies(m->strategy->disks[i]))
            r = transfer_send(&t, &m->facts->domain.disks[i], 0, "sampled", err);
    worker_journal_to(m->sender, NULL, NULL);
    m->result->disk_bytes = t.done;
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

    if (!m->is_offline || !move_copies_disks(m))
        return 0;
    m->sender = survey_fresh(&m->survey, true, err);
    r = !m->sender || read_definition(m, &before, err) < 0 || send_all(m, err) < 0 ||
                is_still(m, before, err) < 0
            ? -err->code
            : 0;
    /* Undoing removes what it may still have open. */
    if (r < 0) {
        worker_free(m->sender);
        m->sender = NULL;
    }
    return r;
}
