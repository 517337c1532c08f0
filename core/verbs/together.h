/* SPDX-License-Identifier: Apache-2.0
 * Questions to one libvirt that do not wait for each other. Over one connection many may be under way, so
 * that a host a hundred milliseconds away costs what the longest chain of them takes, and not their sum. */
#ifndef VERBS_TOGETHER_H
#define VERBS_TOGETHER_H

#include <stddef.h>

/* Calls ask(context, i) for each i below n and returns when all have come back. The first runs in the
 * caller's own thread (where a program must be started from, which dies with the thread that made it); the
 * others in threads, or, where none can be made, after it. They may share nothing that one of them writes. */
void together(size_t n, void (*ask)(void *context, size_t i), void *context);

#endif
