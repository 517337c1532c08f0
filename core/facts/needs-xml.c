/* SPDX-License-Identifier: Apache-2.0
 * Reads what else ties a domain to a host's resources. What cannot be read stays not known: libvirt has
 * accepted the XML, so a strange word is a newer libvirt's, and no reason to refuse the move. */
#include "facts/needs-xml.h"
#include "base/text.h"
#include "facts/cpuset.h"

#define MAX_NEEDS 4096u  /* of a kind; as facts/json.h reads them */
#define MAX_NESTING 256u /* libxml2 does not nest deeper either */

static void add_name(struct xml_reader *r, struct finding_refs *to, const char *name)
{
    const char **grown;

    if (!name || to->n >= MAX_NEEDS)
        return;
    grown = arena_grown(r->arena, to->names, to->n, sizeof *grown);
    if (!grown) {
        r->failed = error_memory(r->err);
        return;
    }
    to->names = grown;
    grown[to->n++] = name;
}

static void read_cpu(struct xml_reader *r, const xmlNode *cpu, struct domain *d)
{
    d->cpu_vendor = xml_content(r, xml_child(cpu, "vendor"));
    for (const xmlNode *f = xml_child(cpu, "feature"); f; f = xml_next(f, "feature")) {
        const char *policy = xml_attribute(r, f, "policy");

        if (!policy || text_equal(policy, "require") || text_equal(policy, "force"))
            add_name(r, &d->cpu_requires, xml_attribute(r, f, "name"));
        else if (text_equal(policy, "disable") || text_equal(policy, "forbid"))
            add_name(r, &d->cpu_disables, xml_attribute(r, f, "name"));
    }
}

/* With placement 'auto' numad chooses anew on each host; what it chose here binds nobody there. */
static bool is_auto(struct xml_reader *r, const xmlNode *node)
{
    return text_equal(xml_attribute(r, node, "placement"), "auto");
}

static void read_pins(struct xml_reader *r, const xmlNode *root, struct domain *d)
{
    static const char *const kinds[] = { "vcpupin", "emulatorpin", "iothreadpin" };
    const xmlNode *vcpu = xml_child(root, "vcpu"), *tune = xml_child(root, "cputune");
    struct cpuset all = { 0 };

    if (!is_auto(r, vcpu))
        (void)cpuset_add(&all, xml_attribute(r, vcpu, "cpuset"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const xmlNode *pin = xml_child(tune, kinds[i]); pin; pin = xml_next(pin, kinds[i]))
            (void)cpuset_add(&all, xml_attribute(r, pin, "cpuset"));
    d->pinned_cpus = cpuset_text(r->arena, &all);
}

static void read_nodes(struct xml_reader *r, const xmlNode *tune, struct domain *d)
{
    const xmlNode *memory = xml_child(tune, "memory");
    struct cpuset all = { 0 };

    if (!is_auto(r, memory))
        (void)cpuset_add(&all, xml_attribute(r, memory, "nodeset"));
    for (const xmlNode *node = xml_child(tune, "memnode"); node; node = xml_next(node, "memnode"))
        (void)cpuset_add(&all, xml_attribute(r, node, "nodeset"));
    d->numa_nodes = cpuset_text(r->arena, &all);
}

static void read_hugepages(struct xml_reader *r, const xmlNode *hugepages, struct domain *d)
{
    const xmlNode *page = xml_child(hugepages, "page");
    const char *size = xml_attribute(r, page, "size");
    const uint64_t factor = xml_unit_bytes(xml_attribute(r, page, "unit"));
    struct error ignored = { 0 };
    uint64_t n;

    if (size && factor && text_parse_u64(size, (uint64_t)INT64_MAX / factor, &n, &ignored) == 0)
        d->hugepage_bytes = n * factor;
}

static void read_graphics(struct xml_reader *r, const xmlNode *node, struct domain *d)
{
    const xmlNode *listen = xml_child(node, "listen");
    struct graphics *grown;

    if (d->n_graphics >= MAX_NEEDS)
        return;
    grown = arena_grown(r->arena, d->graphics, d->n_graphics, sizeof *grown);
    if (!grown) {
        r->failed = error_memory(r->err);
        return;
    }
    d->graphics = grown;
    grown += d->n_graphics++;
    grown->type = xml_attribute(r, node, "type");
    grown->network = xml_attribute(r, listen, "network");
    grown->socket = xml_attribute(r, listen, "socket");
    /* What a network stands for is looked up anew by the destination. */
    if (!grown->network && !grown->socket) {
        const char *address = xml_attribute(r, listen, "address");

        grown->address = address ? address : xml_attribute(r, node, "listen");
    }
}

static bool is_named(const struct secret *a, const struct secret *b)
{
    return text_equal(a->uuid, b->uuid) && text_equal(a->usage_type, b->usage_type) &&
           text_equal(a->usage, b->usage);
}

static void add_secret(struct xml_reader *r, struct domain *d, struct secret s)
{
    struct secret *grown;

    if ((!s.uuid && !s.usage) || d->n_secrets >= MAX_NEEDS)
        return;
    for (size_t i = 0; i < d->n_secrets; i++)
        if (is_named(&d->secrets[i], &s))
            return;
    grown = arena_grown(r->arena, d->secrets, d->n_secrets, sizeof *grown);
    if (!grown) {
        r->failed = error_memory(r->err);
        return;
    }
    d->secrets = grown;
    grown[d->n_secrets++] = s;
}

/* In <auth>, its type is the usage's; in <encryption> of a disk the type is always 'passphrase'. */
static void read_secret(struct xml_reader *r, const xmlNode *node, struct domain *d)
{
    const char *type = xml_attribute(r, node, "type");

    add_secret(r, d,
               (struct secret){ .uuid = xml_attribute(r, node, "uuid"),
                                .usage = xml_attribute(r, node, "usage"),
                                .usage_type = text_equal(type, "passphrase") ? "volume" : type });
}

static void read_secrets_below(struct xml_reader *r, const xmlNode *node, struct domain *d, unsigned depth)
{
    for (const xmlNode *n = node->children; n && !r->failed && depth < MAX_NESTING; n = n->next) {
        if (xml_is(n, "secret"))
            read_secret(r, n, d);
        else if (n->type == XML_ELEMENT_NODE)
            read_secrets_below(r, n, d, depth + 1u);
        if (xml_is(n, "encryption") && xml_attribute(r, n, "secret"))
            add_secret(r, d, (struct secret){ .uuid = xml_attribute(r, n, "secret") });
    }
}

void needs_xml_read(struct xml_reader *r, const xmlNode *root, struct facts *f)
{
    const xmlNode *devices = xml_child(root, "devices");
    struct domain *d = &f->domain;

    read_cpu(r, xml_child(root, "cpu"), d);
    read_pins(r, root, d);
    read_nodes(r, xml_child(root, "numatune"), d);
    read_hugepages(r, xml_child(xml_child(root, "memoryBacking"), "hugepages"), d);
    for (const xmlNode *n = devices ? devices->children : NULL; n && !r->failed; n = n->next) {
        if (xml_is(n, "graphics"))
            read_graphics(r, n, d);
        else if (xml_is(n, "disk") || xml_is(n, "tpm") || xml_is(n, "hostdev"))
            read_secrets_below(r, n, d, 0);
    }
}
