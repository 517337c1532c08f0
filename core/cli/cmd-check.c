/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry check: every finding of a move without the move; with --fix, what to do, by host. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/request.h"
#include "facts/json.h"
#include "plan/explain.h"
#include <stdio.h>

const struct option_row check_options[] = {
    REQUEST_FACTS,
    { .name = "fix", .help = "show what to do on each host instead of the findings" },
    REQUEST_LIMITS,
    { .name = NULL },
};

/* The findings of the move and of the strategies that were meant, each once, the worst first. Lent. */
struct gathered {
    const struct finding **list;
    size_t n, size;
};

static bool is_there(const struct gathered *g, const struct finding *f)
{
    for (size_t i = 0; i < g->n; i++)
        if (text_equal(g->list[i]->id, f->id) && text_equal(g->list[i]->where, f->where) &&
            text_equal(g->list[i]->what, f->what))
            return true;
    return false;
}

static int gather(struct gathered *g, const struct findings *from, struct error *err)
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

static int gather_all(struct gathered *g, const struct plan *p, struct error *err)
{
    if (gather(g, &p->findings, err) < 0)
        return -err->code;
    /* An alternative is there to be refused: what stands against it stands in nobody's way. */
    for (size_t i = 0; i < p->n; i++)
        if (!p->list[i].is_alternative && gather(g, &p->list[i].findings, err) < 0)
            return -err->code;
    if (g->n)
        qsort(g->list, g->n, sizeof(const struct finding *), worst_first);
    return 0;
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

/* What to do where: a finding that names no host is for whoever reads. */
static void add_fixes(struct text *out, const struct gathered *g, const struct facts *f, const char *host)
{
    bool is_first = true;

    for (size_t i = 0; i < g->n; i++) {
        const struct finding *one = g->list[i];
        const bool names_host =
            text_equal(one->where, f->source.name) || text_equal(one->where, f->dest.name);

        if (!one->fix || one->severity == NOTES ||
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

static void add_verdict(struct text *out, const struct plan *p)
{
    const struct facts *f = p->facts;

    text_add(out, "'");
    text_add_escaped(out, f->domain.name ? f->domain.name : "?");
    text_add(out, plan_chosen(p) ? "' can move from " : "' cannot move from ");
    text_add_escaped(out, f->source.name ? f->source.name : "?");
    text_add(out, " to ");
    text_add_escaped(out, f->dest.name ? f->dest.name : "?");
    text_add(out, ".\n");
}

static int show_text(const struct plan *p, const struct gathered *g, bool wants_fix, struct error *err)
{
    OWNED_TEXT out = { 0 };

    add_verdict(&out, p);
    if (wants_fix) {
        add_fixes(&out, g, p->facts, p->facts->source.name);
        if (!text_equal(p->facts->source.name, p->facts->dest.name))
            add_fixes(&out, g, p->facts, p->facts->dest.name);
        add_fixes(&out, g, p->facts, NULL);
    } else {
        for (size_t i = 0; i < g->n; i++)
            add_finding(&out, g->list[i]);
    }
    if (out.failed)
        return error_memory(err);
    (void)fputs(text_of(&out), stdout);
    return 0;
}

static int show_json(const struct plan *p, const struct gathered *g, struct error *err)
{
    OWNED_JSON o = json_object();
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < g->n; i++)
        if (json_array_append_new(list, finding_to_json(g->list[i])) < 0)
            return error_memory(err);
    if (!o || !list || json_put_text(o, "domain", p->facts->domain.name) < 0 ||
        json_put_text(o, "source", p->facts->source.name) < 0 ||
        json_put_text(o, "dest", p->facts->dest.name) < 0 ||
        json_put_flag(o, "can_move", plan_chosen(p) != NULL) < 0 ||
        json_put(o, "findings", json_incref(list)) < 0)
        return error_memory(err);
    return output_json(o, err);
}

static int judge(const struct cli *cli, const struct options *o, const struct plan *p, struct error *err)
{
    struct gathered g = { 0 };
    int r = gather_all(&g, p, err);

    if (r == 0)
        r = cli->is_json ? show_json(p, &g, err) : show_text(p, &g, option_flag(o, "fix"), err);
    free(g.list);
    /* All was said: the exit code alone is left to tell. */
    return r < 0 ? r : plan_chosen(p) ? 0 : ERROR_REFUSED;
}

int cmd_check(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { .cli = cli };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    r = request_plan(&request, o, &result, err);
    if (r == 0)
        r = judge(cli, o, result.plan, err);
    run_result_done(&result);
    request_done(&request);
    return r;
}
