/* SPDX-License-Identifier: Apache-2.0
 * Where a lock was seen to be enforced between two hosts: by their uuids, the directory on each, and its file
 * system. One small file, which may be lost: then it is tried again. */
#ifndef STATE_LOCKS_H
#define STATE_LOCKS_H

#include "base/json.h"
#include "facts/model.h"

#define LOCKS_VALID_S 86400u /* a day; from the future nothing is believed */

/* An object; what cannot be read is an empty one. NULL without memory. */
json_t *locks_read(const char *state_dir);
int locks_write(const char *state_dir, const json_t *locks, struct error *err);

/* When it was seen of this disk's directories, in seconds; 0 = not, or not within a day. Either host may be
 * the source: the lock is theirs together. */
uint64_t locks_seen_s(const json_t *locks, const struct facts *f, const struct disk *d, uint64_t now_s);
/* It was seen now; what is older than a day is forgotten. */
int locks_note(json_t *locks, const struct facts *f, const struct disk *d, uint64_t now_s, struct error *err);

#endif
