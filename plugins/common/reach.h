/* SPDX-License-Identifier: Apache-2.0
 * Is there somebody behind a host's TCP port, under which address, and over which link. */
#ifndef COMMON_REACH_H
#define COMMON_REACH_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

struct reached {
    char address[INET6_ADDRSTRLEN + IF_NAMESIZE]; /* numeric, no brackets */
    uint64_t latency_us;
    uint64_t bytes_per_s; /* of the local link to it, UINT64_MAX when it does not say */
    char silent[INET6_ADDRSTRLEN + IF_NAMESIZE]; /* an address of the same name that stands before it and did
                                                  * not answer; "" = none */
};

enum reach_answer {
    REACH_YES = 0,
    REACH_NO_NAME, /* why: the resolver's text */
    REACH_REFUSED,
    REACH_SILENT,
    REACH_FAILED, /* why: the system's text */
};

/* Tries every address at once and takes, of those that answer about as soon, the one that stands first, as
 * whoever tries them in turn would; within `ms`; sends nothing. */
enum reach_answer reach(const char *host, const char *port, int ms, struct reached *ret,
                        const char **ret_why);

/* The same, and gives the connected descriptor (non-blocking), which the caller closes; -1 with any other
 * answer than REACH_YES. */
enum reach_answer reach_open(const char *host, const char *port, int ms, struct reached *ret,
                             const char **ret_why, int *ret_fd);

/* Of the local link to an address in numbers, as in struct reached; sends nothing. */
uint64_t reach_speed(const char *address);

#endif
