/* SPDX-License-Identifier: Apache-2.0
 * Where an image lies, as one text: a path, nfs://SERVER/PATH, rbd:POOL/IMAGE, pool:POOL/VOLUME. What maps
 * compare, and what they are written in. */
#ifndef FACTS_LOCATION_H
#define FACTS_LOCATION_H

#include "facts/model.h"

enum location_kind { LOCATION_NONE, LOCATION_PATH, LOCATION_NFS, LOCATION_RBD, LOCATION_POOL };

/* The parts that libvirt's XML keeps apart; NULL what the kind does not have. */
struct location {
    enum location_kind kind;
    const char *server;        /* nfs; an IPv6 address without its brackets */
    const char *name;          /* path, nfs, rbd */
    const char *pool, *volume; /* pool */
};

enum location_kind location_kind_of(const char *text);
/* What is wrong with one that a user wrote, as the end of a sentence; NULL = nothing. A whole pool or folder
 * is a location too. */
const char *location_problem(const char *text);
/* As a user may write it to the one way in which it is compared: "images" is "pool:images". */
const char *location_plain(struct arena *a, const char *text);

/* NULL where the parts are of no kind, or without memory (which arena_failed tells). */
const char *location_text(struct arena *a, const struct location *l);
/* Of a text that location_text made, or that a map made of one. */
int location_read(struct arena *a, const char *text, struct location *ret);

bool location_is_same(const struct location *a, const struct location *b);

/* Of a disk at the source, and at the destination; kind LOCATION_NONE for all that is not in the list above.
 */
struct location location_of_disk(const struct disk *d);
struct location location_of_disk_there(const struct disk *d);

#endif
