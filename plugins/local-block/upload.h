/* SPDX-License-Identifier: Apache-2.0
 * Bytes to the beginning of a volume through libvirt alone, where no command can be run on the host. */
#ifndef LOCAL_BLOCK_UPLOAD_H
#define LOCAL_BLOCK_UPLOAD_H

#include "pool.h"

/* 0, or -1 with the error: what was to be done, libvirt's words, and the fix. When it is done libvirt
 * refreshes the volume's pool. */
int upload(struct ferry_call *call, const struct ferry_services *services, virStorageVolPtr volume,
           const unsigned char *bytes, size_t n, const char *fix, const char *what);

#endif
