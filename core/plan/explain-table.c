/* SPDX-License-Identifier: Apache-2.0
 * The table of all strategies in rank order, and the channels that they take, in 80 columns. What is too wide
 * for its column has a line of its own: an identifier stays in one piece, to be copied. */
#include "plan/explain.h"
#include "plan/planner.h"
#include <string.h>

enum column { STRATEGY, TIME, DOWNTIME, BYTES, VERDICT, N_COLUMNS };

static const char *const headings[N_COLUMNS] = {
    [STRATEGY] = "STRATEGY", [TIME] = "TIME",       [DOWNTIME] = "DOWNTIME",
    [BYTES] = "BYTES",       [VERDICT] = "VERDICT",
};

struct page {
    bool colour;
    size_t width[N_COLUMNS]; /* of the last one: what the others leave */
};
/* What stands in the cells of a row, escaped. */
struct row {
    char cell[N_COLUMNS][512];
};

static const char *verdict_of(const struct plan *p, const struct strategy *s)
{
    const struct finding *refuses = plan_refuses(p, s);

    if (refuses)
        return refuses->id;
    if (s == plan_chosen(p))
        return "chosen";
    return s < p->list + p->n_unasked ? "valid" : "if named";
}

static void row_make(const struct plan *p, const struct strategy *s, struct row *ret)
{
    (void)text_escape(ret->cell[STRATEGY], sizeof ret->cell[STRATEGY], s->id);
    (void)explain_span(ret->cell[TIME], sizeof ret->cell[TIME], &s->time_ms);
    (void)explain_span(ret->cell[DOWNTIME], sizeof ret->cell[DOWNTIME], &s->downtime_ms);
    (void)text_size(ret->cell[BYTES], sizeof ret->cell[BYTES], s->bytes.likely);
    (void)text_escape(ret->cell[VERDICT], sizeof ret->cell[VERDICT], verdict_of(p, s));
}

static void measure(const struct plan *p, struct page *page)
{
    const size_t least = strlen(headings[VERDICT]) + 1; /* with the gap before it */
    size_t left = EXPLAIN_COLUMNS;

    for (enum column c = STRATEGY; c < N_COLUMNS; c++)
        page->width[c] = strlen(headings[c]);
    for (size_t i = 0; i < p->n; i++) {
        struct row row = { 0 };

        row_make(p, &p->list[i], &row);
        for (enum column c = STRATEGY; c < VERDICT; c++) {
            const size_t width = explain_width(row.cell[c]);

            page->width[c] = width > page->width[c] ? width : page->width[c];
        }
    }
    for (enum column c = TIME; c < VERDICT; c++)
        left -= page->width[c] + 1;
    if (page->width[STRATEGY] + least > left)
        page->width[STRATEGY] = left - least;
    page->width[VERDICT] = left - page->width[STRATEGY] - 1;
}

static void add_line(const char *s, size_t indent, struct text *out)
{
    text_add(out, "%*s", (int)indent, "");
    explain_wrapped(out, s, indent, indent);
    text_add(out, "\n");
}

static void add_row(const struct page *page, const struct row *row, const char *colour, struct text *out)
{
    const size_t id = explain_width(row->cell[STRATEGY]), verdict = explain_width(row->cell[VERDICT]);
    const bool id_fits = id <= page->width[STRATEGY], verdict_fits = verdict <= page->width[VERDICT];
    const bool is_coloured = page->colour && *colour;

    text_add(out, "%s", is_coloured ? colour : "");
    if (!id_fits)
        add_line(row->cell[STRATEGY], 0, out);
    text_add(out, "%s%*s", id_fits ? row->cell[STRATEGY] : "",
             (int)(page->width[STRATEGY] - (id_fits ? id : 0)), "");
    for (enum column c = TIME; c < VERDICT; c++)
        text_add(out, " %*s", (int)page->width[c], row->cell[c]);
    text_add(out, "%s%s\n", verdict_fits ? " " : "", verdict_fits ? row->cell[VERDICT] : "");
    if (!verdict_fits)
        add_line(row->cell[VERDICT], verdict < EXPLAIN_COLUMNS ? EXPLAIN_COLUMNS - verdict : 0, out);
    text_add(out, "%s", is_coloured ? "\033[0m" : "");
}

/* A line for each channel: the word that the strategies' names have for it, and what it protects. */
static void add_channels(const struct facts *f, struct text *out)
{
    text_add(out, "\n");
    for (size_t i = 0; i < f->n_channels; i++) {
        const unsigned number = candidates_channel_number(f, i);
        OWNED_TEXT line = { 0 };
        char protection[64];

        text_add(&line, "Channel ");
        text_add_escaped(&line, f->channels[i].driver ? f->channels[i].driver : "channel");
        if (number > 1)
            text_add(&line, "%u", number);
        text_add(&line, ": %s", explain_protection(protection, sizeof protection, &f->channels[i]));
        add_line(text_of(&line), 0, out);
        out->failed |= line.failed;
    }
}

void explain_table(const struct plan *p, bool colour, struct text *out)
{
    struct page page = { .colour = colour };
    struct row row = { 0 };

    measure(p, &page);
    for (enum column c = STRATEGY; c < N_COLUMNS; c++)
        (void)text_escape(row.cell[c], sizeof row.cell[c], headings[c]);
    add_row(&page, &row, "", out);
    for (size_t i = 0; i < p->n; i++) {
        const struct strategy *s = &p->list[i];

        row_make(p, s, &row);
        add_row(&page, &row, plan_refuses(p, s) ? "\033[31m" : s == plan_chosen(p) ? "\033[32m" : "", out);
    }
    add_channels(p->facts, out);
}
