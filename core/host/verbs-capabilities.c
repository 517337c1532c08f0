/* SPDX-License-Identifier: Apache-2.0
 * What a host can give a guest: pages, processors, pools, secrets' names, devices; and whether that is enough
 * for one domain. Reads through libvirt; what libvirt does not tell stays not known. */
#include "host/capabilities.h"

#include "base/text.h"
#include "facts/cpuset.h"
#include "host/serve.h"
#include "host/xml.h"
#include <libvirt/virterror.h>
#include <string.h>

#define MAX_POOLS 256 /* each costs three questions */
#define MAX_NAMES 4096u
#define MAX_SIZES 16u
#define MAX_TEXT 4096u /* as facts/json.h reads it */

/* ---- lists out of XML ---- */

struct names {
    struct arena *arena;
    struct finding_refs *to;
};

static bool add_name(void *context, const char *value)
{
    struct names *n = context;
    const char **grown = arena_grown(n->arena, n->to->names, n->to->n, sizeof *grown);
    char *copy = arena_text(n->arena, value);

    if (!grown || !copy || strlen(value) > 256u)
        return false;
    n->to->names = grown;
    grown[n->to->n++] = copy;
    return n->to->n < MAX_NAMES;
}

static void read_names(struct xml *x, const char *xpath, struct arena *a, struct finding_refs *to)
{
    xml_each(x, xpath, add_name, &(struct names){ a, to });
}

static bool add_number(void *context, const char *value)
{
    (void)cpuset_add(context, value);
    return true;
}

static const char *text_of_path(struct xml *x, const char *xpath, struct arena *a)
{
    OWNED_MEMORY char *value = xml_value(x, xpath);

    return value && strlen(value) <= MAX_TEXT ? arena_text(a, value) : NULL;
}

/* ---- the host by itself ---- */

struct sizes {
    unsigned kib[MAX_SIZES];
    unsigned n;
};

/* The base pages are the host's free memory, which is asked for by itself. */
static bool add_size(void *context, const char *value)
{
    struct sizes *s = context;
    unsigned long kib = strtoul(value, NULL, 10);

    if (kib > 64 && kib <= (1u << 30) && s->n < MAX_SIZES)
        s->kib[s->n++] = (unsigned)kib;
    return s->n < MAX_SIZES;
}

static void read_pages(struct child *c, struct xml *x, struct arena *a, struct host *h)
{
    struct sizes sizes = { .n = 0 };
    unsigned long long counts[MAX_SIZES];

    xml_each(x, "/capabilities/host/cpu/pages[@unit='KiB']/@size", add_size, &sizes);
    if (sizes.n == 0 || virNodeGetFreePages(c->libvirt, sizes.n, sizes.kib, -1, 1, counts, 0) < (int)sizes.n)
        return;
    h->pages = arena_zeroed(a, sizes.n, sizeof *h->pages);
    for (unsigned i = 0; h->pages && i < sizes.n; i++)
        h->pages[h->n_pages++] = (struct pages){ (uint64_t)sizes.kib[i] * 1024u, counts[i] };
}

static void read_processors(struct child *c, struct xml *x, struct arena *a, struct host *h)
{
    unsigned char *map = NULL;
    unsigned online = 0;
    int n = virNodeGetCPUMap(c->libvirt, &map, &online, 0);
    struct cpuset cpus = { 0 }, nodes = { 0 };

    for (int i = 0; i < n; i++)
        if (VIR_CPU_USED(map, i))
            cpuset_add_one(&cpus, (unsigned)i);
    free(map);
    xml_each(x, "/capabilities/host/topology/cells/cell/@id", add_number, &nodes);
    h->cpu_ids = cpuset_text(a, &cpus);
    h->node_ids = cpuset_text(a, &nodes);
}

