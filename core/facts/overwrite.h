/* SPDX-License-Identifier: Apache-2.0
 * What --overwrite names: the targets of disks whose devices at the destination may lose what they hold. */
#ifndef FACTS_OVERWRITE_H
#define FACTS_OVERWRITE_H

#include "base/error.h"
#include "base/json.h"
#include "facts/model.h"

#define OVERWRITE_MOST 64u

/* "vda,vdb": adds each that is not there yet. ERROR_USAGE with a fix for what names no disk. */
int overwrite_parse(const char *text, struct arena *a, struct finding_refs *to, struct error *err);

json_t *overwrite_to_json(const struct finding_refs *names);
/* Checks each as if it had been typed. j NULL: none. */
int overwrite_from_json(const json_t *j, struct arena *a, struct finding_refs *to, struct error *err);

/* Writes them into the facts, beside those that stand there. */
int overwrite_apply(struct facts *f, const struct finding_refs *names, struct error *err);

#endif
