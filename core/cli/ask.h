/* SPDX-License-Identifier: Apache-2.0
 * Questions to whoever sits at the terminal. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

/* A user and a password for libvirt on a host, kept for this run. false: there is no terminal, or no answer.
 */
bool ask_password(const char *host);

#endif
