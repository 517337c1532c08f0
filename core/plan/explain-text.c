/* SPDX-License-Identifier: Apache-2.0
 * Spans of time in one unit, what a channel protects, and text wrapped to a page. Counts characters, not
 * bytes: escaped text is UTF-8 without control characters. */
#include "plan/explain.h"
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    double ms;
    double up_to_ms; /* the unit is used for figures below it */
};

static const struct unit units[] = {
    { "ms", 1, 1000 },      { "s", 1000, 100e3 },       { "min", 60e3, 6000e3 },
    { "h", 3600e3, 360e6 }, { "days", 86400e3, 1e300 },
};
/* The model's cap, docs/cost-model.md: what is shown as "?". */
static const uint64_t endless_ms = 315360000000u;

static const struct unit *unit_for(uint64_t ms)
{
    const struct unit *u = units;

    while ((double)ms >= u->up_to_ms)
        u++;
    return u;
}

/* Tenths where they say something. */
static void figure(char *buf, size_t size, uint64_t ms, const struct unit *u)
{
    const double value = (double)ms / u->ms;

    (void)snprintf(buf, size, u->ms > 1 && value < 9.95 ? "%.1f" : "%.0f", value);
}

const char *explain_span(char *buf, size_t size, const struct estimate *ms)
{
    const struct unit *u = unit_for(ms->high);
    char low[32], high[32];

    if (ms->high >= endless_ms) {
        u = unit_for(ms->low);
        figure(low, sizeof low, ms->low, u);
        (void)snprintf(buf, size, "%s %s-?", low, u->name);
        return buf;
    }
    figure(low, sizeof low, ms->low, u);
    figure(high, sizeof high, ms->high, u);
    if (strcmp(low, high) == 0)
        (void)snprintf(buf, size, "%s %s", high, u->name);
    else
        (void)snprintf(buf, size, "%s-%s %s", low, high, u->name);
    return buf;
}

const char *explain_likely(char *buf, size_t size, const struct estimate *ms)
{
    /* Seconds already for tenths of one: the guesses are no better. */
    const struct unit *u = ms->likely >= 50 && ms->likely < 1000 ? &units[1] : unit_for(ms->likely);
    char likely[32];

    if (ms->likely >= endless_ms) {
        (void)snprintf(buf, size, "?");
        return buf;
    }
    figure(likely, sizeof likely, ms->likely, u);
    (void)snprintf(buf, size, "%s %s", likely, u->name);
    return buf;
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static size_t width_of(const char *s, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width += !continues_character(s[i]);
    return width;
}

size_t explain_width(const char *s)
{
    return width_of(s, strlen(s));
}

/* By the two levels of FERRY_PROTECTS_*, which the facts keep as they are. */
const char *explain_protection(char *buf, size_t size, const struct channel *c)
{
    static const char *const words[] = { "in the clear", "signed", "encrypted" };
    const char *control = words[c->protects_control < 2 ? c->protects_control : 2];
    const char *data = words[c->protects_data < 2 ? c->protects_data : 2];

    if (control == data)
        (void)snprintf(buf, size, "%s", data);
    else
        (void)snprintf(buf, size, "control %s, data %s", control, data);
    return buf;
}

static void new_line(struct text *out, size_t indent)
{
    text_add(out, "\n%*s", (int)indent, "");
}

/* As much of a word as fits in width, at least one character. */
static size_t bytes_within(const char *s, size_t n, size_t width)
{
    size_t end = 0;

    for (size_t i = 0; i < n; i++) {
        if (!continues_character(s[i]) && i > 0) {
            end = i;
            if (width_of(s, i) >= width)
                return end;
        }
    }
    return n;
}

void explain_wrapped(struct text *out, const char *s, size_t column, size_t indent)
{
    bool at_start = true;

    while (*s) {
        size_t n = strcspn(s, " \n"), width = width_of(s, n), gap = at_start ? 0 : 1;

        if (n && !at_start && column + gap + width > EXPLAIN_COLUMNS) {
            new_line(out, indent);
            column = indent;
            gap = 0;
        }
        if (n && column + gap + width > EXPLAIN_COLUMNS && column < EXPLAIN_COLUMNS) {
            n = bytes_within(s, n, EXPLAIN_COLUMNS - column - gap);
            width = width_of(s, n);
        }
        if (n) {
            text_add(out, "%s", gap ? " " : "");
            text_add_bytes(out, s, n);
            column += gap + width;
            at_start = false;
        }
        s += n;
        if (n && *s && *s != ' ' && *s != '\n') { /* a broken word goes on in the next line */
            new_line(out, indent);
            column = indent;
            at_start = true;
        }
        s += strspn(s, " \n");
    }
}
