/* SPDX-License-Identifier: Apache-2.0
 * The lock that QEMU puts on image files, taken as a QEMU would: a domain that starts meanwhile is refused by
 * its QEMU, and an image that a domain has open is refused to us. */
#ifndef LOCAL_BLOCK_LOCK_H
#define LOCAL_BLOCK_LOCK_H

#include <stdbool.h>

/* 0 held until the last descriptor of this opening is closed; EAGAIN in use; another errno: that file system
 * knows no such locks. */
int lock_image(int fd, bool to_write);

#endif
