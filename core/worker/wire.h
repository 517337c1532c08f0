/* SPDX-License-Identifier: Apache-2.0
 * Length-prefixed JSON over a socketpair: what parent and worker say to each other.
 * The parent reads what has come and never waits; a worker, which may, has blocking calls. */
#ifndef WORKER_WIRE_H
#define WORKER_WIRE_H

#include "base/error.h"
#include "base/json.h"
#include <stddef.h>

/* Blocking, whole message; a peer that is gone is ERROR_CONNECTION. The message is wiped from memory after it
 * was sent: it may hold a secret. */
int wire_send(int fd, const json_t *message, struct error *err);
json_t *wire_receive(int fd, struct error *err);

/* The parent's side: bytes as they come. Zero-initialise. */
struct wire_inbox {
    char *bytes;
    size_t len, size;
};
void wire_inbox_done(struct wire_inbox *in);
/* Reads what is there: 1 something came, 0 nothing now, negative: the peer is gone or sent rubbish. */
int wire_fill(struct wire_inbox *in, int fd, struct error *err);
/* The next whole message, a new reference; NULL when none is complete (err->code stays 0) or it is rubbish.
 */
json_t *wire_next(struct wire_inbox *in, struct error *err);

#endif
