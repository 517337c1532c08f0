/* SPDX-License-Identifier: Apache-2.0
 * The progress line, drawn in the width that the terminal has at that moment. */
#include "cli/progress.h"
#include "base/text.h"
#include "facts/model.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define REDRAW_MS 100
#define LINE_MS 1000
#define BAR_LEAST 10 /* cells; below that the figures say more */
#define BAR_MOST 30
#define ERASE_LINE "\r\033[K"

struct progress {
    FILE *out;
    bool is_terminal, is_quiet;
    bool is_drawn;
    bool was_shown;
    uint64_t shown_at_ms;
    char phase[128];
};

struct progress *progress_new(const struct cli *cli, FILE *out, struct error *err)
{
    struct progress *p = calloc(1, sizeof *p);
    const char *term = getenv("TERM");

    if (!p) {
        error_memory(err);
        return NULL;
    }
    p->out = out;
    p->is_quiet = cli->is_quiet;
    p->is_terminal = isatty(fileno(out)) && term && *term && !text_equal(term, "dumb");
    return p;
}

void progress_clear(struct progress *p)
{
    if (!p->is_drawn)
        return;
    (void)fputs(ERASE_LINE, p->out);
    (void)fflush(p->out);
    p->is_drawn = false;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    progress_clear(p);
    free(p);
}

uint64_t progress_percent(const struct progress_sample *sample)
{
    uint64_t done = sample->done_bytes, total = sample->total_bytes, percent;

    if (done == NOT_KNOWN || total == NOT_KNOWN || total == 0)
        return NOT_KNOWN;
    if (done >= total)
        return 100;
    percent = total > UINT64_MAX / 100 ? done / (total / 100) : done * 100 / total;
    return percent < 100 ? percent : 99;
}

static void add_figure(struct text *t, const char *separator, const char *before, const char *figure,
                       const char *after)
{
    text_add(t, "%s%s%s%s", t->len ? separator : "", before, figure, after);
}

static void add_figures(struct text *t, const struct progress_sample *s, const char *separator)
{
    uint64_t percent = progress_percent(s);
    char number[24];

    if (percent != NOT_KNOWN) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)percent);
        add_figure(t, separator, "", number, " %");
    }
    if (s->pass != NOT_KNOWN) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)s->pass);
        add_figure(t, separator, "pass ", number, "");
    }
    if (s->rate_bytes_per_s != NOT_KNOWN)
        add_figure(t, separator, "", RATE_TEXT(s->rate_bytes_per_s), "");
    if (s->remaining_bytes != NOT_KNOWN)
        add_figure(t, separator, "", SIZE_TEXT(s->remaining_bytes), " left");
    if (s->dirty_bytes_per_s != NOT_KNOWN)
        add_figure(t, separator, "dirtied at ", RATE_TEXT(s->dirty_bytes_per_s), "");
    if (s->zero_bytes != NOT_KNOWN && s->zero_bytes > 0)
        add_figure(t, separator, "", SIZE_TEXT(s->zero_bytes), " of zeroes skipped");
    if (s->eta_ms != NOT_KNOWN)
        add_figure(t, separator, "", MS_TEXT(s->eta_ms), " to go");
}

void progress_line(struct text *t, const struct progress_sample *sample)
{
    OWNED_TEXT figures = { 0 };

    add_figures(&figures, sample, ", ");
    text_add_escaped(t, sample->phase);
    if (figures.len)
        text_add(t, ": %s", text_of(&figures));
}

static size_t terminal_width(const struct progress *p)
{
    struct winsize size = { 0 };

    if (ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void add_bar(struct text *t, uint64_t percent, size_t cells)
{
    size_t filled = (size_t)percent * cells / 100;

    text_add(t, " [");
    for (size_t i = 0; i < cells; i++)
        text_add_bytes(t, i < filled ? "=" : i == filled ? ">" : " ", 1);
    text_add(t, "] ");
}

/* At most `most` columns: a character counts as one, and none is cut in two. */
static size_t bytes_of_columns(const char *s, size_t most)
{
    size_t n = 0, columns = 0;

    for (; s[n]; n++)
        if (((unsigned char)s[n] & 0xc0) != 0x80 && ++columns > most)
            break;
    return n;
}

static void draw(struct progress *p, const struct progress_sample *sample)
{
    OWNED_TEXT line = { 0 }, figures = { 0 };
    uint64_t percent = progress_percent(sample);
    size_t width = terminal_width(p) - 1, used, room; /* the last column would wrap on some terminals */

    add_figures(&figures, sample, "  ");
    text_add_escaped(&line, sample->phase);
    used = line.len + figures.len + 4;
    room = width > used ? width - used : 0;
    if (percent != NOT_KNOWN && room >= BAR_LEAST)
        add_bar(&line, percent, room < BAR_MOST ? room : BAR_MOST);
    else if (figures.len)
        text_add(&line, "  ");
    text_add(&line, "%s", text_of(&figures));
    (void)fprintf(p->out, ERASE_LINE "%.*s", (int)bytes_of_columns(text_of(&line), width), text_of(&line));
    (void)fflush(p->out);
    p->is_drawn = true;
}

static void print(struct progress *p, const struct progress_sample *sample)
{
    OWNED_TEXT line = { 0 };

    progress_line(&line, sample);
    (void)fprintf(p->out, "%s\n", text_of(&line));
    (void)fflush(p->out);
}

void progress_show(struct progress *p, const struct progress_sample *sample, uint64_t now_ms)
{
    const char *phase = sample->phase ? sample->phase : "";
    uint64_t every_ms = p->is_terminal ? REDRAW_MS : LINE_MS;
    bool is_new_phase = strncmp(phase, p->phase, sizeof p->phase - 1) != 0;

    if (p->is_quiet || (p->was_shown && !is_new_phase && now_ms - p->shown_at_ms < every_ms))
        return;
    (void)snprintf(p->phase, sizeof p->phase, "%s", phase);
    p->was_shown = true;
    p->shown_at_ms = now_ms;
    if (p->is_terminal)
        draw(p, sample);
    else
        print(p, sample);
}
