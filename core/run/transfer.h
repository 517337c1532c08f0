/* SPDX-License-Identifier: Apache-2.0
 * Copies of a domain's images by the copy engine, one after another in one worker: what it tells, in the
 * words of a run's progress. */
#ifndef RUN_TRANSFER_H
#define RUN_TRANSFER_H

#include "run/move.h"

struct transfer {
    struct move *m;
    struct worker *worker;
    char phase[96];
    uint64_t done; /* of the disks before this one */
    uint64_t began_ms;
};

/* The next copy is of this disk. */
void transfer_of(struct transfer *t, const char *target);
/* Takes the worker's records, context being the transfer: what it makes is journalled; how far it is, and
 * where it could go on, is of no use to a later run, before which the domain may have run. */
int transfer_told(void *context, const json_t *record, struct error *err);

/* Sends the disk's own image (layer 0), or the layer-th that it rests on, as it is, to its place at the
 * destination, which is made; t's worker is of that host, and has the image at the source locked until it
 * ends. verify: as of the verb "copy". */
int transfer_send(struct transfer *t, const struct disk *d, size_t layer, const char *verify,
                  struct error *err);
/* What the strategy's disks rest on and the destination lacks; each is compared, all of it. */
int transfer_send_chains(struct transfer *t, struct error *err);

#endif
