/* SPDX-License-Identifier: Apache-2.0
 * libnbd starts qemu-nbd on a socket in a folder of its own that only we may enter, and hands it over
 * listening. qemu-nbd ends with its only client, however that ends. */
#include "copy/nbd.h"
#include <fcntl.h>
#include <libnbd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 512u
#define PIECE_BYTES (1u << 20)
#define DEPTH 16u
#define STATUS_MOST (UINT64_C(1) << 31)
#define CONTEXT LIBNBD_CONTEXT_BASE_ALLOCATION
#define IS_ZERO 2u /* of base:allocation */
#define ROUNDS_MOST 256
#define CHECK_MS 300000u
#define CHECK_FOUND_ERRORS 2

struct remote {
    struct nbd_handle *nbd;
    int epoll, socket,
        file; /* file: the image itself, to look at and not to read; -1 = it is to be written */
    uint32_t watched;
    uint64_t length;
    struct ferry_request *done;
};

static int nbd_claim(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    (void)disk;
    return 0;
}

/* ---- extents ---- */

struct status {
    struct ferry_extent *list;
    uint32_t room, n;
    uint64_t at, end;
};

static int take_status(void *own, const char *context, uint64_t offset, uint32_t *entries, size_t n,
                       int *error)
{
    struct status *s = own;

    (void)offset;
    (void)error;
    if (strcmp(context, CONTEXT) != 0)
        return 0;
    for (size_t i = 0; i + 1 < n && s->at < s->end; i += 2) {
        const uint64_t length = entries[i] < s->end - s->at ? entries[i] : s->end - s->at;
        const bool is_zero = entries[i + 1] & IS_ZERO;
        struct ferry_extent *last = s->n > 0 ? &s->list[s->n - 1] : NULL;

        if (length == 0)
            continue;
        if (last && (last->is_zero == 1) == is_zero) {
            last->length_bytes += length;
        } else if (s->n == s->room || !s->list) {
            return 0;
        } else {
            s->list[s->n++] =
                (struct ferry_extent){ .offset_bytes = s->at, .length_bytes = length, .is_zero = is_zero };
        }
        s->at += length;
    }
    return 0;
}

static int ask_status(struct remote *r, struct status *s)
{
    const uint64_t left = r->length - s->at, before = s->at;
    const nbd_extent_callback to_take = { .callback = take_status, .user_data = s };

    s->end = r->length;
    if (nbd_block_status(r->nbd, left < STATUS_MOST ? left : STATUS_MOST, s->at, to_take, 0) < 0)
        return -1;
    return s->at > before ? 0 : -1;
}

static int nbd_extents(struct ferry_call *call, const struct ferry_services *services, void *handle,
                       uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    struct remote *r = handle;
    struct status s = { .list = ret, .room = room, .at = from };

    if (nbd_can_meta_context(r->nbd, CONTEXT) != 1) {
        ret[0] = (struct ferry_extent){ .offset_bytes = from, .length_bytes = r->length - from };
        *ret_n = 1;
        return 0;
    }
    if (ask_status(r, &s) < 0) {
        services->error(call, NULL, "QEMU does not say what is written: %s", nbd_get_error());
        return -1;
    }
    *ret_n = s.n;
    return 0;
}

/* Only what is new and empty is asked for, which has few extents. */
static bool is_all_zero(struct remote *r)
{
    struct status s = { .room = 1 };
    struct ferry_extent one;

    s.list = &one;
    while (s.at < r->length) {
        const uint64_t before = s.at;

        if (ask_status(r, &s) < 0 || one.is_zero != 1 || s.at == before || one.length_bytes != s.at)
            return false;
    }
    return true;
}

/* ---- open and close ---- */

