/* SPDX-License-Identifier: Apache-2.0
 * Requests by threads that wait, for kernels and containers that refuse io_uring. */
#include "io.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS 8u

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct ferry_request *first, *last; /* to be done */
    struct ferry_request *came;         /* answered; the answer stands in `error` */
    const struct io *io;
    bool is_over;
    pthread_t threads[THREADS];
    unsigned n;
};

/* One system call; its length or a negative errno. */
static int64_t step(const struct io *io, const struct ferry_request *r)
{
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
    return n < 0 ? -errno : n;
}

static void *work(void *own)
{
    struct crew *c = own;

    (void)pthread_mutex_lock(&c->lock);
    while (!c->is_over) {
        struct ferry_request *r = c->first;
        int64_t answer;

        if (!r) {
            (void)pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        c->first = r->next;
        (void)pthread_mutex_unlock(&c->lock);
        answer = step(c->io, r);
        (void)pthread_mutex_lock(&c->lock);
        r->error = (int32_t)answer;
        r->next = c->came;
        c->came = r;
        (void)eventfd_write(c->io->wake, 1);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void end(struct io *io, struct crew *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->is_over = true;
    (void)pthread_cond_broadcast(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
    while (c->n > 0)
        (void)pthread_join(c->threads[--c->n], NULL);
    (void)pthread_cond_destroy(&c->work);
    (void)pthread_mutex_destroy(&c->lock);
    (void)close(io->wake);
    free(c);
}

static int threads_start(struct io *io)
{
    struct crew *c = calloc(1, sizeof *c);
    sigset_t all, before;
    int code = 0;

    if (!c)
        return ENOMEM;
    io->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->wake < 0) {
        free(c);
        return errno;
    }
    c->io = io;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->work, NULL);
    /* The process's signals are not for them. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (code == 0 && c->n < THREADS) {
        code = pthread_create(&c->threads[c->n], NULL, work, c);
        c->n += code == 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        end(io, c);
    else
        io->ways_own = c;
    return code;
}

static void threads_send(struct io *io, struct ferry_request *r)
{
    struct crew *c = io->ways_own;

    r->next = NULL;
    (void)pthread_mutex_lock(&c->lock);
    if (c->first)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
    (void)pthread_cond_signal(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
}

static void threads_reap(struct io *io)
{
    struct crew *c = io->ways_own;
    struct ferry_request *came;
    eventfd_t n;

    (void)eventfd_read(io->wake, &n);
    (void)pthread_mutex_lock(&c->lock);
    came = c->came;
    c->came = NULL;
    (void)pthread_mutex_unlock(&c->lock);
    for (struct ferry_request *next; came; came = next) {
        next = came->next;
        if (io_came(io, came, came->error))
            threads_send(io, came);
    }
}

/* A thread that has begun a call ends it; what none has begun is dropped. */
static void threads_stop(struct io *io)
{
    end(io, io->ways_own);
}

const struct io_way io_way_threads = {
    .start = threads_start, .send = threads_send, .reap = threads_reap, .stop = threads_stop
};
