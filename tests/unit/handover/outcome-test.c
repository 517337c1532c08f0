/* SPDX-License-Identifier: Apache-2.0
 * The decision table: every combination of evidence against the invariants, written apart from the code, and
 * against the rows of core/handover/README.md, read from there, so that neither can change without the other.
 */
#include "base/owned.h"
#include "check-main.h"
#include "handover/outcome.h"

#include <stdio.h>
#include <string.h>

#define STATES SIDE_STATES
#define REASONS SIDE_REASONS
#define ROWS_MOST 64

static const char *const state_words[STATES] = { "not-known", "absent", "off", "paused", "running", "dead" };
static const char *const reason_words[REASONS] = { "other",  "migration", "user",     "postcopy",
                                                   "failed", "migrated",  "destroyed" };
static const char *const flag_words[] = { "asked",    "was-paused", "held",       "destroyed",
                                          "rebooted", "said-moved", "source-job", "dest-job" };

/* ---- every combination ---- */

static struct side side_at(unsigned *n)
{
    struct side s = { .state = (enum side_state)(*n % STATES) };

    *n /= STATES;
    s.reason = (enum side_reason)(*n % REASONS);
    *n /= REASONS;
    s.has_job = *n % 2;
    *n /= 2;
    return s;
}

#define COMBINATIONS (STATES * REASONS * 2 * STATES * REASONS * 2 * 64)

static struct evidence evidence_at(unsigned n)
{
    struct evidence e;

    e.source = side_at(&n);
    e.dest = side_at(&n);
    e.was_asked = n & 1;
    e.was_paused = n & 2;
    e.is_held = n & 4;
    e.dest_destroyed = n & 8;
    e.dest_rebooted = e.dest.has_rebooted = n & 16;
    e.said_moved = n & 32;
    return e;
}

static const char *words_of(const struct evidence *e)
{
    static char line[256];

    (void)snprintf(
        line, sizeof line, "source %s/%s%s, destination %s/%s%s,%s%s%s%s%s%s", state_words[e->source.state],
        reason_words[e->source.reason], e->source.has_job ? " with a job" : "", state_words[e->dest.state],
        reason_words[e->dest.reason], e->dest.has_job ? " with a job" : "", e->was_asked ? " asked" : "",
        e->was_paused ? " was-paused" : "", e->is_held ? " held" : "", e->dest_destroyed ? " destroyed" : "",
        e->dest_rebooted ? " rebooted" : "", e->said_moved ? " said-moved" : "");
    return line;
}

/* Calls a check for each combination in which libvirt was asked, both hosts answered and no job goes on; how
 * often that was with the decision that is judged. */
static unsigned each_settled(enum decision judged, void (*check)(const struct evidence *e, enum decision d))
{
    unsigned met = 0;

    for (unsigned n = 0; n < COMBINATIONS; n++) {
        struct evidence e = evidence_at(n);

        if (e.was_asked && e.source.state != SIDE_NOT_KNOWN && e.dest.state != SIDE_NOT_KNOWN &&
            !e.source.has_job && !e.dest.has_job) {
            const enum decision d = outcome_decide(&e);

            check(&e, d);
            met += d == judged;
        }
    }
    return met;
}

#define MUST(condition) ck_assert_msg(condition, "%s: %s", words_of(e), decision_word(d))

static bool never_ran_there(const struct evidence *e)
{
    /* On a host that died only what we ended before is known not to have run. */
    return (e->dest.state == SIDE_DEAD && e->dest_destroyed) || e->dest.state == SIDE_ABSENT ||
           (e->dest.state == SIDE_OFF && e->dest.reason == REASON_FAILED) ||
           (e->dest.state == SIDE_OFF && e->dest_destroyed);
}

static bool waits_there(const struct evidence *e)
{
    return e->dest.state == SIDE_PAUSED && (e->dest.reason == REASON_MIGRATION ||
                                            (e->dest.reason == REASON_USER && (e->is_held || e->was_paused)));
}

