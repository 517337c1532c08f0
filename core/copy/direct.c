/* SPDX-License-Identifier: Apache-2.0
 * A request is cut where its bytes do not lie together in the file; it has come back when all its parts have.
 * Whether a place can be read directly is asked of the part alone: all else is as without this file. */
#include "copy/direct.h"
#include "base/json.h"
#include "copy/places.h"
#include "plugin/program.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Each piece of 1 MiB is 16 clusters at most, of the size that QEMU makes, and two at the borders. */
#define PARTS_MOST 512u
/* What QEMU is asked for at a time: a map of many stretches takes longer than the copy can wait. One that
 * fills its room with less than the least costs more than it saves. */
#define WINDOW_FIRST (UINT64_C(16) << 30)
#define WINDOW_LEAST (UINT64_C(32) << 20)
#define WINDOW_MOST (UINT64_C(1) << 40)
#define MAP_ROOM ((size_t)2 << 20)
#define MAP_MS 60000u

struct part {
    struct ferry_request request; /* first */
    struct ferry_request *whole;  /* whose progress_bytes counts the parts that are under way */
    struct part *next;            /* while it is free */
};

struct direct {
    struct copy_end file;
    struct places places;
    uint64_t window, read_bytes;
    dev_t dev;
    ino_t ino;
    bool is_over;
    char *map;
    struct part parts[PARTS_MOST], *free;
    size_t n_free;
    char path[]; /* of the file */
};

/* ---- open and close ---- */

static bool is_same_file(const struct direct *d)
{
    struct stat st;

    return stat(d->path, &st) == 0 && st.st_dev == d->dev && st.st_ino == d->ino;
}

/* QEMU says of what kind an image is; one whose data is in another file names that. */
static bool has_its_data(struct direct *d)
{
    const char *const argv[] = { "qemu-img", "info", "--output=json", "-f", "qcow2", "--", d->path, NULL };
    struct ferry_command c = {
        .size = sizeof c, .timeout_ms = MAP_MS, .argv = argv, .output = d->map, .output_room = MAP_ROOM
    };
    OWNED_JSON info = NULL;
    const json_t *kind;
    struct error err = { 0 };
    struct stat st;

    if (stat(d->path, &st) < 0 || program_run(&c, &err) < 0 || c.exit_code != 0)
        return false;
    d->dev = st.st_dev;
    d->ino = st.st_ino;
    info = json_read(d->map, c.output_bytes, "qemu-img", &err);
    kind = info ? json_child(json_child(info, "format-specific"), "data") : NULL;
    return kind && !json_child(kind, "data-file");
}

static void release(struct direct *d)
{
    end_close(&d->file);
    places_end(&d->places);
    free(d->map);
    free(d);
}

void direct_open(struct copy_end *e, const struct end_place *file)
{
    const size_t n = strlen(file->name) + 1;
    struct direct *d = calloc(1, sizeof *d + n);
    struct error err = { 0 };

    if (!d)
        return;
    memcpy(d->path, file->name, n);
    d->window = WINDOW_FIRST;
    d->map = malloc(MAP_ROOM);
    for (; d->n_free < PARTS_MOST; d->n_free++) {
        d->parts[d->n_free].next = d->free;
        d->free = &d->parts[d->n_free];
    }
    if (!d->map || !has_its_data(d) || end_open(&d->file, file, false, &err) < 0) {
        call_services.log(&e->call, "all is read through QEMU: %s", err.what);
        release(d);
        return;
    }
    e->direct = d;
}

void direct_close(struct copy_end *e)
{
    if (!e->direct)
        return;
    call_services.log(&e->call, "%" PRIu64 " bytes were read past QEMU", e->direct->read_bytes);
    release(e->direct);
    e->direct = NULL;
}

void direct_stop(struct copy_end *e)
{
    if (e->direct)
        e->direct->is_over = true;
}

int direct_fd(const struct copy_end *e)
{
    return e->direct ? e->direct->file.is.fd : -1;
}

uint64_t direct_bytes(const struct copy_end *e)
{
    return e->direct ? e->direct->read_bytes : 0;
}

/* ---- the map ---- */

static int ask_for_map(struct copy_end *e, uint64_t from, struct error *err)
{
    struct direct *d = e->direct;
    char first[32], length[32];
    const char *const argv[] = { "qemu-img", "map", "--output=json", "-f", "qcow2", first,
                                 length,     "--",  d->path,         NULL };
    struct ferry_command c = {
        .size = sizeof c, .timeout_ms = MAP_MS, .argv = argv, .output = d->map, .output_room = MAP_ROOM
    };

    (void)snprintf(first, sizeof first, "--start-offset=%" PRIu64, from);
    (void)snprintf(length, sizeof length, "--max-length=%" PRIu64, d->window);
    if (program_run(&c, err) < 0 || c.exit_code != 0 || !is_same_file(d))
        return error_set(err, ERROR_FAILED, NULL, "QEMU gives no map of '%s'", e->name);
    if (places_read(&d->places, d->map, c.output_bytes, from, err) < 0)
        return -err->code;
    if (d->places.to == from || (c.is_cut && d->places.to - from < WINDOW_LEAST))
        return error_set(err, ERROR_FAILED, NULL, "QEMU's map of '%s' says too little", e->name);
    if (c.is_cut)
        d->window = d->places.to - from;
    else if (d->window < WINDOW_MOST)
        d->window *= 2;
    return 0;
}

