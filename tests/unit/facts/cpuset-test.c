/* SPDX-License-Identifier: Apache-2.0
 * Sets of processors: what libvirt writes is read and written back shortest; what it cannot write is refused.
 */
#include "check-main.h"
#include "facts/cpuset.h"

static const struct {
    const char *text, *written; /* NULL: refused */
} texts[] = {
    { "0", "0" },
    { "0-3", "0-3" },
    { "0,1,2,3", "0-3" },
    { "0-3,^2", "0-1,3" },
    { " 4 , 8-9 ", "4,8-9" },
    { "16383", "16383" },
    { "16384", NULL },
    { "3-1", NULL },
    { "1-", NULL },
    { "-1", NULL },
    { "a", NULL },
    { "1 2", NULL },
    { "99999999999999999999", NULL },
};
START_TEST(texts_are_read_as_libvirt_means_them)
    {
        OWNED(arena) a = arena_new();
        struct cpuset set = { 0 };

        ck_assert_int_eq(cpuset_add(&set, texts[_i].text), texts[_i].written != NULL);
        ck_assert_int_eq(cpuset_is_empty(&set), texts[_i].written == NULL);
        if (texts[_i].written)
            ck_assert_str_eq(cpuset_text(a, &set), texts[_i].written);
    }
END_TEST

START_TEST(what_one_text_takes_out_another_may_hold)
    {
        OWNED(arena) a = arena_new();
        struct cpuset set = { 0 };

        ck_assert(cpuset_add(&set, "2"));
        ck_assert(cpuset_add(&set, "0-3,^2"));
        ck_assert(cpuset_add(&set, NULL));
        ck_assert_str_eq(cpuset_text(a, &set), "0-3");
    }
END_TEST

START_TEST(what_is_left_is_what_the_other_lacks)
    {
        OWNED(arena) a = arena_new();
        struct cpuset set = { 0 }, within = { 0 }, left;

        ck_assert(cpuset_add(&set, "0-4") && cpuset_add(&within, "0-3"));
        left = cpuset_without(&set, &within);
        ck_assert_str_eq(cpuset_text(a, &left), "4");
        left = cpuset_without(&within, &set);
        ck_assert(cpuset_is_empty(&left));
        ck_assert_ptr_null(cpuset_text(a, &left));
    }
END_TEST

START_TEST(a_text_that_facts_cannot_hold_is_none)
    {
        OWNED(arena) a = arena_new();
        struct cpuset set = { 0 };

        for (unsigned i = 0; i < CPUSET_MAX; i += 2)
            cpuset_add_one(&set, i);
        cpuset_add_one(&set, CPUSET_MAX); /* passed over */
        ck_assert_ptr_null(cpuset_text(a, &set));
    }
END_TEST

TEST_MAIN("facts/cpuset", LOOP(texts_are_read_as_libvirt_means_them, TEST_ROWS(texts)),
          what_one_text_takes_out_another_may_hold, what_is_left_is_what_the_other_lacks,
          a_text_that_facts_cannot_hold_is_none)