/* What a guest can be given at most, by the emulator that libvirt takes when none is named. */
static void read_emulator(struct child *c, struct arena *a, struct host *h)
{
    OWNED_MEMORY char *text = virConnectGetDomainCapabilities(c->libvirt, NULL, NULL, NULL, NULL, 0);
    OWNED(xml) x = text ? xml_read(text) : NULL;

    if (!x)
        return;
#define HOST_MODEL "/domainCapabilities/cpu/mode[@name='host-model'][@supported='yes']/"
    h->cpu_model = text_of_path(x, HOST_MODEL "model", a);
    h->cpu_vendor = text_of_path(x, HOST_MODEL "vendor", a);
    read_names(x, HOST_MODEL "feature[@policy='require']/@name", a, &h->cpu_requires);
    read_names(x, HOST_MODEL "feature[@policy='disable']/@name", a, &h->cpu_disables);
    read_names(x, "/domainCapabilities/devices/tpm/enum[@name='backendModel']/value", a, &h->tpm_backends);
}

static void read_pool(virStoragePoolPtr from, struct arena *a, struct pool *to)
{
    OWNED_MEMORY char *text = virStoragePoolGetXMLDesc(from, 0);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    virStoragePoolInfo info;

    *to = (struct pool){ .name = arena_text(a, virStoragePoolGetName(from)),
                         .is_active = virStoragePoolIsActive(from) == 1,
                         .capacity_bytes = NOT_KNOWN,
                         .allocated_bytes = NOT_KNOWN,
                         .free_bytes = NOT_KNOWN };
    if (x) {
        to->type = text_of_path(x, "/pool/@type", a);
        to->target = text_of_path(x, "/pool/target/path", a);
    }
    if (to->is_active && virStoragePoolGetInfo(from, &info) == 0) {
        to->capacity_bytes = info.capacity;
        to->allocated_bytes = info.allocation;
        to->free_bytes = info.available;
    }
}

static void read_pools(struct child *c, struct arena *a, struct host *h)
{
    virStoragePoolPtr *list = NULL;
    int n = virConnectListAllStoragePools(c->libvirt, &list, 0);

    /* A list that was cut would make a pool look missing. */
    h->has_pool_list = n >= 0 && n <= MAX_POOLS;
    h->pools = n > 0 ? arena_zeroed(a, (size_t)n, sizeof *h->pools) : NULL;
    for (int i = 0; i < n; i++) {
        if (h->pools && i < MAX_POOLS)
            read_pool(list[i], a, &h->pools[h->n_pools++]);
        (void)virStoragePoolFree(list[i]);
    }
    free(list);
}

static const char *usage_word(int type)
{
    static const char *const words[] = {
        [VIR_SECRET_USAGE_TYPE_VOLUME] = "volume", [VIR_SECRET_USAGE_TYPE_CEPH] = "ceph",
        [VIR_SECRET_USAGE_TYPE_ISCSI] = "iscsi",   [VIR_SECRET_USAGE_TYPE_TLS] = "tls",
        [VIR_SECRET_USAGE_TYPE_VTPM] = "vtpm",
    };

    return type > 0 && (size_t)type < sizeof words / sizeof *words ? words[type] : NULL;
}

/* Names alone: their values are asked for nowhere. */
static void read_secrets(struct child *c, struct arena *a, struct host *h)
{
    virSecretPtr *list = NULL;
    int n = virConnectListAllSecrets(c->libvirt, &list, 0);

    h->has_secret_list = n >= 0 && (unsigned)n <= MAX_NAMES;
    h->secrets = n > 0 ? arena_zeroed(a, (size_t)n, sizeof *h->secrets) : NULL;
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];
        const char *usage = virSecretGetUsageID(list[i]);

        if (usage && strlen(usage) > MAX_TEXT)
            usage = NULL;
        if (h->secrets && h->has_secret_list && virSecretGetUUIDString(list[i], uuid) == 0)
            h->secrets[h->n_secrets++] =
                (struct secret){ .uuid = arena_text(a, uuid),
                                 .usage_type = usage_word(virSecretGetUsageType(list[i])),
                                 .usage = arena_text(a, usage) };
        (void)virSecretFree(list[i]);
    }
    free(list);
}

