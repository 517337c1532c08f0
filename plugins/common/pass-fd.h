/* SPDX-License-Identifier: Apache-2.0
 * A descriptor handed to another process over a UNIX socket, with one byte, as OpenSSH takes them. */
#ifndef PLUGIN_PASS_FD_H
#define PLUGIN_PASS_FD_H

#include <stdbool.h>

/* `fd` stays open here too; false: errno. */
bool pass_fd(int fd, int socket);

#endif
