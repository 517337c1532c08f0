/* SPDX-License-Identifier: Apache-2.0
 * w(t) and the passes of pre-copy, against figures by hand and against figures that no guest could have. */
#include "check-main.h"
#include "plan/passes.h"
#include <math.h>

#define MIB 1048576.0

static struct dirty_model model(double cap_mib)
{
    return (struct dirty_model){ .cap = cap_mib * MIB };
}

/* At the first boundary. */
static bool stays(const struct dirty_model *w, double to_send_mib, double rate_mib, double downtime_s)
{
    const struct passes_boundary at = { to_send_mib * MIB, to_send_mib * MIB, 0 };

    return passes_stay(w, &at, rate_mib * MIB, downtime_s);
}

START_TEST(what_is_dirtied_grows_straight_between_the_points_and_ends_at_the_cap)
    {
        struct dirty_model w = model(100);

        dirty_learn(&w, 2, 80 * MIB);
        dirty_learn(&w, 1, 60 * MIB);
        ck_assert_double_eq(dirty_in(&w, 0), 0);
        ck_assert_double_eq_tol(dirty_in(&w, 0.5), 30 * MIB, 1);
        ck_assert_double_eq_tol(dirty_in(&w, 1.5), 70 * MIB, 1);
        ck_assert_double_eq_tol(dirty_in(&w, 3), 100 * MIB, 1);
        ck_assert_double_eq_tol(dirty_in(&w, 2.5), 90 * MIB, 1);
        ck_assert_double_eq_tol(dirty_in(&w, 1e9), 100 * MIB, 1);
    }
END_TEST

START_TEST(more_time_never_dirties_less_whatever_was_learnt)
    {
        struct dirty_model w = model(1000);

        for (int i = 0; i < 100; i++)
            dirty_learn(&w, 0.1 * ((i * 37) % 50), MIB * ((i * 91) % 77));
        ck_assert_uint_le(w.n, DIRTY_POINTS_MOST);
        for (int i = 1; i < 200; i++)
            ck_assert_double_ge(dirty_in(&w, 0.05 * i), dirty_in(&w, 0.05 * (i - 1)));
    }
END_TEST

START_TEST(an_idle_guest_needs_one_pass)
    {
        const struct dirty_model w = model(256);
        const struct passes p = passes_make(&w, &(struct passes_job){ 100 * MIB, 0, 100 * MIB, 0.3 }, false);

        ck_assert(p.ends);
        ck_assert_uint_eq(p.n, 1);
        ck_assert_double_eq_tol(p.bytes, 100 * MIB, 1);
        ck_assert_double_eq_tol(p.s, 1, 1e-9);
        ck_assert_double_eq(p.last, 0);
    }
END_TEST

/* 50 MiB/s against 100 MiB/s: 70 beyond what fits into 0.3 s, then 35, 17.5, 8.75, 4.4; 2.2 are found then.
 */
START_TEST(each_pass_sends_what_was_dirtied_in_the_one_before)
    {
        struct dirty_model w = model(256);
        struct passes p;

        dirty_learn(&w, 1, 50 * MIB);
        p = passes_make(&w, &(struct passes_job){ 100 * MIB, 0, 100 * MIB, 0.3 }, false);
        ck_assert(p.ends);
        ck_assert_uint_eq(p.n, 5);
        ck_assert_double_eq_tol(p.bytes, (70 + 35 + 17.5 + 8.75 + 4.375 + 2.1875 + 30) * MIB, 1);
        ck_assert_double_eq_tol(p.last, 5 * 2.1875 * MIB, 1);
    }
END_TEST

/* 121 MiB, of which none lies in the end of the memory that may be left, 35 MiB: the first pass is made to
 * its end and takes 1.03 s, and of the 62 MiB that it finds 27 are sent again, then 14, 7, 4. */
