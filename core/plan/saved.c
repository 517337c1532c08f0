/* SPDX-License-Identifier: Apache-2.0
 * A plan on file: one strategy, the limits, and the facts that it rests on as readable words, so that a stale
 * one can say what is different now. Reads nothing out of a file but to compare it; no I/O. */
#include "facts/json.h"
#include "facts/map.h"
#include "facts/overwrite.h"
#include "facts/words.h"
#include "plan/planner.h"
#include <string.h>

#define SAVED_VERSION 1u

static const char *figure(struct arena *a, uint64_t n)
{
    return n == NOT_KNOWN ? "not known" : arena_format(a, "%llu", (unsigned long long)n);
}

static void rest_on(json_t *o, const char *key, const char *value)
{
    if (key)
        (void)json_object_set_new(o, key, json_string(value ? value : "not known"));
}

static void rest_on_disk(const struct plan *p, const struct strategy *s, size_t i, json_t *o)
{
    const struct disk *d = &p->facts->domain.disks[i];
    struct arena *a = p->arena;
    const struct {
        const char *what, *value;
    } rows[] = {
        { "source", d->source },
        { "pool", d->pool },
        { "volume", d->volume },
        { "server", d->server },
        { "format", d->format },
        { "cache", d->cache },
        { "sharing", d->sharing == SHARING_PROVED   ? "proved"
                     : d->sharing == SHARING_DENIED ? "denied"
                                                    : "not proved" },
        { "treatment", treatment_word(s->disks[i]) },
        { "pool at the destination", d->at_dest.pool },
        { "device there is overwritten",
          disk_is_device(d) && s->disks[i] == TREAT_COPY && d->at_dest.present == TRI_YES ? "yes" : NULL },
        { "identity of the device there", disk_is_device(d) ? d->at_dest.identity : NULL },
    };

    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (rows[k].value)
            rest_on(o, arena_format(a, "disk '%s': %s", d->target, rows[k].what), rows[k].value);
}

/* Nothing that changes from one look to the next: no rates, no free memory, no resident set. */
static json_t *what_it_rests_on(const struct plan *p, const struct strategy *s)
{
    static const char *const runs[] = { "not known", "running", "paused", "shut off" };
    const struct facts *f = p->facts;
    const struct domain *d = &f->domain;
    OWNED_JSON o = json_object();

    if (!o)
        return NULL;
    rest_on(o, "domain", d->name);
    rest_on(o, "domain's uuid", d->uuid);
    rest_on(o, "domain's state", (unsigned)d->run < 4 ? runs[d->run] : runs[0]);
    rest_on(o, "domain's memory in bytes", figure(p->arena, d->memory_bytes));
    rest_on(o, "domain's processors", figure(p->arena, d->vcpus));
    rest_on(o, "machine type", d->machine);
    rest_on(o, "number of disks", figure(p->arena, d->n_disks));
    rest_on(o, "number of interfaces", figure(p->arena, d->n_interfaces));
    rest_on(o, "number of devices", figure(p->arena, d->n_devices));
    rest_on(o, "domain is persistent", d->persistent == TRI_YES ? "yes" : "no");
    for (size_t i = 0; i < d->n_disks; i++)
        rest_on_disk(p, s, i, o);
    for (size_t i = 0; i < f->n_maps; i++)
        rest_on(o, arena_format(p->arena, "'%s' at the destination", f->maps[i].from), f->maps[i].to);
    rest_on(o, "source host", f->source.uuid);
    rest_on(o, "source's libvirt", figure(p->arena, f->source.libvirt_version));
    rest_on(o, "source's QEMU", figure(p->arena, f->source.qemu_version));
    rest_on(o, "destination host", f->dest.uuid);
    rest_on(o, "destination's libvirt", figure(p->arena, f->dest.libvirt_version));
    rest_on(o, "destination's QEMU", figure(p->arena, f->dest.qemu_version));
    rest_on(o, "channel", s->channel->driver);
    rest_on(o, "channel's address", s->channel->peer_address);
    if (s->channel->data_address)
        rest_on(o, "address of RAM and disks", s->channel->data_address);
    rest_on(o, "data is encrypted by TLS", channel_has_tls(s->channel) ? "yes" : "no");
    rest_on(o, "libvirt's check is lifted", s->needs_unsafe ? "yes" : "no");
    return HAND_OVER(o);
}

static const char *const prefer_words[] = { "time", "downtime", "bytes", "exposure" };

static json_t *json_of_limits(const struct plan_limits *l)
{
    OWNED_JSON o = json_object();

    if (!o || json_put_flag(o, "allow_cleartext", l->allow_cleartext) < 0 ||
        json_put_flag(o, "force_managed", l->force_managed) < 0 ||
        (l->manner != MANNER_ANY &&
         json_put_text(o, "manner", l->manner == MANNER_P2P ? "p2p" : "direct") < 0) ||
        json_put_flag(o, "no_postcopy", l->no_postcopy) < 0 ||
        json_put_flag(o, "no_throttle", l->no_throttle) < 0 || json_put_flag(o, "flatten", l->flatten) < 0 ||
        (l->keep_chain && json_put_flag(o, "keep_chain", true) < 0) ||
        json_put_text(o, "prefer", prefer_words[(unsigned)l->prefer <= PREFER_EXPOSURE ? l->prefer : 0]) <
            0 ||
        (l->max_downtime_ms != NOT_KNOWN && json_put_u64(o, "max_downtime_ms", l->max_downtime_ms) < 0) ||
        (l->deadline_ms != NOT_KNOWN && json_put_u64(o, "deadline_ms", l->deadline_ms) < 0) ||
        (l->bandwidth_bytes_per_s != NOT_KNOWN &&
         json_put_u64(o, "bandwidth_bytes_per_s", l->bandwidth_bytes_per_s) < 0) ||
        (l->connections && json_put_u64(o, "connections", l->connections) < 0))
        return NULL;
    return HAND_OVER(o);
}

