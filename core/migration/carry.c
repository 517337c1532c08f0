/* SPDX-License-Identifier: Apache-2.0
 * libvirt is asked to migrate, and watched: progress, the user's wish to stop, the time-out, and the gate,
 * where a held message is answered by a look at the destination. What libvirt returns is kept as a hint. */
#include "facts/map.h"
#include "migration/monitor.h"
#include "migration/steps.h"
#include "verbs/parameters.h"

#include <string.h>

#define STEP_MS 20
#define GATE_LOOK_MS                                                                                         \
    15000u /* how long the destination may need to answer before the outcome is not known                    \
            */

/* Which disks libvirt copies, which of them without what they rest on, and which no longer rest on anything.
 */
static int disks_to_copy(struct move *m, json_t *args)
{
    json_t *disks = json_array(), *flat = json_array();
    bool is_incremental = false;

    for (size_t i = 0; disks && flat && i < m->facts->domain.n_disks; i++) {
        const struct disk *d = &m->facts->domain.disks[i];
        const enum treatment t = m->strategy->disks[i];

        /* Of a domain that is shut off they are there already, and libvirt refuses to hear of them. */
        if (m->is_offline)
            continue;
        if (treatment_copies(t))
            (void)json_array_append_new(disks, json_string(d->target));
        if (t == TREAT_COPY && d->n_chain > 0)
            (void)json_array_append_new(flat, json_string(d->target));
        is_incremental |= treatment_rests(t);
    }
    if (json_put(args, "disks", disks) < 0) {
        json_decref(flat);
        return -1;
    }
    return json_put(args, "flat", flat) < 0 || json_put_flag(args, "is_incremental", is_incremental) < 0 ? -1
                                                                                                         : 0;
}

/* Where nothing but a trusted network protects the definition on its way. */
static bool rests_on_trust(const struct move *m)
{
    const struct channel *ch = m->strategy->channel;

    return ch->protects_control < PROTECTS_ENCRYPTION && ch->is_trusted && !m->o->limits.allow_cleartext;
}

/* libvirt at the source resolves a name by itself: where trust is of an address, it is given that. Who asks
 * for a password there knows it by the name. */
