/* SPDX-License-Identifier: Apache-2.0
 * Files made and removed on a server, by libnfs alone: images, and the marks that prove two addresses one. */
#ifndef NFS_IMAGE_H
#define NFS_IMAGE_H

#include "place.h"
#include "server.h"

int image_create(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_new_image *image);
/* As ferry_storage.remove. */
int image_remove(struct ferry_call *call, const struct ferry_services *services, const char *place,
                 const char *name, const char *identity);

/* Makes an empty file, exclusively and journalled. What the server did is for the caller to say. */
enum image_made {
    IMAGE_MADE,
    IMAGE_REFUSED,    /* ret->status is why */
    IMAGE_UNANSWERED, /* *ret_trouble is why */
    IMAGE_FAILED,     /* the call's error is set: the journal refused, or the like */
};
enum image_made image_make(struct ferry_call *call, const struct ferry_services *services,
                           const struct place *p, const char *what, const char *name,
                           const struct handle *folder, struct found *ret, struct trouble *ret_trouble);

/* Sets the call's error; returns -1. */
int image_trouble(struct ferry_call *call, const struct ferry_services *services, const struct trouble *t);

/* The image that the disk names, if its identity is this one: 0 gone, 1 left. */
int image_retire(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const char *identity);

#endif
