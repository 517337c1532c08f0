/* SPDX-License-Identifier: Apache-2.0
 * The virtual size in the header of a qcow2 image. Pure. */
#ifndef NFS_HEADER_H
#define NFS_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define HEADER_BYTES 104u /* all that is asked for */

/* 0 where it is no qcow2 header that makes sense. */
uint64_t header_capacity(const unsigned char *bytes, size_t n);

#endif
