/* SPDX-License-Identifier: Apache-2.0
 * A paused domain on the source has the file open, and one at the destination must be refused it. */
#include "host/lock.h"

#include "base/json.h"
#include <stdio.h>

#define LOCK_MS 30000u /* QEMU is started; the first one of a host is asked for all that it can */

static json_t *args_of(const struct facts *f, const char *path)
{
    const struct domain *d = &f->domain;

    return json_pack("{ss ss ss}", "path", path, "type", d->type ? d->type : "qemu", "arch",
                     d->arch ? d->arch : "x86_64");
}

static void gap(struct lock_probe *p, const struct error *err)
{
    p->proved = TRI_NOT_KNOWN;
    error_line(err, p->evidence, sizeof p->evidence);
}

int lock_try(const struct facts *f, struct worker *source, struct worker *dest, struct lock_probe *p,
             struct error *err)
{
    struct error failed = { 0 };
    OWNED_JSON held = NULL;
    OWNED_JSON tried = NULL;
    bool is_refused;

    if (worker_do(source, "lock-hold", args_of(f, p->path), LOCK_MS, &held, &failed) < 0) {
        gap(p, &failed);
        return 0;
    }
    if (worker_do(dest, "lock-try", args_of(f, p->path_there), LOCK_MS, &tried, &failed) < 0) {
        gap(p, &failed);
    } else {
        is_refused = json_flag(tried, "is_refused", false);
        p->proved = is_refused ? TRI_YES : TRI_NO;
        (void)snprintf(p->evidence, sizeof p->evidence,
                       is_refused ? "'%s' was refused a file there that a domain on '%s' had open"
                                  : "'%s' could open a file there that a domain on '%s' had open",
                       worker_host(dest), worker_host(source));
    }
    return worker_do(source, "lock-release", json_pack("{ss}", "name", json_text(held, "name", "")), LOCK_MS,
                     NULL, err);
}
