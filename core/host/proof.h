/* SPDX-License-Identifier: Apache-2.0
 * Shared or not: equal identities from the drivers, or the nonce in a directory of both hosts. Fills the
 * sharing of each disk with its evidence, or with why it could not be proved. Runs in the parent. */
#ifndef HOST_PROOF_H
#define HOST_PROOF_H

#include "facts/model.h"
#include "worker/worker.h"

/* A folder of both hosts by one path, without any image: shared or not, with what was seen or why it could
 * not be. */
struct proof_of_folder {
    char path[4096], evidence[600];
    enum sharing sharing;
    bool left; /* as in proof_wish */
};
int proof_of_folder(struct proof_of_folder *ret, const char *path, struct worker *source, struct worker *dest,
                    struct error *err);

struct proof_wish {
    bool with_locks; /* in each directory that is shared the lock is tried, where a disk in it claims one and
                        nothing is known of it */
    bool left;       /* set where something that was made to look may not be gone again */
};
int proof_of_sharing(struct facts *f, struct worker *source, struct worker *dest, struct proof_wish *wish,
                     struct error *err);

#endif