/* What qemu-nbd said, in one line: it says why it ends, and libnbd only sees that it did. */
static void read_words(int fd, char *ret, size_t size)
{
    const ssize_t n = fd < 0 ? -1 : pread(fd, ret, size - 1, 0);

    ret[n > 0 ? n : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

static int refuse(struct ferry_call *call, const struct ferry_services *services, const char *path,
                  const char *words)
{
    const char *why = *words ? words : nbd_get_error();

    services->error(call,
                    "See what QEMU says of it: qemu-img info FILE. If a domain uses it, shut that off; if "
                    "there is no qemu-nbd, install it (Debian: qemu-utils).",
                    "qemu-nbd could not open '%s': %s", path, why ? why : "no memory left");
    return -1;
}

/* QEMU reads what lies behind the end of a truncated image as zeroes, and says nothing. */
static bool is_whole(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_opening *how, const char *name)
{
    const char *const argv[] = { "qemu-img", "check", "-q", "-f", how->disk->format, "--", name, NULL };
    struct ferry_command command = { .size = sizeof command, .timeout_ms = CHECK_MS, .argv = argv };

    if (how->flags & FERRY_OPEN_WRITE || strcmp(how->disk->format, "qcow2") != 0)
        return true;
    /* What else it cannot do, in use or no such image, qemu-nbd says better. */
    if (services->program(call, &command) < 0 || command.exit_code != CHECK_FOUND_ERRORS)
        return true;
    services->error(call, "See what is wrong with it: qemu-img check FILE. Take a backup, if there is one.",
                    "image '%s' is damaged or cut short", name);
    return false;
}

/* Its standard error goes to `words`, and ours is ours again at once. */
static int start(struct nbd_handle *nbd, char *argv[], int words)
{
    const int kept = fcntl(2, F_DUPFD_CLOEXEC, 3);
    int code;

    if (kept >= 0 && words >= 0)
        (void)dup2(words, 2);
    code = nbd_connect_systemd_socket_activation(nbd, argv);
    if (kept >= 0) {
        (void)dup2(kept, 2);
        (void)close(kept);
    }
    return code;
}

/* What QEMU calls it: a path, or a file of an NFS server; NULL: it cannot be opened here. */
static const char *name_of(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_disk *d)
{
    const char *user = d->user && d->user[0] == '+' ? d->user + 1 : NULL;
    const char *group = d->group && d->group[0] == '+' ? d->group + 1 : NULL;
    bool is_v6;

    if (!d->source || d->source[0] != '/')
        return NULL;
    if (!d->protocol)
        return d->source;
    /* The URL's own signs would be read as such. */
    if (strcmp(d->protocol, "nfs") != 0 || !d->server || strpbrk(d->source, "%?#"))
        return NULL;
    is_v6 = strchr(d->server, ':') != NULL;
    return services->text(call, "nfs://%s%s%s%s%s%s%s%s", is_v6 ? "[" : "", d->server, is_v6 ? "]" : "",
                          d->source, user ? "?uid=" : "", user ? user : "", user && group ? "&gid=" : "",
                          user && group ? group : "");
}

static int connect_by(struct remote *r, const struct ferry_opening *how, const char *name, const char *aio,
                      int words)
{
    const bool to_write = how->flags & FERRY_OPEN_WRITE;
    char *argv[] = { (char *)"qemu-nbd",
                     (char *)"--format",
                     (char *)(uintptr_t)how->disk->format,
                     (char *)"--cache=none",
                     (char *)(uintptr_t)aio,
                     (char *)(to_write ? "--discard=unmap" : "--read-only"),
                     (char *)"--",
                     (char *)(uintptr_t)name,
                     NULL };

    r->nbd = nbd_create();
    if (!r->nbd || nbd_add_meta_context(r->nbd, CONTEXT) < 0 || start(r->nbd, argv, words) < 0)
        return -1;
    r->length = (uint64_t)nbd_get_size(r->nbd);
    return 0;
}

/* By io_uring it takes less of the processor, and less time; a QEMU or a kernel without it says so. */
static int connect_it(struct remote *r, const struct ferry_opening *how, const char *name, int words)
{
    char said[400];

    if (connect_by(r, how, name, "--aio=io_uring", words) == 0)
        return 0;
    read_words(words, said, sizeof said);
    if (!strstr(said, "io_uring") || ftruncate(words, 0) < 0 || lseek(words, 0, SEEK_SET) < 0)
        return -1;
    if (r->nbd)
        nbd_close(r->nbd);
    return connect_by(r, how, name, "--aio=threads", words);
}

static void watch(struct remote *r)
{
    const unsigned direction = nbd_aio_get_direction(r->nbd);
    struct epoll_event e = { .events = (direction & LIBNBD_AIO_DIRECTION_READ ? EPOLLIN : 0u) |
                                       (direction & LIBNBD_AIO_DIRECTION_WRITE ? EPOLLOUT : 0u) };

    if (e.events == r->watched)
        return;
    r->watched = e.events;
    (void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, r->socket, &e);
}

static int watch_first(struct remote *r)
{
    struct epoll_event e = { .events = EPOLLIN };

    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->socket = nbd_aio_get_fd(r->nbd);
    r->watched = EPOLLIN;
    return r->epoll < 0 || r->socket < 0 ? -1 : epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->socket, &e);
}

static void nbd_end(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct remote *r = handle;

    (void)call;
    (void)services;
    if (r->nbd)
        nbd_close(r->nbd);
    if (r->epoll >= 0)
        (void)close(r->epoll);
    if (r->file >= 0)
        (void)close(r->file);
    free(r);
}

static int nbd_open(struct ferry_call *call, const struct ferry_services *services,
                    const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct remote *r = calloc(1, sizeof *r);
    const char *name = name_of(call, services, how->disk);
    const int words = memfd_create("qemu-nbd", MFD_CLOEXEC);
    char said[400];
    int code = 0;

    if (r)
        r->epoll = r->file = -1;
    if (!r || !name || !how->disk->format) {
        code = refuse(call, services, how->disk->source ? how->disk->source : "",
                      "QEMU is not asked for an image without a format, or at such a place");
    } else if (!is_whole(call, services, how, name)) {
        code = -1;
    } else if (connect_it(r, how, name, words) < 0 || watch_first(r) < 0) {
        read_words(words, said, sizeof said);
        code = refuse(call, services, name, said);
    }
    if (words >= 0)
        (void)close(words);
    if (code < 0) {
        if (r)
            nbd_end(call, services, r);
        return code;
    }
    if (!(how->flags & FERRY_OPEN_WRITE))
        r->file = how->disk->protocol ? -1 : open(name, O_PATH | O_CLOEXEC);
    ret->fd = r->epoll;
    ret->handle = r;
    ret->length_bytes = r->length;
    ret->block_bytes = BLOCK_BYTES;
    ret->piece_bytes = PIECE_BYTES;
    ret->depth = DEPTH;
    ret->reads_zero = how->flags & FERRY_OPEN_WRITE && is_all_zero(r);
    return 0;
}

/* ---- requests ---- */

static int came(void *own, int *error)
{
    struct ferry_request *request = own;
    struct remote *r = request->own;

    request->error = *error;
    request->next = r->done;
    r->done = request;
    return 1;
}

static int nbd_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                      struct ferry_request *q)
{
    struct remote *r = handle;
    const nbd_completion_callback on_end = { .callback = came, .user_data = q };
    int64_t cookie;

    q->own = r;
    if (q->what == FERRY_READ)
        cookie = nbd_aio_pread(r->nbd, q->buffer, q->length_bytes, q->offset_bytes, on_end, 0);
    else if (q->what == FERRY_WRITE)
        cookie = nbd_aio_pwrite(r->nbd, q->buffer, q->length_bytes, q->offset_bytes, on_end, 0);
    else if (q->what == FERRY_ZERO)
        cookie = nbd_aio_zero(r->nbd, q->length_bytes, q->offset_bytes, on_end, 0);
    else
        cookie = nbd_aio_flush(r->nbd, on_end, 0);
    if (cookie >= 0)
        return 0;
    services->error(call, NULL, "qemu-nbd takes no request: %s", nbd_get_error());
    return -1;
}

