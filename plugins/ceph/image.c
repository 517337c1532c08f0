/* SPDX-License-Identifier: Apache-2.0
 * Reads images through librados where one request tells it, and through librbd for the rest.
 * librbd opens read-only without a watch: a look never counts among those who have the image open. */
#include "image.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES (WORDS_ID + 4)

/* In time, or the whole cluster counts as silent: every further disk would wait as long. */
static int heard(struct image *i, int code)
{
    if (code == -ETIMEDOUT)
        cluster_is_silent(i->cluster);
    return code;
}

static void find_pool(struct image *i)
{
    const struct library *l = i->cluster->library;

    i->pool_code = heard(i, l->rados_ioctx_create(i->cluster->rados, i->name.pool, &i->io));
    if (i->pool_code < 0) {
        i->io = NULL;
        return;
    }
    if (i->name.space[0])
        l->rados_ioctx_set_namespace(i->io, i->name.space);
    i->pool_id = l->rados_ioctx_get_id(i->io);
}

static void id_object(const struct image *i, char ret[WORDS_NAME + 16])
{
    (void)snprintf(ret, WORDS_NAME + 16, "rbd_id.%s", i->name.image);
}

static void take_id(struct image *i, int code, const char *bytes)
{
    const struct library *l = i->cluster->library;
    char object[WORDS_NAME + 16];
    uint64_t size;
    time_t when;

    i->id_code = heard(i, code);
    if (i->id_code >= 0) {
        i->id_code = words_read_id(bytes, (size_t)i->id_code, i->id) ? 0 : -EBADMSG;
    } else if (i->id_code == -ENOENT) {
        (void)snprintf(object, sizeof object, "%s.rbd", i->name.image);
        i->is_old = heard(i, l->rados_stat(i->io, object, &size, &when)) == 0;
    }
}

static void find_id(struct image *i)
{
    char object[WORDS_NAME + 16], bytes[ID_BYTES];

    id_object(i, object);
    take_id(i, i->cluster->library->rados_read(i->io, object, bytes, sizeof bytes, 0), bytes);
}

int image_begin(struct ferry_call *call, const struct ferry_services *services,
                const struct words_place *place, const struct words_name *name, const char *snapshot,
                struct image *ret)
{
    *ret = (struct image){ .place = *place, .name = *name, .pool_id = -1 };
    (void)snprintf(ret->snapshot, sizeof ret->snapshot, "%s", snapshot ? snapshot : "");
    ret->cluster = cluster_open(call, services, place);
    if (!ret->cluster)
        return -1;
    if (ret->cluster->state == CLUSTER_OPEN)
        find_pool(ret);
    return 0;
}

int image_find(struct ferry_call *call, const struct ferry_services *services,
               const struct words_place *place, const struct words_name *name, const char *snapshot,
               struct image *ret)
{
    if (image_begin(call, services, place, name, snapshot, ret) < 0)
        return -1;
    if (ret->io)
        find_id(ret);
    return 0;
}

/* ---- several at once ---- */

