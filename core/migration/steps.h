/* SPDX-License-Identifier: Apache-2.0
 * The steps of a move, in the order in which migrate.c takes them. For the folder's own use. */
#ifndef MIGRATION_STEPS_H
#define MIGRATION_STEPS_H

#include "run/move.h"

/* measure.c: what the user asked to have measured before the plan: the guest's memory, and what the way to
 * the destination carries */
int measure(struct move *m, struct error *err);
/* remember.c: what earlier moves of this pair showed, into the facts; what this one showed, into the history
 */
void recall(struct move *m);
void remember(struct move *m);
/* Which locks were seen now, and were not before. */
void remember_locks(const struct move *m, const struct facts *f, json_t *locks);

/* prepare.c: everything before libvirt is asked */
int prepare_data(struct move *m, struct error *err);
int prepare_images(struct move *m, struct error *err);
int prepare_domain(struct move *m, struct error *err);

/* chain.c: what the disks of a running domain rest on, sent to the destination where it is kept. Nothing to
 * do for others. */
int chain_send(struct move *m, struct error *err);
/* offline.c: the images of a domain that is shut off, sent to the destination. Nothing to do for others. */
int offline_send(struct move *m, struct error *err);

/* carry.c: asks libvirt, watches, serves the gate; returns 0 when the call is over, however */
int carry_over(struct move *m, struct error *err);

#endif
