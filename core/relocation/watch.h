/* SPDX-License-Identifier: Apache-2.0
 * The watch over QEMU's copies of disks: progress, the user's wish to stop, a guest that writes faster than
 * the copy, a place that fills up. For the folder's own use. */
#ifndef RELOCATION_WATCH_H
#define RELOCATION_WATCH_H

#include "run/move.h"

struct relocation_watch;

struct relocation_watch *relocation_watch_new(struct move *m, struct error *err);
void relocation_watch_free(struct relocation_watch *w);
OWNED_DEFINE(relocation_watch)

/* 0 when the new image of d has all that the old one has, and gets each write. */
int relocation_watch_until_ready(struct relocation_watch *w, const struct disk *d, struct error *err);
/* What was gone through so far, of all disks. */
uint64_t relocation_watch_bytes(const struct relocation_watch *w);

/* Pure: is the copy hopeless? Fed with each look; false for ever while what is left keeps falling. */
struct relocation_trend {
    uint64_t least_left, least_at_ms, done_then, total_then;
};
void relocation_trend_begin(struct relocation_trend *t, uint64_t now_ms);
bool relocation_trend_is_stuck(struct relocation_trend *t, uint64_t now_ms, uint64_t done_bytes,
                               uint64_t total_bytes);
#define RELOCATION_STUCK_MS 10000u

/* Pure: QEMU says nothing yet of how much there is to copy. It looks for the old image's holes before it
 * does, which takes minutes where a storage tells them slowly; or the new place is silent. */
enum relocation_beginning { BEGINNING_SOON, BEGINNING_LATE, BEGINNING_NEVER };
enum relocation_beginning relocation_beginning_after(uint64_t ms);
#define RELOCATION_LATE_MS 30000u
#define RELOCATION_NEVER_MS 600000u

#endif
