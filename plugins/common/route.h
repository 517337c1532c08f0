/* SPDX-License-Identifier: Apache-2.0
 * Members of a route that an older virt-ferry does not pass, read as absent there. No I/O. */
#ifndef COMMON_ROUTE_H
#define COMMON_ROUTE_H

#include <stddef.h>
#include <virt-ferry-plugin.h>

/* Whether the virt-ferry that calls knows this member. */
#define ROUTE_HAS(route, member)                                                                             \
    ((route)->size >= offsetof(struct ferry_route, member) + sizeof((route)->member))

/* The address that the user chose for RAM and disks; NULL = none. */
static inline const char *route_via(const struct ferry_route *route)
{
    return ROUTE_HAS(route, data_address) ? route->data_address : NULL;
}

/* The address that RAM and disks travel to; NULL = not known. */
static inline const char *route_data_address(const struct ferry_route *route)
{
    return route_via(route) ? route_via(route) : route->address;
}

#endif
