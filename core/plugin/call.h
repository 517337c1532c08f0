/* SPDX-License-Identifier: Apache-2.0
 * A call into a driver: what the services of virt-ferry-plugin.h stand on in a worker.
 * Holds the error, the texts and the findings of one call, and the way to the journal. */
#ifndef PLUGIN_CALL_H
#define PLUGIN_CALL_H

#include "base/arena.h"
#include "base/error.h"
#include "facts/model.h"
#include "plugin/registry.h"

/* What a worker lends to the calls of its host; any member may be NULL (a service then fails or answers
 * nothing). config answers for one section and key. */
struct call_host {
    const char *host;
    void *libvirt;
    const char *(*config)(void *context, const char *section, const char *key);
    int (*journal)(void *context, const char *driver, const char *what, const char *place, const char *name,
                   const char *identity, struct error *err);
    void *context;
    int (*run)(void *context, struct ferry_command *command, struct error *err);
};

struct ferry_call {
    const struct call_host *host;
    const struct plugin_entry *plugin;
    const char *driver;
    const char *where; /* the target or host that findings are about */
    struct arena *texts;
    struct facts *findings_to; /* findings are added here; NULL = dropped */
    struct error *err;
    bool error_was_set;
};

extern const struct ferry_services call_services;

/* Begins and ends one call; the texts of a call live until call_done. */
int call_begin(struct ferry_call *call, const struct call_host *host, const struct plugin_entry *plugin,
               const char *driver, const char *where, struct facts *findings_to, struct error *err);
void call_done(struct ferry_call *call);
/* After a driver returned < 0: makes sure that the error says something, and returns its negative code. */
int call_failed(struct ferry_call *call, const char *doing);

/* The disk as a driver sees it; texts are lent from d. at_source: on the destination, what identifies the
 * image at the source, else NULL. */
struct ferry_disk call_disk(const struct disk *d, const char *at_source);
/* The driver with the highest claim on d, or NULL; *ret_owner its plugin. */
const struct ferry_storage *call_claim(const struct call_host *host, const struct disk *d,
                                       const char *at_source, const struct plugin_entry **ret_owner);

#endif
