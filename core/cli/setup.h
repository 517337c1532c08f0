/* SPDX-License-Identifier: Apache-2.0
 * Findings about two hosts into the commands of contrib/host-setup that mend them, each for the host where it
 * is to be typed. Executes nothing. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/gathered.h"

#define SETUP_PROGRAM "virt-ferry-host-setup" /* as it is installed */

struct setup_command {
    const char *host; /* lent from the facts */
    const char *line; /* on the arena; a shell takes every word of it for one */
};
struct setup {
    struct arena *arena;
    struct setup_command *list;
    size_t n;
};

/* Commands in the order in which they are to be typed. Lack of memory: arena_failed. */
void setup_make(const struct gathered *g, const struct facts *f, struct arena *arena, struct setup *ret);
/* One of the commands mends it. */
bool setup_mends(const struct finding *f);
void setup_text(const struct setup *s, struct text *out);
json_t *setup_json(const struct setup *s); /* an array; NULL without memory */

#endif
