/* SPDX-License-Identifier: Apache-2.0
 * How a command line is read: values, order, ends, and what is refused. */
#include "check-main.h"
#include "cli/options.h"

static const struct option_row global[] = {
    { .name = "connect", .letter = 'c', .argument = "URI", .type = OPTION_TEXT, .help = "-" },
    { .name = "quiet", .letter = 'q', .help = "-" },
    { .name = NULL },
};
static const struct option_row own[] = {
    { .name = "copy", .help = "-" },
    { .name = "max-downtime", .argument = "TIME", .type = OPTION_MS, .help = "-" },
    { .name = "migrate-setmaxdowntime",
      .argument = "MS",
      .type = OPTION_MS,
      .flags = OPTION_HIDDEN,
      .stands_for = "max-downtime" },
    { .name = "timeout", .argument = "TIME", .type = OPTION_MS, .bare_ms = 1000, .help = "-" },
    { .name = "map",
      .letter = 'm',
      .argument = "A=B",
      .type = OPTION_TEXT,
      .flags = OPTION_REPEATS,
      .help = "-" },
    { .name = "prefer", .argument = "time|bytes", .type = OPTION_CHOICE, .help = "-" },
    { .name = "bandwidth", .argument = "RATE", .type = OPTION_RATE, .help = "-" },
    { .name = "size", .argument = "BYTES", .type = OPTION_BYTES, .help = "-" },
    { .name = "connections", .argument = "N", .type = OPTION_U64, .help = "-" },
    { .name = "live", .flags = OPTION_HIDDEN },
    { .name = NULL },
};

static struct error err;

static struct options *read_line(int n, char **argv, int *ret_rest)
{
    struct options *o = options_new(&err);

    ck_assert_ptr_nonnull(o);
    memset(&err, 0, sizeof err);
    if (options_read(o, "move", global, own, n, argv, ret_rest, &err) < 0) {
        ck_assert_int_eq(err.code, ERROR_USAGE);
        options_free(o);
        return NULL;
    }
    return o;
}

#define ARGS(...)                                                                                            \
    (int)(sizeof((char *[]){ (char *)"move", __VA_ARGS__ }) / sizeof(char *)), (char *[])                    \
    {                                                                                                        \
        (char *)"move", __VA_ARGS__, NULL                                                                    \
    }
#define READ(...) read_line(ARGS(__VA_ARGS__), NULL)

START_TEST(values_are_found_by_name_with_their_units)
    {
        OWNED(options)
        o = READ("vault", "--copy", "--max-downtime", "300", "hostB", "--timeout=5", "--bandwidth", "1gbit",
                 "--size=2K", "--connections", "4", "--prefer", "bytes", "-c", "test:///x", "-q");

        ck_assert_msg(o != NULL, "%s", err.what);
        ck_assert(option_flag(o, "copy"));
        ck_assert(option_flag(o, "quiet"));
        ck_assert_uint_eq(option_u64(o, "max-downtime", 0), 300);
        ck_assert_uint_eq(option_u64(o, "timeout", 0), 5000);
        ck_assert_uint_eq(option_u64(o, "bandwidth", 0), 125000000);
        ck_assert_uint_eq(option_u64(o, "size", 0), 2048);
        ck_assert_uint_eq(option_u64(o, "connections", 0), 4);
        ck_assert_str_eq(option_text(o, "prefer"), "bytes");
        ck_assert_str_eq(option_text(o, "connect"), "test:///x");
        ck_assert_uint_eq(operand_count(o), 2);
        ck_assert_str_eq(operand_at(o, 0), "vault");
        ck_assert_str_eq(operand_at(o, 1), "hostB");
        ck_assert_ptr_null(operand_at(o, 2));
    }
END_TEST

START_TEST(what_was_not_given_reads_as_absent)
    {
        OWNED(options) o = READ("vault");

        ck_assert_ptr_nonnull(o);
        ck_assert(!option_flag(o, "copy"));
        ck_assert(!option_given(o, "map"));
        ck_assert_ptr_null(option_text(o, "map"));
        ck_assert_ptr_null(option_nth(o, "map", 0));
        ck_assert_uint_eq(option_count(o, "map"), 0);
        ck_assert_uint_eq(option_u64(o, "timeout", 77), 77);
    }
END_TEST

START_TEST(the_last_of_two_values_counts_and_repeats_are_all_kept)
    {
        OWNED(options) o = READ("--timeout", "1", "-m", "a=1", "-mb=2", "--timeout", "2", "--map=c=3");

        ck_assert_ptr_nonnull(o);
        ck_assert_uint_eq(option_u64(o, "timeout", 0), 2000);
        ck_assert_uint_eq(option_count(o, "map"), 3);
        ck_assert_str_eq(option_nth(o, "map", 0), "a=1");
        ck_assert_str_eq(option_nth(o, "map", 1), "b=2");
        ck_assert_str_eq(option_nth(o, "map", 2), "c=3");
        ck_assert_ptr_null(option_nth(o, "map", 3));
    }
END_TEST

START_TEST(another_programs_word_for_an_option_counts_as_ours)
    {
        OWNED(options) o = READ("--max-downtime=1", "--migrate-setmaxdowntime", "250", "--live");

        ck_assert_msg(o != NULL, "%s", err.what);
        ck_assert_uint_eq(option_u64(o, "max-downtime", 0), 250);
        ck_assert(!option_given(o, "migrate-setmaxdowntime"));
    }
