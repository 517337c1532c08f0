/* SPDX-License-Identifier: Apache-2.0
 * Calls that are sent together over one connection of libnfs, and the wait for all their answers: one round
 * trip. Answers are copied while libnfs holds them. */
#ifndef NFS_FLIGHT_H
#define NFS_FLIGHT_H

#include <stdbool.h>
#include <sys/time.h>

#include <nfsc/libnfs.h>

#include <nfsc/libnfs-raw.h>
#include <stdint.h>

struct flight {
    unsigned waiting;
    bool failed;
    char why[160];
};

/* One call of a flight. take copies the result; NULL: there is none. */
struct asked {
    struct flight *flight;
    void (*take)(void *into, const void *result);
    void *into;
};
/* The callback of every call of a flight; private_data is its struct asked. */
void flight_landed(struct rpc_context *rpc, int status, void *data, void *private_data);
/* After a call that could not even be queued. */
void flight_refuse(struct flight *f, struct rpc_context *rpc);

uint64_t flight_now_ms(void);
/* Of a connected socket that poll calls readable: the other side has closed it. Not every libnfs makes
 * anything of "readable, with nothing to read". */
bool flight_is_closed(int fd);
/* Waits until all have landed. Else *rpc is destroyed, NULL, and why it is so stands in f->why; it is empty
 * when the time was over. */
bool flight_wait(struct rpc_context **rpc, struct flight *f, uint64_t until_ms);
/* A connection; NULL as above. */
struct rpc_context *flight_connect(const char *address, int port, struct flight *f, uint64_t until_ms);

#endif
