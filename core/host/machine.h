/* SPDX-License-Identifier: Apache-2.0
 * The answer of the script in machine.c, apart from how it came. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "facts/model.h"

/* Kernel, userfaultfd, lock manager and addresses out of what the script printed, into h; texts on a. An
 * answer that was cut changes nothing. */
void machine_read(const char *said, struct arena *a, struct host *h);

#endif
