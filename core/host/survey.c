/* SPDX-License-Identifier: Apache-2.0
 * The order of questions: source connects; then its host, its domain and the ways to the destination at once;
 * then the destination connects and answers; then the proofs. */
#include "host/survey.h"

#include "base/name.h"
#include "base/text.h"
#include "facts/json.h"
#include "host/proof.h"
#include "host/verbs.h"
#include "state/config.h"
#include <stdio.h>
#include <string.h>

#define HIGHEST_PORT 49215u /* libvirt's own */
#define DISKS_MS 30000u     /* the look at all disks: a transient pool over a large directory takes seconds */

int survey_host_of_uri(const char *uri, char *buf, size_t size, struct error *err)
{
    const char *slashes = strstr(uri, "://");
    const char *host = slashes ? slashes + 3 : "";
    size_t n = strcspn(host, "/?#");
    const char *at = memchr(host, '@', n);

    if (!slashes)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is not a libvirt URI", uri);
    if (at) {
        n -= (size_t)(at + 1 - host);
        host = at + 1;
        /* A user name that begins with a dash would be an option to ssh. */
        if (slashes[3] == '-' || at == slashes + 3)
            return error_set(err, ERROR_USAGE, NULL, "'%s' does not name a user", uri);
    }
    if (n == 0)
        return snprintf(buf, size, "localhost") < 0 ? -1 : 0;
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

static int check_names(struct survey *s, struct error *err)
{
    bool dest_is_uri = strstr(s->dest, "://") != NULL;

    if (name_check_domain(s->domain, err) < 0 ||
        survey_host_of_uri(s->source_uri, s->source_host, sizeof s->source_host, err) < 0)
        return -err->code;
    if (dest_is_uri)
        return survey_host_of_uri(s->dest, s->dest_host, sizeof s->dest_host, err);
    if (name_check_host(s->dest, err) < 0)
        return -err->code;
    return snprintf(s->dest_host, sizeof s->dest_host, "%s", s->dest) < 0 ? -1 : 0;
}

static int connect_late(struct worker *w, const char *uri, struct error *err)
{
    if (worker_do(w, "connect", json_pack("{ss}", "uri", uri), ANSWER_MS, NULL, err) == 0)
        return 0;
    if (err->code == ERROR_TIMEOUT) {
        error_set(err, ERROR_CONNECTION, worker_host(w), "libvirt did not answer within %u s",
                  ANSWER_MS / 1000u);
        error_fix(err, "Look there: is libvirtd running and not stopped? Try: virsh -c '%s' version.", uri);
    }
    return -err->code;
}

static struct worker *connected(struct survey *s, const char *host, const char *uri, struct error *err)
{
    struct worker_setup setup = {
        .host = host, .verbs = verbs_host, .config = s->config, .journal = s->journal, .context = s->context
    };
    OWNED(worker) w = worker_start(s->loop, &setup, err);

    return w && connect_late(w, uri, err) == 0 ? HAND_OVER(w) : NULL;
}

struct worker *survey_fresh(struct survey *s, bool is_dest, struct error *err)
{
    return connected(s, is_dest ? s->dest_host : s->source_host, is_dest ? s->dest_uri : s->source_uri, err);
}

/* No way at all: the first reason that a driver gave. */
static int no_channel(const struct survey *s, const struct facts *f, struct error *err)
{
    const struct finding *first = &f->findings.list[0];

    error_set(err, ERROR_CONNECTION, s->dest_host, "%s", first->what ? first->what : first->id);
    return first->fix ? error_fix(err, "%s", first->fix) : -err->code;
}

int survey_connect_source(struct survey *s, struct error *err)
{
    OWNED_JSON reply = NULL;
    OWNED(facts) f = NULL;
    bool dest_is_uri = strstr(s->dest, "://") != NULL;

    if (check_names(s, err) < 0)
        return -err->code;
    s->source = connected(s, s->source_host, s->source_uri, err);
    if (!s->source ||
        worker_do(s->source, "probe",
                  json_pack("{ss ss*}", "host", s->dest_host, "uri", dest_is_uri ? s->dest : NULL),
                  2u * ANSWER_MS, &reply, err) < 0)
        return -err->code;
    f = facts_from_json(json_child(reply, "facts"), err);
    if (!f)
        return -err->code;
    if (f->n_channels == 0 && f->findings.n > 0)
        return no_channel(s, f, err);
    s->channels = json_incref((json_t *)(uintptr_t)json_child(reply, "facts"));
    /* No transport driver at all: the survey goes on without the destination, so that the plan can say this
     * together with all else that is in the way. */
    if (f->n_channels == 0)
        return 0;
    s->dest_uri = strdup(f->channels[0].dest_uri);
    return s->dest_uri ? 0 : error_memory(err);
}

int survey_connect_dest(struct survey *s, struct error *err)
{
    /* The source needs longer than the destination takes to connect. */
    s->early = worker_ask(s->source, "survey-domain", json_pack("{ss}", "domain", s->domain), DISKS_MS, err);
    if (!s->early)
        return -err->code;
    if (!s->dest_uri)
        return 0;
    s->destination = connected(s, s->dest_host, s->dest_uri, err);
    return s->destination ? 0 : -err->code;
}

static void trust_channels(struct facts *f, const struct config *config)
{
    for (size_t i = 0; i < f->n_channels; i++)
        f->channels[i].is_trusted =
            f->channels[i].peer_address && config_is_trusted(config, f->channels[i].peer_address);
}

static int append_all(json_t *to, const char *key, const json_t *from)
{
    json_t *list = json_object_get(to, key);
    const json_t *more = json_child(from, key);

    if (!more)
        return 0;
    if (!list)
        return json_object_set(to, key, (json_t *)(uintptr_t)more);
    return json_array_extend(list, (json_t *)(uintptr_t)more);
}

/* The answers of four questions as one set of facts. */
static json_t *composed(const json_t *domain, const json_t *source, const json_t *dest,
                        const json_t *channels, struct error *err)
{
    OWNED_JSON all = json_deep_copy(json_child(domain, "facts"));

    if (!all || json_object_set(all, "source", (json_t *)(uintptr_t)json_child(source, "host")) < 0 ||
        json_object_set(all, "dest", (json_t *)(uintptr_t)json_child(dest, "host")) < 0 ||
        append_all(all, "channels", channels) < 0 || append_all(all, "findings", channels) < 0) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(all);
}

/* What the destination says of the disks, and the proofs. */
static struct facts *seen_from_both(struct survey *s, json_t *all, struct error *err)
{
    OWNED_JSON disks = NULL;
    OWNED(facts) f = NULL;

    if (worker_do(s->destination, "survey-disks", json_pack("{sO}", "facts", all), DISKS_MS, &disks, err) < 0)
        return NULL;
    f = facts_from_json(json_child(disks, "facts"), err);
    if (!f)
        return NULL;
    f->dest.has_same_name = json_flag(disks, "has_same_name", false);
    trust_channels(f, s->config);
    if (proof_of_sharing(f, s->source, s->destination, err) < 0)
        return NULL;
    return HAND_OVER(f);
}

/* The last port of libvirt's range on the destination, as its qemu.conf has it unless [hosts] says otherwise:
 * "hostB.migration_ports = 49152-49215". */
static uint64_t highest_port(const struct survey *s)
{
    char key[300];
    const char *range, *last;
    struct error ignored = { 0 };
    uint64_t port;

    (void)snprintf(key, sizeof key, "%s.migration_ports", s->dest_host);
    range = s->config ? config_get(s->config, "hosts", key) : NULL;
    last = range ? strrchr(range, '-') : NULL;
    if (range && text_parse_u64(last ? last + 1 : range, 65535, &port, &ignored) == 0)
        return port;
    return HIGHEST_PORT;
}

static struct call *ask_for_ports(struct survey *s, struct error *err)
{
    json_t *args = json_pack("{sO sI}", "facts", s->channels, "port", (json_int_t)highest_port(s));

    return worker_ask(s->source, "reach-ports", args, DISKS_MS, err);
}

struct facts *survey_run(struct survey *s, struct error *err)
{
    OWNED(call) of_source = worker_ask(s->source, "survey-host", NULL, DISKS_MS, err);
    OWNED(call)
    of_dest = s->destination ? worker_ask(s->destination, "survey-host", NULL, DISKS_MS, err) : NULL;
    OWNED(call) of_ports = ask_for_ports(s, err);
    OWNED_JSON domain = NULL;
    OWNED_JSON source = NULL;
    OWNED_JSON dest = NULL;
    OWNED_JSON ports = NULL;
    OWNED_JSON all = NULL;

    if (!of_source || !of_ports || (s->destination && !of_dest) || call_wait(s->early, &domain, err) < 0 ||
        call_wait(of_source, &source, err) < 0 || (of_dest && call_wait(of_dest, &dest, err) < 0) ||
        call_wait(of_ports, &ports, err) < 0)
        return NULL;
    if (!of_dest)
        dest = json_pack("{s{ss}}", "host", "name", s->dest_host);
    all = composed(domain, source, dest, json_child(ports, "facts"), err);
    if (!all)
        return NULL;
    return s->destination ? seen_from_both(s, all, err) : facts_from_json(all, err);
}

void survey_done(struct survey *s)
{
    call_free(s->early);
    worker_free(s->source);
    worker_free(s->destination);
    free(s->dest_uri);
    json_decref(s->channels);
    s->early = NULL;
    s->source = s->destination = NULL;
    s->dest_uri = NULL;
    s->channels = NULL;
}
