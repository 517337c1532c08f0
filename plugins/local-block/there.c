/* SPDX-License-Identifier: Apache-2.0
 * One thread waits for libvirt; a stream is one upload from the first byte that is written to the end. Holes
 * are sent as such. libvirtd cuts the file at the end of each hole, so the length is made good at the last.
 *
 * LIMIT: what libvirtd's last write met it may keep to itself, and it syncs nothing: so the end of what was
 * sent is read back, and whoever can run a command there syncs the file. */
#include "there.h"
#include "../common/words.h"
#include "crew.h"
#include "path.h"
#include "pool.h"
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_BYTES 512u
#define PIECE_BYTES (1u << 20)
#define DEPTH 8u
/* What is read back. */
#define END_BYTES (1u << 20)
/* A libvirt that is silent is no longer waited for. */
#define CLOSE_MS 10000u
/* libvirt looks at the pool again behind an upload. */
#define TRIES 20

static const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };

struct there {
    bool is_there; /* first, as in io.h: true */
    struct crew crew;
    struct place place;
    virConnectPtr libvirt;
    virStorageVolPtr volume;
    virStreamPtr up; /* NULL: nothing was written yet, or all was flushed */
    uint64_t up_at, length;
    unsigned char *end; /* of what was sent */
    uint64_t end_at;
    size_t end_bytes;
    char words[400]; /* libvirt's, of the first failure; "" = none. The thread's until its request came */
    bool has_told;
};

/* ---- in the thread ---- */

static int32_t failed(struct there *t)
{
    virErrorPtr last = virGetLastError();

    if (!t->words[0])
        (void)snprintf(t->words, sizeof t->words, "%s", last && last->message ? last->message : "no reason");
    /* Of a stream the errno is in the words alone. */
    if (strstr(t->words, strerror(ENOSPC)))
        return ENOSPC;
    if (strstr(t->words, strerror(EDQUOT)))
        return EDQUOT;
    return last && last->code == VIR_ERR_SYSTEM_ERROR && last->int1 > 0 ? last->int1 : EIO;
}

static void drop(virStreamPtr *stream)
{
    if (!*stream)
        return;
    (void)virStreamAbort(*stream);
    (void)virStreamFree(*stream);
    *stream = NULL;
}

static int begin_upload(struct there *t, uint64_t offset)
{
    t->up = virStreamNew(t->libvirt, 0);
    t->up_at = offset;
    if (t->up && virStorageVolUpload(t->volume, t->up, offset, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM) == 0)
        return 0;
    if (t->up)
        (void)virStreamFree(t->up);
    t->up = NULL;
    return -1;
}

static int send_hole(struct there *t, uint64_t to)
{
    if (t->up_at < to && virStreamSendHole(t->up, (long long)(to - t->up_at), 0) < 0)
        return -1;
    t->up_at = to;
    return 0;
}

static void keep_end(struct there *t, const struct ferry_request *r)
{
    const size_t n = r->length_bytes < END_BYTES ? r->length_bytes : END_BYTES;

    memcpy(t->end, (const unsigned char *)r->buffer + (r->length_bytes - n), n);
    t->end_bytes = n;
    t->end_at = r->offset_bytes + r->length_bytes - n;
}

static int32_t do_write(struct there *t, const struct ferry_request *r)
{
    const char *bytes = r->buffer;
    size_t left = r->length_bytes;

    if (r->offset_bytes < t->up_at)
        return EINVAL;
    if ((!t->up && begin_upload(t, r->offset_bytes) < 0) || send_hole(t, r->offset_bytes) < 0)
        return failed(t);
    while (left > 0) {
        const int n = virStreamSend(t->up, bytes, left);

        if (n <= 0 || crew_is_left(&t->crew))
            return failed(t);
        bytes += n;
        left -= (size_t)n;
        t->up_at += (uint64_t)n;
    }
    keep_end(t, r);
    return 0;
}

