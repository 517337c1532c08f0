/* SPDX-License-Identifier: Apache-2.0
 * Fault points: armed from outside at an exact passage, and nothing at all in a release. */
#include "base/fault.h"

#include "check-main.h"
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FERRY_FAULTS

/* How a child ends that passes "a" and "b" in turn, `times` each; its exit code is the bits of the passages
 * of "a" that failed. */
static int passing(const char *setting, int times)
{
    int status = 0;
    pid_t pid;

    setenv("VIRT_FERRY_FAULT", setting, 1);
    pid = fork();
    if (pid == 0) {
        int failed = 0;

        for (int i = 0; i < times; i++) {
            failed |= (int)fault_point("a") << i;
            (void)fault_point("b");
        }
        _exit(failed);
    }
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return status;
}

#define FOUR "fail:a:9,fail:a:9,fail:a:9,fail:a:9"
#define SIXTEEN FOUR "," FOUR "," FOUR "," FOUR

static const struct {
    const char *setting;
    int failed;
} failing[] = {
    { "", 0 },
    { "fail:a:1", 1 },
    { "fail:a:3", 4 },
    { "fail:a:6", 0 },
    { "fail:b:1", 0 },
    { "fail:aa:1", 0 },
    { "fail:a:1,fail:a:2", 3 },
    { "fail:b:1,fail:a:2", 2 },
    { "kill:a:6,fail:a:5", 16 },
    { SIXTEEN, 0 },
};

START_TEST(a_call_fails_at_the_armed_passage_only)
    {
        int status = passing(failing[_i].setting, 5);

        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), failing[_i].failed);
    }
END_TEST

START_TEST(a_kill_cannot_be_survived)
    {
        int status = passing("kill:a:3", 3);

        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);
        ck_assert(WIFEXITED(passing("kill:a:3", 2)));
    }
END_TEST

START_TEST(a_stop_leaves_the_process_there)
    {
        int status = passing("stop:b:2", 2);

        ck_assert(WIFSTOPPED(status));
        ck_assert(WIFEXITED(passing("stop:b:2", 1)));
    }
END_TEST

static const char *const unreadable[] = {
    "fail",
    "fail:a",
    "fail:a:",
    "fail:a:0",
    "fail:a:-1",
    "fail:a:x",
    "fail::1",
    "die:a:1",
    "fail:a:1:2",
    "a",
    ":",
    "fail:a:1,fail",
    "fail a 1",
    "fail:a:18446744073709551616",
    SIXTEEN ",fail:a:1",
};

START_TEST(a_setting_that_cannot_be_read_aborts)
    {
        int status = passing(unreadable[_i], 1);

        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "'%s' gave status %x",
                      unreadable[_i], (unsigned)status);
    }
END_TEST

START_TEST(a_figure_is_what_the_variable_says)
    {
        unsetenv("VIRT_FERRY_FIGURE");
        ck_assert_uint_eq(fault_figure("VIRT_FERRY_FIGURE", 7), 7);
        setenv("VIRT_FERRY_FIGURE", "1", 1);
        ck_assert_uint_eq(fault_figure("VIRT_FERRY_FIGURE", 7), 1);
    }
END_TEST

static const char *const no_figures[] = { "", "0", "-1", "1s" };

START_TEST(a_figure_that_cannot_be_read_aborts)
    {
        int status = 0;
        pid_t pid;

        setenv("VIRT_FERRY_FIGURE", no_figures[_i], 1);
        pid = fork();
        if (pid == 0)
            _exit((int)fault_figure("VIRT_FERRY_FIGURE", 7));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
END_TEST

TEST_MAIN("base/fault", LOOP(a_call_fails_at_the_armed_passage_only, TEST_ROWS(failing)),
          a_kill_cannot_be_survived, a_stop_leaves_the_process_there,
          LOOP(a_setting_that_cannot_be_read_aborts, TEST_ROWS(unreadable)),
          a_figure_is_what_the_variable_says,
          LOOP(a_figure_that_cannot_be_read_aborts, TEST_ROWS(no_figures)))

#else

START_TEST(a_release_has_no_fault_points)
    {
        setenv("VIRT_FERRY_FAULT", "kill:a:1,fail:a:1", 1);
        ck_assert(!fault_point("a"));
        setenv("VIRT_FERRY_FIGURE", "1", 1);
        ck_assert_uint_eq(fault_figure("VIRT_FERRY_FIGURE", 7), 7);
    }
END_TEST

TEST_MAIN("base/fault", a_release_has_no_fault_points)

#endif
