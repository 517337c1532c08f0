/* SPDX-License-Identifier: Apache-2.0
 * The head of a qcow2 image in a block device: read at the source, written at the destination. By a command
 * where one can be run on the host, else through libvirt, where a pool of it lists the device. */
#ifndef LOCAL_BLOCK_DEVICE_HEAD_H
#define LOCAL_BLOCK_DEVICE_HEAD_H

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <virt-ferry-plugin.h>

/* false: no memory. A head that cannot be read is not told. */
bool device_head_read(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk, struct ferry_image *ret);

/* An empty image in the device that stands at the disk's source. -1 with the error set. */
int device_head_write(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_new_image *image);

#endif
