/* SPDX-License-Identifier: Apache-2.0
 * Findings of several lists as one: each once, the worst first; shown as text, as what to do on which host,
 * or as JSON. What `check` makes of a plan and of a pair of hosts. */
#ifndef CLI_GATHERED_H
#define CLI_GATHERED_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "facts/model.h"

/* Lent from where they were gathered. Zero-initialise. */
struct gathered {
    const struct finding **list;
    size_t n, size;
};
void gathered_done(struct gathered *g);
#define OWNED_GATHERED __attribute__((cleanup(gathered_done))) struct gathered
int gathered_add(struct gathered *g, const struct findings *from, struct error *err);
void gathered_sort(struct gathered *g);

void gathered_text(const struct gathered *g, struct text *out);
/* Each finding's fix under the host that it names; those of findings that skip says true for are left out
 * (NULL: none is). */
void gathered_fixes(const struct gathered *g, const struct facts *f, bool (*skip)(const struct finding *),
                    struct text *out);
json_t *gathered_json(const struct gathered *g, struct error *err); /* an array */

#endif