START_TEST(before_libvirt_is_asked_the_guest_stayed_whatever_is_seen)
    {
        unsigned met = 0;

        for (unsigned n = 0; n < COMBINATIONS; n++) {
            struct evidence seen = evidence_at(n), *e = &seen;
            enum decision d = outcome_decide(e);

            if (!e->was_asked) {
                MUST(d == DECIDE_STAYED);
                met++;
            }
        }
        ck_assert_uint_gt(met, 0);
    }
END_TEST

START_TEST(nothing_is_done_on_a_host_that_does_not_answer)
    {
        unsigned met = 0;

        for (unsigned n = 0; n < COMBINATIONS; n++) {
            struct evidence seen = evidence_at(n), *e = &seen;
            enum decision d = outcome_decide(e);

            if (e->was_asked && (e->source.state == SIDE_NOT_KNOWN || e->dest.state == SIDE_NOT_KNOWN)) {
                MUST(d == DECIDE_NOT_KNOWN);
                met++;
            }
        }
        ck_assert_uint_gt(met, 0);
    }
END_TEST

START_TEST(nothing_is_done_while_a_job_goes_on)
    {
        unsigned met = 0;

        for (unsigned n = 0; n < COMBINATIONS; n++) {
            struct evidence seen = evidence_at(n), *e = &seen;
            enum decision d = outcome_decide(e);

            if (e->was_asked && e->source.state != SIDE_NOT_KNOWN && e->dest.state != SIDE_NOT_KNOWN &&
                (e->source.has_job || e->dest.has_job)) {
                MUST(d == DECIDE_WAIT);
                met++;
            }
        }
        ck_assert_uint_gt(met, 0);
    }
END_TEST

static void source_resumed(const struct evidence *e, enum decision d)
{
    if (d != DECIDE_RESUME_SOURCE)
        return;
    MUST(e->source.state == SIDE_PAUSED && e->source.reason == REASON_MIGRATION);
    MUST(!e->was_paused);
    MUST(never_ran_there(e));
    MUST(!e->dest_rebooted || e->dest_destroyed);
}

START_TEST(the_source_is_resumed_only_where_the_destination_has_never_run)
    {
        ck_assert_uint_gt(each_settled(DECIDE_RESUME_SOURCE, source_resumed), 0);
    }
END_TEST

static void dest_resumed(const struct evidence *e, enum decision d)
{
    if (d != DECIDE_RESUME_DEST)
        return;
    MUST(e->source.state == SIDE_ABSENT || e->source.state == SIDE_OFF || e->source.state == SIDE_DEAD);
    MUST(e->dest.state == SIDE_PAUSED);
    MUST(e->dest.reason == REASON_USER || e->dest.reason == REASON_MIGRATION);
    MUST(!e->was_paused);
    /* That the source did not run on is libvirt's word, or the source is gone as a transient one is. */
    MUST(e->said_moved || (e->source.state == SIDE_OFF && e->source.reason == REASON_MIGRATED) ||
         (e->is_held && e->dest.reason == REASON_USER && e->source.state == SIDE_ABSENT));
}

START_TEST(the_destination_is_started_only_when_the_source_has_ended_by_the_move)
    {
        ck_assert_uint_gt(each_settled(DECIDE_RESUME_DEST, dest_resumed), 0);
    }
END_TEST

static void dest_dropped(const struct evidence *e, enum decision d)
{
    if (d != DECIDE_DROP_DEST)
        return;
    MUST(waits_there(e));
    MUST(e->source.state == SIDE_RUNNING || e->source.state == SIDE_PAUSED);
    MUST(e->source.state == SIDE_RUNNING || e->source.reason != REASON_POSTCOPY);
}

START_TEST(the_destination_is_ended_only_if_it_never_ran_and_the_source_lives)
    {
        ck_assert_uint_gt(each_settled(DECIDE_DROP_DEST, dest_dropped), 0);
    }
END_TEST

