/* SPDX-License-Identifier: Apache-2.0
 * A handful of threads that take the next question until there is none. */
#include "verbs/together.h"

#include <pthread.h>
#include <stdatomic.h>

#define MOST_THREADS 8u /* what libvirtd works on side by side for one client is 5 by default */

struct questions {
    void (*ask)(void *context, size_t i);
    void *context;
    size_t n;
    atomic_size_t next;
};

static void *take_some(void *context)
{
    struct questions *q = context;

    for (size_t i = atomic_fetch_add(&q->next, 1); i < q->n; i = atomic_fetch_add(&q->next, 1))
        q->ask(q->context, i);
    return NULL;
}

void together(size_t n, void (*ask)(void *context, size_t i), void *context)
{
    struct questions q = { .ask = ask, .context = context, .n = n, .next = 1 };
    pthread_t threads[MOST_THREADS];
    size_t started = 0;

    if (n == 0)
        return;
    while (started + 1 < n && started < MOST_THREADS &&
           pthread_create(&threads[started], NULL, take_some, &q) == 0)
        started++;
    ask(context, 0);
    (void)take_some(&q);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}
