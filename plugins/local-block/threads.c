/* SPDX-License-Identifier: Apache-2.0
 * Requests by threads that wait, for kernels and containers that refuse io_uring. */
#include "crew.h"
#include "io.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* One system call; its length or a negative errno. */
static int32_t step(void *own, struct ferry_request *r)
{
    const struct io *io = own;
    const struct io_step s = io_step_of(io, r);
    ssize_t n;

    if (r->what == FERRY_FLUSH)
        n = fdatasync(s.fd);
    else if (s.mode)
        n = fallocate(s.fd, s.mode, (off_t)s.offset, (off_t)s.length);
    else if (r->what == FERRY_READ)
        n = pread(s.fd, s.buffer, s.length, (off_t)s.offset);
    else
        n = pwrite(s.fd, s.buffer, s.length, (off_t)s.offset);
    return (int32_t)(n < 0 ? -errno : n);
}

static int threads_start(struct io *io)
{
    struct crew *c = calloc(1, sizeof *c);
    int code = c ? crew_start(c, CREW_MOST, step, io) : ENOMEM;

    if (code != 0) {
        free(c);
        return code;
    }
    io->ways_own = c;
    io->wake = c->wake;
    return 0;
}

static void threads_send(struct io *io, struct ferry_request *r)
{
    crew_send(io->ways_own, r);
}

static void threads_reap(struct io *io)
{
    struct ferry_request *came = crew_take(io->ways_own);

    for (struct ferry_request *next; came; came = next) {
        next = came->next;
        if (io_came(io, came, came->error))
            threads_send(io, came);
    }
}

static void threads_stop(struct io *io)
{
    crew_end(io->ways_own);
    free(io->ways_own);
}

const struct io_way io_way_threads = {
    .start = threads_start, .send = threads_send, .reap = threads_reap, .stop = threads_stop
};
