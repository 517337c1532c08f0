/* SPDX-License-Identifier: Apache-2.0
 * The callbacks of a transport driver under hosts of every kind and addresses where nothing listens. */
#include "conform/trial.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MOST_PARAMETERS 64u
#define GOOD_HOSTS 3u

static const char *const hosts[] = {
    "hostB", "10.0.0.5", "fd00::5",     "", "-oProxyCommand=touch x", "a b\n'\"`$(id)\033[31m%s%n",
    "[",     "a@b@c",    "../../x?y#z",
};
#define HOSTS (sizeof hosts / sizeof hosts[0])

/* Behind the scheme; the first one is good, and nobody listens there. */
static const char *const places[] = {
    "://127.0.0.1:1/system",
    "://[::1]:1/system",
    "://",
    "",
    "://-oProxyCommand=touch/system",
    "://host.invalid/system",
    "://a b\n'\"`$(id)\033[31m%s%n/system",
    "://127.0.0.1:99999/system",
};
#define PLACES (sizeof places / sizeof places[0])

static const char *const moods[MOODS] = { "", " with services of an older host",
                                          " with services without memory" };

static void uri(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / HOSTS);
    const char *host = hosts[i % HOSTS], *scheme = t->transport->uri_scheme, *got;

    trial_begin(t, mood, TRIAL_QUESTION_MS, "uri of host '%s'%s", host, moods[mood]);
    got = t->transport->uri(&t->now.call, t->now.services, host);
    trial_texts(t, (const struct trial_text[]){ { "the URI", got } }, 1);
    if (!got && !t->now.call.error_was_set)
        trial_note(t, "gives no URI and sets no error");
    if (!got && mood == MOOD_WILLING && i % HOSTS < GOOD_HOSTS)
        trial_note(t, "gives no URI: %s", t->now.err.what);
    if (got && (strncmp(got, scheme, strlen(scheme)) != 0 || strncmp(got + strlen(scheme), "://", 3) != 0))
        trial_note(t, "gives '%s', which does not begin with its uri_scheme", got);
    trial_end(t);
}

static bool is_numeric(const char *address)
{
    struct in6_addr ignored;

    return inet_pton(AF_INET, address, &ignored) == 1 || inet_pton(AF_INET6, address, &ignored) == 1;
}

static const char *place(struct trial *t, unsigned i)
{
    static char uri[256];

    (void)snprintf(uri, sizeof uri, "%s%s", t->transport->uri_scheme, places[i]);
    return uri;
}

static void probe(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / PLACES);
    const char *to = place(t, i % PLACES);
    struct ferry_route ret = { .size = sizeof ret };

    trial_begin(t, mood, TRIAL_QUESTION_MS, "probe of '%s'%s", to, moods[mood]);
    trial_result(t, t->transport->probe(&t->now.call, t->now.services, to, &ret));
    trial_texts(t, (const struct trial_text[]){ { "address", ret.address } }, 1);
    if (ret.from_source > 1)
        trial_note(t, "'from_source' is %u, and there are 0 and 1", (unsigned)ret.from_source);
    if (ret.address && !is_numeric(ret.address))
        trial_note(t, "'address' is not numeric: '%s'", ret.address);
    if (ret.size != sizeof ret)
        trial_note(t, "changes 'size' of what it fills");
    trial_end(t);
}

static const struct {
    const char *about, *address, *data_address;
} routes[] = { { "an IPv4 address", "10.0.0.5", NULL },
               { "an IPv6 address", "fd00::5", NULL },
               { "no known address", NULL, NULL },
               { "a hostile address", "a b\n'\"%s%n", NULL },
               { "a data address of its own", "10.0.0.5", "fd00:9::5" } };

#define ROUTES (sizeof routes / sizeof routes[0])

/* Only who declares that it knows of it is told. */
static const char *data_address(const struct trial *t, unsigned i)
{
    return t->transport->carries & FERRY_CARRIES_VIA ? routes[i % ROUTES].data_address : NULL;
}

