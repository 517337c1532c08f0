/* SPDX-License-Identifier: Apache-2.0
 * Opens a file of a server for block I/O. Version 3 knows no holes: a source is read whole, unless this
 * machine has it mounted by a version that does; the destination is not asked. */
#include "io.h"
#include "../common/words.h"
#include "holes.h"
#include "image.h"
#include "place.h"
#include "stream.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MS 5000u
#define PIECE_LEAST 65536u
#define PIECE_MOST (1u << 20)
/* One connection at this depth is as fast as any. */
#define DEPTH 16u
/* COMMIT lets the server write while the copy goes on. */
#define FLUSH_BYTES (UINT64_C(64) << 20)

struct io {
    struct stream stream;
    struct place place;
    uint64_t length;
    struct holes *holes; /* NULL: not known */
    uint64_t opened;     /* when the file had been changed last before its holes were looked for */
};

static uint64_t changed_ns(const fattr3 *attributes)
{
    return (uint64_t)attributes->mtime.seconds * UINT64_C(1000000000) + attributes->mtime.nseconds;
}

/* This machine's, which the copy is made on. */
static char *read_mounts(void)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *text = NULL;
    size_t room = 0;

    if (f && getdelim(&text, &room, '\0', f) < 0) {
        free(text);
        text = NULL;
    }
    if (f)
        (void)fclose(f);
    return text;
}

static struct holes *find_holes(const struct place *place, const fattr3 *attributes)
{
    OWNED_WORDS char *mounts = read_mounts();
    OWNED_WORDS char *path = NULL;
    char folder[PATH_MAX];

    if (!mounts || !mounts_there(mounts, place->address, place->folder, folder) ||
        asprintf(&path, "%s/%s", folder, place->name) < 0)
        return NULL;
    return holes_begin(path, attributes->fileid, attributes->size, HOLES_NFS);
}

static uint32_t piece_of(const struct look *look)
{
    const uint32_t most =
        look->write_most > 0 && look->write_most < PIECE_MOST ? look->write_most : PIECE_MOST;
    uint32_t piece = PIECE_MOST;

    while (piece > most)
        piece /= 2;
    return piece;
}

static int find(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
                struct place *place, struct look *look)
{
    struct trouble t;

    if (place_need(call, services, disk, place) < 0)
        return -1;
    server_time(OPEN_MS);
    if (server_look(place->address, place->folder, place->name, &place->user, look, &t) < 0)
        return image_trouble(call, services, &t);
    if (look->found.status == NFS3_OK && look->found.attributes.type == NF3REG)
        return 0;
    services->error(call, "See that the path is right, and that QEMU's user may read the file.",
                    "could not open '%s/%s' on NFS server '%s': %s", place->folder, place->name,
                    place->address,
                    look->found.status == NFS3_OK ? "no plain file" : server_words(look->found.status));
    return -1;
}

int io_open(struct ferry_call *call, const struct ferry_services *services, const struct ferry_opening *how,
            struct ferry_opened *ret)
{
    struct io *io = calloc(1, sizeof *io);
    struct look look;
    int code;

    if (!io) {
        services->error(call, NULL, "no memory left");
        return -1;
    }
    if (find(call, services, how->disk, &io->place, &look) < 0) {
        free(io);
        return -1;
    }
    memcpy(io->stream.address, io->place.address, sizeof io->place.address);
    io->stream.port = server_port(io->place.address);
    io->stream.user = io->place.user;
    io->stream.file = look.found.handle;
    io->stream.piece_bytes = piece_of(&look);
    code = stream_begin(&io->stream);
    if (code != 0) {
        services->error(call, NULL, "could not open '%s/%s' on NFS server '%s': %s", io->place.folder,
                        io->place.name, io->place.address, strerror(code));
        io_close(call, services, io);
        return -1;
    }
    io->length = look.found.attributes.size;
    io->opened = changed_ns(&look.found.attributes);
    if (!(how->flags & FERRY_OPEN_WRITE))
        io->holes = find_holes(&io->place, &look.found.attributes);
    ret->fd = io->stream.epoll;
    ret->handle = io;
    ret->length_bytes = io->length;
    ret->block_bytes = 1;
    ret->piece_bytes = io->stream.piece_bytes < PIECE_LEAST ? PIECE_LEAST : io->stream.piece_bytes;
    ret->depth = DEPTH;
    ret->reads_zero = look.found.attributes.used == 0;
    ret->flush_bytes = FLUSH_BYTES;
    return 0;
}

void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    struct io *io = handle;

    (void)call;
    (void)services;
    stream_end(&io->stream);
    holes_end(io->holes);
    free(io);
}

int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    const struct io *io = handle;

    (void)call;
    (void)services;
    (void)room;
    *ret_n = 1;
    if (io->holes)
        holes_at(io->holes, from, ret);
    else
        *ret = (struct ferry_extent){ .offset_bytes = from, .length_bytes = io->length - from };
    return 0;
}

int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request)
{
    struct io *io = handle;

    (void)call;
    (void)services;
    io->stream.under_way++;
    stream_send(&io->stream, request);
    return 0;
}

int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done)
{
    struct io *io = handle;

    (void)call;
    (void)services;
    stream_move(&io->stream);
    *ret_done = io->stream.done;
    io->stream.done = NULL;
    return 0;
}

int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret)
{
    struct io *io = handle;
    struct look look;
    struct trouble t;

    server_time(OPEN_MS);
    if (server_look(io->place.address, io->place.folder, io->place.name, &io->place.user, &look, &t) < 0)
        return image_trouble(call, services, &t);
    *ret = changed_ns(&look.found.attributes);
    /* What was a hole then may be none now, and who asks only now would not see the change. */
    if (*ret != io->opened) {
        holes_end(io->holes);
        io->holes = NULL;
    }
    return 0;
}
