/* SPDX-License-Identifier: Apache-2.0
 * XML from outside as a tree: parsed without network, DOCTYPE, entities or a word on stderr, wiped when
 * freed. Lookups are libvirt's: its elements and attributes have no namespace. For the folder's own use. */
#ifndef FACTS_XML_TREE_H
#define FACTS_XML_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include <libxml/parser.h>
#include <libxml/tree.h>

#define XML_MAX_TEXT 4096u /* bytes in one value, as JSON has it */

struct xml_tree {
    xmlParserCtxtPtr parser;
    xmlDocPtr doc;
    xmlNodePtr root;
    bool has_doctype;
    char why[256]; /* the first error, in libxml2's words */
};
/* ERROR_INPUT when it is over max_bytes, not well-formed, or has a DOCTYPE. what: "the domain XML". */
struct xml_tree *xml_tree_new(const char *xml, size_t max_bytes, const char *what, struct error *err);
void xml_tree_free(struct xml_tree *t); /* wipes texts and values first: they may be secrets */
OWNED_DEFINE(xml_tree)

/* One failure is kept, and everything after it reads as absent: a reader checks once at its end. */
struct xml_reader {
    struct arena *arena;
    struct error *err;
    int failed; /* 0, or the error's negative code */
};

/* malloc'ed: the element as text; may hold secrets. Nothing of it is left unwiped but what is returned. */
char *xml_node_text(xmlDocPtr doc, xmlNodePtr node, size_t expected, struct error *err);

bool xml_is(const xmlNode *node, const char *name); /* an element of that name without a namespace */
/* The first child, and the next sibling, of that name; NULL in gives NULL out. */
xmlNodePtr xml_child(const xmlNode *node, const char *name);
xmlNodePtr xml_next(const xmlNode *node, const char *name);
/* Copies on the arena; NULL when absent or empty. */
const char *xml_attribute(struct xml_reader *r, const xmlNode *node, const char *name);
const char *xml_content(struct xml_reader *r, const xmlNode *node);

#endif
