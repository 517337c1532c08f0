/* SPDX-License-Identifier: Apache-2.0
 * A state folder of a test's own, with room for the journal of one run: made by world, gone with world_ends.
 */
#ifndef UNIT_STATE_JOURNAL_WORLD_H
#define UNIT_STATE_JOURNAL_WORLD_H

#include "check-main.h"
#include "state/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RUN "20261124T101530-9f3a12bc"

static char dir[64], file[160];

static void world(void)
{
    struct error err = { 0 };

    (void)snprintf(dir, sizeof dir, "/tmp/ferry-journal-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)setenv("VIRT_FERRY_STATE_DIR", dir, 1);
    OWNED_MEMORY char *made = state_dir(&err);

    ck_assert_msg(made != NULL, "%s", err.what);
    ck_assert_str_eq(made, dir);
    (void)snprintf(file, sizeof file, "%s/runs/" RUN ".journal", dir);
}

static void world_ends(void)
{
    char runs[96];

    (void)unlink(file);
    (void)snprintf(runs, sizeof runs, "%s/runs", dir);
    ck_assert_int_eq(rmdir(runs), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}

#endif
