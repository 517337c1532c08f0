/* SPDX-License-Identifier: Apache-2.0
 * Named fault points, armed from tests by VIRT_FERRY_FAULT=ACTION:POINT:N[,…]: at the N-th passage of POINT
 * the process kills itself (kill), stops (stop), or the call fails (fail). Compiled out of releases. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef FERRY_FAULTS
bool fault_point(const char *point); /* true: the caller fails as if its call had */
/* A figure that tests may change: the variable of that name, or what it is otherwise. */
uint64_t fault_figure(const char *variable, uint64_t otherwise);
#else
static inline bool fault_point(const char *point)
{
    (void)point;
    return false;
}
static inline uint64_t fault_figure(const char *variable, uint64_t otherwise)
{
    (void)variable;
    return otherwise;
}
#endif

#endif
