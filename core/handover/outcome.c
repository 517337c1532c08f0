/* SPDX-License-Identifier: Apache-2.0
 * The table as rows, in the order of README.md and by its names: a test holds the two against each other, and
 * another changes each row and sees the model break. */
#include "handover/outcome.h"

#define ONE(state, reason) (UINT64_C(1) << (SIDE_##state * SIDE_REASONS + REASON_##reason))
#define ALL(state) (((UINT64_C(1) << SIDE_REASONS) - 1) << (SIDE_##state * SIDE_REASONS))
#define BUT(state, reason) (ALL(state) & ~ONE(state, reason))
#define ANY ((UINT64_C(1) << (SIDE_STATES * SIDE_REASONS)) - 1)

static const struct outcome_row rows[] = {
    { .name = "never-asked",
      .source = ANY,
      .dest = ANY,
      .when = { { 0, OUTCOME_ASKED } },
      .decision = DECIDE_STAYED,
      .because = "libvirt knows nothing of a move" },
    { .name = "source-silent",
      .source = ALL(NOT_KNOWN),
      .dest = ANY,
      .decision = DECIDE_NOT_KNOWN,
      .because = "silence is no fact" },
    { .name = "dest-silent",
      .source = ANY,
      .dest = ALL(NOT_KNOWN),
      .decision = DECIDE_NOT_KNOWN,
      .because = "silence is no fact" },
    { .name = "job",
      .source = ANY,
      .dest = ANY,
      .when = { { OUTCOME_SOURCE_JOB, 0 }, { OUTCOME_DEST_JOB, 0 } },
      .decision = DECIDE_WAIT,
      .because = "what libvirt has begun it may still finish" },
    { .name = "still-there",
      .source = ALL(RUNNING),
      .dest = ALL(ABSENT) | ONE(OFF, FAILED) | ALL(DEAD),
      .decision = DECIDE_STAYED,
      .because = "it runs on, and nothing of it is over there" },
    { .name = "ended-by-us",
      .source = ALL(RUNNING),
      .dest = ALL(OFF),
      .when = { { OUTCOME_DESTROYED, 0 } },
      .decision = DECIDE_STAYED,
      .because = "what is off there was ended by us before it ran" },
    { .name = "off-there",
      .source = ALL(RUNNING),
      .dest = ALL(OFF),
      .decision = DECIDE_NOT_KNOWN,
      .because = "it may have run there and been shut off since" },
    { .name = "waits-there",
      .source = ALL(RUNNING),
      .dest = ONE(PAUSED, MIGRATION),
      .decision = DECIDE_DROP_DEST,
      .because = "it only waits for a source that goes on without it" },
    { .name = "arrived-there",
      .source = ALL(RUNNING),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, 0 }, { OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_DROP_DEST,
      .because = "it only waits; libvirt calls an arrival that stays paused so" },
    { .name = "both",
      .source = ALL(RUNNING),
      .dest = ALL(PAUSED) | ALL(RUNNING),
      .decision = DECIDE_TWICE,
      .because = "nobody but the operator knows which is right" },
    { .name = "postcopy-split",
      .source = ONE(PAUSED, POSTCOPY),
      .dest = ALL(RUNNING) | ALL(PAUSED),
      .decision = DECIDE_NOT_KNOWN,
      .because = "each holds memory that the other lacks" },
    { .name = "postcopy-lost",
      .source = ONE(PAUSED, POSTCOPY),
      .dest = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .decision = DECIDE_GONE,
      .because = "the half that was over there is lost" },
    { .name = "postcopy-cut",
      .source = ALL(PAUSED),
      .dest = ONE(PAUSED, POSTCOPY),
      .decision = DECIDE_NOT_KNOWN,
      .because = "each holds memory that the other lacks" },
    { .name = "answer-lost",
      .source = ALL(PAUSED),
      .dest = ALL(RUNNING),
      .decision = DECIDE_FINISH,
      .because = "the answer was lost, not the guest" },
    { .name = "never-ran",
      .source = ALL(PAUSED),
      .dest = ONE(PAUSED, MIGRATION),
      .decision = DECIDE_DROP_DEST,
      .because = "it never ran there; the source is whole" },
    { .name = "never-ran-held",
      .source = ALL(PAUSED),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, 0 }, { OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_DROP_DEST,
      .because = "it never ran there; the source is whole" },
    { .name = "stopped-there",
      .source = ALL(PAUSED),
      .dest = ALL(PAUSED),
      .decision = DECIDE_FINISH,
      .because = "it ran there, and stopped for a reason of its own" },
    { .name = "rebooted",
      .source = ALL(PAUSED),
      .dest = ALL(ABSENT) | ALL(OFF),
      .when = { { OUTCOME_REBOOTED, OUTCOME_DESTROYED } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "it may have run before the reboot" },
    { .name = "died",
      .source = ALL(PAUSED),
      .dest = ALL(DEAD),
      .when = { { 0, OUTCOME_DESTROYED } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "it may have run before that host died" },
    { .name = "off-unproved",
      .source = ALL(PAUSED),
      .dest = BUT(OFF, FAILED),
      .when = { { 0, OUTCOME_DESTROYED } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "it may have run there and been shut off since" },
    { .name = "as-before",
      .source = ALL(PAUSED),
      .dest = ALL(ABSENT) | ALL(OFF) | ALL(DEAD),
      .when = { { OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_STAYED,
      .because = "it is as it was before" },
    { .name = "only-here",
      .source = ONE(PAUSED, MIGRATION),
      .dest = ALL(ABSENT) | ALL(OFF) | ALL(DEAD),
      .decision = DECIDE_RESUME_SOURCE,
      .because = "libvirt stopped it, and nothing runs over there" },
    { .name = "stopped-here",
      .source = ALL(PAUSED),
      .dest = ALL(ABSENT) | ALL(OFF) | ALL(DEAD),
      .decision = DECIDE_STAYED,
      .because = "somebody else stopped it: not ours to start" },
    { .name = "postcopy-said",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(RUNNING, POSTCOPY),
      .when = { { OUTCOME_SAID_MOVED, 0 } },
      .decision = DECIDE_FINISH,
      .because = "the last page came before the source went" },
    { .name = "postcopy-whole",
      .source = ONE(OFF, MIGRATED),
      .dest = ONE(RUNNING, POSTCOPY),
      .decision = DECIDE_FINISH,
      .because = "the last page came before the source went" },
    { .name = "postcopy-half",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(RUNNING, POSTCOPY),
      .decision = DECIDE_GONE,
      .because = "it runs without the pages that never came, and the source that had them is gone" },
    { .name = "moved",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ALL(RUNNING),
      .decision = DECIDE_FINISH,
      .because = "it runs there, and nowhere else" },
    { .name = "nowhere",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .decision = DECIDE_GONE,
      .because = "it runs on neither host" },
    { .name = "dead-unheard",
      .source = ALL(DEAD),
      .dest = ONE(PAUSED, MIGRATION),
      .when = { { 0, OUTCOME_SAID_MOVED } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "only the word of the source would make it whole" },
    { .name = "dead-unheard-held",
      .source = ALL(DEAD),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, OUTCOME_SAID_MOVED }, { OUTCOME_WAS_PAUSED, OUTCOME_SAID_MOVED } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "only the word of the source would make it whole" },
    { .name = "arrived-paused",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_FINISH,
      .because = "it arrived as it was" },
    { .name = "held-moved",
      .source = ONE(OFF, MIGRATED),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, 0 } },
      .decision = DECIDE_RESUME_DEST,
      .because = "the end of the source is what we waited for" },
    { .name = "held-said",
      .source = ALL(OFF) | ALL(DEAD),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD | OUTCOME_SAID_MOVED, 0 } },
      .decision = DECIDE_RESUME_DEST,
      .because = "the end of the source is what we waited for" },
    { .name = "held-transient",
      .source = ALL(ABSENT),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, 0 } },
      .decision = DECIDE_RESUME_DEST,
      .because = "a transient domain leaves no word behind (limit 3)" },
    { .name = "held-unproved",
      .source = ALL(OFF),
      .dest = ONE(PAUSED, USER),
      .when = { { OUTCOME_HELD, 0 } },
      .decision = DECIDE_NOT_KNOWN,
      .because = "it may have run on, and been shut off since" },
    { .name = "paused-said",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(PAUSED, MIGRATION),
      .when = { { OUTCOME_SAID_MOVED | OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_FINISH,
      .because = "it arrived as it was" },
    { .name = "paused-moved",
      .source = ONE(OFF, MIGRATED),
      .dest = ONE(PAUSED, MIGRATION),
      .when = { { OUTCOME_WAS_PAUSED, 0 } },
      .decision = DECIDE_FINISH,
      .because = "it arrived as it was" },
    { .name = "whole-said",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(PAUSED, MIGRATION),
      .when = { { OUTCOME_SAID_MOVED, 0 } },
      .decision = DECIDE_RESUME_DEST,
      .because = "libvirt says that it is whole" },
    { .name = "whole-moved",
      .source = ONE(OFF, MIGRATED),
      .dest = ONE(PAUSED, MIGRATION),
      .decision = DECIDE_RESUME_DEST,
      .because = "libvirt says that it is whole" },
    { .name = "incomplete",
      .source = ALL(OFF) | ALL(ABSENT),
      .dest = ONE(PAUSED, MIGRATION),
      .decision = DECIDE_NOT_KNOWN,
      .because = "its memory may be incomplete" },
    { .name = "postcopy-rest",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ONE(PAUSED, POSTCOPY),
      .decision = DECIDE_GONE,
      .because = "a half of its memory is all that is left" },
    { .name = "stopped-since",
      .source = ALL(OFF) | ALL(ABSENT) | ALL(DEAD),
      .dest = ALL(PAUSED),
      .decision = DECIDE_FINISH,
      .because = "it ran there, and stopped for a reason of its own" },
};

const struct outcome_row *outcome_rows(size_t *ret_n)
{
    *ret_n = sizeof rows / sizeof *rows;
    return rows;
}

static unsigned flags_of(const struct evidence *e)
{
    return (e->was_asked ? OUTCOME_ASKED : 0) | (e->was_paused ? OUTCOME_WAS_PAUSED : 0) |
           (e->is_held ? OUTCOME_HELD : 0) | (e->dest_destroyed ? OUTCOME_DESTROYED : 0) |
           (e->dest_rebooted ? OUTCOME_REBOOTED : 0) | (e->said_moved ? OUTCOME_SAID_MOVED : 0) |
           (e->source.has_job ? OUTCOME_SOURCE_JOB : 0) | (e->dest.has_job ? OUTCOME_DEST_JOB : 0);
}

static uint64_t bit_of(const struct side *s)
{
    return UINT64_C(1) << (s->state * SIDE_REASONS + s->reason);
}

static bool condition_fits(const struct outcome_row *r, unsigned flags)
{
    for (size_t i = 0; i < 2; i++) {
        const bool is_meant = i == 0 || r->when[i].need || r->when[i].forbid;

        if (is_meant && (flags & r->when[i].need) == r->when[i].need && !(flags & r->when[i].forbid))
            return true;
    }
    return false;
}

const struct outcome_row *outcome_row(const struct outcome_row *table, size_t n, const struct evidence *e)
{
    const uint64_t source = bit_of(&e->source), dest = bit_of(&e->dest);
    const unsigned flags = flags_of(e);

    for (size_t i = 0; i < n; i++)
        if ((table[i].source & source) && (table[i].dest & dest) && condition_fits(&table[i], flags))
            return &table[i];
    return NULL;
}

enum decision outcome_decide(const struct evidence *e)
{
    const struct outcome_row *r = outcome_row(rows, sizeof rows / sizeof *rows, e);

    return r ? r->decision : DECIDE_NOT_KNOWN;
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
