/* SPDX-License-Identifier: Apache-2.0
 * One function per state of the source; the rows are those of README.md, in its order. */
#include "run/outcome.h"

/* The destination holds nothing that has ever run. */
static bool dest_is_empty(const struct evidence *e)
{
    return e->dest.state == SIDE_ABSENT ||
           (e->dest.state == SIDE_OFF && (e->dest.reason == REASON_FAILED || e->dest_destroyed));
}

/* The destination holds it paused, and it has never run there. */
static bool dest_only_waits(const struct evidence *e)
{
    if (e->dest.state != SIDE_PAUSED)
        return false;
    if (e->dest.reason == REASON_MIGRATION)
        return true;
    return e->dest.reason == REASON_USER && (e->is_held || e->was_paused);
}

static enum decision source_runs(const struct evidence *e)
{
    if (dest_is_empty(e))
        return DECIDE_STAYED;
    if (dest_only_waits(e))
        return DECIDE_DROP_DEST;
    return e->dest.state == SIDE_OFF ? DECIDE_NOT_KNOWN : DECIDE_TWICE;
}

static enum decision source_is_paused(const struct evidence *e)
{
    /* After a switch to post-copy each side holds memory that the other has not: neither may be ended. */
    if (e->source.reason == REASON_POSTCOPY)
        return e->dest.state == SIDE_RUNNING || e->dest.state == SIDE_PAUSED ? DECIDE_NOT_KNOWN : DECIDE_GONE;
    if (e->dest.state == SIDE_PAUSED && e->dest.reason == REASON_POSTCOPY)
        return DECIDE_NOT_KNOWN;
    if (e->dest.state == SIDE_RUNNING)
        return DECIDE_FINISH;
    if (dest_only_waits(e))
        return DECIDE_DROP_DEST;
    if (e->dest.state == SIDE_PAUSED)
        return DECIDE_FINISH;
    /* Absent after a reboot, or off after who knows what: it may have run there and written its disks. */
    if (!dest_is_empty(e) || (e->dest_rebooted && !e->dest_destroyed))
        return DECIDE_NOT_KNOWN;
    if (e->was_paused || e->source.reason != REASON_MIGRATION)
        return DECIDE_STAYED;
    return DECIDE_RESUME_SOURCE;
}

/* The source ended since it was moved. One that was shut off for another reason may have run on after the
 * destination's memory was taken, and changed its disks. */
static bool source_was_moved(const struct evidence *e)
{
    return e->said_moved || (e->source.state == SIDE_OFF && e->source.reason == REASON_MIGRATED);
}

static enum decision source_has_ended(const struct evidence *e)
{
    /* It runs without the pages that never came, and the source that had them is gone. */
    if (e->dest.state == SIDE_RUNNING && e->dest.reason == REASON_POSTCOPY)
        return source_was_moved(e) ? DECIDE_FINISH : DECIDE_GONE;
    if (e->dest.state == SIDE_RUNNING)
        return DECIDE_FINISH;
    if (e->dest.state != SIDE_PAUSED)
        return DECIDE_GONE;
    if (e->was_paused && e->dest.reason == REASON_USER)
        return DECIDE_FINISH;
    if (e->is_held && e->dest.reason == REASON_USER)
        return source_was_moved(e) || e->source.state == SIDE_ABSENT ? DECIDE_RESUME_DEST : DECIDE_NOT_KNOWN;
    /* Paused for the move, with its source gone: only libvirt's own word that it was moved makes it whole. */
    if (e->dest.reason == REASON_MIGRATION && !source_was_moved(e))
        return DECIDE_NOT_KNOWN;
    if (e->dest.reason == REASON_MIGRATION)
        return e->was_paused ? DECIDE_FINISH : DECIDE_RESUME_DEST;
    return e->dest.reason == REASON_POSTCOPY ? DECIDE_GONE : DECIDE_FINISH;
}

enum decision outcome_decide(const struct evidence *e)
{
    if (!e->was_asked)
        return DECIDE_STAYED;
    if (e->source.state == SIDE_NOT_KNOWN || e->dest.state == SIDE_NOT_KNOWN)
        return DECIDE_NOT_KNOWN;
    if (e->source.has_job || e->dest.has_job)
        return DECIDE_WAIT;
    switch (e->source.state) {
    case SIDE_RUNNING:
        return source_runs(e);
    case SIDE_PAUSED:
        return source_is_paused(e);
    default:
        return source_has_ended(e);
    }
}

enum decision outcome_decide_offline(const struct evidence *e)
{
    const bool source_runs = e->source.state == SIDE_RUNNING || e->source.state == SIDE_PAUSED;
    const bool dest_runs = e->dest.state == SIDE_RUNNING || e->dest.state == SIDE_PAUSED;

    if (!e->was_asked)
        return DECIDE_STAYED;
    if (e->source.state == SIDE_NOT_KNOWN || e->dest.state == SIDE_NOT_KNOWN)
        return DECIDE_NOT_KNOWN;
    if (e->source.has_job || e->dest.has_job)
        return DECIDE_WAIT;
    if (source_runs && dest_runs)
        return DECIDE_TWICE;
    /* Somebody started it meanwhile: where it runs, there it is. */
    if (source_runs)
        return DECIDE_STAYED;
    if (dest_runs || e->dest.state == SIDE_OFF)
        return DECIDE_FINISH;
    return e->source.state == SIDE_OFF ? DECIDE_STAYED : DECIDE_GONE;
}

const char *decision_word(enum decision d)
{
    static const char *const words[] = {
        [DECIDE_STAYED] = "stayed",
        [DECIDE_RESUME_SOURCE] = "resume-source",
        [DECIDE_DROP_DEST] = "drop-dest",
        [DECIDE_FINISH] = "finish",
        [DECIDE_RESUME_DEST] = "resume-dest",
        [DECIDE_WAIT] = "wait",
        [DECIDE_GONE] = "gone",
        [DECIDE_TWICE] = "twice",
        [DECIDE_NOT_KNOWN] = "not-known",
    };

    return words[d];
}
