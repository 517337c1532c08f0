/* SPDX-License-Identifier: Apache-2.0
 * When the halves of a guest that lost each other may be joined: both hosts say so, and the way can be gone
 * again. */
#include "check-main.h"
#include "recovery/settle.h"
#include "state/journal-world.h"
#include <string.h>

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

enum heard { NEITHER, SOURCE, DEST, BOTH };
static const struct {
    const char *source_state, *source, *dest_state, *dest;
    enum heard heard, dead;
    bool is_halved;
} halves[] = {
    { "shutoff", "crashed", "running", "postcopy-failed", BOTH, NEITHER, true },
    { "shutoff", "destroyed", "running", "postcopy-failed", BOTH, NEITHER, true },
    { "", "", "running", "postcopy-failed", BOTH, NEITHER, true }, /* a transient one leaves no word */
    /* All was sent, and is about to be there. */
    { "shutoff", "migrated", "running", "postcopy-failed", BOTH, NEITHER, false },
    /* libvirt there has not given it up. */
    { "shutoff", "crashed", "running", "postcopy", BOTH, NEITHER, false },
    { "shutoff", "crashed", "running", "migrated", BOTH, NEITHER, false },
    { "shutoff", "crashed", "running", "postcopy-failed", DEST, NEITHER, false },
    { "", "", "running", "postcopy-failed", DEST, SOURCE, true },
    { "paused", "postcopy-failed", "running", "postcopy-failed", BOTH, NEITHER, false },
    /* libvirt at the source calls that a job for ever. */
    { "paused", "postcopy-failed", "shutoff", "other", BOTH, NEITHER, true },
    { "paused", "postcopy-failed", "crashed", "other", BOTH, NEITHER, true },
    { "paused", "postcopy-failed", "", "", BOTH, NEITHER, true },
    { "paused", "postcopy-failed", "", "", SOURCE, NEITHER, false },
    { "paused", "postcopy-failed", "", "", SOURCE, DEST, true },
    { "paused", "postcopy-failed", "", "", NEITHER, DEST, false },
    { "paused", "postcopy", "shutoff", "other", BOTH, NEITHER, false },
    { "paused", "migration", "shutoff", "other", BOTH, NEITHER, false },
    { "paused", "postcopy-failed", "paused", "migration", BOTH, NEITHER, false },
    { "shutoff", "crashed", "shutoff", "crashed", BOTH, NEITHER, false }, /* the table has it */
};

START_TEST(a_half_is_all_that_is_left_where_one_host_gave_it_up_and_the_other_s_ended)
    {
        const struct evidence e = { .was_asked = true };
        struct move m = { .is_recovery = true,
                          .is_dead = { halves[_i].dead & SOURCE, halves[_i].dead & DEST } };

        see(&m.sights[0], halves[_i].source_state, halves[_i].source, halves[_i].heard & SOURCE);
        see(&m.sights[1], halves[_i].dest_state, halves[_i].dest, halves[_i].heard & DEST);
        ck_assert_int_eq(postcopy_is_halved(&m), halves[_i].is_halved);
        ck_assert_int_eq(text_equal(settle_expects(&m, &e)->name, "postcopy-halved"), halves[_i].is_halved);
        m.is_offline = true;
        ck_assert_str_eq(settle_expects(&m, &e)->name, "offline");
    }
END_TEST

static const struct {
    const char *source, *dest;
    bool was_heard, is_unheard;
} waits[] = {
    { "postcopy-failed", "postcopy", true, true },   { "postcopy-failed", "postcopy-failed", true, false },
    { "postcopy-failed", "postcopy", false, false }, { "postcopy", "postcopy", true, false },
    { "postcopy-failed", "migrated", true, false },
};

START_TEST(a_destination_has_not_heard_of_it_where_the_source_alone_says_that_the_link_was_lost)
    {
        struct move m = { .is_recovery = true };

        see(&m.sights[0], "paused", waits[_i].source, true);
        see(&m.sights[1], "running", waits[_i].dest, waits[_i].was_heard);
        ck_assert_int_eq(postcopy_is_unheard(&m), waits[_i].is_unheard);
    }
END_TEST

static unsigned n_said;
static void count(void *context, const char *line)
{
    (void)context;
    ck_assert_ptr_nonnull(strstr(line, "ss -tK"));
    ck_assert_ptr_nonnull(strstr(line, "600 s at the longest"));
    n_said++;
}

