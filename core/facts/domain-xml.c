/* SPDX-License-Identifier: Apache-2.0
 * Reads a domain from libvirt's XML, live or not, as libvirt itself would read it. What a move cannot do
 * without (a name, the memory) is required; what it does not use is passed over. */
#include "facts/domain-xml.h"
#include "base/text.h"
#include "facts/disk-xml.h"
#include "facts/needs-xml.h"
#include <string.h>
#include <strings.h>

#define MAX_OF_A_KIND 4096u /* interfaces, devices; as facts/json.h reads them */

uint64_t xml_unit_bytes(const char *unit)
{
    static const char prefixes[] = "kmgtpe";
    const char *at;
    uint64_t base, bytes = 1;

    if (!unit)
        return 1024;
    if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 || strcasecmp(unit, "bytes") == 0)
        return 1;
    if (!unit[1] || strcasecmp(unit + 1, "ib") == 0)
        base = 1024;
    else if (strcasecmp(unit + 1, "b") == 0)
        base = 1000;
    else
        return 0;
    at = strchr(prefixes, *unit | 0x20);
    for (const char *p = prefixes; at && p <= at; p++)
        bytes *= base;
    return at ? bytes : 0;
}

static uint64_t memory_of(struct xml_reader *r, const xmlNode *node)
{
    const char *figure = xml_content(r, node);
    uint64_t factor = xml_unit_bytes(xml_attribute(r, node, "unit")), n = 0;
    struct error ignored = { 0 };

    if (!node || r->failed)
        return NOT_KNOWN;
    /* The border is libvirt's own: bytes fit a signed 64 bit figure. */
    if (!figure || factor == 0 || text_parse_u64(figure, (uint64_t)INT64_MAX / factor, &n, &ignored) < 0) {
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML has no usable figure in '%s': '%s'",
                              (const char *)node->name, ESCAPED(figure ? figure : ""));
        return NOT_KNOWN;
    }
    return n * factor;
}

static void read_memory(struct xml_reader *r, const xmlNode *root, struct domain *d)
{
    const xmlNode *memory = xml_child(root, "memory"), *now = xml_child(root, "currentMemory");
    const char *vcpus = xml_content(r, xml_child(root, "vcpu"));
    struct error ignored = { 0 };
    uint64_t n;

    d->memory_bytes = memory_of(r, memory);
    d->memory_now_bytes = now ? memory_of(r, now) : d->memory_bytes;
    if (!r->failed && !memory)
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML says nothing of the memory");
    if (!vcpus)
        d->vcpus = 1; /* libvirt's default */
    else if (text_parse_u64(vcpus, UINT32_MAX, &n, &ignored) == 0)
        d->vcpus = n;
    d->has_iothreads = xml_child(root, "iothreads") != NULL;
    d->has_hugepages = xml_child(xml_child(root, "memoryBacking"), "hugepages") != NULL;
}

/* The file, device or network image that a <source> names. */
static const char *nvram_of(struct xml_reader *r, const xmlNode *nvram)
{
    const xmlNode *source = xml_child(nvram, "source");

    /* Since libvirt 8.5 it can be a storage source of its own; before, and still mostly, it is a text. */
    if (xml_attribute(r, nvram, "type") && source) {
        const char *file = xml_attribute(r, source, "file"), *dev = xml_attribute(r, source, "dev");

        return file ? file : dev ? dev : xml_attribute(r, source, "name");
    }
    return xml_content(r, nvram);
}

static void read_boot(struct xml_reader *r, const xmlNode *os, struct domain *d)
{
    const xmlNode *nvram = xml_child(os, "nvram"), *type = xml_child(os, "type");

    d->arch = xml_attribute(r, type, "arch");
    d->machine = xml_attribute(r, type, "machine");
    d->kernel = xml_content(r, xml_child(os, "kernel"));
    d->initrd = xml_content(r, xml_child(os, "initrd"));
    d->dtb = xml_content(r, xml_child(os, "dtb"));
    d->loader = xml_content(r, xml_child(os, "loader"));
    d->nvram = nvram_of(r, nvram);
    d->nvram_template = xml_attribute(r, nvram, "template");
}

/* Who else believes to own the domain: it would move or restart it at will, and a move behind its back leaves
 * it with a wrong host. */
static const struct {
    const char *start, *manager;
} managers_by_namespace[] = {
    { "http://ovirt.org/vm/", "oVirt" },
    { "http://openstack.org/xmlns/libvirt/nova/", "OpenStack" },
    { "http://kubevirt.io", "KubeVirt" },
    { "http://opennebula.org/xmlns/libvirt/", "OpenNebula" },
}, managers_by_system[] = {
    { "oVirt", "oVirt" },       { "OpenStack", "OpenStack" },    { "KubeVirt", "KubeVirt" },
    { "CloudStack", "CloudStack" },
};

static const char *manager_by_metadata(const xmlNode *root)
{
    const xmlNode *metadata = xml_child(root, "metadata");

    for (const xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next)
        for (size_t i = 0; i < sizeof managers_by_namespace / sizeof *managers_by_namespace; i++)
            if (node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
                text_starts((const char *)node->ns->href, managers_by_namespace[i].start))
                return managers_by_namespace[i].manager;
    return NULL;
}

