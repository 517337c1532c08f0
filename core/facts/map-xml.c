/* SPDX-License-Identifier: Apache-2.0
 * Maps on a domain's XML, live or persistent: the tree that libvirt wrote, with other names in it. Whatever
 * no map is for stays as it stands, of other namespaces too. */
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/map.h"
#include "facts/xml-tree.h"
#include <string.h>

/* One rewriting. What is asked of the maps is text, so a failure is one of memory. */
struct rewriting {
    struct map *maps;
    size_t n, changed;
    bool failed;
};

static void put_attribute(struct rewriting *w, xmlNodePtr node, const char *name, const char *value)
{
    if (!xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value))
        w->failed = true;
    w->changed++;
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
    const char *to = map_name(w->maps, w->n, (const char *)name);

    if (to)
        put_attribute(w, source, attribute, to);
    /* A live network has its port and its bridge beside its name: those of the network that is left. */
    if (to && text_equal(attribute, "network")) {
        (void)xmlUnsetProp(source, (const xmlChar *)"portid");
        (void)xmlUnsetProp(source, (const xmlChar *)"bridge");
    }
    xmlFree(name);
    xmlFree(type);
}

char *domain_xml_mapped(const char *xml, struct map *maps, size_t n, size_t *ret_changed, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    struct rewriting w = { .maps = maps, .n = n };
    const xmlNode *devices;

    if (!t)
        return NULL;
    if (!xml_is(t->root, "domain")) {
        (void)error_set(err, ERROR_INPUT, NULL, "the XML is no domain: its element is '%s'",
                        ESCAPED((const char *)t->root->name));
        return NULL;
    }
    devices = xml_child(t->root, "devices");
    for (xmlNodePtr node = devices ? devices->children : NULL; node; node = node->next)
        if (xml_is(node, "interface"))
            map_interface(&w, node);
    if (w.failed) {
        (void)error_memory(err);
        return NULL;
    }
    *ret_changed = w.changed;
    return xml_node_text(t->doc, t->root, 2 * strlen(xml) + 4096, err);
}
