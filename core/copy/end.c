/* SPDX-License-Identifier: Apache-2.0
 * Each call into a driver, and what its answers mean. A driver's figures are checked once, when it has opened
 * the image: the engine divides by them. */
#include "copy/end.h"
#include "base/text.h"
#include "copy/direct.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

static bool is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* NULL when all figures can be worked with. */
static const char *problem_of(const struct ferry_opened *o)
{
    if (!o->handle || o->fd < 0)
        return "no handle or no descriptor";
    if (!is_power_of_two(o->block_bytes) || o->block_bytes > END_BLOCK_MOST)
        return "blocks that are no power of two up to 4096";
    if (!is_power_of_two(o->piece_bytes) || o->piece_bytes < END_PIECE_LEAST ||
        o->piece_bytes > END_PIECE_MOST)
        return "pieces that are no power of two from 65536 to 4 MiB";
    if (o->depth == 0)
        return "room for no request";
    if (o->length_bytes == 0 || o->length_bytes > INT64_MAX)
        return "no length that can be copied";
    return NULL;
}

static int failed(struct copy_end *e, struct error *err, const char *doing)
{
    int code = call_failed(&e->call, NULL);

    *err = e->err;
    e->err = (struct error){ 0 };
    (void)error_while(err, "%s '%s'", doing, e->name);
    return code;
}

int end_open(struct copy_end *e, const struct end_place *place, bool to_write, struct error *err)
{
    const struct ferry_opening how = { .size = sizeof how,
                                       .flags = (to_write ? FERRY_OPEN_WRITE : 0) |
                                                (place->is_there ? FERRY_OPEN_THERE : 0),
                                       .disk = place->disk };
    const char *problem;

    (void)text_escape(e->name, sizeof e->name, place->name);
    e->is = (struct ferry_opened){ .size = sizeof e->is, .fd = -1 };
    e->in_order = place->is_there;
    if (!place->driver->open || (place->is_there && !(place->driver->declares & FERRY_STORAGE_STREAMS))) {
        error_set(err, ERROR_REFUSED, NULL, "storage driver '%s' cannot copy '%s' by itself",
                  place->driver->name, e->name);
        return error_fix(err, "Start the domain: the disk of a running one is copied by its QEMU.");
    }
    if (call_begin(&e->call, place->host, place->owner, place->driver->name, e->name, NULL, &e->err) < 0)
        return error_memory(err);
    e->driver = place->driver;
    if (e->driver->open(&e->call, &call_services, &how, &e->is) < 0) {
        const int code = failed(e, err, "opening");

        e->driver = NULL;
        call_done(&e->call);
        return code;
    }
    problem = problem_of(&e->is);
    return problem ? error_set(err, ERROR_FAILED, NULL, "driver '%s' gives '%s' %s", e->driver->name, e->name,
                               problem)
                   : 0;
}

void end_close(struct copy_end *e)
{
    if (!e->driver)
        return;
    if (e->is.handle)
        e->driver->close(&e->call, &call_services, e->is.handle);
    /* What the driver still had, it has given back by now. */
    direct_close(e);
    call_done(&e->call);
    e->driver = NULL;
}

/* Those before `to`, of which the first begins there; how many. */
static uint32_t cut_extents(struct ferry_extent *list, uint32_t n, uint64_t to)
{
    while (n > 1 && list[n - 1].offset_bytes >= to)
        n--;
    if (list[n - 1].length_bytes > to - list[n - 1].offset_bytes)
        list[n - 1].length_bytes = to - list[n - 1].offset_bytes;
    return n;
}

int end_extents(struct copy_end *e, uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n,
                struct error *err)
{
    const uint64_t to = direct_look(e, from);
    uint64_t at = from;

    if (!e->driver->extents) {
        ret[0] = (struct ferry_extent){ .offset_bytes = from, .length_bytes = e->is.length_bytes - from };
        *ret_n = 1;
        return 0;
    }
    *ret_n = 0;
    if (e->driver->extents(&e->call, &call_services, e->is.handle, from, ret, room, ret_n) < 0)
        return failed(e, err, "looking for what is written in");
    for (uint32_t i = 0; i < *ret_n && i < room; i++) {
        if (ret[i].offset_bytes != at || ret[i].length_bytes == 0 ||
            ret[i].length_bytes > e->is.length_bytes - at)
            *ret_n = 0;
        else
            at += ret[i].length_bytes;
    }
    if (*ret_n == 0 || *ret_n > room)
        return error_set(err, ERROR_FAILED, NULL, "driver '%s' gives extents of '%s' that cannot be",
                         e->driver->name, e->name);
    *ret_n = cut_extents(ret, *ret_n, to);
    return 0;
}