static int one_parameter(struct trial *t, const struct ferry_route *route, unsigned i)
{
    struct ferry_parameter ret = { .size = sizeof ret };
    int result = t->transport->parameter(&t->now.call, t->now.services, route, i, &ret);

    if (result != 1)
        trial_result(t, result);
    if (result != 0)
        return result;
    trial_texts(t, (const struct trial_text[]){ { "name", ret.name }, { "value", ret.value } }, 2);
    if (!ret.name || !*ret.name || !ret.value)
        trial_note(t, "gives a parameter without a name or without a value");
    if (ret.reserved)
        trial_note(t, "'reserved' is %u, and not 0", (unsigned)ret.reserved);
    return 0;
}

static void parameter(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / ROUTES);
    const struct ferry_route route = {
        .size = sizeof route,
        .from_source = 1,
        .address = routes[i % ROUTES].address,
        .data_address = data_address(t, i),
        .latency_us = FERRY_NOT_KNOWN,
        .bytes_per_s = FERRY_NOT_KNOWN,
    };
    unsigned n = 0;

    trial_begin(t, mood, TRIAL_QUESTION_MS, "parameter of a route to %s%s", routes[i % ROUTES].about,
                moods[mood]);
    while (n <= MOST_PARAMETERS && one_parameter(t, &route, n) == 0)
        n++;
    if (n > MOST_PARAMETERS)
        trial_note(t, "never says that there are no more");
    trial_end(t);
}

static void open_and_close(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / PLACES);
    const char *to = place(t, i % PLACES);
    struct ferry_way ret = { .size = sizeof ret };
    int result;

    trial_begin(t, mood, TRIAL_OPEN_MS, "open of '%s'%s", to, moods[mood]);
    result = t->transport->open(&t->now.call, t->now.services, to, t->page->folder, &ret);
    trial_result(t, result);
    trial_texts(
        t, (const struct trial_text[]){ { "socket", ret.socket }, { "libvirt_uri", ret.libvirt_uri } }, 2);
    if (result == 0 && (!ret.socket || !ret.libvirt_uri))
        trial_note(t, "returns 0 without a socket or a libvirt_uri");
    /* Also when there was nothing to open. */
    t->transport->close(&t->now.call, t->now.services);
    trial_end(t);
}

static void ended(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / PLACES);
    const char *to = place(t, i % PLACES);

    trial_begin(t, mood, TRIAL_QUESTION_MS, "ended of '%s', which was never opened%s", to, moods[mood]);
    trial_result(t, t->transport->ended(&t->now.call, t->now.services, to));
    trial_end(t);
}

static void check(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / ROUTES);
    const struct ferry_route route = {
        .size = sizeof route,
        .address = routes[i % ROUTES].address,
        .data_address = data_address(t, i),
        .latency_us = FERRY_NOT_KNOWN,
        .bytes_per_s = FERRY_NOT_KNOWN,
        .data_name = i % 2 ? "hostB" : NULL,
    };

    trial_begin(t, mood, TRIAL_QUESTION_MS, "check of a route to %s%s", routes[i % ROUTES].about,
                moods[mood]);
    for (uint32_t at_dest = 0; at_dest < 2; at_dest++)
        trial_result(t, t->transport->check(&t->now.call, t->now.services, place(t, 0), &route, at_dest));
    trial_end(t);
}

const struct trial_check conform_transport[] = {
    { "uri gives a URI of its scheme for a host, and returns for a hostile one", 0, HOSTS *MOODS, uri },
    { "probe returns where nothing listens, within 5 s", 0, PLACES *MOODS, probe },
    { "parameter comes to an end", 0, ROUTES *MOODS, parameter },
    { "check returns for either host", TRIAL_HAS_CHECK, ROUTES *MOODS, check },
    { "open returns where nothing listens, within 7 s, and close leaves nothing", TRIAL_HAS_OPEN,
      PLACES *MOODS, open_and_close },
    { "ended returns where nothing was opened", TRIAL_HAS_ENDED, PLACES *MOODS, ended },
    { NULL, 0, 0, NULL },
};
