/* SPDX-License-Identifier: Apache-2.0
 * What libvirt and QEMU say when a move fails, in an operator's words: what, where, the likely cause as the
 * facts show it, what to do. Pure: a table and the facts; the original text always stays below. */
#ifndef TRANSLATE_TRANSLATE_H
#define TRANSLATE_TRANSLATE_H

#include "base/error.h"
#include "base/text.h"
#include "facts/model.h"

enum translate_where { AT_EITHER, AT_SOURCE, AT_DEST };

struct translation {
    /* Pieces that stand in the text in this order, between '*'; without regard to case. */
    const char *pattern;
    const char *what;  /* one line, as in an error */
    const char *cause; /* a sentence: why it comes to this, whatever the facts */
    const char *fix;   /* whole sentences */
    enum translate_where where;
    bool is_of_postcopy; /* without post-copy it would not have come to this */
    /* What the facts say of it, a sentence added to out; false when they say nothing. NULL = none. */
    bool (*shown)(const struct facts *f, const char *text, struct text *out);
};
extern const struct translation translations[];
extern const size_t translations_n;

/* The first row that the text fits, NULL when none does. */
const struct translation *translate_find(const char *text);

/* Not translated yet: did the move fail because post-copy was wanted? */
bool translate_blames_postcopy(const struct error *err);

/* Puts an error of libvirt into the words of its row: what and fix are replaced, why keeps the original. f
 * may be NULL. false, and err as it was, when no row fits. */
bool translate_error(struct error *err, const struct facts *f);

#endif
