/* SPDX-License-Identifier: Apache-2.0
 * Two runs and one domain's metadata, in every order and with every delay up to a second: never do both hold
 * the domain for longer than until the second look. */
#include "check-main.h"
#include "run/move.h"

#define STEP_MS 5
#define NEVER 1000000

/* One run: it looks, writes, reads back; all times on one clock, in ms. */
struct runner {
    int looks, writes, reads, again;
    bool gave_up, holds;
};

static struct runner runner(int looks, int took)
{
    const int writes = looks + took, reads = writes + (int)mark_settle_ms((uint64_t)took);
    const int again = writes + (int)MARK_AGAIN_MS;

    return (struct runner){ looks, writes, reads, again > reads ? again : reads, false, false };
}

/* What the other's mark does to this one, the other having written (or not) at its time. */
static void read_back(struct runner *r, const struct runner *other, int settles)
{
    const bool is_over_ours = !other->gave_up && other->writes > r->writes && other->writes <= settles;

    if (is_over_ours)
        r->gave_up = true;
}

/* The time, from the later beginning on, that both hold the domain and neither knows; 0 = none, NEVER = for
 * ever. */
static int both_hold(struct runner a, struct runner b)
{
    a.gave_up = b.writes <= a.looks;
    b.gave_up = !a.gave_up && a.writes <= b.looks;
    read_back(&a, &b, a.reads);
    read_back(&b, &a, b.reads);
    /* A slow one that finds a job gives up, if the job still goes on. */
    if (!a.gave_up && !b.gave_up) {
        struct runner *first = a.reads <= b.reads ? &a : &b, *second = first == &a ? &b : &a;
        const bool was_seen = second->writes > first->writes && second->writes <= first->again;

        if (!was_seen || first->again > second->reads)
            second->gave_up = first->reads < second->reads;
        if (was_seen)
            return second->gave_up || first->again <= second->reads ? 0 : first->again - second->reads;
    }
    return a.gave_up || b.gave_up ? 0 : NEVER;
}

START_TEST(two_runs_never_hold_one_domain)
    {
        unsigned contended = 0;

        for (int took_a = 0; took_a <= 1000; took_a += STEP_MS)
            for (int took_b = 0; took_b <= 1000; took_b += STEP_MS)
                for (int looks_b = 0; looks_b <= took_a + STEP_MS; looks_b += STEP_MS) {
                    /* a millisecond off the grid: no two things happen at once */
                    const struct runner a = runner(0, took_a), b = runner(looks_b + 1, took_b);

                    contended += looks_b < took_a;
                    ck_assert_msg(both_hold(a, b) == 0, "a took %d ms; b looked at %d and took %d ms", took_a,
                                  looks_b, took_b);
                }
        ck_assert_uint_gt(contended, 1000000);
    }
END_TEST

START_TEST(of_two_prompt_runs_exactly_one_goes_on_and_neither_is_disturbed_later)
    {
        for (int took_a = 0; took_a <= (int)MARK_PROMPT_MS; took_a++)
            for (int took_b = 0; took_b <= (int)MARK_PROMPT_MS; took_b++)
                for (int looks_b = 0; looks_b < took_a; looks_b++) {
                    struct runner a = runner(0, took_a), b = runner(looks_b, took_b);

                    if (a.writes == b.writes)
                        continue;
                    read_back(&a, &b, a.reads);
                    read_back(&b, &a, b.reads);
                    ck_assert_int_ne(a.gave_up, b.gave_up);
                }
    }
END_TEST

START_TEST(what_took_no_known_time_waits_longest)
    {
        ck_assert_uint_eq(mark_settle_ms(0), MARK_SETTLE_MS);
        ck_assert_uint_eq(mark_settle_ms(MARK_PROMPT_MS), MARK_SETTLE_MS);
        ck_assert_uint_gt(mark_settle_ms(MARK_PROMPT_MS + 1), MARK_AGAIN_MS + MARK_PROMPT_MS);
        ck_assert_uint_eq(mark_settle_ms(UINT64_MAX), MARK_SLOWEST_MS);
        for (uint64_t took = 0; took < 3000; took++)
            ck_assert_uint_ge(mark_settle_ms(took + 1), mark_settle_ms(took));
    }
END_TEST

TEST_MAIN("run/mark", two_runs_never_hold_one_domain,
          of_two_prompt_runs_exactly_one_goes_on_and_neither_is_disturbed_later,
          what_took_no_known_time_waits_longest)
