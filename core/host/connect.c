/* SPDX-License-Identifier: Apache-2.0
 * How the two hosts are reached: names checked, workers connected; and a fresh connection later, over the way
 * that stands or over a new one. Runs in the parent. */
#include "host/survey.h"

#include "base/log.h"
#include "base/name.h"
#include "base/text.h"
#include "facts/json.h"
#include "host/channels.h"
#include "host/via.h"
#include "host/way.h"
#include "verbs/verbs.h"
#include <stdio.h>
#include <string.h>

#define NO_NAME "localhost" /* until it has told its own */
/* Over a way that stands libvirt answers in 30 ms; when it does not, a new way may do better. */
#define STANDING_MS 2500u

static int take_user(const char *uri, const char *from, size_t n, struct error *err)
{
    char user[256];

    if (n >= sizeof user)
        return error_set(err, ERROR_USAGE, NULL, "the user in '%s' is too long", uri);
    memcpy(user, from, n);
    user[n] = '\0';
    return name_check_user(user, err);
}

int survey_host_of_uri(const char *uri, char *buf, size_t size, struct error *err)
{
    const char *slashes = strstr(uri, "://");
    const char *host = slashes ? slashes + 3 : "";
    size_t n = strcspn(host, "/?#");
    const char *at = memchr(host, '@', n);

    if (!slashes)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is not a libvirt URI", uri);
    if (at) {
        if (take_user(uri, host, (size_t)(at - host), err) < 0)
            return -err->code;
        n -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    if (n == 0)
        return snprintf(buf, size, NO_NAME) < 0 ? -1 : 0;
    if (host[0] == '[') {
        const char *end = memchr(host, ']', n);

        n = end ? (size_t)(end - host) + 1u : n;
    } else if (memchr(host, ':', n)) {
        n = (size_t)((const char *)memchr(host, ':', n) - host);
    }
    if (n >= size)
        return error_set(err, ERROR_USAGE, NULL, "the host in '%s' is too long", uri);
    memcpy(buf, host, n);
    buf[n] = '\0';
    return name_check_host(buf, err);
}

/* Everything that has source_host, its worker too, has the new name then. */
static int name_source(struct survey *s, struct error *err)
{
    OWNED_JSON reply = NULL;
    const char *hostname;

    if (!text_equal(s->source_host, NO_NAME))
        return 0;
    if (worker_do(s->source, "hostname", json_pack("{ss}", "dest_host", s->dest_host), ANSWER_MS, &reply,
                  err) < 0)
        return -err->code;
    hostname = json_text(reply, "hostname", NULL);
    if (hostname)
        (void)snprintf(s->source_host, sizeof s->source_host, "%s", hostname);
    return 0;
}

bool survey_dest_is_uri(const struct survey *s)
{
    return strstr(s->dest, "://") != NULL;
}

static int check_names(struct survey *s, struct error *err)
{
    if ((s->domain && name_check_domain(s->domain, err) < 0) ||
        survey_host_of_uri(s->source_uri, s->source_host, sizeof s->source_host, err) < 0)
        return -err->code;
    if (survey_dest_is_uri(s))
        return survey_host_of_uri(s->dest, s->dest_host, sizeof s->dest_host, err);
    if (name_check_host(s->dest, err) < 0)
        return -err->code;
    return snprintf(s->dest_host, sizeof s->dest_host, "%s", s->dest) < 0 ? -1 : 0;
}

/* ---- connections ---- */

struct way *survey_way_of(const struct survey *s, const char *uri)
{
    struct way *w = s->ways;

    while (w && !text_equal(way_uri(w), uri))
        w = way_older(w);
    return w;
}

const char *survey_libvirt_uri(const struct survey *s, const char *uri)
{
    struct way *w = survey_way_of(s, uri);

    return w ? way_libvirt_uri(w) : uri;
}

const char *survey_source_socket(const struct survey *s)
{
    struct way *w = survey_way_of(s, s->source_uri);

    return w ? way_socket(w) : NULL;
}

bool survey_way_has_ended(struct survey *s, struct error *err)
{
    for (int others = 0; others < 2; others++)
        for (struct way *w = s->ways; w; w = way_older(w))
            if (text_equal(way_uri(w), s->source_uri) != others && way_has_ended(w, err))
                return true;
    return false;
}

static const char *host_of(const struct survey *s, bool is_dest)
{
    return is_dest ? s->dest_host : s->source_host;
}

static const char *uri_of(const struct survey *s, bool is_dest)
{
    return is_dest ? s->dest_uri : s->source_uri;
}

static struct worker *new_worker(struct survey *s, bool is_dest, struct error *err)
{
    const struct worker_setup setup = { .host = host_of(s, is_dest),
                                        .verbs = verbs_host,
                                        .config = s->config,
                                        .journal = s->journal,
                                        .context = s->context };

    return worker_start(s->loop, &setup, err);
}

static struct worker *spare_worker(struct survey *s)
{
    struct worker **spare = s->spare[0] ? &s->spare[0] : &s->spare[1];

    return HAND_OVER(*spare);
}

/* Asks a new worker to connect, and waits for nothing. */
static int connect_over(struct survey *s, struct reach *r, struct way *way, uint64_t ms, struct error *err)
{
    r->worker = r->is_dest ? spare_worker(s) : NULL;
    if (!r->worker && !(r->worker = new_worker(s, r->is_dest, err)))
        return -err->code;
    r->ms = ms;
    r->call = worker_ask(r->worker, "connect",
                         json_pack("{ss so*}", "uri", way ? way_libvirt_uri(way) : uri_of(s, r->is_dest),
                                   "way", way ? way_args(way) : NULL),
                         ms, err);
    return r->call ? 0 : -err->code;
}

/* An id that ends so says that nothing but a user and a password is missing. */
void survey_note_password(struct survey *s, const struct finding *finding, bool is_dest)
{
    if (finding->id && text_ends(finding->id, "-no-credentials"))
        s->wants_password = host_of(s, is_dest);
}

/* Why libvirt could not connect, in the words of the driver that serves such URIs, where it finds the same.
 * The worker is alive, and libvirt has given up. */
static void explain(struct survey *s, struct reach *r, struct error *err)
{
    OWNED_JSON reply = NULL;
    OWNED(facts) f = NULL;
    struct error ignored = { 0 };

    if (worker_do(r->worker, "probe",
                  json_pack("{ss ss}", "uri", uri_of(s, r->is_dest), "host", host_of(s, r->is_dest)),
                  ANSWER_MS, &reply, &ignored) < 0)
        return;
    f = facts_from_json(json_child(reply, "facts"), &ignored);
    for (size_t i = 0; f && f->n_channels == 0 && i < f->findings.n; i++) {
        const struct finding *one = &f->findings.list[i];

        if (one->severity != REFUSES || !one->what)
            continue;
        error_set(err, ERROR_CONNECTION, host_of(s, r->is_dest), "%s", one->what);
        if (one->fix)
            (void)error_fix(err, "%s", one->fix);
        survey_note_password(s, one, r->is_dest);
        return;
    }
}

static int wait_for_connection(struct survey *s, struct reach *r, bool *ret_local, struct error *err)
{
    OWNED_JSON reply = NULL;

    if (call_wait(r->call, &reply, err) == 0) {
        if (ret_local)
            *ret_local = json_flag(reply, "is_local", false);
        return 0;
    }
    if (err->code == ERROR_TIMEOUT) {
        error_set(err, ERROR_CONNECTION, worker_host(r->worker), "libvirt did not answer within %u s",
                  (unsigned)(r->ms / 1000u));
        error_fix(err, "Look there: is libvirtd running and not stopped? Try: virsh -c '%s' version.",
                  uri_of(s, r->is_dest));
    } else if (err->code == ERROR_CONNECTION && !survey_way_of(s, uri_of(s, r->is_dest))) {
        explain(s, r, err);
    }
    return -err->code;
}

void reach_done(struct reach *r)
{
    call_free(r->call);
    worker_free(r->worker);
    r->call = NULL;
    r->worker = NULL;
}

void survey_reach(struct survey *s, bool is_dest, struct reach *ret)
{
    const struct ferry_transport *driver = way_driver_of(uri_of(s, is_dest));
    struct way *standing = survey_way_of(s, uri_of(s, is_dest));
    struct error later = { 0 };

    *ret = (struct reach){ .is_dest = is_dest };
    if (driver && !standing)
        return;
    if (connect_over(s, ret, standing, driver ? STANDING_MS : ANSWER_MS, &later) < 0)
        reach_done(ret);
}

struct worker *survey_reached(struct survey *s, struct reach *r, bool *ret_local, struct error *err)
{
    const char *uri = uri_of(s, r->is_dest);
    const struct ferry_transport *driver = way_driver_of(uri);
    OWNED(way) fresh = NULL;

    if (r->call && wait_for_connection(s, r, ret_local, err) == 0)
        return HAND_OVER(r->worker);
    /* Over a way that is silent a new one is tried. The old one stays: it may carry a migration. */
    if (driver) {
        reach_done(r);
        fresh = way_start(s->loop, s->config, driver, host_of(s, r->is_dest), uri, 0, err);
        if (!fresh || way_wait(fresh, NULL, err) < 0)
            return NULL;
        s->ways = way_push(s->ways, HAND_OVER(fresh));
    } else if (r->call) {
        return NULL;
    }
    *err = (struct error){ 0 };
    if (connect_over(s, r, driver ? s->ways : NULL, ANSWER_MS, err) < 0 ||
        wait_for_connection(s, r, ret_local, err) < 0)
        return NULL;
    return HAND_OVER(r->worker);
}

struct worker *survey_fresh(struct survey *s, bool is_dest, struct error *err)
{
    OWNED_REACH r = { 0 };

    survey_reach(s, is_dest, &r);
    return survey_reached(s, &r, NULL, err);
}

#define UUID_LENGTH 36u

/* Sockets for its data end in its name. One that is not there is told by the survey. */
static void name_domain(struct survey *s)
{
    OWNED_JSON reply = NULL;
    struct error later = { 0 };
    const char *name = s->domain;

    if (!name) /* the two hosts alone are looked at */
        return;
    if (strlen(name) == UUID_LENGTH)
        name = worker_do(s->source, "domain-name", json_pack("{ss}", "domain", s->domain), ANSWER_MS, &reply,
                         &later) < 0
                   ? ""
                   : json_text(reply, "name", "");
    (void)snprintf(s->domain_name, sizeof s->domain_name, "%s", name);
}

/* The domain's survey takes longest: it has a connection of its own, and nothing waits for it yet. What goes
 * wrong with it shows when its answer is wanted. */
static void ask_for_domain(struct survey *s)
{
    struct error later = { 0 };

    if (!s->domain)
        return;
    if (!s->domains.worker)
        survey_reach(s, false, &s->domains);
    if (s->domains.worker)
        s->early = worker_ask(s->domains.worker, "survey-domain", json_pack("{ss}", "domain", s->domain),
                              SURVEY_DISKS_MS, &later);
}

/* While a login is under way nothing else is asked of the source, and nothing is begun at the destination;
 * without one this would only stand before the mark. */
static void use_login(struct survey *s, const struct openings *ways)
{
    struct error later = { 0 };

    if (!s->domain || ways->n == 0)
        return;
    s->early_source = survey_ask_host(s, s->source, &later);
    for (int i = 0; i < 2; i++)
        if (!s->spare[i])
            s->spare[i] = new_worker(s, true, &later);
}

/* Over a login the source has told all about itself and the domain before the destination is there. */
static void ask_for_disks(struct survey *s)
{
    OWNED_JSON domain = NULL;
    OWNED_JSON source = NULL;
    struct error later = { 0 };

    if (s->early && call_is_over(s->early) && call_is_over(s->early_source) &&
        call_wait(s->early, &domain, &later) == 0 && call_wait(s->early_source, &source, &later) == 0)
        s->early_disks = survey_ask_for_disks(s, s->looking.worker, domain, source, &later);
}

static void begin_dest(struct survey *s)
{
    struct error later = { 0 };

    survey_reach(s, true, &s->arriving);
    if (s->arriving.worker)
        s->early_dest = survey_ask_host(s, s->arriving.worker, &later);
    if (!s->early_source)
        return;
    survey_reach(s, true, &s->looking);
    if (s->looking.worker)
        ask_for_disks(s);
}

int survey_domain(struct survey *s, json_t **ret, struct error *err)
{
    if (s->early && call_wait(s->domains.call, NULL, err) == 0 && call_wait(s->early, ret, err) == 0)
        return 0;
    if (err->code == ERROR_CANCELLED)
        return -err->code;
    *err = (struct error){ 0 };
    return worker_do(s->source, "survey-domain", json_pack("{ss}", "domain", s->domain), SURVEY_DISKS_MS, ret,
                     err);
}

void survey_domain_changed(struct survey *s)
{
    call_free(s->early);
    call_free(s->early_disks);
    s->early = s->early_disks = NULL;
}

int survey_connect_source(struct survey *s, struct error *err)
{
    OWNED_REACH first = { 0 };
    OWNED_OPENINGS ways = { .n = 0 };
    OWNED_JSON all = NULL;
    bool is_here = false;

    s->wants_password = NULL;
    if (check_names(s, err) < 0 || channels_open_ways(s, &ways, err) < 0)
        return -err->code;
    survey_reach(s, false, &first);
    if (s->domain)
        survey_reach(s, false, &s->domains);
    s->source = survey_reached(s, &first, &is_here, err);
    if (!s->source || name_source(s, err) < 0)
        return -err->code;
    ask_for_domain(s);
    s->source_is_here = is_here;
    name_domain(s);
    use_login(s, &ways);
    if (s->meanwhile && ways.n > 0 && survey_dest_is_uri(s) && s->meanwhile(s->context, err) < 0)
        return -err->code;
    if (via_resolve(s, &ways, err) < 0)
        return -err->code;
    all = channels_probe(s, &ways, is_here, err);
    if (!all || channels_take(s, all, err) < 0)
        return -err->code;
    if (s->dest_uri)
        begin_dest(s);
    return 0;
}

int survey_connect_alone(struct survey *s, struct error *err)
{
    OWNED_REACH first = { 0 };
    bool is_here = false;

    s->wants_password = NULL;
    if (name_check_domain(s->domain, err) < 0 ||
        survey_host_of_uri(s->source_uri, s->source_host, sizeof s->source_host, err) < 0)
        return -err->code;
    survey_reach(s, false, &first);
    s->source = survey_reached(s, &first, &is_here, err);
    s->source_is_here = is_here;
    return s->source ? name_source(s, err) : -err->code;
}

int survey_connect_dest(struct survey *s, struct error *err)
{
    if (!s->dest_uri)
        return 0;
    s->destination = survey_reached(s, &s->arriving, NULL, err);
    if (!s->destination)
        return -err->code;
    if (!s->early_dest || !worker_has(s->destination, s->early_dest)) {
        call_free(s->early_dest);
        s->early_dest = survey_ask_host(s, s->destination, err);
    }
    return s->early_dest ? 0 : -err->code;
}
