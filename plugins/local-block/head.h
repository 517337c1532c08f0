/* SPDX-License-Identifier: Apache-2.0
 * What the head of an image file at the source says of it: what it rests on, where its data lies, its
 * internal snapshots. Only of those that the domain calls qcow2. */
#ifndef LOCAL_BLOCK_HEAD_H
#define LOCAL_BLOCK_HEAD_H

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <virt-ferry-plugin.h>

/* The file on this machine. false: no memory. */
bool head_here(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
               struct ferry_image *ret);
/* The volume, wherever it is. */
bool head_there(struct ferry_call *call, const struct ferry_services *services, virStorageVolPtr volume,
                const struct ferry_disk *disk, struct ferry_image *ret);

#endif
