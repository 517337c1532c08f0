/* SPDX-License-Identifier: Apache-2.0
 * One queue for all of them, and one of what they have done. */
#include "crew.h"
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void *work(void *own)
{
    struct crew *c = own;

    (void)pthread_mutex_lock(&c->lock);
    while (!c->is_over) {
        struct ferry_request *r = c->first;
        int32_t answer;

        if (!r) {
            (void)pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        c->first = r->next;
        (void)pthread_mutex_unlock(&c->lock);
        answer = c->step(c->own, r);
        (void)pthread_mutex_lock(&c->lock);
        if (c->is_left)
            break;
        r->error = answer;
        r->next = c->came;
        c->came = r;
        (void)eventfd_write(c->wake, 1);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void stop(struct crew *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->is_over = true;
    (void)pthread_cond_broadcast(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
}

static void forget(struct crew *c)
{
    (void)pthread_cond_destroy(&c->work);
    (void)pthread_mutex_destroy(&c->lock);
    (void)close(c->wake);
}

void crew_end(struct crew *c)
{
    stop(c);
    while (c->n > 0)
        (void)pthread_join(c->threads[--c->n], NULL);
    forget(c);
}

bool crew_end_within(struct crew *c, unsigned ms)
{
    struct timespec until;

    stop(c);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (c->n > 0 && pthread_timedjoin_np(c->threads[c->n - 1], NULL, &until) == 0)
        c->n--;
    if (c->n == 0) {
        forget(c);
        return true;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->is_left = true;
    while (c->n > 0)
        (void)pthread_detach(c->threads[--c->n]);
    (void)pthread_mutex_unlock(&c->lock);
    return false;
}

bool crew_is_left(struct crew *c)
{
    bool is_left;

    (void)pthread_mutex_lock(&c->lock);
    is_left = c->is_left;
    (void)pthread_mutex_unlock(&c->lock);
    return is_left;
}

int crew_start(struct crew *c, unsigned n, int32_t (*step)(void *, struct ferry_request *), void *own)
{
    sigset_t all, before;
    int code = 0;

    *c = (struct crew){ .step = step, .own = own };
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->wake < 0)
        return errno;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->work, NULL);
    /* The process's signals are not for them. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (code == 0 && c->n < n) {
        code = pthread_create(&c->threads[c->n], NULL, work, c);
        c->n += code == 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        crew_end(c);
    return code;
}

void crew_send(struct crew *c, struct ferry_request *r)
{
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

struct ferry_request *crew_take(struct crew *c)
{
    struct ferry_request *came;
    eventfd_t n;

    (void)eventfd_read(c->wake, &n);
    (void)pthread_mutex_lock(&c->lock);
    came = c->came;
    c->came = NULL;
    (void)pthread_mutex_unlock(&c->lock);
    return came;
}
