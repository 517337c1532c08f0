/* SPDX-License-Identifier: Apache-2.0
 * The list of plugins, loaded and refused, and the ways to find a driver in it.
 * Owns the one global mutable state of the house; one plugin's file is load.c's, trust is trust.c's. */
#include "plugin/registry.h"
#include "base/owned.h"
#include "base/text.h"
#include "plugin/load.h"
#include "plugin/trust.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#ifndef FERRY_PLUGIN_DIR
#define FERRY_PLUGIN_DIR "/usr/local/lib/virt-ferry/plugins"
#endif

struct slot {
    struct plugin_entry entry;
    int fd;
};
static struct slot *slots;
static size_t n_slots;

static struct plugin_entry *add_slot(const char *folder, const char *name, struct error *err)
{
    struct slot *grown = realloc(slots, (n_slots + 1) * sizeof *slots);
    struct slot *s;

    if (!grown) {
        (void)error_memory(err);
        return NULL;
    }
    slots = grown;
    s = &slots[n_slots];
    *s = (struct slot){ .fd = -1 };
    if (asprintf(&s->entry.path, "%s%s%s", folder, name ? "/" : "", name ? name : "") < 0) {
        s->entry.path = NULL;
        (void)error_memory(err);
        return NULL;
    }
    n_slots++;
    return &s->entry;
}

static int refuse_folder(const char *folder, const char *why, struct error *err)
{
    struct plugin_entry *entry = add_slot(folder, NULL, err);

    return entry ? load_refuse(entry, err, "is not trusted: %s", why) : -err->code;
}

static const char *path_of(const struct plugin_entry *entry)
{
    return entry ? entry->path : "";
}

/* One name, one owner: which of two would be asked must not depend on the order of the folders. */
static int check_duplicates(struct plugin_entry *entry, struct error *err)
{
    const struct plugin_entry *owner = registry_find(entry->plugin.name);

    if (owner && owner != entry)
        return load_refuse(entry, err, "plugin '%s' was loaded already, from '%s'", entry->plugin.name,
                           owner->path);
    for (size_t i = 0; i < entry->n_storage; i++)
        if (registry_storage(entry->storage[i].name, &owner) != &entry->storage[i])
            return load_refuse(entry, err, "storage driver '%s' is there already, from '%s'",
                               entry->storage[i].name, path_of(owner));
    for (size_t i = 0; i < entry->n_transports; i++)
        if (registry_transport(entry->transports[i].name, &owner) != &entry->transports[i])
            return load_refuse(entry, err, "transport driver '%s' is there already, from '%s'",
                               entry->transports[i].name, path_of(owner));
    return 0;
}

static int load_file(const char *folder, const char *name, struct error *err)
{
    struct plugin_entry *entry = add_slot(folder, name, err);

    if (!entry || load_plugin(entry, &slots[n_slots - 1].fd, err) < 0)
        return -err->code;
    return entry->refused ? 0 : check_duplicates(entry, err);
}

static int is_object(const struct dirent *d)
{
    return d->d_name[0] != '.' && text_ends(d->d_name, ".so");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_folder(const char *folder, struct error *err)
{
    char why[PATH_MAX + 200];
    struct dirent **names = NULL;
    OWNED_FD fd = -1;
    int n;
    int result = 0;

    switch (trust_open(folder, TRUST_FOLDER, &fd, why, sizeof why)) {
    case TRUST_ABSENT:
        return 0;
    case TRUST_NO:
        return refuse_folder(folder, why, err);
    case TRUST_YES:
        break;
    }
    n = scandirat(fd, ".", &names, is_object, by_bytes);
    if (n < 0) {
        (void)snprintf(why, sizeof why, "'%s' could not be read: %m", folder);
        return refuse_folder(folder, why, err);
    }
    for (int i = 0; i < n; i++) {
        if (result == 0)
            result = load_file(folder, names[i]->d_name, err);
        free(names[i]);
    }
    free(names);
    return result;
}

int registry_load(const char *path, struct error *err)
{
    OWNED_MEMORY char *list = NULL;
    char *next;
    char *folder;

    if (!path || !*path)
        path = getenv("VIRT_FERRY_PLUGIN_PATH");
    registry_unload();
    list = next = strdup(path && *path ? path : FERRY_PLUGIN_DIR);
    if (!list)
        return error_memory(err);
    while ((folder = strsep(&next, ":")))
        if (*folder && load_folder(folder, err) < 0)
            return -err->code;
    return 0;
}

void registry_unload(void)
{
    while (n_slots > 0) {
        n_slots--;
        load_release(&slots[n_slots].entry, slots[n_slots].fd);
    }
    free(slots);
    slots = NULL;
}

size_t registry_count(void)
{
    return n_slots;
}

const struct plugin_entry *registry_at(size_t i)
{
    return i < n_slots ? &slots[i].entry : NULL;
}

const struct plugin_entry *registry_find(const char *name)
{
    for (size_t i = 0; slots && i < n_slots; i++)
        if (!slots[i].entry.refused && text_equal(slots[i].entry.plugin.name, name))
            return &slots[i].entry;
    return NULL;
}

const struct ferry_storage *registry_storage(const char *driver, const struct plugin_entry **ret_owner)
{
    for (size_t i = 0; slots && i < n_slots; i++)
        for (size_t j = 0; j < slots[i].entry.n_storage; j++)
            if (text_equal(slots[i].entry.storage[j].name, driver)) {
                if (ret_owner)
                    *ret_owner = &slots[i].entry;
                return &slots[i].entry.storage[j];
            }
    return NULL;
}

const struct ferry_transport *registry_transport(const char *driver, const struct plugin_entry **ret_owner)
{
    for (size_t i = 0; slots && i < n_slots; i++)
        for (size_t j = 0; j < slots[i].entry.n_transports; j++)
            if (text_equal(slots[i].entry.transports[j].name, driver)) {
                if (ret_owner)
                    *ret_owner = &slots[i].entry;
                return &slots[i].entry.transports[j];
            }
    return NULL;
}

const struct ferry_transport *registry_transport_for_scheme(const char *scheme,
                                                            const struct plugin_entry **ret_owner)
{
    for (size_t i = 0; slots && i < n_slots; i++)
        for (size_t j = 0; j < slots[i].entry.n_transports; j++)
            if (text_equal(slots[i].entry.transports[j].uri_scheme, scheme)) {
                if (ret_owner)
                    *ret_owner = &slots[i].entry;
                return &slots[i].entry.transports[j];
            }
    return NULL;
}
