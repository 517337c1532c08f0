/* SPDX-License-Identifier: Apache-2.0
 * Is QEMU's lock enforced between both hosts on a file that both see? Runs in the parent. */
#ifndef HOST_LOCK_H
#define HOST_LOCK_H

#include "facts/model.h"
#include "worker/worker.h"

/* One file, empty and of no use to anybody, by its path on the source and at the destination. */
struct lock_probe {
    const char *path, *path_there;
    enum tristate proved; /* TRI_NOT_KNOWN: it could not be tried, and evidence says why */
    char evidence[512];
};
/* Fails only where what it started may still be there. */
int lock_try(const struct facts *f, struct worker *source, struct worker *dest, struct lock_probe *p,
             struct error *err);

#endif
