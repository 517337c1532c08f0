/* SPDX-License-Identifier: Apache-2.0
 * A run from the inside, of whatever kind: what all that move, relocate or recover share.
 * What a part does to a host stands in the journal before it is done. */
#ifndef RUN_MOVE_H
#define RUN_MOVE_H

#include "handover/gate.h"
#include "handover/outcome.h"
#include "host/proof.h"
#include "host/survey.h"
#include "run/age.h"
#include "run/run.h"
#include "state/journal.h"

/* What the carrying of a run really took, as far as it was seen; times since libvirt was asked. */
struct actual {
    uint64_t first_ms, first_bytes, last_ms, last_bytes; /* of memory, by the looks at the job */
    uint64_t processed_bytes, qemu_setup_ms, passes, samples;
    uint64_t first_pass_bytes; /* NOT_KNOWN: no second pass was seen */
    uint64_t postcopy_ms;      /* when the guest was seen to have switched; NOT_KNOWN */
    uint64_t carry_ms;         /* libvirt's call, from end to end */
    uint64_t disk_bytes,
        disk_total_bytes;  /* that the mirrors went through so far, and of how many; NOT_KNOWN */
    uint64_t job_began_ms; /* monotonic, by the job's own count of its time; NOT_KNOWN */
    uint64_t resumed_ms;   /* monotonic: when the destination was resumed by us; NOT_KNOWN */
};

/* What a look at a host showed, in libvirt's words: an act upon it expects to find the same. */
struct sight {
    char state[24], reason[24];
    char other_run[NAME_RUN_SIZE]; /* the run whose mark stands there and is not ours; "" = none */
    bool has_other_mark, has_job, was_heard, is_persistent;
    uint64_t at_ms; /* loop_awake_ms */
};

/* How the halves of a guest are joined again, over all tries; monotonic, 0 = never. */
struct joining {
    uint64_t began_ms;    /* the newest try */
    uint64_t sent_bytes;  /* of memory, by the source */
    uint64_t moved_ms;    /* when that last grew */
    uint64_t answered_ms; /* when QEMU there was last free to answer, or nobody said that it was not */
    uint64_t looked_ms;
    bool said;
};

/* A source that says that post-copy failed, and a destination that does not. */
struct unheard {
    uint64_t since_ms; /* monotonic; 0 = it is not so */
    bool said;
};

struct move {
    const struct run_options *o;
    const struct relocation_wish *wish; /* the user's, or picked; NULL = no disk shall go elsewhere */
    struct relocation_wish picked;
    char picked_to[300];           /* its place */
    struct proof_of_folder folder; /* of the newest place that is a file */
    struct run_result *result;
    struct loop *loop;
    struct survey survey;
    char *state_dir;
    struct journal *journal;
    char run[NAME_RUN_SIZE];
    const char *kind;             /* of the run, as its journal begins: "migrate", "relocate" */
    uint64_t began_ms, marked_ms; /* monotonic */
    uint64_t mark_settles_ms;     /* how long after it the mark is believed */
    struct age_moment began;      /* as the journal has it */

    /* Of the domain, as the journal's "begin" has it: */
    char name[256], uuid[40];
    bool was_paused, is_persistent, autostart, is_held;
    uint64_t old_downtime_ms; /* NOT_KNOWN when it was not changed */

    struct facts *facts;
    struct plan *plan;
    const struct strategy *strategy;

    struct worker *mover;
    struct worker *sender; /* has what was sent open, and so locked: the images of a domain that is shut off,
                              or what those of one that runs rest on; NULL = none */
    struct call *opening;  /* the mover's connections, asked for while the survey goes on; NULL */
    struct gate *gate;
    struct reach ahead[2];         /* connections for the first look, in the making */
    uint64_t ahead_ms;             /* monotonic: since when; 0 = none are */
    struct worker *seen[2];        /* source, destination: the fresh connections of the newest look */
    struct sight sights[2];        /* what that look showed */
    const struct outcome_row *row; /* what was decided by it */
    bool is_cancelled, is_timed_out;
    struct error ended_why; /* why this run ended the job: what the second look at the mark found, a stall */
    struct error journal_lost; /* the first record of a worker that was not written; code 0 = none */
    bool gave_up_looking;      /* the destination did not answer while the gate held */
    struct error libvirt;      /* what libvirt said of the migration; a hint */

    bool is_recovery;      /* another process began it */
    bool is_foreign;       /* on another machine: its journal may be a copy that lacks the end */
    bool is_dead[2];       /* the operator attests that the source, the destination is dead */
    unsigned n_stops;      /* loop_stops when the newest look began */
    unsigned stops_before; /* and when the survey did */
    uint64_t surveyed_ms;  /* loop_awake_ms when it ended */

