/* SPDX-License-Identifier: Apache-2.0
 * Ownership by scope: freed once when its scope ends, not at all when it was given away. */
#include "base/owned.h"

#include "check-main.h"
#include <errno.h>
#include <fcntl.h>

struct thing {
    int *freed;
};

static void thing_free(struct thing *t)
{
    if (!t)
        return;
    ++*t->freed;
    free(t);
}
OWNED_DEFINE(thing)

static struct thing *thing_new(int *freed)
{
    struct thing *t = calloc(1, sizeof *t);

    t->freed = freed;
    return t;
}

static struct thing *given_away(int *freed)
{
    OWNED(thing) t = thing_new(freed);

    return HAND_OVER(t);
}

START_TEST(what_is_owned_is_freed_with_its_scope)
    {
        int freed = 0;

        {
            OWNED(thing) t = thing_new(&freed);
            OWNED(thing) none = NULL;

            ck_assert_ptr_nonnull(t);
            ck_assert_ptr_null(none);
        }
        ck_assert_int_eq(freed, 1);
    }
END_TEST

START_TEST(what_is_handed_over_is_not)
    {
        int freed = 0;
        struct thing *t = given_away(&freed);

        ck_assert_int_eq(freed, 0);
        ck_assert_ptr_nonnull(t);
        thing_free(t);
        ck_assert_int_eq(freed, 1);
    }
END_TEST

START_TEST(an_owned_descriptor_is_closed_and_minus_one_is_none)
    {
        int number;

        {
            OWNED_FD fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
            OWNED_FD none = -1;

            ck_assert_int_ge(fd, 0);
            ck_assert_int_eq(none, -1);
            number = fd;
        }
        ck_assert_int_eq(fcntl(number, F_GETFD), -1);
        ck_assert_int_eq(errno, EBADF);
    }
END_TEST

TEST_MAIN("base/owned", what_is_owned_is_freed_with_its_scope, what_is_handed_over_is_not,
          an_owned_descriptor_is_closed_and_minus_one_is_none)
