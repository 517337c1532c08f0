/* SPDX-License-Identifier: Apache-2.0
 * Requests by io_uring. The ring's own descriptor is what is polled. */
#include "io.h"
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

struct ring {
    struct io_uring uring;
    unsigned unsent;
};

static int ring_start(struct io *io)
{
    struct ring *r = calloc(1, sizeof *r);
    int code;

    if (!r)
        return ENOMEM;
    code = io_uring_queue_init(IO_REQUESTS_MOST, &r->uring, 0);
    if (code < 0) {
        free(r);
        return -code;
    }
    io->ways_own = r;
    io->wake = r->uring.ring_fd;
    return 0;
}

static void ring_send(struct io *io, struct ferry_request *request)
{
    struct ring *r = io->ways_own;
    const struct io_step s = io_step_of(io, request);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

    if (!sqe) {
        (void)io_uring_submit(&r->uring);
        sqe = io_uring_get_sqe(&r->uring);
    }
    /* As many entries as requests: there is one after all others were sent. */
    if (!sqe) {
        (void)io_came(io, request, -ENOBUFS);
        return;
    }
    if (request->what == FERRY_FLUSH)
        io_uring_prep_fsync(sqe, s.fd, IORING_FSYNC_DATASYNC);
    else if (s.mode)
        io_uring_prep_fallocate(sqe, s.fd, s.mode, (off_t)s.offset, (off_t)s.length);
    else if (request->what == FERRY_READ)
        io_uring_prep_read(sqe, s.fd, s.buffer, (unsigned)s.length, s.offset);
    else
        io_uring_prep_write(sqe, s.fd, s.buffer, (unsigned)s.length, s.offset);
    io_uring_sqe_set_data(sqe, request);
    r->unsent++;
}

static void ring_reap(struct io *io)
{
    struct ring *r = io->ways_own;
    struct io_uring_cqe *cqe;

    if (r->unsent > 0 && io_uring_submit(&r->uring) >= 0)
        r->unsent = 0;
    while (io_uring_peek_cqe(&r->uring, &cqe) == 0) {
        struct ferry_request *request = io_uring_cqe_get_data(cqe);
        const int answer = cqe->res;

        io_uring_cqe_seen(&r->uring, cqe);
        if (io_came(io, request, answer))
            ring_send(io, request);
    }
    if (r->unsent > 0 && io_uring_submit(&r->uring) >= 0)
        r->unsent = 0;
}

/* What is under way writes into memory that is freed next: it is waited for. */
static void ring_stop(struct io *io)
{
    struct ring *r = io->ways_own;

    ring_reap(io);
    while (io->under_way > 0) {
        struct io_uring_cqe *cqe;

        if (io_uring_wait_cqe(&r->uring, &cqe) < 0)
            break;
        ring_reap(io);
    }
    io_uring_queue_exit(&r->uring);
    free(r);
}

const struct io_way io_way_ring = {
    .start = ring_start, .send = ring_send, .reap = ring_reap, .stop = ring_stop
};
