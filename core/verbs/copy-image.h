/* SPDX-License-Identifier: Apache-2.0
 * What the verbs that copy images share. */
#ifndef VERBS_COPY_IMAGE_H
#define VERBS_COPY_IMAGE_H

#include "copy/copy.h"
#include "verbs/verbs.h"

/* "sampled", "full", "none"; "sampled" for any other word. */
enum copy_verify image_copy_verify(const char *word);
int image_copy_put(json_t *j, const struct copy_progress *p);
/* Of copy_wants; context is the child: a record "copied" for the parent. */
int image_copy_tell(void *child, const struct copy_progress *p, struct error *err);

#endif
