/* SPDX-License-Identifier: Apache-2.0
 * A domain that is shut off on another machine: nothing of ours can lock its images there, and its QEMU can.
 * So that is started, paused, copies as it does for a guest that runs, and is ended. The guest itself
 * executes nothing; recovery/undo.c has the way back. */
#include "relocation/relocation.h"

#define START_MS 60000u
#define END_MS 30000u

bool stand_in_is_needed(const struct move *m)
{
    const struct host *h = &m->facts->source;

    return m->facts->domain.run == RUN_SHUTOFF && h->uri && !facts_is_here(h);
}

int stand_in_begin(struct move *m, struct error *err)
{
    struct error failed = { 0 };

    move_say(m,
             "domain '%s' is shut off: its QEMU is started on '%s', paused, copies, and is ended; the guest "
             "itself does not run",
             m->name, m->survey.source_host);
    if (move_record(m, "start-paused", NULL, err) < 0)
        return -err->code;
    if (worker_do(m->survey.source, "start-paused", json_pack("{ss}", "uuid", m->uuid), START_MS, NULL,
                  err) == 0)
        return 0;
    /* Whoever was faster, it is theirs. */
    if (err->code == ERROR_STALE && move_record(m, "started-by-others", NULL, &failed) < 0)
        *err = failed;
    return -err->code;
}

int stand_in_end(struct move *m, struct error *err)
{
    if (!journal_last(m->journal, "start-paused"))
        return 0;
    return worker_do(
        m->survey.source, "destroy",
        json_pack("{ss s{ss ss}}", "uuid", m->uuid, "expect", "state", "paused", "reason", "user"), END_MS,
        NULL, err);
}
