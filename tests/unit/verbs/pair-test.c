/* SPDX-License-Identifier: Apache-2.0
 * What the script for two hosts printed, and two clocks of which only what is certain counts. */
#include "base/text.h"
#include "check-main.h"
#include "facts/model.h"
#include "verbs/pair.h"

START_TEST(mounts_and_clock_are_read_and_blanks_in_paths_come_back)
    {
        OWNED(facts) f = facts_new();
        struct host *h = &f->source;
        uint64_t clock;

        pair_read(
            "clock 1795914916123\nmount nfs4 nas:/images /srv/my\\040images\nmount ceph a,b:/ /ceph\nend\n",
            f->arena, h, &clock);
        ck_assert_uint_eq(clock, 1795914916123u);
        ck_assert_int_eq(h->has_mount_list, TRI_YES);
        ck_assert_uint_eq(h->n_mounts, 2);
        ck_assert_str_eq(h->mounts[0].source, "nas:/images");
        ck_assert_str_eq(h->mounts[0].target, "/srv/my images");
        ck_assert_str_eq(h->mounts[0].type, "nfs4");
        ck_assert_str_eq(h->mounts[1].target, "/ceph");
    }
END_TEST

START_TEST(an_answer_that_was_cut_changes_nothing_and_a_date_without_ms_is_no_clock)
    {
        OWNED(facts) f = facts_new();
        uint64_t clock;

        pair_read("clock 1795914916123\nmount nfs4 nas:/images /images\n", f->arena, &f->source, &clock);
        ck_assert_uint_eq(clock, NOT_KNOWN);
        ck_assert_uint_eq(f->source.n_mounts, 0);
        ck_assert_int_eq(f->source.has_mount_list, TRI_NOT_KNOWN);
        pair_read("clock 1795914916%3N\nend\n", f->arena, &f->source, &clock);
        ck_assert_uint_eq(clock, NOT_KNOWN);
        ck_assert_int_eq(f->source.has_mount_list, TRI_YES);
        pair_read("", f->arena, &f->source, &clock);
        ck_assert_uint_eq(clock, NOT_KNOWN);
    }
END_TEST

/* 257 of them: a list that was cut would make a mount look missing. */
START_TEST(too_many_mounts_are_no_list)
    {
        OWNED(facts) f = facts_new();
        OWNED_TEXT said = { 0 };
        uint64_t clock;

        for (int i = 0; i < 257; i++)
            text_add(&said, "mount nfs s:/%d /%d\n", i, i);
        text_add(&said, "end\n");
        pair_read(text_of(&said), f->arena, &f->source, &clock);
        ck_assert_int_eq(f->source.has_mount_list, TRI_NO);
    }
END_TEST

/* A path may have 4095 bytes: its beginning would be another path. */
START_TEST(a_path_that_is_too_long_is_no_mount_and_the_list_is_not_whole)
    {
        OWNED(facts) f = facts_new();
        OWNED_TEXT said = { 0 };
        uint64_t clock;

        text_add(&said, "mount nfs s:/a /a\nmount nfs s:/b /%01023d\nend\n", 0);
        pair_read(text_of(&said), f->arena, &f->source, &clock);
        ck_assert_int_eq(f->source.has_mount_list, TRI_NO);
        ck_assert_uint_eq(f->source.n_mounts, 1);
    }
END_TEST

static const struct {
    int offset, spread, other, other_spread;
    uint64_t apart;
} clocks[] = {
    { 0, 0, 5000, 0, 5000 },    { 0, 0, -5000, 0, 5000 },   { -1000, 100, 2000, 400, 2500 },
    { 0, 3000, 5000, 2000, 0 }, { 0, 3000, 5000, 2001, 0 }, { 0, 3000, 5000, 1999, 1 },
};

START_TEST(two_clocks_differ_by_what_is_certain_of_them)
    {
        OWNED_JSON one = json_pack("{si si}", "offset_ms", clocks[_i].offset, "spread_ms", clocks[_i].spread);
        OWNED_JSON two =
            json_pack("{si si}", "offset_ms", clocks[_i].other, "spread_ms", clocks[_i].other_spread);

        ck_assert_uint_eq(pair_clocks_apart_ms(one, two), clocks[_i].apart);
        ck_assert_uint_eq(pair_clocks_apart_ms(two, one), clocks[_i].apart);
        ck_assert_uint_eq(pair_clocks_apart_ms(one, NULL), NOT_KNOWN);
    }
END_TEST

TEST_MAIN("verbs/pair", mounts_and_clock_are_read_and_blanks_in_paths_come_back,
          an_answer_that_was_cut_changes_nothing_and_a_date_without_ms_is_no_clock,
          too_many_mounts_are_no_list, a_path_that_is_too_long_is_no_mount_and_the_list_is_not_whole,
          LOOP(two_clocks_differ_by_what_is_certain_of_them, TEST_ROWS(clocks)))