static int nbd_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
                    struct ferry_request **ret_done)
{
    struct remote *r = handle;
    struct epoll_event e;

    for (int i = 0; i < ROUNDS_MOST; i++) {
        watch(r);
        if (epoll_wait(r->epoll, &e, 1, 0) <= 0)
            break;
        if ((e.events & EPOLLIN ? nbd_aio_notify_read(r->nbd) : nbd_aio_notify_write(r->nbd)) < 0 &&
            !nbd_aio_is_dead(r->nbd))
            break;
        if (nbd_aio_is_dead(r->nbd) || nbd_aio_is_closed(r->nbd)) {
            services->error(call, "Look at the system's log for qemu-nbd.", "qemu-nbd has ended: %s",
                            nbd_get_error());
            return -1;
        }
    }
    *ret_done = r->done;
    r->done = NULL;
    return 0;
}

/* Of the image alone: a base that changes beneath it spoils it anyhow. */
static int nbd_changed(struct ferry_call *call, const struct ferry_services *services, void *handle,
                       uint64_t *ret)
{
    const struct remote *r = handle;
    struct stat st;

    if (r->file < 0 || fstat(r->file, &st) < 0 || !S_ISREG(st.st_mode)) {
        services->error(call, NULL, "when the image was changed last is not known");
        return -1;
    }
    *ret = (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)st.st_mtim.tv_nsec;
    return 0;
}

const struct ferry_storage nbd_storage = {
    .size = sizeof nbd_storage,
    .name = "qemu-nbd",
    .summary = "what images of QEMU's formats hold",
    .claim = nbd_claim,
    .open = nbd_open,
    .extents = nbd_extents,
    .submit = nbd_submit,
    .reap = nbd_reap,
    .changed = nbd_changed,
    .close = nbd_end,
};
