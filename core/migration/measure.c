/* SPDX-License-Identifier: Apache-2.0
 * What is measured before a plan where the user asked for it: how much of the guest's memory is not zero, how
 * fast it changes, and what the way to the destination carries. What cannot be measured leaves the plan as it
 * is without: its intervals are wider. */
#include "migration/steps.h"

#include "base/log.h"

#define MOST_SECONDS 60u

/* The guest's memory is looked at over a socket of this machine alone, its own or one inside ssh: over
 * another way it would cross a network. Then QEMU's own sampling answers, which is coarse. */
static int memory_of(struct move *m, uint64_t seconds, json_t **ret, struct error *err)
{
    const struct domain *d = &m->facts->domain;
    const uint64_t patience_ms = seconds * 1000u + 3u * ANSWER_MS;

    if (m->facts->source.is_local_socket) {
        if (worker_do(m->survey.source, "measure-memory",
                      json_pack("{ss sI ss* ss*}", "domain", m->o->domain, "seconds", (json_int_t)seconds,
                                "arch", d->arch, "machine", d->machine),
                      patience_ms, ret, err) == 0 ||
            err->code == ERROR_CANCELLED)
            return err->code ? -err->code : 0;
        log_event("run", "measure", "memory not read: %s (%s)", err->what, err->why);
        *err = (struct error){ 0 };
    }
    return worker_do(m->survey.source, "measure-dirty",
                     json_pack("{ss sI}", "domain", m->o->domain, "seconds", (json_int_t)seconds),
                     patience_ms, ret, err);
}

static int take_memory(struct facts *f, const json_t *reply, struct error *err)
{
    const json_t *dirty = json_child(reply, "dirty"), *content = json_child(reply, "content"), *one;
    struct domain *d = &f->domain;
    size_t i;

    d->dirty = arena_zeroed(f->arena, json_array_size(dirty) + 1, sizeof *d->dirty);
    d->content = arena_zeroed(f->arena, json_array_size(content) + 1, sizeof *d->content);
    if (!d->dirty || !d->content)
        return error_memory(err);
    json_array_foreach(dirty, i, one) d->dirty[d->n_dirty++] =
        (struct dirty_window){ json_u64(one, "window_ms", NOT_KNOWN), json_u64(one, "low_bytes", NOT_KNOWN),
                               json_u64(one, "bytes", NOT_KNOWN), json_u64(one, "high_bytes", NOT_KNOWN) };
    json_array_foreach(content, i, one) d->content[d->n_content++] =
        (struct memory_end){ json_u64(one, "end_bytes", NOT_KNOWN), json_u64(one, "low_bytes", NOT_KNOWN),
                             json_u64(one, "bytes", NOT_KNOWN), json_u64(one, "high_bytes", NOT_KNOWN) };
    return 0;
}

static void trace_memory(const struct domain *d)
{
    for (size_t i = 0; i < d->n_dirty; i++)
        log_event("run", "measure", "dirtied in %llu ms: %llu bytes, %llu to %llu",
                  (unsigned long long)d->dirty[i].window_ms, (unsigned long long)d->dirty[i].bytes,
                  (unsigned long long)d->dirty[i].low_bytes, (unsigned long long)d->dirty[i].high_bytes);
}

static int measure_memory(struct move *m, uint64_t seconds, struct error *err)
{
    struct facts *f = m->facts;
    struct finding *finding;
    struct error failed = { 0 };
    OWNED_JSON reply = NULL;

    if (memory_of(m, seconds, &reply, &failed) == 0) {
        if (take_memory(f, reply, err) < 0)
            return -err->code;
        trace_memory(&f->domain);
        return 0;
    }
    finding = facts_add_finding(f, WARNS, "dirty-rate-not-measured", m->survey.source_host);
    if (!finding || !(finding->what = arena_format(f->arena, "%s: %s", failed.what, failed.why)))
        return error_memory(err);
    return 0;
}

/* From here to there over the control connection: it is the way of the data too where this machine is the
 * source, and the data has no address of its own. */
static struct call *ask_for_link(struct move *m)
{
    struct error later = { 0 };

    if (!m->survey.destination || !m->survey.source_is_here || m->survey.via_address[0])
        return NULL;
    return worker_ask(m->survey.destination, "measure-link", json_object(), ANSWER_MS, &later);
}

static void take_link(struct facts *f, struct call *asked)
{
    struct error failed = { 0 };
    OWNED_JSON reply = NULL;

    if (!asked)
        return;
    if (call_wait(asked, &reply, &failed) < 0) {
        log_event("run", "measure", "link not measured: %s (%s)", failed.what, failed.why);
        return;
    }
    for (size_t i = 0; i < f->n_channels; i++)
        f->channels[i].measured_bytes_per_s = json_u64(reply, "bytes_per_s", NOT_KNOWN);
}

int measure(struct move *m, struct error *err)
{
    const uint64_t seconds = m->o->measure_dirty_s < MOST_SECONDS ? m->o->measure_dirty_s : MOST_SECONDS;
    OWNED(call) link = NULL;
    int r;

    if (!seconds || !m->o->domain || m->facts->domain.run != RUN_RUNNING)
        return 0;
    link = ask_for_link(m);
    r = measure_memory(m, seconds, err);
    take_link(m->facts, link);
    return r;
}