void capabilities_of_host(struct child *c, struct xml *capabilities, struct arena *a, struct host *h)
{
    read_pages(c, capabilities, a, h);
    read_processors(c, capabilities, a, h);
    read_emulator(c, a, h);
    read_pools(c, a, h);
    read_secrets(c, a, h);
    capabilities_of_machine(c, a, h);
}

/* ---- the host for one domain ---- */

static void add_features(struct text *t, const char *policy, const struct finding_refs *names)
{
    for (size_t i = 0; i < names->n; i++) {
        OWNED_MEMORY char *name = xml_quoted(names->names[i]);

        if (name)
            text_add(t, "<feature policy='%s' name='%s'/>", policy, name);
        else
            t->failed = true;
    }
}

static char *cpu_xml(const char *model, const char *vendor, const struct finding_refs *requires,
                     const struct finding_refs *disables)
{
    OWNED_MEMORY char *quoted = xml_quoted(model);
    OWNED_MEMORY char *maker = xml_quoted(vendor ? vendor : "");
    OWNED_TEXT t = { 0 };

    text_add(&t, "<cpu mode='custom' match='exact'><model fallback='forbid'>%s</model>",
             quoted ? quoted : "");
    if (vendor && maker)
        text_add(&t, "<vendor>%s</vendor>", maker);
    add_features(&t, "require", requires);
    add_features(&t, "disable", disables);
    text_add(&t, "</cpu>");
    return t.failed || !quoted ? NULL : strdup(text_of(&t));
}

/* The processor that the guest has seen; with host-passthrough that is all of the source's. */
static char *cpu_seen(const struct facts *f)
{
    const struct domain *d = &f->domain;
    const struct host *s = &f->source;

    if (text_equal(d->cpu_mode, "host-passthrough") || text_equal(d->cpu_mode, "maximum"))
        return s->cpu_model ? cpu_xml(s->cpu_model, s->cpu_vendor, &s->cpu_requires, &s->cpu_disables) : NULL;
    return d->cpu_model ? cpu_xml(d->cpu_model, d->cpu_vendor, &d->cpu_requires, &d->cpu_disables) : NULL;
}

static const char *last_words(struct arena *a)
{
    virErrorPtr last = virGetLastError();

    return last && last->message ? arena_format(a, "%.1024s", last->message) : NULL;
}

static int last_code(void)
{
    virErrorPtr last = virGetLastError();

    return last ? last->code : 0;
}

