/* SPDX-License-Identifier: Apache-2.0
 * Word tables of the model's enums, for the folder's own use; others have facts/json.h.
 * No allocation, nothing can fail. */
#ifndef FACTS_WORDS_H
#define FACTS_WORDS_H

#include "facts/json.h"

struct words {
    const char *const *list;
    size_t n;
    int first;   /* the value of list[0], and of an absent word */
    int strange; /* the value of a word that stands in no table: a newer writer, or a hostile one */
};
extern const struct words words_disk_type, words_disk_device, words_sharing, words_severity, words_run,
    words_tristate, words_map_kind;

const char *words_say(const struct words *w, int value);
int words_read(const struct words *w, const char *word); /* NULL reads as the first */

#endif
