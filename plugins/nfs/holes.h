/* SPDX-License-Identifier: Apache-2.0
 * The holes of a file on a server, as the kernel of this machine is told them where it has the file mounted
 * by NFS 4.2: version 3, which the bytes come by, cannot ask. Nothing of the file is read here, so that no
 * page that this kernel keeps of it counts.
 *
 * What a mount is asked for may never be answered: a thread asks, which nobody waits for in the end. */
#ifndef NFS_HOLES_H
#define NFS_HOLES_H

#include <stdint.h>
#include <virt-ferry-plugin.h>

struct holes;

/* Looks at the path, if it leads to a plain file of that number and length on a file system of that kind
 * (statfs; HOLES_NFS). NULL: no memory. */
struct holes *holes_begin(const char *path, uint64_t fileid, uint64_t length, long kind);
#define HOLES_NFS 0x6969L

/* What lies from there on, which is before the end. What is not known in time is data. */
void holes_at(struct holes *h, uint64_t from, struct ferry_extent *ret);

/* NULL is allowed. */
void holes_end(struct holes *h);

#endif
