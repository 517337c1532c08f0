/* SPDX-License-Identifier: Apache-2.0
 * What a host can give a guest, read in its worker by the verbs that survey. None of these fails: what could
 * not be read stays not known in the facts, and the rules decide what that means. */
#ifndef HOST_CAPABILITIES_H
#define HOST_CAPABILITIES_H

#include "host/verbs.h"
#include "host/xml.h"

/* Of libvirt's capabilities XML and its lists; texts on a. */
void capabilities_of_host(struct child *c, struct xml *capabilities, struct arena *a, struct host *h);
/* Without libvirt, where a command can be run there: what its kernel and its files say. */
void capabilities_of_machine(struct child *c, struct arena *a, struct host *h);
/* Into f->dest: whether this host, the destination, can run f->domain; and into its interfaces. */
void capabilities_for_domain(struct child *c, struct facts *f);
/* Whether this host has what each interface sits on, and its MTU. */
void capabilities_for_interfaces(struct child *c, struct facts *f, bool is_dest);

#endif
