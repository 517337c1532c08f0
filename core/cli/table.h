/* SPDX-License-Identifier: Apache-2.0
 * A table on stdout: as wide as its cells, cut to the terminal only in its last column.
 * Cells may come from outside; they are escaped here. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/error.h"
#include "base/owned.h"
#include <stddef.h>

struct table;

/* headings: ended by NULL, lent. */
struct table *table_new(const char *const *headings, struct error *err);
void table_free(struct table *t);
OWNED_DEFINE(table)

/* One cell for each heading; NULL is an empty cell. */
int table_add(struct table *t, const char *const *cells, struct error *err);
int table_print(struct table *t, struct error *err);

#endif
