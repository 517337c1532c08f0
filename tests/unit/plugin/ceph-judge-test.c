/* SPDX-License-Identifier: Apache-2.0
 * What the ceph driver makes of watchers, features and the monitors' answers. */
#include "../../../plugins/ceph/judge.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"

static const struct {
    size_t n;
    struct judge_use use;
    enum judge_watch verdict;
} watched[] = {
    { 0, { .is_in_use = true }, WATCH_NONE },
    { 1, { .is_in_use = true }, WATCH_EXPECTED },
    { 2, { .is_in_use = true }, WATCH_SECOND },
    { 9, { .is_in_use = true }, WATCH_SECOND },
    { 0, { .is_in_use = false }, WATCH_EXPECTED },
    { 1, { .is_in_use = false }, WATCH_SOMEBODY },
    { 2, { .is_in_use = false }, WATCH_SOMEBODY },
    { 0, { .is_in_use = true, .is_read = true }, WATCH_EXPECTED },
    { 1, { .is_in_use = true, .is_read = true }, WATCH_SOMEBODY },
    { 1, { .is_in_use = false, .is_read = true }, WATCH_SOMEBODY },
    { 0, { .is_in_use = true, .is_shareable = true }, WATCH_EXPECTED },
    { 2, { .is_in_use = true, .is_shareable = true }, WATCH_EXPECTED },
    { 2, { .is_in_use = false, .is_shareable = true }, WATCH_EXPECTED },
};

START_TEST(one_watcher_is_expected_of_a_domain_that_runs_and_none_of_another)
    {
        ck_assert_int_eq(judge_watchers(watched[_i].n, watched[_i].use), watched[_i].verdict);
    }
END_TEST

START_TEST(a_feature_that_keeps_the_destination_out_is_named)
    {
        ck_assert_uint_eq(judge_blocking_feature(RBD_FEATURES_DEFAULT | RBD_FEATURE_JOURNALING), 0);
        ck_assert_uint_eq(judge_blocking_feature(RBD_FEATURES_DEFAULT | RBD_FEATURE_DIRTY_CACHE),
                          RBD_FEATURE_DIRTY_CACHE);
        ck_assert_uint_eq(judge_blocking_feature(RBD_FEATURE_NON_PRIMARY), RBD_FEATURE_NON_PRIMARY);
    }
END_TEST

#define POOL(id, flags) "{\"pool_id\":" #id ",\"pool_name\":\"p\",\"flags_names\":\"" flags "\"}"

static const struct {
    const char *json;
    enum judge_full verdict; /* of pool 2 */
} pools[] = {
    { "[" POOL(1, "full") "," POOL(2, "hashpspool,selfmanaged_snaps") "]", FULL_NO },
    { "[" POOL(2, "") "]", FULL_NO },
    { "[" POOL(2, "hashpspool,full") "]", FULL_CLUSTER },
    { "[" POOL(2, "hashpspool,full,full_quota") "]", FULL_QUOTA },
    { "[" POOL(2, "nearfull,hashpspool") "]", FULL_NEAR },
    { "[" POOL(2, "backfillfull,hashpspool") "]", FULL_NO },
    { "[" POOL(2, "fullish") "]", FULL_NO },
    { "[" POOL(1, "full") "]", FULL_NOT_KNOWN },
    { "[{\"pool_id\":2}]", FULL_NOT_KNOWN },
    { "[{\"pool_id\":\"2\",\"flags_names\":\"full\"}]", FULL_NOT_KNOWN },
    { "{}", FULL_NOT_KNOWN },
    { "\n", FULL_NOT_KNOWN },
    { "[" POOL(2, "full"), FULL_NOT_KNOWN },
};

START_TEST(a_pool_is_full_when_the_monitors_say_so)
    {
        ck_assert_int_eq(judge_pool_full(pools[_i].json, strlen(pools[_i].json), 2), pools[_i].verdict);
    }
END_TEST

#define ROOM(total, stats)                                                                                   \
    "{\"stats\":{\"total_bytes\":" total "},\"pools\":[{\"name\":\"p\",\"id\":2,\"stats\":{" stats "}}]}"

static const struct {
    const char *json;
    uint64_t room; /* of pool 2 */
} rooms[] = {
    { ROOM("100", "\"stored\":10,\"max_avail\":60,\"quota_bytes\":0"), 60 },
    { ROOM("100", "\"stored\":10,\"max_avail\":60"), 60 },
    { ROOM("100", "\"stored\":10,\"max_avail\":60,\"quota_bytes\":30"), 20 },
    { ROOM("100", "\"stored\":10,\"max_avail\":60,\"quota_bytes\":90"), 60 },
    { ROOM("100", "\"stored\":40,\"max_avail\":60,\"quota_bytes\":30"), 0 },
    { ROOM("100", "\"stored\":10,\"max_avail\":0"), 0 },
    { ROOM("0", "\"stored\":0,\"max_avail\":0"), UINT64_MAX },
    { ROOM("100", "\"stored\":10"), UINT64_MAX },
    { ROOM("100", "\"max_avail\":-1"), UINT64_MAX },
    { "{\"stats\":{\"total_bytes\":100},\"pools\":[]}", UINT64_MAX },
    { "{\"pools\":[{\"id\":2,\"stats\":{\"max_avail\":5}}]}", UINT64_MAX },
    { "", UINT64_MAX },
};

START_TEST(the_room_of_a_pool_is_what_its_quota_leaves_and_not_known_where_nobody_counts)
    {
        ck_assert_uint_eq(judge_pool_free(rooms[_i].json, strlen(rooms[_i].json), 2), rooms[_i].room);
    }
END_TEST

START_TEST(no_answer_says_nothing)
    {
        ck_assert_int_eq(judge_pool_full(NULL, 0, 2), FULL_NOT_KNOWN);
        ck_assert_uint_eq(judge_pool_free(NULL, 0, 2), UINT64_MAX);
    }
END_TEST

TEST_MAIN("plugin/ceph-judge",
          LOOP(one_watcher_is_expected_of_a_domain_that_runs_and_none_of_another, TEST_ROWS(watched)),
          a_feature_that_keeps_the_destination_out_is_named,
          LOOP(a_pool_is_full_when_the_monitors_say_so, TEST_ROWS(pools)),
          LOOP(the_room_of_a_pool_is_what_its_quota_leaves_and_not_known_where_nobody_counts,
               TEST_ROWS(rooms)),
          no_answer_says_nothing)
