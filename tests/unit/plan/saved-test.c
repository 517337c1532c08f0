/* SPDX-License-Identifier: Apache-2.0
 * A plan on file: taken back while its facts hold, refused with the difference when one does not; and every
 * plan is what docs/plan.schema.json describes. */
#include "facts/map.h"
#include "facts/overwrite.h"
#include "plan/sample.h"
#include "schema.h"
#include <string.h>

static json_t *saved_of(const struct facts *f)
{
    const struct plan_limits limits = sample_limits();
    struct error err = { 0 };
    OWNED(plan) p = plan_of(f);
    json_t *saved = plan_save(p, NULL, &limits, &err);

    ck_assert_msg(saved != NULL, "%s", err.what);
    return saved;
}

START_TEST(what_was_saved_is_found_again_whatever_it_is_thought_to_cost_now)
    {
        OWNED(facts) f = sample();
        OWNED_JSON saved = saved_of(f);
        struct error err = { 0 };

        f->history.bytes_per_s = 5000000;
        f->domain.memory_rss_bytes = MiB(200);
        f->dest.memory_free_bytes = GiB(3);
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_eq(plan_saved(p, saved, &err), plan_strategy(p, "precopy-tcp-gated"));
    }
END_TEST

typedef void change(struct facts *f);
#define CHANGE(name, code)                                                                                   \
    static void name(struct facts *f)                                                                        \
    {                                                                                                        \
        code;                                                                                                \
    }
CHANGE(paused, f->domain.run = RUN_PAUSED)
CHANGE(moved_disk, facts_disk(f, "vda")->source = "/images/other.qcow2")
CHANGE(not_proved, facts_disk(f, "vda")->sharing = SHARING_NOT_PROVED)
CHANGE(other_host, f->dest.uuid = "cccccccc-0000-0000-0000-000000000003")
CHANGE(upgraded, f->dest.qemu_version = 8000000)
CHANGE(no_channel, f->n_channels = 0)
CHANGE(more_disks, (void)sample_disk(f, "vdb"))
CHANGE(name_taken, f->dest.has_same_name = true)

static const struct {
    change *change;
    const char *says;
} stale[] = {
    { paused, "domain's state was running, is paused" },
    { moved_disk, "disk 'vda': source was /images/web.qcow2, is /images/other.qcow2" },
    { not_proved, "disk 'vda': sharing was proved, is not proved" },
    { other_host, "destination host was bbbbbbbb" },
    { upgraded, "destination's QEMU was 7002000, is 8000000" },
    { no_channel, "there is no strategy 'precopy-tcp-gated' now" },
    { more_disks, "number of disks was 1, is 2" },
    { name_taken, "name-taken: " },
};

START_TEST(a_stale_plan_is_refused_with_the_difference)
    {
        OWNED(facts) f = sample();
        OWNED_JSON saved = saved_of(f);
        struct error err = { 0 };

        stale[_i].change(f);
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_null(plan_saved(p, saved, &err));
        ck_assert_int_eq(err.code, ERROR_STALE);
        ck_assert_msg(strstr(err.why, stale[_i].says) != NULL, "%s", err.why);
    }
END_TEST

