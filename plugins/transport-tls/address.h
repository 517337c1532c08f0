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

/* The parameter of this name, as it stands there; false: there is none, it does not fit, or it is written
 * with
 * '%' or '+', which is not undone here. */
bool address_parameter(const char *uri, const char *name, char *value, size_t size);
/* The first parameter that is none of `known` (NULL-ended), or whose value cannot be read; false: all are. */
bool address_strange_parameter(const char *uri, const char *const *known, char *name, size_t size);

#endif
