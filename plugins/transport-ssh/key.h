/* SPDX-License-Identifier: Apache-2.0
 * The key that a host shows to anybody, as ssh-keyscan and ssh-keygen print it, for the operator to compare.
 * It comes from the network and ends in a command that is pasted: each field is checked by its letters. */
#ifndef TRANSPORT_SSH_KEY_H
#define TRANSPORT_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct host_key {
    char line[640];        /* as known_hosts has it: name, type, key */
    char type[48];         /* "ssh-ed25519" */
    char fingerprint[128]; /* "SHA256:…" */
};

/* Takes the best key out of what ssh-keyscan printed. */
bool key_of_scan(const char *printed, struct host_key *ret);
/* The same line under the name that ssh looks for; false: that name could be more than one. */
bool key_line_under(const struct host_key *key, const char *name, char *buf, size_t size);
/* Takes "SHA256:…" out of what ssh-keygen -l printed. */
bool key_fingerprint_of(const char *printed, struct host_key *ret);

#endif
