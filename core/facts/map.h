/* SPDX-License-Identifier: Apache-2.0
 * Maps: names and folders that the destination has under other names. Parsed and checked here, whoever gives
 * them; applied to facts before the destination is asked, and to the domain's XML on its way there. */
#ifndef FACTS_MAP_H
#define FACTS_MAP_H

#include "base/error.h"
#include "base/json.h"
#include "facts/model.h"

#define MAP_MOST 64u /* maps of one move */

/* "FROM=TO": of storage both are locations (facts/location.h) of one kind; a word alone is a pool's name. The
 * first '=' parts them, but for one that is written '\='; '\\' is a backslash, both in FROM alone.
 * ERROR_USAGE with a fix, for whatever cannot stand in a domain's XML or names no place by itself. */
int map_parse(enum map_kind kind, const char *text, struct arena *a, struct map *ret, struct error *err);
/* Adds one that map_parse or map_check let through; refuses two for one FROM. */
int map_add(struct arena *a, struct map **list, size_t *n, const struct map *m, struct error *err);

json_t *maps_to_json(const struct map *maps, size_t n);
/* Checks each as if it had been typed. j NULL: none. */
int maps_from_json(const json_t *j, struct arena *a, struct map **ret, size_t *ret_n, struct error *err);

/* The map that is for a bridge, network or device; NULL: none is. Marks no use. */
const struct map *map_for_name(const struct map *maps, size_t n, const char *name);
/* The same of a path or another location: the map whose FROM it is, or the longest that is above it. One with
 * a component '..' is in no folder that its text shows, so that none is for it. */
const struct map *map_for_path(const struct map *maps, size_t n, const char *path);
/* What comes behind FROM in a path that the map is for: "" or "/…". */
const char *map_rest(const struct map *m, const char *path);
/* The location at the destination, on a; itself where no map is for it. */
const char *map_path(struct arena *a, const struct map *maps, size_t n, const char *path);

/* The one that is for a disk's image, of the facts' own; NULL: none is. */
const struct map *map_for_disk(const struct facts *f, struct arena *a, const struct disk *d);

/* Writes into f what the destination calls everything, and which map was used. What was seen there of
 * another name is forgotten. No maps: f stays as it is. */
int maps_apply(struct facts *f, const struct map *maps, size_t n, struct error *err);

/* malloc'ed: the domain's XML for the destination, and how many names were changed in it. Nothing else is.
 * May hold secrets (SECURE): the caller wipes it. */
char *domain_xml_mapped(const char *xml, const struct map *maps, size_t n, size_t *ret_changed,
                        struct error *err);

#endif
