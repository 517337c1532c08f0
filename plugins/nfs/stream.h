/* SPDX-License-Identifier: Apache-2.0
 * The connection of one file's block I/O, kept alive: when the server goes away and comes back, what it had
 * not answered is asked again. One descriptor stands for it all, whatever sockets come and go below. */
#ifndef NFS_STREAM_H
#define NFS_STREAM_H

#include "server.h"
#include <virt-ferry-plugin.h>

struct stream {
    char address[64];
    int port;
    struct user user;
    struct handle file;
    uint32_t piece_bytes;
    struct rpc_context *rpc;  /* NULL: being waited for */
    int epoll, timer, socket; /* socket: that which epoll watches, -1 = none */
    uint32_t watched;         /* its events */
    bool is_connected;
    uint64_t broken_ms;  /* since when nothing came, 0 = all is well */
    uint64_t put_off_ms; /* since when it says "later" to all, 0 = it does not */
    struct ferry_request *again, *done;
    struct ferry_request *later; /* the server is to be left alone for a moment */
    unsigned under_way;
    char verifier[8];            /* the newest of a write or a flush */
    bool has_verifier, is_mixed; /* mixed: another one was seen since the last flush */
    struct ticket *tickets;      /* free ones */
    struct ticket *all;
};

/* 0, or an errno. The file, address, port, user and piece_bytes are set. */
int stream_begin(struct stream *s);
void stream_end(struct stream *s);
/* Takes it, sends it or keeps it until there is a connection. */
void stream_send(struct stream *s, struct ferry_request *r);
/* Moves what can be moved without waiting; what is done stands in s->done. */
void stream_move(struct stream *s);

#endif
