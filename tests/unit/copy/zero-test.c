/* SPDX-License-Identifier: Apache-2.0
 * Runs of zeroes: every length, and one other byte at every place. */
#include "copy/zero.h"

#include "check-main.h"

START_TEST(one_byte_anywhere_is_found)
    {
        static unsigned char bytes[600];

        for (size_t n = 0; n <= 600; n++) {
            ck_assert(zero_is(bytes, n));
            for (size_t at = 0; at<n; at += n> 64 ? 7 : 1) {
                bytes[at] = 0x80;
                ck_assert_msg(!zero_is(bytes, n), "%zu of %zu", at, n);
                bytes[at] = 0;
            }
        }
    }
END_TEST

START_TEST(runs_end_where_the_kind_changes)
    {
        static unsigned char bytes[5 * ZERO_GRAIN + 100];
        bool is_zero;

        bytes[2 * ZERO_GRAIN - 1] = 1;
        bytes[3 * ZERO_GRAIN - 1] = 1;
        ck_assert_uint_eq(zero_run(bytes, sizeof bytes, 0, &is_zero), ZERO_GRAIN);
        ck_assert(is_zero);
        ck_assert_uint_eq(zero_run(bytes, sizeof bytes, ZERO_GRAIN, &is_zero), 2 * ZERO_GRAIN);
        ck_assert(!is_zero);
        ck_assert_uint_eq(zero_run(bytes, sizeof bytes, 3 * ZERO_GRAIN, &is_zero), 2 * ZERO_GRAIN + 100);
        ck_assert(is_zero);
        ck_assert_uint_eq(zero_run(bytes, sizeof bytes, 3 * ZERO_GRAIN + 512, &is_zero),
                          2 * ZERO_GRAIN + 100 - 512);
    }
END_TEST

TEST_MAIN("copy/zero", one_byte_anywhere_is_found, runs_end_where_the_kind_changes)
