/* SPDX-License-Identifier: Apache-2.0
 * The mark of a run in a domain's metadata, and the XML without it. libvirt puts the element that it is given
 * into the namespace itself, and gives it back without: both spellings are read, the bare one is written. */
#include "base/name.h"
#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/xml-tree.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_ELEMENT "run"
#define MARK_MAX_BYTES 4096u

static void node_freep(xmlNodePtr *node)
{
    xmlFreeNode(*node);
}

char *mark_write(const struct mark *m, struct error *err)
{
    __attribute__((cleanup(node_freep))) xmlNodePtr node = NULL;
    char time[24];

    if (name_check_run(m->run, err) < 0)
        return NULL;
    if (!m->host[0] || !xmlCheckUTF8((const xmlChar *)m->host)) {
        (void)error_set(err, ERROR_INPUT, NULL, "this host's own name cannot stand in a mark: '%s'",
                        ESCAPED(m->host));
        return NULL;
    }
    (void)snprintf(time, sizeof time, "%" PRIu64, m->time_s);
    node = xmlNewNode(NULL, (const xmlChar *)MARK_ELEMENT);
    if (!node || !xmlNewProp(node, (const xmlChar *)"name", (const xmlChar *)m->run) ||
        !xmlNewProp(node, (const xmlChar *)"host", (const xmlChar *)m->host) ||
        !xmlNewProp(node, (const xmlChar *)"time", (const xmlChar *)time)) {
        (void)error_memory(err);
        return NULL;
    }
    return xml_node_text(NULL, node, 512, err);
}

static bool is_marked(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && node->ns && text_equal((const char *)node->ns->href, MARK_URI);
}

static int read_attribute(const xmlNode *node, const char *name, char *buf, size_t size)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    bool fits = value && *value && strlen((const char *)value) < size;

    if (fits)
        (void)snprintf(buf, size, "%s", (const char *)value);
    xmlFree(value);
    return fits ? 0 : -1;
}

int mark_read(const char *element, struct mark *ret, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(element, MARK_MAX_BYTES, "the mark of a run", err);
    struct mark m = { 0 };
    struct error why = { 0 };
    char time[24];

    if (!t)
        return -err->code;
    if (!text_equal((const char *)t->root->name, MARK_ELEMENT) || (t->root->ns && !is_marked(t->root)) ||
        read_attribute(t->root, "name", m.run, sizeof m.run) < 0 ||
        read_attribute(t->root, "host", m.host, sizeof m.host) < 0 ||
        read_attribute(t->root, "time", time, sizeof time) < 0 || name_check_run(m.run, &why) < 0 ||
        text_parse_u64(time, INT64_MAX, &m.time_s, &why) < 0) {
        (void)error_set(err, ERROR_INPUT, NULL, "the domain bears a mark that cannot be read");
        return error_why(err, "it needs a run's 'name', a 'host' and a 'time' in seconds: %s", why.what);
    }
    *ret = m;
    return 0;
}

static bool is_blank(const xmlNode *first)
{
    for (; first; first = first->next)
        if (!xmlIsBlankNode(first))
            return false;
    return true;
}

static void take_out_marks(xmlNodePtr metadata)
{
    bool was_taken = false;

    for (xmlNodePtr node = metadata->children, next; node; node = next) {
        next = node->next;
        if (!is_marked(node))
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
        was_taken = true;
    }
    /* An element that was empty before is the user's own. */
    if (was_taken && is_blank(metadata->children)) {
        xmlUnlinkNode(metadata);
        xmlFreeNode(metadata);
    }
}

char *domain_xml_without_mark(const char *xml, struct error *err)
{
    OWNED(xml_tree) t = xml_tree_new(xml, DOMAIN_XML_MAX_BYTES, "the domain XML", err);

    if (!t)
        return NULL;
    if (!xml_is(t->root, "domain")) {
        (void)error_set(err, ERROR_INPUT, NULL, "the XML is no domain: its element is '%s'",
                        ESCAPED((const char *)t->root->name));
        return NULL;
    }
    for (xmlNodePtr metadata = xml_child(t->root, "metadata"), next; metadata; metadata = next) {
        next = xml_next(metadata, "metadata");
        take_out_marks(metadata);
    }
    return xml_node_text(t->doc, t->root, 2 * strlen(xml) + 4096, err);
}
