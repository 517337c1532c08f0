/* SPDX-License-Identifier: Apache-2.0
 * Bases that are not one file, but hold the same bytes: both hosts read theirs and say its SHA-256. Runs in
 * the parent, for as long as the reading takes. */
#ifndef HOST_COMPARE_H
#define HOST_COMPARE_H

#include "facts/model.h"
#include "worker/worker.h"

/* Has a file that nobody writes the same bytes on both hosts? 1 yes, 0 no; negative with err set: not known.
 * A program is run on either host. */
#define COMPARE_DIGEST_SIZE 65u
int compare_content(const struct disk *file, struct worker *source, struct worker *dest,
                    char ret_digest[COMPARE_DIGEST_SIZE], struct error *err);

/* Backing files that stand on both hosts and are not proved to be one: those of equal bytes count as proved
 * from here on, of the others the evidence says that they differ, or why they could not be compared. */
int compare_bases(struct facts *f, struct worker *source, struct worker *dest, struct error *err);

#endif
