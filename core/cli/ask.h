/* SPDX-License-Identifier: Apache-2.0
 * Questions to whoever sits at the terminal. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

/* A user and a password for libvirt on a host, kept for this run. false: there is no terminal, or no answer.
 */
bool ask_password(const char *host);
/* "yes", typed in full, to a claim that only a person can vouch for. false: there is no terminal, or another
 * answer. */
bool ask_attest(const char *claim);

#endif