/* Into memory of the thread's own: who gave the buffer may have left meanwhile. */
static int receive(struct there *t, virStreamPtr down, unsigned char *bytes, size_t n)
{
    char piece[65536];

    while (n > 0) {
        const int got = virStreamRecv(down, piece, n < sizeof piece ? n : sizeof piece);

        if (got <= 0 || crew_is_left(&t->crew))
            return -1;
        memcpy(bytes, piece, (size_t)got);
        bytes += got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_once(struct there *t, uint64_t offset, unsigned char *bytes, size_t n)
{
    virStreamPtr down = virStreamNew(t->libvirt, 0);
    const bool has_begun = down && virStorageVolDownload(t->volume, down, offset, n, 0) == 0;

    if (has_begun && receive(t, down, bytes, n) == 0 && virStreamFinish(down) == 0) {
        (void)virStreamFree(down);
        return 0;
    }
    if (has_begun)
        drop(&down);
    else if (down)
        (void)virStreamFree(down);
    return has_begun ? -1 : 1;
}

static int32_t do_read(struct there *t, uint64_t offset, void *bytes, size_t n)
{
    int r = 1;

    if (t->up)
        return EBUSY;
    for (int i = 0; r > 0 && i < TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&moment, NULL);
        r = read_once(t, offset, bytes, n);
    }
    return r == 0 ? 0 : failed(t);
}

static int32_t check_end(struct there *t)
{
    unsigned char *seen = malloc(END_BYTES);
    int32_t code = seen ? do_read(t, t->end_at, seen, t->end_bytes) : ENOMEM;

    if (code == 0 && memcmp(seen, t->end, t->end_bytes) != 0) {
        (void)snprintf(t->words, sizeof t->words, "libvirt there wrote something else than it was sent");
        code = EIO;
    }
    free(seen);
    return code;
}

static int32_t do_flush(struct there *t)
{
    if (!t->up)
        return 0;
    if (send_hole(t, t->length) < 0 || virStreamFinish(t->up) < 0)
        return failed(t);
    (void)virStreamFree(t->up);
    t->up = NULL;
    return check_end(t);
}

static int32_t step(void *own, struct ferry_request *r)
{
    struct there *t = own;

    switch (r->what) {
    case FERRY_WRITE:
        return do_write(t, r);
    case FERRY_READ:
        return do_read(t, r->offset_bytes, r->buffer, r->length_bytes);
    case FERRY_FLUSH:
        return do_flush(t);
    default: /* what is not written reads as zero */
        return EINVAL;
    }
}

/* ---- as the driver is asked ---- */

static void give_up(struct ferry_call *call, const struct ferry_services *services, struct there *t)
{
    drop(&t->up);
    if (t->volume)
        (void)virStorageVolFree(t->volume);
    place_close(call, services, &t->place);
    free(t->end);
    free(t);
}

static int find_volume(struct ferry_call *call, const struct ferry_services *services, const char *image,
                       struct there *t)
{
    struct path path;
    enum place_answer answer;
    virStorageVolInfo info;

    if (path_cut(call, services, "image", image, &path) < 0)
        return -1;
    answer = place_open(call, services, path.folder, &t->place);
    if (answer != PLACE_OPEN)
        return place_refuse(call, services, answer, path.folder, &t->place);
    t->volume = virStorageVolLookupByName(t->place.pool, path.name);
    if (!t->volume || virStorageVolGetInfoFlags(t->volume, &info, VIR_STORAGE_VOL_GET_PHYSICAL) < 0)
        return place_error(call, services, NULL, "could not open the new image");
    t->length = info.allocation;
    return 0;
}

int there_open(struct ferry_call *call, const struct ferry_services *services,
               const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct there *t = calloc(1, sizeof *t);
    int code = ENOMEM;

    if (t)
        t->end = malloc(END_BYTES);
    if (!t || !t->end) {
        services->error(call, NULL, "no memory left");
        free(t);
        return -1;
    }
    t->is_there = true;
    t->libvirt = services->libvirt(call);
    if (!t->libvirt || find_volume(call, services, how->disk->source, t) < 0) {
        give_up(call, services, t);
        return -1;
    }
    code = crew_start(&t->crew, 1, step, t);
    if (code != 0) {
        services->error(call, NULL, "could not start a thread: %s", strerror(code));
        give_up(call, services, t);
        return -1;
    }
    ret->fd = t->crew.wake;
    ret->handle = t;
    ret->length_bytes = t->length;
    ret->block_bytes = BLOCK_BYTES;
    ret->piece_bytes = PIECE_BYTES;
    ret->depth = DEPTH;
    ret->reads_zero = 1;
    ret->flush_bytes = UINT64_MAX;
    return 0;
}

int there_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                 struct ferry_request *request)
{
    struct there *t = handle;

    (void)call;
    (void)services;
    crew_send(&t->crew, request);
    return 0;
}

int there_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
               struct ferry_request **ret_done)
{
    struct there *t = handle;

    *ret_done = crew_take(&t->crew);
    for (const struct ferry_request *r = *ret_done; r && !t->has_told; r = r->next)
        if (r->error) {
            services->log(call, "libvirt on '%s': %s", services->host(call), t->words);
            t->has_told = true;
        }
    return 0;
}

void there_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct there *t = handle;

    /* libvirt there may never answer; then all that the thread works with stays until the worker ends. */
    if (crew_end_within(&t->crew, CLOSE_MS))
        give_up(call, services, t);
    else
        services->log(call, "libvirt on '%s' does not answer: what was sent to it is left",
                      services->host(call));
}

uint64_t there_length(const void *handle)
{
    return ((const struct there *)handle)->length;
}