uint64_t direct_look(struct copy_end *e, uint64_t from)
{
    struct direct *d = e->direct;
    struct error err = { 0 };

    if (!d || d->is_over)
        return UINT64_MAX;
    if ((from >= d->places.from && from < d->places.to) || ask_for_map(e, from, &err) == 0)
        return d->places.to;
    call_services.log(&e->call, "the rest is read through QEMU: %s", err.what);
    d->is_over = true;
    return UINT64_MAX;
}

/* ---- requests ---- */

static bool is_aligned(uint64_t n)
{
    return n % END_BLOCK_MOST == 0;
}

/* What of r follows `done`: how much, and where in the file; PLACE_NONE: it is QEMU's. */
static uint64_t stretch(const struct direct *d, const struct ferry_request *r, uint64_t done,
                        uint64_t *ret_at)
{
    const uint64_t most = r->length_bytes - done;
    uint64_t n = places_find(&d->places, r->offset_bytes + done, most, ret_at);

    if (*ret_at == PLACE_NONE)
        return n;
    if (n < most && !is_aligned(n))
        n = n > END_BLOCK_MOST ? n - n % END_BLOCK_MOST : n;
    if (!is_aligned(n) || !is_aligned(*ret_at) || !is_aligned((uintptr_t)r->buffer + done) ||
        *ret_at > d->file.is.length_bytes || n > d->file.is.length_bytes - *ret_at)
        *ret_at = PLACE_NONE;
    return n;
}

/* As stretch; what is QEMU's all the way is one. */
static uint64_t next_part(const struct direct *d, const struct ferry_request *r, uint64_t done,
                          uint64_t *ret_at)
{
    uint64_t n = stretch(d, r, done, ret_at);

    while (*ret_at == PLACE_NONE && done + n < r->length_bytes) {
        uint64_t at;
        const uint64_t more = stretch(d, r, done + n, &at);

        if (at != PLACE_NONE)
            break;
        n += more;
    }
    return n;
}

/* false: it has none in the file, or more parts than there is room for. */
static bool can_be_cut(const struct direct *d, const struct ferry_request *r)
{
    size_t n_parts = 0, n_here = 0;
    uint64_t at;

    for (uint64_t done = 0; done < r->length_bytes && n_parts <= d->n_free; n_parts++) {
        done += next_part(d, r, done, &at);
        n_here += at != PLACE_NONE;
    }
    return n_here > 0 && n_parts <= d->n_free;
}

static int send_part(struct copy_end *e, struct ferry_request *r, uint64_t done, uint64_t n, uint64_t at,
                     struct error *err)
{
    struct direct *d = e->direct;
    struct part *p = d->free;

    p->request = (struct ferry_request){ .what = FERRY_READ,
                                         .offset_bytes = at == PLACE_NONE ? r->offset_bytes + done : at,
                                         .length_bytes = n,
                                         .buffer = (char *)r->buffer + done };
    p->whole = r;
    if ((at == PLACE_NONE ? end_pass(e, &p->request, err) : end_submit(&d->file, &p->request, err)) < 0)
        return -err->code;
    d->free = p->next;
    d->n_free--;
    d->read_bytes += at == PLACE_NONE ? 0 : n;
    r->progress_bytes++;
    return 0;
}

int direct_submit(struct copy_end *e, struct ferry_request *r, struct error *err)
{
    const struct direct *d = e->direct;
    uint64_t at, n;

    if (d->is_over || !can_be_cut(d, r))
        return end_pass(e, r, err);
    *r = (struct ferry_request){ .size = sizeof *r,
                                 .what = r->what,
                                 .offset_bytes = r->offset_bytes,
                                 .length_bytes = r->length_bytes,
                                 .buffer = r->buffer };
    for (uint64_t done = 0; done < r->length_bytes; done += n) {
        n = next_part(d, r, done, &at);
        if (send_part(e, r, done, n, at, err) == 0)
            continue;
        if (r->progress_bytes == 0)
            return -err->code;
        /* Those that are under way still write into its buffer: it comes back with them. */
        r->error = EIO;
        break;
    }
    return 0;
}

int direct_reap(struct copy_end *e, struct ferry_request **done, struct error *err)
{
    struct direct *d = e->direct;
    struct ferry_request *came = *done, *from_file = NULL, **last = &came;

    if (end_reap(&d->file, &from_file, err) < 0)
        return -err->code;
    while (*last)
        last = &(*last)->next;
    *last = from_file;
    *done = NULL;
    for (struct ferry_request *q = came, *next; q; q = next) {
        struct part *p = (struct part *)(void *)q;
        struct ferry_request *whole = q;

        next = q->next;
        if (p >= d->parts && p < d->parts + PARTS_MOST) {
            whole = p->whole;
            whole->error = whole->error ? whole->error : q->error;
            p->next = d->free;
            d->free = p;
            d->n_free++;
            if (--whole->progress_bytes > 0)
                continue;
        }
        whole->next = *done;
        *done = whole;
    }
    return 0;
}
