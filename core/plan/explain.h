/* SPDX-License-Identifier: Apache-2.0
 * Pieces of the explanation that stand apart: spans of time, and text wrapped to the width of a page.
 * For core/plan, and for a command that shows findings without their plan. */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "plan/plan.h"

#define EXPLAIN_COLUMNS 80u

/* "1.1-4.3 s" from low and high, "?" where the high figure is the model's largest. Returns buf. */
const char *explain_span(char *buf, size_t size, const struct estimate *ms);
/* "0.1 s": the likely one, to a tenth of its unit. */
const char *explain_likely(char *buf, size_t size, const struct estimate *ms);

/* "in the clear"; "control encrypted, data in the clear". Returns buf, for which 64 bytes are enough. */
const char *explain_protection(char *buf, size_t size, const struct channel *c);
/* In characters, not bytes. */
size_t explain_width(const char *s);

/* Adds s word by word, lines no wider than EXPLAIN_COLUMNS, every line after the first indented. column is
 * where the first line stands already. A word that is wider than a line is broken. */
void explain_wrapped(struct text *out, const char *s, size_t column, size_t indent);

/* The table of all strategies, and a line for each channel. */
void explain_table(const struct plan *p, bool colour, struct text *out);

#endif
