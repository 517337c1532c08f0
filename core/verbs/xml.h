/* SPDX-License-Identifier: Apache-2.0
 * Single values out of libvirt's own XML (capabilities, pools, volumes, node devices) by XPath.
 * Domain XML has its own reader (facts/domain-xml.h). */
#ifndef VERBS_XML_H
#define VERBS_XML_H

#include "base/owned.h"
#include <stdbool.h>

struct xml; /* a parsed document */

struct xml *xml_read(const char *text); /* NULL when it cannot be read */
void xml_free(struct xml *x);
OWNED_DEFINE(xml)

/* malloc'ed text of the first match, NULL when there is none. */
char *xml_value(struct xml *x, const char *xpath);

/* Calls for the text of every match, in the document's order, while it returns true. */
void xml_each(struct xml *x, const char *xpath, bool (*each)(void *context, const char *value),
              void *context);

/* For text inside XML that is written: & < > and both quotes become entities; malloc'ed. */
char *xml_quoted(const char *s);

#endif
