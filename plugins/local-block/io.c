/* SPDX-License-Identifier: Apache-2.0
 * Files and devices opened, and each request cut into the system calls that it takes. */
#include "io.h"
#include "lock.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a file system or a device knows no hole, and zeroes are written after all. */
#define ZEROES_BYTES (256u << 10)
static const unsigned char zeroes[ZEROES_BYTES] __attribute__((aligned(IO_BLOCK_BYTES)));

/* What was written directly waits for the file system's own records alone. */
#define FLUSH_BYTES (UINT64_C(256) << 20)

/* Which of the ways to zero a range a request is at, in `own`. */
enum { BY_HOLE, BY_RANGE, BY_WRITING };

static uintptr_t way_to_zero(const struct ferry_request *r)
{
    return (uintptr_t)r->own;
}

/* ---- steps ---- */

static bool is_aligned(uint64_t n)
{
    return n % IO_BLOCK_BYTES == 0;
}

struct io_step io_step_of(const struct io *io, const struct ferry_request *r)
{
    struct io_step s = { .fd = io->plain,
                         .offset = r->offset_bytes + r->progress_bytes,
                         .length = r->length_bytes - r->progress_bytes };

    if (r->what == FERRY_ZERO && way_to_zero(r) != BY_WRITING) {
        s.mode =
            FALLOC_FL_KEEP_SIZE | (way_to_zero(r) == BY_HOLE ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
        return s;
    }
    if (r->what == FERRY_FLUSH)
        return s;
    if (r->what == FERRY_ZERO) {
        s.buffer = (void *)(uintptr_t)zeroes;
        s.length = s.length < ZEROES_BYTES ? s.length : ZEROES_BYTES;
    } else {
        s.buffer = (char *)r->buffer + r->progress_bytes;
    }
    if (is_aligned(s.offset) && is_aligned(s.length) && is_aligned((uintptr_t)s.buffer))
        s.fd = io->direct;
    return s;
}

static bool is_done(struct io *io, struct ferry_request *r, int error)
{
    r->error = error;
    r->next = io->done;
    io->done = r;
    io->under_way--;
    return false;
}

static bool zero_came(struct io *io, struct ferry_request *r, int64_t answer)
{
    if (answer == -EOPNOTSUPP || answer == -EINVAL || answer == -ENOSYS) {
        r->own = (void *)(way_to_zero(r) + 1);
        return true;
    }
    return is_done(io, r, answer < 0 ? (int)-answer : 0);
}

bool io_came(struct io *io, struct ferry_request *r, int64_t answer)
{
    if (answer == -EAGAIN || answer == -EINTR)
        return true;
    if (r->what == FERRY_ZERO && way_to_zero(r) != BY_WRITING)
        return zero_came(io, r, answer);
    if (answer < 0)
        return is_done(io, r, (int)-answer);
    if (r->what == FERRY_FLUSH)
        return is_done(io, r, 0);
    /* It was longer when it was opened. */
    if (answer == 0)
        return is_done(io, r, EIO);
    r->progress_bytes += (uint64_t)answer;
    return r->progress_bytes < r->length_bytes || is_done(io, r, 0);
}

/* ---- open ---- */

static int refuse(struct ferry_call *call, const struct ferry_services *services, const char *path, int code)
{
    if (code == EAGAIN || code == EBUSY)
        services->error(call, "Shut off the domain that uses it, or let the other copy end.",
                        "'%s' is in use on host '%s'", path, services->host(call));
    else
        services->error(call, "See that the path is right, and that you may open it.",
                        "could not open '%s': %s", path, strerror(code));
    return -1;
}

/* Not by way of O_EXCL for files, which means creation there. */
static int open_path(const char *path, int flags, bool is_device)
{
    return open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (is_device ? O_EXCL : 0));
}

static int take_length(struct io *io, const struct stat *st)
{
    io->length = (uint64_t)st->st_size;
    return io->is_device && ioctl(io->plain, BLKGETSIZE64, &io->length) < 0 ? errno : 0;
}

/* 0, or an errno. */
static int open_both(struct io *io, const char *path, bool to_write)
{
    const int access = to_write ? O_RDWR : O_RDONLY;
    struct stat st, again;
    char self[64];

    if (stat(path, &st) < 0)
        return errno;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return EINVAL;
    io->is_device = S_ISBLK(st.st_mode);
    io->plain = open_path(path, access, io->is_device && to_write);
    if (io->plain < 0 || fstat(io->plain, &again) < 0)
        return errno;
    if (again.st_ino != st.st_ino || again.st_dev != st.st_dev)
        return EAGAIN;
    if (!io->is_device) {
        const int code = lock_image(io->plain, to_write);

        if (code == EAGAIN)
            return code;
        io->is_exclusive = code == 0;
    }
    /* The same file again, whatever stands under the name by now. */
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", io->plain);
    io->direct = open_path(self, access | O_DIRECT, false);
    if (io->direct < 0)
        io->direct = fcntl(io->plain, F_DUPFD_CLOEXEC, 3);
    if (io->direct < 0)
        return errno;
    /* What a dying QEMU left in the page cache is neither in the extents nor seen by direct reads. */
    if (fsync(io->plain) < 0 && errno != EROFS && errno != EINVAL)
        return errno;
    return take_length(io, &again);
}

