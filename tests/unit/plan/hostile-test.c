/* SPDX-License-Identifier: Apache-2.0
 * Facts that are cut, hostile or absurd: a plan whose figures hold together, or a refusal; never a crash and
 * never long. Every figure of a facts file in turn is made each absurd value. */
#include "facts/fields.h"
#include "facts/json.h"
#include "plan/sample.h"
#include <time.h>

#define TiB(n) ((uint64_t)(n) << 40)

static uint64_t ms_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* of this program: others may be busy */
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void is_ordered(const struct estimate *e)
{
    ck_assert_uint_le(e->low, e->likely);
    ck_assert_uint_le(e->likely, e->high);
}

/* A plan that can be shown in both ways. */
static void plan_holds_together(const struct facts *f)
{
    OWNED(plan) p = plan_of(f);
    OWNED_TEXT text = { 0 };
    OWNED_JSON j = plan_to_json(p);

    ck_assert_ptr_nonnull(j);
    plan_explain(p, false, &text);
    ck_assert(!text.failed && text.len > 0);
    ck_assert(p->n_valid > 0 || plan_refusal(p, &(struct error){ 0 }) == -ERROR_REFUSED);
    for (size_t i = 0; i < p->n; i++) {
        is_ordered(&p->list[i].time_ms);
        is_ordered(&p->list[i].downtime_ms);
        is_ordered(&p->list[i].bytes);
    }
}

static json_t *sample_json(void)
{
    OWNED(facts) f = sample();

    f->history = (struct constants){
        .bytes_per_s = 110000000, .setup_ms = 900, .finish_ms = 100, .downtime_ms = 80, .samples = 5
    };
    f->channels[0].bytes_per_s = 117000000;
    f->domain.max_downtime_ms = 300;
    f->domain.vcpus = 2;
    (void)sample_local(sample_disk(f, "vdb"));
    return facts_to_json(f);
}

static void judge(const json_t *j)
{
    struct error err = { 0 };
    OWNED(facts) f = facts_from_json(j, &err);

    if (f)
        plan_holds_together(f);
    else
        ck_assert_int_eq(err.code, ERROR_INPUT);
}

/* Replaces the n-th number below o, depth first; false when there are fewer. */
static bool replace_number(json_t *o, json_t *by, size_t *n)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(o)) {
        json_object_foreach(o, key, value)
        {
            if (json_is_integer(value) && (*n)-- == 0)
                return json_object_set(o, key, by) == 0;
            if (replace_number(value, by, n))
                return true;
        }
    }
    json_array_foreach(o, i, value) if (replace_number(value, by, n)) return true;
    return false;
}

static const char *const absurd[] = {
    "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1e308", "0.5", "\"many\"", "null", "[]"
};
START_TEST(every_figure_may_be_absurd)
    {
        OWNED_JSON by = json_loads(absurd[_i], JSON_DECODE_ANY, NULL);
        size_t turns = 0;

        ck_assert_ptr_nonnull(by);
        for (;; turns++) {
            OWNED_JSON j = sample_json();
            size_t n = turns;

            if (!replace_number(j, by, &n))
                break;
            judge(j);
        }
        ck_assert_uint_gt(turns, 20);
    }
END_TEST

START_TEST(all_figures_together_may_be_absurd)
    {
        OWNED_JSON by = json_loads(absurd[_i], JSON_DECODE_ANY, NULL);
        OWNED_JSON j = sample_json();
        unsigned n_replaced = 0;

        for (size_t turn = 0; turn < 100; turn++) {
            size_t n = turn;

            n_replaced += replace_number(j, by, &n);
        }
        ck_assert_uint_gt(n_replaced, 10);
        judge(j);
    }
END_TEST

START_TEST(facts_that_are_cut_anywhere_are_refused)
    {
        struct error err = { 0 };
        OWNED_JSON whole = sample_json();
        OWNED_MEMORY char *text = json_write(whole, false, &err);

        for (size_t n = 0; n < strlen(text); n++) {
            OWNED_JSON j = json_read(text, n, "the test", &err);

            ck_assert_ptr_null(j);
            ck_assert_int_eq(err.code, ERROR_INPUT);
        }
    }
END_TEST

static const char *const no_json[] = {
    "{\"schema\": \"virt-ferry-facts/0\", \"history\": {\"samples\": NaN}}",
    "{\"schema\": \"virt-ferry-facts/0\", \"history\": {\"samples\": Infinity}}",
    "{\"schema\": \"virt-ferry-facts/0\", \"history\": {\"samples\": 1e999}}",
    "{\"schema\": \"virt-ferry-facts/0\", \"schema\": \"virt-ferry-facts/0\"}"
};
START_TEST(what_is_no_number_is_no_json)
    {
        struct error err = { 0 };
        OWNED_JSON j = json_read(no_json[_i], strlen(no_json[_i]), "the test", &err);

        ck_assert_ptr_null(j);
        ck_assert_int_eq(err.code, ERROR_INPUT);
    }
