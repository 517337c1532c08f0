/* SPDX-License-Identifier: Apache-2.0
 * A domain's XML as it is at the destination for disks that were copied with all that they rest on: an image
 * which rests on nothing. */
#include "facts/domain-xml.h"

#include "base/json.h"
#include "base/text.h"
#include "facts/xml-tree.h"
#include <string.h>

static bool is_among(const json_t *targets, const xmlNode *disk)
{
    const xmlNode *target = xml_child(disk, "target");
    xmlChar *name = target ? xmlGetNoNsProp(target, (const xmlChar *)"dev") : NULL;
    bool found = false;
    size_t i;
    const json_t *one;

    json_array_foreach(targets, i, one) found |= text_equal((const char *)name, json_string_value(one));
    xmlFree(name);
    return found;
}

/* In live XML an empty element says that the chain ends; a definition without one is read anew at each start.
 */
static int flatten(xmlNodePtr disk, bool is_live, struct error *err)
{
    xmlNodePtr store;

    while ((store = xml_child(disk, "backingStore"))) {
        xmlUnlinkNode(store);
        xmlFreeNode(store);
    }
    if (is_live && !xmlNewChild(disk, NULL, (const xmlChar *)"backingStore", NULL))
        return error_memory(err);
    return 0;
}

char *domain_xml_flat(const char *xml, const json_t *targets, bool is_live, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    const xmlNode *devices = t ? xml_child(t->root, "devices") : NULL;

    if (!t)
        return NULL;
    for (xmlNodePtr node = devices ? devices->children : NULL; node; node = node->next)
        if (xml_is(node, "disk") && is_among(targets, node) && flatten(node, is_live, err) < 0)
            return NULL;
    return xml_node_text(t->doc, t->root, strlen(xml) + 64 * (json_array_size(targets) + 64), err);
}
