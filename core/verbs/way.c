/* SPDX-License-Identifier: Apache-2.0
 * The worker that holds a way open: opens it through its driver, says which channel it makes, and takes it
 * down when the parent is gone, however that went. */
#include "verbs/verbs.h"

#include "base/log.h"
#include "base/name.h"
#include "base/text.h"
#include "verbs/machine.h"
#include "worker/sockets.h"
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* This worker's own way; there is one in a process. */
static int lock_fd = -1, data_lock_fd = -1;

static void close_way(struct child *c)
{
    struct call_host lent = verb_call_host(c);
    struct ferry_call call;
    struct error ignored = { 0 };

    if (call_begin(&call, &lent, c->way.owner, c->way.driver->name, c->host, NULL, &ignored) == 0) {
        c->way.driver->close(&call, &call_services);
        call_done(&call);
    }
    sockets_remove(c->way.folder);
    if (c->way.data_folder[0])
        sockets_remove(c->way.data_folder);
}

static int take_driver(struct child *c, const json_t *args, struct error *err)
{
    const char *driver = json_text(args, "driver", "");

    c->way.driver = registry_transport(driver, &c->way.owner);
    if (!c->way.driver || !c->way.driver->open)
        return error_set(err, ERROR_INPUT, c->host, "no transport driver '%s' opens ways", driver);
    return 0;
}

static int open_way(struct child *c, struct ferry_call *call, const json_t *args, struct ferry_way *way)
{
    const char *uri = json_text(args, "uri", NULL);

    if (!uri)
        uri = c->way.driver->uri(call, &call_services, json_text(args, "host", c->host));
    if (!uri)
        return -1;
    if (snprintf(c->way.uri, sizeof c->way.uri, "%s", uri) >= (int)sizeof c->way.uri)
        return error_set(call->err, ERROR_USAGE, c->host, "its URI is too long");
    return c->way.driver->open(call, &call_services, uri, c->way.folder, way);
}

/* Where QEMU opens sockets only root can make room for them: without it no data goes through the way. On a
 * machine without QEMUs it is a path, for the other hosts. */
static int make_data_folder(struct child *c, struct error *err)
{
    char hex[17];

    if (!c->way.driver->open_data || geteuid() != 0)
        return 0;
    if (access(SOCKETS_QEMU_DIR, X_OK) == 0) {
        sockets_sweep(SOCKETS_DATA_DIR);
        return sockets_make(SOCKETS_DATA_DIR, SOCKETS_PASSED, c->way.data_folder, sizeof c->way.data_folder,
                            &data_lock_fd, err);
    }
    if (name_random_hex(hex, 8, err) < 0)
        return -err->code;
    (void)snprintf(c->way.data_folder, sizeof c->way.data_folder, SOCKETS_DATA_DIR "/way-%s", hex);
    return 0;
}

static int put_way(struct child *c, json_t *reply, const struct ferry_way *way, struct error *err)
{
    if (json_put_text(reply, "uri", c->way.uri) < 0 || json_put_text(reply, "folder", c->way.folder) < 0 ||
        json_put_text(reply, "socket", way->socket) < 0 ||
        json_put_text(reply, "libvirt_uri", way->libvirt_uri) < 0)
        return error_memory(err);
    return 0;
}

/* {"driver", "uri" or "host", "patience_ms" as in ferry_way}: {"uri", "folder", "socket", "libvirt_uri"};
 * where there is no way:
 * {"error", "facts" with the findings} */
static int verb_way_open(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    struct ferry_way way = { .size = sizeof way, .patience_ms = (uint32_t)json_u64(args, "patience_ms", 0) };
    struct error failed = { 0 };
    struct ferry_call call;
    OWNED(facts) f = facts_new();
    char parent[SOCKETS_PATH_SIZE];
    int r;

    if (!f)
        return error_memory(err);
    sockets_dir(parent, sizeof parent);
    sockets_sweep(parent);
    if (take_driver(c, args, err) < 0 ||
        sockets_make(parent, SOCKETS_CLOSED, c->way.folder, sizeof c->way.folder, &lock_fd, err) < 0)
        return -err->code;
    if (make_data_folder(c, err) < 0) {
        sockets_remove(c->way.folder);
        return -err->code;
    }
    if (call_begin(&call, &lent, c->way.owner, c->way.driver->name, c->host, f, &failed) < 0)
        return error_memory(err);
    c->at_end = close_way;
    if (open_way(c, &call, args, &way) == 0 && way.socket && way.libvirt_uri) {
        /* From here on the end of the socket to the parent says that it is gone, and there is time to tidy.
         */
        (void)prctl(PR_SET_PDEATHSIG, 0);
        r = put_way(c, reply, &way, err);
    } else {
        (void)call_failed(&call, NULL);
        failed.code = ERROR_CONNECTION;
        r = json_put(reply, "error", json_of_error(&failed)) < 0 ||
                    json_put(reply, "facts", facts_to_json(f)) < 0
                ? error_memory(err)
                : 0;
    }
    call_done(&call);
    return r;
}

