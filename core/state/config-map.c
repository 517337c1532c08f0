/* SPDX-License-Identifier: Apache-2.0
 * Maps of the configuration: who they are for, and which of two with one FROM counts. */
#include "state/config-map.h"
#include "base/name.h"
#include "base/text.h"
#include <string.h>

static int fix_form(struct error *err)
{
    return error_fix(
        err, "Write 'storage FROM = TO' or 'network FROM = TO' below '[map]' or '[map SOURCE DEST]'.");
}

static const char *trimmed(struct arena *a, const char *text, size_t n)
{
    while (n > 0 && strchr(" \t\r", *text)) {
        text++;
        n--;
    }
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        n--;
    return arena_format(a, "%.*s", (int)n, text);
}

/* The next word of *at. */
static const char *next_word(struct arena *a, const char **at)
{
    const char *word = *at + strspn(*at, " \t");
    const size_t n = strcspn(word, " \t");

    *at = word + n;
    return n ? arena_format(a, "%.*s", (int)n, word) : NULL;
}

static int check_host(const char *name, const char *origin, struct error *err)
{
    struct error why = { 0 };

    if (name_check_host(name, &why) == 0)
        return 0;
    error_set(err, ERROR_USAGE, NULL, "%s: '%s' names no host", origin, ESCAPED(name));
    error_why(err, "%s", why.what);
    return fix_form(err);
}

int config_map_section(struct config_maps *c, const char *line, size_t n, const char *origin,
                       struct error *err)
{
    const char *end = memchr(line, ']', n),
               *name = end ? trimmed(c->arena, line + 1, (size_t)(end - line - 1)) : "";
    const char *rest = name, *word;

    c->is_in = false;
    if (!name)
        return error_memory(err);
    word = next_word(c->arena, &rest);
    if (!text_equal(word, "map"))
        return arena_failed(c->arena) ? error_memory(err) : 0;
    c->is_in = true;
    c->source = next_word(c->arena, &rest);
    c->dest = next_word(c->arena, &rest);
    if (arena_failed(c->arena))
        return error_memory(err);
    if (!c->source != !c->dest || next_word(c->arena, &rest)) {
        error_set(err, ERROR_USAGE, NULL, "%s: section '[%s]' names no pair of hosts", origin, ESCAPED(name));
        return fix_form(err);
    }
    return c->source && (check_host(c->source, origin, err) < 0 || check_host(c->dest, origin, err) < 0)
               ? -err->code
               : 0;
}

/* An '=' of FROM is written '\=', as on the command line; blanks may stand around the one that parts. */
static const char *as_on_command_line(struct arena *a, const char *text)
{
    const char *c = text, *from, *to;

    while (*c && *c != '=')
        c += *c == '\\' && (c[1] == '=' || c[1] == '\\') ? 2 : 1;
    if (!*c)
        return text;
    from = trimmed(a, text, (size_t)(c - text));
    to = trimmed(a, c + 1, strlen(c + 1));
    return from && to ? arena_format(a, "%s=%s", from, to) : NULL;
}

static bool is_same_place(const struct config_map *a, const struct config_map *b)
{
    return a->map.kind == b->map.kind && text_equal(a->map.from, b->map.from) &&
           text_equal(a->source, b->source) && text_equal(a->dest, b->dest);
}

static int add(struct config_maps *c, const struct config_map *one, struct error *err)
{
    struct config_map *grown;

    for (size_t i = 0; i < c->n; i++) {
        struct config_map *other = &c->list[i];

        if (!is_same_place(other, one))
            continue;
        if (i < c->first) { /* of an earlier file */
            *other = *one;
            return 0;
        }
        error_set(err, ERROR_USAGE, NULL, "%s: '%s' is mapped already at %s", one->map.origin,
                  ESCAPED(one->map.from), other->map.origin);
        return error_fix(err, "Remove one of the two.");
    }
    if (c->n >= MAP_MOST) {
        error_set(err, ERROR_USAGE, NULL, "%s: there are more than %u maps", one->map.origin, MAP_MOST);
        return error_fix(err, "Map a folder instead of each file in it.");
    }
    grown = arena_grown(c->arena, c->list, c->n, sizeof *grown);
    if (!grown)
        return error_memory(err);
    c->list = grown;
    grown[c->n++] = *one;
    return 0;
}

/* A ';' behind a blank begins a comment, as in the rest of the file. */
static size_t without_comment(const char *line, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (line[i] == ';' && strchr(" \t", line[i - 1]))
            return i;
    return n;
}

int config_map_line(struct config_maps *c, const char *line, size_t n, const char *origin, struct error *err)
{
    const char *text = trimmed(c->arena, line, without_comment(line, n)), *rest = text, *kind;
    struct config_map one = { .source = c->source, .dest = c->dest };
    struct error why = { 0 };

    kind = text ? next_word(c->arena, &rest) : NULL;
    rest = kind ? as_on_command_line(c->arena, rest) : NULL;
    if (!rest)
        return error_memory(err);
    if (!text_equal(kind, "storage") && !text_equal(kind, "network")) {
        error_set(err, ERROR_USAGE, NULL, "%s: '%s' is no kind of map", origin, ESCAPED(kind));
        return fix_form(err);
    }
    if (map_parse(text_equal(kind, "network") ? MAP_NETWORK : MAP_STORAGE, rest, c->arena, &one.map, &why) ==
        0) {
        one.map.origin = origin;
        return add(c, &one, err);
    }
    if (why.code == ERROR_MEMORY)
        return error_memory(err);
    error_set(err, ERROR_USAGE, NULL, "%s: %s", origin, why.what);
    return error_fix(err, "%s", why.fix);
}
