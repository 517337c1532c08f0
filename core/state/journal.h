/* SPDX-License-Identifier: Apache-2.0
 * The steps of a run, on disk before each is done: an append-only file of JSON lines with length and CRC32C.
 * A torn tail is ignored, a damaged middle stops the reader. Readable with cat on a broken host. */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "base/error.h"
#include "base/json.h"
#include "base/owned.h"

struct journal;

/* A state folder that somebody copied or mounted here, named by itself or by its "runs": checked as the own
 * one is, never made. malloc'ed. */
char *state_dir_at(const char *path, struct error *err);
/* The state folder: VIRT_FERRY_STATE_DIR, else /var/lib/virt-ferry for root, else
 * $XDG_STATE_HOME/virt-ferry; made 0700 with its "runs" folder when it is missing. malloc'ed. */
char *state_dir(struct error *err);

/* Creates runs/RUN.journal exclusively, locks it (flock, held until journal_free or death), fsyncs the
 * folder. */
struct journal *journal_create(const char *dir, const char *run, struct error *err);
/* Opens an existing one for appending. NULL with ERROR_BUSY when a living process holds it, ERROR_NOT_KNOWN
 * when its middle is damaged, ERROR_ABSENT when it is not there. */
struct journal *journal_open(const char *dir, const char *run, struct error *err);
void journal_free(struct journal *j);
OWNED_DEFINE(journal)

/* Appends {"step": step, "at_ms": wall clock, …fields}, and fdatasyncs before it returns. fields may be NULL;
 * the reference is taken. Fault points "journal" and "journal-STEP" count here (base/fault.h). */
int journal_append(struct journal *j, const char *step, json_t *fields, struct error *err);
/* The same, but on disk no sooner than the next that journal_append writes: for all but the last of several
 * records of which none counts before all do. */
int journal_append_ahead(struct journal *j, const char *step, json_t *fields, struct error *err);

/* The records so far, as a JSON array of objects; lent. */
const json_t *journal_records(const struct journal *j);
/* The newest record with this step, or NULL. */
const json_t *journal_last(const struct journal *j, const char *step);
const char *journal_run(const struct journal *j);
/* A record "end" stands in it: nothing is left to do. */
bool journal_is_ended(const struct journal *j);

/* The names of all runs in the folder, oldest first, as a JSON array of texts; NULL on failure. A run that is
 * ended is included. */
json_t *journal_list(const char *dir, struct error *err);
/* Reads without locking (a living run may hold it): the records, a new reference. ret_is_held says whether a
 * living process holds the lock. */
json_t *journal_peek(const char *dir, const char *run, bool *ret_is_held, struct error *err);
/* The same as a journal that takes no record: for looking at what would be done. */
struct journal *journal_look(const char *dir, const char *run, bool *ret_is_held, struct error *err);
/* The journal of a run that died before its first step is closed: what is not in it was not done. 1: it is;
 * 0: there is a step in it, or it is younger than a minute and may be about to be begun. */
int journal_close_unbegun(const char *dir, const char *run, struct error *err);

#endif
