/* SPDX-License-Identifier: Apache-2.0
 * Folders of ours for sockets, below /run/virt-ferry or the user's own, or for those that QEMU opens. Each is
 * locked by the process that uses it, so that those of runs that died are known and removed by the next. */
#ifndef WORKER_SOCKETS_H
#define WORKER_SOCKETS_H

#include "base/error.h"
#include <stddef.h>
#include <sys/types.h>

#define SOCKETS_PATH_SIZE 108u /* of a sockaddr_un */

/* "/run/virt-ferry", or below XDG_RUNTIME_DIR for a user; it need not be there yet. */
void sockets_dir(char *buf, size_t size);
/* Where sockets lie that QEMU opens, at the same path on both hosts. */
#define SOCKETS_QEMU_DIR "/run/libvirt/qemu" /* libvirt's own; confined QEMUs may have sockets below it */
#define SOCKETS_DATA_DIR SOCKETS_QEMU_DIR "/virt-ferry"
#define SOCKETS_CLOSED 0700u /* to all others */
#define SOCKETS_PASSED 0711u /* QEMU, whoever it is, may pass through to a socket whose name it knows */
/* A new folder in parent; *ret_lock is to be kept open for as long as it is used. */
int sockets_make(const char *parent, mode_t mode, char *buf, size_t size, int *ret_lock, struct error *err);
/* What lies in it, but no folder, and then itself. */
void sockets_remove(const char *folder);
/* Those in parent that nobody holds any more. */
void sockets_sweep(const char *parent);

#endif