static bool is_empty(const struct io *io)
{
    return !io->is_device && lseek(io->plain, 0, SEEK_DATA) < 0 && errno == ENXIO;
}

static bool wants_ring(struct ferry_call *call, const struct ferry_services *services)
{
    const char *word = services->config(call, "io_uring");

    return !word || strcmp(word, "no") != 0;
}

static int start_way(struct ferry_call *call, const struct ferry_services *services, struct io *io)
{
    int code = wants_ring(call, services) ? io_way_ring.start(io) : ENOSYS;

    io->way = &io_way_ring;
    if (code != 0) {
        services->log(call, "io_uring is not used: %s", strerror(code));
        io->way = &io_way_threads;
        code = io->way->start(io);
    }
    if (code != 0)
        io->way = NULL;
    return code;
}

static void give_up(struct io *io)
{
    if (io->way)
        io->way->stop(io);
    if (io->direct >= 0)
        (void)close(io->direct);
    if (io->plain >= 0)
        (void)close(io->plain);
    free(io);
}

int io_open(struct ferry_call *call, const struct ferry_services *services, const struct ferry_opening *how,
            struct ferry_opened *ret)
{
    const char *path = how->disk->source;
    struct io *io = calloc(1, sizeof *io);
    int code = ENOMEM;

    if (!path || path[0] != '/') {
        free(io);
        services->error(call, "Name the image by an absolute path.", "image '%s' has no absolute path",
                        path ? path : "");
        return -1;
    }
    if (io) {
        io->direct = io->plain = -1;
        code = open_both(io, path, how->flags & FERRY_OPEN_WRITE);
        if (code == 0)
            code = start_way(call, services, io);
    }
    if (code != 0) {
        if (io)
            give_up(io);
        return refuse(call, services, path, code);
    }
    ret->fd = io->wake;
    ret->handle = io;
    ret->length_bytes = io->length;
    ret->block_bytes = IO_BLOCK_BYTES;
    ret->piece_bytes = IO_PIECE_BYTES;
    ret->depth = IO_DEPTH;
    ret->reads_zero = is_empty(io);
    ret->flush_bytes = FLUSH_BYTES;
    return 0;
}

void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    (void)call;
    (void)services;
    give_up(handle);
}

/* ---- the rest ---- */

int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    const struct io *io = handle;
    uint64_t at = from;
    uint32_t n = 0;

    (void)call;
    (void)services;
    while (n < room && at < io->length) {
        const off_t data = lseek(io->plain, (off_t)at, SEEK_DATA);
        const bool is_zero = data < 0 ? errno == ENXIO : (uint64_t)data > at;
        off_t end;

        if (data < 0)
            /* Whoever cannot tell has data. */
            end = (off_t)io->length;
        else
            end = is_zero ? data : lseek(io->plain, (off_t)at, SEEK_HOLE);
        /* An answer that leads nowhere: it is being changed. */
        if (end < 0 || (uint64_t)end <= at || (uint64_t)end > io->length)
            end = (off_t)io->length;
        ret[n++] = (struct ferry_extent){ .offset_bytes = at,
                                          .length_bytes = (uint64_t)end - at,
                                          .is_zero = is_zero };
        at = (uint64_t)end;
    }
    *ret_n = n;
    return 0;
}

int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request)
{
    struct io *io = handle;

    if (io->under_way == IO_REQUESTS_MOST) {
        services->error(call, NULL, "there are more than %u requests", IO_REQUESTS_MOST);
        return -1;
    }
    io->under_way++;
    io->way->send(io, request);
    return 0;
}

int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done)
{
    struct io *io = handle;

    (void)call;
    (void)services;
    io->way->reap(io);
    *ret_done = io->done;
    io->done = NULL;
    return 0;
}

int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret)
{
    const struct io *io = handle;
    struct stat st;

    if (io->is_device || fstat(io->plain, &st) < 0) {
        services->error(call, NULL, "when a device was changed last is not known");
        return -1;
    }
    *ret = (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)st.st_mtim.tv_nsec;
    return 0;
}

int io_clone(struct ferry_call *call, const struct ferry_services *services, void *from, void *to)
{
    const struct io *a = from, *b = to;

    if (a->is_device || b->is_device || ioctl(b->plain, FICLONE, a->plain) < 0)
        return 1;
    if (fsync(b->plain) == 0)
        return 0;
    services->error(call, NULL, "the clone could not be made permanent: %s", strerror(errno));
    return -1;
}
