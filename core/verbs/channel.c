/* SPDX-License-Identifier: Apache-2.0
 * What the channels' drivers say of this worker's host, once both hosts are connected. */
#include "verbs/verbs.h"

#include "base/text.h"

static int check_channel(struct child *c, const struct channel *ch, bool at_dest, struct facts *to,
                         struct error *err)
{
    struct call_host lent = verb_call_host(c);
    const struct plugin_entry *owner;
    const struct ferry_transport *t = registry_transport(ch->driver, &owner);
    const struct ferry_route route = { .size = sizeof route,
                                       .from_source = ch->was_probed,
                                       .address = ch->peer_address,
                                       .latency_us = ch->latency_us,
                                       .bytes_per_s = ch->bytes_per_s,
                                       .data_name = channel_parameter(ch, "tls.destination"),
                                       .data_address = ch->data_address };
    struct error failed = { 0 };
    struct ferry_call call;

    if (!t || !t->check)
        return 0;
    if (call_begin(&call, &lent, owner, t->name, t->name, to, &failed) < 0)
        return error_memory(err);
    if (t->check(&call, &call_services, ch->dest_uri, &route, at_dest) < 0) {
        struct finding *finding = facts_add_finding(to, WARNS, "channel-not-checked", ch->driver);

        (void)call_failed(&call, NULL);
        if (finding)
            finding->what = arena_text(to->arena, failed.what);
    }
    call_done(&call);
    return 0;
}

/* {"facts": with channels, "at_dest"}: "facts" with the findings */
int verb_check_channels(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    OWNED(facts) found = facts_new();

    if (!f)
        return -err->code;
    if (!found)
        return error_memory(err);
    for (size_t i = 0; i < f->n_channels; i++)
        if (check_channel(c, &f->channels[i], json_flag(args, "at_dest", false), found, err) < 0)
            return -err->code;
    return json_put(reply, "facts", facts_to_json(found)) < 0 ? error_memory(err) : 0;
}
