/* SPDX-License-Identifier: Apache-2.0
 * The shell that keeps the folder there, run here: the folder comes and goes, and what it tells of the
 * processor, by a grep of our own. */
#include "../../../plugins/transport-ssh/hold.c"   /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/keeper.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int64_t master_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char scratch[64], folder[96], grep_path[96];

static void grep_that_ends_with(int code)
{
    FILE *file;
    char path[256];

    (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-keeper-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    (void)snprintf(folder, sizeof folder, "%s/ways/one", scratch);
    (void)snprintf(grep_path, sizeof grep_path, "%s/grep", scratch);
    file = fopen(grep_path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "#!/bin/sh\nexit %d\n", code), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(grep_path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s:%s", scratch, getenv("PATH"));
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

static void words_of(struct words *w, const char *const *argv)
{
    *w = (struct words){ .n = 0 };
    for (; argv[w->n]; w->n++)
        w->argv[w->n] = argv[w->n];
}

static bool is_gone_within(const char *path, int ms)
{
    const int64_t until = master_now_ms() + ms;

    while (access(path, F_OK) == 0)
        if (master_now_ms() >= until || usleep(5000) < 0)
            return false;
    return true;
}

static void tidy(void)
{
    char ways[96];

    (void)snprintf(ways, sizeof ways, "%s/ways", scratch);
    ck_assert_int_eq(unlink(grep_path), 0);
    ck_assert_int_eq(rmdir(ways), 0);
    ck_assert_int_eq(rmdir(scratch), 0);
}

static const struct {
    int grep_ends;
    bool has_aes;
} processors[] = { { 0, true }, { 1, false }, { 2, true } /* cannot be read */ };

START_TEST(the_folder_stands_while_it_is_kept_and_the_processor_there_is_told)
    {
        const char *heard = "";
        struct words w;

        grep_that_ends_with(processors[_i].grep_ends);
        words_of(&w, keeper_words);
        ck_assert_int_eq(keeper_begin(&w, folder, NULL, ".x", 5000, &heard), 0);
        ck_assert_int_eq(access(folder, F_OK), 0);
        ck_assert(keeper_has_aes() == processors[_i].has_aes);
        words_of(&w, carrier_words);
        ck_assert_uint_eq(keeper_carry(&w, 1, 5000, &heard), 1);
        ck_assert(carriers[0].pid > 0);
        keeper_end();
        ck_assert(is_gone_within(folder, 5000));
        ck_assert_int_eq(carriers[0].pid, 0);
        tidy();
    }
END_TEST

START_TEST(a_connection_that_does_not_come_leaves_the_folder_kept)
    {
        static const char *const refused[] = { "bash", "-c", "echo Permission denied >&2", NULL };
        const char *heard = "";
        struct words w;

        grep_that_ends_with(1);
        words_of(&w, keeper_words);
        ck_assert_int_eq(keeper_begin(&w, folder, NULL, ".x", 5000, &heard), 0);
        words_of(&w, refused);
        ck_assert_uint_eq(keeper_carry(&w, 1, 5000, &heard), 0);
        ck_assert_str_eq(heard, "Permission denied\n");
        ck_assert_int_eq(access(folder, F_OK), 0);
        keeper_end();
        ck_assert(is_gone_within(folder, 5000));
        tidy();
    }
END_TEST

static bool one_ends_within(struct ended *ret, int ms)
{
    const int64_t until = master_now_ms() + ms;

    while (!keeper_carrier_has_ended(ret))
        if (master_now_ms() >= until || usleep(5000) < 0)
            return false;
    return true;
}

START_TEST(of_several_those_are_told_that_stand_and_the_one_that_ends)
    {
        static const char *const refused[] = { "bash", "-c", "echo Too many >&2", NULL };
        const char *const brief[] = {
            "bash", "-c", "echo ready; until [ -e \"$0\" ]; do sleep 0.01; done; echo gone >&2; exit 7",
            scratch, NULL
        };
        const char *heard = "";
        struct ended e = { .code = 0 };
        struct words w[4];
        long pid;

        (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-keeper-test.%d", (int)getpid());
        words_of(&w[0], carrier_words);
        words_of(&w[1], refused);
        words_of(&w[2], brief);
        words_of(&w[3], carrier_words);
        ck_assert_uint_eq(keeper_carry(w, 4, 5000, &heard), 13);
        ck_assert_str_eq(heard, "Too many\n");
        ck_assert_int_eq(carriers[1].pid, 0);
        pid = (long)carriers[2].pid;
        ck_assert(!keeper_carrier_has_ended(&e));
        ck_assert_int_eq(mkdir(scratch, 0700), 0);
        ck_assert(one_ends_within(&e, 5000));
        ck_assert_int_eq(e.code, 7);
        ck_assert_int_eq(e.pid, pid);
        ck_assert_str_eq(e.said, "gone\n");
        ck_assert_int_eq(rmdir(scratch), 0);
        keeper_drop_carriers();
        for (unsigned i = 0; i < KEEPER_MOST; i++)
            ck_assert_int_eq(carriers[i].pid, 0);
        ck_assert(!keeper_carrier_has_ended(&e));
    }
END_TEST

TEST_MAIN("plugin/ssh-keeper",
          LOOP(the_folder_stands_while_it_is_kept_and_the_processor_there_is_told, TEST_ROWS(processors)),
          a_connection_that_does_not_come_leaves_the_folder_kept,
          of_several_those_are_told_that_stand_and_the_one_that_ends)
