/* SPDX-License-Identifier: Apache-2.0
 * What the disks of a running domain rest on, where that is kept: sent to the destination before libvirt is
 * asked. Nobody writes these files while QEMU has them open below an image, and they are locked from here on;
 * but a job can have put others in their place meanwhile, so the domain is looked at once more. */
#include "migration/steps.h"

#include "facts/json.h"
#include "run/transfer.h"

static bool has_chain(const struct move *m)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++)
        if (m->strategy->disks[i] == TREAT_CHAIN)
            return true;
    return false;
}

/* In what it rests on. */
static bool is_same_disk(const struct disk *a, const struct disk *b)
{
    if (!b || a->n_chain != b->n_chain || !text_equal(a->source, b->source))
        return false;
    for (size_t i = 0; i < a->n_chain; i++)
        if (!text_equal(a->chain[i].source, b->chain[i].source))
            return false;
    return true;
}

static int is_still(struct move *m, struct error *err)
{
    OWNED_JSON now = NULL;
    OWNED(facts) f = NULL;

    survey_domain_changed(&m->survey);
    if (survey_domain(&m->survey, &now, err) < 0 || !(f = facts_from_json(json_child(now, "facts"), err)))
        return -err->code;
    if (f->domain.job)
        return error_set(err, ERROR_FAILED, m->survey.source_host, "a job of '%s' was begun meanwhile: %s",
                         m->name, f->domain.job);
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i];

        if (!treatment_rests(m->strategy->disks[i]) || is_same_disk(d, facts_disk(f, d->target)))
            continue;
        error_set(err, ERROR_FAILED, m->survey.source_host, "what disk '%s' rests on was changed meanwhile",
                  d->target);
        return error_fix(err, "See what it is now, then run the same command again.");
    }
    return 0;
}

static int send_all(struct move *m, struct error *err)
{
    struct transfer t = { .m = m, .worker = m->sender };
    int r;

    worker_journal_to(m->sender, transfer_told, &t);
    r = transfer_send_chains(&t, err);
    worker_journal_to(m->sender, NULL, NULL);
    m->chains.bytes = t.done;
    return r;
}

int chain_send(struct move *m, struct error *err)
{
    const uint64_t began_ms = loop_now_ms();
    int r;

    if (m->is_offline || !has_chain(m))
        return 0;
    m->sender = survey_fresh(&m->survey, true, err);
    r = !m->sender || send_all(m, err) < 0 || is_still(m, err) < 0 ? -err->code : 0;
    m->chains.ms = loop_now_ms() - began_ms;
    /* Undoing removes what it may still have open. */
    if (r < 0) {
        worker_free(m->sender);
        m->sender = NULL;
    }
    return r;
}
