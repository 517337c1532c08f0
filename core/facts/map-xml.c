/* SPDX-License-Identifier: Apache-2.0
 * Maps on a domain's XML, live or persistent: the tree that libvirt wrote, with other names in it. Whatever
 * no map is for stays as it stands, of other namespaces too. */
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/location.h"
#include "facts/map.h"
#include "facts/xml-tree.h"
#include <string.h>

/* One rewriting. What is asked of the maps is text, so a failure is one of memory. */
struct rewriting {
    const struct map *maps;
    size_t n, changed;
    struct arena *arena; /* of the names: none is a secret */
    bool failed;
};

static void put_attribute(struct rewriting *w, xmlNodePtr node, const char *name, const char *value)
{
    if (!value || !xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value))
        w->failed = true;
    w->changed++;
}

static bool is_of_type(const xmlNode *node, const char *wanted)
{
    xmlChar *type = xmlGetNoNsProp(node, (const xmlChar *)"type");
    const bool is_wanted = text_equal((const char *)type, wanted);

    xmlFree(type);
    return is_wanted;
}

/* ---- networks ---- */

static const char *attribute_of(const char *type)
{
    static const char *const attributes[][2] = { { "network", "network" },
                                                 { "bridge", "bridge" },
                                                 { "direct", "dev" } };

    for (size_t i = 0; type && i < sizeof attributes / sizeof *attributes; i++)
        if (text_equal(type, attributes[i][0]))
            return attributes[i][1];
    return NULL;
}

static void map_interface(struct rewriting *w, const xmlNode *interface)
{
    xmlChar *type = xmlGetNoNsProp(interface, (const xmlChar *)"type");
    const char *attribute = attribute_of((const char *)type);
    xmlNodePtr source = xml_child(interface, "source");
    xmlChar *name = attribute && source ? xmlGetNoNsProp(source, (const xmlChar *)attribute) : NULL;
    const struct map *to = map_for_name(w->maps, w->n, (const char *)name);

    if (to)
        put_attribute(w, source, attribute, to->to);
    /* A live network has its port and its bridge beside its name: those of the network that is left. */
    if (to && text_equal(attribute, "network")) {
        (void)xmlUnsetProp(source, (const xmlChar *)"portid");
        (void)xmlUnsetProp(source, (const xmlChar *)"bridge");
    }
    xmlFree(name);
    xmlFree(type);
}

/* ---- locations ---- */

/* NULL: it keeps its place, or w failed. */
static const char *place_there(struct rewriting *w, const char *place)
{
    const char *to;

    if (!map_for_path(w->maps, w->n, place))
        return NULL;
    to = map_path(w->arena, w->maps, w->n, place);
    w->failed |= !to;
    return to;
}

static void map_attribute(struct rewriting *w, xmlNodePtr node, const char *name)
{
    xmlChar *path = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    const char *to = place_there(w, (const char *)path);

    if (to)
        put_attribute(w, node, name, to);
    xmlFree(path);
}

static void map_content(struct rewriting *w, xmlNodePtr node)
{
    xmlChar *path = node ? xmlNodeGetContent(node) : NULL;
    const char *to = place_there(w, (const char *)path);

    if (to) {
        /* Emptied, then given the text as it is: a text that is set is read for entities. */
        xmlNodeSetContent(node, NULL);
        xmlNodeAddContent(node, (const xmlChar *)to);
        w->changed++;
    }
    xmlFree(path);
}

static const char *attribute(struct rewriting *w, const xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    const char *copy = arena_text(w->arena, (const char *)value);

    w->failed |= value && !copy;
    xmlFree(value);
    return copy;
}

static void put_part(struct rewriting *w, xmlNodePtr node, const char *name, const char *before,
                     const char *after)
{
    if (after && !text_equal(before, after))
        put_attribute(w, node, name, after);
}

/* One that is named by several attributes: its parts become a location, and that one its parts again. The
 * port and the user of a server stay, and so does all else. */
