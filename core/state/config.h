/* SPDX-License-Identifier: Apache-2.0
 * The settings: a system file, the user's own, and the environment, each over the one before it.
 * Every value remembers where it was set. The core's own keys are checked when they are read, so that asking
 * for one cannot fail; a section that bears a plugin's name is the plugin's, and free. */
#ifndef STATE_CONFIG_H
#define STATE_CONFIG_H

#include "base/error.h"
#include "base/owned.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef FERRY_CONF /* the Makefile gives the place */
#define FERRY_CONF "/etc/virt-ferry.conf"
#endif

struct config;

/* Reads VIRT_FERRY_CONF or else FERRY_CONF, then $XDG_CONFIG_HOME/virt-ferry.conf (or ~/.config/…),
 * then VIRT_FERRY_KEY of each of the core's keys that is of no
 * host. A file that is missing is empty; NULL with ERROR_USAGE,
 * naming file and line, for whatever cannot be accepted. */
struct config *config_load(struct error *err);
void config_free(struct config *c);
OWNED_DEFINE(config)

/* The value in force, or NULL. Lent. Of a key that stands on several lines, the first. */
const char *config_get(const struct config *c, const char *section, const char *key);
/* The same of the core's keys that are figures: ms, bytes per second, the last of a range of ports. */
uint64_t config_u64(const struct config *c, const char *section, const char *key, uint64_t absent);
/* "FILE:LINE" or "VIRT_FERRY_KEY in the environment"; NULL when it is not set. */
const char *config_origin(const struct config *c, const char *section, const char *key);

/* Does the address lie in one of the networks that [security] trusted_networks names? What is no numeric
 * address is not trusted. */
bool config_is_trusted(const struct config *c, const char *numeric_address);

/* Adds the maps that are for this pair of hosts, by the names that the user gave (NULL: none), then those for
 * every pair, but for one whose FROM is in the list already: the command line wins, and the pair over the
 * rest. */
struct arena;
struct map;
int config_add_maps(const struct config *c, const char *source, const char *dest, struct arena *a,
                    struct map **list, size_t *n, struct error *err);

/* All that is in force, in the order in which it was read. */
struct config_value {
    const char *section, *key, *value, *origin;
    uint64_t figure; /* as config_u64 */
};
size_t config_count(const struct config *c);
const struct config_value *config_at(const struct config *c, size_t i);

#endif
