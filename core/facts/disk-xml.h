/* SPDX-License-Identifier: Apache-2.0
 * The <disk> elements of a domain's XML, and the other devices that tie it to its host.
 * For the folder's own use: facts/domain-xml.h is the way in. */
#ifndef FACTS_DISK_XML_H
#define FACTS_DISK_XML_H

#include "facts/model.h"
#include "facts/xml-tree.h"

void disk_xml_read(struct xml_reader *r, const xmlNode *disk, struct facts *f);
/* Adds node to the domain's devices if it is one that exists on one host only; at most max of them. */
void device_xml_read(struct xml_reader *r, const xmlNode *node, struct domain *d, size_t max);

#endif
