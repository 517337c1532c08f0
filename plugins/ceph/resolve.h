/* SPDX-License-Identifier: Apache-2.0
 * Names of monitors made into addresses. librados does it too, but prints what it could not resolve. */
#ifndef CEPH_RESOLVE_H
#define CEPH_RESOLVE_H

#include "words.h"

/* "mon1:3300,[fd00::1]" into "10.0.0.1:3300,[fd00::1]", each once. Those without an address are left out;
 * false when none is left. */
bool resolve_hosts(const char *hosts, char ret[WORDS_HOSTS]);

#endif
