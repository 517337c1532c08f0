/* SPDX-License-Identifier: Apache-2.0
 * The gate: a relay on the source's control socket that carries the migrate call alone and holds one message,
 * "confirm: cancelled" after a successful perform, until both hosts have been looked at.
 * Runs in the parent's loop. See README.md in this folder for why it makes two runners impossible. */
#ifndef HANDOVER_GATE_H
#define HANDOVER_GATE_H

#include "base/error.h"
#include "base/owned.h"
#include "worker/loop.h"
#include <stdbool.h>
#include <sys/types.h>

struct gate;

/* upstream: libvirt's own socket. Listens in a new folder of ours, 0700, below runtime_dir
 * ("/run/virt-ferry", or the user's); only the process peer is let in, once. */
struct gate *gate_open(struct loop *l, const char *upstream, bool is_session, const char *runtime_dir,
                       struct error *err);
void gate_free(struct gate *g);
OWNED_DEFINE(gate)

void gate_admit(struct gate *g, pid_t peer); /* before that nobody is let in */
const char *gate_path(const struct gate *g);
/* malloc'ed: the URI whose connections pass the gate. */
char *gate_uri(const struct gate *g, struct error *err);

/* A cancelled confirm is waiting, and the source stays paused until one of the two below is called. */
bool gate_is_holding(const struct gate *g);
void gate_let_through(struct gate *g);
/* Drops the held message and the connection: the job ends, the source stays paused. */
void gate_close(struct gate *g);
/* From now on nothing is held (the domain went to post-copy: libvirt never resumes its source then). */
void gate_disarm(struct gate *g);
/* Perform was answered with success: from here the destination may be running. */
bool gate_saw_performed(const struct gate *g);
/* The source was told to end: all of the guest is at the destination. */
bool gate_saw_confirmed(const struct gate *g);

/* upstream.c: the socket that libvirt would choose for this URI here: the one that it names, else virtqemud's
 * where it exists, else libvirtd's; a session's below XDG_RUNTIME_DIR, or the user's cache. malloc'ed; NULL
 * with err when neither is there. */
bool gate_is_session(const char *uri);
char *gate_upstream(const char *uri, struct error *err);

#endif
