/* SPDX-License-Identifier: Apache-2.0
 * Block I/O on a file of an NFS server: many calls of version 3 under way on a connection of its own. Writes
 * are UNSTABLE, flushes COMMIT, and the verifiers of both are compared, which libnfs itself never does. */
#ifndef NFS_IO_H
#define NFS_IO_H

#include <virt-ferry-plugin.h>

/* The functions of ferry_storage. */
int io_open(struct ferry_call *call, const struct ferry_services *services, const struct ferry_opening *how,
            struct ferry_opened *ret);
int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n);
int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request);
int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done);
int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret);
void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle);

#endif
