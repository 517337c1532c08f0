/* SPDX-License-Identifier: Apache-2.0
 * Bases that are not one file, but hold the same bytes: both hosts read theirs and say its SHA-256. Runs in
 * the parent, for as long as the reading takes. */
#ifndef HOST_COMPARE_H
#define HOST_COMPARE_H

#include "facts/model.h"
#include "worker/worker.h"

/* Backing files that stand on both hosts and are not proved to be one: those of equal bytes count as proved
 * from here on, of the others the evidence says that they differ, or why they could not be compared. */
int compare_bases(struct facts *f, struct worker *source, struct worker *dest, struct error *err);

#endif
