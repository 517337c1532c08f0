/* SPDX-License-Identifier: Apache-2.0
 * What a host can give a guest, read in its worker by the verbs that survey. None of these fails: what could
 * not be read stays not known in the facts, and the rules decide what that means. */
#ifndef VERBS_CAPABILITIES_H
#define VERBS_CAPABILITIES_H

#include "verbs/verbs.h"
#include "verbs/xml.h"

/* Four parts of a host, texts on a. None writes a member that another writes: they may run side by side.
 * What libvirt's capabilities XML says of pages and processors: */
void capabilities_of_host(struct child *c, struct xml *capabilities, struct arena *a, struct host *h);
/* What a guest can be given at most, by the emulator that libvirt takes when none is named. That keeps a
 * processor busy for 10 ms: where there is a domain, it is asked of its machine, and where it is needed. */
void capabilities_of_emulator(struct child *c, struct arena *a, struct host *h);
void capabilities_of_pools(struct child *c, struct arena *a, struct host *h);
/* Names alone: their values are asked for nowhere. */
void capabilities_of_secrets(struct child *c, struct arena *a, struct host *h);
/* Into f->dest: whether this host, the destination, can run f->domain, and what its machine can be given at
 * most; and into its interfaces. true: a domain of that name or uuid is here already. Beside these questions
 * meanwhile(context) runs, in the caller's thread: of f it may change the disks and the findings. */
bool capabilities_for_domain(struct child *c, struct facts *f, void (*meanwhile)(void *context),
                             void *context);
/* Into f->source, the same of a domain that was given all of the host's processor. */
void capabilities_at_source(struct child *c, struct facts *f);
/* Whether this host has what each interface sits on, and its MTU. */
void capabilities_for_interfaces(struct child *c, struct facts *f, bool is_dest);

#endif