/* Finishing ends the source's QEMU and removes its definition. */
static void finished(const struct evidence *e, enum decision d)
{
    if (d != DECIDE_FINISH)
        return;
    MUST(e->source.state != SIDE_RUNNING);
    MUST(e->dest.state == SIDE_RUNNING || e->dest.state == SIDE_PAUSED);
    if (e->source.state == SIDE_PAUSED) {
        MUST(!waits_there(e));
        MUST(e->source.reason != REASON_POSTCOPY);
        MUST(e->dest.state == SIDE_RUNNING || e->dest.reason != REASON_POSTCOPY);
    } else {
        MUST(!waits_there(e) || e->was_paused);
    }
}

START_TEST(the_source_is_ended_only_when_the_destination_is_whole_and_lives)
    {
        ck_assert_uint_gt(each_settled(DECIDE_FINISH, finished), 0);
    }
END_TEST

static void stayed(const struct evidence *e, enum decision d)
{
    if (d != DECIDE_STAYED)
        return;
    MUST(e->source.state == SIDE_RUNNING || e->source.state == SIDE_PAUSED);
    MUST(never_ran_there(e) || (e->source.state == SIDE_RUNNING && e->dest.state == SIDE_DEAD));
    MUST(e->source.state == SIDE_RUNNING || e->was_paused || e->source.reason != REASON_MIGRATION);
}

START_TEST(it_stayed_only_when_the_source_lives_and_the_destination_holds_nothing)
    {
        ck_assert_uint_gt(each_settled(DECIDE_STAYED, stayed), 0);
    }
END_TEST

static void twice(const struct evidence *e, enum decision d)
{
    bool both = e->source.state == SIDE_RUNNING &&
                (e->dest.state == SIDE_RUNNING || (e->dest.state == SIDE_PAUSED && !waits_there(e)));

    MUST((d == DECIDE_TWICE) == both);
}

START_TEST(two_that_run_or_have_run_are_said_and_not_touched)
    {
        ck_assert_uint_gt(each_settled(DECIDE_TWICE, twice), 0);
    }
END_TEST

static void gone(const struct evidence *e, enum decision d)
{
    /* What runs without a part of its memory is lost as well. */
    if (d == DECIDE_GONE)
        MUST(e->source.state != SIDE_RUNNING &&
             (e->dest.state != SIDE_RUNNING || e->dest.reason == REASON_POSTCOPY));
}

START_TEST(gone_is_said_only_when_neither_runs)
    {
        ck_assert_uint_gt(each_settled(DECIDE_GONE, gone), 0);
    }
END_TEST

static void paused_before(const struct evidence *e, enum decision d)
{
    if (e->was_paused)
        MUST(d != DECIDE_RESUME_SOURCE && d != DECIDE_RESUME_DEST);
}

START_TEST(a_guest_that_was_paused_before_is_never_started)
    {
        ck_assert_uint_gt(each_settled(DECIDE_STAYED, paused_before), 0);
    }
END_TEST

/* ---- the table of README.md ---- */

struct row {
    char name[40], decision[40], because[120];
    bool source[STATES][REASONS], dest[STATES][REASONS], flags[256]; /* what it fits */
    unsigned long hits;
};
static struct row rows[ROWS_MOST];
static size_t n_rows;

