/* SPDX-License-Identifier: Apache-2.0
 * Folders of ours for sockets: 0700, below /run/virt-ferry or the user's own. Each is locked by the process
 * that uses it, so that those of runs that died are known and removed by the next. */
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include "base/error.h"
#include <stddef.h>

#define SOCKETS_PATH_SIZE 108u /* of a sockaddr_un */

/* "/run/virt-ferry", or below XDG_RUNTIME_DIR for a user; it need not be there yet. */
void sockets_dir(char *buf, size_t size);
/* A new folder in parent; *ret_lock is to be kept open for as long as it is used. */
int sockets_make(const char *parent, char *buf, size_t size, int *ret_lock, struct error *err);
/* What lies in it, but no folder, and then itself. */
void sockets_remove(const char *folder);
/* Those in parent that nobody holds any more. */
void sockets_sweep(const char *parent);

#endif
