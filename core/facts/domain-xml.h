/* SPDX-License-Identifier: Apache-2.0
 * Domain XML, read into the model, and the few edits that a move makes to it.
 * No network, no entities, no DOCTYPE; sizes and counts are bounded. No libvirt. */
#ifndef FACTS_DOMAIN_XML_H
#define FACTS_DOMAIN_XML_H

#include "base/error.h"
#include "base/json.h"
#include "facts/model.h"

#define DOMAIN_XML_MAX_BYTES (8u << 20)
#define DOMAIN_XML_MAX_DISKS 1024u

/* Fills f->domain from <domain>; figures that only a survey knows stay NOT_KNOWN. */
int domain_xml_read(struct facts *f, const char *xml, struct error *err);

/* The mark of a run in the domain's metadata: namespace, prefix, and the element libvirt is given. */
#define MARK_URI "https://virt-ferry.dev/ns/run/1"
#define MARK_KEY "ferry"
struct mark {
    char run[32], host[128];
    uint64_t time_s;
};
/* malloc'ed element text for virDomainSetMetadata. */
char *mark_write(const struct mark *m, struct error *err);
int mark_read(const char *element, struct mark *ret, struct error *err);

/* malloc'ed: the XML with a run's mark taken out of <metadata> (the metadata element goes too if it is empty
 * then). May hold secrets (SECURE): the caller wipes it. */
char *domain_xml_without_mark(const char *xml, struct error *err);

/* malloc'ed: the XML in which these disks ([target, …]) rest on nothing. May hold secrets: the caller wipes
 * it. */
char *domain_xml_flat(const char *xml, const json_t *targets, bool is_live, struct error *err);

/* malloc'ed: the XML in which disk `target` has the type, the driver's format and the <source> of disk_xml, a
 * <disk> of type file, block or network. ERROR_REFUSED where the old source has more than a place. May hold
 * secrets: the caller wipes it. */
char *domain_xml_placed(const char *xml, const char *target, const char *disk_xml, struct error *err);

/* malloc'ed: the XML without all that domain_xml_placed and domain_xml_flat may change of these disks
 * ([target, ...]), to be compared with another one. May hold secrets. */
char *domain_xml_but_places(const char *xml, const json_t *targets, struct error *err);

#endif
