/* SPDX-License-Identifier: Apache-2.0
 * What a holder made goes when it is released, and when the process that holds it is killed. */
#include "../../../plugins/transport-ssh/hold.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t master_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Makes the folder that it reads, and takes it down when nothing more is to be read. */
static const char *const holder[] = { "bash", "-c",
                                      "read -r d; trap \"rmdir $d\" EXIT; mkdir $d || exit 1; echo ready; "
                                      "while read -r -t 20 x; do :; done",
                                      NULL };

static void name_of(char *path, size_t size)
{
    (void)snprintf(path, size, "/tmp/ssh-hold-test.%d", (int)getpid());
    (void)rmdir(path);
}

static bool goes_within(const char *path, int ms)
{
    const int64_t until = master_now_ms() + ms;

    while (access(path, F_OK) == 0)
        if (master_now_ms() >= until || usleep(5000) < 0)
            return false;
    return true;
}

static void begin_there(struct hold *h, const char *path)
{
    char input[128];

    (void)snprintf(input, sizeof input, "%s\n", path);
    ck_assert_int_eq(hold_begin(h, holder, input), 0);
    ck_assert(hold_wait(h, master_now_ms() + 5000));
    ck_assert_int_eq(access(path, F_OK), 0);
}

START_TEST(what_is_held_goes_when_it_is_released)
    {
        struct hold h = HOLD_NONE;
        char path[64];

        name_of(path, sizeof path);
        begin_there(&h, path);
        hold_end(&h);
        ck_assert(goes_within(path, 3000));
        ck_assert_int_eq(h.pid, 0);
        hold_end(&h); /* once more: there is nothing */
    }
END_TEST

START_TEST(what_is_held_goes_when_its_process_is_killed)
    {
        char path[64];
        pid_t pid;
        int status;

        name_of(path, sizeof path);
        pid = fork();
        if (pid == 0) {
            struct hold h = HOLD_NONE;

            begin_there(&h, path);
            (void)kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        ck_assert(goes_within(path, 3000));
    }
END_TEST

START_TEST(one_that_ends_before_it_is_ready_says_why)
    {
        static const char *const argv[] = { "bash", "-c", "echo no such thing >&2", NULL };
        struct hold h = HOLD_NONE;
        char said[64];

        ck_assert_int_eq(hold_begin(&h, argv, ""), 0);
        ck_assert(!hold_wait(&h, master_now_ms() + 5000));
        hold_said(&h, said, sizeof said);
        ck_assert_str_eq(said, "no such thing\n");
        hold_end(&h);
    }
END_TEST

START_TEST(one_that_ends_later_says_how_and_only_what_it_said_then)
    {
        static const char *const argv[] = { "bash", "-c",
                                            "read -r go; echo welcome >&2; echo no-aes; echo ready; "
                                            "until [ -e \"$go\" ]; do sleep 0.01; done; "
                                            "echo ended 7 42; echo gone >&2; kill -KILL $$",
                                            NULL };
        const int64_t until = master_now_ms() + 5000;
        struct hold h = HOLD_NONE;
        char go[64], input[80], said[64];

        name_of(go, sizeof go);
        (void)snprintf(input, sizeof input, "%s\n", go);
        ck_assert_int_eq(hold_begin(&h, argv, input), 0);
        ck_assert(hold_wait(&h, until));
        ck_assert(!hold_has_ended(&h));
        ck_assert_ptr_nonnull(hold_heard(&h, "no-aes", 0));
        ck_assert_int_eq(mkdir(go, 0700), 0);
        ck_assert_str_eq(hold_heard(&h, "ended ", until), "7 42\n");
        while (!hold_has_ended(&h) && master_now_ms() < until)
            (void)usleep(2000);
        ck_assert_int_eq(h.code, 128 + SIGKILL);
        hold_said(&h, said, sizeof said);
        ck_assert_str_eq(said, "gone\n");
        ck_assert_ptr_null(hold_heard(&h, "more", until));
        hold_end(&h);
        ck_assert(!hold_has_ended(&h));
        ck_assert_int_eq(rmdir(go), 0);
    }
END_TEST

START_TEST(half_a_line_is_not_heard)
    {
        static const char *const argv[] = { "bash", "-c", "echo ready; echo -n ended 2; read -r x; read -r x",
                                            NULL };
        struct hold h = HOLD_NONE;

        ck_assert_int_eq(hold_begin(&h, argv, ""), 0);
        ck_assert(hold_wait(&h, master_now_ms() + 5000));
        ck_assert_ptr_null(hold_heard(&h, "ended ", master_now_ms() + 200));
        hold_end(&h);
    }
END_TEST

START_TEST(one_that_never_is_ready_is_waited_for_until_then)
    {
        static const char *const argv[] = { "bash", "-c", "echo almost; read -r x; read -r x", NULL };
        struct hold h = HOLD_NONE;
        const int64_t until = master_now_ms() + 150;

        ck_assert_int_eq(hold_begin(&h, argv, ""), 0);
        ck_assert(!hold_wait(&h, until));
        ck_assert_int_ge(master_now_ms(), until);
        hold_end(&h);
    }
END_TEST

START_TEST(a_program_that_is_not_there_is_an_error)
    {
        static const char *const argv[] = { "/nowhere/at-all", NULL };
        struct hold h = HOLD_NONE;

        ck_assert_int_eq(hold_begin(&h, argv, "x\n"), ENOENT);
        ck_assert_int_eq(h.pulse, 0);
    }
END_TEST

TEST_MAIN("plugin/ssh-hold", what_is_held_goes_when_it_is_released,
          what_is_held_goes_when_its_process_is_killed, one_that_ends_before_it_is_ready_says_why,
          one_that_ends_later_says_how_and_only_what_it_said_then, half_a_line_is_not_heard,
          one_that_never_is_ready_is_waited_for_until_then, a_program_that_is_not_there_is_an_error)
