/* SPDX-License-Identifier: Apache-2.0
 * All drivers are asked side by side. What is not available is a finding as long as one is. */
#include "host/channels.h"

#include "base/name.h"
#include "base/text.h"
#include "facts/json.h"
#include "verbs/verbs.h"
#include <string.h>

/* By a host's name every driver is tried, and most hosts have not all: none is waited for beyond this. One
 * that the user named has as long as its driver sees fit. */
#define PATIENCE_MS 2000u
#define GRACE_MS 700u /* a driver that keeps no time is killed then */

static uint32_t patience_of(const struct survey *s)
{
    return survey_dest_is_uri(s) ? 0 : PATIENCE_MS;
}

void openings_done(struct openings *o)
{
    for (size_t i = 0; i < o->n; i++) {
        way_free(o->list[i]);
        json_decref(o->opened[i].facts);
    }
    o->n = 0;
}

bool openings_wait(struct openings *o, size_t i)
{
    struct opened *it = &o->opened[i];

    if (!it->is_over)
        (void)way_wait(o->list[i], &it->facts, &it->failed);
    it->is_over = true;
    return it->failed.code == 0;
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
            o->list[o->n] = way_start(s->loop, s->config, t, s->dest_host,
                                      survey_dest_is_uri(s) ? s->dest : NULL, patience_of(s), err);
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
    OWNED_JSON seen = json_pack(
        "{sb ss* ss* ss* sI}", "is_here", is_here, "data_name", s->tls_destination, "domain", s->domain_name,
        "data_address", s->via_address[0] ? s->via_address : NULL, "patience_ms", (json_int_t)patience_of(s));
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
static int finish_way(struct survey *s, struct openings *o, size_t i, const json_t *seen, json_t *all,
                      struct error *err)
{
    OWNED_JSON facts = NULL;
    struct error failed = { 0 };

    if (openings_wait(o, i)) {
        facts = way_channel(o->list[i], json_deep_copy(seen), &failed);
        s->ways = way_push(s->ways, HAND_OVER(o->list[i]));
    } else {
        facts = HAND_OVER(o->opened[i].facts);
        failed = o->opened[i].failed;
    }
    if (json_array_size(json_child(facts, "findings")) + json_array_size(json_child(facts, "channels")) ==
        0) {
        json_decref(facts);
        facts = no_way(s->dest_host, &failed);
    }
    return facts && append_all(all, facts) == 0 ? 0 : error_memory(err);
}

/* ---- drivers that need no way: each in a worker of its own, so that none waits for another ---- */

#define MOST_PROBES 16u

struct probes {
    struct {
        const struct ferry_transport *driver;
        struct worker *worker;
        struct call *call;
    } list[MOST_PROBES];
    size_t n;
};

static void probes_done(struct probes *p)
{
    for (size_t i = 0; i < p->n; i++) {
        call_free(p->list[i].call);
        worker_leave(p->list[i].worker);
    }
    for (size_t i = 0; i < p->n; i++)
        worker_free(p->list[i].worker);
    p->n = 0;
}
#define OWNED_PROBES __attribute__((cleanup(probes_done))) struct probes

static int probe_start(struct survey *s, struct probes *p, const struct ferry_transport *t, json_t *seen,
                       struct error *err)
{
    const struct worker_setup setup = { .host = s->source_host, .verbs = verbs_host, .config = s->config };
    const bool is_uri = survey_dest_is_uri(s);
    struct worker *w = worker_start(s->loop, &setup, err);

    if (!w)
        return -err->code;
    p->list[p->n].driver = t;
    p->list[p->n].call = NULL;
    p->list[p->n++].worker = w;
    p->list[p->n - 1].call = worker_ask(w, "probe",
                                        json_pack("{ss ss ss* sO}", "driver", t->name, "host", s->dest_host,
                                                  "uri", is_uri ? s->dest : NULL, "seen", seen),
                                        is_uri ? 2u * ANSWER_MS : PATIENCE_MS + GRACE_MS, err);
    return p->list[p->n - 1].call ? 0 : -err->code;
}

static int probes_start(struct survey *s, struct probes *p, json_t *seen, struct error *err)
{
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; !owner->refused && k < owner->n_transports && p->n < MOST_PROBES; k++) {
            const struct ferry_transport *t = &owner->transports[k];

            if (t->open || t->rides || (survey_dest_is_uri(s) && !verb_is_of_scheme(s->dest, t->uri_scheme)))
                continue;
            if (probe_start(s, p, t, seen, err) < 0)
                return -err->code;
        }
    }
    return 0;
}

/* A driver that was killed for its silence has no words of its own. */
static json_t *silent_driver(const struct survey *s, const char *driver)
{
    OWNED(facts) f = facts_new();
    struct finding *finding = f ? facts_add_finding(f, REFUSES, "channel-silent", s->dest_host) : NULL;

    if (!finding)
        return NULL;
    finding->what = arena_format(f->arena, "%s: '%s' did not answer within %u s", driver, s->dest_host,
                                 PATIENCE_MS / 1000u);
    finding->fix =
        arena_format(f->arena, "If it needs longer, name it by its URI, such as qemu+%s://%s/system.", driver,
                     s->dest_host);
    return facts_to_json(f);
}

static int probes_finish(struct survey *s, struct probes *p, json_t *all, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        OWNED_JSON reply = NULL;
        OWNED_JSON silent = NULL;

        if (call_wait(p->list[i].call, &reply, err) < 0) {
            if (err->code != ERROR_TIMEOUT || survey_dest_is_uri(s))
                return -err->code;
            *err = (struct error){ 0 };
            silent = silent_driver(s, p->list[i].driver->name);
            if (!silent)
                return error_memory(err);
        }
        if (append_all(all, silent ? silent : json_child(reply, "facts")) < 0)
            return error_memory(err);
    }
    return 0;
}

json_t *channels_probe(struct survey *s, struct openings *o, bool is_here, struct error *err)
{
    OWNED(facts) none = facts_new();
    OWNED_JSON all = none ? facts_to_json(none) : NULL;
    OWNED_JSON seen = seen_from_source(s, is_here, err);
    OWNED_PROBES probes = { .n = 0 };

    if (!seen || probes_start(s, &probes, seen, err) < 0)
        return NULL;
    if (!all) {
        error_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < o->n; i++)
        if (finish_way(s, o, i, seen, all, err) < 0)
            return NULL;
    return probes_finish(s, &probes, all, err) < 0 ? NULL : HAND_OVER(all);
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

int survey_open_data(struct survey *s, const struct channel *ch, unsigned connections, struct error *err)
{
    const struct ferry_transport *t = registry_transport(ch->driver, NULL);
    OWNED_MEMORY char *owner = NULL;

    if (!t || !t->open_data)
        return 0;
    owner = owner_of_qemu(s);
    for (struct way *w = s->ways; w; w = way_older(w))
        if (way_is(w, ch->driver, ch->dest_uri))
            return way_open_data(w, ch, connections, owner,
                                 s->source_is_here ? NULL : survey_way_of(s, s->source_uri), s->domain_name,
                                 err);
    return error_set(err, ERROR_CONNECTION, s->dest_host, "the way that was opened to it is gone");
}
