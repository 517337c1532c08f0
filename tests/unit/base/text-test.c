/* SPDX-License-Identifier: Apache-2.0
 * Text: the buffer that grows, and what of a name from outside reaches a terminal. */
#include "base/text.h"

#include "check-main.h"

START_TEST(an_empty_text_reads_as_nothing)
    {
        OWNED_TEXT t = { 0 };

        ck_assert_str_eq(text_of(&t), "");
        text_add_bytes(&t, NULL, 0);
        ck_assert_str_eq(text_of(&t), "");
        text_done(&t);
        text_done(&t);
        ck_assert_ptr_null(t.s);
    }
END_TEST

START_TEST(text_grows_over_every_border_of_its_buffer)
    {
        OWNED_TEXT t = { 0 };

        for (size_t i = 0; i < 5000; i++) {
            if (i % 2)
                text_add(&t, "%c", (int)('a' + i % 26));
            else
                text_add_bytes(&t, &(char){ (char)('a' + i % 26) }, 1);
            ck_assert_uint_eq(t.len, i + 1);
            ck_assert_uint_eq(strlen(t.s), i + 1);
        }
        for (size_t i = 0; i < 5000; i++)
            ck_assert_int_eq(t.s[i], (char)('a' + i % 26));
    }
END_TEST

START_TEST(a_text_that_failed_takes_no_more)
    {
        OWNED_TEXT t = { 0 };

        text_add(&t, "kept");
        text_add_bytes(&t, "", SIZE_MAX - 2);
        ck_assert(t.failed);
        text_add(&t, "not taken");
        ck_assert_str_eq(text_of(&t), "kept");
        text_done(&t);
        ck_assert(!t.failed);
    }
END_TEST

