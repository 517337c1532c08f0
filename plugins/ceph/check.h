/* SPDX-License-Identifier: Apache-2.0
 * The findings about an image of Ceph: what keeps a move from it, and what to do. */
#ifndef CEPH_CHECK_H
#define CEPH_CHECK_H

#include "image.h"

/* Adds them. What both hosts see alike is said for the source only. */
void check_image(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, struct image *image);

/* Why nothing is known of the image: one line, made by services->text; NULL when its id is known. */
const char *check_gap(struct ferry_call *call, const struct ferry_services *services,
                      const struct image *image);

#endif
