/* SPDX-License-Identifier: Apache-2.0
 * One image of Ceph looked at: where it is, what it is, who has it open. Never opened for writing. */
#ifndef CEPH_IMAGE_H
#define CEPH_IMAGE_H

#include "cluster.h"

struct image {
    struct cluster *cluster;
    struct words_place place;
    struct words_name name;
    char snapshot[WORDS_NAME]; /* "" = the image itself */
    rados_ioctx_t io;          /* NULL until its pool is found */
    int64_t pool_id;
    char id[WORDS_ID]; /* "" until it is found */
    /* 0, or the negative errno of what could not be had: the pool first, then the image's id, then itself. */
    int pool_code, id_code, open_code;
    bool is_old;        /* of format 1, which has no id */
    rbd_image_t handle; /* NULL until image_open */
};

/* Finds the pool in the map that the connection holds, and asks for the image's id: one request, to the OSD
 * that holds it. -1 without memory or when the place cannot be meant (the error is set then). */
int image_find(struct ferry_call *call, const struct ferry_services *services,
               const struct words_place *place, const struct words_name *name, const char *snapshot,
               struct image *ret);
/* Its first part: the image's id is not asked for yet. */
int image_begin(struct ferry_call *call, const struct ferry_services *services,
                const struct words_place *place, const struct words_name *name, const char *snapshot,
                struct image *ret);
/* Of several that were begun, what image_find and image_open do of one: the requests of all are under way
 * before the first is waited for. */
void image_find_ids(struct image *const *images, size_t n);
void image_open_all(struct image *const *images, size_t n);
/* Opens it to read. 0, or open_code. */
int image_open(struct image *i);
void image_done(struct image *i);

bool image_identity(const struct image *i, char ret[WORDS_IDENTITY]);

/* Sum of what is written, by the image's own map of its objects; UINT64_MAX where it has none that holds. */
uint64_t image_allocated(const struct image *i);

#define IMAGE_WATCHERS 8
struct image_watchers {
    size_t n;       /* may be more than stand in the text */
    char text[512]; /* "10.0.0.1:0/4711 (client.4242), …" */
};
int image_watchers(struct image *i, struct image_watchers *ret);

/* Whether the cluster lets its user write to this pool: a request that could only change an object that
 * nobody has. 0 it does; a negative errno. */
int image_try_write(struct image *i, int64_t pool_id);

#endif
