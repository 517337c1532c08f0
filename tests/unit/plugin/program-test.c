/* SPDX-License-Identifier: Apache-2.0
 * Programs run by argv: what goes in, what comes out, and that none of them can hold us up. */
#include "plugin/program.h"

#include "base/text.h"
#include "check-main.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static char out[64], said[64];

static struct ferry_command command(const char *const *argv)
{
    return (struct ferry_command){ .size = sizeof(struct ferry_command),
                                   .timeout_ms = 5000,
                                   .argv = argv,
                                   .output = out,
                                   .output_room = sizeof out,
                                   .errors = said,
                                   .errors_room = sizeof said };
}

START_TEST(output_errors_and_the_exit_code_come_back)
    {
        static const char *const argv[] = { "sh", "-c", "echo one; echo two >&2; exit 7", NULL };
        struct ferry_command c = command(argv);
        struct error err = { 0 };

        ck_assert_int_eq(program_run(&c, &err), 0);
        ck_assert_str_eq(out, "one\n");
        ck_assert_uint_eq(c.output_bytes, 4);
        ck_assert_str_eq(said, "two\n");
        ck_assert_int_eq(c.exit_code, 7);
        ck_assert_uint_eq(c.is_cut, 0);
    }
END_TEST

START_TEST(input_arrives_whole_and_a_word_is_never_a_shells)
    {
        static const char *const argv[] = { "cat", "--", "-", NULL };
        static const char *const echo[] = { "echo", "$(id); `id`", NULL };
        struct ferry_command c = command(argv);
        struct error err = { 0 };

        c.input = "a\0b";
        c.input_bytes = 3;
        ck_assert_int_eq(program_run(&c, &err), 0);
        ck_assert_uint_eq(c.output_bytes, 3);
        ck_assert_int_eq(memcmp(out, "a\0b", 3), 0);
        c = command(echo);
        ck_assert_int_eq(program_run(&c, &err), 0);
        ck_assert_str_eq(out, "$(id); `id`\n");
    }
END_TEST

START_TEST(what_does_not_fit_is_dropped_and_said)
    {
        static const char *const argv[] = { "sh", "-c", "head -c \"$0\" /dev/zero | tr '\\0' x", NULL, NULL };
        const char *words[] = { argv[0], argv[1], argv[2], _i ? "64" : "63", NULL };
        struct ferry_command c = command(words);
        struct error err = { 0 };

        ck_assert_int_eq(program_run(&c, &err), 0);
        ck_assert_uint_eq(c.output_bytes, 63);
        ck_assert_uint_eq(strlen(out), 63);
        ck_assert_uint_eq(c.is_cut, _i ? 1 : 0);
    }
END_TEST

/* More than a pipe holds, into a program that succeeds. */
static struct ferry_command given_a_mebibyte(const char *name)
{
    const char *const argv[] = { name, NULL };
    static char bytes[1u << 20];
    struct ferry_command c = command(argv);
    struct error err = { 0 };

    c.input = bytes;
    c.input_bytes = sizeof bytes;
    ck_assert_int_eq(program_run(&c, &err), 0);
    return c;
}

START_TEST(more_than_a_pipe_holds_goes_through_both_ways)
    {
        ck_assert_uint_eq(given_a_mebibyte("cat").is_cut, 1);
    }
END_TEST

START_TEST(a_program_that_reads_nothing_is_no_failure)
    {
        ck_assert_int_eq(given_a_mebibyte("true").exit_code, 0);
    }
END_TEST

START_TEST(a_program_that_is_not_there_is_absent)
    {
        static const char *const argv[] = { "no-such-program", NULL };
        struct ferry_command c = command(argv);
        struct error err = { 0 };

        ck_assert_int_lt(program_run(&c, &err), 0);
        ck_assert_int_eq(err.code, ERROR_ABSENT);
        ck_assert_str_eq(err.what, "program 'no-such-program' is not there");
    }
END_TEST

static const char *const slow[] = { "exec sleep 60", "exec >&- 2>&-; exec sleep 60", "sleep 60 & sleep 60" };

START_TEST(a_program_that_does_not_end_is_killed_in_time)
    {
        const char *const argv[] = { "sh", "-c", slow[_i], NULL };
        struct ferry_command c = command(argv);
        struct error err = { 0 };
        time_t begun = time(NULL);

        c.timeout_ms = 200;
        ck_assert_int_lt(program_run(&c, &err), 0);
        ck_assert_int_eq(err.code, ERROR_TIMEOUT);
        ck_assert_int_lt(time(NULL) - begun, 20);
        ck_assert_int_eq(c.exit_code, 128 + SIGKILL);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
    }
END_TEST

START_TEST(the_locale_is_c_and_sigpipe_is_as_it_should_be)
    {
        static const char *const argv[] = { "sh", "-c", "echo $LC_ALL; kill -PIPE $$; echo alive", NULL };
        struct ferry_command c = command(argv);
        struct error err = { 0 };

        ck_assert_int_eq(program_run(&c, &err), 0);
        ck_assert_str_eq(out, "C\n");
        ck_assert_int_eq(c.exit_code, 128 + SIGPIPE);
    }
END_TEST

TEST_MAIN("plugin/program", output_errors_and_the_exit_code_come_back,
          input_arrives_whole_and_a_word_is_never_a_shells, LOOP(what_does_not_fit_is_dropped_and_said, 2),
          more_than_a_pipe_holds_goes_through_both_ways, a_program_that_reads_nothing_is_no_failure,
          a_program_that_is_not_there_is_absent,
          LOOP(a_program_that_does_not_end_is_killed_in_time, TEST_ROWS(slow)),
          the_locale_is_c_and_sigpipe_is_as_it_should_be)
