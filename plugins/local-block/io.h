/* SPDX-License-Identifier: Apache-2.0
 * Block I/O on files and block devices of this machine: direct, by io_uring, or by threads where the kernel
 * refuses that. Both kinds take requests and give them back done, in any order. */
#ifndef LOCAL_BLOCK_IO_H
#define LOCAL_BLOCK_IO_H

#include <pthread.h>
#include <stdbool.h>
#include <virt-ferry-plugin.h>

#define IO_BLOCK_BYTES 4096u
#define IO_PIECE_BYTES (1u << 20)
#define IO_DEPTH 16u
/* As many as an engine could ever send. */
#define IO_REQUESTS_MOST 512u

struct io;

/* One way to do requests. wake is readable when reap has something to do. */
struct io_way {
    /* 0, or an errno: this way cannot be had. */
    int (*start)(struct io *io);
    void (*send)(struct io *io, struct ferry_request *r);
    void (*reap)(struct io *io); /* calls io_came for each answer */
    void (*stop)(struct io *io); /* once nothing is under way */
};
extern const struct io_way io_way_ring, io_way_threads;

struct io {
    bool is_there; /* first, as in there.c: false */
    int direct;    /* for what is aligned; the same as plain where the file system has no direct I/O */
    int plain;     /* the page cache, for the last bytes */
    int wake;      /* not ours: of the way */
    bool is_device, is_exclusive;
    uint64_t length;
    unsigned under_way;
    struct ferry_request *done;
    const struct io_way *way;
    void *ways_own;
};

/* What the request still wants, as a system call: of bytes, or of a file's room. */
struct io_step {
    int fd;
    uint64_t offset, length;
    void *buffer; /* for READ and WRITE */
    int mode;     /* of fallocate, for ZERO */
};
struct io_step io_step_of(const struct io *io, const struct ferry_request *r);
/* The answer of that call, a length or a negative errno. True: the request wants another step. */
bool io_came(struct io *io, struct ferry_request *r, int64_t answer);

/* The functions of ferry_storage. */
int io_open(struct ferry_call *call, const struct ferry_services *services, const struct ferry_opening *how,
            struct ferry_opened *ret);
int io_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
               struct ferry_extent *ret, uint32_t room, uint32_t *ret_n);
int io_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
              struct ferry_request *request);
int io_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
            struct ferry_request **ret_done);
int io_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret);
void io_close(struct ferry_call *call, const struct ferry_services *services, void *handle);
int io_clone(struct ferry_call *call, const struct ferry_services *services, void *from, void *to);

#endif
