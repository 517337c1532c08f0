/* SPDX-License-Identifier: Apache-2.0
 * Errors: the parts an operator reads, bounded, and the exit codes that the manual documents. */
#include "base/error.h"

#include "base/text.h"
#include "check-main.h"
#include <errno.h>
#include <stdint.h>

START_TEST(setting_an_error_fills_its_parts_and_returns_the_negative_code)
    {
        struct error err;

        ck_assert_int_eq(error_set(&err, ERROR_SPACE, "hostA", "pool '%s' is full", "default"), -ERROR_SPACE);
        ck_assert_int_eq(err.code, ERROR_SPACE);
        ck_assert_int_eq(err.detail, 0);
        ck_assert_str_eq(err.host, "hostA");
        ck_assert_str_eq(err.what, "pool 'default' is full");
        ck_assert_str_eq(err.why, "");
        ck_assert_str_eq(err.fix, "");
        ck_assert_int_eq(error_why(&err, "%d bytes are free", 3), -ERROR_SPACE);
        ck_assert_int_eq(error_fix(&err, "Free %s.", "space"), -ERROR_SPACE);
        ck_assert_str_eq(err.why, "3 bytes are free");
        ck_assert_str_eq(err.fix, "Free space.");
    }
END_TEST

START_TEST(setting_it_again_leaves_nothing_of_the_old_one)
    {
        struct error err;

        errno = ENOSPC;
        error_errno(&err, "hostA", "could not write");
        error_fix(&err, "Do something.");
        error_set(&err, ERROR_USAGE, NULL, "new");
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_int_eq(err.detail, 0);
        ck_assert_str_eq(err.host, "");
        ck_assert_str_eq(err.what, "new");
        ck_assert_str_eq(err.why, "");
        ck_assert_str_eq(err.fix, "");
    }
END_TEST

START_TEST(a_new_message_may_quote_the_old_one)
    {
        struct error err;

        error_set(&err, ERROR_LIBVIRT, "hostA", "inner");
        error_set(&err, ERROR_FAILED, err.host, "outer: %s", err.what);
        ck_assert_str_eq(err.what, "outer: inner");
        ck_assert_str_eq(err.host, "hostA");
    }
END_TEST

START_TEST(what_was_being_done_stands_before_the_message)
    {
        struct error err;

        error_set(&err, ERROR_ABSENT, "hostB", "domain 'vault' is not there");
        error_fix(&err, "Look.");
        ck_assert_int_eq(error_while(&err, "looking at '%s'", "vault"), -ERROR_ABSENT);
        ck_assert_str_eq(err.what, "looking at 'vault': domain 'vault' is not there");
        ck_assert_str_eq(err.host, "hostB");
        ck_assert_str_eq(err.fix, "Look.");
    }
END_TEST

START_TEST(a_failing_path_that_forgot_its_reason_still_fails)
    {
        struct error err = { 0 };

        ck_assert_int_lt(error_while(&err, "reading"), 0);
        ck_assert_int_eq(err.code, ERROR_FAILED);
        ck_assert_str_eq(err.what, "reading: no reason was given");
    }
END_TEST

START_TEST(a_system_error_carries_its_number_and_its_words)
    {
        struct error err;

        errno = ENOENT;
        ck_assert_int_eq(error_errno(&err, NULL, "could not read '%s'", "/x"), -ERROR_SYSTEM);
        ck_assert_int_eq(err.detail, ENOENT);
        ck_assert_str_eq(err.what, "could not read '/x'");
        ck_assert_str_eq(err.why, "No such file or directory");
        ck_assert_int_eq(error_memory(&err), -ERROR_MEMORY);
        ck_assert_str_eq(err.what, "no memory left");
    }
END_TEST

START_TEST(text_that_fits_exactly_is_whole_and_one_byte_more_is_cut)
    {
        struct error err;
        char exact[sizeof err.what], longer[sizeof err.what + 1];

        memset(exact, 'a', sizeof exact);
        exact[sizeof exact - 1] = '\0';
        memset(longer, 'a', sizeof longer);
        longer[sizeof longer - 1] = '\0';
        error_set(&err, ERROR_FAILED, NULL, "%s", exact);
        ck_assert_str_eq(err.what, exact);
        error_set(&err, ERROR_FAILED, NULL, "%s", longer);
        ck_assert_uint_eq(strlen(err.what), sizeof err.what - 1);
        ck_assert_str_eq(err.what + sizeof err.what - 5, "a...");
        error_set(&err, ERROR_FAILED, longer, "x");
        ck_assert_uint_eq(strlen(err.host), sizeof err.host - 1);
    }
