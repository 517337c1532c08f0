/* SPDX-License-Identifier: Apache-2.0
 * Hosts, ports and addresses as they stand in libvirt's URIs. No I/O. */
#ifndef TRANSPORT_TLS_ADDRESS_H
#define TRANSPORT_TLS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* An IPv6 address that is not in brackets yet. */
bool address_needs_brackets(const char *host);

/* Takes host (without brackets) and port ("" where none is given) out of "scheme://[user@]host[:port][/…]".
 * false: there is no host in it, or it does not fit. */
bool address_of_uri(const char *uri, char *host, size_t host_size, char port[6]);

#endif
