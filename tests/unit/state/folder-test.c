/* SPDX-License-Identifier: Apache-2.0
 * The state folder: one that others can write is not used, and one that was copied here is never made. */
#include "base/text.h"
#include "check-main.h"
#include "state/journal-world.h"
#include <string.h>
#include <sys/stat.h>

START_TEST(a_folder_that_others_can_write_is_not_used)
    {
        struct error err = { 0 };

        world();
        ck_assert_int_eq(chmod(dir, 0770), 0);
        ck_assert_ptr_null(state_dir(&err));
        ck_assert_int_eq(error_exit(err.code), 2);
        ck_assert_ptr_nonnull(strstr(err.fix, "chmod 700"));
        world_ends();
    }
END_TEST

START_TEST(a_copied_state_folder_is_taken_by_either_name_and_never_made)
    {
        struct error err = { 0 };
        char runs[96];

        world();
        (void)snprintf(runs, sizeof runs, "%s/runs", dir);
        OWNED_MEMORY char *by_itself = state_dir_at(dir, &err);
        OWNED_MEMORY char *by_runs = state_dir_at(runs, &err);

        ck_assert_str_eq(by_itself, dir);
        ck_assert_str_eq(by_runs, dir);
        ck_assert_ptr_null(state_dir_at("/tmp/ferry-no-such-folder", &err));
        ck_assert_int_eq(chmod(runs, 0777), 0);
        ck_assert_ptr_null(state_dir_at(dir, &err));
        ck_assert_msg(strstr(err.what, "can be written by other users") != NULL, "%s", err.what);
        ck_assert_int_eq(rmdir(runs), 0);
        ck_assert_ptr_null(state_dir_at(dir, &err));
        ck_assert_msg(strstr(err.what, "no folder 'runs'") != NULL, "%s", err.what);
        ck_assert_int_eq(rmdir(dir), 0);
    }
END_TEST

TEST_MAIN("state/folder", a_folder_that_others_can_write_is_not_used,
          a_copied_state_folder_is_taken_by_either_name_and_never_made)
