/* SPDX-License-Identifier: Apache-2.0
 * libxml2 without network, entities or messages on stderr. */
#include "verbs/xml.h"

#include "base/text.h"
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

struct xml {
    xmlDocPtr document;
    xmlXPathContextPtr context;
};

struct xml *xml_read(const char *text)
{
    OWNED(xml) x = calloc(1, sizeof *x);
    size_t n = text ? strlen(text) : 0;

    if (!x || n == 0 || n > (8u << 20))
        return NULL;
    x->document = xmlReadMemory(text, (int)n, "libvirt.xml", NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!x->document || x->document->intSubset)
        return NULL;
    x->context = xmlXPathNewContext(x->document);
    return x->context ? HAND_OVER(x) : NULL;
}

void xml_free(struct xml *x)
{
    if (!x)
        return;
    xmlXPathFreeContext(x->context);
    xmlFreeDoc(x->document);
    free(x);
}

char *xml_value(struct xml *x, const char *xpath)
{
    xmlXPathObjectPtr found = xmlXPathEval((const xmlChar *)xpath, x->context);
    xmlChar *content = NULL;
    char *value;

    if (found && found->nodesetval && found->nodesetval->nodeNr > 0)
        content = xmlNodeGetContent(found->nodesetval->nodeTab[0]);
    xmlXPathFreeObject(found);
    value = content ? strdup((const char *)content) : NULL;
    xmlFree(content);
    return value;
}

void xml_each(struct xml *x, const char *xpath, bool (*each)(void *context, const char *value), void *context)
{
    xmlXPathObjectPtr found = xmlXPathEval((const xmlChar *)xpath, x->context);
    bool goes_on = true;

    for (int i = 0; goes_on && found && found->nodesetval && i < found->nodesetval->nodeNr; i++) {
        xmlChar *content = xmlNodeGetContent(found->nodesetval->nodeTab[i]);

        goes_on = content && each(context, (const char *)content);
        xmlFree(content);
    }
    xmlXPathFreeObject(found);
}

char *xml_quoted(const char *s)
{
    struct text t = { 0 };

    for (; *s; s++) {
        const char *entity = *s == '&'    ? "&amp;"
                             : *s == '<'  ? "&lt;"
                             : *s == '>'  ? "&gt;"
                             : *s == '"'  ? "&quot;"
                             : *s == '\'' ? "&apos;"
                                          : NULL;

        if (entity)
            text_add(&t, "%s", entity);
        else
            text_add_bytes(&t, s, 1);
    }
    if (t.failed) {
        text_done(&t);
        return NULL;
    }
    return t.s ? t.s : strdup("");
}
