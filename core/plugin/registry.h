/* SPDX-License-Identifier: Apache-2.0
 * Loads plugins, refuses what cannot be trusted or does not keep the contract, and lists both.
 * The one global mutable state of the house; loaded once, before any worker is forked, then only read. */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include "base/error.h"
#include "plugin/virt-ferry-plugin.h"
#include <stddef.h>

struct plugin_entry {
    char *path;
    char *refused;                 /* why it was not loaded, NULL = loaded */
    struct ferry_plugin plugin;    /* the copy of the smaller size; names "" when refused */
    struct ferry_storage *storage; /* copies, completed with zeroes */
    size_t n_storage;
    struct ferry_transport *transports;
    size_t n_transports;
    void *handle;
};

/* Folders in order, colon-separated; NULL = VIRT_FERRY_PLUGIN_PATH, else the installed one. A folder that is
 * missing is empty. Only lack of memory fails. */
int registry_load(const char *path, struct error *err);
void registry_unload(void);

size_t registry_count(void);
const struct plugin_entry *registry_at(size_t i);           /* sorted by file name */
const struct plugin_entry *registry_find(const char *name); /* NULL when none is loaded */
const struct ferry_storage *registry_storage(const char *driver, const struct plugin_entry **ret_owner);
const struct ferry_transport *registry_transport(const char *driver, const struct plugin_entry **ret_owner);
const struct ferry_transport *registry_transport_for_scheme(const char *scheme,
                                                            const struct plugin_entry **ret_owner);

#endif
