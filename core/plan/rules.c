/* SPDX-License-Identifier: Apache-2.0
 * Calls every rule for what its scope names, and puts what it finds where it belongs.
 * Knows no rule by name; the rows stand in rules-domain.c, -host.c, -disk.c and -channel.c. */
#include "plan/rules.h"
#include "facts/json.h"
#include "plan/planner.h"
#include <string.h>

static const struct rule_set *const rule_sets[] = {
    &rules_domain, &rules_host, &rules_disk,        &rules_chain, &rules_room, &rules_device, &rules_channel,
    &rules_tls,    &rules_p2p,  &rules_connections, &rules_mode,  &rules_map,  &rules_pair,   &rules_relocate
};
enum { N_SETS = sizeof rule_sets / sizeof rule_sets[0] };

const char *rules_name(const char *name)
{
    return name ? name : "(not said)";
}

const char *rules_command_word(const char *name, const char *otherwise)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";

    /* A dash at the start would be an option. */
    if (!name || !*name || *name == '-' || name[strspn(name, plain)] != '\0')
        return otherwise;
    return name;
}

bool rules_has_odd_end(const struct disk *d)
{
    const uint64_t bytes = d->at_source.capacity_bytes;

    return bytes != NOT_KNOWN && bytes % RULES_DIRECT_BLOCK_BYTES != 0 &&
           (text_equal(d->cache, "none") || text_equal(d->cache, "directsync"));
}

const struct rule *rules_at(size_t i)
{
    for (size_t set = 0; set < N_SETS; set++) {
        if (i < rule_sets[set]->n)
            return &rule_sets[set]->rows[i];
        i -= rule_sets[set]->n;
    }
    return NULL;
}

const struct rule *rules_find(const char *id)
{
    const struct rule *r;

    for (size_t i = 0; (r = rules_at(i)); i++)
        if (text_equal(r->id, id))
            return r;
    return NULL;
}

static const char *where_of(const struct rule *r, const struct rule_case *c)
{
    switch (r->scope) {
    case PER_DISK:
    case PER_TREATMENT:
        return c->disk->target;
    case PER_CHANNEL:
        return c->channel->driver;
    case PER_STRATEGY:
    case PER_MOVE:
    case PER_INTERFACE:
    case PER_DEVICE:
    case PER_PAIR:
    case PER_RELOCATION:
        break;
    }
    if (r->about == ABOUT_MOVE)
        return NULL;
    return r->about == ABOUT_SOURCE ? c->facts->source.name : c->facts->dest.name;
}

void rules_apply(const struct rule *r, struct rule_case c, struct findings *to)
{
    const char *what = r->check(&c);

    if (!what)
        return;
    findings_add(c.arena, to,
                 &(struct finding){
                     .id = r->id,
                     .severity = r->severity,
                     .where = where_of(r, &c),
                     .what = what,
                     .fix = c.fix ? c.fix : r->fix,
                 });
}

static void apply_to_plan(const struct rule *r, struct rule_case c, struct findings *to)
{
    const struct domain *d = &c.facts->domain;

    if (r->scope == PER_MOVE)
        rules_apply(r, c, to);
    for (size_t i = 0; r->scope == PER_DISK && i < d->n_disks; i++) {
        c.disk = &d->disks[i];
        c.disk_index = i;
        rules_apply(r, c, to);
    }
    for (size_t i = 0; r->scope == PER_INTERFACE && i < d->n_interfaces; i++) {
        c.interface = &d->interfaces[i];
        rules_apply(r, c, to);
    }
    for (size_t i = 0; r->scope == PER_DEVICE && i < d->n_devices; i++) {
        c.device = &d->devices[i];
        rules_apply(r, c, to);
    }
}

static void apply_to_strategy(const struct rule *r, struct rule_case c, struct findings *to)
{
    if (r->scope == PER_CHANNEL || r->scope == PER_STRATEGY)
        rules_apply(r, c, to);
    for (size_t i = 0; r->scope == PER_TREATMENT && i < c.facts->domain.n_disks; i++) {
        c.disk = &c.facts->domain.disks[i];
        c.disk_index = i;
        c.treatment = c.strategy->disks[i];
        rules_apply(r, c, to);
    }
}

