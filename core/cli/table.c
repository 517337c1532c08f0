/* SPDX-License-Identifier: Apache-2.0
 * Tables by libsmartcols. */
#include "cli/table.h"
#include "base/text.h"
#include <libsmartcols.h>

struct table {
    struct libscols_table *scols;
    size_t n_columns;
};

struct table *table_new(const char *const *headings, struct error *err)
{
    OWNED(table) t = calloc(1, sizeof *t);

    if (!t || !(t->scols = scols_new_table())) {
        error_memory(err);
        return NULL;
    }
    /* What is escaped already would be escaped again: the table's own form differs from ours. */
    (void)scols_table_enable_noencoding(t->scols, 1);
    for (; headings[t->n_columns]; t->n_columns++) {
        int flags = headings[t->n_columns + 1] ? 0 : SCOLS_FL_WRAP;

        if (!scols_table_new_column(t->scols, headings[t->n_columns], 0, flags)) {
            error_memory(err);
            return NULL;
        }
    }
    return HAND_OVER(t);
}

void table_free(struct table *t)
{
    if (!t)
        return;
    scols_unref_table(t->scols);
    free(t);
}

int table_add(struct table *t, const char *const *cells, struct error *err)
{
    struct libscols_line *line = scols_table_new_line(t->scols, NULL);

    if (!line)
        return error_memory(err);
    for (size_t i = 0; i < t->n_columns; i++) {
        OWNED_TEXT cell = { 0 };

        text_add_escaped(&cell, cells[i]);
        if (cell.failed || scols_line_set_data(line, i, text_of(&cell)) < 0)
            return error_memory(err);
    }
    return 0;
}

int table_print(struct table *t, struct error *err)
{
    return scols_print_table(t->scols) < 0 ? error_memory(err) : 0;
}
