/* SPDX-License-Identifier: Apache-2.0
 * The destination's own word comes first, over a way that can run commands; then what the source knows of its
 * name. */
#include "host/via.h"

#include "base/name.h"
#include "base/text.h"
#include "state/config.h"
#include "state/network.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_NAMED 6u

static const char *wanted(const struct survey *s)
{
    char key[300];

    if (s->via || !s->config)
        return s->via;
    (void)snprintf(key, sizeof key, "%s.via", s->dest_host);
    return config_get(s->config, "hosts", key);
}

static void ask_the_host(struct openings *o, json_t *list)
{
    for (size_t i = 0; i < o->n; i++)
        if (openings_wait(o, i))
            way_addresses(o->list[i], list);
}

static void ask_for_its_name(struct survey *s, json_t *list)
{
    OWNED_JSON reply = NULL;
    struct error ignored = { 0 };
    const json_t *more;

    if (worker_do(s->source, "name-addresses", json_pack("{ss}", "host", s->dest_host), ANSWER_MS, &reply,
                  &ignored) < 0)
        return;
    more = json_child(reply, "addresses");
    if (more)
        (void)json_array_extend(list, (json_t *)(uintptr_t)more);
}

/* Of a link alone: another host needs to know by which of its own links, and nothing says so. */
static bool is_of_a_link(const char *address)
{
    static const struct network links = { .family = AF_INET6, .address = { 0xfe, 0x80 }, .prefix_bits = 10 };

    return network_holds(&links, address);
}

static bool take_first(struct survey *s, const struct network *n, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *address = json_string_value(one);

        if (!address || !name_is_address(address) || is_of_a_link(address) || !network_holds(n, address))
            continue;
        (void)snprintf(s->via_address, sizeof s->via_address, "%s", address);
        return true;
    }
    return false;
}

static int not_found(const struct survey *s, const char *via, const json_t *list, struct error *err)
{
    OWNED_TEXT has = { 0 };
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one) if (i < MOST_NAMED)
        text_add(&has, "%s%s", i ? ", " : "", json_string_value(one));
    error_set(err, ERROR_REFUSED, s->dest_host, "no address of '%s' in network %s is known", s->dest_host,
              via);
    error_why(err, has.len ? "known are %s" : "nothing is known of its addresses%s", text_of(&has));
    return error_fix(err,
                     "Give the address itself: --via ADDRESS, or '%s.via = ADDRESS' in [hosts] of the "
                     "configuration.",
                     s->dest_host);
}

int via_resolve(struct survey *s, struct openings *o, struct error *err)
{
    const char *via = wanted(s);
    OWNED_JSON list = via ? json_array() : NULL;
    struct network n;

    if (!via)
        return 0;
    if (network_parse(via, &n, err) < 0)
        return -err->code;
    if (name_is_address(via)) {
        /* Spelled as hosts spell their own. */
        if (!inet_ntop(n.family, n.address, s->via_address, sizeof s->via_address))
            return error_errno(err, NULL, "could not write the address '%s'", via);
        return 0;
    }
    if (!list)
        return error_memory(err);
    ask_the_host(o, list);
    if (take_first(s, &n, list))
        return 0;
    ask_for_its_name(s, list);
    return take_first(s, &n, list) ? 0 : not_found(s, via, list, err);
}
