/* SPDX-License-Identifier: Apache-2.0
 * A folder on the other host that is there for as long as our connection to it is: a program that listens for
 * the end of its input holds it, and takes it away. */
#ifndef TRANSPORT_SSH_KEEPER_H
#define TRANSPORT_SSH_KEEPER_H

#include "ended.h"
#include "place.h"

/* What is run there, as words for words_of_run; the folder's path and its owner, "UID:GID" or nothing, are
 * two lines of its input. */
extern const char *const keeper_words[];

/* Starts it (w: over the master), and waits until the folder stands. 0; -1 with what was said in *ret_said,
 * ours until the next call. One at a time: a later call ends the one before. */
int keeper_begin(const struct words *w, const char *folder, const char *owner, const char *suffix, int ms,
                 const char **ret_said);
/* Does the processor there run AES by instructions of its own? Told once the folder stands; true where that
 * is not known. */
bool keeper_has_aes(void);
/* A connection beside it that carries RAM and disks, by words_of_own with these words: it ends as the folder
 * does. As keeper_begin. */
extern const char *const carrier_words[];
int keeper_carry(const struct words *w, int ms, const char **ret_said);
/* The one of keeper_carry has ended by itself. */
bool keeper_carrier_has_ended(struct ended *ret);
void keeper_end(void);

#endif
