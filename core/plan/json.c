/* SPDX-License-Identifier: Apache-2.0
 * A plan as JSON: every strategy with its price, its disks and its findings, in rank order.
 * What scripts read; names stand in it as they are, JSON quotes them. */
#include "facts/json.h"
#include "plan/plan.h"

static json_t *json_of_estimate(const struct estimate *e)
{
    OWNED_JSON o = json_object();

    if (!o || json_put_u64(o, "low", e->low) < 0 || json_put_u64(o, "likely", e->likely) < 0 ||
        json_put_u64(o, "high", e->high) < 0)
        return NULL;
    return HAND_OVER(o);
}

static json_t *json_of_price(const struct price *p)
{
    OWNED_JSON o = json_object();

    if (!o || json_put(o, "time_ms", json_of_estimate(&p->time_ms)) < 0 ||
        json_put(o, "downtime_ms", json_of_estimate(&p->downtime_ms)) < 0 ||
        json_put(o, "bytes", json_of_estimate(&p->bytes)) < 0 ||
        json_put(o, "exposure_ms", json_of_estimate(&p->exposure_ms)) < 0)
        return NULL;
    return HAND_OVER(o);
}

/* The two ways of a strategy that is armed for post-copy. */
static json_t *json_of_branches(const struct strategy *s)
{
    OWNED_JSON o = json_object();

    if (!o || json_put(o, "stays", json_of_price(&s->stays)) < 0 ||
        json_put(o, "switches", json_of_price(&s->switches)) < 0)
        return NULL;
    return HAND_OVER(o);
}

static json_t *json_of_findings(const struct findings *f)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < f->n; i++)
        if (json_array_append_new(list, finding_to_json(&f->list[i])) < 0)
            return NULL;
    return HAND_OVER(list);
}

/* A list, not an object by target: order matters, and a target from outside is no key. */
static json_t *json_of_disks(const struct plan *p, const struct strategy *s)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < p->facts->domain.n_disks; i++) {
        OWNED_JSON o = json_object();

        if (!o || json_put_text(o, "target", p->facts->domain.disks[i].target) < 0 ||
            json_put_text(o, "treatment", treatment_word(s->disks[i])) < 0 || json_array_append(list, o) < 0)
            return NULL;
    }
    return HAND_OVER(list);
}

static json_t *json_of_channel(const struct channel *c)
{
    OWNED_JSON o = json_object();

    if (!o || json_put_text(o, "driver", c->driver) < 0 || json_put_text(o, "dest_uri", c->dest_uri) < 0 ||
        json_put_text(o, "data_uri", c->data_uri) < 0 ||
        json_put_text(o, "peer_address", c->peer_address) < 0 ||
        (c->data_address && (json_put_text(o, "data_address", c->data_address) < 0 ||
                             json_put_flag(o, "is_data_trusted", c->is_data_trusted) < 0)) ||
        json_put_u64(o, "protects_control", c->protects_control) < 0 ||
        json_put_u64(o, "protects_data", c->protects_data) < 0 ||
        json_put_flag(o, "was_probed", c->was_probed) < 0 ||
        json_put_flag(o, "is_trusted", c->is_trusted) < 0)
        return NULL;
    return HAND_OVER(o);
}

static json_t *json_of_strategy(const struct plan *p, const struct strategy *s)
{
    const struct finding *refuses = plan_refuses(p, s);
    OWNED_JSON o = json_object();

    if (!o || json_put_text(o, "id", s->id) < 0 || json_put_flag(o, "valid", !refuses) < 0 ||
        (refuses && json_put_text(o, "refused_by", refuses->id) < 0) ||
        json_put_flag(o, "alternative", s->is_alternative) < 0 ||
        json_put_text(o, "mode", memory_mode_word(s->mode)) < 0 ||
        json_put_text(o, "hand_over", hand_over_word(s->hand_over)) < 0 ||
        json_put_flag(o, "p2p", s->is_p2p) < 0 || json_put_u64(o, "connections", s->connections) < 0 ||
        (s->connections > 1 && channel_forwards(s->channel, s->connections) > 0 &&
         json_put_u64(o, "forwards", channel_forwards(s->channel, s->connections)) < 0) ||
        (s->mode != MODE_OFFLINE && json_put_u64(o, "survives_cut_ms", CUT_SURVIVED_MS(s->is_p2p)) < 0) ||
        json_put(o, "channel", json_of_channel(s->channel)) < 0 ||
        json_put(o, "disks", json_of_disks(p, s)) < 0 ||
        json_put_flag(o, "needs_unsafe", s->needs_unsafe) < 0 ||
        json_put(o, "time_ms", json_of_estimate(&s->time_ms)) < 0 ||
        json_put(o, "downtime_ms", json_of_estimate(&s->downtime_ms)) < 0 ||
        json_put(o, "bytes", json_of_estimate(&s->bytes)) < 0 ||
        json_put(o, "exposure_ms", json_of_estimate(&s->exposure_ms)) < 0 ||
        json_put_flag(o, "may_not_end", s->may_not_end) < 0 ||
        (s->mode == MODE_POSTCOPY && json_put(o, "branches", json_of_branches(s)) < 0) ||
        json_put(o, "findings", json_of_findings(&s->findings)) < 0)
        return NULL;
    return HAND_OVER(o);
}

static json_t *json_of_strategies(const struct plan *p)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < p->n; i++)
        if (json_array_append_new(list, json_of_strategy(p, &p->list[i])) < 0)
            return NULL;
    return HAND_OVER(list);
}

static json_t *json_of_refusal(const struct plan *p)
{
    struct error err = { 0 };

    (void)plan_refusal(p, &err);
    return json_of_error(&err);
}

json_t *plan_to_json(const struct plan *p)
{
    const struct strategy *chosen = plan_chosen(p);
    OWNED_JSON o = json_object();

    if (!o || json_put_text(o, "domain", p->facts->domain.name) < 0 ||
        json_put_text(o, "uuid", p->facts->domain.uuid) < 0 ||
        json_put_text(o, "source", p->facts->source.name) < 0 ||
        json_put_text(o, "dest", p->facts->dest.name) < 0 ||
        json_put_text(o, "chosen", chosen ? chosen->id : NULL) < 0 ||
        (!chosen && json_put(o, "refusal", json_of_refusal(p)) < 0) ||
        json_put_u64(o, "max_downtime_ms", p->max_downtime_ms) < 0 ||
        json_put(o, "strategies", json_of_strategies(p)) < 0 ||
        json_put(o, "findings", json_of_findings(&p->findings)) < 0)
        return NULL;
    return HAND_OVER(o);
}
