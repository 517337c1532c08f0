/* SPDX-License-Identifier: Apache-2.0
 * Shared or not: equal identities from the drivers, or the nonce in a directory of both hosts. Fills the
 * sharing of each disk with its evidence, or with why it could not be proved. Runs in the parent. */
#ifndef HOST_PROOF_H
#define HOST_PROOF_H

#include "facts/model.h"
#include "worker/worker.h"

int proof_of_sharing(struct facts *f, struct worker *source, struct worker *dest, struct error *err);

#endif
