/* SPDX-License-Identifier: Apache-2.0
 * All drivers are asked side by side. What is not available is a finding as long as one is. */
#include "host/channels.h"

#include "base/name.h"
#include "base/text.h"
#include "facts/json.h"
#include "host/verbs.h"
#include <string.h>

void openings_done(struct openings *o)
{
    for (size_t i = 0; i < o->n; i++)
        way_free(o->list[i]);
    o->n = 0;
}

/* The destination's ways, at once: they take longest. */
int channels_open_ways(struct survey *s, struct openings *o, struct error *err)
{
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; k < owner->n_transports && o->n < MOST_WAYS; k++) {
            const struct ferry_transport *t = &owner->transports[k];

            if (!t->open || (survey_dest_is_uri(s) && !verb_is_of_scheme(s->dest, t->uri_scheme)))
                continue;
            o->list[o->n] =
                way_start(s->loop, s->config, t, s->dest_host, survey_dest_is_uri(s) ? s->dest : NULL, err);
            if (!o->list[o->n++])
                return -err->code;
        }
    }
    return 0;
}

static void control_ports(struct text *t)
{
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; k < owner->n_transports; k++)
            text_add(t, "%u ", owner->transports[k].control_port);
    }
}

/* The destination as the source sees it. Where nothing can be run there, nothing is known. */
static json_t *seen_from_source(struct survey *s, bool is_here, struct error *err)
{
    OWNED_JSON seen =
        json_pack("{sb ss* ss*}", "is_here", is_here, "data_name", s->tls_destination, "domain", s->domain);
    OWNED_JSON reply = NULL;
    OWNED_TEXT ports = { 0 };
    struct error ignored = { 0 };

    control_ports(&ports);
    if (!seen || ports.failed) {
        error_memory(err);
        return NULL;
    }
    if (!is_here && survey_way_of(s, s->source_uri) &&
        json_put(seen, "source", way_args(survey_way_of(s, s->source_uri))) < 0) {
        error_memory(err);
        return NULL;
    }
    if (survey_way_of(s, s->source_uri) &&
        worker_do(s->source, "address", json_pack("{ss ss}", "host", s->dest_host, "ports", text_of(&ports)),
                  ANSWER_MS, &reply, &ignored) == 0)
        (void)json_object_update(seen, reply);
    return HAND_OVER(seen);
}

static int append_all(json_t *to, const json_t *from)
{
    static const char *const keys[] = { "channels", "findings" };

    for (int i = 0; i < 2; i++) {
        json_t *list = json_object_get(to, keys[i]);
        const json_t *more = json_child(from, keys[i]);

        if (more && (list ? json_array_extend(list, (json_t *)(uintptr_t)more)
                          : json_object_set(to, keys[i], (json_t *)(uintptr_t)more)) < 0)
            return -1;
    }
    return 0;
}

/* A finding in the words of an error, when the driver made none. */
static json_t *no_way(const char *host, const struct error *why)
{
    OWNED(facts) f = facts_new();
    struct finding *finding = f ? facts_add_finding(f, REFUSES, "channel-not-available", host) : NULL;

    if (!finding)
        return NULL;
    finding->what = arena_text(f->arena, why->what);
    finding->fix = why->fix[0] ? arena_text(f->arena, why->fix) : NULL;
    return facts_to_json(f);
}

/* Opens what was begun; its channel, or its findings, are added to all. */
static int finish_way(struct survey *s, struct way **w, const json_t *seen, json_t *all, struct error *err)
{
    OWNED_JSON facts = NULL;
    struct error failed = { 0 };

    if (way_wait(*w, &facts, &failed) == 0) {
        facts = way_channel(*w, json_deep_copy(seen), &failed);
        s->ways = way_push(s->ways, HAND_OVER(*w));
    }
    if (json_array_size(json_child(facts, "findings")) + json_array_size(json_child(facts, "channels")) ==
        0) {
        json_decref(facts);
        facts = no_way(s->dest_host, &failed);
    }
    return facts && append_all(all, facts) == 0 ? 0 : error_memory(err);
}

json_t *channels_probe(struct survey *s, struct openings *o, bool is_here, struct error *err)
{
    OWNED(facts) none = facts_new();
    OWNED_JSON all = none ? facts_to_json(none) : NULL;
    OWNED_JSON seen = seen_from_source(s, is_here, err);
    OWNED_JSON reply = NULL;
    OWNED(call)
    probing = seen ? worker_ask(s->source, "probe",
                                json_pack("{ss ss* sO}", "host", s->dest_host, "uri",
                                          survey_dest_is_uri(s) ? s->dest : NULL, "seen", seen),
                                2u * ANSWER_MS, err)
                   : NULL;

    if (!probing)
        return NULL;
    if (!all) {
        error_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < o->n; i++)
        if (finish_way(s, &o->list[i], seen, all, err) < 0)
            return NULL;
    if (call_wait(probing, &reply, err) < 0)
        return NULL;
    if (append_all(all, json_child(reply, "facts")) < 0) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(all);
}

