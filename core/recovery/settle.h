/* SPDX-License-Identifier: Apache-2.0
 * How a run ends, whether it lived or died: looked at, decided, finished forward or undone. */
#ifndef RECOVERY_SETTLE_H
#define RECOVERY_SETTLE_H

#include "run/move.h"

/* settle.c: looks, decides, acts until it is known where the guest is; then finishes forward or undoes. The
 * return is what run_migrate returns. */
int settle(struct move *m, struct error *err);
const struct outcome_row *settle_row(const struct move *m, const struct evidence *e);
/* What that would come to, behind all waiting: halves of a guest of which one is lost are given up. */
const struct outcome_row *settle_expects(const struct move *m, const struct evidence *e);
/* advise.c: what an operator does, in order, about a guest that is on neither host, or of which it is not
 * known whether it ran on a host that is dead: the fix of err. */
int advise_gone(const struct move *m, bool was_postcopy, struct error *err);
int advise_dead(const struct move *m, struct error *err);
/* About one that waits at the destination, whose source has ended and does not say how. */
int advise_waits(const struct move *m, struct error *err);
/* About one of which both hosts told all that they know, by the row that this came to. */
int advise_row(const struct move *m, struct error *err);
/* About one that may hang at the source, for a destination that is gone. */
int advise_hung(const struct move *m, struct error *err);
/* And about one whose destination has not heard that its link is gone. */
int advise_unheard(const struct move *m, struct error *err);

/* postcopy-cut.c: both hosts showed, when last looked at, that they hold their half of a guest and lost each
 * other, and its data went over a way that can be gone again. */
bool postcopy_is_cut(const struct move *m);
/* One host says that post-copy failed, and the other's QEMU has ended, at the source otherwise than by
 * moving: unless the destination had all of the guest by then, and is about to say so, a half is all that is
 * left. */
bool postcopy_is_halved(const struct move *m);
/* The source says that post-copy failed, and the destination, which waits for pages, has not heard of it. */
bool postcopy_is_unheard(const struct move *m);
/* Says once, when that has lasted for a while, what an operator can do about it; true: it is waited for no
 * longer. */
bool postcopy_unheard(struct move *m, struct unheard *u, bool is_unheard);
/* Joins the halves again; 0 when libvirt says that all of the guest has arrived. Nothing is ended or started
 * by it, whatever it comes to. Ends where nothing comes any more (JOIN_STILL_MS), with dest_is_mute where
 * QEMU there has not answered for as long. */
int postcopy_resume(struct move *m, struct error *err);
#define POSTCOPY_PATIENCE_MS 600000u /* its memory may still follow: nothing else is left to do */
#define JOIN_STILL_MS 120000u
#define JOIN_SAY_MS 20000u
#define JOIN_BLIND_MS 30000u /* between two looks: more, and what was seen before counts no longer */
enum join_sight { JOIN_GOES_ON, JOIN_STANDS, JOIN_IS_MUTE };
void joining_begin(struct joining *j, uint64_t now_ms);
/* sent: NOT_KNOWN where the source did not say; is_busy: libvirt there waits for an answer of QEMU. */
enum join_sight joining_see(struct joining *j, uint64_t now_ms, uint64_t sent, bool is_busy);

/* settle-disks.c: after a failure or a death of a relocation, each disk is seen to be in its new image or in
 * its old one, and no copy goes on. Must be 0 before anything is removed. */
int settle_disks(struct move *m, struct error *err);
/* The image that this record of a creation is about is what a disk of the guest is in now, or may be. */
bool settle_keeps(const struct move *m, const json_t *records, size_t i);
/* Has the journal that step of that disk? */
bool settle_has(const struct move *m, const char *step, const char *target);
/* Where the disks that these records name by "target" are: what the worker's "block-look" answers. */
json_t *settle_look(struct move *m, struct worker *w, const json_t *disks, struct error *err);
/* settle-definition.c: the same for a domain that was shut off. */
int settle_definition(struct move *m, struct error *err);
/* settle-stand-in.c: ends the QEMU that a relocation started, over this worker of its host; 0 too when it is
 * somebody else's by now, which is said, and when there is none. */
int settle_stand_in(struct move *m, struct worker *source, struct error *err);

/* undo.c */
int undo_all(struct move *m, struct error *err);
/* The same; what is left is a problem that is told. */
void undo_and_tell(struct move *m);
/* Undoes what was prepared; returns err's code. */
int undo_given_up(struct move *m, struct error *err);
/* Behind a look that came to r: what it created is removed, however it went. */
void undo_look(struct move *m, int r);
/* finish.c */
int finish_forward(struct move *m, struct error *err);
/* What the copied disks sent, of what their mirrors went through: some count holes, which are not sent. */
uint64_t disk_sent_bytes(const struct facts *f, const struct strategy *s, const struct actual *a);
/* How long a guest stood still that was resumed at resumed_ms (monotonic), from the statistics of the job
 * that libvirt counts up to its own end; libvirt's figure with *ret_least where more cannot be known. */
uint64_t held_downtime_ms(const struct actual *a, uint64_t job_elapsed_ms, uint64_t job_downtime_ms,
                          bool *ret_least);

/* settle-dead.c: settles what earlier runs of this client left of the domain. ret_moved: one of them turned
 * out to have moved it to the same destination, so that nothing is left to do. */
int recover_domain(struct move *m, bool *ret_moved, struct error *err);
/* Finishes or undoes a run by its name; ERROR_BUSY when it lives. */
int recover_run(struct move *m, const char *run, enum run_outcome *ret, struct error *err);
/* Takes over what the journal of a dead run says of it; its journal is open. */
int recover_resume(struct move *dead, struct error *err);
/* May that URI be used out of a journal? One that was given on the command line this time always. */
bool recover_takes_uri(const char *uri, const struct run_options *o);
/* Settles it: as recover_run, once all was said of it. */
int recover_settle(struct move *dead, struct error *err);
/* The newest record of that step, or NULL. */
const json_t *recover_last_step(const json_t *records, const char *step);

#endif
