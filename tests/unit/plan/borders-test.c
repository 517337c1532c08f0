/* SPDX-License-Identifier: Apache-2.0
 * Pairs of facts files in tests/data/borders, alike but for one figure, and the choice that this figure
 * turns; and one file under two limits. `virt-ferry plan --facts FILE` shows each. The figures lie next to
 * each other, so a change of the model moves a border and shows here: find it anew, and say why in the
 * commit. */
#include "facts/json.h"
#include "plan/sample.h"
#include <limits.h>

struct wish {
    enum prefer prefer;
    uint64_t max_downtime_ms, deadline_ms, bandwidth; /* 0: none */
    bool no_postcopy;
};

static const struct {
    const char *pair, *figure; /* NAME-a and NAME-b, and the one member that differs */
    const char *a, *b;         /* the strategies chosen; NULL: none is valid */
    struct wish wish;
} pairs[] = {
    /* the memory mode */
    { "link-rate", ".dest.link_bytes_per_s", "precopy-tcp-gated", "postcopy-tcp-gated", { 0 } },
    { "history-rate", ".history.bytes_per_s", "precopy-tcp-gated", "postcopy-tcp-gated", { 0 } },
    { "dirty-rate-highest", ".domain.dirty[0].high_bytes", "precopy-tcp-gated", "postcopy-tcp-gated", { 0 } },
    { "dirty-rate-likely", ".domain.dirty[0].bytes", "precopy-tcp-gated", "throttled-tcp-gated", { 0 } },
    { "downtime-in-force", ".domain.max_downtime_ms", "throttled-tcp-gated", "precopy-tcp-gated", { 0 } },
    { "postcopy-carried", ".channels[0].can_postcopy", "postcopy-tcp-gated", "throttled-tcp-gated", { 0 } },
    { "state", ".domain.run", "precopy-tcp-gated", "offline-tcp-definition", { 0 } },
    /* what becomes of the disks */
    { "disk-read-only", ".domain.disks[1].readonly", "precopy-tcp-gated", "precopy-tcp-gated-mixed", { 0 } },
    { "image-allocated",
      ".domain.disks[0].at_source.allocated_bytes",
      "throttled-tcp-gated-copy",
      "precopy-tcp-gated-copy",
      { 0 } },
    { "relocate-allocated",
      ".domain.disks[0].at_source.allocated_bytes",
      "throttled-tcp-gated-copy",
      "throttled-tcp-gated-relocate",
      { 0 } },
    { "image-at-destination", ".domain.disks[1].at_dest.present", "precopy-tcp-gated-mixed", NULL, { 0 } },
    { "proof-of-sharing", ".domain.disks[0].sharing", "precopy-tcp-gated", NULL, { 0 } },
    { "room-for-image", ".domain.disks[0].at_dest.free_bytes", "precopy-tcp-gated-copy", NULL, { 0 } },
    { "room-and-size", ".domain.disks[0].at_source.allocated_bytes", "precopy-tcp-gated-copy", NULL, { 0 } },
    { "volume-shared", ".domain.disks[1].sharing", "precopy-tcp-gated", NULL, { 0 } },
    { "volume-made", ".domain.disks[1].at_dest.present", "precopy-tcp-gated-mixed", NULL, { 0 } },
    { "device-named", ".overwrite[0]", "precopy-tcp-gated-mixed", NULL, { 0 } },
    { "free-memory", ".dest.memory_free_bytes", "precopy-tcp-gated", NULL, { 0 } },
    /* the channel */
    { "encrypted-rate", ".channels[1].bytes_per_s", "precopy-tls-gated", "precopy-tcp-gated", { 0 } },
    { "encrypted-latency", ".channels[1].latency_us", "precopy-tls-gated", "precopy-tcp-gated", { 0 } },
    { "protection", ".channels[1].protects_data", "precopy-tls-gated", "precopy-tcp-gated", { 0 } },
    { "network-trusted", ".channels[0].is_trusted", "precopy-tcp-gated", "precopy-tls-gated", { 0 } },
    { "port-filtered", ".channels[1].data_port_open", "precopy-tls-gated", "precopy-tcp-gated", { 0 } },
    { "carries-disks",
      ".channels[1].can_copy_disks",
      "precopy-tls-gated-copy",
      "precopy-tcp-gated-copy",
      { 0 } },
    /* the connections */
    { "connections-idle", ".dest.cpus_idle_milli", "precopy-tls-gated-x2", "precopy-tls-gated", { 0 } },
    { "connections-bound",
      ".channels[0].history.bytes_per_s",
      "precopy-tls-gated-x8",
      "precopy-tls-gated",
      { 0 } },
    { "connections-link", ".source.link_bytes_per_s", "precopy-tls-gated-x2", "precopy-tls-gated", { 0 } },
    { "connections-history",
      ".channels[0].several[0].history.bytes_per_s",
      "precopy-tls-gated-x4",
      "precopy-tls-gated",
      { 0 } },
    { "connections-dirty-rate",
      ".domain.dirty[0].high_bytes",
      "postcopy-tls-gated",
      "precopy-tls-gated-x5",
      { 0 } },
    /* the hand-over */
    { "gate", ".source.is_local_socket", "precopy-tcp-gated", "precopy-tcp-held", { 0 } },
    { "held-dirty-rate", ".domain.dirty[0].bytes", "precopy-tcp-held", "throttled-tcp-held", { 0 } },
    /* facts that meet a limit */
    { "guest-size",
      ".domain.memory_rss_bytes",
      "precopy-tcp-gated",
      "throttled-tcp-gated",
      { .max_downtime_ms = 2000, .no_postcopy = true } },
    { "exposure-and-dirty-rate",
      ".domain.dirty[0].bytes",
      "postcopy-tcp-gated",
      "precopy-tcp-gated",
      { .prefer = PREFER_EXPOSURE } },
    { "deadline-and-link",
      ".source.link_bytes_per_s",
      "precopy-tcp-gated",
      "throttled-tcp-gated",
      { .deadline_ms = 100000, .max_downtime_ms = 2000 } },
    { "deadline-and-image",
      ".domain.disks[0].at_source.allocated_bytes",
      "precopy-tcp-gated-copy",
      NULL,
      { .deadline_ms = 200000, .max_downtime_ms = 2000 } },
};

