/* SPDX-License-Identifier: Apache-2.0
 * What a host can give a guest: pages, processors, pools, secrets' names, devices; and whether that is enough
 * for one domain. Reads through libvirt; what libvirt does not tell stays not known. */
#include "verbs/capabilities.h"

#include "base/text.h"
#include "facts/cpuset.h"
#include "verbs/together.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <libvirt/virterror.h>
#include <string.h>

#define MAX_POOLS 256 /* each costs three questions */
#define MAX_NAMES 4096u
#define MAX_SIZES 16u
#define MAX_WORDS 1024u /* of libvirt's */
#define MAX_TEXT 4096u  /* as facts/json.h reads it */

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

/* text: libvirt's domain capabilities; NULL: there are none. */
static void read_emulator(const char *text, struct arena *a, struct host *h)
{
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

void capabilities_of_emulator(struct child *c, struct arena *a, struct host *h)
{
    OWNED_MEMORY char *text = virConnectGetDomainCapabilities(c->libvirt, NULL, NULL, NULL, NULL, 0);

    read_emulator(text, a, h);
}

/* What libvirt says of one pool, before it is read. */
struct pool_said {
    virStoragePoolPtr pool;
    char *xml;
    virStoragePoolInfo info;
    bool is_active, has_info;
};

static void ask_pool(void *context, size_t i)
{
    struct pool_said *said = (struct pool_said *)context + i;

    said->xml = virStoragePoolGetXMLDesc(said->pool, 0);
    said->is_active = virStoragePoolIsActive(said->pool) == 1;
    said->has_info = said->is_active && virStoragePoolGetInfo(said->pool, &said->info) == 0;
}

/* "MONITOR[,MONITOR…]/POOL" */
static const char *source_in_ceph(struct xml *x, struct arena *a)
{
    struct finding_refs hosts = { 0 };
    const char *name = text_of_path(x, "/pool/source/name", a);
    OWNED_TEXT all = { 0 };

    read_names(x, "/pool/source/host/@name", a, &hosts);
    for (size_t i = 0; i < hosts.n; i++)
        text_add(&all, "%s%s", i ? "," : "", hosts.names[i]);
    return hosts.n && name && !all.failed ? arena_format(a, "%s/%s", text_of(&all), name) : NULL;
}

static void read_pool(const struct pool_said *said, struct arena *a, struct pool *to)
{
    OWNED(xml) x = said->xml ? xml_read(said->xml) : NULL;

    *to = (struct pool){ .name = arena_text(a, virStoragePoolGetName(said->pool)),
                         .is_active = said->is_active,
                         .capacity_bytes = said->has_info ? said->info.capacity : NOT_KNOWN,
                         .allocated_bytes = said->has_info ? said->info.allocation : NOT_KNOWN,
                         .free_bytes = said->has_info ? said->info.available : NOT_KNOWN };
    if (x) {
        to->type = text_of_path(x, "/pool/@type", a);
        to->target = text_of_path(x, "/pool/target/path", a);
        if (text_equal(to->type, "rbd"))
            to->source = source_in_ceph(x, a);
    }
}

void capabilities_of_pools(struct child *c, struct arena *a, struct host *h)
{
    virStoragePoolPtr *list = NULL;
    int n = virConnectListAllStoragePools(c->libvirt, &list, 0);
    const size_t asked = n > MAX_POOLS ? MAX_POOLS : n > 0 ? (size_t)n : 0;
    struct pool_said *said = arena_zeroed(a, asked, sizeof *said);

    /* A list that was cut would make a pool look missing. */
    h->has_pool_list = n >= 0 && n <= MAX_POOLS;
    h->pools = asked ? arena_zeroed(a, asked, sizeof *h->pools) : NULL;
    for (size_t i = 0; said && i < asked; i++)
        said[i].pool = list[i];
    if (said && h->pools)
        together(asked, ask_pool, said);
    for (size_t i = 0; said && h->pools && i < asked; i++) {
        read_pool(&said[i], a, &h->pools[h->n_pools++]);
        free(said[i].xml);
    }
    for (int i = 0; i < n; i++)
        (void)virStoragePoolFree(list[i]);
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

void capabilities_of_secrets(struct child *c, struct arena *a, struct host *h)
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
    OWNED_MEMORY char *apparmor = xml_value(capabilities, "/capabilities/host/secmodel/model[.='apparmor']");

    h->apparmor_confines = apparmor ? TRI_YES : TRI_NO;
    read_pages(c, capabilities, a, h);
    read_processors(c, capabilities, a, h);
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

static bool takes_host_cpu(const struct domain *d)
{
    return text_equal(d->cpu_mode, "host-passthrough") || text_equal(d->cpu_mode, "maximum");
}

/* The processor that the guest has seen; with host-passthrough that is all of the source's. */
static char *cpu_seen(const struct facts *f)
{
    const struct domain *d = &f->domain;
    const struct host *s = &f->source;

    if (takes_host_cpu(d))
        return s->cpu_model ? cpu_xml(s->cpu_model, s->cpu_vendor, &s->cpu_requires, &s->cpu_disables) : NULL;
    return d->cpu_model ? cpu_xml(d->cpu_model, d->cpu_vendor, &d->cpu_requires, &d->cpu_disables) : NULL;
}

static int last_code(void)
{
    virErrorPtr last = virGetLastError();

    return last ? last->code : 0;
}

/* One answer of the destination about the domain, and libvirt's words when it is no. */
struct verdict {
    enum tristate suits;
    char *why;
};

static void refused(struct verdict *v)
{
    virErrorPtr last = virGetLastError();

    v->suits = TRI_NO;
    v->why = last && last->message ? strndup(last->message, MAX_WORDS) : NULL;
}

static void compare_cpu(struct child *c, const struct facts *f, struct verdict *ret)
{
    OWNED_MEMORY char *xml = cpu_seen(f);
    int r;

    if (!xml)
        return;
    r = virConnectCompareHypervisorCPU(c->libvirt, NULL, f->domain.arch, f->domain.machine, f->domain.type,
                                       xml, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
    if (r == VIR_CPU_COMPARE_IDENTICAL || r == VIR_CPU_COMPARE_SUPERSET)
        ret->suits = TRI_YES;
    else if (last_code() == VIR_ERR_CPU_INCOMPATIBLE)
        refused(ret);
}

/* {"facts"}: the same facts; in "dest" whether a guest that was given all of the source's processor suits
 * this host */
int verb_survey_pair(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct verdict cpu = { TRI_NOT_KNOWN, NULL };

    if (!f)
        return -err->code;
    f->domain.cpu_mode = "host-passthrough";
    compare_cpu(c, f, &cpu);
    f->domain.cpu_mode = NULL;
    f->dest.suits_cpu = cpu.suits;
    f->dest.cpu_why = arena_text(f->arena, cpu.why);
    free(cpu.why);
    return arena_failed(f->arena) ? error_memory(err) : json_put(reply, "facts", facts_to_json(f));
}

static char *said_of_machine(struct child *c, const struct domain *d)
{
    return virConnectGetDomainCapabilities(c->libvirt, NULL, d->arch, d->machine, d->type, 0);
}

void capabilities_at_source(struct child *c, struct facts *f)
{
    OWNED_MEMORY char *text = NULL;

    if (takes_host_cpu(&f->domain) && f->domain.machine)
        text = said_of_machine(c, &f->domain);
    read_emulator(text, f->arena, &f->source);
}

/* Unsupported combinations of type, architecture and machine are invalid arguments to libvirt. */
static void ask_for_machine(struct child *c, const struct facts *f, struct verdict *ret, char **ret_said)
{
    if (!f->domain.machine)
        return;
    *ret_said = said_of_machine(c, &f->domain);
    if (*ret_said)
        ret->suits = TRI_YES;
    else if (last_code() == VIR_ERR_INVALID_ARG)
        refused(ret);
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

struct domain_questions {
    struct child *c;
    struct facts *f;
    struct verdict cpu, machine;
    char *emulator; /* what libvirt says of that of the domain's machine */
    bool is_here;
    void (*meanwhile)(void *context);
    void *context;
};

static void ask_for_name(struct child *c, const struct facts *f, bool *ret)
{
    virDomainPtr by_name = virDomainLookupByName(c->libvirt, f->domain.name);
    virDomainPtr by_uuid = virDomainLookupByUUIDString(c->libvirt, f->domain.uuid);

    *ret = by_name || by_uuid;
    if (by_name)
        (void)virDomainFree(by_name);
    if (by_uuid)
        (void)virDomainFree(by_uuid);
}

static void ask_for_domain(void *context, size_t i)
{
    struct domain_questions *q = context;

    if (i == 0)
        q->meanwhile(q->context);
    else if (i == 1)
        compare_cpu(q->c, q->f, &q->cpu);
    else if (i == 2)
        ask_for_machine(q->c, q->f, &q->machine, &q->emulator);
    else if (i == 3)
        capabilities_for_interfaces(q->c, q->f, true);
    else
        ask_for_name(q->c, q->f, &q->is_here);
}

bool capabilities_for_domain(struct child *c, struct facts *f, void (*meanwhile)(void *context),
                             void *context)
{
    struct domain_questions q = { .c = c, .f = f, .meanwhile = meanwhile, .context = context };

    together(5, ask_for_domain, &q);
    if (q.cpu.suits != TRI_NOT_KNOWN)
        f->dest.suits_cpu = q.cpu.suits;
    if (q.machine.suits != TRI_NOT_KNOWN)
        f->dest.knows_machine = q.machine.suits;
    f->dest.cpu_why = q.cpu.why ? arena_text(f->arena, q.cpu.why) : f->dest.cpu_why;
    f->dest.machine_why = q.machine.why ? arena_text(f->arena, q.machine.why) : f->dest.machine_why;
    read_emulator(q.emulator, f->arena, &f->dest);
    free(q.cpu.why);
    free(q.machine.why);
    free(q.emulator);
    return q.is_here;
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
