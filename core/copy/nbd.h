/* SPDX-License-Identifier: Apache-2.0
 * Block I/O on what an image means, not on its bytes: QEMU's own qemu-nbd opens and locks it, with its
 * backing chain, and libnbd speaks to it. For files of this machine, in any format that QEMU has. */
#ifndef COPY_NBD_H
#define COPY_NBD_H

#include "plugin/virt-ferry-plugin.h"

/* A driver like those of plugins, for the engine alone: claim, open and all of block I/O. */
extern const struct ferry_storage nbd_storage;

#endif
