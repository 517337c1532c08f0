/* SPDX-License-Identifier: Apache-2.0
 * The ways from a host to another: each transport driver asked, and the address that RAM and disks will
 * travel to as the source itself sees it. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/command.h"
#include "verbs/parameters.h"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(PROTECTS_ENCRYPTION == FERRY_PROTECTS_ENCRYPTION &&
                   PROTECTS_AUTHENTICATION == FERRY_PROTECTS_AUTHENTICATION,
               "facts have a driver's own figures");

static void channel_fill(struct channel *ch, struct arena *a, const struct ferry_transport *t,
                         const char *uri, const struct ferry_route *route)
{
    ch->driver = arena_text(a, t->name);
    ch->dest_uri = arena_text(a, uri);
    ch->peer_address = arena_text(a, route->address);
    ch->was_probed = route->from_source && route->address;
    ch->protects_control = (uint8_t)(route->protects_control > t->protects_control ? route->protects_control
                                                                                   : t->protects_control);
    ch->protects_data = (uint8_t)t->protects_data;
    ch->bytes_per_s = route->bytes_per_s;
    ch->latency_us = route->latency_us;
    if (route->forwards)
        ch->forwards = route->forwards;
    ch->data_address = arena_text(a, route->data_address);
    /* What was seen of control's link says nothing of another. */
    if (route->data_address)
        ch->bytes_per_s = NOT_KNOWN;
    ch->can_copy_disks = t->carries & FERRY_CARRIES_DISKS;
    ch->can_p2p = t->carries & FERRY_CARRIES_P2P;
    ch->can_multifd = t->carries & FERRY_CARRIES_MULTIFD;
    ch->can_postcopy = t->carries & FERRY_CARRIES_POSTCOPY;
}

static void channel_missing(struct facts *f, const struct ferry_transport *t, const char *host,
                            const struct error *failed)
{
    struct finding *finding = facts_add_finding(f, REFUSES, "channel-not-available", host);

    if (!finding)
        return;
    finding->what = arena_format(f->arena, "%s: %s", t->name, failed->what);
    finding->fix = failed->fix[0] ? arena_text(f->arena, failed->fix) : NULL;
}

/* What libvirt will be told of a move over it; a driver that asks for more than we know has no channel. */
static int take_parameters(struct facts *f, struct channel *ch, const struct ferry_transport *t,
                           struct ferry_call *call, const struct ferry_route *route)
{
    struct ferry_parameter p = { .size = sizeof p };
    int r;

    for (uint32_t i = 0; (r = t->parameter(call, &call_services, route, i, &p)) == 0; i++) {
        const struct parameter one = { arena_text(f->arena, p.name), arena_text(f->arena, p.value) };
        struct parameter *grown;

        if (text_equal(p.name, "migrate_uri")) {
            ch->data_uri = one.value;
            continue;
        }
        if (!parameter_is_known(&one) || ch->n_parameters == FACTS_MAX_PARAMETERS) {
            call->error_was_set = true;
            return error_set(
                call->err, ERROR_FAILED, call->host->host,
                "driver '%s' wants libvirt told '%s' = '%s', which this virt-ferry does not know", t->name,
                p.name ? p.name : "", p.value ? p.value : "");
        }
        grown = arena_grown(f->arena, ch->parameters, ch->n_parameters, sizeof *grown);
        if (!grown)
            return -ERROR_MEMORY;
        ch->parameters = grown;
        grown[ch->n_parameters++] = one;
    }
    return r < 0 ? -1 : 0;
}

/* What a driver found while its channel is there is about that channel alone. */
static void about_channel(struct facts *f, size_t from, const char *driver)
{
    for (size_t i = from; i < f->findings.n; i++)
        f->findings.list[i].where = arena_text(f->arena, driver);
}