END_TEST

START_TEST(a_link_of_no_bandwidth_divides_nothing)
    {
        OWNED(facts) f = sample();

        f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 0;
        f->channels[0].bytes_per_s = f->history.bytes_per_s = 0;
        plan_holds_together(f);
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(plan_chosen(p));
        ck_assert_uint_gt(plan_chosen(p)->time_ms.high, 0);
    }
END_TEST

START_TEST(a_guest_of_12_tib_is_planned)
    {
        OWNED(facts) f = sample();

        f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = TiB(12);
        f->dest.memory_free_bytes = TiB(12);
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(plan_chosen(p));
        ck_assert_uint_ge(plan_chosen(p)->bytes.likely, TiB(1));
        ck_assert_uint_ge(plan_chosen(p)->bytes.high, TiB(12));
        plan_holds_together(f);
        f->dest.memory_free_bytes = TiB(12) - 1;
        OWNED(plan) q = plan_of(f);
        ck_assert_ptr_null(plan_chosen(q));
    }
END_TEST

START_TEST(a_thousand_disks_are_planned_soon)
    {
        OWNED(facts) f = sample();
        const uint64_t begun = ms_now();

        for (int i = 1; i < 1000; i++) {
            struct disk *d = sample_disk(f, arena_format(f->arena, "vd%d", i));

            if (i % 2)
                sample_local(d)->at_dest.free_bytes = TiB(1);
        }
        plan_holds_together(f);
        ck_assert_uint_lt(ms_now() - begun, 5000);
    }
END_TEST

START_TEST(no_figures_at_all_give_a_plan_or_a_refusal)
    {
        static const char text[] =
            "{\"schema\": \"virt-ferry-facts/0\", \"channels\": [{\"driver\": \"tcp\"}],"
            " \"domain\": {\"disks\": [{\"target\": \"vda\", \"type\": \"file\"}]}}";
        struct error err = { 0 };
        OWNED_JSON j = json_read(text, strlen(text), "the test", &err);

        ck_assert_ptr_nonnull(j);
        judge(j);
        OWNED(facts) f = facts_new();
        plan_holds_together(f);
    }
END_TEST

/* Too many, too deep, too long: refused with the place, before anything is planned. */
static json_t *with_disks(size_t n)
{
    json_t *j = json_pack("{s:s,s:{s:[]}}", "schema", "virt-ferry-facts/0", "domain", "disks");

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(json_array_append_new(json_object_get(json_object_get(j, "domain"), "disks"),
                                               json_pack("{s:s,s:s}", "target", "vda", "type", "file")),
                         0);
    return j;
}

START_TEST(a_count_beyond_all_bounds_is_refused)
    {
        struct error err = { 0 };
        OWNED_JSON most = with_disks(FACTS_MAX_DISKS);
        OWNED_JSON more = with_disks(FACTS_MAX_DISKS + 1);
        OWNED(facts) f = facts_from_json(most, &err);
        OWNED(facts) g = facts_from_json(more, &err);

        ck_assert_ptr_nonnull(f);
        ck_assert_ptr_null(g);
        ck_assert_ptr_nonnull(strstr(err.what, "domain.disks"));
        plan_holds_together(f);
    }
END_TEST

START_TEST(more_channels_than_any_pair_of_hosts_has_are_refused)
    {
        struct error err = { 0 };
        OWNED_JSON j = with_disks(100);
        json_t *channels = json_array();

        ck_assert_int_eq(json_object_set_new(j, "channels", channels), 0);
        for (size_t i = 0; i < FACTS_MAX_CHANNELS; i++)
            ck_assert_int_eq(json_array_append_new(channels, json_pack("{s:s}", "driver", "tcp")), 0);
        OWNED(facts) f = facts_from_json(j, &err);
        ck_assert_ptr_nonnull(f);
        plan_holds_together(f);
        ck_assert_int_eq(json_array_append_new(channels, json_object()), 0);
        OWNED(facts) g = facts_from_json(j, &err);
        ck_assert_ptr_null(g);
        ck_assert_ptr_nonnull(strstr(err.what, "channels"));
    }
END_TEST

