/* SPDX-License-Identifier: Apache-2.0
 * librbd's threads put what is done into a queue of the image and write to an eventfd; reap empties the
 * queue. */
#include "io.h"
#include "../common/no-answer.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A request of a copy waits behind many others. */
#define REQUEST_SECONDS "45"
#define PIECE_LEAST 65536u
#define PIECE_MOST (2u << 20) /* halves of the usual object cost the OSD less than whole ones */
#define DEPTH 16u
#define BATCH 32
/* What was answered is there for good: a flush costs little, and a copy that is cut can go on. */
#define FLUSH_BYTES (UINT64_C(64) << 20)
#define CLOSE_MS 50000

/* What is written, as one list for the whole image. */
struct extents {
    struct ferry_extent *list;
    size_t n, room;
    bool failed;
};

struct io {
    struct image image;
    int fd;
    uint64_t length;
    unsigned under_way, reads;
    bool has_extents, is_silent;
    struct extents written;
};

static const struct library *library_of(const struct io *io)
{
    return io->image.cluster->library;
}

static void say_silence(struct ferry_call *call, const struct ferry_services *services, int code)
{
    if (code == -ETIMEDOUT)
        no_answer(call, services);
}

/* ---- extents ---- */

static int add_written(uint64_t offset, size_t length, int exists, void *context)
{
    struct extents *e = context;
    struct ferry_extent *last = e->n > 0 ? &e->list[e->n - 1] : NULL;

    if (!exists)
        return 0;
    if (last && last->offset_bytes + last->length_bytes == offset) {
        last->length_bytes += length;
        return 0;
    }
    if (e->n == e->room || !e->list) {
        const size_t room = e->room ? e->room * 2 : 256;
        struct ferry_extent *grown = realloc(e->list, room * sizeof *grown);

        if (!grown) {
            e->failed = true;
            return -ENOMEM;
        }
        e->list = grown;
        e->room = room;
    }
    e->list[e->n++] = (struct ferry_extent){ .offset_bytes = offset, .length_bytes = length };
    return 0;
}

/* From the map of objects where there is one that holds; else librbd asks for each object. */
static bool has_map(const struct io *io)
{
    uint64_t features, flags;

    return library_of(io)->rbd_get_features(io->image.handle, &features) == 0 &&
           features & RBD_FEATURE_FAST_DIFF && library_of(io)->rbd_get_flags(io->image.handle, &flags) == 0 &&
           !(flags & (RBD_FLAG_OBJECT_MAP_INVALID | RBD_FLAG_FAST_DIFF_INVALID));
}

static int find_written(struct io *io)
{
    int code;

    free(io->written.list);
    io->written = (struct extents){ .n = 0 };
    code = library_of(io)->rbd_diff_iterate2(io->image.handle, NULL, 0, io->length, 1, has_map(io),
                                             add_written, &io->written);
    io->has_extents = code == 0;
    return io->written.failed ? -ENOMEM : code;
}