int end_submit(struct copy_end *e, struct ferry_request *r, struct error *err)
{
    return e->direct && r->what == FERRY_READ ? direct_submit(e, r, err) : end_pass(e, r, err);
}

int end_pass(struct copy_end *e, struct ferry_request *r, struct error *err)
{
    r->size = sizeof *r;
    r->error = 0;
    r->progress_bytes = 0;
    r->own = NULL;
    r->next = NULL;
    return e->driver->submit(&e->call, &call_services, e->is.handle, r) < 0
               ? failed(e, err, r->what == FERRY_READ ? "reading" : "writing")
               : 0;
}

int end_reap(struct copy_end *e, struct ferry_request **ret_done, struct error *err)
{
    *ret_done = NULL;
    return e->driver->reap(&e->call, &call_services, e->is.handle, ret_done) < 0
               ? failed(e, err, "working on")
           : e->direct ? direct_reap(e, ret_done, err)
                       : 0;
}

bool end_changed(struct copy_end *e, uint64_t *ret)
{
    struct error ignored = { 0 };

    if (!e->driver->changed)
        return false;
    if (e->driver->changed(&e->call, &call_services, e->is.handle, ret) == 0)
        return true;
    (void)failed(e, &ignored, "looking at");
    return false;
}

bool end_clone(struct copy_end *from, struct copy_end *to)
{
    struct error ignored = { 0 };
    int r;

    if (from->driver != to->driver || !to->driver->clone || !to->is.reads_zero ||
        from->is.length_bytes != to->is.length_bytes)
        return false;
    r = to->driver->clone(&to->call, &call_services, from->is.handle, to->is.handle);
    if (r < 0)
        (void)failed(to, &ignored, "cloning");
    return r == 0;
}

static const char *doing_of(uint32_t what)
{
    switch (what) {
    case FERRY_READ:
        return "read";
    case FERRY_WRITE:
        return "write";
    case FERRY_ZERO:
        return "write zeroes to";
    default:
        return "flush";
    }
}

int end_refused(const struct copy_end *e, const struct ferry_request *r, struct error *err)
{
    const bool is_full = r->error == ENOSPC || r->error == EDQUOT, is_silent = r->error == ETIMEDOUT;
    const enum error_code code = is_full ? ERROR_SPACE : is_silent ? ERROR_TIMEOUT : ERROR_FAILED;

    if (r->what == FERRY_FLUSH)
        error_set(err, code, NULL, "could not flush '%s'", e->name);
    else
        error_set(err, code, NULL, "could not %s '%s' at offset %" PRIu64 " (%" PRIu64 " bytes)",
                  doing_of(r->what), e->name, r->offset_bytes, r->length_bytes);
    error_why(err, "%s", r->error == FERRY_LOST ? "the storage lost what was written" : strerror(r->error));
    if (is_full)
        error_fix(err, "Make room there, or choose another place.");
    else if (is_silent)
        error_fix(err, "See whether its storage answers.");
    else if (r->what == FERRY_READ)
        error_fix(err, "The image cannot be read there: look at the storage below it, or at a backup.");
    return -err->code;
}

bool end_wait(const struct copy_end *a, const struct copy_end *b, int timeout_ms)
{
    struct pollfd at[] = { { .fd = a->is.fd, .events = POLLIN },
                           { .fd = b ? b->is.fd : -1, .events = POLLIN },
                           { .fd = direct_fd(a), .events = POLLIN },
                           { .fd = b ? direct_fd(b) : -1, .events = POLLIN } };

    return poll(at, sizeof at / sizeof *at, timeout_ms) != 0;
}

int end_do(struct copy_end *e, struct ferry_request *r, struct error *err)
{
    struct ferry_request *done = NULL;

    if (end_submit(e, r, err) < 0)
        return -err->code;
    for (;;) {
        if (end_reap(e, &done, err) < 0)
            return -err->code;
        if (done)
            return done->error;
        if (!end_wait(e, NULL, END_SILENT_MS))
            return error_set(err, ERROR_TIMEOUT, NULL, "'%s' gave no answer for %d s", e->name,
                             END_SILENT_MS / 1000);
    }
}