START_TEST(what_lets_it_know_is_said_once_after_a_while_and_has_an_end)
    {
        struct run_options o = { .say = count };
        struct move m = { .o = &o, .run = RUN };
        struct unheard u = { .since_ms = 0 };

        n_said = 0;
        ck_assert(!postcopy_unheard(&m, &u, true));
        ck_assert_uint_ne(u.since_ms, 0);
        ck_assert_uint_eq(n_said, 0);
        for (int i = 0; i < 3; i++) {
            u.since_ms = loop_now_ms() - 16000u;
            ck_assert(!postcopy_unheard(&m, &u, true));
            ck_assert_uint_eq(n_said, 1);
        }
        u.since_ms = loop_now_ms() - POSTCOPY_PATIENCE_MS - 1000u;
        ck_assert(postcopy_unheard(&m, &u, true));
        ck_assert(!postcopy_unheard(&m, &u, false)); /* it knows */
        ck_assert_uint_eq(u.since_ms, 0);
        ck_assert_uint_eq(n_said, 1);
    }
END_TEST

/* Begun at 1000 s; looks follow every 2 s, and say the same of sent and busy for as long as a row lasts. A
 * try that began anew begins with its row. */
#define STILL_S (JOIN_STILL_MS / 1000u)
static const struct {
    struct {
        uint64_t for_s, sent; /* sent 1: more with each look */
        bool is_busy, begins, is_blind;
    } rows[4];
    enum join_sight last;
} joins[] = {
    { { { STILL_S, NOT_KNOWN, true, false, false } }, JOIN_GOES_ON },
    { { { STILL_S + 4u, NOT_KNOWN, true, false, false } }, JOIN_IS_MUTE },
    { { { STILL_S + 2u, 7, true, false, false } }, JOIN_GOES_ON }, /* the first figure is one that grew */
    { { { STILL_S + 8u, 7, true, false, false } }, JOIN_IS_MUTE },
    { { { STILL_S + 4u, NOT_KNOWN, false, false, false } }, JOIN_STANDS },
    { { { 4u * STILL_S, 1, true, false, false } }, JOIN_GOES_ON },
    /* It answered once in between. */
    { { { STILL_S - 10u, 7, true, false, false },
        { 2, 7, false, false, false },
        { 20, 7, true, false, false } },
      JOIN_STANDS },
    /* libvirt refuses the next tries while the first still waits: it is one silence. */
    { { { 60, 7, true, false, false }, { 40, 7, true, true, false }, { 40, 7, true, true, false } },
      JOIN_IS_MUTE },
    /* A new try is given its own time. */
    { { { STILL_S, 7, false, false, false }, { 40, 7, false, true, false } }, JOIN_GOES_ON },
    { { { STILL_S, 7, false, false, false }, { STILL_S + 4u, 7, false, true, false } }, JOIN_STANDS },
    /* Between the rows nobody looked, so that nothing is known of that time. */
    { { { 60, 7, true, false, false }, { 4, 7, true, true, true } }, JOIN_GOES_ON },
};

START_TEST(joining_ends_where_nothing_comes_and_is_hopeless_where_qemu_there_was_silent_all_the_time)
    {
        struct joining j = { 0 };
        enum join_sight seen = JOIN_GOES_ON;
        uint64_t now_s = 1000, sent = 100;

        joining_begin(&j, now_s * 1000u);
        for (size_t i = 0; i < TEST_ROWS(joins[_i].rows) && joins[_i].rows[i].for_s; i++) {
            const uint64_t until_s =
                now_s + (joins[_i].rows[i].is_blind ? 2u * STILL_S : 0u) + joins[_i].rows[i].for_s;

            now_s = until_s - joins[_i].rows[i].for_s;
            if (joins[_i].rows[i].begins)
                joining_begin(&j, now_s * 1000u);
            for (; now_s < until_s; now_s += 2u) {
                sent = joins[_i].rows[i].sent == 1 ? sent + 4096u : joins[_i].rows[i].sent;
                seen = joining_see(&j, (now_s + 2u) * 1000u, sent, joins[_i].rows[i].is_busy);
            }
        }
        ck_assert_int_eq(seen, joins[_i].last);
    }
END_TEST

TEST_MAIN("recovery/postcopy-cut", what_lets_it_know_is_said_once_after_a_while_and_has_an_end,
          LOOP(a_destination_has_not_heard_of_it_where_the_source_alone_says_that_the_link_was_lost,
               TEST_ROWS(waits)),
          LOOP(joining_ends_where_nothing_comes_and_is_hopeless_where_qemu_there_was_silent_all_the_time,
               TEST_ROWS(joins)),
          LOOP(a_half_is_all_that_is_left_where_one_host_gave_it_up_and_the_other_s_ended, TEST_ROWS(halves)),
          LOOP(halves_are_joined_only_where_both_hosts_say_that_they_lost_each_other, TEST_ROWS(cuts)))