START_TEST(what_zeroes_at_the_end_leave_room_for_is_not_sent_again)
    {
        struct dirty_model w = model(256);
        struct passes full, empty;

        dirty_learn(&w, 64.0 / 60, 64 * MIB);
        dirty_learn(&w, 60, 64 * MIB);
        empty = passes_make(&w, &(struct passes_job){ 121 * MIB, 35 * MIB, 117 * MIB, 0.3 }, false);
        full = passes_make(&w, &(struct passes_job){ 121 * MIB, 0, 117 * MIB, 0.3 }, false);
        ck_assert(empty.ends && full.ends);
        ck_assert_double_eq_tol(empty.bytes / MIB, 121 + 27 + 14 + 7 + 3.6 + 35 + 1.8, 1.5);
        ck_assert_double_eq_tol(full.bytes / MIB, 121 + 44 + 22.6 + 11.6 + 5.9 + 3, 3);
        /* One that finds less than there is room for sends that alone. */
        w = model(10);
        dirty_learn(&w, 1, 10 * MIB);
        empty = passes_make(&w, &(struct passes_job){ 121 * MIB, 35 * MIB, 117 * MIB, 0.3 }, false);
        ck_assert_double_eq_tol(empty.bytes / MIB, 131, 0.1);
    }
END_TEST

START_TEST(a_guest_that_writes_as_fast_as_the_channel_carries_never_ends_but_throttled)
    {
        struct dirty_model w = model(256);

        dirty_learn(&w, 1, 200 * MIB);
        ck_assert(!passes_make(&w, &(struct passes_job){ 256 * MIB, 0, 117 * MIB, 0.3 }, false).ends);
        ck_assert(passes_make(&w, &(struct passes_job){ 256 * MIB, 0, 117 * MIB, 0.3 }, true).ends);
        ck_assert_double_gt(passes_make(&w, &(struct passes_job){ 256 * MIB, 0, 117 * MIB, 0.3 }, true).s,
                            15);
    }
END_TEST

START_TEST(a_small_working_set_stays_and_one_of_all_memory_does_not)
    {
        struct dirty_model small = model(256), large = model(256);

        /* After a first pass of 1 s: nearly all 64 MiB of it; and all of 256 MiB after 2.2 s. */
        dirty_learn(&small, 1.03, 62 * MIB);
        dirty_learn(&large, 2.2, 250 * MIB);
        ck_assert(stays(&small, 62, 117, 0.3));
        ck_assert(!stays(&large, 250, 117, 0.3));
        ck_assert(stays(&large, 3, 117, 0.3)); /* nothing to speak of */
    }
END_TEST

/* w(t) = r x rate x t: half sends twice as much at most, two thirds do not. */
static const struct {
    double share;
    bool stays;
} border[] = { { 0.10, true }, { 0.45, true }, { 0.60, false }, { 0.95, false }, { 1.5, false } };

START_TEST(staying_costs_at_most_twice_what_post_copy_brings)
    {
        struct dirty_model w = model(1e6);

        dirty_learn(&w, 1, border[_i].share * 100 * MIB);
        ck_assert_int_eq(stays(&w, 1000, 100, 0.1), border[_i].stays);
    }
END_TEST

START_TEST(an_end_within_a_second_is_not_worth_dividing_a_guest)
    {
        struct dirty_model w = model(1e6);

        dirty_learn(&w, 1, 65 * MIB);
        ck_assert(stays(&w, 30, 100, 0.1));
        ck_assert(!stays(&w, 60, 100, 0.1));
        /* One that never ends is none that ends soon. */
        dirty_learn(&w, 1, 120 * MIB);
        ck_assert(!stays(&w, 30, 100, 0.1));
    }
END_TEST

static struct passes_armed armed(double set_mib, double mib_per_s, double first_mib)
{
    struct dirty_model w = model(256);

    dirty_learn(&w, set_mib / mib_per_s, set_mib * MIB);
    dirty_learn(&w, 60, set_mib * MIB);
    return passes_armed(&w, 1, &(struct passes_job){ first_mib * MIB, 0, 117 * MIB, 0.3 });
}

