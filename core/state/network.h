/* SPDX-License-Identifier: Apache-2.0
 * Networks as an administrator writes them (10.1.0.0/16, fd00:7::/64), and whether an address lies in one.
 * Numeric only: no name is ever looked up. */
#ifndef STATE_NETWORK_H
#define STATE_NETWORK_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct network {
    int family;          /* AF_INET, AF_INET6 */
    uint8_t address[16]; /* in network order */
    unsigned prefix_bits;
};

/* An address alone is a network of one. Bits set behind the prefix are refused: they hide a mistake. */
int network_parse(const char *s, struct network *ret, struct error *err);
/* The same for what data shall travel to: an address of a host, or a network that has such. */
int network_parse_via(const char *s, struct error *err);
/* An IPv4 address inside IPv6 (::ffff:10.0.0.1) counts as IPv4; a zone (fe80::1%eth0) is not looked at. */
bool network_holds(const struct network *n, const char *numeric_address);

#endif
