/* SPDX-License-Identifier: Apache-2.0
 * Threads that do requests, and one that does not come back: what it was given is not touched any more. */
#include "../../../plugins/local-block/crew.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <poll.h>

static int begun[2], may_end[2];

/* Says that it has begun, and waits. */
static int32_t slow_step(void *own, struct ferry_request *r)
{
    char byte = 'b';

    (void)own;
    (void)r;
    ck_assert_int_eq(write(begun[1], &byte, 1), 1);
    ck_assert_int_eq(read(may_end[0], &byte, 1), 1);
    return 5;
}

static int32_t quick_step(void *own, struct ferry_request *r)
{
    (void)own;
    return (int32_t)r->length_bytes;
}

START_TEST(a_crew_that_ends_has_answered_what_it_took)
    {
        struct ferry_request r[] = { { .length_bytes = 7 }, { .length_bytes = 8 } };
        struct crew c;
        unsigned n = 0;

        ck_assert_int_eq(crew_start(&c, 1, quick_step, NULL), 0);
        crew_send(&c, &r[0]);
        crew_send(&c, &r[1]);
        while (n < 2) {
            struct pollfd at = { .fd = c.wake, .events = POLLIN };

            ck_assert_int_eq(poll(&at, 1, 20000), 1);
            for (struct ferry_request *came = crew_take(&c); came; came = came->next)
                n++;
        }
        ck_assert_int_eq(r[0].error, 7);
        ck_assert_int_eq(r[1].error, 8);
        ck_assert(crew_end_within(&c, 20000));
    }
END_TEST

START_TEST(one_that_hangs_is_left_and_touches_nothing_when_it_comes_back)
    {
        static struct crew c;
        struct ferry_request r = { .error = 77 };
        char byte = 'e';

        ck_assert_int_eq(pipe(begun), 0);
        ck_assert_int_eq(pipe(may_end), 0);
        ck_assert_int_eq(crew_start(&c, 1, slow_step, NULL), 0);
        crew_send(&c, &r);
        ck_assert_int_eq(read(begun[0], &byte, 1), 1);
        ck_assert(!crew_is_left(&c));
        ck_assert(!crew_end_within(&c, 50));
        ck_assert(crew_is_left(&c));
        ck_assert_int_eq(write(may_end[1], &byte, 1), 1);
        (void)usleep(300 * 1000);
        ck_assert_int_eq(r.error, 77);
        ck_assert_ptr_null(c.came);
    }
END_TEST

TEST_MAIN("plugin/crew", a_crew_that_ends_has_answered_what_it_took,
          one_that_hangs_is_left_and_touches_nothing_when_it_comes_back)
