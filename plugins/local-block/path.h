/* SPDX-License-Identifier: Apache-2.0
 * The path that a domain's XML gives for an image or a device, cut into its folder and the name within. */
#ifndef LOCAL_BLOCK_PATH_H
#define LOCAL_BLOCK_PATH_H

#include <limits.h>
#include <virt-ferry-plugin.h>

struct path {
    char folder[PATH_MAX];
    char name[PATH_MAX];
};

/* -1 with the call's error set, in which `what` ("image", "device") is what the path is of. */
int path_cut(struct ferry_call *call, const struct ferry_services *services, const char *what,
             const char *source, struct path *ret);

#endif
