/* SPDX-License-Identifier: Apache-2.0
 * How long the file of a new, empty image is: for every driver that creates raw and qcow2 files. */
#ifndef COMMON_NEW_IMAGE_H
#define COMMON_NEW_IMAGE_H

#include "virt-ferry-plugin.h"

/* In bytes; 0 with the call's error set: a format or a size that cannot be created. */
uint64_t new_image_bytes(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_new_image *image);

#endif
