/* SPDX-License-Identifier: Apache-2.0
 * A copy under way: its slots, each a buffer with one piece in it, and where each piece is on its way from
 * the source to the destination. copy.c turns the loop, slot.c moves one piece. */
#ifndef COPY_JOB_H
#define COPY_JOB_H

#include "copy/copy.h"
#include "copy/walk.h"

/* Memory for pieces; the libraries below copy some of it once more. Where pieces are large ones of a
 * cluster, each is longer on its way, and it takes more of them. */
#define JOB_LARGE_MEMORY (20u << 20)
#define JOB_OBJECT_MEMORY (36u << 20)
/* Longer pieces are made of so many of these as they are long: one that is half full leaves room for another.
 */
#define JOB_UNIT_BYTES (1u << 20)
#define JOB_LARGE_LEAST 4u
#define JOB_LARGE_MOST 32u
/* Islands in a sparse image: many small pieces hide the time that each takes. */
#define JOB_SMALL_BYTES 32768u
#define JOB_SMALL_MOST 192u

#define JOB_KEPT 40u

struct slot {
    struct ferry_request request; /* first: a request that comes back is its slot */
    bool is_busy, is_parked;      /* parked: read, and others before it are not written yet */
    unsigned char *buffer;        /* for this piece; NULL: zeroes and flushes need none */
    size_t room;
    uint64_t units;          /* of a large one: which of the job's are its own */
    uint64_t offset, length; /* of the piece */
    uint64_t done;           /* of it, already in the destination */
    uint64_t write_length;   /* length, and zeroes up to the end of the last block */
    uint64_t covers;         /* a flush: all before this was done when it was sent */
};

struct job {
    struct copy_end *from, *to;
    const struct copy_wants *wants;
    struct copy_progress now;
    struct walk walk;
    struct slot *slots;
    size_t n_large, n_small, n_slots;
    size_t n_units, unit_bytes; /* of memory, for large pieces; 64 at most */
    uint64_t taken;             /* which of them are in use, a bit each */
    unsigned char *memory;      /* units, then the buffers of small slots */
    unsigned busy, writing;
    bool reads_zero; /* what is not written in the destination reads as zero */
    bool walk_is_over, is_flushing, must_flush, is_lost, has_piece;
    struct piece piece; /* the next one, that found no slot */
    uint64_t unflushed_bytes, flush_bytes;
    uint64_t lost_at; /* safe_bytes at the last loss */
    uint32_t lost_here;
    uint64_t told_ms, heard_ms;
    /* Where some of the writes began, each as likely as any other: what verification looks at. */
    uint64_t written_at[JOB_KEPT], n_written, random;
};

int job_begin(struct job *j, struct copy_end *from, struct copy_end *to, const struct copy_wants *wants,
              struct error *err);
void job_end(struct job *j);

/* Buffers for a large piece, or false: too few are free side by side. */
bool job_take_units(struct job *j, struct slot *s, uint64_t length);

/* All pieces before it are done. */
uint64_t job_done_to(const struct job *j);

/* Begins a piece in a free slot that fits; 1 begun, 0 none is free. */
int slot_begin(struct job *j, const struct piece *p, struct error *err);
/* What to do after a request came back. */
int slot_next(struct job *j, struct slot *s, struct error *err);
/* 1 begun, 0 none is free. */
int slot_flush(struct job *j, struct error *err);

/* verify.c: reads back what the job has copied. */
int verify_run(struct job *j, struct error *err);
/* Told at most ten times a second, unless now. */
int job_tell(struct job *j, bool now, struct error *err);
/* Since the copy began or something was last heard. */
int job_wait(struct job *j, struct error *err);
uint64_t job_now_ms(void);
uint64_t job_random(struct job *j);
/* A write is done. */
void job_keep(struct job *j, uint64_t offset);

#endif
