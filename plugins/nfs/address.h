/* SPDX-License-Identifier: Apache-2.0
 * Numeric addresses of servers in one spelling. Pure. */
#ifndef NFS_ADDRESS_H
#define NFS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_SIZE 46 /* INET6_ADDRSTRLEN */
#define ADDRESS_MOST 8

/* The one spelling of a numeric address; of ::ffff:1.2.3.4 it is 1.2.3.4. false: it is a name. */
bool address_normalise(const char *text, char ret[ADDRESS_SIZE]);

/* Why this address can mean another machine on each host; NULL when it cannot. */
const char *address_problem(const char *address);

/* The addresses at the beginning of the lines that `getent ahosts` prints, each once, in their order: a
 * client such as libnfs takes the first. Returns how many; ADDRESS_MOST + 1 when there are more. */
size_t address_list(const char *output, char ret[ADDRESS_MOST][ADDRESS_SIZE]);

#endif
