/* SPDX-License-Identifier: Apache-2.0
 * What moves were thought to cost and what they cost: one append-only file of records, the journal's format,
 * and the constants that a pair of hosts is priced with from it. */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "facts/model.h"

#define HISTORY_FITTED 9u /* so many of the newest moves make a constant */

/* Appends a record and syncs it; takes the reference. A tail that a dead writer left torn is cut off first; a
 * file that cannot be read is set aside as in history_read. Another writer is waited for. */
int history_append(const char *dir, json_t *record, struct error *err);

/* All records, oldest first, as a new array; an absent file is an empty one. What is damaged is renamed to
 * history.damaged-TIME, and its name is added to ret_aside; what stood before the damage is answered. */
json_t *history_read(const char *dir, struct text *ret_aside, struct error *err);

/* The constants of a way between two hosts (channel NULL: any), each the median of what the newest
 * HISTORY_FITTED moves showed. The spread is twice the median deviation, scaled to a standard deviation, at
 * least a tenth of the median; with fewer than three moves it is a quarter of it. */
void history_fit(const json_t *records, const char *source_uuid, const char *dest_uuid, const char *channel,
                 struct constants *ret);
/* The same of what the first pass of one guest sent, by its uuid. */
void history_fit_guest(const json_t *records, const char *uuid, struct constants *ret);

#endif