static void map_parts(struct rewriting *w, xmlNodePtr source, const struct location *here)
{
    const char *place = location_text(w->arena, here), *to = place_there(w, place);
    struct location there;

    if (!to)
        return;
    if (location_read(w->arena, to, &there) < 0) {
        w->failed = true;
        return;
    }
    put_part(w, source, here->kind == LOCATION_POOL ? "pool" : "name",
             here->kind == LOCATION_POOL ? here->pool : here->name,
             here->kind == LOCATION_POOL ? there.pool : there.name);
    put_part(w, source, "volume", here->volume, there.volume);
    put_part(w, xml_child(source, "host"), "name", here->server, there.server);
}

static void map_network_source(struct rewriting *w, xmlNodePtr source)
{
    const char *protocol = attribute(w, source, "protocol");
    const bool is_nfs = text_equal(protocol, "nfs");
    const struct location here = { .kind = is_nfs                        ? LOCATION_NFS
                                           : text_equal(protocol, "rbd") ? LOCATION_RBD
                                                                         : LOCATION_NONE,
                                   .server = is_nfs ? attribute(w, xml_child(source, "host"), "name") : NULL,
                                   .name = attribute(w, source, "name") };

    if (here.kind != LOCATION_NONE)
        map_parts(w, source, &here);
}

/* Of a disk, or of an element of its chain. */
static void map_source(struct rewriting *w, const xmlNode *of)
{
    xmlNodePtr source = xml_child(of, "source");

    if (!source)
        return;
    if (is_of_type(of, "file"))
        map_attribute(w, source, "file");
    else if (is_of_type(of, "block"))
        map_attribute(w, source, "dev");
    else if (is_of_type(of, "network"))
        map_network_source(w, source);
    else if (is_of_type(of, "volume"))
        map_parts(w, source,
                  &(const struct location){ .kind = LOCATION_POOL,
                                            .pool = attribute(w, source, "pool"),
                                            .volume = attribute(w, source, "volume") });
}

/* Without a type it is a file, as libvirt takes it; below, an element without one ends the chain. */
static void map_disk(struct rewriting *w, const xmlNode *disk)
{
    const xmlNode *store = xml_child(disk, "backingStore");

    if (is_of_type(disk, NULL))
        map_attribute(w, xml_child(disk, "source"), "file");
    else
        map_source(w, disk);
    for (; store; store = xml_child(store, "backingStore"))
        map_source(w, store);
}

static void map_boot(struct rewriting *w, const xmlNode *os)
{
    static const char *const files[] = { "kernel", "initrd", "dtb", "loader" };
    xmlNodePtr nvram = xml_child(os, "nvram");

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        map_content(w, xml_child(os, files[i]));
    map_attribute(w, nvram, "template");
    if (!nvram)
        return;
    if (xml_child(nvram, "source")) {
        if (is_of_type(nvram, "file"))
            map_attribute(w, xml_child(nvram, "source"), "file");
    } else {
        map_content(w, nvram);
    }
}

static void map_all(struct rewriting *w, const xmlNode *root)
{
    const xmlNode *devices = xml_child(root, "devices");

    map_boot(w, xml_child(root, "os"));
    for (xmlNodePtr node = devices ? devices->children : NULL; node; node = node->next) {
        if (xml_is(node, "interface"))
            map_interface(w, node);
        else if (xml_is(node, "disk"))
            map_disk(w, node);
    }
}

char *domain_xml_mapped(const char *xml, const struct map *maps, size_t n, size_t *ret_changed,
                        struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    OWNED(arena) a = arena_new();
    struct rewriting w = { .maps = maps, .n = n, .arena = a };

    if (!t)
        return NULL;
    if (!a) {
        (void)error_memory(err);
        return NULL;
    }
    if (!xml_is(t->root, "domain")) {
        (void)error_set(err, ERROR_INPUT, NULL, "the XML is no domain: its element is '%s'",
                        ESCAPED((const char *)t->root->name));
        return NULL;
    }
    map_all(&w, t->root);
    if (w.failed || arena_failed(a)) {
        (void)error_memory(err);
        return NULL;
    }
    *ret_changed = w.changed;
    return xml_node_text(t->doc, t->root, 2 * strlen(xml) + 4096, err);
}
