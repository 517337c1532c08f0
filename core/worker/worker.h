/* SPDX-License-Identifier: Apache-2.0
 * Worker processes: one per host, one mover; all that may hang happens in them, and the parent may kill one
 * at any moment: the answer is then "not known", never "no". A fresh connection is a new worker. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/error.h"
#include "base/json.h"
#include "base/owned.h"
#include "worker/loop.h"
#include <stdbool.h>
#include <sys/types.h>

struct config;
struct ferry_transport;
struct plugin_entry;
struct worker; /* the parent's end */
struct call;   /* one question and its answer */

/* ---- in the worker ---- */
struct child {
    int fd;
    const char *host; /* as the user calls it */
    const struct config *config;
    void *libvirt;       /* virConnectPtr, NULL until connected */
    void *gated;         /* the mover's second connection to the source */
    void *other;         /* the mover's connection to the destination */
    char other_peer[46]; /* where that one leads, numeric; "" = by no network */
    /* The way over which libvirt is reached, or which this worker holds; driver NULL = none. */
    struct {
        const struct ferry_transport *driver;
        const struct plugin_entry *owner;
        char uri[512], folder[108];
        char data_folder[108]; /* "" = none */
    } way;
    json_t *waiting; /* questions that came while the journal was asked; NULL = none */
    void *held;      /* what a verb leaves open until the worker ends, for at_end; NULL = nothing */
    void (*at_end)(struct child *c); /* when the parent has gone or wants no more; NULL = nothing to do */
};
/* A verb answers into reply (an object), or returns negative with err set. */
struct verb {
    const char *name;
    int (*run)(struct child *c, const json_t *args, json_t *reply, struct error *err);
};
/* Asks the parent to write a record, or an array of them, into the run's journal, and waits until that is on
 * disk: all of them, or an error. */
int child_journal(struct child *c, json_t *records, struct error *err);

/* ---- in the parent ---- */
struct worker_setup {
    const char *host;         /* lent for the worker's life */
    const struct verb *verbs; /* ended by a NULL name */
    const struct config *config;
    /* Where a worker's wish to journal goes, a record or an array of them; NULL = refused. */
    int (*journal)(void *context, const json_t *records, struct error *err);
    void *context;
};
struct worker *worker_start(struct loop *l, const struct worker_setup *setup, struct error *err);
/* An idle worker closes its connections and ends; a busy one is killed. Reaped either way. */
void worker_free(struct worker *w);
/* The same without waiting for its end, which worker_free then does: several can go at once. NULL is none. */
void worker_leave(struct worker *w);
OWNED_DEFINE(worker)
void worker_kill(struct worker *w); /* what it was asked answers ERROR_TIMEOUT */
/* The same without waiting for its end, which worker_free then does. */
void worker_strike(struct worker *w);
pid_t worker_pid(const struct worker *w);
const char *worker_host(const struct worker *w);
/* What the worker journals from here on goes there; NULL = refused. */
void worker_journal_to(struct worker *w, int (*journal)(void *, const json_t *, struct error *),
                       void *context);

/* Takes the reference to args (may be NULL). timeout_ms 0 = none; when it is over the worker is killed.
 * Answers come in the order of the questions. NULL with err set when it could not even be asked. */
struct call *worker_ask(struct worker *w, const char *verb, json_t *args, uint64_t timeout_ms,
                        struct error *err);
bool call_is_over(struct call *c); /* also looks at its time */
/* Answered, or still to be answered, by this worker? A call of one that is gone or was killed is not. */
bool worker_has(const struct worker *w, const struct call *c);
/* Drives the loop until it is over; ret_reply (may be NULL) gets a new reference. */
int call_wait(struct call *c, json_t **ret_reply, struct error *err);
void call_free(struct call *c);
OWNED_DEFINE(call)

/* Ask and wait. */
int worker_do(struct worker *w, const char *verb, json_t *args, uint64_t timeout_ms, json_t **ret_reply,
              struct error *err);

#define ANSWER_MS 5000u /* a question to a host that is well takes tens of ms */

#endif
