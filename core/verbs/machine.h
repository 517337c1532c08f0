/* SPDX-License-Identifier: Apache-2.0
 * What a host says without libvirt, where a command can be run there: its kernel, its files, its addresses.
 */
#ifndef VERBS_MACHINE_H
#define VERBS_MACHINE_H

#include "facts/model.h"
#include "verbs/verbs.h"

/* What the script in machine.c printed there, malloc'ed; NULL: nothing can be run there, or it gave no text.
 */
char *machine_ask(struct child *c);
/* Kernel, userfaultfd, SELinux, lock manager and addresses out of what the script printed, into h; texts on
 * a. An answer that was cut changes nothing. */
void machine_read(const char *said, struct arena *a, struct host *h);

#endif
