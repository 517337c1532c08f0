/* SPDX-License-Identifier: Apache-2.0
 * The order of questions once the source is connected (connect.c): its host, its domain and the destination
 * at once; then the proofs. */
#include "host/survey.h"

#include "base/text.h"
#include "facts/json.h"
#include "facts/map.h"
#include "host/proof.h"
#include "host/way.h"
#include "state/config.h"
#include "state/locks.h"
#include "verbs/pair.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HIGHEST_PORT 49215u /* libvirt's own */

static void trust_channels(struct facts *f, const struct config *config)
{
    for (size_t i = 0; i < f->n_channels; i++) {
        struct channel *ch = &f->channels[i];

        ch->is_trusted = ch->peer_address && config_is_trusted(config, ch->peer_address);
        ch->is_data_trusted = ch->data_address && config_is_trusted(config, ch->data_address);
    }
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

/* What the domain's survey alone asks of a host: of its emulator, say, and whether it can run the domain. A
 * list that was not asked for is empty. */
static int fill(json_t *host, const json_t *by_domain)
{
    const char *key;
    json_t *said;

    json_object_foreach((json_t *)(uintptr_t)by_domain, key, said)
    {
        const json_t *known = json_object_get(host, key);

        if ((!known || (json_is_array(known) && json_array_size(known) == 0)) &&
            json_object_set(host, key, said) < 0)
            return -1;
    }
    return 0;
}

/* What the source said of itself and of the domain. */
static json_t *told_by_source(const json_t *domain, const json_t *source, struct error *err)
{
    OWNED_JSON all = json_deep_copy(json_child(domain, "facts"));
    OWNED_JSON host = json_deep_copy(json_child(source, "host"));

    if (!all || !host || fill(host, json_child(all, "source")) < 0 ||
        json_object_set(all, "source", host) < 0) {
        error_memory(err);
        return NULL;
    }
    return HAND_OVER(all);
}

/* The destination as a host, and the channels, beside what is known; what that holds of the destination
 * already, of the domain there, stays. */
static int add_dest(json_t *all, const json_t *dest, const json_t *channels, struct error *err)
{
    OWNED_JSON host = json_deep_copy(json_child(dest, "host"));

    if (!host || fill(host, json_child(all, "dest")) < 0 || json_object_set(all, "dest", host) < 0 ||
        append_all(all, "channels", channels) < 0 || append_all(all, "findings", channels) < 0)
        return error_memory(err);
    return 0;
}

/* Before the destination is asked, so that it looks for its own names. */
static int map_names(const struct survey *s, json_t **all, struct error *err)
{
    OWNED(facts) f = s->n_maps ? facts_from_json(*all, err) : NULL;
    json_t *mapped;

    if (s->n_maps == 0)
        return 0;
    if (!f || maps_apply(f, s->maps, s->n_maps, err) < 0)
        return -err->code;
    mapped = facts_to_json(f);
    if (!mapped)
        return error_memory(err);
    json_decref(*all);
    *all = mapped;
    return 0;
}

struct call *survey_ask_host(struct survey *s, struct worker *w, struct error *err)
{
    return worker_ask(w, "survey-host", json_pack("{sb}", "is_pair", s->domain == NULL), SURVEY_DISKS_MS,
                      err);
}

/* What the destination says of the source's processor. */
static struct facts *pair_seen(struct survey *s, json_t *all, struct error *err)
{
    OWNED_JSON seen = NULL;
    OWNED(facts) f = NULL;

    if (worker_do(s->destination, "survey-pair", json_pack("{sO}", "facts", all), SURVEY_DISKS_MS, &seen,
                  err) < 0)
        return NULL;
    f = facts_from_json(json_child(seen, "facts"), err);
    if (f)
        trust_channels(f, s->config);
    return f ? HAND_OVER(f) : NULL;
}

static void recall_locks(const struct survey *s, struct facts *f)
{
    const uint64_t now_s = (uint64_t)time(NULL);

    for (size_t i = 0; s->locks && i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];
        const uint64_t seen_s = locks_seen_s(s->locks, f, d, now_s);

        if (!seen_s || d->lock_enforced != TRI_YES)
            continue;
        d->lock_proved = TRI_YES;
        d->lock_evidence = arena_format(f->arena, "it was seen %llu minutes ago",
                                        (unsigned long long)((now_s - seen_s) / 60u));
    }
}

struct call *survey_ask_for_disks(struct survey *s, struct worker *w, const json_t *domain,
                                  const json_t *source, struct error *err)
{
    OWNED_JSON all = told_by_source(domain, source, err);

    if (!all || map_names(s, &all, err) < 0)
        return NULL;
    return worker_ask(w, "survey-disks", json_pack("{sO}", "facts", all), SURVEY_DISKS_MS, err);
}