static int take_channel(struct facts *f, const struct ferry_transport *t, struct ferry_call *call,
                        const char *uri, const struct ferry_route *route)
{
    struct channel *ch = facts_add_channel(f);

    if (!ch)
        return -ERROR_MEMORY;
    channel_fill(ch, f->arena, t, uri, route);
    if (take_parameters(f, ch, t, call, route) == 0)
        return 0;
    f->n_channels--;
    return -1;
}

/* What the source saw is right, whatever was seen from here. */
static void correct_route(struct ferry_route *route, const json_t *seen)
{
    const char *address = json_text(seen, "address", NULL);

    if (address)
        route->address = address;
    route->from_source = address ? json_flag(seen, "was_reached", false)
                                 : route->from_source && json_flag(seen, "is_here", false);
}

/* What is known before the driver looks. */
static struct ferry_route route_before(const struct child *c, const struct ferry_transport *t,
                                       const json_t *seen)
{
    const json_t *source = json_child(seen, "source");

    if (!text_equal(json_text(source, "driver", NULL), t->name))
        source = NULL;
    return (struct ferry_route){ .size = sizeof(struct ferry_route),
                                 .latency_us = NOT_KNOWN,
                                 .bytes_per_s = NOT_KNOWN,
                                 .address = json_text(seen, "address", NULL),
                                 .data_name = json_text(seen, "data_name", NULL),
                                 .is_here = json_flag(seen, "is_here", false),
                                 .data_folder = c->way.data_folder[0] ? c->way.data_folder : NULL,
                                 .source_uri = json_text(source, "uri", NULL),
                                 .source_folder = json_text(source, "folder", NULL),
                                 .domain = json_text(seen, "domain", NULL),
                                 .patience_ms = json_u64(seen, "patience_ms", 0),
                                 .data_address = json_text(seen, "data_address", NULL) };
}

/* A driver that does not know of the address would send data to another one. */
static int check_via(const struct ferry_transport *t, const struct ferry_route *route, struct error *err)
{
    if (!route->data_address || (t->carries & FERRY_CARRIES_VIA))
        return 0;
    error_set(err, ERROR_REFUSED, NULL, "its data cannot go to %s, an address of its own",
              route->data_address);
    return error_fix(err, "Take another channel, or leave --via out.");
}

int probe_channel(struct child *c, struct facts *f, const struct ferry_transport *t,
                  const struct plugin_entry *owner, const char *uri, const char *host, const json_t *seen,
                  struct error *err)
{
    struct call_host lent = verb_call_host(c);
    struct ferry_call call;
    struct ferry_route route = route_before(c, t, seen);
    struct error failed = { 0 };
    const size_t before = f->findings.n;
    bool is_there = false;

    if (call_begin(&call, &lent, owner, t->name, host, f, &failed) < 0)
        return error_memory(err);
    if (!uri)
        uri = t->uri(&call, &call_services, host);
    if (check_via(t, &route, &failed) < 0)
        call.error_was_set = true;
    else if (uri && t->probe(&call, &call_services, uri, &route) == 0) {
        correct_route(&route, seen);
        is_there = take_channel(f, t, &call, uri, &route) == 0;
        if (is_there)
            about_channel(f, before, t->name);
        else
            f->findings.n = before;
    }
    if (!is_there) {
        (void)call_failed(&call, "probing");
        if (f->findings.n == before)
            channel_missing(f, t, host, &failed);
    }
    call_done(&call);
    return arena_failed(f->arena) ? error_memory(err) : 0;
}

/* {"uri" or "host", "seen", "driver" (absent: all)}: the channels that the drivers offer, in "facts"
 * (channels and findings); drivers whose way must be opened first are asked in the worker of that way.
 * "seen": {"is_here": this machine is the source, "address" of the destination as the source sees it,
 * "was_reached" from there, "data_name" that the user gave, "source": the way to it, where it is not this
 * machine, "domain", "patience_ms" and "data_address" as in ferry_route} */