    bool is_p2p;         /* the source's libvirt makes the calls: its job outlives us */
    bool is_offline;     /* the domain is shut off, and its definition moves */
    bool is_postcopy;    /* the source was seen to have stopped for post-copy */
    bool gave_up_halves; /* the destination never learnt that its link was gone, as long as that was waited
                            for */
    bool dest_is_mute;   /* its QEMU did not answer any more when the halves were to be joined */
    struct joining joining;
    uint64_t carried_ms; /* monotonic: when libvirt was asked */
    struct actual actual;
    struct {
        uint64_t bytes, ms;
    } chains; /* what copied disks rest on, sent before libvirt was asked */
};

/* move.c: what every run has, whatever it does to the domain */
#define HOST_NAME_SIZE 128
const char *this_host(char *buf, size_t size);
void move_begin(struct move *m, const struct run_options *o, struct run_result *ret);
void move_phase(struct move *m, const char *name);
/* ERROR_CANCELLED, with where the guest is */
int move_cancelled(struct move *m, struct error *err);
int move_not_interrupted(struct move *m, struct error *err);
/* What libvirt said when a host was not reached (r < 0), in an operator's words. Returns r. */
int move_connected(int r, struct error *err);
/* libvirt only saw that a socket was closed: has something of the way ended, err tells that, and keeps
 * libvirt's words as why. */
bool move_blame_way(struct move *m, struct error *err);
bool move_copies_disks(const struct move *m);
/* What looking and proving made is gone again, and nobody need look for it; or, "left", it may not be. An
 * error where one of their records was not written: what they then did not prove says nothing. */
int move_surveyed(struct move *m, struct error *err);
/* All workers say goodbye at once, while this goes on; move_done waits for them. Nothing is asked any more.
 */
void move_leave(struct move *m);
void move_done(struct move *m);
/* The loop tells of signals through this run; m must outlive what follows. */
void move_hear_signals(struct move *m);
void move_say(struct move *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A problem that remains although the guest moved. */
void move_problem(struct move *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* journal.c's append with this run's journal, made first if there is none; takes the reference to fields. */
int move_record(struct move *m, const char *step, json_t *fields, struct error *err);
/* For workers that create things. */
int move_record_for_worker(void *move, const json_t *records, struct error *err);

/* act.c: one act upon the domain over a fresh connection: STEP is journalled before it, STEP-done after it
 * succeeded. */
int move_act(struct move *m, bool is_dest, const char *step, const char *verb, struct error *err);

/* mark.c */
/* "2026-11-24 10:15:30 UTC" */
const char *time_words(uint64_t time_s, char *buf, size_t size);
/* The live mark, else the defined one, in what "state" answered; NULL = none */
const json_t *mark_in(const json_t *state);
/* ERROR_BUSY, naming the run, its host and since when. */
int mark_busy(const json_t *mark, struct error *err);
/* Finishes or undoes a run of this client that died, by its name. */
typedef int mark_settle(struct move *m, const char *run, enum run_outcome *ret, struct error *err);
/* Sets it; that of a run that died is settled first. ERROR_BUSY when another run holds the domain. */
int mark_take(struct move *m, mark_settle *settle_dead, struct error *err);
/* That another run holds the domain is of more weight than what this one found in its way. */
void mark_first(struct move *m, struct error *err);
int mark_still_ours(struct move *m, struct error *err); /* waits until it settled, reads it back */
/* What a "state" of the source says of the mark; ERROR_BUSY when it is not ours. */
int mark_judge(const struct move *m, const json_t *state, struct error *err);
/* A run that looked and set its mark within MARK_PROMPT_MS is seen by every other that reads its own mark
 * back MARK_SETTLE_MS after having set it; one that was slower waits longer, and is seen by the second look,
 * which every run takes MARK_AGAIN_MS after its mark. */
#define MARK_PROMPT_MS 40u
#define MARK_SETTLE_MS 50u
#define MARK_AGAIN_MS 250u
#define MARK_SLOW_MS 500u
#define MARK_SLOWEST_MS 5000u
uint64_t mark_settle_ms(uint64_t took_ms);

/* mover.c */
/* Begins to connect it by the way that is likeliest to be chosen; what fails shows in mover_open. */
void mover_begin(struct move *m);
int mover_open(struct move *m, struct error *err);
/* A mover of its own for what follows a lost call: both connections are new, and no gate stands before them.
 */
int mover_anew(struct move *m, struct error *err);

/* look.c */
/* What a look showed is too old to act upon: this process was stopped since, or took long. */
#define LOOK_FRESH_MS 5000u
bool look_is_stale(const struct move *m);
/* Begins to connect for the look that will follow in a moment; it counts as fresh for LOOK_AHEAD_MS. */
#define LOOK_AHEAD_MS 2000u
void look_ahead(struct move *m);
struct evidence look_at_both(struct move *m);
struct side look_at(struct move *m, bool is_dest);
/* The connection that the newest look at that host was made over, given away, else a fresh one. */
struct worker *look_worker(struct move *m, bool is_dest, struct error *err);
/* Back again: the next look closes it, or the run's end, together with all else that is open. NULL is none.
 */
void look_worker_back(struct move *m, bool is_dest, struct worker *w);
#endif