END_TEST

START_TEST(an_operand_may_begin_with_a_dash_only_behind_two_dashes)
    {
        OWNED(options) o = READ("--copy", "--", "-vault", "--copyx", "--");

        ck_assert_ptr_nonnull(o);
        ck_assert_uint_eq(operand_count(o), 3);
        ck_assert_str_eq(operand_at(o, 0), "-vault");
        ck_assert_str_eq(operand_at(o, 2), "--");
        OWNED(options) refused = READ("-vault");

        ck_assert_ptr_null(refused);
    }
END_TEST

START_TEST(a_single_dash_is_an_operand)
    {
        OWNED(options) o = READ("-", "--copy");

        ck_assert_ptr_nonnull(o);
        ck_assert_str_eq(operand_at(o, 0), "-");
        ck_assert(option_flag(o, "copy"));
    }
END_TEST

START_TEST(a_value_may_begin_with_a_dash)
    {
        OWNED(options) o = READ("--map", "--copy", "-c", "-q");

        ck_assert_ptr_nonnull(o);
        ck_assert_str_eq(option_text(o, "map"), "--copy");
        ck_assert_str_eq(option_text(o, "connect"), "-q");
        ck_assert(!option_flag(o, "copy"));
        ck_assert(!option_flag(o, "quiet"));
    }
END_TEST

START_TEST(global_options_end_before_the_command)
    {
        int rest = 0;
        OWNED(options) o = read_line(ARGS("-q", "-c", "x:///", "migrate", "--copy", "-q"), &rest);

        ck_assert_ptr_nonnull(o);
        ck_assert_int_eq(rest, 4);
        ck_assert_uint_eq(operand_count(o), 0);
        ck_assert(!option_flag(o, "copy"));
    }
END_TEST

static const struct {
    char *argv[3];
    const char *says, *fix;
} bad[] = {
    { { "--cpy" }, "'--cpy' is not known", "'--copy'" },
    { { "--zzzzzz" }, "'--zzzzzz' is not known", "See 'virt-ferry help move'" },
    { { "--cop" }, "'--cop' is not known", "'--copy'" }, /* no abbreviations */
    { { "--max-downtim=3" }, "'--max-downtim' is not known", "'--max-downtime'" },
    { { "--max" }, "'--max' is not known", "'--max-downtime'" },
    { { "--m", "x" }, "'--m' is not known", "" }, /* ambiguous */
    { { "-x" }, "'-x' is not known", "help move" },
    { { "-qx" }, "'-x' is not known", "help move" },
    { { "--copy=yes" }, "'--copy' takes no value", "help move" },
    { { "--timeout" }, "'--timeout' needs a value: TIME", "help move" },
    { { "-c" }, "'--connect' needs a value: URI", "help move" },
    { { "--timeout", "soon" }, "'soon' cannot be the value of option '--timeout'", "5min" },
    { { "--timeout", "-1" }, "'-1' cannot be the value of option '--timeout'", "5min" },
    { { "--timeout=" }, "'' cannot be the value of option '--timeout'", "5min" },
    { { "--bandwidth=fast" }, "'fast' cannot be the value", "1gbit" },
    { { "--size=big" }, "'big' cannot be the value", "512MiB" },
    { { "--connections=1.5" }, "'1.5' cannot be the value", "whole number" },
    { { "--prefer=tim" }, "'tim' cannot be the value", "one of these: time|" },
    { { "--prefer=time|bytes" }, "cannot be the value", "" },
    { { "--prefer=" }, "'' cannot be the value", "" },
};

START_TEST(what_cannot_be_read_is_a_usage_error_with_a_way_out)
    {
        char *argv[] = { (char *)"move", bad[_i].argv[0], bad[_i].argv[1], NULL };
        OWNED(options) o = read_line(bad[_i].argv[1] ? 3 : 2, argv, NULL);

        ck_assert_ptr_null(o);
        ck_assert_msg(strstr(err.what, bad[_i].says) != NULL, "%s", err.what);
        ck_assert_msg(strstr(err.fix, bad[_i].fix) != NULL, "%s", err.fix);
    }
END_TEST

START_TEST(a_very_long_option_is_refused_like_any_other)
    {
        char *longest = malloc(100000);

        ck_assert_ptr_nonnull(longest);
        memset(longest, '-', 2);
        memset(longest + 2, 'a', 99997);
        longest[99999] = '\0';
        OWNED(options) o = read_line(2, (char *[]){ (char *)"move", longest, NULL }, NULL);

        ck_assert_ptr_null(o);
        free(longest);
    }
END_TEST

TEST_MAIN("cli/options", values_are_found_by_name_with_their_units, what_was_not_given_reads_as_absent,
          the_last_of_two_values_counts_and_repeats_are_all_kept,
          another_programs_word_for_an_option_counts_as_ours,
          an_operand_may_begin_with_a_dash_only_behind_two_dashes, a_single_dash_is_an_operand,
          a_value_may_begin_with_a_dash, global_options_end_before_the_command,
          LOOP(what_cannot_be_read_is_a_usage_error_with_a_way_out, TEST_ROWS(bad)),
          a_very_long_option_is_refused_like_any_other)