bool rules_is_about_channel(const struct facts *f, const struct finding *finding)
{
    for (size_t i = 0; finding->where && i < f->n_channels; i++)
        if (text_equal(f->channels[i].driver, finding->where))
            return true;
    return false;
}

static void take_over(struct planning *p)
{
    const struct facts *f = p->facts;

    for (size_t i = 0; i < f->findings.n; i++) {
        const struct finding *finding = &f->findings.list[i];

        if (!rules_is_about_channel(f, finding)) {
            findings_add(p->plan->arena, &p->plan->findings, finding);
            continue;
        }
        for (size_t k = 0; k < p->plan->n; k++)
            if (text_equal(p->plan->list[k].channel->driver, finding->where))
                findings_add(p->plan->arena, &p->plan->list[k].findings, finding);
    }
}

void rules_judge(struct planning *p)
{
    struct rule_case c = { .arena = p->plan->arena, .facts = p->facts, .limits = &p->limits };

    take_over(p);
    for (size_t set = 0; set < N_SETS; set++)
        for (size_t i = 0; i < rule_sets[set]->n; i++)
            apply_to_plan(&rule_sets[set]->rows[i], c, &p->plan->findings);
    for (size_t k = 0; k < p->plan->n; k++) {
        struct strategy *s = &p->plan->list[k];

        c.strategy = s;
        c.channel = s->channel;
        for (size_t set = 0; set < N_SETS; set++)
            for (size_t i = 0; i < rule_sets[set]->n; i++)
                apply_to_strategy(&rule_sets[set]->rows[i], c, &s->findings);
    }
}

static enum rules_of group_of(enum rule_scope scope)
{
    switch (scope) {
    case PER_MOVE:
    case PER_DISK:
    case PER_INTERFACE:
    case PER_DEVICE:
        return RULES_OF_MOVE;
    case PER_TREATMENT:
        return RULES_OF_TREATMENT;
    case PER_CHANNEL:
        return RULES_OF_CHANNEL;
    case PER_STRATEGY:
    case PER_PAIR: /* none of these two refuses */
    case PER_RELOCATION:
        break;
    }
    return RULES_OF_STRATEGY;
}

void rules_refusing(struct rule_index *ret)
{
    const struct rule *r;

    *ret = (struct rule_index){ .n = { 0 } };
    for (size_t i = 0; (r = rules_at(i)); i++) {
        const enum rules_of of = group_of(r->scope);

        if (r->severity != REFUSES || ret->n[of] == RULES_MOST)
            continue;
        ret->rows[of][ret->n[of]++] = r;
        ret->by_scope[r->scope][ret->n_by_scope[r->scope]++] = r;
    }
}

/* How often a rule is called in a case. */
static size_t times(const struct rule *r, const struct domain *d)
{
    switch (r->scope) {
    case PER_DISK:
    case PER_TREATMENT:
        return d->n_disks;
    case PER_INTERFACE:
        return d->n_interfaces;
    case PER_DEVICE:
        return d->n_devices;
    case PER_MOVE:
    case PER_CHANNEL:
    case PER_STRATEGY:
    case PER_PAIR:
    case PER_RELOCATION:
        break;
    }
    return 1;
}

static bool speaks(const struct rule *r, struct rule_case *c, size_t i)
{
    const struct domain *d = &c->facts->domain;

    if (r->scope == PER_DISK || r->scope == PER_TREATMENT) {
        c->disk = &d->disks[i];
        c->disk_index = i;
    }
    if (r->scope == PER_TREATMENT)
        c->treatment = c->strategy->disks[i];
    else if (r->scope == PER_INTERFACE)
        c->interface = &d->interfaces[i];
    else if (r->scope == PER_DEVICE)
        c->device = &d->devices[i];
    return r->check(c) != NULL;
}

