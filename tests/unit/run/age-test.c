/* SPDX-License-Identifier: Apache-2.0
 * How long ago a run began, when somebody sets the clock meanwhile, or the machine was booted. */
#include "check-main.h"
#include "facts/model.h"
#include "run/age.h"

#define NOON 1790000000u

static const struct {
    struct age_moment began, now;
    uint64_t age_s;
} ages[] = {
    /* The same boot: its count alone. */
    { { NOON, 100000, "one", false }, { NOON + 7, 107999, "one", false }, 7 },
    { { NOON, 100000, "one", false }, { NOON - 3593, 107000, "one", false }, 7 },
    { { NOON, 100000, "one", false }, { NOON + 3607, 107000, "one", false }, 7 },
    /* Another: the time of day, and at least as long as the machine is up. */
    { { NOON, 100000, "one", false }, { NOON + 300, 60000, "two", false }, 300 },
    { { NOON, 100000, "one", false }, { NOON + 3, 60000, "two", false }, 60 },
    { { NOON, 100000, "one", true }, { NOON + 3, 60000, "two", false }, 3 },
    /* Of a run that says nothing of its boot, or elsewhere: the time of day, unless it went back. */
    { { NOON, 0, "", false }, { NOON + 3, 60000, "two", false }, 3 },
    { { NOON, 0, "", false }, { NOON - 1, 60000, "two", false }, NOT_KNOWN },
    { { NOON, 0, "one", true }, { NOON - 1, 60000, "two", false }, NOT_KNOWN },
    { { 0, 0, "", false }, { NOON, 60000, "two", false }, NOT_KNOWN },
};

START_TEST(a_run_is_as_old_as_no_clock_set_back_can_deny)
    {
        ck_assert_uint_eq(age_s(&ages[_i].began, &ages[_i].now), ages[_i].age_s);
    }
END_TEST

START_TEST(the_journal_keeps_when_a_run_began)
    {
        OWNED_JSON begin = json_pack("{sI}", "at_ms", (json_int_t)NOON * 1000 + 400);
        struct age_moment now, read;

        age_now(&now);
        ck_assert_uint_gt(now.awake_ms, 0);
        ck_assert_str_ne(now.boot, "");
        ck_assert_int_eq(age_put(begin, &now), 0);
        age_read(begin, &read);
        ck_assert_uint_eq(read.wall_s, NOON);
        ck_assert_uint_eq(read.awake_ms, now.awake_ms);
        ck_assert_str_eq(read.boot, now.boot);
    }
END_TEST

TEST_MAIN("run/age", LOOP(a_run_is_as_old_as_no_clock_set_back_can_deny, TEST_ROWS(ages)),
          the_journal_keeps_when_a_run_began)