/* A request that is under way for each; where there is none, the image waits for its own turn. */
void image_find_ids(struct image *const *images, size_t n)
{
    struct request {
        rados_completion_t done;
        char bytes[ID_BYTES];
    } *all = calloc(n + 1, sizeof *all);

    for (size_t i = 0; all && i < n; i++) {
        const struct library *l = images[i]->cluster->library;
        char object[WORDS_NAME + 16];

        if (!images[i]->io || l->rados_aio_create_completion2(NULL, NULL, &all[i].done) < 0) {
            all[i].done = NULL;
            continue;
        }
        id_object(images[i], object);
        if (l->rados_aio_read(images[i]->io, object, all[i].done, all[i].bytes, sizeof all[i].bytes, 0) < 0) {
            l->rados_aio_release(all[i].done);
            all[i].done = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct library *l = images[i]->cluster->library;

        if (all && all[i].done) {
            (void)l->rados_aio_wait_for_complete(all[i].done);
            take_id(images[i], l->rados_aio_get_return_value(all[i].done), all[i].bytes);
            l->rados_aio_release(all[i].done);
        } else if (images[i]->io && images[i]->cluster->state == CLUSTER_OPEN) {
            find_id(images[i]);
        }
    }
    free(all);
}

static const char *snapshot_of(const struct image *i)
{
    return i->snapshot[0] ? i->snapshot : NULL;
}

void image_open_all(struct image *const *images, size_t n)
{
    rbd_completion_t *all = calloc(n + 1, sizeof *all);

    for (size_t k = 0; all && k < n; k++) {
        struct image *i = images[k];
        const struct library *l = i->cluster->library;

        if (!i->id[0] || i->cluster->state != CLUSTER_OPEN ||
            l->rbd_aio_create_completion(NULL, NULL, &all[k]) < 0) {
            all[k] = NULL;
            continue;
        }
        if (l->rbd_aio_open_by_id_read_only(i->io, i->id, &i->handle, snapshot_of(i), all[k]) < 0) {
            l->rbd_aio_release(all[k]);
            all[k] = i->handle = NULL;
        }
    }
    for (size_t k = 0; all && k < n; k++) {
        struct image *i = images[k];
        const struct library *l = i->cluster->library;

        if (!all[k])
            continue;
        (void)l->rbd_aio_wait_for_complete(all[k]);
        i->open_code = heard(i, (int)l->rbd_aio_get_return_value(all[k]));
        if (i->open_code < 0)
            i->handle = NULL;
        l->rbd_aio_release(all[k]);
    }
    free(all);
}

int image_open(struct image *i)
{
    if (!i->handle && i->id[0] && i->cluster->state == CLUSTER_OPEN) {
        i->open_code =
            heard(i, i->cluster->library->rbd_open_by_id_read_only(i->io, i->id, &i->handle, snapshot_of(i)));
        if (i->open_code < 0)
            i->handle = NULL;
    }
    return i->handle ? 0 : i->open_code < 0 ? i->open_code : -ENOENT;
}

void image_done(struct image *i)
{
    /* What belongs to a silent cluster is left: closing it could wait, too. */
    if (i->cluster && i->cluster->state == CLUSTER_OPEN) {
        if (i->handle)
            (void)i->cluster->library->rbd_close(i->handle);
        if (i->io)
            i->cluster->library->rados_ioctx_destroy(i->io);
    }
    *i = (struct image){ 0 };
}

bool image_identity(const struct image *i, char ret[WORDS_IDENTITY])
{
    return i->id[0] && words_write_identity(i->cluster->fsid, i->pool_id, i->name.space, i->id,
                                            i->snapshot[0] ? i->snapshot : NULL, ret);
}

static int add_extent(uint64_t offset, size_t length, int exists, void *context)
{
    (void)offset;
    if (exists)
        *(uint64_t *)context += length;
    return 0;
}

uint64_t image_allocated(const struct image *i)
{
    const struct library *l = i->cluster->library;
    uint64_t features, flags, size, sum = 0;

    /* Without the map librbd would ask for each object by itself. */
    if (l->rbd_get_features(i->handle, &features) < 0 || !(features & RBD_FEATURE_FAST_DIFF) ||
        l->rbd_get_flags(i->handle, &flags) < 0 ||
        flags & (RBD_FLAG_OBJECT_MAP_INVALID | RBD_FLAG_FAST_DIFF_INVALID) ||
        l->rbd_get_size(i->handle, &size) < 0 ||
        l->rbd_diff_iterate2(i->handle, NULL, 0, size, 0, 1, add_extent, &sum) < 0)
        return UINT64_MAX;
    return sum;
}

int image_watchers(struct image *i, struct image_watchers *ret)
{
    const struct library *l = i->cluster->library;
    rbd_image_watcher_t list[IMAGE_WATCHERS];
    size_t n = IMAGE_WATCHERS, at = 0;
    int code = heard(i, l->rbd_watchers_list(i->handle, list, &n));

    *ret = (struct image_watchers){ .n = n };
    if (code == -ERANGE) {
        (void)snprintf(ret->text, sizeof ret->text, "%zu clients", n);
        return 0;
    }
    if (code < 0)
        return code;
    for (size_t w = 0; w < n && at < sizeof ret->text; w++)
        at += (size_t)snprintf(ret->text + at, sizeof ret->text - at, "%s%s (client.%" PRId64 ")",
                               w > 0 ? ", " : "", list[w].addr, list[w].id);
    l->rbd_watchers_list_cleanup(list, n);
    return 0;
}

int image_try_write(struct image *i, int64_t pool_id)
{
    const struct library *l = i->cluster->library;
    rados_ioctx_t io = NULL;
    rados_write_op_t op;
    char object[WORDS_ID + 32];
    int code = l->rados_ioctx_create2(i->cluster->rados, pool_id, &io);

    if (code < 0)
        return code;
    if (i->name.space[0])
        l->rados_ioctx_set_namespace(io, i->name.space);
    op = l->rados_create_write_op();
    if (!op) {
        l->rados_ioctx_destroy(io);
        return -ENOMEM;
    }
    /* The OSD looks at the user's rights first, then finds no such object and does nothing. Were there one,
     * it would be given a hint. */
    (void)snprintf(object, sizeof object, "rbd_data.%s.virt-ferry", i->id);
    l->rados_write_op_assert_exists(op);
    l->rados_write_op_set_alloc_hint2(op, 0, 0, 0);
    code = heard(i, l->rados_write_op_operate(op, io, object, NULL, LIBRADOS_OPERATION_FULL_TRY));
    l->rados_release_write_op(op);
    l->rados_ioctx_destroy(io);
    return code == -ENOENT ? 0 : code;
}
