/* SPDX-License-Identifier: Apache-2.0
 * `migrate`, `plan` and `survey`: survey, plan, and the move itself under its journal, settled on both hosts
 * whatever libvirt returned. Never prints. */
#ifndef MIGRATION_MIGRATE_H
#define MIGRATION_MIGRATE_H

#include "run/run.h"

/* Surveys and plans; 0 also when every strategy is refused (plan_chosen is NULL then). */
int run_plan(const struct run_options *o, struct run_result *ret, struct error *err);

/* Surveys and does not plan: ret->facts alone. */
int run_survey(const struct run_options *o, struct run_result *ret, struct error *err);

/* 0 moved; negative: the code says what (error_exit), ret->outcome where the guest is. */
int run_migrate(const struct run_options *o, struct run_result *ret, struct error *err);

#endif
