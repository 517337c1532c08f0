/* SPDX-License-Identifier: Apache-2.0
 * A program that holds something for as long as it hears from us: it says "ready", and when its standard
 * input ends, or is silent, it takes down what it made. So nothing stays behind, whichever of us dies first.
 */
#ifndef TRANSPORT_SSH_HOLD_H
#define TRANSPORT_SSH_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOLD_SILENCE_SECONDS "20" /* after which a holder gives up; it hears from us every 3 s */

struct hold {
    pid_t pid, pulse; /* the program, and what writes to it; 0 = none */
    int out, errors;  /* its output, and a memory file with its errors; -1 = none */
    int code;         /* how it ended by itself, as a shell tells it; -1 = it was not seen to have ended */
    long said_before; /* how much of its errors is older than "ready" */
    char line[96];    /* what it has printed, line by line */
};
#define HOLD_NONE                                                                                            \
    {                                                                                                        \
        0, 0, -1, -1, -1, 0, ""                                                                              \
    }

/* Starts it and gives it `input`; 0, or an errno. */
int hold_begin(struct hold *h, const char *const *argv, const char *input);
/* Until it says "ready"; false: it ended, or has not by then (master_now_ms). */
bool hold_wait(struct hold *h, int64_t until_ms);
/* What it printed behind `word` on a line of its own, when that has come by then; else NULL. */
const char *hold_heard(struct hold *h, const char *word, int64_t until_ms);
/* It was begun, and has ended by itself: see code. */
bool hold_has_ended(struct hold *h);
/* What it said on its standard error: all, or, once it was ready, what came after that. */
void hold_said(const struct hold *h, char *buf, size_t size);
/* Goes silent; and then waits a little for it to tidy up. */
void hold_release(struct hold *h);
void hold_end(struct hold *h);

#endif