/* What the destination says of the disks: what was asked early, or else asked now. Over the first connection
 * where the second is none. */
static int disks_seen(struct survey *s, const json_t *domain, const json_t *source, json_t **ret,
                      struct error *err)
{
    OWNED(call) asked = s->early_disks;
    struct error failed = { 0 };
    bool is_connected;

    s->early_disks = NULL;
    is_connected = s->looking.call && call_wait(s->looking.call, NULL, &failed) == 0;
    if (failed.code == ERROR_CANCELLED) {
        *err = failed;
        return -err->code;
    }
    if (!asked || !is_connected) {
        call_free(asked);
        asked =
            survey_ask_for_disks(s, is_connected ? s->looking.worker : s->destination, domain, source, err);
    }
    return asked ? call_wait(asked, ret, err) : -err->code;
}

/* Both hosts' words, and the proofs. */
static struct facts *seen_from_both(struct survey *s, const json_t *all, bool has_same_name,
                                    struct error *err)
{
    struct proof_wish wish = { .with_locks = s->prove_locks };
    OWNED(facts) f = facts_from_json(all, err);
    int r;

    if (!f)
        return NULL;
    f->dest.has_same_name = has_same_name;
    trust_channels(f, s->config);
    recall_locks(s, f);
    r = proof_of_sharing(f, s->source, s->destination, &wish, err);
    s->left = s->left || wish.left;
    return r < 0 ? NULL : HAND_OVER(f);
}

/* The last port of libvirt's range on the destination, as its qemu.conf has it unless [hosts] says otherwise:
 * "hostB.migration_ports = 49152-49215". */
static uint64_t highest_port(const struct survey *s)
{
    char key[300];

    (void)snprintf(key, sizeof key, "%s.migration_ports", s->dest_host);
    return s->config ? config_u64(s->config, "hosts", key, HIGHEST_PORT) : HIGHEST_PORT;
}

static struct call *ask_for_ports(struct survey *s, struct error *err)
{
    json_t *args = json_pack("{sO sI}", "facts", s->channels, "port", (json_int_t)highest_port(s));

    return worker_ask(s->source, "reach-ports", args, SURVEY_DISKS_MS, err);
}

/* What the channels' drivers say of either host, once both are there. */
static struct call *ask_about_channels(struct survey *s, bool is_dest, struct error *err)
{
    struct worker *of = is_dest ? s->destination : s->source;

    return worker_ask(of, "check-channels", json_pack("{sO sb}", "facts", s->channels, "at_dest", is_dest),
                      SURVEY_DISKS_MS, err);
}

/* Of the source, of the ports, of the channels at either host. */
struct questions {
    struct call *source, *ports, *at_source, *at_dest;
};

static void questions_done(struct questions *q)
{
    call_free(q->source);
    call_free(q->ports);
    call_free(q->at_source);
    call_free(q->at_dest);
}

static int add_checks(struct survey *s, const struct questions *q, json_t *all, struct error *err)
{
    for (int i = 0; i < 2 && s->destination; i++) {
        OWNED_JSON reply = NULL;

        if (call_wait(i ? q->at_dest : q->at_source, &reply, err) < 0)
            return -err->code;
        if (append_all(all, "findings", json_child(reply, "facts")) < 0)
            return error_memory(err);
    }
    return 0;
}

/* Of a pair: none, but facts all the same. */
static int domain_facts(struct survey *s, json_t **ret, struct error *err)
{
    OWNED(facts) none = NULL;
    OWNED_JSON empty = NULL;

    if (s->domain)
        return survey_domain(s, ret, err);
    none = facts_new();
    empty = none ? facts_to_json(none) : NULL;
    *ret = empty ? json_pack("{sO}", "facts", empty) : NULL;
    return *ret ? 0 : error_memory(err);
}

static int compare_clocks(const json_t *source, json_t *dest, struct error *err)
{
    const uint64_t apart = pair_clocks_apart_ms(json_child(source, "clock"), json_child(dest, "clock"));

    if (apart == NOT_KNOWN)
        return 0;
    return json_put_u64(json_object_get(dest, "host"), "clock_apart_ms", apart) < 0 ? error_memory(err) : 0;
}

static struct call *source_asked(struct survey *s, struct error *err)
{
    struct call *early = s->early_source;

    s->early_source = NULL;
    if (early && worker_has(s->source, early))
        return early;
    call_free(early);
    return survey_ask_host(s, s->source, err);
}

