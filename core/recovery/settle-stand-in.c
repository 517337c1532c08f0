/* SPDX-License-Identifier: Apache-2.0
 * The QEMU that a relocation started, paused, for a domain that was shut off elsewhere: it is ended, at the
 * end and on the way back. One that somebody has resumed is theirs, paused again or not. */
#include "recovery/settle.h"

#define END_MS 30000u

int settle_stand_in(struct move *m, struct worker *source, struct error *err)
{
    /* libvirt may still be starting it, for one that did not wait. */
    static const char *const reasons[] = { "user", "starting-up" };

    if (!journal_last(m->journal, "start-paused") || journal_last(m->journal, "started-by-others"))
        return 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        *err = (struct error){ 0 };
        if (worker_do(source, "destroy",
                      json_pack("{ss s{ss ss sb}}", "uuid", m->uuid, "expect", "state", "paused", "reason",
                                reasons[i], "is_unused", i == 0),
                      END_MS, NULL, err) == 0)
            return 0;
        if (err->code != ERROR_STALE)
            return -err->code;
    }
    *err = (struct error){ 0 };
    move_say(m, "domain '%s' was started by somebody meanwhile, and is left as it is", m->name);
    return 0;
}
