/* SPDX-License-Identifier: Apache-2.0
 * `relocate` of a domain's disks. Never prints. */
#ifndef RELOCATION_RELOCATE_H
#define RELOCATION_RELOCATE_H

#include "run/run.h"

/* Looks and judges alone; 0 also when it is refused. */
int run_relocation_plan(const struct run_options *o, struct run_result *ret, struct error *err);
/* 0: the disks are at their new places; negative: the code says what. */
int run_relocate(const struct run_options *o, struct run_result *ret, struct error *err);

#endif
