/* SPDX-License-Identifier: Apache-2.0
 * The mover: the one process that makes the migrate call, with a connection to either host. Its return code
 * is a hint, no more. Secrets of the definition live in its memory alone and are wiped. */
#include "verbs/verbs.h"

#include "base/fault.h"
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/map.h"
#include "state/config.h"
#include "verbs/parameters.h"
#include "verbs/peer.h"
#include "worker/serve.h"
#include <pthread.h>
#include <string.h>

/* A peer that is silent for KEEPALIVE_SECONDS * (KEEPALIVE_COUNT + 1) ends the call. */
#define KEEPALIVE_SECONDS 3
#define KEEPALIVE_COUNT 4u

static void *run_events(void *context)
{
    for (;;)
        (void)virEventRunDefaultImpl();
    return context;
}

static virConnectPtr open_host(const char *uri, const char *host, bool keep_alive, struct error *err)
{
    virConnectAuth auth = verb_auth();
    virConnectPtr conn = virConnectOpenAuth(uri, &auth, 0);

    if (!conn) {
        libvirt_error(err, host, "could not connect to '%s'", uri);
        err->code = ERROR_CONNECTION;
        return NULL;
    }
    /* 1 = the peer does not speak keepalive: the call is then bounded by the user's time-out alone. */
    if (keep_alive &&
        virConnectSetKeepAlive(conn, (int)fault_figure("VIRT_FERRY_KEEPALIVE", KEEPALIVE_SECONDS),
                               KEEPALIVE_COUNT) < 0) {
        libvirt_error(err, host, "could not ask for keepalive");
        (void)virConnectClose(conn);
        return NULL;
    }
    return conn;
}

/* {"source_uri", "gate_uri" (absent: none), "dest_uri", "dest_host"}: opens all connections; {} */
static int mover_open(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *gate = json_text(args, "gate_uri", NULL), *dest = json_text(args, "dest_host", "destination");
    struct peers before;
    pthread_t thread;

    (void)reply;
    if (virEventRegisterDefaultImpl() < 0)
        return libvirt_error(err, c->host, "could not start libvirt's event loop");
    if (pthread_create(&thread, NULL, run_events, NULL) != 0)
        return error_set(err, ERROR_SYSTEM, NULL, "could not start the event thread");
    (void)pthread_detach(thread);
    /* The ordinary one first: it starts a daemon that socket activation or libvirt itself would start. */
    c->libvirt = open_host(json_text(args, "source_uri", ""), c->host, !gate, err);
    if (!c->libvirt)
        return -err->code;
    if (gate && !(c->gated = open_host(gate, c->host, true, err)))
        return -err->code;
    peers_note(&before);
    c->other = open_host(json_text(args, "dest_uri", ""), dest, true, err);
    if (!c->other)
        return -err->code;
    if (!peer_since(&before, c->other_peer))
        c->other_peer[0] = '\0';
    return 0;
}

/* The definition goes over it in the clear, since the address that the probe reached is trusted. A name may
 * have led libvirt to another. */
static int check_peer(struct child *c, const json_t *args, struct error *err)
{
    if (!json_flag(args, "is_peer_trusted", false) ||
        (c->other_peer[0] && config_is_trusted(c->config, c->other_peer)))
        return 0;
    error_set(err, ERROR_REFUSED, c->host,
              "control would cross the network in the clear to %s, which is in no trusted network",
              c->other_peer[0] ? c->other_peer : "an address that is not known");
    return error_fix(err,
                     "The destination's name has several addresses: name it by one that is trusted, or by "
                     "a channel that is encrypted.");
}

static void wipe(char **s)
{
    if (*s)
        explicit_bzero(*s, strlen(*s));
    free(*s);
    *s = NULL;
}
#define OWNED_SECRET __attribute__((cleanup(wipe))) char *

struct parameters {
    virTypedParameterPtr list;
    int n, size;
};

/* libvirt's own free does not wipe; the definition may hold a VNC password. */
static void parameters_done(struct parameters *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->list[i].type == VIR_TYPED_PARAM_STRING && p->list[i].value.s)
            explicit_bzero(p->list[i].value.s, strlen(p->list[i].value.s));
    virTypedParamsFree(p->list, p->n);
}

/* What the destination is given instead of the source's own: maps change names in it, and disks that are
 * copied with all that they rest on rest on nothing there. */
struct names {
    struct arena *arena;
    struct map *maps;
    size_t n;
    const json_t *flat; /* lent: [target, …] */
};

