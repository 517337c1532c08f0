/* SPDX-License-Identifier: Apache-2.0
 * Asks a way's worker, keeps what it answered, and ends it. */
#include "host/way.h"

#include "base/text.h"
#include "verbs/verbs.h"
#include "worker/sockets.h"

#define OPEN_MS 9000u /* a driver has 7 s; then its worker is killed, and what it started dies with it */

struct way {
    struct worker *worker;
    struct call *opening;
    const struct ferry_transport *driver;
    json_t *open; /* what "way-open" answered */
    struct way *older;
};

const struct ferry_transport *way_driver_of(const char *uri)
{
    for (size_t i = 0; i < registry_count(); i++) {
        const struct plugin_entry *owner = registry_at(i);

        for (size_t k = 0; k < owner->n_transports; k++)
            if (owner->transports[k].open && verb_is_of_scheme(uri, owner->transports[k].uri_scheme))
                return &owner->transports[k];
    }
    return NULL;
}

struct way *way_start(struct loop *l, const struct config *config, const struct ferry_transport *driver,
                      const char *host, const char *uri, uint32_t patience_ms, struct error *err)
{
    struct worker_setup setup = { .host = host, .verbs = verbs_way, .config = config };
    OWNED(way) w = calloc(1, sizeof *w);

    if (!w) {
        error_memory(err);
        return NULL;
    }
    w->driver = driver;
    w->worker = worker_start(l, &setup, err);
    if (!w->worker)
        return NULL;
    w->opening = worker_ask(w->worker, "way-open",
                            json_pack("{ss ss ss* sI}", "driver", driver->name, "host", host, "uri", uri,
                                      "patience_ms", (json_int_t)patience_ms),
                            OPEN_MS, err);
    return w->opening ? HAND_OVER(w) : NULL;
}

int way_wait(struct way *w, json_t **ret_facts, struct error *err)
{
    int r;

    if (ret_facts)
        *ret_facts = NULL;
    if (w->open)
        return 0;
    if (!w->opening)
        return error_set(err, ERROR_CONNECTION, worker_host(w->worker), "the way there is closed");
    r = call_wait(w->opening, &w->open, err);
    call_free(w->opening);
    w->opening = NULL;
    if (r < 0) {
        err->code = err->code == ERROR_TIMEOUT ? ERROR_CONNECTION : err->code;
        return -err->code;
    }
    if (!json_child(w->open, "error"))
        return 0;
    json_to_error(json_child(w->open, "error"), err);
    if (ret_facts)
        *ret_facts = json_incref((json_t *)(uintptr_t)json_child(w->open, "facts"));
    json_decref(w->open);
    w->open = NULL;
    return err->code ? -err->code : error_set(err, ERROR_CONNECTION, worker_host(w->worker), "no way there");
}

void way_free(struct way *w)
{
    char parent[SOCKETS_PATH_SIZE];

    sockets_dir(parent, sizeof parent);
    while (w) {
        struct way *older = w->older;

        call_free(w->opening);
        worker_free(w->worker);
        /* Where the worker had to be killed, nobody tidied. */
        sockets_sweep(parent);
        sockets_sweep(SOCKETS_DATA_DIR);
        json_decref(w->open);
        free(w);
        w = older;
    }
}

const char *way_uri(const struct way *w)
{
    return json_text(w->open, "uri", "");
}

const char *way_libvirt_uri(const struct way *w)
{
    return json_text(w->open, "libvirt_uri", "");
}

const char *way_socket(const struct way *w)
{
    return json_text(w->open, "socket", "");
}

json_t *way_args(const struct way *w)
{
    return json_pack("{ss ss ss}", "driver", w->driver->name, "uri", way_uri(w), "folder",
                     json_text(w->open, "folder", ""));
}

json_t *way_channel(struct way *w, json_t *seen, struct error *err)
{
    OWNED_JSON reply = NULL;

    if (worker_do(w->worker, "way-channel",
                  json_pack("{ss so}", "host", worker_host(w->worker), "seen", seen), ANSWER_MS, &reply,
                  err) < 0)
        return NULL;
    return json_incref((json_t *)(uintptr_t)json_child(reply, "facts"));
}

#define DATA_MS 12000u

int way_open_data(struct way *w, const struct channel *ch, unsigned connections, const char *owner,
                  const struct way *source, const char *domain, struct error *err)
{
    return worker_do(w->worker, "way-data",
                     json_pack("{ss* ss* ss* so* ss sI}", "address", ch->peer_address, "data_address",
                               ch->data_address, "owner", owner, "source", source ? way_args(source) : NULL,
                               "domain", domain, "connections", (json_int_t)connections),
                     DATA_MS, NULL, err);
}

bool way_has_ended(struct way *w, struct error *err)
{
    OWNED_JSON reply = NULL;
    struct error ignored = { 0 };

    if (!w->open || worker_do(w->worker, "way-ended", NULL, ANSWER_MS, &reply, &ignored) < 0 ||
        !json_child(reply, "error"))
        return false;
    json_to_error(json_child(reply, "error"), err);
    return err->code != ERROR_NONE;
}

void way_addresses(struct way *w, json_t *list)
{
    OWNED_JSON reply = NULL;
    struct error ignored = { 0 };
    const json_t *more;

    if (worker_do(w->worker, "way-addresses", NULL, ANSWER_MS, &reply, &ignored) < 0)
        return;
    more = json_child(reply, "addresses");
    if (more)
        (void)json_array_extend(list, (json_t *)(uintptr_t)more);
}

bool way_is(const struct way *w, const char *driver, const char *uri)
{
    return w->open && text_equal(w->driver->name, driver) && text_equal(way_uri(w), uri);
}

struct way *way_push(struct way *older, struct way *newest)
{
    newest->older = older;
    return newest;
}

struct way *way_older(const struct way *w)
{
    return w->older;
}