static void trim(char *to, size_t size, const char *from, size_t n)
{
    while (n > 0 && *from == ' ')
        from++, n--;
    while (n > 0 && from[n - 1] == ' ')
        n--;
    ck_assert_uint_lt(n, size);
    memcpy(to, from, n);
    to[n] = '\0';
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* One "state", "state/reason" or "state/not REASON". */
static bool alternative_fits(const char *alternative, const struct side *s)
{
    char state[40], reason[40] = "";
    bool negated;

    if (strcmp(alternative, "any") == 0)
        return true;
    ck_assert_int_ge(sscanf(alternative, "%39[^/]/%39[a-z -]", state, reason), 1);
    negated = strncmp(reason, "not ", 4) == 0;
    if (negated)
        memmove(reason, reason + 4, strlen(reason + 4) + 1);
    ck_assert_msg(is_one_of(state, state_words, STATES), "no state '%s'", state);
    ck_assert_msg(!*reason || is_one_of(reason, reason_words, REASONS), "no reason '%s'", reason);
    if (strcmp(state, state_words[s->state]) != 0)
        return false;
    return !*reason || (strcmp(reason, reason_words[s->reason]) == 0) != negated;
}

static bool side_fits(const char *cell, const struct side *s)
{
    char copy[120], *rest = NULL;

    (void)snprintf(copy, sizeof copy, "%s", cell);
    for (char *one = strtok_r(copy, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        while (*one == ' ')
            one++;
        if (alternative_fits(one, s))
            return true;
    }
    return false;
}

static bool flag_of(const char *word, unsigned flags)
{
    for (size_t i = 0; i < TEST_ROWS(flag_words); i++)
        if (strcmp(word, flag_words[i]) == 0)
            return flags >> i & 1u;
    ck_abort_msg("no condition '%s'", word);
    return false;
}

/* Words joined by "and" and "or", of which "and" binds closer; "not" before a word. */
static bool condition_fits(const char *cell, unsigned flags)
{
    char copy[120], *rest = NULL;
    bool term = true, negated = false;

    (void)snprintf(copy, sizeof copy, "%s", cell);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "or") == 0) {
            if (term)
                return true;
            term = true;
        } else if (strcmp(word, "not") == 0) {
            negated = true;
        } else if (strcmp(word, "and") != 0) {
            term = term && flag_of(word, flags) != negated;
            negated = false;
        }
    }
    return term;
}

/* A row is spelled out once, for the walk over all combinations asks it many times. */
static void fill_row(struct row *r, const char *source, const char *dest, const char *condition)
{
    for (int state = 0; state < STATES; state++)
        for (int reason = 0; reason < REASONS; reason++) {
            struct side s = { .state = (enum side_state)state, .reason = (enum side_reason)reason };

            r->source[state][reason] = side_fits(source, &s);
            r->dest[state][reason] = side_fits(dest, &s);
        }
    for (unsigned flags = 0; flags < 256; flags++)
        r->flags[flags] = condition_fits(condition, flags);
}

static void read_row(const char *line)
{
    struct row *r = &rows[n_rows];
    char cells[6][120] = { "" };
    int i = 0;

    ck_assert_uint_lt(n_rows, ROWS_MOST);
    for (const char *at = line + 1; i < 6 && *at; i++) {
        size_t n = strcspn(at, "|");

        trim(cells[i], sizeof cells[i], at, n);
        at += n + (at[n] == '|');
    }
    ck_assert_int_eq(i, 6);
    fill_row(r, cells[1], cells[2], cells[3]);
    (void)snprintf(r->name, sizeof r->name, "%.39s", cells[0]);
    (void)snprintf(r->decision, sizeof r->decision, "%.39s", cells[4]);
    (void)snprintf(r->because, sizeof r->because, "%s", cells[5]);
    n_rows++;
}

static void read_rows(void)
{
    char line[1024];
    FILE *file = fopen("core/handover/README.md", "r");

    ck_assert_msg(file != NULL, "no core/handover/README.md: run from the top of the tree");
    n_rows = 0;
    /* The table is the one with this head, and ends with the first line that is none of it. */
    while (fgets(line, sizeof line, file) && strncmp(line, "| row | source |", 16) != 0)
        ;
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file) && line[0] == '|')
        read_row(line);
    (void)fclose(file);
    ck_assert_uint_gt(n_rows, 30);
}

static unsigned flags_of(const struct evidence *e)
{
    return (unsigned)e->was_asked | (unsigned)e->was_paused << 1 | (unsigned)e->is_held << 2 |
           (unsigned)e->dest_destroyed << 3 | (unsigned)e->dest_rebooted << 4 | (unsigned)e->said_moved << 5 |
           (unsigned)e->source.has_job << 6 | (unsigned)e->dest.has_job << 7;
}

