/* SPDX-License-Identifier: Apache-2.0
 * Block I/O on an image of Ceph by librbd's asynchronous calls, an object in one or two of them where that
 * can be. */
#ifndef CEPH_IO_H
#define CEPH_IO_H

#include "image.h"

/* Takes over the image, found and not opened; it is done with when this fails too. As ferry_storage.open. */
int io_open_found(struct ferry_call *call, const struct ferry_services *services, struct image *found,
                  bool to_write, struct ferry_opened *ret);
/* The functions of ferry_storage. */
int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n);
int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request);
int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done);
int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret);
void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle);

#endif
