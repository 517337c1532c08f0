/* SPDX-License-Identifier: Apache-2.0
 * The ssh master of this worker: started, waited for, and ended. It dies with the worker. */
#ifndef TRANSPORT_SSH_MASTER_H
#define TRANSPORT_SSH_MASTER_H

#include "place.h"
#include <stdint.h>

enum master_answer {
    MASTER_READY,
    MASTER_ENDED,   /* text: what it said */
    MASTER_SILENT,  /* no word within the time */
    MASTER_MISSING, /* there is no ssh here */
    MASTER_FAILED,  /* errno says why it could not be started */
};

/* MASTER_READY here means that it runs; whoever began it waits for it, and may do something else before. */
enum master_answer master_begin(const struct words *w);
enum master_answer master_wait(const char *folder, int ms);
/* What ssh has said so far; ours, until the next call. Once it was ready: since then. */
const char *master_said(void);
/* The same from its start, whether it was ready or not. */
const char *master_said_first(void);
/* It was ready, and has ended by itself since: how, as a shell tells it, and which process it was. */
bool master_has_ended(int *ret_code, long *ret_pid);
void master_end(void);

/* Monotonic. */
int64_t master_now_ms(void);

#endif
