/* SPDX-License-Identifier: Apache-2.0
 * What a host is: a dozen questions and more, and a few for every pool, secret and device. They are asked in
 * parts that do not wait for each other; what the parts say is put together afterwards. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/json.h"
#include "verbs/capabilities.h"
#include "verbs/machine.h"
#include "verbs/pair.h"
#include "verbs/together.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <string.h>
#include <time.h>

#define IDLE_LEAST_NS 10000000u /* to look at the processors for: they are counted in such steps */

/* How long the processors had nothing to do, all together, up to a moment; NOT_KNOWN. */
struct idle {
    uint64_t ns, at_ns;
};

/* What one part found out. Each has memory of its own, and members of the host that no other part writes. */
struct part {
    struct child *c;
    struct host *h;
    struct arena *arena;
    json_t *host; /* members of the facts' host, by name */
    char *machine;
    struct idle idle;
    bool is_pair; /* no domain is asked about, whose machine would be */
    struct error err;
    int r;
};

static void names_of_networks(struct child *c, json_t *host)
{
    virNetworkPtr *list = NULL;
    int n = virConnectListAllNetworks(c->libvirt, &list, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    json_t *names = json_array();

    for (int i = 0; i < n; i++) {
        (void)json_array_append_new(names, json_string(virNetworkGetName(list[i])));
        (void)virNetworkFree(list[i]);
    }
    free(list);
    (void)json_put_flag(host, "has_network_list", n >= 0);
    if (n < 0)
        json_decref(names);
    else
        (void)json_put(host, "networks", names);
}

/* Bridges and other interfaces that are up; not every libvirt is built to tell. */
static void names_of_interfaces(struct child *c, json_t *host)
{
    virInterfacePtr *list = NULL;
    int n = virConnectListAllInterfaces(c->libvirt, &list, VIR_CONNECT_LIST_INTERFACES_ACTIVE);
    json_t *names = json_array();

    for (int i = 0; i < n; i++) {
        (void)json_array_append_new(names, json_string(virInterfaceGetName(list[i])));
        (void)virInterfaceFree(list[i]);
    }
    free(list);
    (void)json_put_flag(host, "has_bridge_list", n >= 0);
    if (n < 0)
        json_decref(names);
    else
        (void)json_put(host, "bridges", names);
}

struct devices {
    virNodeDevicePtr *list;
    uint64_t *mbit; /* of each */
};

static void speed_of_link(void *context, size_t i)
{
    const struct devices *devices = context;
    OWNED_MEMORY char *text = virNodeDeviceGetXMLDesc(devices->list[i], 0);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *speed = x ? xml_value(x, "/device/capability/link[@state='up']/@speed") : NULL;

    devices->mbit[i] = speed ? strtoull(speed, NULL, 10) : 0;
}

/* The fastest link that is up, from the node devices: they need no shell on that host. */
static void fastest_link(struct child *c, json_t *host)
{
    virNodeDevicePtr *list = NULL;
    int n = virConnectListAllNodeDevices(c->libvirt, &list, VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET);
    OWNED_MEMORY uint64_t *mbit = n > 0 ? calloc((size_t)n, sizeof *mbit) : NULL;
    uint64_t fastest = 0;

    if (mbit)
        together((size_t)n, speed_of_link, &(struct devices){ list, mbit });
    for (int i = 0; i < n; i++) {
        if (mbit && mbit[i] > fastest && mbit[i] < 10000000u)
            fastest = mbit[i];
        (void)virNodeDeviceFree(list[i]);
    }
    free(list);
    if (fastest)
        (void)json_put_u64(host, "link_bytes_per_s", fastest * 125000u);
}

static int versions(struct part *p)
{
    virConnectPtr libvirt = p->c->libvirt;
    unsigned long libvirt_version, qemu_version;
    virNodeInfo node;
    const unsigned long long free_bytes = virNodeGetFreeMemory(libvirt); /* 0: it failed */

    if (virConnectGetLibVersion(libvirt, &libvirt_version) < 0 ||
        virConnectGetVersion(libvirt, &qemu_version) < 0 || virNodeGetInfo(libvirt, &node) < 0)
        return libvirt_error(&p->err, p->c->host, "could not ask the host what it is");
    if (json_put_u64(p->host, "libvirt_version", libvirt_version) < 0 ||
        json_put_u64(p->host, "qemu_version", qemu_version) < 0 ||
        json_put_u64(p->host, "cpus", node.cpus) < 0 ||
        json_put_u64(p->host, "memory_bytes", (uint64_t)node.memory * 1024u) < 0 ||
        json_put_u64(p->host, "memory_free_bytes", free_bytes > 0 ? free_bytes : NOT_KNOWN) < 0)
        return error_memory(&p->err);
    return 0;
}

static int who_it_is(struct part *p)
{
    struct child *c = p->c;
    OWNED_MEMORY char *hostname = virConnectGetHostname(c->libvirt);
    OWNED_MEMORY char *uri = virConnectGetURI(c->libvirt);
    const char *type = virConnectGetType(c->libvirt);

    if (!hostname || !type)
        return libvirt_error(&p->err, c->host, "could not ask the host what it is");
    if (strcmp(type, "QEMU") != 0) {
        error_set(&p->err, ERROR_REFUSED, c->host, "its hypervisor is '%s', not QEMU", type);
        return error_fix(&p->err, "virt-ferry moves QEMU domains: give a qemu:// URI.");
    }
    if (json_put_text(p->host, "name", c->host) < 0 || json_put_text(p->host, "hostname", hostname) < 0 ||
        json_put_text(p->host, "uri", c->way.driver ? c->way.uri : uri) < 0 ||
        json_put_flag(p->host, "is_local_socket", verb_is_local(c) || c->way.driver) < 0)
        return error_memory(&p->err);
    return 0;
}

static int capabilities(struct part *p)
{
    OWNED_MEMORY char *text = virConnectGetCapabilities(p->c->libvirt);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *uuid = x ? xml_value(x, "/capabilities/host/uuid") : NULL;

    if (!x)
        return libvirt_error(&p->err, p->c->host, "could not ask the host what it is");
    capabilities_of_host(p->c, x, p->arena, p->h);
    return json_put_text(p->host, "uuid", uuid) < 0 ? error_memory(&p->err) : 0;
}

static struct idle idle_now(struct child *c)
{
    virNodeCPUStats stats[16];
    struct idle idle = { NOT_KNOWN, 0 };
    struct timespec now;
    uint64_t sum_ns = 0;
    int n = 0;

    if (virNodeGetCPUStats(c->libvirt, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &n, 0) < 0 || n > 16 ||
        virNodeGetCPUStats(c->libvirt, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &n, 0) < 0 ||
        clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return idle;
    for (int i = 0; i < n; i++)
        if (strcmp(stats[i].field, VIR_NODE_CPU_STATS_IDLE) == 0 ||
            strcmp(stats[i].field, VIR_NODE_CPU_STATS_IOWAIT) == 0)
            sum_ns += stats[i].value;
    return (struct idle){ sum_ns, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec };
}

/* What was idle while the parts asked; what they took is not, so it is rather too little. The kernel counts
 * in hundredths of a second, all processors together. */
static int idle_since(struct child *c, struct idle then, json_t *host)
{
    const struct idle now = idle_now(c);
    const uint64_t cpus = json_u64(host, "cpus", 0);
    uint64_t milli;

    if (then.ns == NOT_KNOWN || now.ns == NOT_KNOWN || now.ns < then.ns ||
        now.at_ns < then.at_ns + IDLE_LEAST_NS)
        return 0;
    milli = (now.ns - then.ns) * 1000u / (now.at_ns - then.at_ns);
    return json_put_u64(host, "cpus_idle_milli", milli < cpus * 1000u ? milli : cpus * 1000u);
}

static int processors(struct part *p)
{
    p->idle = idle_now(p->c);
    return 0;
}

static int machine(struct part *p)
{
    p->machine = machine_ask(p->c);
    return 0;
}

static int emulator(struct part *p)
{
    if (p->is_pair)
        capabilities_of_emulator(p->c, p->arena, p->h);
    return 0;
}

static int pools(struct part *p)
{
    capabilities_of_pools(p->c, p->arena, p->h);
    return 0;
}

static int secrets(struct part *p)
{
    capabilities_of_secrets(p->c, p->arena, p->h);
    return 0;
}

static int networks(struct part *p)
{
    names_of_networks(p->c, p->host);
    return 0;
}

static int interfaces(struct part *p)
{
    names_of_interfaces(p->c, p->host);
    return 0;
}

static int links(struct part *p)
{
    fastest_link(p->c, p->host);
    return 0;
}

/* The first starts a program, which it must do in the thread that lives on. */
static int (*const parts[])(struct part *p) = {
    machine, processors, emulator, capabilities, pools,   versions,
    links,   who_it_is,  networks, interfaces,   secrets,
};

enum { PROCESSORS = 1 }; /* its place in the list */
#define N_PARTS (sizeof parts / sizeof *parts)

static void ask_part(void *context, size_t i)
{
    struct part *p = (struct part *)context + i;

    p->r = p->arena && p->host ? parts[i](p) : error_memory(&p->err);
    if (p->r == 0 && arena_failed(p->arena))
        p->r = error_memory(&p->err);
}

static int put_together(struct part part[N_PARTS], struct facts *f, json_t *host, struct error *err)
{
    OWNED_JSON known = NULL;

    for (size_t i = 0; i < N_PARTS; i++) {
        if (part[i].r < 0) {
            *err = part[i].err;
            return part[i].r;
        }
        if (json_object_update(host, part[i].host) < 0)
            return error_memory(err);
        if (part[i].machine)
            machine_read(part[i].machine, f->arena, &f->source);
    }
    known = arena_failed(f->arena) ? NULL : host_to_json(&f->source);
    return !known || json_object_update_missing(host, known) < 0 ? error_memory(err) : 0;
}

/* Where no domain is asked about; nobody is kept waiting by a question after the others. */
static int look_as_pair(struct child *c, struct facts *f, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *text = virConnectGetCapabilities(c->libvirt);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_JSON clock = NULL;

    if (!x)
        return libvirt_error(err, c->host, "could not ask the host what it is");
    pair_of_host(c, x, f->arena, &f->source, &clock);
    return clock && json_put(reply, "clock", json_incref(clock)) < 0 ? error_memory(err) : 0;
}

/* {"is_pair": no domain is asked about}: a host as facts have it, under "host"; of a pair "clock" too, as
 * pair.h has it, where it could be read */
int verb_survey_host(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_new();
    OWNED_JSON host = json_object();
    struct part part[N_PARTS] = { 0 };
    const bool is_pair = json_flag(args, "is_pair", false);
    int r;

    if (!f || !host)
        return error_memory(err);
    for (size_t i = 0; i < N_PARTS; i++)
        part[i] = (struct part){ .c = c,
                                 .h = &f->source,
                                 .arena = arena_new(),
                                 .host = json_object(),
                                 .idle.ns = NOT_KNOWN,
                                 .is_pair = is_pair };
    together(N_PARTS, ask_part, part);
    r = is_pair ? look_as_pair(c, f, reply, err) : 0;
    if (r == 0)
        r = put_together(part, f, host, err);
    if (r == 0 && idle_since(c, part[PROCESSORS].idle, host) < 0)
        r = error_memory(err);
    for (size_t i = 0; i < N_PARTS; i++) {
        arena_free(part[i].arena);
        json_decref(part[i].host);
        free(part[i].machine);
    }
    return r < 0 ? r : json_put(reply, "host", json_incref(host));
}
