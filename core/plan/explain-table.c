/* SPDX-License-Identifier: Apache-2.0
 * The table of all strategies in rank order, 80 columns by libsmartcols.
 * Long identifiers go on in the next line at a dash; nothing is cut. */
#include "plan/explain.h"
#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum column { STRATEGY, TIME, DOWNTIME, BYTES, PROTECTION, HAND, VERDICT, N_COLUMNS };

static const struct {
    const char *name;
    size_t width; /* of identifiers that go on in the next line, at least; 0 = whatever the text needs */
    int flags;
} columns[N_COLUMNS] = {
    [STRATEGY] = { "STRATEGY", 23, SCOLS_FL_WRAP },
    [TIME] = { "TIME", 0, SCOLS_FL_RIGHT },
    [DOWNTIME] = { "DOWNTIME", 0, SCOLS_FL_RIGHT },
    [BYTES] = { "BYTES", 0, SCOLS_FL_RIGHT },
    [PROTECTION] = { "DATA", 0, 0 },
    [HAND] = { "HAND", 0, 0 },
    [VERDICT] = { "VERDICT", 12, SCOLS_FL_WRAP },
};

static const char *protection_word(uint8_t protects)
{
    static const char *const words[] = { "clear", "signed", "cipher" };

    return words[protects < 2 ? protects : 2];
}

/* Breaks after dashes, so that no line is wider than width; a part that is wider by itself is broken too. */
static void add_broken(struct text *out, const char *s, size_t width)
{
    size_t column = 0;

    while (*s) {
        const size_t n = strcspn(s, "-"), with_dash = n + (s[n] == '-');
        const size_t part = with_dash < width ? with_dash : width;

        if (column && column + part > width) {
            text_add(out, "\n");
            column = 0;
        }
        text_add_bytes(out, s, part);
        column += part;
        s += part;
    }
}

/* What stands in a cell, before escaping; buf is for what has to be made. */
static const char *cell_text(const struct plan *p, const struct strategy *s, enum column column, char *buf,
                             size_t size)
{
    const struct finding *refuses;

    switch (column) {
    case STRATEGY:
        return s->id;
    case TIME:
        return explain_span(buf, size, &s->time_ms);
    case DOWNTIME:
        return explain_span(buf, size, &s->downtime_ms);
    case BYTES:
        return text_size(buf, size, s->bytes.likely);
    case PROTECTION:
        return protection_word(s->channel->protects_data);
    case HAND:
        return hand_over_word(s->hand_over);
    case VERDICT:
    case N_COLUMNS:
        break;
    }
    refuses = plan_refuses(p, s);
    if (refuses)
        return refuses->id;
    return s == plan_chosen(p) ? "chosen" : "valid";
}

/* What the other columns leave to the last one. */
static size_t verdict_width(const struct plan *p)
{
    size_t used = 0;

    for (enum column c = STRATEGY; c < VERDICT; c++) {
        size_t widest = strlen(columns[c].name);

        for (size_t i = 0; i < p->n; i++) {
            char buf[64];
            size_t width = strlen(ESCAPED(cell_text(p, &p->list[i], c, buf, sizeof buf)));

            if (columns[c].width && width > columns[c].width)
                width = columns[c].width;
            if (width > widest)
                widest = width;
        }
        used += widest + 1;
    }
    return used + columns[VERDICT].width < EXPLAIN_COLUMNS ? EXPLAIN_COLUMNS - used : columns[VERDICT].width;
}

static int fill(struct libscols_line *line, enum column column, const char *s, size_t width)
{
    OWNED_TEXT escaped = { 0 }, broken = { 0 };

    text_add_escaped(&escaped, s);
    if (width)
        add_broken(&broken, text_of(&escaped), width);
    else
        text_add(&broken, "%s", text_of(&escaped));
    if (escaped.failed || broken.failed)
        return -1;
    return scols_line_set_data(line, column, text_of(&broken));
}

static int add_row(struct libscols_table *table, const struct plan *p, const struct strategy *s,
                   size_t verdict, bool colour)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    int rc = line ? 0 : -1;

    if (line && colour && plan_refuses(p, s))
        (void)scols_line_set_color(line, "red");
    else if (line && colour && s == plan_chosen(p))
        (void)scols_line_set_color(line, "green");
    for (enum column c = STRATEGY; !rc && c < N_COLUMNS; c++) {
        char buf[64];

        rc = fill(line, c, cell_text(p, s, c, buf, sizeof buf), c == VERDICT ? verdict : columns[c].width);
    }
    return rc;
}

static struct libscols_table *table_new(bool colour)
{
    struct libscols_table *table = scols_new_table();

    if (!table)
        return NULL;
    (void)scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
    (void)scols_table_set_termwidth(table, EXPLAIN_COLUMNS);
    (void)scols_table_enable_colors(table, colour);
    /* What stands in a cell is escaped already, and would be once more. */
    (void)scols_table_enable_noencoding(table, 1);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        struct libscols_column *column = scols_table_new_column(table, columns[i].name, 0, columns[i].flags);

        if (!column || (columns[i].width && (scols_column_set_safechars(column, "\n") ||
                                             scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
                                                                       scols_wrapnl_nextchunk, NULL)))) {
            scols_unref_table(table);
            return NULL;
        }
    }
    return table;
}

void explain_table(const struct plan *p, bool colour, struct text *out)
{
    struct libscols_table *table = table_new(colour);
    OWNED_MEMORY char *printed = NULL;
    const size_t verdict = verdict_width(p);
    int rc = table ? 0 : -1;

    for (size_t i = 0; !rc && i < p->n; i++)
        rc = add_row(table, p, &p->list[i], verdict, colour);
    if (!rc)
        rc = scols_print_table_to_string(table, &printed);
    if (table)
        scols_unref_table(table);
    if (rc || !printed)
        out->failed = true;
    else
        text_add(out, "%s%s", printed, text_ends(printed, "\n") ? "" : "\n");
}
