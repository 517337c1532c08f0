/* SPDX-License-Identifier: Apache-2.0
 * One run: what is asked of it, what it tells, what became of it. Never prints: what it has to say goes
 * through the reporter. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "facts/model.h"
#include "plan/plan.h"
#include "plan/relocate.h"

struct config;

/* A look at the job, several times a second. Figures that are not known are NOT_KNOWN. */
struct run_progress {
    const char *phase; /* "survey", "copying disks", "pre-copy", "switch-over", "verify" */
    uint64_t elapsed_ms;
    uint64_t total_bytes, processed_bytes, remaining_bytes;
    uint64_t bytes_per_s, dirty_bytes_per_s;
    uint64_t pass;
    uint64_t zero_bytes; /* of those that were processed: not sent; 0 where nobody counts them */
};

/* What a run tells whoever owns the process of the user's signals; either may be NULL. */
struct run_signals {
    /* On the second SIGINT: ends the process. run "" = none was begun; is_asked: libvirt was asked, so that
     * it is not known where the guest is. */
    void (*leave)(void *context, const char *run, bool is_asked);
    void (*slow)(void *context, const char *what); /* what a run that was asked to stop waits for */
};

/* Disks that shall lie elsewhere on their own host. */
struct relocation_wish {
    const char *to;            /* a location */
    const char *format;        /* "raw", "qcow2", "keep"; NULL: what suits the place */
    struct finding_refs disks; /* targets; none: all that the guest can write */
    const char *verify;        /* sampled, full, none: of copies that no QEMU makes; NULL: not said */
};

struct run_options {
    const char *source_uri, *dest;
    const char *domain;          /* NULL = none, of run_survey alone: the two hosts are looked at */
    const char *via;             /* where RAM and disks shall go: an address or a network; NULL = not said */
    const char *tls_destination; /* the name that the certificate for data bears; NULL = the plan's choice */
    const struct config *config;
    struct plan_limits limits;
    const struct map *maps; /* lent: what is called otherwise at the destination */
    size_t n_maps;
    struct finding_refs overwrite; /* lent: targets whose devices there may be overwritten */
    const char *strategy;          /* id of the one to take, NULL = the cheapest */
    const json_t *saved;           /* a saved plan: its strategy, or none at all; NULL = not asked for */
    const struct relocation_wish *relocate; /* lent; NULL: none */
    uint64_t measure_dirty_s;               /* watch the guest's writes first; 0 = do not */
    bool compare_bases;  /* read backing files that are not proved to be one, on both hosts */
    uint64_t timeout_ms; /* NOT_KNOWN = none */
    void (*say)(void *context, const char *line); /* one message for the user, whole, not escaped */
    void (*progress)(void *context, const struct run_progress *p);
    void (*planned)(void *context, const struct plan *p); /* before anything is done */
    struct run_signals signals;
    bool (*ask_password)(const char *host); /* true: there is one now, and it is worth trying; NULL = never */
    void *context;
};

enum run_outcome { OUTCOME_NONE, OUTCOME_MOVED, OUTCOME_STAYED, OUTCOME_NOT_KNOWN };

struct run_result {
    char run[NAME_RUN_SIZE]; /* "" when nothing was begun */
    enum run_outcome outcome;
    struct facts *facts;
    struct plan *plan;
    const char *strategy;                 /* id of the one that was carried out */
    uint64_t time_ms, downtime_ms, bytes; /* actual; NOT_KNOWN */
    uint64_t memory_bytes, disk_bytes;    /* what bytes is the sum of; the second 0 where none was copied */
    bool went_postcopy;     /* the guest went on at the destination before its memory was there */
    bool lacks_postcopy;    /* it stayed because the hosts cannot do the post-copy that was armed */
    bool downtime_is_least; /* the guest stood still for longer than downtime_ms */
    struct text problems;   /* one line each: moved, but … */
    struct relocation_plan *relocation; /* of run_relocate */
    bool was_relocated;
    struct finding_refs retired; /* targets whose old images are gone; on the facts' arena */
};
void run_result_done(struct run_result *r);

#endif
