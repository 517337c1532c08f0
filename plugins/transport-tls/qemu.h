/* SPDX-License-Identifier: Apache-2.0
 * QEMU's own certificates for data, looked at on the host where they stand, where a command can be run there.
 */
#ifndef TRANSPORT_TLS_QEMU_H
#define TRANSPORT_TLS_QEMU_H

#include <virt-ferry-plugin.h>

/* The driver's callback. */
int qemu_check(struct ferry_call *call, const struct ferry_services *services, const char *uri,
               const struct ferry_route *route, uint32_t at_dest);

#endif
