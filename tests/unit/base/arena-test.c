/* SPDX-License-Identifier: Apache-2.0
 * The arena: what it gives out is zero, aligned and stays; what it cannot give is remembered. */
#include "base/arena.h"

#include "check-main.h"
#include <stdint.h>

static bool is_zero(const void *p, size_t n)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

START_TEST(what_is_given_out_is_zero_and_aligned)
    {
        static const size_t sizes[] = { 0, 1, 15, 16, 17, 4095, 4096, 4097, 1 << 21 };
        OWNED(arena) a = arena_new();

        for (size_t i = 0; i < TEST_ROWS(sizes); i++) {
            char *p = arena_zeroed(a, sizes[i], 1);

            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
            ck_assert(is_zero(p, sizes[i]));
            memset(p, 0xff, sizes[i]);
        }
        ck_assert(!arena_failed(a));
    }
END_TEST

START_TEST(allocations_do_not_overlap)
    {
        enum { N = 3000 };
        OWNED(arena) a = arena_new();
        char *given[N];

        for (int i = 0; i < N; i++) {
            given[i] = arena_zeroed(a, 1, (size_t)i % 61 + 1);
            memset(given[i], i, (size_t)i % 61 + 1);
        }
        for (int i = 0; i < N; i++)
            for (size_t k = 0; k < (size_t)i % 61 + 1; k++)
                ck_assert_int_eq(given[i][k], (char)i);
    }
END_TEST

START_TEST(a_product_that_overflows_is_refused_and_remembered)
    {
        OWNED(arena) a = arena_new();

        ck_assert_ptr_null(arena_zeroed(a, SIZE_MAX / 2, 3));
        ck_assert(arena_failed(a));
        ck_assert_ptr_nonnull(arena_zeroed(a, 1, 1));
        ck_assert(arena_failed(a));
    }
END_TEST

START_TEST(an_allocation_above_the_limit_is_refused)
    {
        OWNED(arena) a = arena_new();

        ck_assert_ptr_null(arena_zeroed(a, 1, ((size_t)1 << 30) + 1));
        ck_assert(arena_failed(a));
    }
END_TEST

START_TEST(a_grown_array_keeps_its_elements_and_zeroes_the_new_one)
    {
        enum { N = 1000 };
        OWNED(arena) a = arena_new();
        uint64_t *array = NULL;

        for (size_t i = 0; i < N; i++) {
            array = arena_grown(a, array, i, sizeof *array);
            ck_assert_ptr_nonnull(array);
            ck_assert_uint_eq(array[i], 0);
            array[i] = i + 1;
            (void)arena_text(a, "between"); /* so that growing in place is not always at hand */
        }
        for (size_t i = 0; i < N; i++)
            ck_assert_uint_eq(array[i], i + 1);
    }
END_TEST

START_TEST(an_array_that_was_not_grown_before_can_be_grown)
    {
        OWNED(arena) a = arena_new();
        uint32_t *array = arena_zeroed(a, 3, sizeof *array);
        char *behind = arena_text(a, "behind");

        array[2] = 7;
        for (size_t n = 3; n < 9; n++)
            array = arena_grown(a, array, n, sizeof *array);
        ck_assert_uint_eq(array[2], 7);
        ck_assert_str_eq(behind, "behind");
    }
END_TEST

START_TEST(an_element_used_before_and_grown_again_is_zeroed)
    {
        OWNED(arena) a = arena_new();
        uint32_t *array = arena_grown(a, NULL, 0, sizeof *array);

        array[0] = 1;
        array = arena_grown(a, array, 1, sizeof *array);
        array[1] = 9;
        array = arena_grown(a, array, 1, sizeof *array);
        ck_assert_uint_eq(array[1], 0);
    }
END_TEST

START_TEST(growth_that_overflows_is_refused_and_the_old_array_stays)
    {
        OWNED(arena) a = arena_new();
        uint64_t *array = arena_grown(a, NULL, 0, sizeof *array);

        array[0] = 5;
        ck_assert_ptr_null(arena_grown(a, array, SIZE_MAX, 1));
        ck_assert_ptr_null(arena_grown(a, array, SIZE_MAX / 8, sizeof *array));
        ck_assert(arena_failed(a));
        ck_assert_uint_eq(array[0], 5);
    }
END_TEST

START_TEST(texts_are_copied_and_null_stays_null)
    {
        OWNED(arena) a = arena_new();
        char original[] = "vda";
        char *copy = arena_text(a, original);

        original[0] = 'x';
        ck_assert_str_eq(copy, "vda");
        ck_assert_str_eq(arena_text(a, ""), "");
        ck_assert_ptr_null(arena_text(a, NULL));
        ck_assert(!arena_failed(a));
        ck_assert_str_eq(arena_format(a, "%s-%d", "disk", 3), "disk-3");
        ck_assert_uint_eq(strlen(arena_format(a, "%*s", 9000, "")), 9000);
    }
END_TEST

START_TEST(an_arena_that_never_came_to_be_reads_as_failed)
    {
        ck_assert(arena_failed(NULL));
        ck_assert_ptr_null(arena_zeroed(NULL, 1, 1));
        ck_assert_ptr_null(arena_text(NULL, "x"));
        arena_free(NULL);
    }
END_TEST

TEST_MAIN("base/arena", what_is_given_out_is_zero_and_aligned, allocations_do_not_overlap,
          a_product_that_overflows_is_refused_and_remembered, an_allocation_above_the_limit_is_refused,
          a_grown_array_keeps_its_elements_and_zeroes_the_new_one,
          an_array_that_was_not_grown_before_can_be_grown, an_element_used_before_and_grown_again_is_zeroed,
          growth_that_overflows_is_refused_and_the_old_array_stays, texts_are_copied_and_null_stays_null,
          an_arena_that_never_came_to_be_reads_as_failed)
