/* SPDX-License-Identifier: Apache-2.0
 * One act upon the domain, over the connection that the newest look was made by, and never on what is too
 * old. */
#include "run/move.h"

#include "base/fault.h"
#include <stdio.h>

int move_act(struct move *m, bool is_dest, const char *step, const char *verb, struct error *err)
{
    const struct sight *s = &m->sights[is_dest];
    OWNED(worker) fresh = NULL;
    char done[64];

    if (move_record(m, step, NULL, err) < 0 || !(fresh = look_worker(m, is_dest, err)))
        return -err->code;
    if (fault_point("act"))
        return error_set(err, ERROR_FAILED, NULL, "step '%s' was not done: fault 'act'", step);
    /* The last moment before it: what was seen of the other host counts no longer after a stop. */
    if (look_is_stale(m))
        return error_set(err, ERROR_STALE, NULL, "what was seen is too old to act upon");
    if (worker_do(
            fresh, verb,
            json_pack("{ss s{ss ss}}", "uuid", m->uuid, "expect", "state", s->state, "reason", s->reason),
            ANSWER_MS * 2u, NULL, err) < 0)
        return -err->code;
    snprintf(done, sizeof done, "%s-done", step);
    return move_record(m, done, NULL, err);
}