static int add_channel(struct child *c, struct facts *f, const struct ferry_transport *t,
                       const struct plugin_entry *owner, const json_t *args, struct error *err)
{
    return probe_channel(c, f, t, owner, c->way.uri, json_text(args, "host", c->host),
                         json_child(args, "seen"), err);
}

/* {"host", "seen" as for probe}: the way as a channel of its driver and of those that ride on it, in "facts"
 */
static int verb_way_channel(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_new();

    if (!f)
        return error_memory(err);
    if (add_channel(c, f, c->way.driver, c->way.owner, args, err) < 0)
        return -err->code;
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; !owner->refused && k < owner->n_transports; k++)
            if (text_equal(owner->transports[k].rides, c->way.driver->name) &&
                add_channel(c, f, &owner->transports[k], owner, args, err) < 0)
                return -err->code;
    }
    return json_put(reply, "facts", facts_to_json(f));
}

/* {"address", "owner" (absent: not known), "source", "domain" and "data_address" as for probe,
 * "connections"}: opens what RAM and disks take; {} */
static int verb_way_data(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    const json_t *source = json_child(args, "source");
    const struct ferry_route route = { .size = sizeof route,
                                       .from_source = 1,
                                       .is_here = !source,
                                       .source_uri = json_text(source, "uri", NULL),
                                       .source_folder = json_text(source, "folder", NULL),
                                       .domain = json_text(args, "domain", NULL),
                                       .address = json_text(args, "address", NULL),
                                       .latency_us = NOT_KNOWN,
                                       .bytes_per_s = NOT_KNOWN,
                                       .data_folder = c->way.data_folder,
                                       .data_address = json_text(args, "data_address", NULL),
                                       .connections = (uint32_t)json_u64(args, "connections", 1) };
    struct ferry_call call;
    int r = 0;

    (void)reply;
    if (!c->way.driver || !c->way.driver->open_data || !c->way.data_folder[0])
        return error_set(err, ERROR_FAILED, c->host, "its way carries no data");
    if (call_begin(&call, &lent, c->way.owner, c->way.driver->name, c->host, NULL, err) < 0)
        return -err->code;
    if (c->way.driver->open_data(&call, &call_services, c->way.uri, c->way.folder, &route,
                                 json_text(args, "owner", NULL)) < 0)
        r = call_failed(&call, "opening the way for RAM and disks");
    call_done(&call);
    return r;
}

/* {}: "error" when something of the way has ended by itself; {} where nothing is known of that */
static int verb_way_ended(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    struct error told = { 0 };
    struct ferry_call call;
    bool has_ended;

    (void)args;
    if (!c->way.driver || !c->way.driver->ended)
        return 0;
    if (call_begin(&call, &lent, c->way.owner, c->way.driver->name, c->host, NULL, &told) < 0)
        return error_memory(err);
    has_ended = c->way.driver->ended(&call, &call_services, c->way.uri) < 0;
    if (has_ended)
        (void)call_failed(&call, NULL);
    call_done(&call);
    return has_ended ? json_put(reply, "error", json_of_error(&told)) : 0;
}

/* {}: "addresses" of the host, empty where it cannot be asked */
static int verb_way_addresses(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_new();
    OWNED_MEMORY char *said = machine_ask(c);
    json_t *list = json_array();

    (void)args;
    if (f && said)
        machine_read(said, f->arena, &f->dest);
    for (size_t i = 0; f && list && i < f->dest.addresses.n; i++)
        (void)json_array_append_new(list, json_string(f->dest.addresses.names[i]));
    return json_put(reply, "addresses", list) < 0 ? error_memory(err) : 0;
}

const struct verb verbs_way[] = {
    { "way-open", verb_way_open },   { "way-channel", verb_way_channel },     { "way-data", verb_way_data },
    { "way-ended", verb_way_ended }, { "way-addresses", verb_way_addresses }, { NULL, NULL },
};
