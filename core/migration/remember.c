/* SPDX-License-Identifier: Apache-2.0
 * What earlier moves of this pair showed goes into the facts; what this one showed goes into the history.
 * Neither can fail a move: without a history prices are wider, no more. */
#include "migration/steps.h"

#include "base/log.h"
#include "state/history.h"
#include "state/locks.h"
#include <stdio.h>
#include <time.h>

#define LEAST_WATCHED_MS 100u /* of memory on the wire: below it a rate says nothing */

/* Another address is another network, and what several connections showed is not what one does. */
static const char *history_name(char *buf, size_t size, const struct channel *ch, unsigned connections)
{
    int n = snprintf(buf, size, ch->data_address ? "%s via %s" : "%s", ch->driver, ch->data_address);

    if (connections > 1 && n > 0 && (size_t)n < size)
        (void)snprintf(buf + n, size - (size_t)n, " x%u", connections);
    return buf;
}

/* What libvirt takes to end a move is of the hosts; a rate and a set-up are of the channel that showed them.
 */
static void history_of_pair(struct facts *f, const json_t *records)
{
    history_fit(records, f->source.uuid, f->dest.uuid, NULL, &f->history);
    f->history.bytes_per_s = f->history.bytes_per_s_spread = NOT_KNOWN;
    f->history.setup_ms = f->history.setup_ms_spread = NOT_KNOWN;
}

/* Newest first: where there are more than are kept, the others are of long ago. */
static void history_of_several(struct facts *f, struct channel *ch, const json_t *records)
{
    bool taken[CONNECTIONS_MOST + 1] = { false };
    char name[128];

    for (size_t i = json_array_size(records); i-- > 0 && ch->n_several < FACTS_MAX_SEVERAL;) {
        const json_t *record = json_array_get(records, i);
        const uint64_t n = json_u64(record, "connections", 1);
        struct several *grown;

        if (n < 2 || n > CONNECTIONS_MOST || taken[n] ||
            !text_equal(json_text(record, "channel", NULL), history_name(name, sizeof name, ch, (unsigned)n)))
            continue;
        taken[n] = true;
        grown = arena_grown(f->arena, ch->several, ch->n_several, sizeof *grown);
        if (!grown)
            return;
        ch->several = grown;
        grown[ch->n_several] = (struct several){ .connections = n };
        constants_init(&grown[ch->n_several].history);
        history_fit(records, f->source.uuid, f->dest.uuid, name, &grown[ch->n_several++].history);
    }
}

void recall(struct move *m)
{
    struct error err = { 0 };
    OWNED_TEXT aside = { 0 };
    OWNED_JSON records = NULL;
    struct facts *f = m->facts;
    char name[128];

    if (!m->state_dir && !(m->state_dir = state_dir(&err)))
        return;
    records = history_read(m->state_dir, &aside, &err);
    if (aside.len)
        move_say(m, "the history was damaged; it is set aside as '%s'", text_of(&aside));
    if (!records) {
        log_event("run", "history", "not read: %s (%s)", err.what, err.why);
        return;
    }
    history_of_pair(f, records);
    for (size_t i = 0; i < f->n_channels; i++) {
        history_fit(records, f->source.uuid, f->dest.uuid,
                    history_name(name, sizeof name, &f->channels[i], 1), &f->channels[i].history);
        history_of_several(f, &f->channels[i], records);
    }
    if (f->domain.uuid)
        history_fit_guest(records, f->domain.uuid, &f->history);
}

void remember_locks(const struct move *m, const struct facts *f, json_t *locks)
{
    const uint64_t now_s = (uint64_t)time(NULL);
    struct error err = { 0 };
    bool is_new = false;

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        if (d->lock_proved != TRI_YES || locks_seen_s(locks, f, d, now_s))
            continue;
        is_new = true;
        (void)locks_note(locks, f, d, now_s, &err);
    }
    if (is_new && (err.code || locks_write(m->state_dir, locks, &err) < 0))
        log_event("run", "locks", "not written: %s (%s)", err.what, err.why);
}

