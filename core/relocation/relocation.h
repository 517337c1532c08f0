/* SPDX-License-Identifier: Apache-2.0
 * Disks to another place on the source: what the parts of it share, and what a move that relocates first
 * takes of it. */
#ifndef RELOCATION_RELOCATION_H
#define RELOCATION_RELOCATION_H

#include "run/move.h"

/* places.c */
/* Gives the disks of m->facts that the user named their new places, looked at. */
int relocation_survey(struct move *m, struct error *err);
/* Where an image lies, as a location. */
const char *relocation_place(struct arena *a, const struct disk *d);

/* reach.c */
/* Where the user named no place, a pool that both hosts share is one for disks that would be copied. */
int relocation_pick(struct move *m, struct error *err);
/* Do both hosts reach the files that disks shall go to? */
int relocation_reach(struct move *m, struct error *err);
/* Both hosts reach the new image of d, which stands and is empty; seen is facts with what the source sees of
 * it. ERROR_REFUSED with what was looked at. */
int relocation_prove(struct move *m, const struct disk *d, const json_t *seen, struct error *err);

/* live.c: makes the images, copies, and switches the guest over; nothing may be prepared yet. On failure the
 * caller undoes, which keeps what the guest has switched to. */
int relocation_carry(struct move *m, struct error *err);
/* off.c: the same for a domain that is shut off: its images are copied here, then its definition is written.
 */
int relocation_off_carry(struct move *m, struct error *err);
/* stand-in.c: a domain that is shut off where the copy engine is not: its QEMU, started paused, takes the
 * place of one that runs; what was surveyed before is to be surveyed again. recovery/settle-stand-in.c ends
 * it. */
bool stand_in_is_needed(const struct move *m);
int stand_in_begin(struct move *m, struct error *err);
/* retire.c: the old images of what was relocated go, each only if it is seen to be unused. */
void relocation_retire(struct move *m);

/* first.c: does the chosen strategy relocate; and what it relocates done, after which nothing is surveyed or
 * planned any more. */
bool relocation_is_first(const struct move *m);
int relocation_first(struct move *m, struct error *err);

#endif
