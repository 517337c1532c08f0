/* SPDX-License-Identifier: Apache-2.0
 * Maps on a domain's XML, live or persistent: the tree that libvirt wrote, with other names in it. Whatever
 * no map is for stays as it stands, of other namespaces too. */
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/map.h"
#include "facts/xml-tree.h"
#include <stdio.h>
#include <string.h>

/* One rewriting. What is asked of the maps is text, so a failure is one of memory. */
struct rewriting {
    const struct map *maps;
    size_t n, changed;
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

/* ---- paths ---- */

/* malloc'ed; NULL: it keeps its place, or w failed. */
static char *path_there(struct rewriting *w, const xmlChar *path)
{
    const struct map *m = map_for_path(w->maps, w->n, (const char *)path);
    char *to = NULL;

    if (m && asprintf(&to, "%s%s", m->to, map_rest(m, (const char *)path)) < 0) {
        to = NULL;
        w->failed = true;
    }
    return to;
}

static void map_attribute(struct rewriting *w, xmlNodePtr node, const char *name)
{
    xmlChar *path = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    OWNED_MEMORY char *to = path_there(w, path);

    if (to)
        put_attribute(w, node, name, to);
    xmlFree(path);
}

static void map_content(struct rewriting *w, xmlNodePtr node)
{
    xmlChar *path = node ? xmlNodeGetContent(node) : NULL;
    OWNED_MEMORY char *to = path_there(w, path);

    if (to) {
        /* Emptied, then given the text as it is: a text that is set is read for entities. */
        xmlNodeSetContent(node, NULL);
        xmlNodeAddContent(node, (const xmlChar *)to);
        w->changed++;
    }
    xmlFree(path);
}

/* Without a type it is a file, as libvirt takes it; below, an element without one ends the chain. */
static void map_disk(struct rewriting *w, const xmlNode *disk)
{
    const xmlNode *store = xml_child(disk, "backingStore");

    if (is_of_type(disk, "file") || is_of_type(disk, NULL))
        map_attribute(w, xml_child(disk, "source"), "file");
    for (; store; store = xml_child(store, "backingStore"))
        if (is_of_type(store, "file"))
            map_attribute(w, xml_child(store, "source"), "file");
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
    struct rewriting w = { .maps = maps, .n = n };

    if (!t)
        return NULL;
    if (!xml_is(t->root, "domain")) {
        (void)error_set(err, ERROR_INPUT, NULL, "the XML is no domain: its element is '%s'",
                        ESCAPED((const char *)t->root->name));
        return NULL;
    }
    map_all(&w, t->root);
    if (w.failed) {
        (void)error_memory(err);
        return NULL;
    }
    *ret_changed = w.changed;
    return xml_node_text(t->doc, t->root, 2 * strlen(xml) + 4096, err);
}
