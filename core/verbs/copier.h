/* SPDX-License-Identifier: Apache-2.0
 * What the verbs that copy images share. */
#ifndef VERBS_COPIER_H
#define VERBS_COPIER_H

#include "copy/copy.h"
#include "verbs/verbs.h"

/* "sampled", "full", "none"; "sampled" for any other word. */
enum copy_verify copier_verify(const char *word);
int copier_put_progress(json_t *j, const struct copy_progress *p);
/* Of copy_wants; context is the child: a record "copied" for the parent. */
int copier_tell(void *child, const struct copy_progress *p, struct error *err);

#endif
