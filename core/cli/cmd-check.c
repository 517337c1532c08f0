/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry check: every finding of a move without the move, or of two hosts without a domain; with --fix,
 * what to do, by host. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/gathered.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/setup.h"
#include "facts/json.h"
#include "migration/migrate.h"
#include "plan/pair.h"
#include <stdio.h>

const struct option_row check_options[] = {
    REQUEST_FACTS,
    { .name = "fix", .help = "show what to do on each host instead of the findings" },
    REQUEST_LIMITS,
    { .name = NULL },
};

static int gather_all(struct gathered *g, const struct plan *p, struct error *err)
{
    if (gathered_add(g, &p->findings, err) < 0)
        return -err->code;
    /* An alternative is there to be refused: what stands against it stands in nobody's way. */
    for (size_t i = 0; i < p->n; i++)
        if (!p->list[i].is_alternative && gathered_add(g, &p->list[i].findings, err) < 0)
            return -err->code;
    gathered_sort(g);
    return 0;
}

static void add_hosts(struct text *out, const struct facts *f)
{
    text_add_escaped(out, f->source.name ? f->source.name : "?");
    text_add(out, " to ");
    text_add_escaped(out, f->dest.name ? f->dest.name : "?");
}

static int put(const struct text *out, struct error *err)
{
    if (out->failed)
        return error_memory(err);
    (void)fputs(text_of(out), stdout);
    return 0;
}

static int put_json(const struct facts *f, bool can_move, const struct gathered *g, json_t *commands,
                    struct error *err)
{
    OWNED_JSON more = commands;
    OWNED_JSON o = json_object();
    OWNED_JSON list = gathered_json(g, err);

    if (!list)
        return -err->code;
    if (!o || json_put_text(o, "domain", f->domain.name) < 0 ||
        json_put_text(o, "source", f->source.name) < 0 || json_put_text(o, "dest", f->dest.name) < 0 ||
        json_put_flag(o, "can_move", can_move) < 0 || json_put(o, "findings", json_incref(list)) < 0 ||
        (more && json_put(o, "commands", json_incref(more)) < 0))
        return error_memory(err);
    return output_json(o, err);
}

/* ---- a domain ---- */

static int show_text(const struct plan *p, const struct gathered *g, bool wants_fix, struct error *err)
{
    OWNED_TEXT out = { 0 };

    text_add(&out, "'");
    text_add_escaped(&out, p->facts->domain.name ? p->facts->domain.name : "?");
    text_add(&out, plan_chosen(p) ? "' can move from " : "' cannot move from ");
    add_hosts(&out, p->facts);
    text_add(&out, ".\n");
    if (wants_fix)
        gathered_fixes(g, p->facts, NULL, &out);
    else
        gathered_text(g, &out);
    return put(&out, err);
}

static int judge(const struct cli *cli, const struct options *o, const struct plan *p, struct error *err)
{
    OWNED_GATHERED g = { 0 };
    int r = gather_all(&g, p, err);

    if (r == 0)
        r = cli->is_json ? put_json(p->facts, plan_chosen(p) != NULL, &g, NULL, err)
                         : show_text(p, &g, option_flag(o, "fix"), err);
    /* All was said: the exit code alone is left to tell. */
    return r < 0 ? r : plan_chosen(p) ? 0 : ERROR_REFUSED;
}

/* ---- two hosts ---- */

/* Those that are about a domain would be passed over in silence. */
static int check_options_of_pair(const struct options *o, struct error *err)
{
    static const char *const fitting[] = { "facts", "fix", "allow-cleartext", "tls-destination" };

    for (const struct option_row *row = check_options; row->name; row++) {
        size_t i = 0;

        while (i < sizeof fitting / sizeof *fitting && !text_equal(row->name, fitting[i]))
            i++;
        if (i < sizeof fitting / sizeof *fitting || !option_given(o, row->name))
            continue;
        error_set(err, ERROR_USAGE, NULL, "option '--%s' is about a domain, and none is named", row->name);
        return error_fix(err, "Write: virt-ferry check --%s DOMAIN DEST.", row->name);
    }
    return 0;
}

static int show_pair(const struct pair *p, const struct gathered *g, const struct setup *commands,
                     bool wants_fix, struct error *err)
{
    OWNED_TEXT out = { 0 };

    text_add(&out, p->is_fit ? "Domains can move from " : "No domain can move from ");
    add_hosts(&out, p->facts);
    if (p->is_fit)
        text_add(&out, ", over %zu of %zu channels", p->n_channels, p->facts->n_channels);
    text_add(&out, ".\n");
    if (wants_fix) {
        setup_text(commands, &out);
        gathered_fixes(g, p->facts, setup_mends, &out);
    } else {
        gathered_text(g, &out);
    }
    return put(&out, err);
}

static int judge_pair(const struct cli *cli, const struct options *o, const struct facts *f,
                      const struct plan_limits *limits, struct error *err)
{
    OWNED(pair) p = pair_judge(f, limits, err);
    OWNED_GATHERED g = { 0 };
    struct setup commands;
    int r;

    if (!p || gathered_add(&g, &p->findings, err) < 0)
        return -err->code;
    gathered_sort(&g);
    setup_make(&g, f, p->arena, &commands);
    r = arena_failed(p->arena) ? error_memory(err)
        : cli->is_json         ? put_json(f, p->is_fit, &g, setup_json(&commands), err)
                               : show_pair(p, &g, &commands, option_flag(o, "fix"), err);
    return r < 0 ? r : p->is_fit ? 0 : ERROR_REFUSED;
}

static int check(struct request *request, const struct options *o, struct run_result *result,
                 struct error *err)
{
    const bool has_facts = option_text(o, "facts") != NULL;
    int r;

    if (!has_facts && !request->run.domain) {
        r = check_options_of_pair(o, err);
        if (r == 0)
            r = run_survey(&request->run, result, err);
    } else {
        r = request_plan(request, o, result, err);
    }
    if (r < 0 || !result->facts)
        return r;
    /* Also of saved facts: those of two hosts name no domain. */
    if (!result->facts->domain.name)
        return judge_pair(request->cli, o, result->facts, &request->run.limits, err);
    return judge(request->cli, o, result->plan, err);
}

int cmd_check(struct cli *cli, const struct options *o, struct error *err)
{
    struct run_result result = { 0 };
    struct request request = { .cli = cli };
    int r = request_read(&request, cli, o, err);

    if (r < 0)
        return r;
    r = check(&request, o, &result, err);
    run_result_done(&result);
    request_done(&request);
    return r;
}