static void names_done(struct names *n)
{
    arena_free(n->arena);
}

static int read_names(const json_t *args, struct names *ret, struct error *err)
{
    ret->arena = arena_new();
    if (!ret->arena)
        return error_memory(err);
    ret->flat = json_child(args, "flat");
    return maps_from_json(json_child(args, "maps"), ret->arena, &ret->maps, &ret->n, err);
}

/* NULL with *ret_changed false: it stays as it is, or, with err set, it could not be made. */
static char *xml_there(const char *xml, const struct names *names, bool is_live, bool *ret_changed,
                       struct error *err)
{
    OWNED_SECRET mapped = NULL;
    size_t changed = 0;

    *ret_changed = false;
    if (names->n && !(mapped = domain_xml_mapped(xml, names->maps, names->n, &changed, err)))
        return NULL;
    *ret_changed = changed > 0;
    if (json_array_size(names->flat) > 0) {
        *ret_changed = true;
        return domain_xml_flat(mapped ? mapped : xml, names->flat, is_live, err);
    }
    return HAND_OVER(mapped);
}

static int add_xml(struct parameters *p, const char *which, const char *xml, struct error *err)
{
    return virTypedParamsAddString(&p->list, &p->n, &p->size, which, xml) < 0 ? error_memory(err) : 0;
}

static int add_persistent(struct child *c, virDomainPtr d, const struct names *names, struct parameters *p,
                          struct error *err)
{
    OWNED_SECRET secret =
        virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE);
    OWNED_SECRET clean = secret ? domain_xml_without_mark(secret, err) : NULL;
    OWNED_SECRET there = NULL;
    bool changed;

    if (!secret)
        return libvirt_error(err, c->host, "could not read the domain's definition");
    if (!clean || (!(there = xml_there(clean, names, false, &changed, err)) && err->code))
        return -err->code;
    return add_xml(p, VIR_MIGRATE_PARAM_PERSIST_XML, there ? there : clean, err);
}

/* Without a map that changes something libvirt sends what it has itself. */
static int add_live(struct child *c, virDomainPtr d, const struct names *names, struct parameters *p,
                    struct error *err)
{
    const bool is_asked = names->n > 0 || json_array_size(names->flat) > 0;
    OWNED_SECRET secret =
        is_asked ? virDomainGetXMLDesc(d, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE) : NULL;
    OWNED_SECRET there = NULL;
    bool changed;

    if (!is_asked)
        return 0;
    if (!secret)
        return libvirt_error(err, c->host, "could not read the domain's XML");
    there = xml_there(secret, names, true, &changed, err);
    if (!there)
        return -err->code;
    return changed ? add_xml(p, VIR_MIGRATE_PARAM_DEST_XML, there, err) : 0;
}

static uint64_t connections_of(const json_t *args)
{
    const uint64_t n = json_u64(args, "connections", 1);

    return n <= UINT8_MAX ? n : 1;
}

static int add_parameters(const json_t *args, struct parameters *p, struct error *err)
{
    uint64_t bandwidth = json_u64(args, "bandwidth_mib_per_s", 0), connections = connections_of(args);
    const json_t *disks = json_child(args, "disks");
    const json_t *disk;
    size_t i;
    int r = virTypedParamsAddString(&p->list, &p->n, &p->size, VIR_MIGRATE_PARAM_URI,
                                    json_text(args, "data_uri", ""));

    /* Else QEMU there takes connections at the address that its qemu.conf names alone. */
    if (r == 0 && json_child(args, "listen_address"))
        r = virTypedParamsAddString(&p->list, &p->n, &p->size, VIR_MIGRATE_PARAM_LISTEN_ADDRESS,
                                    json_text(args, "listen_address", ""));
    if (r == 0 && connections > 1)
        r = virTypedParamsAddInt(&p->list, &p->n, &p->size, VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
                                 (int)connections);
    if (r == 0 && bandwidth)
        r = virTypedParamsAddULLong(&p->list, &p->n, &p->size, VIR_MIGRATE_PARAM_BANDWIDTH, bandwidth);
    json_array_foreach(disks, i, disk) if (r == 0) r = virTypedParamsAddString(
        &p->list, &p->n, &p->size, VIR_MIGRATE_PARAM_MIGRATE_DISKS, json_string_value(disk));
    return r < 0 ? error_memory(err) : 0;
}

