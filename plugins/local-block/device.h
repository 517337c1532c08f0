/* SPDX-License-Identifier: Apache-2.0
 * Storage driver "block": disks that are block devices of the host. */
#ifndef LOCAL_BLOCK_DEVICE_H
#define LOCAL_BLOCK_DEVICE_H

#include <virt-ferry-plugin.h>

extern const struct ferry_storage device_driver;

#endif