/* The first that ends behind `at`. */
static size_t first_behind(const struct extents *e, uint64_t at)
{
    size_t low = 0, high = e->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (e->list[middle].offset_bytes + e->list[middle].length_bytes > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    struct io *io = handle;
    uint64_t at = from;
    uint32_t n = 0;
    int code = io->has_extents ? 0 : find_written(io);

    if (code < 0) {
        services->error(call, "Look at the cluster with 'ceph -s'.",
                        "what is written in image '%s' could not be asked: %s", io->image.name.image,
                        strerror(-code));
        say_silence(call, services, code);
        return -1;
    }
    for (size_t i = first_behind(&io->written, from); n < room && at < io->length; n++) {
        const struct ferry_extent *e = i < io->written.n ? &io->written.list[i] : NULL;
        const bool is_zero = !e || e->offset_bytes > at;
        uint64_t end = !e ? io->length : is_zero ? e->offset_bytes : e->offset_bytes + e->length_bytes;

        if (end > io->length)
            end = io->length;
        ret[n] = (struct ferry_extent){ .offset_bytes = at, .length_bytes = end - at, .is_zero = is_zero };
        at = end;
        i += !is_zero;
    }
    *ret_n = n;
    return 0;
}

/* ---- open and close ---- */

static int refuse(struct ferry_call *call, const struct ferry_services *services, const struct image *i,
                  int code)
{
    const char *gap = check_gap(call, services, i);

    services->error(call, "See that the image is there and that the user may open it: rbd info.",
                    "could not open image '%s' in pool '%s': %s", i->name.image, i->name.pool,
                    gap ? gap : strerror(-code));
    say_silence(call, services, i->cluster->state == CLUSTER_SILENT ? -ETIMEDOUT : code);
    return -1;
}

static int refuse_in_use(struct ferry_call *call, const struct ferry_services *services,
                         const struct image *i, const struct image_watchers *w)
{
    services->error(call, "Shut off the domain that uses it, or let the other copy end.",
                    "image '%s' in pool '%s' is in use: %s", i->name.image, i->name.pool, w->text);
    return -1;
}

/* Who has it open watches it; a reader is not seen, and does no harm. */
static int open_unwatched(struct ferry_call *call, const struct ferry_services *services, struct image *i,
                          bool to_write)
{
    struct image_watchers watchers = { 0 };
    int code = image_open(i);

    if (code == 0)
        code = image_watchers(i, &watchers);
    if (code < 0)
        return refuse(call, services, i, code);
    if (watchers.n > 0)
        return refuse_in_use(call, services, i, &watchers);
    if (!to_write)
        return 0;
    (void)i->cluster->library->rbd_close(i->handle);
    i->handle = NULL;
    code = i->cluster->library->rbd_open_by_id(i->io, i->id, &i->handle, NULL);
    if (code == 0)
        return 0;
    i->handle = NULL;
    return refuse(call, services, i, code);
}

static uint32_t piece_of(struct io *io)
{
    rbd_image_info_t info;
    uint32_t piece = PIECE_LEAST;

    if (library_of(io)->rbd_stat(io->image.handle, &info, sizeof info) < 0)
        return PIECE_MOST;
    while (piece < PIECE_MOST && piece < info.obj_size)
        piece *= 2;
    return piece;
}

static int set_up(struct ferry_call *call, const struct ferry_services *services, struct io *io,
                  struct ferry_opened *ret)
{
    const struct library *l = library_of(io);
    int code;

    (void)l->rados_conf_set(io->image.cluster->rados, "rados_osd_op_timeout", REQUEST_SECONDS);
    io->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->fd < 0)
        return refuse(call, services, &io->image, -errno);
    code = l->rbd_set_image_notification(io->image.handle, io->fd, EVENT_TYPE_EVENTFD);
    if (code == 0)
        code = l->rbd_get_size(io->image.handle, &io->length);
    if (code == 0)
        code = find_written(io);
    if (code < 0)
        return refuse(call, services, &io->image, code);
    ret->fd = io->fd;
    ret->handle = io;
    ret->length_bytes = io->length;
    ret->block_bytes = 512;
    ret->piece_bytes = piece_of(io);
    ret->depth = DEPTH;
    ret->reads_zero = io->written.n == 0;
    ret->flush_bytes = FLUSH_BYTES;
    return 0;
}

int io_open_found(struct ferry_call *call, const struct ferry_services *services, struct image *found,
                  bool to_write, struct ferry_opened *ret)
{
    struct io *io = calloc(1, sizeof *io);

    if (!io) {
        image_done(found);
        services->error(call, NULL, "no memory left");
        return -1;
    }
    io->image = *found;
    io->fd = -1;
    if (open_unwatched(call, services, &io->image, to_write) == 0 && set_up(call, services, io, ret) == 0)
        return 0;
    io_close(call, services, io);
    return -1;
}