json_t *plan_save(const struct plan *p, const struct strategy *s, const struct plan_limits *limits,
                  struct error *err)
{
    OWNED_JSON o = json_object();
    struct plan_limits kept = *limits;

    s = s ? s : plan_chosen(p);
    if (!s) {
        plan_refusal(p, err);
        return NULL;
    }
    /* How many are worth it changes with what else the hosts do. */
    if (s->connections > 1)
        kept.connections = s->connections;
    if (!o || json_put_u64(o, "saved_plan", SAVED_VERSION) < 0 || json_put_text(o, "strategy", s->id) < 0 ||
        json_put(o, "limits", json_of_limits(&kept)) < 0 ||
        json_put(o, "rests_on", what_it_rests_on(p, s)) < 0 ||
        (p->facts->n_maps && json_put(o, "maps", maps_to_json(p->facts->maps, p->facts->n_maps)) < 0) ||
        (p->facts->overwrite.n && json_put(o, "overwrite", overwrite_to_json(&p->facts->overwrite)) < 0)) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(o);
}

static enum manner manner_of(const char *word)
{
    return text_equal(word, "p2p") ? MANNER_P2P : text_equal(word, "direct") ? MANNER_DIRECT : MANNER_ANY;
}

int plan_saved_limits(const json_t *saved, struct plan_limits *ret, struct error *err)
{
    const json_t *l = json_child(saved, "limits");
    const char *prefer = json_text(l, "prefer", "time");
    const uint64_t connections = json_u64(l, "connections", 0);

    if (json_u64(saved, "saved_plan", 0) != SAVED_VERSION || !json_is_object(l) ||
        !json_is_object(json_child(saved, "rests_on")) || !json_text(saved, "strategy", NULL)) {
        error_set(err, ERROR_INPUT, NULL, "it is no saved plan of this version");
        return error_fix(err, "Make a new one: virt-ferry plan -o FILE DOMAIN DEST.");
    }
    *ret = (struct plan_limits){ .allow_cleartext = json_flag(l, "allow_cleartext", false),
                                 .force_managed = json_flag(l, "force_managed", false),
                                 .manner = manner_of(json_text(l, "manner", "")),
                                 .no_postcopy = json_flag(l, "no_postcopy", false),
                                 .no_throttle = json_flag(l, "no_throttle", false),
                                 .flatten = json_flag(l, "flatten", false),
                                 .keep_chain = json_flag(l, "keep_chain", false),
                                 .max_downtime_ms = json_u64(l, "max_downtime_ms", NOT_KNOWN),
                                 .deadline_ms = json_u64(l, "deadline_ms", NOT_KNOWN),
                                 .bandwidth_bytes_per_s = json_u64(l, "bandwidth_bytes_per_s", NOT_KNOWN) };
    ret->connections = connections <= CONNECTIONS_MOST ? (unsigned)connections : 0;
    for (unsigned i = 0; i <= PREFER_EXPOSURE; i++)
        if (text_equal(prefer, prefer_words[i]))
            ret->prefer = (enum prefer)i;
    return 0;
}

static int stale(struct error *err, const char *why)
{
    error_set(err, ERROR_STALE, NULL, "the saved plan is stale");
    error_why(err, "%s", why);
    return error_fix(err,
                     "Look at what would be done now, and save that: virt-ferry plan -o FILE DOMAIN DEST.");
}

/* The first few are enough: whoever reads them looks for himself. */
static void differences(const json_t *was, const json_t *is, struct text *ret)
{
    const char *key;
    json_t *value;
    int n = 0;

    json_object_foreach((json_t *)(uintptr_t)was, key, value)
    {
        const char *before = json_string_value(value), *now = json_text(is, key, NULL);

        if (!text_equal(before, now) && n++ < 4)
            text_add(ret, "%s%s was %s, is %s", n > 1 ? "; " : "", key, before ? before : "?",
                     now ? now : "not there");
    }
    json_object_foreach((json_t *)(uintptr_t)is, key, value) if (!json_child(was, key) && n++ < 4)
        text_add(ret, "%s%s was not there, is %s", n > 1 ? "; " : "", key, json_string_value(value));
}

const struct strategy *plan_saved(const struct plan *p, const json_t *saved, struct error *err)
{
    const struct strategy *s = plan_strategy(p, json_text(saved, "strategy", ""));
    const struct finding *refuses = s ? plan_refuses(p, s) : NULL;
    OWNED_TEXT why = { 0 };
    OWNED_JSON is = s ? what_it_rests_on(p, s) : NULL;

    if (s && !is) {
        error_memory(err);
        return NULL;
    }
    if (!s)
        text_add(&why, "there is no strategy '%s' now", json_text(saved, "strategy", ""));
    else
        differences(json_child(saved, "rests_on"), is, &why);
    if (!why.len && refuses)
        text_add(&why, "%s: %s", refuses->id, refuses->what ? refuses->what : "refused");
    if (!why.len)
        return s;
    stale(err, text_of(&why));
    return NULL;
}
