/* SPDX-License-Identifier: Apache-2.0
 * Gathers, sorts and shows; knows neither plans nor hosts, but for their names. */
#include "cli/gathered.h"

#include "facts/json.h"
#include "plan/explain.h"
#include <stdlib.h>

void gathered_done(struct gathered *g)
{
    free(g->list);
    *g = (struct gathered){ .n = 0 };
}

static bool is_there(const struct gathered *g, const struct finding *f)
{
    for (size_t i = 0; i < g->n; i++)
        if (text_equal(g->list[i]->id, f->id) && text_equal(g->list[i]->where, f->where) &&
            text_equal(g->list[i]->what, f->what))
            return true;
    return false;
}

int gathered_add(struct gathered *g, const struct findings *from, struct error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        if (is_there(g, &from->list[i]))
            continue;
        if (g->n == g->size) {
            const size_t size = g->size ? 2 * g->size : 16;
            const struct finding **grown = reallocarray(g->list, size, sizeof(const struct finding *));

            if (!grown)
                return error_memory(err);
            g->list = grown;
            g->size = size;
        }
        g->list[g->n++] = &from->list[i];
    }
    return 0;
}

static int worst_first(const void *a, const void *b)
{
    const struct finding *x = *(const struct finding *const *)a, *y = *(const struct finding *const *)b;

    return x->severity == y->severity ? 0 : x->severity > y->severity ? -1 : 1;
}

void gathered_sort(struct gathered *g)
{
    if (g->n)
        qsort(g->list, g->n, sizeof(const struct finding *), worst_first);
}

static void add_line(struct text *out, const char *line, size_t indent)
{
    OWNED_TEXT safe = { 0 };

    text_add_escaped(&safe, line);
    explain_wrapped(out, text_of(&safe), indent, indent);
    text_add(out, "\n");
    out->failed |= safe.failed;
}

static void add_finding(struct text *out, const struct finding *f)
{
    OWNED_TEXT line = { 0 };

    text_add(&line, "%s%s%s%s: %s", f->id, f->where ? " (" : "", f->where ? f->where : "",
             f->where ? ")" : "", f->what ? f->what : "");
    text_add(out, "%-7s  ", severity_word(f->severity));
    add_line(out, text_of(&line), 9);
    if (f->fix) {
        text_add(out, "%9s", "");
        add_line(out, f->fix, 9);
    }
    out->failed |= line.failed;
}

/* Two channels can have the same cause, and it is done away with once. */
static bool was_said(const struct gathered *g, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (text_equal(g->list[k]->id, g->list[i]->id) && text_equal(g->list[k]->fix, g->list[i]->fix))
            return true;
    return false;
}

/* What to do where: a finding that names no host is for whoever reads. */
static void add_fixes(struct text *out, const struct gathered *g, const struct facts *f, const char *host,
                      bool (*skip)(const struct finding *))
{
    bool is_first = true;

    for (size_t i = 0; i < g->n; i++) {
        const struct finding *one = g->list[i];
        const bool names_host =
            text_equal(one->where, f->source.name) || text_equal(one->where, f->dest.name);

        if (!one->fix || one->severity == NOTES || (skip && skip(one)) || was_said(g, i) ||
            !(host ? text_equal(one->where, host) : !one->where || !names_host))
            continue;
        if (is_first) {
            text_add(out, host ? "\nOn " : "\nElsewhere");
            if (host)
                text_add_escaped(out, host);
            text_add(out, ":\n");
        }
        is_first = false;
        text_add(out, "  - ");
        add_line(out, one->fix, 4);
        text_add(out, "    (%s)\n", one->id);
    }
}

void gathered_text(const struct gathered *g, struct text *out)
{
    for (size_t i = 0; i < g->n; i++)
        add_finding(out, g->list[i]);
}

void gathered_fixes(const struct gathered *g, const struct facts *f, bool (*skip)(const struct finding *),
                    struct text *out)
{
    add_fixes(out, g, f, f->source.name, skip);
    if (!text_equal(f->source.name, f->dest.name))
        add_fixes(out, g, f, f->dest.name, skip);
    add_fixes(out, g, f, NULL, skip);
}

json_t *gathered_json(const struct gathered *g, struct error *err)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < g->n; i++)
        if (json_array_append_new(list, finding_to_json(g->list[i])) < 0) {
            error_memory(err);
            return NULL;
        }
    if (!list)
        error_memory(err);
    return list ? json_incref(list) : NULL;
}
