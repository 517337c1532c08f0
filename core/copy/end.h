/* SPDX-License-Identifier: Apache-2.0
 * One end of a copy: an image that a storage driver has open, with the one call that lasts as long.
 * Turns a driver's answers into errors that name the image; knows nothing of copying. */
#ifndef COPY_END_H
#define COPY_END_H

#include "plugin/call.h"

struct direct;

/* What an offset is rounded to at most; a driver with larger blocks is refused. */
#define END_BLOCK_MOST 4096u
#define END_PIECE_LEAST 65536u
#define END_PIECE_MOST (4u << 20)
#define END_SILENT_MS 60000

struct copy_end {
    const struct ferry_storage *driver; /* NULL until it is open */
    char name[512];                     /* as the user knows it, escaped */
    struct ferry_call call;
    struct ferry_opened is;
    struct error err;      /* what the driver says */
    bool in_order;         /* is written from its beginning to its end, by one request at a time */
    struct direct *direct; /* direct.h; NULL: the driver does all */
};

struct end_place {
    const struct call_host *host; /* lent for the life of the end */
    const struct plugin_entry *owner;
    const struct ferry_storage *driver;
    const struct ferry_disk *disk;
    const char *name;
    bool is_there; /* on the host of the worker, which may be another machine: FERRY_OPEN_THERE */
};

/* Zero-initialise *e; end_close in any case. */
int end_open(struct copy_end *e, const struct end_place *place, bool to_write, struct error *err);
void end_close(struct copy_end *e);

int end_extents(struct copy_end *e, uint64_t from, struct ferry_extent *ret, uint32_t room, uint32_t *ret_n,
                struct error *err);
int end_submit(struct copy_end *e, struct ferry_request *r, struct error *err);
/* The same, to the driver in any case. */
int end_pass(struct copy_end *e, struct ferry_request *r, struct error *err);
int end_reap(struct copy_end *e, struct ferry_request **ret_done, struct error *err);
/* false where the driver cannot tell. */
bool end_changed(struct copy_end *e, uint64_t *ret);

/* The whole of `from` is in `to` now, by its storage alone; false: it has to be copied. */
bool end_clone(struct copy_end *from, struct copy_end *to);

/* What an answer of a request that failed means for the user; -code. */
int end_refused(const struct copy_end *e, const struct ferry_request *r, struct error *err);

/* Sends one request and waits for it: 0, or the request's own error, positive; negative with err. Nothing
 * else may be under way. */
int end_do(struct copy_end *e, struct ferry_request *r, struct error *err);
/* Waits until one of the two has something to do; to may be NULL. False after timeout_ms. */
bool end_wait(const struct copy_end *a, const struct copy_end *b, int timeout_ms);

#endif
