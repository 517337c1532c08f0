/* SPDX-License-Identifier: Apache-2.0
 * The parent's one epoll loop: workers, the gate, and signals report here; nothing else in it waits.
 * SIGINT, SIGTERM and SIGHUP are counted, never delivered; a stop of the process is noticed at its end. */
#ifndef WORKER_LOOP_H
#define WORKER_LOOP_H

#include "base/error.h"
#include "base/owned.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;
typedef void loop_event(void *context, uint32_t events);

struct loop *loop_new(struct error *err);
void loop_free(struct loop *l);
OWNED_DEFINE(loop)

/* events as for epoll; one handler per descriptor. */
int loop_add(struct loop *l, int fd, uint32_t events, loop_event *handler, void *context, struct error *err);
int loop_change(struct loop *l, int fd, uint32_t events, struct error *err);
void loop_remove(struct loop *l, int fd);

/* One round: waits at most timeout_ms (-1: for ever) and calls the handlers of what is ready. */
int loop_step(struct loop *l, int timeout_ms, struct error *err);

/* What the user's signals do beside being counted; either may be NULL. `leave` is called from within a round
 * on the second SIGINT and may end the process: no file is half written then. `slow` is called once, when
 * what was asked to stop goes on for LOOP_SLOW_MS, with what it waits for. */
#define LOOP_SLOW_MS 2000u
void loop_tell(struct loop *l, void (*leave)(void *context), void (*slow)(void *context, const char *what),
               void *context);
/* What is waited for, in words; "" = nothing in particular. Lent. Returns what stood there before. */
const char *loop_waits_for(struct loop *l, const char *what);
/* How often this process was continued after a stop (SIGCONT): what was seen before that is old. */
unsigned loop_stops(struct loop *l);

/* How often the user asked to stop since loop_new. */
unsigned loop_interrupts(const struct loop *l);
/* Whether a wait for an answer ends as soon as the user asks to stop; off at first. Only where nothing is
 * under way that must be ended in order. */
void loop_end_waits(struct loop *l, bool on);
bool loop_ends_waits(const struct loop *l);

/* Sleeps where nothing else is under way. */
void loop_pause_ms(unsigned ms);

/* Monotonic. */
uint64_t loop_now_ms(void);
/* The same, and goes on while the machine sleeps. */
uint64_t loop_awake_ms(void);
/* Undoes for a forked child what loop_new did to the process (the signal mask); the loop itself is not usable
 * there. */
void loop_leave_child(void);

#endif
