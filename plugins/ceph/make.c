/* SPDX-License-Identifier: Apache-2.0
 * A new image gets a random name that nobody else can have taken, then its own by a rename that fails when
 * that stands there. So at every moment the journal tells it from an image that somebody else made. */
#include "make.h"
#include "../common/no-answer.h"
#include "check.h"
#include "image.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX ".virt-ferry-"
#define NEW "new:" /* before the cluster and pool of an image whose id is not known yet */
#define RANDOM_BYTES 16

static bool random_name(char ret[WORDS_NAME])
{
    unsigned char bytes[RANDOM_BYTES];
    size_t at = sizeof PREFIX - 1;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    (void)snprintf(ret, WORDS_NAME, "%s", PREFIX);
    for (size_t i = 0; i < sizeof bytes; i++, at += 2)
        (void)snprintf(ret + at, 3, "%02x", bytes[i]);
    return true;
}

static bool is_random_name(const char *name)
{
    const size_t n = strlen(PREFIX);

    return strncmp(name, PREFIX, n) == 0 && strlen(name) == n + RANDOM_BYTES * 2 &&
           strspn(name + n, "0123456789abcdef") == RANDOM_BYTES * 2;
}

/* ---- making ---- */

static int set_options(struct ferry_call *call, const struct ferry_services *services,
                       const struct library *l, rbd_image_options_t options)
{
    const char *features = services->config(call, "features");
    const char *object_size = services->config(call, "object_size");
    const char *data_pool = services->config(call, "data_pool");
    uint64_t bits, order;

    if (features && *features &&
        (!words_read_features(features, &bits) ||
         l->rbd_image_options_set_uint64(options, RBD_IMAGE_OPTION_FEATURES, bits) < 0)) {
        services->error(call, "Write names such as 'layering, exclusive-lock, object-map, fast-diff'.",
                        "'%s' in the settings are no features of an image", features);
        return -1;
    }
    if (object_size && *object_size &&
        (!words_read_object_size(object_size, &order) ||
         l->rbd_image_options_set_uint64(options, RBD_IMAGE_OPTION_ORDER, order) < 0)) {
        services->error(call, "Write a power of two from 4KiB to 32MiB.",
                        "'%s' in the settings is no size of objects", object_size);
        return -1;
    }
    if (data_pool && *data_pool &&
        l->rbd_image_options_set_string(options, RBD_IMAGE_OPTION_DATA_POOL, data_pool) < 0) {
        services->error(call, NULL, "'%s' in the settings cannot be a data pool", data_pool);
        return -1;
    }
    return 0;
}

static int create_as(struct ferry_call *call, const struct ferry_services *services, struct image *image,
                     const char *name, uint64_t bytes, rbd_image_options_t options)
{
    const int code = image->cluster->library->rbd_create4(image->io, name, bytes, options);

    if (code < 0)
        services->error(call,
                        "See that the user may write the pool, and that it has room: ceph health detail.",
                        "could not create an image in pool '%s': %s", image->name.pool, strerror(-code));
    if (code == -ETIMEDOUT)
        no_answer(call, services);
    return code;
}

/* Asks for the id of what stands under that name in the same pool. */
static int find_again(struct ferry_call *call, const struct ferry_services *services,
                      const struct image *image, const char *name, char ret_identity[WORDS_IDENTITY])
{
    struct words_name as = image->name;
    struct image made;
    bool is_found, is_silent;

    (void)snprintf(as.image, sizeof as.image, "%s", name);
    if (image_find(call, services, &image->place, &as, NULL, &made) < 0)
        return -1;
    is_found = image_identity(&made, ret_identity);
    is_silent = made.cluster->state == CLUSTER_SILENT;
    image_done(&made);
    if (!is_found)
        services->error(call, "Look at the cluster with 'ceph -s'.",
                        "the new image in pool '%s' cannot be found", image->name.pool);
    if (is_silent)
        no_answer(call, services);
    return is_found ? 0 : -1;
}

static int make_in(struct ferry_call *call, const struct ferry_services *services, struct image *image,
                   uint64_t bytes, rbd_image_options_t options)
{
    char name[WORDS_NAME], place[WORDS_PLACE], identity[WORDS_IDENTITY];
    const char *begun;
    int code;

    if (!random_name(name) || !words_write_place(&image->place, place)) {
        services->error(call, NULL, "could not make a name for the new image");
        return -1;
    }
    begun = services->text(call, NEW "%s/%lld", image->cluster->fsid, (long long)image->pool_id);
    if (!begun || services->journal(call, "image", place, name, begun) < 0 ||
        create_as(call, services, image, name, bytes, options) < 0 ||
        find_again(call, services, image, name, identity) < 0 ||
        services->journal(call, "image", place, image->name.image, identity) < 0)
        return -1;
    code = image->cluster->library->rbd_rename(image->io, name, image->name.image);
    if (code == 0)
        return 0;
    services->error(call,
                    code == -EEXIST ? "Look at it and remove or rename it, or choose another place." : NULL,
                    code == -EEXIST ? "an image '%s' stands in pool '%s' already"
                                    : "could not name the new image '%s' in pool '%s'",
                    image->name.image, image->name.pool);
    if (code == -ETIMEDOUT)
        no_answer(call, services);
    return -1;
}