END_TEST

START_TEST(a_cut_never_leaves_half_a_character)
    {
        struct error err;

        for (int shift = 0; shift < 4; shift++) {
            OWNED_TEXT t = { 0 };

            text_add(&t, "%.*s", shift, "aaaa");
            while (t.len < 1600)
                text_add(&t, "\xf0\x9f\x98\x80");
            error_set(&err, ERROR_FAILED, NULL, "%s", t.s);
            ck_assert_uint_eq((strlen(err.what) - (size_t)shift - 3) % 4, 0);
            ck_assert_str_eq(err.what + strlen(err.what) - 4, "\x80...");
        }
    }
END_TEST

static const struct {
    int code, exit;
} exits[] = {
    { ERROR_NONE, 0 },
    { ERROR_FAILED, 1 },
    { ERROR_USAGE, 2 },
    { ERROR_REFUSED, 3 },
    { ERROR_CONNECTION, 4 },
    { ERROR_CANCELLED, 5 },
    { ERROR_PROBLEMS, 6 },
    { ERROR_NOT_KNOWN, 7 },
    { ERROR_BUSY, 8 },
    { ERROR_PARTIAL, 9 },
    { ERROR_STALE, 10 },
    { ERROR_GUEST_LOST, 11 },
    { 12, 1 },
    { ERROR_MEMORY, 1 },
    { ERROR_SYSTEM, 1 },
    { ERROR_INPUT, 1 },
    { ERROR_TIMEOUT, 4 },
    { ERROR_ABSENT, 1 },
    { ERROR_EXISTS, 1 },
    { ERROR_SPACE, 1 },
    { ERROR_LIBVIRT, 1 },
    { -ERROR_REFUSED, 3 },
    { -ERROR_TIMEOUT, 4 },
    { 999, 1 },
    { -999, 1 },
    { INT32_MIN, 1 },
    { -ERROR_GUEST_LOST, 11 },
};

START_TEST(every_code_has_its_exit_code)
    {
        ck_assert_int_eq(error_exit(exits[_i].code), exits[_i].exit);
    }
END_TEST

START_TEST(a_line_holds_what_host_and_why_as_far_as_they_are_there)
    {
        struct error err;
        char buf[256];

        error_set(&err, ERROR_LIBVIRT, NULL, "it broke");
        error_line(&err, buf, sizeof buf);
        ck_assert_str_eq(buf, "it broke");
        error_why(&err, "of old age");
        error_line(&err, buf, sizeof buf);
        ck_assert_str_eq(buf, "it broke: of old age");
        error_set(&err, ERROR_LIBVIRT, "hostA", "it broke");
        error_line(&err, buf, sizeof buf);
        ck_assert_str_eq(buf, "it broke on host 'hostA'");
        error_why(&err, "of old age");
        error_line(&err, buf, sizeof buf);
        ck_assert_str_eq(buf, "it broke on host 'hostA': of old age");
    }
END_TEST

START_TEST(a_line_is_terminated_in_any_buffer)
    {
        struct error err;
        char buf[4] = { 'x', 'x', 'x', 'x' };

        error_set(&err, ERROR_FAILED, "hostA", "it broke");
        error_line(&err, buf, 0);
        ck_assert_int_eq(buf[0], 'x');
        error_line(&err, buf, 1);
        ck_assert_int_eq(buf[0], '\0');
        ck_assert_int_eq(buf[1], 'x');
        error_line(&err, buf, sizeof buf);
        ck_assert_str_eq(buf, "it ");
    }
END_TEST

TEST_MAIN("base/error", setting_an_error_fills_its_parts_and_returns_the_negative_code,
          setting_it_again_leaves_nothing_of_the_old_one, a_new_message_may_quote_the_old_one,
          what_was_being_done_stands_before_the_message, a_failing_path_that_forgot_its_reason_still_fails,
          a_system_error_carries_its_number_and_its_words,
          text_that_fits_exactly_is_whole_and_one_byte_more_is_cut, a_cut_never_leaves_half_a_character,
          LOOP(every_code_has_its_exit_code, TEST_ROWS(exits)),
          a_line_holds_what_host_and_why_as_far_as_they_are_there, a_line_is_terminated_in_any_buffer)
