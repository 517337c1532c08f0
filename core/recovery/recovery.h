/* SPDX-License-Identifier: Apache-2.0
 * `virt-ferry recover` and `virt-ferry abort`: every open run found by its journal, or by the mark on its
 * domain, settled or asked to stop. Never prints. */
#ifndef RECOVERY_RECOVERY_H
#define RECOVERY_RECOVERY_H

#include "run/run.h"

struct recovery_options {
    const char *source_uri;  /* of -c, or its default */
    bool is_uri_given;       /* by -c: it stands in for "this host" of a run of another machine */
    const char *what;        /* a run's name, or a domain's name or uuid; NULL = all open runs */
    const char *journal_dir; /* NULL = the state folder of this user */
    const char *const *dead; /* lent: hosts that the operator calls dead */
    size_t n_dead;
    bool is_dry;
    const struct config *config;
    /* Does the operator attest it? NULL = never. */
    bool (*attests)(void *context, const char *claim);
    void (*say)(void *context, const char *line);
    struct run_signals signals;
    bool (*ask_password)(const char *host); /* as in run_options */
    void *context;
};

enum recovered_state {
    RECOVERED_ALIVE,     /* a process works on it: not touched */
    RECOVERED_ELSEWHERE, /* another machine ran it, and has its journal: not touched */
    RECOVERED_CLOSED,    /* it had ended before */
    RECOVERED_WOULD,     /* a dry run: decision says what would be done */
    RECOVERED_SETTLED,   /* outcome says where the guest is */
    RECOVERED_FAILED,    /* err says why */
};

/* What became of one run. */
struct recovered {
    char run[NAME_RUN_SIZE], kind[16], domain[256], uuid[40];
    char source_host[256], dest_host[256], client[128]; /* client: the machine that ran it */
    char step[64];                                      /* the newest in its journal */
    uint64_t began_s;
    char source_seen[56], dest_seen[56]; /* "" = not looked at */
    enum recovered_state state;
    const char *decision, *row, *because; /* NULL = none was needed */
    enum run_outcome outcome;
    struct text problems; /* one line each */
    struct error err;
};

struct recovery {
    struct recovered *list;
    size_t n, size;
    struct error
        unreadable; /* of the first journal of which nobody can say whether it was meant; code 0 = none */
};
void recovery_done(struct recovery *r);

/* 0, or the worst of what the runs ended with; ret has them all either way. */
int run_recover(const struct recovery_options *o, struct recovery *ret, struct error *err);
/* Asks the run that lives on this client to stop, or libvirt to end the job of another machine's run; waits
 * until that is over. what is a domain. 0: the guest is at the source. */
int run_abort(const struct recovery_options *o, struct recovered *ret, struct error *err);

#endif
