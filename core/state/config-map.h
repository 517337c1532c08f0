/* SPDX-License-Identifier: Apache-2.0
 * The [map] sections of the configuration, whose keys are names that inih would cut or part at their colons.
 * Read line by line beside it; each is checked as one of the command line is. */
#ifndef STATE_CONFIG_MAP_H
#define STATE_CONFIG_MAP_H

#include "facts/map.h"

struct config_map {
    struct map map;            /* with its origin */
    const char *source, *dest; /* the hosts of "[map SOURCE DEST]"; NULL, NULL: of every pair */
};
struct config_maps {
    struct arena *arena;
    struct config_map *list;
    size_t n, first; /* those from first on are of the file in hand */
    /* While a file is read: */
    bool is_in;
    const char *source, *dest;
};

/* A line "[…]": is_in then says whether the lines below it are maps. */
int config_map_section(struct config_maps *c, const char *line, size_t n, const char *origin,
                       struct error *err);
/* "storage FROM = TO" or "network FROM = TO". One of an earlier file with the same FROM goes. */
int config_map_line(struct config_maps *c, const char *line, size_t n, const char *origin, struct error *err);

#endif
