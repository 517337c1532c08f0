/* SPDX-License-Identifier: Apache-2.0
 * How far a run is, on stderr: one line that is redrawn on a terminal, a line now and then elsewhere.
 * Figures are what the caller measured; nothing is invented for those that are not known. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/owned.h"
#include "cli/cli.h"
#include <stdint.h>
#include <stdio.h>

struct progress_sample {
    const char *phase;    /* "copying disk 'vda'"; a change of it is always shown */
    uint64_t done_bytes;  /* NOT_KNOWN (facts/model.h) wherever nothing was measured */
    uint64_t total_bytes; /* may grow while the guest writes */
    uint64_t remaining_bytes;
    uint64_t rate_bytes_per_s;
    uint64_t dirty_bytes_per_s;
    uint64_t pass; /* of a pre-copy, from 1 */
    uint64_t eta_ms;
    uint64_t zero_bytes; /* that were not sent; 0: none */
};
#define PROGRESS_NOTHING                                                                                     \
    (struct progress_sample)                                                                                 \
    {                                                                                                        \
        NULL, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0          \
    }

struct progress;

/* out is stderr but in tests. With -q nothing is ever shown. */
struct progress *progress_new(const struct cli *cli, FILE *out, struct error *err);
void progress_free(struct progress *p); /* also clears the line */
OWNED_DEFINE(progress)

/* May be called at any rate: shown ten times a second on a terminal, once a second elsewhere, and whenever
 * the phase changes. now_ms is a monotonic clock. */
void progress_show(struct progress *p, const struct progress_sample *sample, uint64_t now_ms);
/* Takes the line away, so that something else can be printed; the next sample draws it again. */
void progress_clear(struct progress *p);

/* The line without a bar, for the journal of a shell: "copying disk 'vda': 42 %, 117 MiB/s, …". */
struct text;
void progress_line(struct text *t, const struct progress_sample *sample);
/* 0 to 100; 100 only when it is all done. NOT_KNOWN when it cannot be told. */
uint64_t progress_percent(const struct progress_sample *sample);

#endif
