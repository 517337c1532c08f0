/* SPDX-License-Identifier: Apache-2.0
 * Does a plugin keep the contract of virt-ferry-plugin.h? Its callbacks are tried in child processes, under
 * good and bad arguments, and each check is told as a sentence that holds or does not. */
#ifndef CONFORM_CONFORM_H
#define CONFORM_CONFORM_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct conform_line {
    bool is_ok;
    const char *sentence;
    const char *skipped;    /* why it was not tried, NULL = it was */
    const char *const *why; /* what was wrong, a line each; may hold any bytes that the plugin gave */
    size_t n_why;
};

/* Members but path and tell may be NULL. */
struct conform_ask {
    const char *path;     /* of the plugin's file */
    const char *location; /* where an image may be made and removed: a folder, nfs://SERVER/PATH, rbd:POOL */
    const char *(*config)(void *context, const char *section, const char *key);
    void *(*libvirt)(void *context); /* called in each child */
    void (*tell)(void *context, const struct conform_line *line);
    void *context;
    unsigned limit_ms; /* for each call instead of the contract's; 0 = that one */
};

/* Fails only where checking itself could not be done; what the plugin does wrong is told and counted. */
int conform_run(const struct conform_ask *ask, unsigned *ret_failed, struct error *err);

#endif
