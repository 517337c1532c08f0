/* SPDX-License-Identifier: Apache-2.0
 * Block I/O of image files: of this machine's, or of those of the host that the worker serves. */
#ifndef LOCAL_BLOCK_IMAGE_IO_H
#define LOCAL_BLOCK_IMAGE_IO_H

#include <virt-ferry-plugin.h>

/* The functions of ferry_storage. */
int image_open(struct ferry_call *call, const struct ferry_services *services,
               const struct ferry_opening *how, struct ferry_opened *ret);
int image_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
                  struct ferry_extent *ret, uint32_t room, uint32_t *ret_n);
int image_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                 struct ferry_request *request);
int image_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
               struct ferry_request **ret_done);
int image_changed(struct ferry_call *call, const struct ferry_services *services, void *handle,
                  uint64_t *ret);
void image_close(struct ferry_call *call, const struct ferry_services *services, void *handle);
int image_clone(struct ferry_call *call, const struct ferry_services *services, void *from, void *to);

#endif
