/* SPDX-License-Identifier: Apache-2.0
 * A server's connections, for what asks over them: server.c keeps them, look.c asks about images. A flight is
 * sent over server_line after server_speak_for, and landed. */
#ifndef NFS_LINES_H
#define NFS_LINES_H

#include "server.h"

struct server;

/* Connected; NULL with the trouble. */
struct server *server_enter(const char *address, struct trouble *t);
/* NULL after a flight that did not land. */
struct rpc_context *server_line(const struct server *s);
/* What is sent from now on is that user's. */
int server_speak_for(struct server *s, const struct user *user, struct trouble *t);
int server_land(struct server *s, struct flight *f, const char *doing, struct trouble *t);
/* As clock.h has it. */
int64_t server_clock_apart_ms(const struct server *s);
/* After a flight that did not land: over a new connection it might. */
bool server_may_be_asked_again(const struct server *s);

/* The folders of all, in look->folder; its n is 0 where the server did not mount one, with the trouble said.
 */
int server_folders(struct server *s, struct want *const *wants, size_t n, struct trouble *t);
/* A handle that the server does not know any more. */
void server_forget(struct server *s, const char *folder);

void server_keep_handle(struct handle *to, const char *bytes, uint32_t n);
nfs_fh3 server_handle(const struct handle *h);

#endif