/* The settings are judged before anything is journalled. */
static int make_with_options(struct ferry_call *call, const struct ferry_services *services,
                             struct image *image, uint64_t bytes)
{
    const struct library *l = image->cluster->library;
    rbd_image_options_t options = NULL;
    int result;

    l->rbd_image_options_create(&options);
    result = set_options(call, services, l, options);
    if (result == 0)
        result = make_in(call, services, image, bytes, options);
    l->rbd_image_options_destroy(options);
    return result;
}

static void not_looked_for(struct ferry_call *call, const struct ferry_services *services,
                           const struct image *image, const char *gap)
{
    services->error(call, NULL, "%s", gap ? gap : "the image could not be looked for");
    if (image->cluster->state == CLUSTER_SILENT)
        no_answer(call, services);
}

int make_image(struct ferry_call *call, const struct ferry_services *services,
               const struct words_place *place, const struct words_name *name, uint64_t bytes)
{
    struct image image;
    const char *gap;
    int result = -1;

    if (image_find(call, services, place, name, NULL, &image) < 0)
        return -1;
    gap = check_gap(call, services, &image);
    if (image.id[0] || image.is_old)
        services->error(call, "Look at it and remove or rename it, or choose another place.",
                        "an image '%s' stands in pool '%s' already", name->image, name->pool);
    else if (image.cluster->state == CLUSTER_OPEN && image.io && image.id_code == -ENOENT)
        result = make_with_options(call, services, &image, bytes);
    else
        not_looked_for(call, services, &image, gap);
    image_done(&image);
    return result;
}

/* ---- taking away ---- */

/* What was journalled before the image had an id is told by its random name. */
static bool is_ours(const struct image *image, const char *name, const char *identity)
{
    char found[WORDS_IDENTITY];

    if (strncmp(identity, NEW, strlen(NEW)) == 0) {
        (void)snprintf(found, sizeof found, "%s/%lld", image->cluster->fsid, (long long)image->pool_id);
        return is_random_name(name) && strcmp(identity + strlen(NEW), found) == 0;
    }
    return image_identity(image, found) && strcmp(identity, found) == 0;
}

static int remove_unwatched(struct ferry_call *call, const struct ferry_services *services,
                            struct image *image)
{
    struct image_watchers watchers = { 0 };
    const char *name = image->name.image;
    int code = image_open(image);

    if (code == 0)
        code = image_watchers(image, &watchers);
    if (code == 0 && watchers.n > 0) {
        services->error(call, "Find who has it by the address, then remove the image by hand: rbd rm.",
                        "image '%s' in pool '%s' is open and was left: %s", name, image->name.pool,
                        watchers.text);
        return -1;
    }
    if (code == 0) {
        (void)image->cluster->library->rbd_close(image->handle);
        image->handle = NULL;
        code = image->cluster->library->rbd_remove(image->io, name);
    }
    if (code == 0 || code == -ENOENT)
        return 0;
    services->error(call, "Remove it by hand: rbd rm.", "could not remove image '%s' in pool '%s': %s", name,
                    image->name.pool, strerror(-code));
    return -1;
}

static int remove_found(struct ferry_call *call, const struct ferry_services *services, struct image *image,
                        const char *identity)
{
    const char *gap = check_gap(call, services, image);

    if (image->id[0])
        return is_ours(image, image->name.image, identity) ? remove_unwatched(call, services, image) : 1;
    if (image->cluster->state == CLUSTER_OPEN && image->io && image->id_code == -ENOENT)
        return image->is_old ? 1 : 0;
    not_looked_for(call, services, image, gap);
    return -1;
}

int make_gone(struct ferry_call *call, const struct ferry_services *services, const char *place_text,
              const char *name, const char *identity)
{
    struct words_place place;
    struct words_name words = { 0 };
    struct image image;
    int result;

    if (!identity || !words_read_place(place_text, &place) || strlen(name) >= sizeof words.image)
        return 1;
    memcpy(words.pool, place.pool, sizeof words.pool);
    memcpy(words.space, place.space, sizeof words.space);
    memcpy(words.image, name, strlen(name) + 1);
    if (image_find(call, services, &place, &words, NULL, &image) < 0)
        return -1;
    result = remove_found(call, services, &image, identity);
    image_done(&image);
    return result;
}

int make_retire(struct ferry_call *call, const struct ferry_services *services,
                const struct words_place *place, const struct words_name *name, const char *identity)
{
    struct image image;
    int result;

    /* One that was never identified is nobody's to remove. */
    if (!identity || strncmp(identity, NEW, strlen(NEW)) == 0)
        return 1;
    if (image_find(call, services, place, name, NULL, &image) < 0)
        return -1;
    result = remove_found(call, services, &image, identity);
    image_done(&image);
    return result;
}
