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

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
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

        for (size_t turn = 0; turn < 100; turn++) {
            size_t n = turn;

            (void)replace_number(j, by, &n);
        }
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

TEST_MAIN("plan/hostile", LOOP(every_figure_may_be_absurd, TEST_ROWS(absurd)),
          LOOP(all_figures_together_may_be_absurd, TEST_ROWS(absurd)),
          facts_that_are_cut_anywhere_are_refused, LOOP(what_is_no_number_is_no_json, TEST_ROWS(no_json)),
          a_link_of_no_bandwidth_divides_nothing, a_guest_of_12_tib_is_planned,
          a_thousand_disks_are_planned_soon, no_figures_at_all_give_a_plan_or_a_refusal)