START_TEST(a_text_that_is_too_long_is_refused)
    {
        struct error err = { 0 };
        static char text[FACTS_MAX_TEXT + 2];

        memset(text, 'x', FACTS_MAX_TEXT + 1);
        OWNED_JSON more = json_pack("{s:s,s:{s:s}}", "schema", "virt-ferry-facts/0", "domain", "name", text);
        text[FACTS_MAX_TEXT] = '\0';
        OWNED_JSON most = json_pack("{s:s,s:{s:s}}", "schema", "virt-ferry-facts/0", "domain", "name", text);
        OWNED(facts) f = facts_from_json(most, &err);
        OWNED(facts) g = facts_from_json(more, &err);

        ck_assert_ptr_nonnull(f);
        ck_assert_ptr_null(g);
        ck_assert_ptr_nonnull(strstr(err.what, "domain.name"));
        plan_holds_together(f);
    }
END_TEST

START_TEST(json_that_is_too_deep_or_too_large_is_refused)
    {
        struct error err = { 0 };
        static char deep[2 * (JSON_MAX_DEPTH + 1)];
        OWNED_MEMORY char *large = calloc(1, JSON_MAX_BYTES + 1u);

        memset(deep, '[', sizeof deep / 2);
        memset(deep + sizeof deep / 2, ']', sizeof deep / 2);
        OWNED_JSON j = json_read(deep, sizeof deep, "the test", &err);
        ck_assert_ptr_null(j);
        OWNED_JSON k = json_read(deep + 1, sizeof deep - 2, "the test", &err);
        ck_assert_ptr_nonnull(k);

        ck_assert_ptr_nonnull(large);
        memset(large, ' ', JSON_MAX_BYTES + 1u);
        large[0] = '{';
        large[1] = '}';
        OWNED_JSON l = json_read(large, JSON_MAX_BYTES, "the test", &err);
        ck_assert_ptr_nonnull(l);
        OWNED_JSON m = json_read(large, JSON_MAX_BYTES + 1u, "the test", &err);
        ck_assert_ptr_null(m);
    }
END_TEST

/* In what one window dirtied of a guest of 256 MiB; the link carries 117.5 MB/s. */
static const struct dirty_window dirty[] = {
    { 1000, MiB(200), MiB(250), MiB(256) },
    { 1000, UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX - 1 },
    { 0, MiB(200), MiB(250), MiB(256) },
    { 1, MiB(200), MiB(100), MiB(50) },
    { UINT64_MAX - 1, 0, 0, 0 },
    { 1000, 0, 0, UINT64_MAX - 1 },
};
START_TEST(a_guest_that_writes_faster_than_the_link_carries_is_planned)
    {
        OWNED(facts) f = sample();
        struct dirty_window w[2] = { dirty[_i], dirty[_i] };

        f->domain.dirty = w;
        f->domain.n_dirty = 2;
        plan_holds_together(f);
        f->channels[0].can_postcopy = true;
        plan_holds_together(f);
        f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 0;
        plan_holds_together(f);
        if (_i == 0) {
            f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 125000000;
            OWNED(plan) p = plan_of(f);
            ck_assert_ptr_nonnull(
                find_in(&plan_strategy(p, "precopy-tcp-gated")->findings, "never-ends", NULL));
            ck_assert_str_eq(plan_chosen(p)->id, "postcopy-tcp-gated");
        }
    }
END_TEST

START_TEST(without_memory_statistics_the_interval_is_wide_and_a_finding_says_so)
    {
        OWNED(facts) f = sample();

        f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = NOT_KNOWN;
        plan_holds_together(f);
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_chosen(p);
        ck_assert_ptr_nonnull(s);
        ck_assert_uint_ge(s->bytes.high, 100 * s->bytes.low);
        ck_assert_ptr_nonnull(find_in(&p->findings, "destination-memory-not-known", NULL));
        ck_assert_ptr_nonnull(find_in(&s->findings, "may-not-end", NULL));
    }
END_TEST

TEST_MAIN("plan/hostile", LOOP(every_figure_may_be_absurd, TEST_ROWS(absurd)),
          LOOP(all_figures_together_may_be_absurd, TEST_ROWS(absurd)),
          facts_that_are_cut_anywhere_are_refused, LOOP(what_is_no_number_is_no_json, TEST_ROWS(no_json)),
          a_link_of_no_bandwidth_divides_nothing, a_guest_of_12_tib_is_planned,
          a_thousand_disks_are_planned_soon, no_figures_at_all_give_a_plan_or_a_refusal,
          a_count_beyond_all_bounds_is_refused, more_channels_than_any_pair_of_hosts_has_are_refused,
          a_text_that_is_too_long_is_refused, json_that_is_too_deep_or_too_large_is_refused,
          LOOP(a_guest_that_writes_faster_than_the_link_carries_is_planned, TEST_ROWS(dirty)),
          without_memory_statistics_the_interval_is_wide_and_a_finding_says_so)
