/* SPDX-License-Identifier: Apache-2.0
 * Findings about an image on an NFS server. */
#ifndef NFS_CHECK_H
#define NFS_CHECK_H

#include "place.h"
#include "server.h"

/* Adds them; look is of this moment. */
void check_image(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const struct place *p, const struct look *look);
void check_mount(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const struct place *p);

#endif