static int put_p2p_uri(const struct move *m, json_t *args)
{
    const struct channel *ch = m->strategy->channel;
    const char *slashes = strstr(ch->dest_uri, "://");
    const char *host = slashes ? slashes + 3 : ch->dest_uri;
    const char *rest = host + (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#"));
    const bool has_colon = ch->peer_address && strchr(ch->peer_address, ':');
    OWNED_TEXT uri = { 0 };

    if (!rests_on_trust(m) || ch->protects_control > 0 || memchr(host, '@', strcspn(host, "/?#")))
        return json_put_text(args, "p2p_uri", ch->dest_uri);
    text_add(&uri, "%.*s%s%s%s%s", (int)(host - ch->dest_uri), ch->dest_uri, has_colon ? "[" : "",
             ch->peer_address, has_colon ? "]" : "", rest);
    return uri.failed ? -1 : json_put_text(args, "p2p_uri", text_of(&uri));
}

/* With several connections QEMU opens them by itself and knows the name by the address; libvirt 9.0 then has
 * none for the disks that it copies over TLS, and QEMU refuses the certificate. */
static int put_parameters(const struct move *m, json_t *args)
{
    const struct channel *ch = m->strategy->channel;
    const bool has_disks = json_array_size(json_child(args, "disks")) > 0;
    const char *address = channel_data_address(ch);
    json_t *list = parameters_to_json(ch, has_disks);

    if (list && has_disks && address && m->strategy->connections > 1 && channel_has_tls(ch) &&
        !channel_parameter(ch, "tls.destination") &&
        json_array_append_new(list, json_pack("{ss ss}", "name", "tls.destination", "value", address)) < 0) {
        json_decref(list);
        return -1;
    }
    return json_put(args, "parameters", list);
}

static json_t *migrate_args(struct move *m, struct error *err)
{
    OWNED_JSON args =
        json_pack("{ss ss ss sb sb sb}", "uuid", m->uuid, "data_uri", m->strategy->channel->data_uri, "mode",
                  memory_mode_word(m->strategy->mode), "is_persistent", (int)m->is_persistent, "stay_paused",
                  (int)m->is_held, "unsafe_with_proof", (int)m->strategy->needs_unsafe);
    uint64_t cap = m->o->limits.bandwidth_bytes_per_s;

    if (!args || disks_to_copy(m, args) < 0 ||
        json_put_flag(args, "is_peer_trusted", rests_on_trust(m) && !m->is_p2p) < 0 ||
        (m->is_p2p && put_p2p_uri(m, args) < 0) ||
        (m->strategy->channel->data_address && text_starts(m->strategy->channel->data_uri, "tcp:") &&
         json_put_text(args, "listen_address", m->strategy->channel->data_address) < 0) ||
        put_parameters(m, args) < 0 ||
        (m->o->n_maps && json_put(args, "maps", maps_to_json(m->o->maps, m->o->n_maps)) < 0) ||
        (m->strategy->connections > 1 && json_put_u64(args, "connections", m->strategy->connections) < 0) ||
        (cap != NOT_KNOWN && json_put_u64(args, "bandwidth_mib_per_s", cap >> 20 ? cap >> 20 : 1u) < 0)) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(args);
}

static void close_gate(struct move *m, const char *why)
{
    struct error err = { 0 };

    (void)move_record(m, "gate-closed", json_pack("{ss}", "why", why), &err);
    gate_close(m->gate);
    worker_kill(m->mover);
}

static void let_through(struct move *m)
{
    struct error err = { 0 };

    /* Without the record a later recovery would not know that the source may run: then it must not. */
    if (move_record(m, "gate-let-through", NULL, &err) < 0)
        close_gate(m, "the journal could not be written");
    else
        gate_let_through(m->gate);
}

/* The source is paused for as long as the gate holds: what the table says of the destination then. */
static enum decision decide_at_gate(struct move *m)
{
    struct evidence e = { .source = { .state = SIDE_PAUSED,
                                      .reason = m->was_paused ? REASON_USER : REASON_MIGRATION },
                          .dest = look_at(m, true),
                          .was_asked = true,
                          .was_paused = m->was_paused,
                          .dest_destroyed = journal_last(m->journal, "dest-destroy-done") != NULL };

    e.dest_rebooted = e.dest.has_rebooted;
    return e.dest.state == SIDE_NOT_KNOWN ? DECIDE_WAIT : outcome_decide(&e);
}

/* libvirt is about to resume the source. Nothing is let through that was not seen to be right. */
static void serve_gate(struct move *m)
{
    uint64_t until = loop_now_ms() + GATE_LOOK_MS;
    struct error err = { 0 };

    move_say(m,
             "libvirt could not see the end of the move; the destination is looked at before the source may "
             "run");
    if (move_record(m, "gate-holding", NULL, &err) < 0) {
        close_gate(m, "the journal could not be written");
        return;
    }
    while (gate_is_holding(m->gate) && loop_now_ms() < until) {
        const enum decision d = decide_at_gate(m);

        /* Stopped since: it is looked at again. */
        if (look_is_stale(m) && d != DECIDE_WAIT)
            continue;
        switch (d) {
        case DECIDE_STAYED:
        case DECIDE_RESUME_SOURCE:
            let_through(m);
            return;
        case DECIDE_DROP_DEST: /* and the next look shows whether that came to pass */
            if (move_act(m, true, "dest-destroy", "destroy", &err) == 0)
                break;
            __attribute__((fallthrough));
        case DECIDE_WAIT:
            (void)loop_step(m->loop, 300, &err);
            break;
        default:
            close_gate(m, "the destination runs, or may have run");
            return;
        }
    }
    if (gate_is_holding(m->gate)) {
        m->gave_up_looking = true;
        close_gate(m, "the destination could not be looked at");
    }
}

/* Where the data went and how stands in it too: post-copy that loses its link is taken up again from it. */
static int record_migrate(struct move *m, const json_t *args, struct error *err)
{
    return move_record(
        m, "migrate",
        json_pack("{ss sb ss sb sb sI sb ss* sO*}", "strategy", m->strategy->id, "is_held", (int)m->is_held,
                  "data_uri", m->strategy->channel->data_uri, "is_offline", (int)m->is_offline, "is_p2p",
                  (int)m->is_p2p, "connections", (json_int_t)m->strategy->connections, "is_peer_trusted",
                  (int)json_flag(args, "is_peer_trusted", false), "listen_address",
                  json_text(args, "listen_address", NULL), "parameters", json_child(args, "parameters")),
        err);
}

static void follow(struct move *m, struct call *migrate, struct error *err)
{
    struct monitor mon;

    monitor_begin(m, &mon);
    (void)loop_waits_for(m->loop, "libvirt to end the migration");
    while (!call_is_over(migrate)) {
        if (loop_step(m->loop, STEP_MS, err) < 0)
            break;
        if (m->gate && gate_is_holding(m->gate))
            serve_gate(m);
        else
            monitor_step(m, &mon);
        /* libvirt takes a fifth of a second from here to its answer. Not before: until now the guest may
         * have stood still, and what is begun beside that prolongs it. */
        if (m->gate && gate_saw_confirmed(m->gate) && !m->ahead_ms) {
            look_ahead(m);
            survey_dismiss(&m->survey);
        }
    }
    (void)loop_waits_for(m->loop, "");
    monitor_done(&mon);
}

int carry_over(struct move *m, struct error *err)
{
    OWNED(call) migrate = NULL;
    json_t *args = migrate_args(m, err);

    if (!args)
        return -err->code;
    if (record_migrate(m, args, err) < 0) {
        json_decref(args);
        return -err->code;
    }
    m->carried_ms = loop_now_ms();
    m->actual = (struct actual){ .first_ms = NOT_KNOWN,
                                 .processed_bytes = NOT_KNOWN,
                                 .qemu_setup_ms = NOT_KNOWN,
                                 .passes = NOT_KNOWN,
                                 .first_pass_bytes = NOT_KNOWN,
                                 .postcopy_ms = NOT_KNOWN,
                                 .disk_bytes = NOT_KNOWN,
                                 .disk_total_bytes = NOT_KNOWN,
                                 .job_began_ms = NOT_KNOWN,
                                 .resumed_ms = NOT_KNOWN };
    migrate = worker_ask(m->mover, "migrate", args, 0, err);
    if (!migrate)
        return -err->code;
    follow(m, migrate, err);
    m->actual.carry_ms = loop_now_ms() - m->carried_ms;
    /* From a success on libvirt never lets the source run again: a look later may not show that any more. */
    if (call_is_over(migrate) && call_wait(migrate, NULL, &m->libvirt) == 0)
        (void)move_record(m, "migrated", NULL, err);
    return 0;
}
