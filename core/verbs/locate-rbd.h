/* SPDX-License-Identifier: Apache-2.0
 * How the QEMU of a host reaches a pool of Ceph: monitors, user and secret, from where the host has them.
 * Runs in the worker; no key is ever read. */
#ifndef VERBS_LOCATE_RBD_H
#define VERBS_LOCATE_RBD_H

#include "facts/model.h"
#include "verbs/xml.h"
#include "worker/worker.h"

/* For an image at to->source: as another disk of the domain says, else as a libvirt pool of that name does,
 * else by the host's ceph.conf and its one secret of Ceph. */
int locate_rbd(struct child *c, struct facts *f, struct disk *to, struct error *err);
/* As that pool of libvirt says; to->source becomes its name in Ceph. */
int locate_rbd_pool(struct child *c, struct facts *f, struct xml *pool, struct disk *to, struct error *err);

/* "[v2:10.0.0.1:3300/0,v1:…]" or "10.0.0.1,10.0.0.2:6789" as ceph.conf has mon_host: the addresses that speak
 * to QEMU, as facts have hosts. What is of no known form is left out. */
int locate_rbd_monitors(struct arena *a, const char *mon_host, struct finding_refs *ret);

#endif