static bool one_speaks(const struct rule_index *index, enum rule_scope scope, struct rule_case *c)
{
    for (size_t i = 0; i < index->n_by_scope[scope]; i++)
        if (index->by_scope[scope][i]->check(c))
            return true;
    return false;
}

static bool one_speaks_of_disks(const struct rule_index *index, enum rule_scope scope, struct rule_case *c)
{
    for (size_t i = 0; i < c->facts->domain.n_disks; i++) {
        c->disk = &c->facts->domain.disks[i];
        c->disk_index = i;
        if (scope == PER_TREATMENT)
            c->treatment = c->strategy->disks[i];
        if (one_speaks(index, scope, c))
            return true;
    }
    return false;
}

static bool one_speaks_of_move(const struct rule_index *index, struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;

    if (one_speaks(index, PER_MOVE, c) || one_speaks_of_disks(index, PER_DISK, c))
        return true;
    for (size_t i = 0; i < d->n_interfaces; i++) {
        c->interface = &d->interfaces[i];
        if (one_speaks(index, PER_INTERFACE, c))
            return true;
    }
    for (size_t i = 0; i < d->n_devices; i++) {
        c->device = &d->devices[i];
        if (one_speaks(index, PER_DEVICE, c))
            return true;
    }
    return false;
}

static bool any_speaks(const struct rule_index *index, enum rules_of of, struct rule_case c)
{
    switch (of) {
    case RULES_OF_MOVE:
        return one_speaks_of_move(index, &c);
    case RULES_OF_CHANNEL:
        return one_speaks(index, PER_CHANNEL, &c);
    case RULES_OF_TREATMENT:
        return one_speaks_of_disks(index, PER_TREATMENT, &c);
    case RULES_OF_STRATEGY:
    case N_RULES_OF:
        break;
    }
    return one_speaks(index, PER_STRATEGY, &c);
}

/* Mostly none does, which is found out scope by scope; only then is the first looked for. */
const char *rules_refused(const struct rule_index *index, enum rules_of of, const struct rule_case *c)
{
    struct rule_case own = *c;

    if (!any_speaks(index, of, *c))
        return NULL;
    for (size_t k = 0; k < index->n[of]; k++) {
        const struct rule *r = index->rows[of][k];
        const size_t n = times(r, &c->facts->domain);

        for (size_t i = 0; i < n; i++)
            if (speaks(r, &own, i))
                return r->id;
    }
    return NULL;
}

static const char *scope_word(enum rule_scope scope)
{
    static const char *const words[] = {
        [PER_MOVE] = "move",
        [PER_DISK] = "disk",
        [PER_INTERFACE] = "interface",
        [PER_DEVICE] = "device",
        [PER_CHANNEL] = "channel",
        [PER_STRATEGY] = "strategy",
        [PER_TREATMENT] = "disk, by treatment",
        [PER_PAIR] = "pair of hosts, where no domain is named",
        [PER_RELOCATION] = "relocation by itself",
    };

    return words[scope];
}

void rules_document(struct text *out)
{
    text_add(out,
             "# Findings of the planner\n\n"
             "Printed from the rows of core/plan/rules-*.c; do not edit. A finding that *refuses* takes its\n"
             "strategy out of the choice, or every strategy when it is about the move, a disk, an interface\n"
             "or a device. One that *warns* asks for a look; one that *notes* says what was taken for\n"
             "granted. Storage and transport drivers and the survey add findings of their own.\n");
    for (size_t set = 0; set < N_SETS; set++) {
        text_add(out, "\n## %s\n", rule_sets[set]->title);
        for (size_t i = 0; i < rule_sets[set]->n; i++) {
            const struct rule *r = &rule_sets[set]->rows[i];

            text_add(out, "\n### %s\n\n%s; judged per %s%s.\n\n%s\n", r->id, severity_word(r->severity),
                     scope_word(r->scope), r->of_pair ? ", and of two hosts without a domain" : "", r->cause);
            if (r->fix)
                text_add(out, "\n*What to do:* %s\n", r->fix);
        }
    }
}
