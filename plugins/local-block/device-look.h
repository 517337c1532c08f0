/* SPDX-License-Identifier: Apache-2.0
 * A block device of the worker's host, looked at: in sysfs where commands can be run there, else through
 * libvirt's node devices and pools. Creates and opens nothing, but for the one look whether a device of this
 * machine is free. */
#ifndef LOCAL_BLOCK_DEVICE_LOOK_H
#define LOCAL_BLOCK_DEVICE_LOOK_H

#include "device-words.h"
#include <libvirt/libvirt.h>
#include <virt-ferry-plugin.h>

/* wants_use: also whether something there uses it. Never fails: what cannot be seen is not known. */
void device_look(struct ferry_call *call, const struct ferry_services *services, const char *path,
                 bool wants_use, struct device *ret);

/* The active logical pool whose volumes are the devices in this folder; NULL: none, or not known. */
virStoragePoolPtr device_pool(struct ferry_call *call, const struct ferry_services *services,
                              const char *folder);

#endif
