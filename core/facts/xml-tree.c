/* SPDX-License-Identifier: Apache-2.0
 * The safe way into libxml2. Its limits on depth and size of a name stay on, and nothing global is set:
 * libvirt uses the same library in the same process. */
#include "facts/xml-tree.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static void keep_first_error(void *parser, xmlErrorPtr e)
{
    struct xml_tree *t = ((xmlParserCtxtPtr)parser)->_private;
    size_t len;

    if (t->why[0] || e->level < XML_ERR_ERROR)
        return;
    (void)snprintf(t->why, sizeof t->why, "line %d: %s", e->line,
                   e->message ? e->message : "no reason given");
    len = strlen(t->why);
    while (len > 0 && t->why[len - 1] == '\n')
        t->why[--len] = '\0';
}

/* Called at the name of a DOCTYPE, before anything in it is read: no entity ever comes to be. */
static void refuse_doctype(void *parser, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
    struct xml_tree *t = ((xmlParserCtxtPtr)parser)->_private;

    (void)name;
    (void)id;
    (void)system;
    t->has_doctype = true;
    xmlStopParser(parser);
}

static int refuse(const struct xml_tree *t, const char *what, struct error *err)
{
    if (t->has_doctype) {
        (void)error_set(err, ERROR_INPUT, NULL, "%s has a DOCTYPE, which is not accepted", what);
        return error_fix(err, "Remove the DOCTYPE and write out what its entities stand for.");
    }
    (void)error_set(err, ERROR_INPUT, NULL, "%s is not well-formed", what);
    return error_why(err, "%s", ESCAPED(t->why[0] ? t->why : "it holds no element"));
}

static int parse(struct xml_tree *t, const char *xml, size_t n, const char *what, struct error *err)
{
    t->parser = xmlNewParserCtxt();
    if (!t->parser || !t->parser->sax)
        return error_memory(err);
    t->parser->_private = t;
    t->parser->sax->serror = keep_first_error;
    t->parser->sax->internalSubset = refuse_doctype;
    /* UTF-8 whatever the text declares, as libvirt writes it; so the parser works on one copy, wiped below.
     */
    t->doc = xmlCtxtReadMemory(t->parser, xml, (int)n, NULL, "UTF-8", XML_PARSE_NONET);
    t->root = t->doc ? xmlDocGetRootElement(t->doc) : NULL;
    return t->has_doctype || !t->root ? refuse(t, what, err) : 0;
}

struct xml_tree *xml_tree_new(const char *xml, size_t max_bytes, const char *what, struct error *err)
{
    OWNED(xml_tree) t = NULL;
    size_t n = strnlen(xml, max_bytes + 1);

    if (n > max_bytes) {
        (void)error_set(err, ERROR_INPUT, NULL, "%s is larger than %s", what, SIZE_TEXT(max_bytes));
        return NULL;
    }
    t = calloc(1, sizeof *t);
    if (!t) {
        (void)error_memory(err);
        return NULL;
    }
    return parse(t, xml, n, what, err) < 0 ? NULL : HAND_OVER(t);
}

static void wipe_text(const xmlDoc *doc, xmlNodePtr node)
{
    /* A text of up to three bytes lies in the parser's dictionary, where equal texts share it. */
    if (node->content && !(doc->dict && xmlDictOwns(doc->dict, node->content) == 1))
        explicit_bzero(node->content, strlen((char *)node->content));
}

static void wipe_attributes(const xmlDoc *doc, const xmlNode *element)
{
    for (xmlAttrPtr a = element->properties; a; a = a->next)
        for (xmlNodePtr part = a->children; part; part = part->next)
            wipe_text(doc, part);
}

static xmlNodePtr after(xmlNodePtr node)
{
    if (node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node && !node->next)
        node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
    return node ? node->next : NULL;
}

static void wipe(const struct xml_tree *t)
{
    const xmlParserInput *in = t->parser ? t->parser->input : NULL;

    for (xmlNodePtr node = t->doc ? t->doc->children : NULL; node; node = after(node)) {
        if (node->type == XML_ELEMENT_NODE)
            wipe_attributes(t->doc, node);
        else if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
            wipe_text(t->doc, node);
    }
    if (in && in->buf && in->base && in->end > in->base)
        explicit_bzero((void *)(uintptr_t)in->base, (size_t)(in->end - in->base));
}

void xml_tree_free(struct xml_tree *t)
{
    if (!t)
        return;
    wipe(t);
    xmlFreeDoc(t->doc);
    xmlFreeParserCtxt(t->parser);
    free(t);
}

bool xml_is(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && !node->ns && text_equal((const char *)node->name, name);
}

static xmlNodePtr first_of(xmlNodePtr node, const char *name)
{
    while (node && !xml_is(node, name))
        node = node->next;
    return node;
}

xmlNodePtr xml_child(const xmlNode *node, const char *name)
{
    return node ? first_of(node->children, name) : NULL;
}

xmlNodePtr xml_next(const xmlNode *node, const char *name)
{
    return node ? first_of(node->next, name) : NULL;
}

static const char *keep(struct xml_reader *r, const xmlNode *node, const char *name, xmlChar *value)
{
    const char *kept = NULL;

    if (value && strlen((char *)value) > XML_MAX_TEXT) {
        r->failed = error_set(r->err, ERROR_INPUT, NULL,
                              "the domain XML has a value of more than %u bytes: '%s' of element '%s'",
                              XML_MAX_TEXT, name ? name : "text", ESCAPED((const char *)node->name));
    } else if (value && *value) {
        kept = arena_text(r->arena, (const char *)value);
        if (!kept)
            r->failed = error_memory(r->err);
    }
    xmlFree(value);
    return kept;
}

const char *xml_attribute(struct xml_reader *r, const xmlNode *node, const char *name)
{
    if (!node || r->failed)
        return NULL;
    return keep(r, node, name, xmlGetNoNsProp(node, (const xmlChar *)name));
}

const char *xml_content(struct xml_reader *r, const xmlNode *node)
{
    if (!node || r->failed)
        return NULL;
    return keep(r, node, NULL, xmlNodeGetContent(node));
}

static void buffer_freep(xmlBufferPtr *b)
{
    if (*b)
        explicit_bzero((void *)(uintptr_t)xmlBufferContent(*b), (size_t)xmlBufferLength(*b));
    xmlBufferFree(*b);
}

/* The buffer starts larger than most results, so that few copies of it are left behind unwiped. */
char *xml_node_text(xmlDocPtr doc, xmlNodePtr node, size_t expected, struct error *err)
{
    __attribute__((cleanup(buffer_freep))) xmlBufferPtr b = xmlBufferCreateSize(expected);
    char *s = NULL;

    if (b && xmlNodeDump(b, doc, node, 0, 0) >= 0)
        s = strdup((const char *)xmlBufferContent(b));
    if (!s)
        (void)error_memory(err);
    return s;
}
