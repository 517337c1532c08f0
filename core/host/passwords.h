/* SPDX-License-Identifier: Apache-2.0
 * Users and passwords that were asked for at a terminal, for this process and its workers. They lie in memory
 * that no file system has, in the form of libvirt's own file, and libvirt is told to look there. */
#ifndef HOST_PASSWORDS_H
#define HOST_PASSWORDS_H

#include "base/error.h"

/* For the host as its URI names it. Workers that are started from now on have it, beside what libvirt's file
 * holds. */
int passwords_add(const char *host, const char *user, const char *password, struct error *err);

#endif