static const struct {
    const char *in, *out;
} escapes[] = {
    { "", "" },
    { "web-01 ok", "web-01 ok" },
    { "back\\slash 'quote'", "back\\slash 'quote'" },
    { "\x1b[31mred", "\\x1b[31mred" },
    { "two\nlines\r\ttab", "two\\x0alines\\x0d\\x09tab" },
    { "\x01\x1f \x7e\x7f", "\\x01\\x1f \x7e\\x7f" },
    /* C1 controls, and the first character behind them */
    { "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0" },
    /* the ends of each length */
    { "\xdf\xbf", "\xdf\xbf" },
    { "\xe0\xa0\x80", "\xe0\xa0\x80" },
    { "\xef\xbf\xbd", "\xef\xbf\xbd" },
    { "\xf0\x90\x80\x80", "\xf0\x90\x80\x80" },
    { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
    /* overlong: slash in two and three bytes, the last of two in three, the last of three in four */
    { "\xc0\xaf", "\\xc0\\xaf" },
    { "\xc1\xbf", "\\xc1\\xbf" },
    { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
    { "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
    { "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
    /* surrogates, and both neighbours */
    { "\xed\x9f\xbf", "\xed\x9f\xbf" },
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
    { "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },
    { "\xee\x80\x80", "\xee\x80\x80" },
    /* beyond U+10FFFF, and bytes that begin nothing */
    { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
    { "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
    { "\xff\xfe", "\\xff\\xfe" },
    { "\x80", "\\x80" },
    /* cut short, at the end and before a letter */
    { "\xe2\x82", "\\xe2\\x82" },
    { "\xf0\x9f\x98z", "\\xf0\\x9f\\x98z" },
    { "\xc3(", "\\xc3(" },
    /* marks that turn the order around, and their neighbours */
    { "\xd8\x9b\xd8\x9c\xd8\x9d", "\xd8\x9b\\xd8\\x9c\xd8\x9d" },
    { "\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90",
      "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90" },
    { "\xe2\x80\xa7\xe2\x80\xa8", "\xe2\x80\xa7\\xe2\\x80\\xa8" },
    { "\xe2\x80\xae\xe2\x80\xaf", "\\xe2\\x80\\xae\xe2\x80\xaf" },
    { "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
      "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa" },
    { "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },
};

START_TEST(what_can_steer_a_terminal_is_escaped_and_the_rest_is_not)
    {
        OWNED_TEXT t = { 0 };

        text_add(&t, "<");
        text_add_escaped(&t, escapes[_i].in);
        text_add(&t, ">");
        ck_assert_uint_eq(t.len, strlen(escapes[_i].out) + 2);
        ck_assert_mem_eq(t.s + 1, escapes[_i].out, strlen(escapes[_i].out));
        ck_assert_str_eq(ESCAPED(escapes[_i].in), escapes[_i].out);
    }
END_TEST

START_TEST(what_was_escaped_is_valid_and_stays_as_it_is)
    {
        const char *once = ESCAPED(escapes[_i].in);

        ck_assert(text_is_utf8(once));
        ck_assert_str_eq(ESCAPED(once), once);
    }
END_TEST

START_TEST(no_text_is_escaped_as_an_empty_one)
    {
        OWNED_TEXT t = { 0 };

        text_add_escaped(&t, NULL);
        ck_assert_str_eq(text_of(&t), "");
        ck_assert_str_eq(ESCAPED(NULL), "");
    }
END_TEST

START_TEST(a_small_buffer_is_cut_between_characters_and_escapes)
    {
        static const struct {
            size_t size;
            const char *out;
        } cuts[] = { { 1, "" },
                     { 2, "a" },
                     { 3, "a" },
                     { 5, "a" },
                     { 6, "a\\x0a" },
                     { 7, "a\\x0a" },
                     { 8, "a\\x0a\xc3\xa9" },
                     { 9, "a\\x0a\xc3\xa9z" },
                     { 20, "a\\x0a\xc3\xa9z" } };

        for (size_t i = 0; i < TEST_ROWS(cuts); i++) {
            char buf[24];

            memset(buf, '#', sizeof buf);
            ck_assert_ptr_eq(text_escape(buf, cuts[i].size, "a\n\xc3\xa9z"), buf);
            ck_assert_str_eq(buf, cuts[i].out);
            ck_assert_int_eq(buf[cuts[i].size], '#');
        }
        ck_assert_str_eq(text_escape(NULL, 0, "a"), "");
    }
END_TEST

START_TEST(utf8_is_told_from_what_is_none)
    {
        ck_assert(text_is_utf8(""));
        ck_assert(text_is_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"));
        ck_assert(!text_is_utf8("a\xc3"));
        ck_assert(!text_is_utf8("\xed\xa0\x80"));
        ck_assert(!text_is_utf8("\xc0\x80"));
    }
END_TEST

START_TEST(null_equals_null_only)
    {
        ck_assert(text_equal("a", "a"));
        ck_assert(!text_equal("a", "b"));
        ck_assert(!text_equal("a", "ab"));
        ck_assert(text_equal(NULL, NULL));
        ck_assert(!text_equal(NULL, ""));
        ck_assert(!text_equal("", NULL));
    }
END_TEST

START_TEST(beginnings_and_ends_are_found)
    {
        ck_assert(text_starts("qemu+ssh://h", "qemu+"));
        ck_assert(text_starts("a", ""));
        ck_assert(!text_starts("qem", "qemu"));
        ck_assert(!text_starts(NULL, ""));
        ck_assert(text_ends("disk.qcow2", ".qcow2"));
        ck_assert(text_ends(".so", ".so"));
        ck_assert(!text_ends("so", ".so"));
        ck_assert(!text_ends(NULL, ""));
        ck_assert(!text_ends("a", NULL));
    }
END_TEST

TEST_MAIN("base/text", an_empty_text_reads_as_nothing, text_grows_over_every_border_of_its_buffer,
          a_text_that_failed_takes_no_more,
          LOOP(what_can_steer_a_terminal_is_escaped_and_the_rest_is_not, TEST_ROWS(escapes)),
          LOOP(what_was_escaped_is_valid_and_stays_as_it_is, TEST_ROWS(escapes)),
          no_text_is_escaped_as_an_empty_one, a_small_buffer_is_cut_between_characters_and_escapes,
          utf8_is_told_from_what_is_none, null_equals_null_only, beginnings_and_ends_are_found)