/* What the guest is told of its maker; CloudStack leaves no other trace. */
static const char *manager_by_sysinfo(struct xml_reader *r, const xmlNode *root)
{
    const xmlNode *system = xml_child(xml_child(root, "sysinfo"), "system");

    for (const xmlNode *e = xml_child(system, "entry"); e; e = xml_next(e, "entry")) {
        const char *name = xml_attribute(r, e, "name"), *value = xml_content(r, e);

        if (!value || !(text_equal(name, "product") || text_equal(name, "manufacturer")))
            continue;
        for (size_t i = 0; i < sizeof managers_by_system / sizeof *managers_by_system; i++)
            if (text_starts(value, managers_by_system[i].start))
                return managers_by_system[i].manager;
    }
    return NULL;
}

static const char *interface_source(struct xml_reader *r, const xmlNode *node, const char *type)
{
    static const char *const attribute_of[][2] = {
        { "network", "network" }, { "bridge", "bridge" }, { "direct", "dev" },     { "vdpa", "dev" },
        { "vhostuser", "path" },  { "internal", "name" }, { "server", "address" }, { "client", "address" },
        { "mcast", "address" },   { "udp", "address" },
    };
    const xmlNode *source = xml_child(node, "source");

    for (size_t i = 0; i < sizeof attribute_of / sizeof *attribute_of; i++)
        if (text_equal(type, attribute_of[i][0]))
            return xml_attribute(r, source, attribute_of[i][1]);
    return NULL;
}

static void read_interface(struct xml_reader *r, const xmlNode *node, struct facts *f)
{
    const char *mtu = xml_attribute(r, xml_child(node, "mtu"), "size");
    struct interface *added;
    struct error ignored = { 0 };
    uint64_t n;

    if (f->domain.n_interfaces >= MAX_OF_A_KIND) {
        r->failed =
            error_set(r->err, ERROR_INPUT, NULL, "the domain XML has more than %u interfaces", MAX_OF_A_KIND);
        return;
    }
    added = facts_add_interface(f);
    if (!added) {
        r->failed = error_memory(r->err);
        return;
    }
    added->type = xml_attribute(r, node, "type");
    added->source = interface_source(r, node, added->type);
    added->mac = xml_attribute(r, xml_child(node, "mac"), "address");
    added->model = xml_attribute(r, xml_child(node, "model"), "type");
    if (mtu && text_parse_u64(mtu, UINT32_MAX, &n, &ignored) == 0)
        added->mtu = n;
}

static void read_devices(struct xml_reader *r, const xmlNode *devices, struct facts *f)
{
    struct domain *d = &f->domain;

    for (const xmlNode *node = devices ? devices->children : NULL; node && !r->failed; node = node->next) {
        if (xml_is(node, "disk"))
            disk_xml_read(r, node, f);
        else if (xml_is(node, "interface"))
            read_interface(r, node, f);
        else
            device_xml_read(r, node, d, MAX_OF_A_KIND);
    }
    d->has_tpm = xml_child(devices, "tpm") != NULL;
}

/* Words for QEMU that libvirt hands on as they are: they can switch off anything, an image's lock too. */
static bool has_qemu_options(const xmlNode *root)
{
    for (const xmlNode *node = root->children; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
            text_starts((const char *)node->ns->href, "http://libvirt.org/schemas/domain/qemu/"))
            return true;
    return false;
}

static void read_domain(struct xml_reader *r, const xmlNode *root, struct facts *f)
{
    struct domain *d = &f->domain;
    const xmlNode *cpu = xml_child(root, "cpu");

    d->name = xml_content(r, xml_child(root, "name"));
    d->uuid = xml_content(r, xml_child(root, "uuid"));
    d->title = xml_content(r, xml_child(root, "title"));
    d->type = xml_attribute(r, root, "type");
    d->cpu_mode = xml_attribute(r, cpu, "mode");
    d->cpu_model = xml_content(r, xml_child(cpu, "model"));
    if (!r->failed && !d->name)
        r->failed = error_set(r->err, ERROR_INPUT, NULL, "the domain XML has no name in it");
    read_memory(r, root, d);
    read_boot(r, xml_child(root, "os"), d);
    d->manager = arena_text(r->arena, manager_by_metadata(root));
    if (!d->manager)
        d->manager = arena_text(r->arena, manager_by_sysinfo(r, root));
    d->has_qemu_options = has_qemu_options(root);
    read_devices(r, xml_child(root, "devices"), f);
    needs_xml_read(r, root, f);
}

int domain_xml_read(struct facts *f, const char *xml, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    struct xml_reader r = { .arena = f->arena, .err = err };

    if (!t)
        return -err->code;
    if (!xml_is(t->root, "domain"))
        return error_set(err, ERROR_INPUT, NULL, "the XML is no domain: its element is '%s'",
                         ESCAPED((const char *)t->root->name));
    read_domain(&r, t->root, f);
    if (!r.failed && arena_failed(f->arena))
        r.failed = error_memory(err);
    return r.failed;
}
