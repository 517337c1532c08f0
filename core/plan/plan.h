/* SPDX-License-Identifier: Apache-2.0
 * Facts and the user's limits in, ranked strategies out, each priced and judged; refused ones keep why.
 * Pure: no I/O, no clock, no libvirt. See README.md in this folder. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "facts/model.h"

enum prefer { PREFER_TIME, PREFER_DOWNTIME, PREFER_BYTES, PREFER_EXPOSURE };
/* Who makes libvirt's calls: this program (direct), or the source's libvirt by itself. */
enum manner { MANNER_ANY, MANNER_DIRECT, MANNER_P2P };
struct plan_limits {
    bool allow_cleartext;
    bool force_managed;
    enum prefer prefer;
    uint64_t max_downtime_ms;       /* NOT_KNOWN = libvirt's 300 ms, not a limit but an aim */
    uint64_t bandwidth_bytes_per_s; /* the user's cap; NOT_KNOWN = none */
    bool no_postcopy, no_throttle;
    bool flatten;            /* a copied disk rests on nothing, though its base may be the same there */
    bool keep_chain;         /* what a copied disk rests on goes with it, as files of its own */
    uint64_t deadline_ms;    /* NOT_KNOWN or 0 = none */
    bool deletes_source;     /* the old image of a disk that was relocated by itself goes afterwards */
    bool synchronous_writes; /* of a disk that is relocated: the guest waits for both images */
    enum manner manner;
    unsigned connections; /* that memory is sent by; 0 = as the planner thinks best */
};
enum { CONNECTIONS_MOST = 255 }; /* of QEMU */
/* A link between the hosts, or from here to one of them, that is cut: libvirt gives a move up when it heard
 * nothing for so long, direct by our keepalive (3 s, 4 times; ssh's is the same), peer to peer by libvirt's
 * own default (5 s, 5 times). What is surely survived is less: TCP tries again at twice the pause each time,
 * the last time before that limit 8.6 and 17.2 s after the cut where it is least lucky. */
#define CUT_GIVEN_UP_MS(is_p2p) ((is_p2p) ? 30000u : 15000u)
#define CUT_SURVIVED_MS(is_p2p) ((is_p2p) ? 17000u : 8000u)

enum treatment {
    TREAT_SHARED,
    TREAT_COPY,     /* all that the guest can read of it, into one image that rests on nothing */
    TREAT_NOTHING,  /* empty or read-only: libvirt is told nothing */
    TREAT_OVERLAY,  /* only what its own image holds; what it rests on is the same there */
    TREAT_RELOCATE, /* moved to its relocation on the source first, which both hosts reach */
    TREAT_CHAIN,    /* as TREAT_OVERLAY, once what it rests on was sent there */
};
enum memory_mode {
    MODE_PRECOPY,
    MODE_POSTCOPY,  /* armed: pre-copy, and post-copy after the first pass where it would not end */
    MODE_THROTTLED, /* pre-copy, the guest slowed as far as it needs */
    MODE_PAUSED,    /* the guest stands still for all of it */
    MODE_OFFLINE,   /* it is shut off: its definition moves */
};
enum hand_over {
    HAND_OVER_GATED,
    HAND_OVER_LOCKED, /* a disk's lock lets one of the two QEMUs have it; only where it is named */
    HAND_OVER_HELD,
    HAND_OVER_DEFINITION, /* offline: nothing runs */
};

/* An interval with the value thought likeliest. */
struct estimate {
    uint64_t low, likely, high;
};
/* What a strategy costs if it takes one of its ways. */
struct price {
    struct estimate time_ms, downtime_ms, bytes;
    struct estimate exposure_ms; /* in post-copy: a cut means waiting for the link */
};
struct strategy {
    const char *id;        /* "precopy-tcp-gated", unique in a plan; `--strategy` takes it */
    enum treatment *disks; /* one per disk of the domain, in its order */
    enum memory_mode mode;
    enum hand_over hand_over;
    const struct channel *channel;
    bool needs_unsafe; /* libvirt would refuse its file system; proof stands in the facts */
    struct estimate time_ms, downtime_ms, bytes;
    struct findings findings; /* with a REFUSES among them it cannot be chosen */
    bool is_alternative;      /* treats a disk as it cannot be treated; shown so that its refusal is seen */
    struct estimate exposure_ms;
    struct price stays, switches; /* MODE_POSTCOPY: the two branches; the figures above span both */
    bool may_not_end;             /* pre-copy that no figure promises an end */
    bool is_p2p;                  /* the source's libvirt makes the calls by itself */
    unsigned connections;         /* that memory is sent by; disks have one each, always */
};
struct plan {
    struct arena *arena;
    const struct facts *facts; /* lent */
    struct strategy *list;     /* ranked: the valid first, cheapest first; then the refused */
    size_t n, n_valid;
    size_t n_unasked;         /* of the valid, those that may be taken although nobody named one */
    struct findings findings; /* that concern every strategy */
    uint64_t max_downtime_ms;
};

/* facts must outlive the plan. Fails only without memory; a plan with n_valid 0 is an answer. */
struct plan *plan_make(const struct facts *facts, const struct plan_limits *limits, struct error *err);
void plan_free(struct plan *p);
OWNED_DEFINE(plan)

/* NULL when every one is refused, or only one is left that must be named: to stand still for all of a move.
 */
const struct strategy *plan_chosen(const struct plan *p);
/* Why nothing can be chosen, as an error for exit 3: the finding that most strategies share. */
int plan_refusal(const struct plan *p, struct error *err);

/* chain.c: is the layer of that disk (0: the nearest) sent to the destination for it? What several disks rest
 * on is, for the first of them. */
bool chain_sends(const struct domain *domain, const enum treatment *disks, size_t disk, size_t layer);

/* NULL when there is none of this id. */
const struct strategy *plan_strategy(const struct plan *p, const char *id);
/* The connections that a strategy of this id has by its last word, "-x4"; 1 where it has none. */
unsigned plan_connections_of(const char *id);
/* What refuses s (the plan's own findings first), NULL when it is valid. */
const struct finding *plan_refuses(const struct plan *p, const struct strategy *s);

/* saved.c: the chosen strategy with what it rests on, as `plan -o` keeps it. strategy NULL = the chosen. */
json_t *plan_save(const struct plan *p, const struct strategy *s, const struct plan_limits *limits,
                  struct error *err);
/* The strategy of p that was saved; NULL with ERROR_STALE and the difference where the facts that it rests on
 * are others now, or where it is refused. */
const struct strategy *plan_saved(const struct plan *p, const json_t *saved, struct error *err);
/* The limits that were saved; ERROR_INPUT when it is no saved plan. */
int plan_saved_limits(const json_t *saved, struct plan_limits *ret, struct error *err);

const char *treatment_word(enum treatment t);
bool treatment_copies(enum treatment t); /* an image of its own is made at the destination */
bool treatment_rests(enum treatment t);  /* and that one rests on what the disk's own does */
const char *memory_mode_word(enum memory_mode m);
const char *hand_over_word(enum hand_over h);

/* For people, 80 columns: one sentence, a table of all candidates, the findings. colour adds SGR codes. */
void plan_explain(const struct plan *p, bool colour, struct text *out);
json_t *plan_to_json(const struct plan *p);

#endif
