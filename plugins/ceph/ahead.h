/* SPDX-License-Identifier: Apache-2.0
 * The images of one domain, found and opened side by side: each takes ten requests one after another, and
 * none of them waits for another's. Kept until each is asked for, and for no longer than 5 s. */
#ifndef CEPH_AHEAD_H
#define CEPH_AHEAD_H

#include "image.h"

#define AHEAD_MOST 64 /* those beyond it are looked at one by one */

struct ahead_wish {
    struct words_place place;
    struct words_name name;
    const char *source, *snapshot; /* as the disk has them */
    bool is_opened;                /* else it is only found */
};

/* Looks for all of them. What could not be had is as image_find and image_open leave it. */
void ahead_look(struct ferry_call *call, const struct ferry_services *services,
                const struct ahead_wish *wishes, size_t n);
/* true: ret is the caller's now, for image_done. */
bool ahead_take(const struct ferry_disk *disk, const struct words_place *place, struct image *ret);
void ahead_forget(void);

#endif
