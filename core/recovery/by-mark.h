/* SPDX-License-Identifier: Apache-2.0
 * Inside of `recover`: a domain that bears a mark whose run has no open journal here, and what both of its
 * halves ask the operator. */
#ifndef RECOVERY_BY_MARK_H
#define RECOVERY_BY_MARK_H

#include "recovery/recovery.h"
#include "recovery/settle.h"

bool recovery_calls_dead(const struct recovery_options *o, const char *host);
/* 0 in a dry run, or when the operator attests the claim. */
int recovery_ask(const struct recovery_options *o, const char *claim, struct error *err);

enum mark_found {
    MARK_NONE, /* there is no mark: nothing is open */
    MARK_OPEN, /* its run's journal is in dir and open: the row names it */
    MARK_TOLD, /* the row has what became of it, or why nothing did */
};
/* Looks at the domain o->what on the source. */
enum mark_found recover_by_mark(const struct recovery_options *o, struct loop *loop, const char *dir,
                                struct recovered *row);

#endif