/* 100 MiB were to be sent at the first boundary, and 30 fit beside: 260 - 30 may be sent from there, and a
 * quarter of a second's more where that is the end. */
static const struct {
    double again, to_send;
    bool stays;
} spent[] = {
    { 0, 100, true }, { 100, 50, true },  { 150, 45, true }, { 150, 60, false },
    { 240, 5, true }, { 240, 30, false }, { 251, 5, false }, { 1000, 1, false },
};

START_TEST(what_was_spent_since_the_first_boundary_counts)
    {
        struct dirty_model w = model(1e6);
        const struct passes_boundary at = { spent[_i].to_send * MIB, 100 * MIB, spent[_i].again * MIB };

        dirty_learn(&w, 1, 40 * MIB); /* what is sent in all is 1.67 times what is to be sent now */
        ck_assert_int_eq(passes_stay(&w, &at, 100 * MIB, 0.3), spent[_i].stays);
    }
END_TEST

/* All 64 MiB were written by the first boundary, be it at 60 or at 150 MiB/s; the second tells them apart. */
START_TEST(a_guest_that_looks_calm_at_first_is_let_make_one_pass_more)
    {
        const struct passes_armed calm = armed(64, 60, 155), hidden = armed(64, 150, 155),
                                  busy = armed(256, 200, 256), idle = armed(1, 1, 93);

        ck_assert(calm.stays && !hidden.stays && !busy.stays && idle.stays);
        ck_assert_double_eq_tol(hidden.again, 64 * MIB, MIB);
        ck_assert_double_eq_tol(hidden.left, 64 * MIB, MIB);
        ck_assert_double_eq_tol(busy.again, 0, 1);
    }
END_TEST

static const double absurd[] = { 0, -1, 1, 1e300, NAN, INFINITY, -INFINITY };

START_TEST(no_figure_makes_endless_work_or_a_figure_that_is_none)
    {
        for (size_t a = 0; a < TEST_ROWS(absurd); a++)
            for (size_t b = 0; b < TEST_ROWS(absurd); b++) {
                struct dirty_model w = { .cap = 1e12 };
                struct passes_armed made;
                struct passes p;

                dirty_learn(&w, absurd[a], absurd[b]);
                dirty_learn(&w, 1, absurd[_i]);
                p = passes_make(&w, &(struct passes_job){ absurd[_i], 0, absurd[a], absurd[b] }, a % 2);
                ck_assert(!isnan(p.bytes) && !isnan(p.s) && !isnan(p.last));
                ck_assert_uint_le(p.n, PASSES_MOST);
                made = passes_armed(&w, 0.85, &(struct passes_job){ absurd[_i], 0, absurd[a], absurd[b] });
                ck_assert(isfinite(made.again) && isfinite(made.left));
            }
    }
END_TEST

TEST_MAIN("plan/passes", what_is_dirtied_grows_straight_between_the_points_and_ends_at_the_cap,
          more_time_never_dirties_less_whatever_was_learnt, an_idle_guest_needs_one_pass,
          each_pass_sends_what_was_dirtied_in_the_one_before,
          what_zeroes_at_the_end_leave_room_for_is_not_sent_again,
          a_guest_that_writes_as_fast_as_the_channel_carries_never_ends_but_throttled,
          a_small_working_set_stays_and_one_of_all_memory_does_not,
          LOOP(staying_costs_at_most_twice_what_post_copy_brings, TEST_ROWS(border)),
          an_end_within_a_second_is_not_worth_dividing_a_guest,
          LOOP(what_was_spent_since_the_first_boundary_counts, TEST_ROWS(spent)),
          a_guest_that_looks_calm_at_first_is_let_make_one_pass_more,
          LOOP(no_figure_makes_endless_work_or_a_figure_that_is_none, TEST_ROWS(absurd)))
