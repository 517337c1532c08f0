/* SPDX-License-Identifier: Apache-2.0
 * Threads that do requests and may wait for them, and the descriptor that tells when some are done. */
#ifndef LOCAL_BLOCK_CREW_H
#define LOCAL_BLOCK_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <virt-ferry-plugin.h>

#define CREW_MOST 8u

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct ferry_request *first, *last; /* to be done */
    struct ferry_request *came;         /* answered */
    int wake;                           /* readable when some were answered */
    bool is_over;
    bool is_left; /* a request that is still being done is nobody's any more */
    /* Does one request, in a thread: what it returns is the answer, which `error` then has. */
    int32_t (*step)(void *own, struct ferry_request *r);
    void *own;
    pthread_t threads[CREW_MOST];
    unsigned n;
};

/* 0, or an errno: nothing is left then. A crew of one does them in the order in which they were sent. */
int crew_start(struct crew *c, unsigned n, int32_t (*step)(void *, struct ferry_request *), void *own);
void crew_send(struct crew *c, struct ferry_request *r);
/* A list by `next` of all that were answered. */
struct ferry_request *crew_take(struct crew *c);
/* A thread that has begun a request ends it; what none has begun is dropped. */
void crew_end(struct crew *c);
/* The same where a request may never end. false: a thread still works on one after that time. It touches
 * neither the request nor its buffer once its step returns, and the crew must stay, in memory that is not
 * freed, as long as the process. */
bool crew_end_within(struct crew *c, unsigned ms);
/* For a step of several parts: its request may be gone. */
bool crew_is_left(struct crew *c);

#endif
