/* SPDX-License-Identifier: Apache-2.0
 * Image files of this very machine, made and removed without libvirt. A file exists without a name first, so
 * that the journal has its inode before anybody can find it. */
#ifndef LOCAL_BLOCK_HERE_H
#define LOCAL_BLOCK_HERE_H

#include "path.h"

/* What such a file is called in the journal. */
#define HERE_WHAT "file"

/* As ferry_storage.create; bytes is the length of the file. */
int here_create(struct ferry_call *call, const struct ferry_services *services, const struct path *path,
                const struct ferry_new_image *image, uint64_t bytes);
/* As ferry_storage.remove. */
int here_remove(struct ferry_call *call, const struct ferry_services *services, const char *place,
                const char *name, const char *identity);

#endif