static void put(json_t *o, const char *key, uint64_t figure)
{
    if (figure != NOT_KNOWN)
        (void)json_put_u64(o, key, figure);
}

static json_t *json_of(const struct estimate *e)
{
    return json_pack("{sI sI sI}", "low", (json_int_t)e->low, "likely", (json_int_t)e->likely, "high",
                     (json_int_t)e->high);
}

/* The constants as this move showed them: what came before the first byte of memory and after the last. */
static void put_constants(const struct move *m, json_t *actual)
{
    const struct actual *a = &m->actual;
    const uint64_t sent = m->result->memory_bytes != NOT_KNOWN ? m->result->memory_bytes : a->last_bytes;
    uint64_t rate, setup, wire;

    if (a->first_ms == NOT_KNOWN || a->last_ms < a->first_ms + LEAST_WATCHED_MS ||
        a->last_bytes <= a->first_bytes)
        return;
    rate = (a->last_bytes - a->first_bytes) * 1000u / (a->last_ms - a->first_ms);
    /* What the user capped is the cap's rate. */
    if (m->o->limits.bandwidth_bytes_per_s == NOT_KNOWN)
        put(actual, "bytes_per_s", rate);
    wire = rate ? a->first_bytes * 1000u / rate : 0;
    setup = a->first_ms > wire ? a->first_ms - wire : 0;
    if (move_copies_disks(m) || m->strategy->mode == MODE_PAUSED)
        return;
    put(actual, "setup_ms", setup);
    wire = rate && sent < UINT64_MAX / 1000u ? sent * 1000u / rate : 0;
    if (m->strategy->hand_over == HAND_OVER_GATED && a->carry_ms > setup + wire)
        put(actual, "finish_ms", a->carry_ms - setup - wire);
    if (m->strategy->hand_over == HAND_OVER_GATED && !m->is_postcopy)
        put(actual, "downtime_ms", m->result->downtime_ms);
}

static json_t *actual_of(const struct move *m)
{
    OWNED_JSON actual = json_object();

    if (!actual)
        return NULL;
    put(actual, "time_ms", m->actual.carry_ms + m->chains.ms);
    put(actual, "total_ms", loop_now_ms() - m->began_ms);
    if (!m->result->downtime_is_least)
        put(actual, "downtime_seen_ms", m->result->downtime_ms);
    put(actual, "bytes", m->result->bytes);
    put(actual, "passes", m->actual.passes);
    /* Where no second pass was seen, the first sent all. */
    put(actual, "first_pass_bytes",
        m->actual.first_pass_bytes != NOT_KNOWN ? m->actual.first_pass_bytes : m->result->memory_bytes);
    put(actual, "postcopy_at_ms", m->actual.postcopy_ms);
    put_constants(m, actual);
    return HAND_OVER(actual);
}

void remember(struct move *m)
{
    const struct facts *f = m->facts;
    const struct strategy *s = m->strategy;
    struct error err = { 0 };
    char name[128];
    OWNED_JSON actual = NULL;
    OWNED_JSON record = NULL;

    if (!m->state_dir || !s || !f || !f->source.uuid || !f->dest.uuid || m->result->outcome != OUTCOME_MOVED)
        return;
    actual = actual_of(m);
    record = json_pack("{ss sI ss ss ss ss ss ss ss ss sI s{so so so so} sO}", "run", m->run, "at_s",
                       (json_int_t)m->began.wall_s, "domain", m->name, "uuid", m->uuid, "source",
                       m->survey.source_host, "dest", m->survey.dest_host, "source_uuid", f->source.uuid,
                       "dest_uuid", f->dest.uuid, "channel",
                       history_name(name, sizeof name, s->channel, s->connections), "strategy", s->id,
                       "connections", (json_int_t)s->connections, "predicted", "time_ms",
                       json_of(&s->time_ms), "downtime_ms", json_of(&s->downtime_ms), "bytes",
                       json_of(&s->bytes), "exposure_ms", json_of(&s->exposure_ms), "actual", actual);
    if (!record || history_append(m->state_dir, json_incref(record), &err) < 0)
        log_event("run", "history", "not written: %s (%s)", err.what, err.why);
}