/* One file under two wishes. */
static const struct {
    const char *file;
    struct wish a, b;
    const char *chosen_a, *chosen_b;
} wishes[] = {
    { "encrypted-rate-b",
      { .prefer = PREFER_TIME },
      { .prefer = PREFER_DOWNTIME },
      "precopy-tcp-gated",
      "precopy-tls-gated" },
    { "postcopy-carried-a",
      { .prefer = PREFER_TIME },
      { .prefer = PREFER_EXPOSURE },
      "postcopy-tcp-gated",
      "precopy-tcp-gated" },
    { "deadline-and-link-a",
      { .prefer = PREFER_TIME },
      { .prefer = PREFER_BYTES },
      "precopy-tcp-gated",
      "throttled-tcp-gated" },
    { "link-rate-b",
      { .no_postcopy = false },
      { .no_postcopy = true },
      "postcopy-tcp-gated",
      "precopy-tcp-gated" },
    { "gate-b", { .max_downtime_ms = 1735 }, { .max_downtime_ms = 1736 }, NULL, "precopy-tcp-held" },
    { "deadline-and-link-a",
      { .max_downtime_ms = 2000, .deadline_ms = 89000 },
      { .max_downtime_ms = 2000, .deadline_ms = 90000 },
      NULL,
      "throttled-tcp-gated" },
    { "encrypted-rate-b",
      { .bandwidth = 33493976 },
      { .bandwidth = 33493977 },
      "postcopy-tls-gated",
      "precopy-tls-gated" },
};

static struct plan_limits limits_of(const struct wish *w)
{
    struct plan_limits limits = sample_limits();

    limits.prefer = w->prefer;
    limits.no_postcopy = w->no_postcopy;
    if (w->max_downtime_ms)
        limits.max_downtime_ms = w->max_downtime_ms;
    if (w->deadline_ms)
        limits.deadline_ms = w->deadline_ms;
    if (w->bandwidth)
        limits.bandwidth_bytes_per_s = w->bandwidth;
    return limits;
}

static json_t *border_read(const char *name, const char *side)
{
    char path[PATH_MAX];
    struct error err = { 0 };

    (void)snprintf(path, sizeof path, "tests/data/borders/%s%s%s.facts.json", name, *side ? "-" : "", side);
    json_t *j = json_read_file(path, &err);
    ck_assert_msg(j != NULL, "%s", err.what);
    return j;
}