static bool row_fits(const struct row *r, const struct evidence *e)
{
    return r->source[e->source.state][e->source.reason] && r->dest[e->dest.state][e->dest.reason] &&
           r->flags[flags_of(e)];
}

START_TEST(the_first_row_that_fits_in_the_readme_is_the_decision)
    {
        read_rows();
        for (unsigned n = 0; n < COMBINATIONS; n++) {
            struct evidence seen = evidence_at(n), *e = &seen;
            enum decision d = outcome_decide(e);
            size_t i = 0;

            while (i < n_rows && !row_fits(&rows[i], e))
                i++;
            ck_assert_msg(i < n_rows, "%s: %s, and no row fits", words_of(e), decision_word(d));
            ck_assert_msg(strcmp(rows[i].decision, decision_word(d)) == 0, "%s: %s, but row '%s' says %s",
                          words_of(e), decision_word(d), rows[i].name, rows[i].decision);
            rows[i].hits++;
        }
        for (size_t i = 0; i < n_rows; i++)
            ck_assert_msg(rows[i].hits > 0, "row '%s' of the table is never reached", rows[i].name);
    }
END_TEST

START_TEST(the_code_has_the_rows_of_the_readme_by_name)
    {
        size_t n;
        const struct outcome_row *table = outcome_rows(&n);

        read_rows();
        ck_assert_uint_eq(n, n_rows);
        for (size_t i = 0; i < n; i++) {
            ck_assert_str_eq(table[i].name, rows[i].name);
            ck_assert_str_eq(decision_word(table[i].decision), rows[i].decision);
            ck_assert_str_eq(table[i].because, rows[i].because);
            for (size_t k = 0; k < i; k++)
                ck_assert_str_ne(table[i].name, table[k].name);
            for (int state = 0; state < STATES; state++)
                for (int reason = 0; reason < REASONS; reason++) {
                    const uint64_t bit = UINT64_C(1) << (state * REASONS + reason);

                    ck_assert_msg(rows[i].source[state][reason] == !!(table[i].source & bit) &&
                                      rows[i].dest[state][reason] == !!(table[i].dest & bit),
                                  "row '%s' differs for %s/%s", table[i].name, state_words[state],
                                  reason_words[reason]);
                }
        }
    }
END_TEST

START_TEST(where_no_row_fits_nothing_is_known)
    {
        const struct evidence e = { .was_asked = true };
        size_t n;

        ck_assert_ptr_null(outcome_row(outcome_rows(&n), 1, &e));
    }
END_TEST

START_TEST(each_decision_has_a_word_of_its_own)
    {
        for (int a = DECIDE_STAYED; a <= DECIDE_NOT_KNOWN; a++)
            for (int b = a + 1; b <= DECIDE_NOT_KNOWN; b++)
                ck_assert_str_ne(decision_word((enum decision)a), decision_word((enum decision)b));
    }
END_TEST

TEST_MAIN("handover/outcome", before_libvirt_is_asked_the_guest_stayed_whatever_is_seen,
          nothing_is_done_on_a_host_that_does_not_answer, nothing_is_done_while_a_job_goes_on,
          the_source_is_resumed_only_where_the_destination_has_never_run,
          the_destination_is_started_only_when_the_source_has_ended_by_the_move,
          the_destination_is_ended_only_if_it_never_ran_and_the_source_lives,
          the_source_is_ended_only_when_the_destination_is_whole_and_lives,
          it_stayed_only_when_the_source_lives_and_the_destination_holds_nothing,
          two_that_run_or_have_run_are_said_and_not_touched, gone_is_said_only_when_neither_runs,
          a_guest_that_was_paused_before_is_never_started,
          the_first_row_that_fits_in_the_readme_is_the_decision, the_code_has_the_rows_of_the_readme_by_name,
          where_no_row_fits_nothing_is_known, each_decision_has_a_word_of_its_own)
