/* SPDX-License-Identifier: Apache-2.0
 * A domain that is shut off on another machine: nothing of ours can lock its images there, and its QEMU can.
 * So that is started, paused, copies as it does for a guest that runs, and is ended. The guest itself
 * executes nothing; recovery/settle-stand-in.c ends it. */
#include "relocation/relocation.h"

#define START_MS 60000u

bool stand_in_is_needed(const struct move *m)
{
    return facts_is_off_elsewhere(m->facts);
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