START_TEST(a_saved_plan_has_its_maps_in_it_and_is_stale_with_others)
    {
        const struct map was = { .kind = MAP_NETWORK, .from = "br0", .to = "br1" };
        const struct map is = { .kind = MAP_NETWORK, .from = "br0", .to = "br2" };
        OWNED(facts) f = sample();
        struct error err = { 0 };
        struct map *maps;
        size_t n;

        ck_assert_int_eq(maps_apply(f, &was, 1, &err), 0);
        OWNED_JSON saved = saved_of(f);
        ck_assert_int_eq(maps_from_json(json_child(saved, "maps"), f->arena, &maps, &n, &err), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(maps[0].to, "br1");
        OWNED(plan) same = plan_of(f);
        ck_assert_ptr_nonnull(plan_saved(same, saved, &err));
        ck_assert_int_eq(maps_apply(f, &is, 1, &err), 0);
        OWNED(plan) other = plan_of(f);
        ck_assert_ptr_null(plan_saved(other, saved, &err));
        ck_assert_msg(strstr(err.why, "'br0' at the destination was br1, is br2") != NULL, "%s", err.why);
    }
END_TEST

START_TEST(a_saved_plan_has_in_it_what_may_be_overwritten_and_is_stale_without)
    {
        OWNED(facts) f = sample();
        struct error err = { 0 };
        struct finding_refs names = { 0 };

        device_of(f, facts_disk(f, "vda"))->at_dest.identity = "wwn:1";
        OWNED_JSON saved = saved_of(f);
        ck_assert_int_eq(overwrite_from_json(json_child(saved, "overwrite"), f->arena, &names, &err), 0);
        ck_assert_uint_eq(names.n, 1);
        ck_assert_str_eq(names.names[0], "vda");
        OWNED(plan) same = plan_of(f);
        ck_assert_ptr_nonnull(plan_saved(same, saved, &err));
        f->overwrite.n = 0;
        OWNED(plan) unnamed = plan_of(f);
        ck_assert_ptr_null(plan_saved(unnamed, saved, &err));
        ck_assert_msg(strstr(err.why, "device-would-be-overwritten") != NULL, "%s", err.why);
        f->overwrite.n = 1;
        facts_disk(f, "vda")->at_dest.identity = "wwn:2"; /* another device stands there since */
        OWNED(plan) other = plan_of(f);
        ck_assert_ptr_null(plan_saved(other, saved, &err));
        ck_assert_msg(strstr(err.why, "identity of the device there was wwn:1, is wwn:2") != NULL, "%s",
                      err.why);
    }
END_TEST

START_TEST(the_limits_come_back_as_they_were)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        struct error err = { 0 };
        struct plan_limits back, limits = sample_limits();

        limits.no_postcopy = limits.allow_cleartext = true;
        limits.prefer = PREFER_EXPOSURE;
        limits.deadline_ms = 77;
        limits.manner = MANNER_P2P;
        OWNED_JSON saved = plan_save(p, NULL, &limits, &err);
        ck_assert_int_eq(plan_saved_limits(saved, &back, &err), 0);
        ck_assert(back.no_postcopy && back.allow_cleartext && !back.no_throttle && !back.force_managed);
        ck_assert_int_eq(back.prefer, PREFER_EXPOSURE);
        ck_assert_uint_eq(back.deadline_ms, 77);
        ck_assert_int_eq(back.manner, MANNER_P2P);
        ck_assert_uint_eq(back.max_downtime_ms, NOT_KNOWN);
        ck_assert_uint_eq(back.bandwidth_bytes_per_s, NOT_KNOWN);
    }
END_TEST

