/* SPDX-License-Identifier: Apache-2.0
 * What a domain's XML needs of its host beside disks and devices: processor features, pinning, huge pages,
 * addresses to listen on, secrets. For the folder's own use: facts/domain-xml.h is the way in. */
#ifndef FACTS_NEEDS_XML_H
#define FACTS_NEEDS_XML_H

#include "facts/model.h"
#include "facts/xml-tree.h"

void needs_xml_read(struct xml_reader *r, const xmlNode *root, struct facts *f);
/* The factor of libvirt's unit, 0 for none: k, kiB (1024) or kB (1000), without regard to case. */
uint64_t xml_unit_bytes(const char *unit);

#endif
