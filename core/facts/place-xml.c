/* SPDX-License-Identifier: Apache-2.0
 * A domain's definition in which a disk lies elsewhere: the tree that libvirt wrote, with another type,
 * format and source for that disk. All else stays, of other namespaces too. */
#include "base/json.h"
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/xml-tree.h"
#include <string.h>

static bool has(const xmlNode *node, const char *name, const char *wanted)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    const bool is_wanted = text_equal((const char *)value, wanted);

    xmlFree(value);
    return is_wanted;
}

static xmlNodePtr disk_in(const struct xml_tree *t, const char *target)
{
    xmlNodePtr disk = xml_child(xml_child(t->root, "devices"), "disk");

    while (disk && !has(xml_child(disk, "target"), "dev", target))
        disk = xml_next(disk, "disk");
    return disk;
}

static int refuse(const char *target, const char *what, struct error *err)
{
    (void)error_set(err, ERROR_REFUSED, NULL,
                    "the <source> of disk '%s' has '%s', which is not carried over to its new place", target,
                    ESCAPED(what));
    return error_fix(err, "Take it out with virsh edit, or start the domain and relocate then.");
}

/* On an NFS server or in Ceph: where it is, and who may read it there. */
static bool is_of_place(const xmlNode *source, const xmlNode *child)
{
    static const char *const parts[] = { "host", "identity", "auth", "config" };

    if (!has(source, "protocol", "nfs") && !has(source, "protocol", "rbd"))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_is(child, parts[i]))
            return true;
    return false;
}

/* What would be lost with a source of another type, or means something of the image's own bytes. */
static int check_source(const xmlNode *source, const char *target, bool keeps_type, struct error *err)
{
    static const char *const plain[] = { "file", "dev", "index", "protocol", "name" };

    for (const xmlNode *child = source->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && !is_of_place(source, child) &&
            (!keeps_type || xml_is(child, "slices") || xml_is(child, "encryption")))
            return refuse(target, (const char *)child->name, err);
    for (const xmlAttr *a = source->properties; a && !keeps_type; a = a->next) {
        bool is_plain =
            has(source, "startupPolicy", "mandatory") && text_equal((const char *)a->name, "startupPolicy");

        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            is_plain |= text_equal((const char *)a->name, plain[i]);
        if (!is_plain)
            return refuse(target, (const char *)a->name, err);
    }
    return 0;
}

static int copy_attribute(xmlNodePtr to, const xmlNode *from, const char *name, struct error *err)
{
    xmlChar *value = xmlGetNoNsProp(from, (const xmlChar *)name);
    const bool is_set = value && xmlSetProp(to, (const xmlChar *)name, value);

    xmlFree(value);
    return is_set ? 0 : error_memory(err);
}

static int replace_source(xmlNodePtr old, const xmlNode *new, struct error *err)
{
    xmlNodePtr copy = xmlDocCopyNode((xmlNodePtr)(uintptr_t) new, old->doc, 1);

    if (!copy)
        return error_memory(err);
    (void)xmlReplaceNode(old, copy);
    xmlFreeNode(old);
    return 0;
}

static int put_source(xmlNodePtr disk, const xmlNode *new, const char *target, struct error *err)
{
    xmlNodePtr source = xml_child(disk, "source"), auth = xml_child(disk, "auth");
    const char *name = has(new, "type", "block") ? "dev" : "file";
    xmlChar *type = xmlGetNoNsProp(new, (const xmlChar *)"type");
    const bool keeps_type = !has(new, "type", "network") && has(disk, "type", (const char *)type);

    xmlFree(type);
    if (!source)
        return error_set(err, ERROR_INPUT, NULL, "disk '%s' has no <source>", target);
    if (check_source(source, target, keeps_type, err) < 0)
        return -err->code;
    if (keeps_type)
        return copy_attribute(source, xml_child(new, "source"), name, err);
    /* Whom the old storage knew, where libvirt has it beside the source. */
    if (auth) {
        xmlUnlinkNode(auth);
        xmlFreeNode(auth);
    }
    return replace_source(source, xml_child(new, "source"), err);
}

static int put_format(xmlNodePtr disk, const xmlNode *new, struct error *err)
{
    xmlNodePtr driver = xml_child(disk, "driver");

    if (!driver) {
        driver = xmlNewChild(disk, NULL, (const xmlChar *)"driver", NULL);
        if (!driver || copy_attribute(driver, xml_child(new, "driver"), "name", err) < 0)
            return error_memory(err);
    }
    return copy_attribute(driver, xml_child(new, "driver"), "type", err);
}

char *domain_xml_placed(const char *xml, const char *target, const char *disk_xml, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    OWNED(xml_tree) new = t ? xml_tree_new(disk_xml, DOMAIN_XML_MAX_BYTES, "a disk's XML", err) : NULL;
    xmlNodePtr disk = new ? disk_in(t, target) : NULL;

    if (!new)
        return NULL;
    if (!disk) {
        (void)error_set(err, ERROR_INPUT, NULL, "the domain has no disk '%s'", ESCAPED(target));
        return NULL;
    }
    if (put_source(disk, new->root, target, err) < 0 || put_format(disk, new->root, err) < 0 ||
        copy_attribute(disk, new->root, "type", err) < 0)
        return NULL;
    return xml_node_text(t->doc, t->root, 2 * strlen(xml) + strlen(disk_xml) + 4096, err);
}

/* ---- all but the places ---- */

static void take_out(xmlNodePtr node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

static void forget_place(xmlNodePtr disk)
{
    xmlNodePtr driver = xml_child(disk, "driver");

    (void)xmlUnsetProp(disk, (const xmlChar *)"type");
    if (driver)
        (void)xmlUnsetProp(driver, (const xmlChar *)"type");
    for (xmlNodePtr child = disk->children, next; child; child = next) {
        next = child->next;
        if (xml_is(child, "source") || xml_is(child, "auth") || xml_is(child, "backingStore") ||
            xmlIsBlankNode(child))
            take_out(child);
    }
}

char *domain_xml_but_places(const char *xml, const json_t *targets, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);
    size_t i;
    const json_t *one;

    if (!t)
        return NULL;
    json_array_foreach(targets, i, one)
    {
        xmlNodePtr disk = disk_in(t, json_string_value(one));

        if (disk)
            forget_place(disk);
    }
    return xml_node_text(t->doc, t->root, strlen(xml) + 4096, err);
}
