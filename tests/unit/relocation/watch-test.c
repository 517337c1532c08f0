/* SPDX-License-Identifier: Apache-2.0
 * When a copy of a disk is given up: the guest writes as fast as it is copied, or nothing moves. */
#include "check-main.h"
#include "relocation/watch.h"

#define MiB(n) ((uint64_t)(n) << 20)

START_TEST(a_copy_that_gets_on_is_never_stuck)
    {
        struct relocation_trend t;

        relocation_trend_begin(&t, 0);
        for (uint64_t s = 0; s < 600; s++)
            ck_assert(!relocation_trend_is_stuck(&t, s * 1000, MiB(s), MiB(700 + s / 2)));
    }
END_TEST

START_TEST(one_that_the_guest_outruns_is_stuck_when_its_time_is_over_and_not_before)
    {
        struct relocation_trend t;

        relocation_trend_begin(&t, 0);
        ck_assert(!relocation_trend_is_stuck(&t, 5000, MiB(50), MiB(100)));
        ck_assert(!relocation_trend_is_stuck(&t, 5000 + RELOCATION_STUCK_MS - 1, MiB(150), MiB(200)));
        ck_assert(relocation_trend_is_stuck(&t, 5000 + RELOCATION_STUCK_MS, MiB(160), MiB(211)));
        ck_assert_uint_eq(t.least_left, MiB(50));
    }
END_TEST

START_TEST(a_little_less_is_no_progress)
    {
        struct relocation_trend t;

        relocation_trend_begin(&t, 0);
        ck_assert(!relocation_trend_is_stuck(&t, 1, MiB(0), MiB(100)));
        ck_assert(relocation_trend_is_stuck(&t, 1 + RELOCATION_STUCK_MS, MiB(100), MiB(200) - 4096));
    }
END_TEST

START_TEST(one_that_stands_still_is_stuck_too)
    {
        struct relocation_trend t;

        relocation_trend_begin(&t, 0);
        ck_assert(!relocation_trend_is_stuck(&t, 1, MiB(3), MiB(100)));
        ck_assert(relocation_trend_is_stuck(&t, 1 + RELOCATION_STUCK_MS, MiB(3), MiB(100)));
    }
END_TEST

static const struct {
    uint64_t ms;
    enum relocation_beginning is;
} beginnings[] = {
    { 0, BEGINNING_SOON },
    { RELOCATION_LATE_MS - 1, BEGINNING_SOON },
    { RELOCATION_LATE_MS, BEGINNING_LATE },
    { RELOCATION_NEVER_MS - 1, BEGINNING_LATE },
    { RELOCATION_NEVER_MS, BEGINNING_NEVER },
    { UINT64_MAX, BEGINNING_NEVER },
};

START_TEST(one_that_does_not_begin_is_told_of_and_then_given_up)
    {
        ck_assert_int_eq(relocation_beginning_after(beginnings[_i].ms), beginnings[_i].is);
    }
END_TEST

TEST_MAIN("relocation/watch", a_copy_that_gets_on_is_never_stuck,
          one_that_the_guest_outruns_is_stuck_when_its_time_is_over_and_not_before,
          a_little_less_is_no_progress, one_that_stands_still_is_stuck_too,
          LOOP(one_that_does_not_begin_is_told_of_and_then_given_up, TEST_ROWS(beginnings)))
