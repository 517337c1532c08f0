/* SPDX-License-Identifier: Apache-2.0
 * Block I/O on a file of another machine, through the streams of that host's libvirt: written once, from its
 * beginning to its end, then read. */
#ifndef LOCAL_BLOCK_THERE_H
#define LOCAL_BLOCK_THERE_H

#include <stdbool.h>
#include <virt-ferry-plugin.h>

/* The functions of ferry_storage, for handles of there_open. */
int there_open(struct ferry_call *call, const struct ferry_services *services,
               const struct ferry_opening *how, struct ferry_opened *ret);
int there_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                 struct ferry_request *request);
int there_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
               struct ferry_request **ret_done);
void there_close(struct ferry_call *call, const struct ferry_services *services, void *handle);
uint64_t there_length(const void *handle);

#endif
