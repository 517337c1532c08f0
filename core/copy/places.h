/* SPDX-License-Identifier: Apache-2.0
 * Where in its own file the data of an image lies, read from QEMU's map of it. Pure: text in, places out.
 * What is compressed, encrypted or a base's has no place: only QEMU can read it. */
#ifndef COPY_PLACES_H
#define COPY_PLACES_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_NONE UINT64_MAX

struct place {
    uint64_t offset, length; /* in the image */
    uint64_t at;             /* in the file */
};

/* Sorted by offset, none over another. Zero-initialise; places_end in any case. */
struct places {
    struct place *list;
    size_t n, room;
    uint64_t from, to; /* of the image: what is known */
};

/* Replaces what p holds by n bytes of what `qemu-img map --output=json` prints of an image from `from` on.
 * Where that is cut, p ends with its last whole line; where it makes no sense, p is empty and the answer
 * negative. */
int places_read(struct places *p, const char *text, size_t n, uint64_t from, struct error *err);
void places_end(struct places *p);

/* How many bytes from offset on, `most` at most, lie together or have no place together. *ret_at: where the
 * first of them is in the file, or PLACE_NONE. Never 0 if most is not. */
uint64_t places_find(const struct places *p, uint64_t offset, uint64_t most, uint64_t *ret_at);

#endif