/* Of a domain that is shut off no data travels: what is said of it would be refused. */
static int add_of_channel(const json_t *args, struct parameters *p, unsigned *flags, struct error *err)
{
    if (*flags & VIR_MIGRATE_OFFLINE)
        return 0;
    return parameters_add(json_child(args, "parameters"), &p->list, &p->n, &p->size, flags, err);
}

static unsigned flags_of(const json_t *args)
{
    const char *mode = json_text(args, "mode", "precopy");
    unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_CHANGE_PROTECTION;

    /* Nothing runs: there is no change to protect from, and no check of caches to lift. */
    if (text_equal(mode, "offline"))
        return VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST;
    /* Without LIVE libvirt itself stops the guest first, and lets it run where it ends. */
    if (text_equal(mode, "paused"))
        flags &= ~(unsigned)VIR_MIGRATE_LIVE;
    if (text_equal(mode, "postcopy"))
        flags |= VIR_MIGRATE_POSTCOPY;
    /* All else was said when it began. */
    if (json_flag(args, "is_resume", false))
        return VIR_MIGRATE_LIVE | VIR_MIGRATE_POSTCOPY | VIR_MIGRATE_POSTCOPY_RESUME;
    if (text_equal(mode, "throttled"))
        flags |= VIR_MIGRATE_AUTO_CONVERGE;
    if (connections_of(args) > 1)
        flags |= VIR_MIGRATE_PARALLEL;

    if (json_flag(args, "is_persistent", false))
        flags |= VIR_MIGRATE_PERSIST_DEST;
    if (json_flag(args, "stay_paused", false))
        flags |= VIR_MIGRATE_PAUSED;
    if (json_flag(args, "unsafe_with_proof", false))
        flags |= VIR_MIGRATE_UNSAFE;
    if (json_array_size(json_child(args, "disks")) > 0)
        flags |= VIR_MIGRATE_ABORT_ON_ERROR |
                 (json_flag(args, "is_incremental", false) ? VIR_MIGRATE_NON_SHARED_INC
                                                           : VIR_MIGRATE_NON_SHARED_DISK);
    return flags;
}

/* {"uuid", "data_uri", "mode", "is_persistent", "stay_paused", "unsafe_with_proof", "disks": [targets to
 * copy], "flat": [targets that rest on nothing there], "is_incremental", "bandwidth_mib_per_s", "maps",
 * "connections" (absent: one), "listen_address" (absent: as the destination has it), "p2p_uri" (absent:
 * direct), "parameters": the channel's, "is_peer_trusted": the channel may be used for its trusted network
 * alone, "is_resume": post-copy that lost its link goes on}: makes the call and returns when libvirt does; {}
 */
static int mover_migrate(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    __attribute__((cleanup(parameters_done))) struct parameters p = { 0 };
    __attribute__((cleanup(names_done))) struct names names = { 0 };
    OWNED_DOMAIN plain = virDomainLookupByUUIDString(c->libvirt, json_text(args, "uuid", ""));
    OWNED_DOMAIN d = NULL, moved = NULL;
    const char *p2p = json_text(args, "p2p_uri", NULL);
    unsigned flags = flags_of(args);

    (void)reply;
    if (!plain)
        return libvirt_error(err, c->host, "no domain '%s'", json_text(args, "uuid", ""));
    if (check_peer(c, args, err) < 0)
        return -err->code;
    if (read_names(args, &names, err) < 0 || add_live(c, plain, &names, &p, err) < 0 ||
        (json_flag(args, "is_persistent", false) && add_persistent(c, plain, &names, &p, err) < 0) ||
        add_parameters(args, &p, err) < 0 || add_of_channel(args, &p, &flags, err) < 0)
        return -err->code;
    d = virDomainLookupByUUIDString(c->gated ? c->gated : c->libvirt, json_text(args, "uuid", ""));
    if (!d)
        return libvirt_error(err, c->host, "no domain '%s'", json_text(args, "uuid", ""));
    if (fault_point("migrate"))
        return error_set(err, ERROR_FAILED, c->host, "libvirt was not asked");
    if (p2p)
        return virDomainMigrateToURI3(d, p2p, p.list, (unsigned)p.n, flags | VIR_MIGRATE_PEER2PEER) < 0
                   ? libvirt_error(err, c->host, "libvirt there ended the migration")
                   : 0;
    moved = virDomainMigrate3(d, c->other, p.list, (unsigned)p.n, flags);
    if (!moved)
        return libvirt_error(err, c->host, "libvirt ended the migration");
    return 0;
}

const struct verb verbs_mover[] = {
    { "open", mover_open },
    { "migrate", mover_migrate },
    { NULL, NULL },
};
