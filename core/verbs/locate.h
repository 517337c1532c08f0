/* SPDX-License-Identifier: Apache-2.0
 * A location as a user wrote it, made into the image that a disk shall be relocated to: which kind, under
 * which name, through which servers. Runs in the worker of the domain's host, and creates nothing. */
#ifndef VERBS_LOCATE_H
#define VERBS_LOCATE_H

#include "facts/model.h"
#include "worker/worker.h"

/* Sets disk->relocation and looks at it. A folder, an export or a pool gets an image named after domain and
 * disk. format NULL: what suits the place. ERROR_USAGE for what is no location. */
int locate(struct child *c, struct facts *f, struct disk *disk, const char *location, const char *format,
           struct error *err);

#endif