void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct io *io = handle;
    const struct timespec a_while = { .tv_nsec = 10000000 };

    /* Buffers are the engine's: what is read into them has to come back, and what was answered may be
     * written. */
    for (int ms = 0; (io->is_silent ? io->reads : io->under_way) > 0 && ms < CLOSE_MS; ms += 10) {
        struct ferry_request *ignored;

        (void)io_reap(call, services, io, &ignored);
        if (io->under_way > 0)
            (void)nanosleep(&a_while, NULL);
    }
    free(io->written.list);
    if (io->is_silent && io->reads == 0) {
        /* librbd has its own copy of what is written. Closing would wait for the same OSD, for minutes; the
         * image goes with this process, whose lock and watch the cluster takes back. */
        services->log(call, "image '%s' is left open: its cluster does not answer", io->image.name.image);
        return;
    }
    image_done(&io->image);
    if (io->fd >= 0)
        (void)close(io->fd);
    free(io);
}

/* ---- requests ---- */

static int send_it(const struct io *io, const struct ferry_request *r, rbd_completion_t c)
{
    const struct library *l = library_of(io);
    rbd_image_t image = io->image.handle;

    switch (r->what) {
    case FERRY_READ:
        return l->rbd_aio_read(image, r->offset_bytes, r->length_bytes, r->buffer, c);
    case FERRY_WRITE:
        return l->rbd_aio_write(image, r->offset_bytes, r->length_bytes, r->buffer, c);
    case FERRY_ZERO:
        return (int)l->rbd_aio_write_zeroes(image, r->offset_bytes, r->length_bytes, c, 0, 0);
    default:
        return l->rbd_aio_flush(image, c);
    }
}

int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request)
{
    struct io *io = handle;
    rbd_completion_t c;
    int code = library_of(io)->rbd_aio_create_completion(request, NULL, &c);

    if (code == 0) {
        code = send_it(io, request, c);
        if (code < 0)
            library_of(io)->rbd_aio_release(c);
    }
    if (code < 0) {
        services->error(call, NULL, "librbd takes no request: %s", strerror(-code));
        return -1;
    }
    if (request->what != FERRY_READ)
        io->has_extents = false;
    io->under_way++;
    io->reads += request->what == FERRY_READ;
    return 0;
}

/* Zeroes that reach beyond what is written need not be told apart: a read gives its length, or an error. */
static int answer_of(const struct ferry_request *r, ssize_t code)
{
    if (code < 0)
        return (int)-code;
    return r->what == FERRY_READ && (uint64_t)code != r->length_bytes ? EIO : 0;
}

int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done)
{
    struct io *io = handle;
    const struct library *l = library_of(io);
    rbd_completion_t list[BATCH];
    eventfd_t ignored;
    int n;

    (void)call;
    (void)services;
    *ret_done = NULL;
    (void)eventfd_read(io->fd, &ignored);
    do {
        n = l->rbd_poll_io_events(io->image.handle, list, BATCH);
        for (int i = 0; i < n; i++) {
            struct ferry_request *r = l->rbd_aio_get_arg(list[i]);

            io->is_silent |= l->rbd_aio_get_return_value(list[i]) == -ETIMEDOUT;
            io->reads -= r->what == FERRY_READ;
            r->error = answer_of(r, l->rbd_aio_get_return_value(list[i]));
            l->rbd_aio_release(list[i]);
            r->next = *ret_done;
            *ret_done = r;
            io->under_way--;
        }
    } while (n == BATCH);
    return 0;
}

/* The cluster notes a change at most once a minute, so that who has it open now counts as well. */
int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret)
{
    struct io *io = handle;
    struct image_watchers watchers = { 0 };
    struct timespec when;
    int code = library_of(io)->rbd_get_modify_timestamp(io->image.handle, &when);

    if (code == 0)
        code = image_watchers(&io->image, &watchers);
    if (code < 0) {
        services->error(call, NULL, "when image '%s' was changed could not be asked: %s",
                        io->image.name.image, strerror(-code));
        say_silence(call, services, code);
        return -1;
    }
    *ret = ((uint64_t)when.tv_sec * UINT64_C(1000000000) + (uint64_t)when.tv_nsec) * 2 + (watchers.n > 0);
    return 0;
}
