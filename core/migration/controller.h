/* SPDX-License-Identifier: Apache-2.0
 * When a job that is armed for post-copy switches: decided at pass boundaries, from the job's own figures
 * alone. Pure: samples in, a decision out; no clock, no libvirt. */
#ifndef MIGRATION_CONTROLLER_H
#define MIGRATION_CONTROLLER_H

#include "plan/passes.h"
#include <stdint.h>

/* One look at the job; figures that are not known are NOT_KNOWN. */
struct job_sample {
    uint64_t at_ms;           /* of one clock, the source's where it tells: when the figures were taken */
    uint64_t pass;            /* QEMU counts from 1; 0 before it began */
    uint64_t sent_bytes;      /* of memory, so far */
    uint64_t remaining_bytes; /* of memory */
    uint64_t zero_bytes;      /* done without being sent, so far: pages of zeroes */
};

enum control {
    CONTROL_WAIT,     /* no boundary was passed since the last decision */
    CONTROL_STAY,     /* at a boundary: pre-copy ends by itself */
    CONTROL_POSTCOPY, /* at a boundary: it does not, or costs more than post-copy */
};

/* Zero-initialise, then set memory_bytes (no pass can dirty more) and downtime_ms. */
struct controller {
    uint64_t memory_bytes, downtime_ms;
    uint64_t pass;
    double began_ms, began_sent; /* of the pass that is going on */
    uint64_t missed_sent;        /* what the first pass had sent when it was first looked at */
    uint64_t last_ms, last_sent, last_remaining, last_zero; /* of the newest sample */
    bool has_boundary;                                      /* one was passed, and this was its: */
    double first_sent, first_to_send;                       /* bytes */
    double bytes_per_s;
    uint64_t dirtied_bytes; /* what the last boundary found */
    struct dirty_model w;
};

enum control controller_see(struct controller *c, const struct job_sample *s);

#endif
