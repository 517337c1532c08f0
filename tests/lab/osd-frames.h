/* SPDX-License-Identifier: Apache-2.0
 * What a client asks of an OSD, read from the bytes that it sends: Ceph's messenger 2.1 where it does not
 * encrypt, which is its default for OSDs. A frame is a preamble with the lengths of up to four segments, the
 * first segment with its checksum, the others, and where there are others a closing block. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAMES_BANNER 10u /* "ceph v2\n" and the length of what follows */
#define FRAMES_PREAMBLE 32u
#define FRAMES_CHECKSUM 4u
#define FRAMES_CLOSING 13u
#define FRAMES_MESSAGE 17 /* the tag of a message */
#define FRAMES_OSD_OP 42  /* its type: operations on one object */
#define FRAMES_TYPE_AT 16u
#define FRAMES_KEPT 2048u /* of a frame: the name of its object comes early */

struct frames {
    unsigned char kept[FRAMES_KEPT];
    size_t n;
    uint64_t left; /* of what is being read now */
    enum { FRAMES_AT_BANNER, FRAMES_AT_BANNER_REST, FRAMES_AT_PREAMBLE, FRAMES_AT_BODY } at;
    unsigned char tag;
};

static inline uint32_t frames_figure(const unsigned char *b, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | b[bytes];
    return value;
}

static inline uint64_t frames_body(const unsigned char *preamble)
{
    const unsigned n = preamble[1] <= 4 ? preamble[1] : 4;
    uint64_t all = n > 1 ? FRAMES_CLOSING : 0;

    for (unsigned i = 0; i < n; i++)
        all += frames_figure(preamble + 2 + 6 * i, 4);
    return all + (frames_figure(preamble + 2, 4) > 0 ? FRAMES_CHECKSUM : 0);
}

/* "rbd_id.web-vda", or "" of an object that is none of RBD's. */
static inline void frames_object(const struct frames *f, char *ret, size_t size)
{
    const unsigned char *name = memmem(f->kept, f->n, "rbd_", 4);
    size_t n = 0;

    for (; name && name<f->kept + f->n && * name> ' ' && *name < 0x7f && n + 1 < size; name++)
        ret[n++] = (char)*name;
    ret[n] = '\0';
}

/* Takes bytes; true: an operation is complete, and *ret_used of them belong to it or to what came before. */
static inline bool frames_take(struct frames *f, const unsigned char *bytes, size_t n, size_t *ret_used)
{
    size_t used = 0;

    if (f->left == 0 && f->at == FRAMES_AT_BANNER)
        f->left = FRAMES_BANNER;
    while (used < n) {
        const size_t some = n - used < f->left ? n - used : (size_t)f->left;

        for (size_t i = 0; i < some && f->n < sizeof f->kept; i++)
            f->kept[f->n++] = bytes[used + i];
        used += some;
        f->left -= some;
        if (f->left > 0)
            break;
        *ret_used = used;
        if (f->at == FRAMES_AT_BANNER) {
            f->at = FRAMES_AT_BANNER_REST;
            f->left = frames_figure(f->kept + 8, 2);
        } else if (f->at == FRAMES_AT_PREAMBLE) {
            f->at = FRAMES_AT_BODY;
            f->tag = f->kept[0];
            f->left = frames_body(f->kept);
        } else {
            const bool is_op = f->at == FRAMES_AT_BODY && f->tag == FRAMES_MESSAGE &&
                               f->n > FRAMES_TYPE_AT + 2 &&
                               frames_figure(f->kept + FRAMES_TYPE_AT, 2) == FRAMES_OSD_OP;

            f->at = FRAMES_AT_PREAMBLE;
            f->left = FRAMES_PREAMBLE;
            if (is_op)
                return true;
        }
        f->n = 0;
    }
    *ret_used = used;
    return false;
}