int verb_probe(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *uri = json_text(args, "uri", NULL), *host = json_text(args, "host", c->host);
    const char *driver = json_text(args, "driver", NULL);
    OWNED(facts) f = facts_new();

    if (!f)
        return error_memory(err);
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; !owner->refused && k < owner->n_transports; k++) {
            const struct ferry_transport *t = &owner->transports[k];

            if (t->open || t->rides || (driver && !text_equal(driver, t->name)) ||
                (uri && !verb_is_of_scheme(uri, t->uri_scheme)))
                continue;
            if (probe_channel(c, f, t, owner, uri, host, json_child(args, "seen"), err) < 0)
                return -err->code;
        }
    }
    return json_put(reply, "facts", facts_to_json(f));
}

bool verb_is_of_scheme(const char *uri, const char *scheme)
{
    size_t n = strlen(scheme);

    return strncmp(uri, scheme, n) == 0 && strncmp(uri + n, "://", 3) == 0;
}

/* Resolves a name and tries all its addresses and ports at once, on the host where it runs; bash alone can
 * open a connection everywhere. The line that counts is the first. */
static const char find_address[] =
    "read -r host; read -r ports; first=; "
    "for a in $(getent ahosts \"$host\" | while read -r a kind rest; do "
    "case $kind in STREAM*) echo $a;; esac; done | head -n 8); do first=${first:-$a}; for p in $ports; do "
    "timeout 1 bash -c \"exec 3<>/dev/tcp/\\$0/\\$1\" \"$a\" \"$p\" 2>/dev/null && echo reached $a & "
    "done; done; wait; echo seen $first";

/* Without the brackets of an IPv6 address. */
static void bare_host(const char *host, char *buf, size_t size)
{
    const bool has_brackets = host[0] == '[';

    (void)snprintf(buf, size, "%.*s", (int)(strlen(host) - (has_brackets ? 2u : 0)), host + has_brackets);
}

/* {"host", "ports": "22 16509"}: {"address", "was_reached"} as seen from this host; {} when it does not know
 * the name */
int verb_address(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    char word[16], address[64], host[256];

    bare_host(json_text(args, "host", ""), host, sizeof host);
    text_add(&input, "%s\n%s\n", host, json_text(args, "ports", ""));
    if (input.failed)
        return error_memory(err);
    output = command_script(c, find_address, text_of(&input), ANSWER_MS - 500u, err);
    if (!output)
        return -err->code;
    if (sscanf(output, "%15s %63s", word, address) != 2 || !name_is_address(address))
        return 0;
    if (json_put_text(reply, "address", address) < 0 ||
        json_put_flag(reply, "was_reached", text_equal(word, "reached")) < 0)
        return error_memory(err);
    return 0;
}

static void add_addresses_here(const char *host, json_t *list)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *all = NULL;
    char address[64];

    if (getaddrinfo(host, NULL, &hints, &all) != 0)
        return;
    for (const struct addrinfo *i = all; i; i = i->ai_next)
        if (getnameinfo(i->ai_addr, i->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
            (void)json_array_append_new(list, json_string(address));
    freeaddrinfo(all);
}

/* {"host"}: all "addresses" that its name has, as this host resolves it; where nothing can be run there, as
 * this machine does */
int verb_name_addresses(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    static const char script[] = "read -r h; getent ahosts \"$h\" | while read -r a kind rest; do "
                                 "case $kind in STREAM*) echo $a;; esac; done";
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    char host[256], *rest = NULL;
    struct error ignored = { 0 };
    json_t *list = json_array();

    bare_host(json_text(args, "host", ""), host, sizeof host);
    text_add(&input, "%s\n", host);
    output = input.failed ? NULL : command_script(c, script, text_of(&input), ANSWER_MS - 500u, &ignored);
    if (!output && list)
        add_addresses_here(host, list);
    for (char *line = output ? strtok_r(output, "\n", &rest) : NULL; line && list;
         line = strtok_r(NULL, "\n", &rest))
        if (name_is_address(line))
            (void)json_array_append_new(list, json_string(line));
    return json_put(reply, "addresses", list) < 0 ? error_memory(err) : 0;
}