static void compare_cpu(struct child *c, struct facts *f)
{
    OWNED_MEMORY char *xml = cpu_seen(f);
    int r;

    if (!xml)
        return;
    r = virConnectCompareHypervisorCPU(c->libvirt, NULL, f->domain.arch, f->domain.machine, f->domain.type,
                                       xml, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
    if (r == VIR_CPU_COMPARE_IDENTICAL || r == VIR_CPU_COMPARE_SUPERSET)
        f->dest.suits_cpu = TRI_YES;
    else if (last_code() == VIR_ERR_CPU_INCOMPATIBLE) {
        f->dest.suits_cpu = TRI_NO;
        f->dest.cpu_why = last_words(f->arena);
    }
}

/* Unsupported combinations of type, architecture and machine are invalid arguments to libvirt. */
static void ask_for_machine(struct child *c, struct facts *f)
{
    OWNED_MEMORY char *text = NULL;

    if (!f->domain.machine)
        return;
    text = virConnectGetDomainCapabilities(c->libvirt, NULL, f->domain.arch, f->domain.machine,
                                           f->domain.type, 0);
    if (text)
        f->dest.knows_machine = TRI_YES;
    else if (last_code() == VIR_ERR_INVALID_ARG) {
        f->dest.knows_machine = TRI_NO;
        f->dest.machine_why = last_words(f->arena);
    }
}

static uint64_t mtu_of_device(struct child *c, const char *name, enum tristate *ret_present)
{
    virInterfacePtr i = virInterfaceLookupByName(c->libvirt, name);
    OWNED_MEMORY char *text = i ? virInterfaceGetXMLDesc(i, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *mtu = x ? xml_value(x, "/interface/mtu/@size") : NULL;
    unsigned long n = mtu ? strtoul(mtu, NULL, 10) : 0;

    *ret_present = i ? TRI_YES : last_code() == VIR_ERR_NO_INTERFACE ? TRI_NO : TRI_NOT_KNOWN;
    if (i)
        (void)virInterfaceFree(i);
    return n ? n : NOT_KNOWN;
}

static uint64_t mtu_of_network(struct child *c, const char *name, enum tristate *ret_present)
{
    virNetworkPtr net = virNetworkLookupByName(c->libvirt, name);
    OWNED_MEMORY char *text = net ? virNetworkGetXMLDesc(net, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *mtu = x ? xml_value(x, "/network/mtu/@size") : NULL;
    OWNED_MEMORY char *bridge = x ? xml_value(x, "/network/bridge/@name") : NULL;
    unsigned long n = mtu ? strtoul(mtu, NULL, 10) : 0;
    enum tristate ignored;

    *ret_present = net ? TRI_YES : last_code() == VIR_ERR_NO_NETWORK ? TRI_NO : TRI_NOT_KNOWN;
    if (net && virNetworkIsActive(net) == 0)
        *ret_present = TRI_NO;
    if (net)
        (void)virNetworkFree(net);
    if (n == 0 && bridge)
        return mtu_of_device(c, bridge, &ignored);
    return n ? n : NOT_KNOWN;
}

void capabilities_for_interfaces(struct child *c, struct facts *f, bool is_dest)
{
    for (size_t k = 0; k < f->domain.n_interfaces; k++) {
        struct interface *i = &f->domain.interfaces[k];
        const char *name = is_dest ? interface_dest_source(i) : i->source;
        enum tristate present = TRI_NOT_KNOWN;
        uint64_t mtu = NOT_KNOWN;

        if (!name)
            continue;
        if (text_equal(i->type, "network"))
            mtu = mtu_of_network(c, name, &present);
        else if (text_equal(i->type, "bridge") || text_equal(i->type, "direct"))
            mtu = mtu_of_device(c, name, &present);
        if (is_dest) {
            i->at_dest = present;
            i->dest_mtu = mtu;
        } else if (i->mtu == NOT_KNOWN) {
            i->mtu = mtu;
        }
    }
}

void capabilities_for_domain(struct child *c, struct facts *f)
{
    compare_cpu(c, f);
    ask_for_machine(c, f);
    capabilities_for_interfaces(c, f, true);
}

/* Digits, a colon, digits: what libvirt has, without the '+' by which it says that they are numbers. */
static bool plain_owner(const char *label, char *buf, size_t size)
{
    size_t n = 0;
    unsigned colons = 0;

    for (const char *c = label; *c && n + 1 < size; c++) {
        colons += *c == ':';
        if (*c != '+')
            buf[n++] = *c;
    }
    buf[n] = '\0';
    return colons == 1 && n > 2 && buf[0] != ':' && buf[n - 1] != ':' &&
           buf[strspn(buf, "0123456789:")] == '\0';
}

/* {}: {"owner": "UID:GID" of the QEMUs that libvirt starts here; absent: not known} */
int verb_qemu_owner(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_MEMORY char *text = virConnectGetCapabilities(c->libvirt);
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *label =
        x ? xml_value(x, "/capabilities/host/secmodel[model='dac']/baselabel[@type='kvm']") : NULL;
    char owner[32];

    (void)args;
    if (!text)
        return libvirt_error(err, c->host, "could not read its capabilities");
    return label && plain_owner(label, owner, sizeof owner) ? json_put_text(reply, "owner", owner) : 0;
}
