/* SPDX-License-Identifier: Apache-2.0
 * A test program in one line: TEST_MAIN("area/name", test_a, LOOP(test_b, n), …) after the START_TESTs.
 * Prints each failure and one closing line; given arguments, runs only the tests of these names. */
#ifndef UNIT_CHECK_MAIN_H
#define UNIT_CHECK_MAIN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_LOOPS_MOST 64
#define TEST_SECONDS 60

static struct {
    const TTest *test;
    int n;
} test_loops[TEST_LOOPS_MOST];
static int test_n_loops;

/* Runs a test n times, with _i from 0 to n - 1. */
#define LOOP(test, n) test_loop((test), (int)(n))
#define TEST_ROWS(table) (sizeof(table) / sizeof((table)[0]))

__attribute__((unused)) static const TTest *test_loop(const TTest *test, int n)
{
    if (test_n_loops == TEST_LOOPS_MOST || n <= 0)
        abort();
    test_loops[test_n_loops].test = test;
    test_loops[test_n_loops++].n = n;
    return test;
}

static int test_times(const TTest *test)
{
    for (int i = 0; i < test_n_loops; i++)
        if (test_loops[i].test == test)
            return test_loops[i].n;
    return 0;
}

static int test_is_wanted(const TTest *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], test->name) == 0)
            return 1;
    return argc < 2;
}

static void test_show_failures(SRunner *runner)
{
    TestResult **failures = srunner_failures(runner);

    for (int i = 0; i < srunner_ntests_failed(runner); i++)
        printf("%s:%d: %s: %s\n", tr_lfile(failures[i]), tr_lno(failures[i]), tr_tcname(failures[i]),
               tr_msg(failures[i]));
    free(failures);
}

/* One case per test: Check tells a failure's case, not its test. */
static int test_run(const char *name, const TTest *const *tests, size_t n, int argc, char **argv)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int run, failed;

    for (size_t i = 0; i < n; i++) {
        int times = test_times(tests[i]);
        TCase *one;

        if (!test_is_wanted(tests[i], argc, argv))
            continue;
        one = tcase_create(tests[i]->name);
        tcase_set_timeout(one, TEST_SECONDS);
        if (times > 0)
            tcase_add_loop_test(one, tests[i], 0, times);
        else
            tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    srunner_run_all(runner, CK_SILENT);
    test_show_failures(runner);
    run = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    printf("%-7s %-24s %4d passed, %d failed\n", failed || !run ? "FAILED" : "ok", name, run - failed,
           failed);
    return failed || !run ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TEST_MAIN(name, ...)                                                                                 \
    int main(int argc, char **argv)                                                                          \
    {                                                                                                        \
        const TTest *const tests[] = { __VA_ARGS__ };                                                        \
                                                                                                             \
        return test_run(name, tests, TEST_ROWS(tests), argc, argv);                                          \
    }

#endif
