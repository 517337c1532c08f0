/* SPDX-License-Identifier: Apache-2.0
 * When the halves of a guest that lost each other may be joined: both hosts say so, and the way can be gone
 * again. */
#include "check-main.h"
#include "recovery/settle.h"
#include "state/journal-world.h"

static const struct {
    const char *source_state, *source, *dest, *data_uri;
    bool was_heard, is_cut;
} cuts[] = {
    { "paused", "postcopy-failed", "postcopy-failed", "tcp:10.0.0.2", true, true },
    { "paused", "postcopy-failed", "postcopy-failed", "unix:///run/virt-ferry/x", true, false },
    { "paused", "postcopy-failed", "postcopy-failed", "tcp:10.0.0.2", false, false },
    { "paused", "postcopy-failed", "postcopy", "tcp:10.0.0.2", true, false },
    { "paused", "postcopy", "postcopy-failed", "tcp:10.0.0.2", true, false },
    { "paused", "migration", "postcopy-failed", "tcp:10.0.0.2", true, false },
    { "shutoff", "postcopy-failed", "postcopy-failed", "tcp:10.0.0.2", true, false },
    { "paused", "postcopy-failed", "postcopy-failed", NULL, true, false }, /* never asked */
};

static void see(struct sight *s, const char *state, const char *reason, bool was_heard)
{
    (void)snprintf(s->state, sizeof s->state, "%s", state);
    (void)snprintf(s->reason, sizeof s->reason, "%s", reason);
    s->was_heard = was_heard;
}

START_TEST(halves_are_joined_only_where_both_hosts_say_that_they_lost_each_other)
    {
        struct error err = { 0 };
        struct move m = { .is_recovery = true };

        world();
        m.journal = journal_create(dir, RUN, &err);
        ck_assert_msg(m.journal != NULL, "%s", err.what);
        if (cuts[_i].data_uri)
            ck_assert_int_eq(
                journal_append(m.journal, "migrate", json_pack("{ss}", "data_uri", cuts[_i].data_uri), &err),
                0);
        see(&m.sights[0], cuts[_i].source_state, cuts[_i].source, true);
        see(&m.sights[1], "running", cuts[_i].dest, cuts[_i].was_heard);
        ck_assert_int_eq(postcopy_is_cut(&m), cuts[_i].is_cut);
        journal_free(m.journal);
        world_ends();
    }
END_TEST

static const struct {
    const char *source_state, *source, *dest;
    bool was_heard, is_halved;
} halves[] = {
    { "shutoff", "crashed", "postcopy-failed", true, true },
    { "shutoff", "destroyed", "postcopy-failed", true, true },
    { "shutoff", "migrated", "postcopy-failed", true, false }, /* all was sent, and is about to be there */
    { "shutoff", "crashed", "postcopy", true, false },         /* libvirt there has not given it up */
    { "shutoff", "crashed", "migrated", true, false },
    { "shutoff", "crashed", "postcopy-failed", false, false },
    { "paused", "postcopy-failed", "postcopy-failed", true, false },
};

START_TEST(a_half_is_all_that_is_left_where_the_source_ended_and_the_destination_gave_it_up)
    {
        struct move m = { .is_recovery = true };

        see(&m.sights[0], halves[_i].source_state, halves[_i].source, halves[_i].was_heard);
        see(&m.sights[1], "running", halves[_i].dest, true);
        ck_assert_int_eq(postcopy_is_halved(&m), halves[_i].is_halved);
    }
END_TEST

TEST_MAIN("recovery/postcopy-cut",
          LOOP(a_half_is_all_that_is_left_where_the_source_ended_and_the_destination_gave_it_up,
               TEST_ROWS(halves)),
          LOOP(halves_are_joined_only_where_both_hosts_say_that_they_lost_each_other, TEST_ROWS(cuts)))