static int ask_both(struct survey *s, struct questions *q, struct error *err)
{
    q->source = source_asked(s, err);
    q->ports = ask_for_ports(s, err);
    if (!q->source || !q->ports)
        return -err->code;
    if (!s->destination)
        return 0;
    q->at_source = ask_about_channels(s, false, err);
    q->at_dest = ask_about_channels(s, true, err);
    return q->at_source && q->at_dest ? 0 : -err->code;
}

/* With what the destination says of the disks, where it is asked for them; *ret_same_name too is its word. */
static json_t *all_of_domain(struct survey *s, struct questions *q, bool *ret_same_name, struct error *err)
{
    OWNED_JSON domain = NULL;
    OWNED_JSON source = NULL;
    OWNED_JSON disks = NULL;
    OWNED_JSON all = NULL;

    if (domain_facts(s, &domain, err) < 0 || call_wait(q->source, &source, err) < 0)
        return NULL;
    if (s->destination && s->domain) {
        if (disks_seen(s, domain, source, &disks, err) < 0)
            return NULL;
        *ret_same_name = json_flag(disks, "has_same_name", false);
        return json_incref((json_t *)(uintptr_t)json_child(disks, "facts"));
    }
    all = told_by_source(domain, source, err);
    return all && map_names(s, &all, err) == 0 ? HAND_OVER(all) : NULL;
}

/* Their goodbyes to libvirt are said while the run goes on, and not waited for at its end. */
static void leave_second_connections(struct survey *s)
{
    worker_leave(s->domains.worker);
    worker_leave(s->looking.worker);
    call_free(s->looking.call);
    s->looking.call = NULL;
}

static struct facts *run(struct survey *s, struct error *err)
{
    __attribute__((cleanup(questions_done))) struct questions q = { .source = NULL };
    OWNED_JSON source = NULL;
    OWNED_JSON dest = NULL;
    OWNED_JSON ports = NULL;
    OWNED_JSON all = NULL;
    bool has_same_name = false;

    if (ask_both(s, &q, err) < 0 || !(all = all_of_domain(s, &q, &has_same_name, err)) ||
        call_wait(q.source, &source, err) < 0 ||
        (s->destination && call_wait(s->early_dest, &dest, err) < 0) || call_wait(q.ports, &ports, err) < 0)
        return NULL;
    if (!s->destination)
        dest = json_pack("{s{ss}}", "host", "name", s->dest_host);
    if (compare_clocks(source, dest, err) < 0 || add_dest(all, dest, json_child(ports, "facts"), err) < 0 ||
        add_checks(s, &q, all, err) < 0)
        return NULL;
    if (s->destination && !s->domain)
        return pair_seen(s, all, err);
    return s->destination ? seen_from_both(s, all, has_same_name, err) : facts_from_json(all, err);
}

struct facts *survey_run(struct survey *s, struct error *err)
{
    struct facts *f = run(s, err);

    leave_second_connections(s);
    return f;
}

struct facts *survey_run_alone(struct survey *s, struct error *err)
{
    OWNED_JSON domain = NULL;
    OWNED_JSON source = NULL;
    OWNED_JSON all = NULL;

    if (worker_do(s->source, "survey-host", NULL, SURVEY_DISKS_MS, &source, err) < 0 ||
        survey_domain(s, &domain, err) < 0)
        return NULL;
    all = told_by_source(domain, source, err);
    return all ? facts_from_json(all, err) : NULL;
}

void survey_dismiss(struct survey *s)
{
    call_free(s->early);
    call_free(s->early_source);
    call_free(s->early_dest);
    call_free(s->early_disks);
    s->early = s->early_source = s->early_dest = s->early_disks = NULL;
    worker_leave(s->destination);
    worker_leave(s->domains.worker);
    worker_leave(s->arriving.worker);
    worker_leave(s->looking.worker);
}

void survey_leave(struct survey *s)
{
    survey_dismiss(s);
    worker_leave(s->source);
    for (int i = 0; i < 2; i++)
        worker_leave(s->spare[i]);
}

void survey_done(struct survey *s)
{
    survey_leave(s);
    worker_free(s->source);
    worker_free(s->destination);
    reach_done(&s->domains);
    reach_done(&s->arriving);
    reach_done(&s->looking);
    for (int i = 0; i < 2; i++) {
        worker_free(s->spare[i]);
        s->spare[i] = NULL;
    }
    way_free(s->ways);
    free(s->dest_uri);
    json_decref(s->channels);
    s->source = s->destination = NULL;
    s->ways = NULL;
    s->dest_uri = NULL;
    s->channels = NULL;
}
