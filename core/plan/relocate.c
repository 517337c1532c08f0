/* SPDX-License-Identifier: Apache-2.0
 * A relocation is one strategy on one host: no channel, no memory. Judged by the rows that concern it, priced
 * by what the disks occupy. */
#include "plan/relocate.h"

#include "facts/json.h"
#include "facts/location.h"
#include "plan/range.h"
#include "plan/rules.h"
#include <string.h>

/* Of the rules that are about a move, those that are as true of a relocation. */
static const char *const rows_of_moves[] = { "job-in-progress", "managed-domain", "managed-domain-forced" };

static struct rule_case case_of(const struct relocation_plan *p, const struct strategy *s,
                                const struct plan_limits *limits)
{
    return (struct rule_case){ .arena = p->arena, .facts = p->facts, .limits = limits, .strategy = s };
}

static void apply(struct relocation_plan *p, const struct rule *r, struct rule_case c)
{
    const char *what = r->check(&c);

    if (what)
        findings_add(p->arena, &p->findings,
                     &(struct finding){ .id = r->id,
                                        .severity = r->severity,
                                        .where = c.disk ? c.disk->target : NULL,
                                        .what = what,
                                        .fix = c.fix ? c.fix : r->fix });
}

static void judge(struct relocation_plan *p, const struct plan_limits *limits)
{
    const struct domain *d = &p->facts->domain;
    const struct strategy s = { .disks = p->disks };

    for (size_t i = 0; i < p->facts->findings.n; i++)
        findings_add(p->arena, &p->findings, &p->facts->findings.list[i]);
    for (size_t i = 0; i < sizeof rows_of_moves / sizeof *rows_of_moves; i++)
        apply(p, rules_find(rows_of_moves[i]), case_of(p, &s, limits));
    for (size_t i = 0; i < rules_relocate.n; i++) {
        const struct rule *r = &rules_relocate.rows[i];
        struct rule_case c = case_of(p, &s, limits);

        if (r->scope == PER_STRATEGY || r->scope == PER_RELOCATION)
            apply(p, r, c);
        for (size_t k = 0; r->scope == PER_TREATMENT && k < d->n_disks; k++) {
            c.disk = &d->disks[k];
            c.disk_index = k;
            c.treatment = p->disks[k];
            apply(p, r, c);
        }
    }
}

struct relocation_plan *relocation_plan_make(const struct facts *facts, const struct plan_limits *limits,
                                             struct error *err)
{
    OWNED(arena) a = arena_new();
    struct relocation_plan *p = a ? arena_zeroed(a, 1, sizeof *p) : NULL;
    const size_t n = facts->domain.n_disks;
    struct cost_relocation cost;

    if (p)
        p->disks = arena_zeroed(a, n ? n : 1, sizeof *p->disks);
    if (!p || !p->disks) {
        (void)error_memory(err);
        return NULL;
    }
    p->arena = a;
    p->facts = facts;
    for (size_t i = 0; i < n; i++)
        p->disks[i] = disk_relocation(&facts->domain.disks[i]) ? TREAT_RELOCATE : TREAT_NOTHING;
    cost = cost_relocation(facts, p->disks, limits->bandwidth_bytes_per_s);
    p->time_ms = range_estimate(cost.ms, COST_MAX_MS);
    p->bytes = range_estimate(cost.bytes, COST_MAX_BYTES);
    judge(p, limits);
    if (arena_failed(a)) {
        (void)error_memory(err);
        return NULL;
    }
    (void)HAND_OVER(a);
    return p;
}

void relocation_plan_free(struct relocation_plan *p)
{
    if (p)
        arena_free(p->arena);
}

bool relocation_plan_is_valid(const struct relocation_plan *p)
{
    return findings_refusing(&p->findings) == 0;
}

int relocation_plan_refusal(const struct relocation_plan *p, struct error *err)
{
    for (size_t i = 0; i < p->findings.n; i++) {
        const struct finding *f = &p->findings.list[i];

        if (f->severity != REFUSES)
            continue;
        (void)error_set(err, ERROR_REFUSED, NULL, "%s", f->what ? f->what : f->id);
        return f->fix ? error_fix(err, "%s", f->fix) : -ERROR_REFUSED;
    }
    return error_set(err, ERROR_REFUSED, NULL, "nothing was found against it");
}

/* ---- shown ---- */

static const char *place(struct arena *a, const struct disk *d)
{
    const struct location l = location_of_disk(d);
    const char *text = location_text(a, &l);

    return text ? text : d->source ? d->source : "?";
}

void relocation_plan_explain(const struct relocation_plan *p, struct text *out)
{
    for (size_t i = 0; i < p->facts->domain.n_disks; i++) {
        const struct disk *d = &p->facts->domain.disks[i], *to = disk_relocation(d);

        if (!to)
            continue;
        text_add(out, "%s: ", d->target);
        text_add_escaped(out, place(p->arena, d));
        text_add(out, " (%s) -> ", d->format ? d->format : "?");
        text_add_escaped(out, place(p->arena, to));
        text_add(out, " (%s)\n", to->format ? to->format : "?");
    }
    text_add(out, "Likely %s (%s to %s), %s.\n", MS_TEXT(p->time_ms.likely), MS_TEXT(p->time_ms.low),
             MS_TEXT(p->time_ms.high), SIZE_TEXT(p->bytes.likely));
    for (size_t i = 0; i < p->findings.n; i++) {
        const struct finding *f = &p->findings.list[i];

        text_add(out, "%s %s%s%s: ", severity_word(f->severity), f->id, f->where ? " " : "",
                 f->where ? f->where : "");
        text_add_escaped(out, f->what ? f->what : "");
        if (f->fix) {
            text_add(out, "\n  ");
            text_add_escaped(out, f->fix);
        }
        text_add(out, "\n");
    }
}

static json_t *estimate_json(const struct estimate *e)
{
    return json_pack("{sI sI sI}", "low", (json_int_t)e->low, "likely", (json_int_t)e->likely, "high",
                     (json_int_t)e->high);
}

json_t *relocation_plan_to_json(const struct relocation_plan *p)
{
    OWNED_JSON o = json_object();
    json_t *disks = json_array(), *findings = json_array();

    for (size_t i = 0; i < p->facts->domain.n_disks; i++) {
        const struct disk *d = &p->facts->domain.disks[i], *to = disk_relocation(d);

        if (to)
            (void)json_array_append_new(disks, json_pack("{ss ss ss* ss ss*}", "target", d->target, "from",
                                                         place(p->arena, d), "from_format", d->format, "to",
                                                         place(p->arena, to), "format", to->format));
    }
    for (size_t i = 0; i < p->findings.n; i++)
        (void)json_array_append_new(findings, finding_to_json(&p->findings.list[i]));
    if (!o || json_put(o, "disks", disks) < 0 || json_put(o, "findings", findings) < 0 ||
        json_put_flag(o, "valid", relocation_plan_is_valid(p)) < 0 ||
        json_put(o, "time_ms", estimate_json(&p->time_ms)) < 0 ||
        json_put(o, "bytes", estimate_json(&p->bytes)) < 0)
        return NULL;
    return HAND_OVER(o);
}
