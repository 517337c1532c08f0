/* SPDX-License-Identifier: Apache-2.0
 * The choice alone is the choice of the plan: for facts thrown together from a fixed seed, under every wish;
 * and a hundred thousand of them take no more memory than one. */
#include "facts/json.h"
#include "plan/rules.h"
#include "plan/same.h"
#include <glob.h>
#include <malloc.h>

static uint64_t seed;

static uint64_t below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static uint64_t one_of(const uint64_t *list, size_t n)
{
    return list[below(n)];
}
#define ONE_OF(...)                                                                                          \
    one_of((const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void throw_channel(struct facts *f)
{
    static const char *const drivers[] = { "tcp", "tls", "ssh", "tcp2", NULL, "channel" };
    struct channel *c = sample_channel(f, drivers[below(8) ? below(3) : below(6)], (uint8_t)below(3));

    c->protects_control = (uint8_t)below(3);
    c->bytes_per_s = ONE_OF(NOT_KNOWN, 0, 1, 50000000, 100000000, 118000000, 1250000000);
    c->latency_us = ONE_OF(NOT_KNOWN, 0, 200, 80000);
    c->is_trusted = below(8) != 0;
    c->was_probed = below(8) != 0;
    c->can_postcopy = below(3) != 0;
    c->can_copy_disks = below(8) != 0;
    c->can_p2p = below(2) != 0;
    c->can_multifd = below(3) != 0;
    if (below(3) == 0) {
        c->history.samples = 3;
        c->history.bytes_per_s = ONE_OF(110000000, 270000000, 600000000);
        c->history.bytes_per_s_spread = ONE_OF(NOT_KNOWN, 20000000);
    }
    if (below(4) == 0) {
        c->several = arena_zeroed(f->arena, 1, sizeof *c->several);
        constants_init(&c->several[0].history);
        c->several[0].connections = ONE_OF(2, 4);
        c->several[0].history.bytes_per_s = ONE_OF(270000000, 300000000, 900000000);
        c->n_several = 1;
    }
    c->data_port = ONE_OF(NOT_KNOWN, 49215);
    c->data_port_open = (enum tristate)ONE_OF(TRI_YES, TRI_YES, TRI_NO, TRI_NOT_KNOWN);
}

static void throw_disk(struct facts *f)
{
    struct disk *d = sample_disk(f, arena_format(f->arena, "vd%u", (unsigned)below(99)));

    if (below(2))
        (void)sample_local(d);
    if (below(10) == 0)
        d->sharing = SHARING_NOT_PROVED;
    if (below(10) == 0)
        d->at_dest.present = (enum tristate)below(3);
    d->readonly = below(10) == 0;
    d->file_system = below(5) ? d->file_system : "fuse.moosefs";
    d->cache = below(5) ? d->cache : "writeback";
    d->at_source.allocated_bytes = ONE_OF(NOT_KNOWN, 0, MiB(400), GiB(3), GiB(9));
    d->at_dest.free_bytes = ONE_OF(NOT_KNOWN, GiB(10), GiB(100));
}

static void throw_memory(struct facts *f)
{
    struct dirty_window *w = arena_zeroed(f->arena, 2, sizeof *w);

    f->domain.memory_bytes = f->domain.memory_now_bytes = ONE_OF(NOT_KNOWN, MiB(256), GiB(2), GiB(4), GiB(9));
    f->domain.memory_rss_bytes = ONE_OF(NOT_KNOWN, MiB(155), GiB(1), GiB(4));
    f->domain.max_downtime_ms = ONE_OF(NOT_KNOWN, 0, 300, 5000);
    f->domain.dirty = w;
    f->domain.n_dirty = below(3);
    for (size_t i = 0; i < 2; i++) {
        w[i].window_ms = (i + 1) * 1000;
        w[i].bytes = ONE_OF(0, MiB(1), MiB(20), MiB(60), MiB(100), MiB(200));
        w[i].low_bytes = w[i].bytes / 2;
        w[i].high_bytes = w[i].bytes * 2;
    }
}

static struct facts *thrown(void)
{
    static const enum domain_run runs[] = { RUN_RUNNING, RUN_RUNNING, RUN_RUNNING,
                                            RUN_PAUSED,  RUN_SHUTOFF, RUN_NOT_KNOWN };
    struct facts *f = sample();

    f->n_channels = below(2);
    f->domain.n_disks = below(2);
    for (uint64_t n = below(4); n > 0; n--)
        throw_channel(f);
    for (uint64_t n = below(3); n > 0; n--)
        throw_disk(f);
    throw_memory(f);
    f->domain.run = runs[below(TEST_ROWS(runs))];
    f->domain.ran_here = (enum tristate)below(3);
    f->source.is_local_socket = below(4) != 0;
    f->source.link_bytes_per_s = ONE_OF(NOT_KNOWN, 12500000, 125000000, 1250000000);
    f->dest.link_bytes_per_s = ONE_OF(125000000, 12500000000, 12500000000);
    f->source.cpus_idle_milli = ONE_OF(NOT_KNOWN, 900, 2500, 4000, 64000);
    f->dest.cpus_idle_milli = ONE_OF(900, 3999, 16000);
    f->dest.memory_free_bytes = ONE_OF(NOT_KNOWN, GiB(4), GiB(16));
    f->history.bytes_per_s = ONE_OF(NOT_KNOWN, NOT_KNOWN, 30000000, 110000000);
    f->history.setup_ms = ONE_OF(NOT_KNOWN, 0, 900);
    if (below(16) == 0)
        facts_add_finding(f, (enum severity)(1 + below(3)), "thrown", below(2) ? "tcp" : "vda");
    return f;
}

static struct plan_limits thrown_limits(void)
{
    struct plan_limits l = sample_limits();

    l.prefer = (enum prefer)below(4);
    l.max_downtime_ms = ONE_OF(NOT_KNOWN, NOT_KNOWN, 0, 300, 1731, 4000, 60000);
    l.deadline_ms = ONE_OF(NOT_KNOWN, NOT_KNOWN, 5000, 60000);
    l.bandwidth_bytes_per_s = ONE_OF(NOT_KNOWN, NOT_KNOWN, 20000000);
    l.no_postcopy = below(4) == 0;
    l.no_throttle = below(4) == 0;
    l.allow_cleartext = below(4) == 0;
    l.manner = (enum manner)below(3);
    l.connections = (unsigned)ONE_OF(0, 0, 0, 0, 1, 4);
    return l;
}

START_TEST(a_brief_is_what_the_plan_chooses)
    {
        size_t n_chosen = 0;

        seed = 20261124u + (uint64_t)_i;
        for (int turn = 0; turn < 1000; turn++) {
            OWNED(facts) f = thrown();
            const struct plan_limits limits = thrown_limits();
            OWNED(briefing) b = briefing_new(&limits);

            ck_assert_ptr_nonnull(b);
            n_chosen += brief_is_same(b, f, &limits);
        }
        ck_assert_uint_gt(n_chosen, 200);
        ck_assert_uint_lt(n_chosen, 800);
    }
END_TEST

/* Thrown alone, the facts where the planner thinks of several by itself are too rare. */
START_TEST(a_brief_takes_as_many_connections_as_the_plan)
    {
        size_t n_several = 0;

        seed = 42;
        for (int turn = 0; turn < 1000; turn++) {
            OWNED(facts) f = thrown();
            struct plan_limits limits = thrown_limits();
            OWNED(briefing) b = NULL;
            const struct strategy *s;

            limits.connections = 0;
            limits.max_downtime_ms = below(2) ? NOT_KNOWN : 4000;
            limits.bandwidth_bytes_per_s = NOT_KNOWN;
            f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = GiB(4);
            f->domain.n_dirty = 1;
            f->domain.dirty[0] = (struct dirty_window){ 1000, 0, MiB(1), MiB(1) << below(9) };
            f->dest.memory_free_bytes = GiB(16);
            f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 1250000000;
            for (size_t i = 0; i < f->n_channels; i++) {
                f->channels[i].can_multifd = below(8) != 0;
                f->channels[i].bytes_per_s = NOT_KNOWN;
                f->channels[i].history.samples = 3;
                f->channels[i].history.bytes_per_s = ONE_OF(110000000, 270000000, 600000000);
            }
            f->source.cpus_idle_milli = ONE_OF(1000, 2500, 4000, 64000);
            b = briefing_new(&limits);
            ck_assert_ptr_nonnull(b);
            (void)brief_is_same(b, f, &limits);
            OWNED(plan) p = plan_with(f, limits);
            s = plan_chosen(p);
            n_several += s && s->connections > 1;
        }
        ck_assert_uint_gt(n_several, 10);
        ck_assert_uint_lt(n_several, 500);
    }
END_TEST

START_TEST(a_briefing_is_used_again_for_other_facts)
    {
        const struct plan_limits limits = sample_limits();
        OWNED(briefing) b = briefing_new(&limits);
        unsigned n_chosen = 0;

        ck_assert_ptr_nonnull(b);
        seed = 7;
        for (int turn = 0; turn < 1000; turn++) {
            OWNED(facts) f = thrown();

            n_chosen += brief_is_same(b, f, &limits);
        }
        ck_assert_uint_gt(n_chosen, 200);
        ck_assert_uint_lt(n_chosen, 800);
    }
END_TEST

START_TEST(the_facts_files_have_the_briefs_of_their_plans)
    {
        glob_t found;
        struct error err = { 0 };
        const struct plan_limits limits = sample_limits();
        OWNED(briefing) b = briefing_new(&limits);

        ck_assert_int_eq(glob("tests/data/borders/*.json", 0, NULL, &found), 0);
        ck_assert_int_eq(glob("tests/data/*.facts.json", GLOB_APPEND, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++) {
            OWNED_JSON j = json_read_file(found.gl_pathv[i], &err);
            OWNED(facts) f = facts_from_json(j, &err);

            ck_assert_msg(f != NULL, "%s", err.what);
            (void)brief_is_same(b, f, &limits);
        }
        globfree(&found);
    }
END_TEST

START_TEST(a_thousand_disks_and_a_hundred_channels_have_one_too)
    {
        const struct plan_limits limits = sample_limits();
        OWNED(briefing) b = briefing_new(&limits);
        OWNED(facts) f = sample();

        for (unsigned i = 1; i < 1000; i++)
            (void)sample_disk(f, arena_format(f->arena, "vd%u", i));
        ck_assert(brief_is_same(b, f, &limits));
        f->domain.n_disks = 1;
        for (unsigned i = 1; i < 100; i++)
            (void)sample_channel(f, "tcp", 0);
        ck_assert(brief_is_same(b, f, &limits));
    }
END_TEST

START_TEST(no_rule_that_refuses_is_left_out)
    {
        struct rule_index index;
        const struct rule *r;
        size_t n = 0;

        rules_refusing(&index);
        for (size_t i = 0; (r = rules_at(i)); i++)
            n += r->severity == REFUSES;
        for (int of = 0; of < N_RULES_OF; of++)
            n -= index.n[of];
        ck_assert_uint_eq(n, 0);
    }
END_TEST

/* Sanitizers keep what was freed, and count nothing here. */
START_TEST(many_briefs_take_no_more_memory_than_one)
    {
        const struct plan_limits limits = sample_limits();
        OWNED(briefing) b = briefing_new(&limits);
        OWNED(facts) f = sample();
        struct error err = { 0 };
        struct brief brief;
        size_t before = 0;

        (void)sample_channel(f, "tls", 2);
        for (int i = 0; i < 100000; i++) {
            f->dest.memory_free_bytes = i % 5 ? GiB(4) : 0;
            ck_assert_int_eq(briefing_make(b, f, &brief, &err), 0);
            if (i == 0)
                before = mallinfo2().uordblks;
        }
        ck_assert_uint_eq(mallinfo2().uordblks, before);
    }
END_TEST

TEST_MAIN("plan/brief", a_brief_takes_as_many_connections_as_the_plan,
          LOOP(a_brief_is_what_the_plan_chooses, 10), a_briefing_is_used_again_for_other_facts,
          the_facts_files_have_the_briefs_of_their_plans,
          a_thousand_disks_and_a_hundred_channels_have_one_too, no_rule_that_refuses_is_left_out,
          many_briefs_take_no_more_memory_than_one)