/* How many were worth it is a figure of the moment; how many were chosen is the plan. */
START_TEST(a_saved_plan_has_its_connections_in_it)
    {
        OWNED(facts) f = sample();
        struct channel *c = &f->channels[0];
        struct error err = { 0 };
        struct plan_limits back, limits = sample_limits();
        const struct strategy *again;

        f->source.link_bytes_per_s = f->dest.link_bytes_per_s = UINT64_C(12500000000);
        f->source.cpus_idle_milli = f->dest.cpus_idle_milli = 3000;
        f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = GiB(3);
        c->can_multifd = true;
        constants_init(&c->history);
        c->history.samples = 9;
        c->history.bytes_per_s = 600000000;
        OWNED(plan) p = plan_of(f);
        const struct strategy *three = plan_strategy(p, "precopy-tcp-gated-x3");

        ck_assert_ptr_nonnull(three);
        OWNED_JSON saved = plan_save(p, three, &limits, &err);
        f->dest.cpus_idle_milli = 500;
        ck_assert_int_eq(plan_saved_limits(saved, &back, &err), 0);
        ck_assert_uint_eq(back.connections, 3);
        OWNED(plan) now = plan_with(f, back);
        again = plan_saved(now, saved, &err);
        ck_assert_msg(again != NULL, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(again->connections, 3);
        ck_assert_int_eq(
            json_object_set_new(json_object_get(saved, "limits"), "connections", json_integer(256)), 0);
        ck_assert_int_eq(plan_saved_limits(saved, &back, &err), 0);
        ck_assert_uint_eq(back.connections, 0);
        OWNED_JSON single = plan_save(p, plan_strategy(p, "precopy-tcp-gated"), &limits, &err);
        ck_assert_ptr_null(json_object_get(json_object_get(single, "limits"), "connections"));
    }
END_TEST

static const char *const rubbish[] = { "{}", "[]", "{\"saved_plan\":2}",
                                       "{\"saved_plan\":1,\"strategy\":\"x\"}",
                                       "{\"saved_plan\":1,\"strategy\":1,\"limits\":{},\"rests_on\":{}}" };

START_TEST(what_is_no_saved_plan_is_refused)
    {
        struct error err = { 0 };
        struct plan_limits back;
        OWNED_JSON j = json_read(rubbish[_i], strlen(rubbish[_i]), "the test", &err);

        ck_assert_ptr_nonnull(j);
        ck_assert_int_eq(plan_saved_limits(j, &back, &err), -ERROR_INPUT);
    }
END_TEST

static void ck_schema(const struct plan *p)
{
    struct error err = { 0 };
    OWNED_JSON schema = json_read_file("docs/plan.schema.json", &err);
    OWNED_JSON j = plan_to_json(p);
    const char *broken;

    ck_assert_msg(schema != NULL, "%s", err.what);
    ck_assert_ptr_nonnull(j);
    broken = fault(schema, j);
    ck_assert_msg(!broken, "'%s' does not hold", broken);
    ck_assert_int_eq(json_object_set_new(j, "surplus", json_true()), 0);
    ck_assert_str_eq(fault(schema, j), "additionalProperties");
}

START_TEST(every_plan_is_what_the_published_schema_says)
    {
        OWNED(facts) f = sample();
        OWNED(facts) off = sample();
        OWNED(facts) none = sample();

        f->channels[0].can_postcopy = true;
        off->domain.run = RUN_SHUTOFF;
        none->n_channels = 0;
        OWNED(plan) p = plan_of(f);
        OWNED(plan) q = plan_of(off);
        OWNED(plan) r = plan_of(none);
        ck_assert(plan_chosen(p) && plan_chosen(q) && !plan_chosen(r));
        ck_schema(p);
        ck_schema(q);
        ck_schema(r);
    }
END_TEST

START_TEST(the_published_schema_knows_every_treatment)
    {
        struct error err = { 0 };
        OWNED_JSON schema = json_read_file("docs/plan.schema.json", &err);
        const json_t *words = json_object_get(schema, "properties"), *word;
        static const char *const path[] = { "strategies", "items",      "properties", "disks",
                                            "items",      "properties", "treatment",  "enum" };
        size_t n = 0, i;

        for (size_t k = 0; k < sizeof path / sizeof *path; k++)
            words = json_object_get(words, path[k]);
        json_array_foreach(words, i, word) for (int t = TREAT_SHARED; t <= TREAT_CHAIN; t++) n +=
            text_equal(json_string_value(word), treatment_word((enum treatment)t));
        ck_assert_uint_eq(n, TREAT_CHAIN + 1);
        ck_assert_uint_eq(json_array_size(words), n);
    }
END_TEST

TEST_MAIN("plan/saved", what_was_saved_is_found_again_whatever_it_is_thought_to_cost_now,
          LOOP(a_stale_plan_is_refused_with_the_difference, TEST_ROWS(stale)),
          a_saved_plan_has_its_maps_in_it_and_is_stale_with_others,
          a_saved_plan_has_in_it_what_may_be_overwritten_and_is_stale_without,
          the_limits_come_back_as_they_were, a_saved_plan_has_its_connections_in_it,
          LOOP(what_is_no_saved_plan_is_refused, TEST_ROWS(rubbish)),
          every_plan_is_what_the_published_schema_says, the_published_schema_knows_every_treatment)
