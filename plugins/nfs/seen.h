/* SPDX-License-Identifier: Apache-2.0
 * What was seen of the disks in hand. All of a domain are looked at together before the first is identified;
 * identify, inspect and check then take from here, and ask for what is missing by itself. */
#ifndef NFS_SEEN_H
#define NFS_SEEN_H

#include "place.h"
#include "server.h"

#define ANSWER_MS 3000u

struct seen {
    uint64_t at_ms; /* 0: of no disk */
    char disk[PATH_MAX + 600];
    enum place_answer answer;
    struct place place;
    bool has_look;
    struct look look;
    struct trouble trouble; /* why there is none */
};

/* NULL: the call's error is set. Valid until the next call of these. */
const struct seen *seen_of(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_disk *disk);
void seen_all(struct ferry_call *call, const struct ferry_services *services,
              const struct ferry_disk *const *disks, size_t n);
void seen_forget(void);

bool seen_is_image(const struct seen *s);
/* The same user asked the same server for the source already. */
bool seen_is_checked_at_source(const struct ferry_disk *disk, const struct seen *s);

#endif