/* No way at all: every reason that a driver gave. */
static int no_channel(struct survey *s, const struct facts *f, struct error *err)
{
    OWNED_TEXT what = { 0 };
    OWNED_TEXT fix = { 0 };

    for (size_t i = 0; i < f->findings.n; i++) {
        const struct finding *one = &f->findings.list[i];

        text_add(&what, "%s%s", i ? "; " : "", one->what ? one->what : one->id);
        if (one->fix)
            text_add(&fix, "%s%s", fix.len ? " " : "", one->fix);
        survey_note_password(s, one, true);
    }
    error_set(err, ERROR_CONNECTION, s->dest_host, "%s", text_of(&what));
    return fix.len ? error_fix(err, "%s", text_of(&fix)) : -err->code;
}

/* Every channel leads to the same libvirt: where one found it silent, no other is waited for. */
static int silent_libvirt(const struct survey *s, const struct facts *f, struct error *err)
{
    for (size_t i = 0; i < f->findings.n; i++) {
        const struct finding *one = &f->findings.list[i];

        if (!one->id || !text_ends(one->id, "-libvirt-silent"))
            continue;
        error_set(err, ERROR_CONNECTION, s->dest_host, "%s", one->what ? one->what : one->id);
        return one->fix ? error_fix(err, "%s", one->fix) : -err->code;
    }
    return 0;
}

static uint32_t preference_of(const struct channel *ch)
{
    const struct ferry_transport *t = registry_transport(ch->driver, NULL);

    return t ? t->preference : UINT32_MAX;
}

/* Control goes where it is protected best. */
static const struct channel *best_for_control(const struct facts *f)
{
    const struct channel *best = &f->channels[0];

    for (size_t i = 1; i < f->n_channels; i++) {
        const struct channel *ch = &f->channels[i];

        if (ch->protects_control > best->protects_control ||
            (ch->protects_control == best->protects_control && preference_of(ch) < preference_of(best)))
            best = ch;
    }
    return best;
}

/* It was found while the channel was there. */
static bool is_of_channel(const struct facts *f, const struct finding *finding)
{
    for (size_t i = 0; i < f->n_channels; i++)
        if (text_equal(f->channels[i].driver, finding->where))
            return true;
    return false;
}

int channels_take(struct survey *s, const json_t *all, struct error *err)
{
    OWNED(facts) f = facts_from_json(all, err);

    if (!f)
        return -err->code;
    if (f->n_channels == 0 && f->findings.n > 0)
        return no_channel(s, f, err);
    if (silent_libvirt(s, f, err) < 0)
        return -err->code;
    /* One of several that is not there is worth a word, no more. */
    for (size_t i = 0; i < f->findings.n; i++)
        if (!is_of_channel(f, &f->findings.list[i]))
            f->findings.list[i].severity = NOTES;
    s->channels = facts_to_json(f);
    if (!s->channels)
        return error_memory(err);
    /* No transport driver at all: the survey goes on without the destination, so that the plan can say this
     * together with all else that is in the way. */
    if (f->n_channels == 0)
        return 0;
    s->dest_uri = strdup(best_for_control(f)->dest_uri);
    return s->dest_uri ? 0 : error_memory(err);
}

/* "UID:GID" of QEMU on the destination, malloc'ed, or NULL. */
static char *owner_of_qemu(struct survey *s)
{
    OWNED_JSON reply = NULL;
    struct error ignored = { 0 };
    const char *owner;

    if (worker_do(s->destination, "qemu-owner", NULL, ANSWER_MS, &reply, &ignored) < 0)
        return NULL;
    owner = json_text(reply, "owner", NULL);
    return owner ? strdup(owner) : NULL;
}

int survey_open_data(struct survey *s, const struct channel *ch, struct error *err)
{
    const struct ferry_transport *t = registry_transport(ch->driver, NULL);
    OWNED_MEMORY char *owner = NULL;

    if (!t || !t->open_data)
        return 0;
    owner = owner_of_qemu(s);
    for (struct way *w = s->ways; w; w = way_older(w))
        if (way_is(w, ch->driver, ch->dest_uri))
            return way_open_data(w, ch->peer_address, owner,
                                 s->source_is_here ? NULL : survey_way_of(s, s->source_uri), s->domain, err);
    return error_set(err, ERROR_CONNECTION, s->dest_host, "the way that was opened to it is gone");
}
