/* SPDX-License-Identifier: Apache-2.0
 * The history: what is appended is read, what is torn is cut, what is damaged is set aside; and the fit. */
#include "base/text.h"
#include "check-main.h"
#include "state/history.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64];

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/ferry-history-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static const char *file(void)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/history", dir);
    return path;
}

static json_t *move(const char *source, const char *channel, uint64_t bytes_per_s, uint64_t setup_ms)
{
    return json_pack("{ss ss ss s{sI sI}}", "source_uuid", source, "dest_uuid", "b", "channel", channel,
                     "actual", "bytes_per_s", (json_int_t)bytes_per_s, "setup_ms", (json_int_t)setup_ms);
}

static void append(uint64_t rate)
{
    struct error err = { 0 };

    ck_assert_msg(history_append(dir, move("a", "tcp", rate, 400), &err) == 0, "%s: %s", err.what, err.why);
}

static size_t count(struct text *aside)
{
    struct error err = { 0 };
    OWNED_JSON list = history_read(dir, aside, &err);

    ck_assert_msg(list != NULL, "%s", err.what);
    return json_array_size(list);
}

static void add_bytes(const char *bytes)
{
    FILE *f = fopen(file(), "a");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(bytes, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(what_is_appended_is_read_in_its_order_and_an_absent_file_is_empty)
    {
        struct error err = { 0 };

        make_dir();
        ck_assert_uint_eq(count(NULL), 0);
        append(1);
        append(2);
        OWNED_JSON list = history_read(dir, NULL, &err);
        ck_assert_uint_eq(json_array_size(list), 2);
        ck_assert_uint_eq(json_u64(json_child(json_array_get(list, 1), "actual"), "bytes_per_s", 0), 2);
        remove_dir();
    }
END_TEST

START_TEST(a_torn_tail_is_ignored_and_cut_by_the_next_writer)
    {
        OWNED_TEXT aside = { 0 };

        make_dir();
        append(1);
        add_bytes("00000010 0123");
        ck_assert_uint_eq(count(&aside), 1);
        append(2);
        ck_assert_uint_eq(count(&aside), 2);
        ck_assert_uint_eq(aside.len, 0);
        remove_dir();
    }
END_TEST

START_TEST(a_damaged_history_is_set_aside_with_its_name_said_and_a_new_one_begins)
    {
        OWNED_TEXT aside = { 0 };
        struct stat st;

        make_dir();
        append(1);
        add_bytes("rubbish\n");
        append(7); /* writers set it aside too */
        ck_assert_uint_eq(count(NULL), 1);
        add_bytes("rubbish\n");
        ck_assert_uint_eq(count(&aside), 1);
        ck_assert(strstr(text_of(&aside), "/history.damaged-") != NULL);
        ck_assert_int_eq(stat(text_of(&aside), &st), 0);
        ck_assert_int_ne(stat(file(), &st), 0);
        ck_assert_uint_eq(count(NULL), 0);
        remove_dir();
    }
END_TEST

static struct constants fitted(const json_t *list, const char *channel)
{
    struct constants c = { NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN,
                           NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN };

    history_fit(list, "a", "b", channel, &c);
    return c;
}

START_TEST(one_wild_move_changes_nothing_and_only_the_newest_nine_count)
    {
        OWNED_JSON list = json_array();

        for (int i = 0; i < 20; i++)
            json_array_append_new(list, move("a", "tcp", 5, 400)); /* long ago */
        for (int i = 0; i < 8; i++)
            json_array_append_new(list, move("a", "tcp", 1000, 400));
        json_array_append_new(list, move("a", "tcp", 1, 90000));
        struct constants c = fitted(list, "tcp");
        ck_assert_uint_eq(c.samples, HISTORY_FITTED);
        ck_assert_uint_eq(c.bytes_per_s, 1000);
        ck_assert_uint_eq(c.bytes_per_s_spread, 100); /* a tenth at least */
        ck_assert_uint_eq(c.setup_ms, 400);
        ck_assert_uint_eq(c.downtime_ms, NOT_KNOWN);
    }
END_TEST

START_TEST(the_spread_is_that_of_the_moves_and_wide_where_they_are_few)
    {
        OWNED_JSON list = json_array();

        json_array_append_new(list, move("a", "tcp", 1000, 400));
        struct constants one = fitted(list, "tcp");
        ck_assert_uint_eq(one.bytes_per_s_spread, 250);
        json_array_append_new(list, move("a", "tcp", 800, 400));
        json_array_append_new(list, move("a", "tcp", 1200, 400));
        struct constants three = fitted(list, "tcp");
        ck_assert_uint_eq(three.bytes_per_s, 1000);
        ck_assert_uint_eq(three.bytes_per_s_spread, 593); /* 2 x 1.4826 x 200 */
    }
END_TEST

START_TEST(other_hosts_and_channels_are_not_mixed_in)
    {
        OWNED_JSON list = json_array();

        json_array_append_new(list, move("x", "tcp", 1, 1));
        json_array_append_new(list, move("a", "tls", 50, 1));
        json_array_append_new(list, move("a", "tcp", 1000, 400));
        ck_assert_uint_eq(fitted(list, "tcp").bytes_per_s, 1000);
        ck_assert_uint_eq(fitted(list, "tcp").samples, 1);
        ck_assert_uint_eq(fitted(list, NULL).samples, 2);
        ck_assert_uint_eq(fitted(list, "ssh").samples, NOT_KNOWN);
    }
END_TEST

TEST_MAIN("state/history", what_is_appended_is_read_in_its_order_and_an_absent_file_is_empty,
          a_torn_tail_is_ignored_and_cut_by_the_next_writer,
          a_damaged_history_is_set_aside_with_its_name_said_and_a_new_one_begins,
          one_wild_move_changes_nothing_and_only_the_newest_nine_count,
          the_spread_is_that_of_the_moves_and_wide_where_they_are_few,
          other_hosts_and_channels_are_not_mixed_in)