/* Counts the members that differ, and keeps the place of the last. */
static size_t differing(const json_t *a, const json_t *b, const char *at, char *ret_place, size_t size)
{
    const char *key;
    const json_t *value;
    size_t n = 0, i;
    char below[256];

    if (json_is_object(a) && json_is_object(b)) {
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            (void)snprintf(below, sizeof below, "%s.%s", at, key);
            n += differing(value, json_object_get(b, key), below, ret_place, size);
        }
        return n + (json_object_size(a) != json_object_size(b));
    }
    if (json_is_array(a) && json_is_array(b)) {
        json_array_foreach(a, i, value)
        {
            (void)snprintf(below, sizeof below, "%s[%zu]", at, i);
            n += differing(value, json_array_get(b, i), below, ret_place, size);
        }
        return n + (json_array_size(a) != json_array_size(b));
    }
    if (json_equal(a, b))
        return 0;
    (void)snprintf(ret_place, size, "%s", at);
    return 1;
}

/* The choice, and that a second plan is the same to the last letter. */
static void expect_choice(const json_t *facts, const struct wish *w, const char *expected, const char *name)
{
    struct error err = { 0 };
    OWNED(facts) f = facts_from_json(facts, &err);
    ck_assert_msg(f != NULL, "%s: %s", name, err.what);
    OWNED(plan) p = plan_with(f, limits_of(w));
    OWNED(plan) again = plan_with(f, limits_of(w));
    const struct strategy *s = plan_chosen(p);

    ck_assert_msg(text_equal(s ? s->id : NULL, expected), "%s: '%s' is chosen, not '%s'", name,
                  s ? s->id : "(none)", expected ? expected : "(none)");
    OWNED_JSON j = plan_to_json(p);
    OWNED_JSON k = plan_to_json(again);
    ck_assert_msg(j && json_equal(j, k), "%s: two plans of the same facts differ", name);
}

START_TEST(one_figure_turns_the_choice)
    {
        char place[256] = "";
        OWNED_JSON a = border_read(pairs[_i].pair, "a");
        OWNED_JSON b = border_read(pairs[_i].pair, "b");

        ck_assert_uint_eq(differing(a, b, "", place, sizeof place), 1);
        ck_assert_str_eq(place, pairs[_i].figure);
        ck_assert_msg(!text_equal(pairs[_i].a, pairs[_i].b), "'%s' turns nothing", pairs[_i].pair);
        expect_choice(a, &pairs[_i].wish, pairs[_i].a, pairs[_i].pair);
        expect_choice(b, &pairs[_i].wish, pairs[_i].b, pairs[_i].pair);
    }
END_TEST

/* A figure that could be drawn nearer would leave room for a model that is a little wrong. */
START_TEST(the_two_figures_lie_next_to_each_other)
    {
        OWNED_JSON a = border_read(pairs[_i].pair, "a");
        OWNED_JSON b = border_read(pairs[_i].pair, "b");
        char place[256] = "", *key;
        const json_t *of_a = a, *of_b = b;

        (void)differing(a, b, "", place, sizeof place);
        for (char *at = place; (key = strtok_r(at, ".[]", &at));) {
            const bool is_index = strspn(key, "0123456789") == strlen(key);

            of_a = is_index ? json_array_get(of_a, strtoul(key, NULL, 10)) : json_object_get(of_a, key);
            of_b = is_index ? json_array_get(of_b, strtoul(key, NULL, 10)) : json_object_get(of_b, key);
        }
        if (json_is_integer(of_a))
            ck_assert_int_eq(llabs(json_integer_value(of_a) - json_integer_value(of_b)), 1);
        else
            ck_assert(json_is_boolean(of_a) || json_is_string(of_a));
    }
END_TEST

START_TEST(one_wish_turns_the_choice)
    {
        OWNED_JSON facts = border_read(wishes[_i].file, "");

        expect_choice(facts, &wishes[_i].a, wishes[_i].chosen_a, wishes[_i].file);
        expect_choice(facts, &wishes[_i].b, wishes[_i].chosen_b, wishes[_i].file);
        ck_assert(!text_equal(wishes[_i].chosen_a, wishes[_i].chosen_b));
    }
END_TEST

TEST_MAIN("plan/borders", LOOP(one_figure_turns_the_choice, TEST_ROWS(pairs)),
          LOOP(the_two_figures_lie_next_to_each_other, TEST_ROWS(pairs)),
          LOOP(one_wish_turns_the_choice, TEST_ROWS(wishes)))
