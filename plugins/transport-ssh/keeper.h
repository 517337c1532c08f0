/* SPDX-License-Identifier: Apache-2.0
 * A folder on the other host that is there for as long as our connection to it is: a program that listens for
 * the end of its input holds it, and takes it away. */
#ifndef TRANSPORT_SSH_KEEPER_H
#define TRANSPORT_SSH_KEEPER_H

#include "ended.h"
#include "place.h"
#include <stdint.h>

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
/* Connections beside it that carry RAM and disks, each by words_of_own with these words: they end as the
 * folder does. All are begun at once. Bit i: w[i] stands; where one does not, *ret_said is what it said. */
#define KEEPER_MOST 8u
extern const char *const carrier_words[];
uint32_t keeper_carry(const struct words *w, unsigned n, int ms, const char **ret_said);
/* One of keeper_carry's has ended by itself. */
bool keeper_carrier_has_ended(struct ended *ret);
/* Ends those alone. */
void keeper_drop_carriers(void);
void keeper_end(void);

#endif
