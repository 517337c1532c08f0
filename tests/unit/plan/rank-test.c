/* SPDX-License-Identifier: Apache-2.0
 * The order of strategies: cheapest first, equal within the model's error then safer, refused last. */
#include "plan/sample.h"

/* Bare strategies with prices of the test's own; valid unless refused. */
struct bench {
    struct arena *arena;
    struct facts *facts;
    struct plan plan;
    struct planning planning;
    struct channel clear, encrypted;
};

static void bench_open(struct bench *b, enum prefer prefer)
{
    b->facts = sample();
    b->arena = arena_new();
    ck_assert_ptr_nonnull(b->arena);
    b->clear = (struct channel){ .driver = "tcp", .was_probed = true };
    b->encrypted = (struct channel){ .driver = "tls", .was_probed = true, .protects_data = 2 };
    b->plan = (struct plan){ .arena = b->arena, .facts = b->facts };
    b->plan.list = arena_zeroed(b->arena, 16, sizeof *b->plan.list);
    ck_assert_ptr_nonnull(b->plan.list);
    b->planning = (struct planning){ .plan = &b->plan, .facts = b->facts, .limits = sample_limits() };
    b->planning.limits.prefer = prefer;
}

static void bench_close(struct bench *b)
{
    arena_free(b->arena);
    facts_free(b->facts);
}

static struct strategy *bench_add(struct bench *b, const char *id, const struct channel *channel,
                                  uint64_t time_ms, uint64_t downtime_ms, uint64_t bytes)
{
    struct strategy *s = &b->plan.list[b->plan.n++];

    *s = (struct strategy){ .id = id,
                            .channel = channel,
                            .time_ms = { time_ms, time_ms, time_ms },
                            .downtime_ms = { downtime_ms, downtime_ms, downtime_ms },
                            .bytes = { bytes, bytes, bytes } };
    return s;
}

static void refuse(struct bench *b, struct strategy *s)
{
    findings_add(b->arena, &s->findings, &(struct finding){ .id = "no", .severity = REFUSES, .what = "no" });
}

static const struct {
    uint64_t clear_ms, encrypted_ms;
    const char *first;
} time_border[] = {
    { 1000, 1300, "encrypted" }, { 1000, 1301, "clear" },     { 10000, 11764, "encrypted" },
    { 10000, 11766, "clear" },   { 1000, 1000, "encrypted" }, { 1301, 1000, "encrypted" },
};

START_TEST(times_that_the_model_cannot_tell_apart_are_equal_and_encryption_wins)
    {
        struct bench b;

        bench_open(&b, PREFER_TIME);
        (void)bench_add(&b, "clear", &b.clear, time_border[_i].clear_ms, 100, 1);
        (void)bench_add(&b, "encrypted", &b.encrypted, time_border[_i].encrypted_ms, 100, 1);
        rank_plan(&b.planning);
        ck_assert_str_eq(plan_chosen(&b.plan)->id, time_border[_i].first);
        bench_close(&b);
    }
END_TEST

static const struct {
    enum prefer prefer;
    const char *first;
} preferences[] = {
    { PREFER_TIME, "fast" },
    { PREFER_DOWNTIME, "smooth" },
    { PREFER_BYTES, "thrifty" },
    { (enum prefer)99, "fast" },
};

START_TEST(the_preference_says_what_cheap_means)
    {
        struct bench b;

        bench_open(&b, preferences[_i].prefer);
        (void)bench_add(&b, "smooth", &b.clear, 9000, 50, GiB(9));
        (void)bench_add(&b, "thrifty", &b.clear, 8000, 900, GiB(1));
        (void)bench_add(&b, "fast", &b.clear, 1000, 800, GiB(8));
        rank_plan(&b.planning);
        ck_assert_str_eq(plan_chosen(&b.plan)->id, preferences[_i].first);
        bench_close(&b);
    }
END_TEST

START_TEST(gated_comes_before_held_among_equals)
    {
        struct bench b;

        bench_open(&b, PREFER_TIME);
        bench_add(&b, "a-held", &b.clear, 1000, 100, 1)->hand_over = HAND_OVER_HELD;
        bench_add(&b, "b-gated", &b.clear, 1000, 100, 1)->hand_over = HAND_OVER_GATED;
        rank_plan(&b.planning);
        ck_assert_str_eq(plan_chosen(&b.plan)->id, "b-gated");
        bench_close(&b);
    }
END_TEST

START_TEST(one_connection_comes_before_several_among_equals_whatever_the_mode)
    {
        struct bench b;
        struct strategy *several;

        bench_open(&b, PREFER_TIME);
        several = bench_add(&b, "a-x4", &b.clear, 10000, 100, 1);
        several->connections = 4;
        bench_add(&b, "b", &b.clear, 11700, 100, 1)->connections = 1;
        b.plan.list[1].mode = MODE_POSTCOPY;
        rank_plan(&b.planning);
        ck_assert_str_eq(plan_chosen(&b.plan)->id, "b");
        ck_assert_str_eq(rank_best(&b.planning, b.plan.list, b.plan.n)->id, "b");
        for (size_t i = 0; i < 2; i++)
            if (b.plan.list[i].connections == 1)
                b.plan.list[i].time_ms.likely = 11800;
        b.plan.n_valid = 0;
        rank_plan(&b.planning);
        ck_assert_str_eq(plan_chosen(&b.plan)->id, "a-x4");
        bench_close(&b);
    }
END_TEST

/* Nobody asked for them, and post-copy cannot help. */
START_TEST(several_connections_that_may_not_end_or_slow_the_guest_must_be_asked_for)
    {
        for (unsigned asked = 0; asked < 5; asked += 4)
            for (int throttled = 0; throttled < 2; throttled++) {
                struct bench b;
                struct strategy *s;

                bench_open(&b, PREFER_TIME);
                b.planning.limits.connections = asked;
                bench_add(&b, "one", &b.clear, 100000, 100, 1)->connections = 1;
                s = bench_add(&b, "one-x4", &b.clear, 10000, 100, 1);
                s->connections = 4;
                s->mode = throttled ? MODE_THROTTLED : MODE_PRECOPY;
                s->may_not_end = !throttled;
                rank_plan(&b.planning);
                ck_assert_str_eq(plan_chosen(&b.plan)->id, asked ? "one-x4" : "one");
                ck_assert_str_eq(rank_best(&b.planning, b.plan.list, b.plan.n)->id, asked ? "one-x4" : "one");
                bench_close(&b);
            }
    }
END_TEST

START_TEST(what_is_left_but_was_not_asked_for_says_its_name)
    {
        struct bench b;
        struct error err = { 0 };
        struct strategy *s;

        bench_open(&b, PREFER_TIME);
        s = bench_add(&b, "precopy-tcp-gated-x4", &b.clear, 10000, 100, 1);
        s->connections = 4;
        s->may_not_end = true;
        rank_plan(&b.planning);
        ck_assert_ptr_null(plan_chosen(&b.plan));
        ck_assert_int_eq(plan_refusal(&b.plan, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.what, "4 connections"));
        ck_assert_ptr_nonnull(strstr(err.fix, "--strategy precopy-tcp-gated-x4"));
        bench_close(&b);
    }
END_TEST

START_TEST(the_order_does_not_depend_on_that_of_enumeration)
    {
        static const char *const ids[] = { "a", "b", "c", "d", "e", "f" };
        const char *seen[6] = { NULL };

        for (size_t turn = 0; turn < 6; turn++) {
            struct bench b;

            bench_open(&b, PREFER_TIME);
            for (size_t i = 0; i < 6; i++) {
                const size_t k = (i + turn) % 6;

                /* A staircase: each is equal to the next, the first is not equal to the last. */
                (void)bench_add(&b, ids[k], k % 2 ? &b.encrypted : &b.clear, 1000 + 200 * k, 100, 1);
            }
            rank_plan(&b.planning);
            for (size_t i = 0; i < 6; i++) {
                if (turn)
                    ck_assert_str_eq(b.plan.list[i].id, seen[i]);
                seen[i] = b.plan.list[i].id;
            }
            bench_close(&b);
        }
        ck_assert_str_eq(seen[0], "b");
        ck_assert_str_eq(seen[1], "a");
    }
END_TEST

START_TEST(refused_ones_come_last_however_cheap_and_the_nearest_to_valid_first)
    {
        struct bench b;
        struct strategy *s;

        bench_open(&b, PREFER_TIME);
        s = bench_add(&b, "alternative", &b.clear, 1, 1, 1);
        s->is_alternative = true;
        refuse(&b, s);
        s = bench_add(&b, "refused-twice", &b.clear, 1, 1, 1);
        refuse(&b, s);
        refuse(&b, s);
        refuse(&b, bench_add(&b, "refused", &b.clear, 10, 1, 1));
        (void)bench_add(&b, "valid", &b.clear, 100000, 1000, GiB(1));
        rank_plan(&b.planning);
        ck_assert_uint_eq(b.plan.n_valid, 1);
        ck_assert_str_eq(b.plan.list[0].id, "valid");
        ck_assert_str_eq(b.plan.list[1].id, "refused");
        ck_assert_str_eq(b.plan.list[2].id, "refused-twice");
        ck_assert_str_eq(b.plan.list[3].id, "alternative");
        bench_close(&b);
    }
END_TEST

START_TEST(a_finding_of_the_plan_refuses_every_strategy_and_is_the_refusal)
    {
        OWNED(facts) f = sample();
        struct error err = { 0 };

        f->dest.has_same_name = true;
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_eq(p->n_valid, 0);
        ck_assert_ptr_null(plan_chosen(p));
        for (size_t i = 0; i < p->n; i++)
            ck_assert_str_eq(plan_refuses(p, &p->list[i])->id, "name-taken");
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_int_eq(err.code, ERROR_REFUSED);
        ck_assert_str_eq(err.host, "hostB");
        ck_assert_str_ne(err.fix, "");
    }
END_TEST

START_TEST(the_refusal_is_what_most_strategies_share)
    {
        OWNED(facts) f = sample();
        struct error err = { 0 };

        f->source.is_local_socket = false; /* refuses the gated ones */
        f->channels[0].is_trusted = false; /* refuses all */
        OWNED(plan) p = plan_of(f);
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.what, "in the clear"));
    }
END_TEST

START_TEST(peer_to_peer_comes_behind_direct_and_is_chosen_where_it_is_asked_for)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();

        f->channels[0].can_p2p = true;
        OWNED(plan) any = plan_with(f, limits);
        ck_assert(plan_strategy(any, "precopy-tcp-held") < plan_strategy(any, "precopy-tcp-held-p2p"));
        ck_assert(!plan_refuses(any, plan_strategy(any, "precopy-tcp-held-p2p")));
        ck_assert_ptr_null(plan_strategy(any, "precopy-tcp-gated-p2p"));
        limits.manner = MANNER_P2P;
        OWNED(plan) asked = plan_with(f, limits);
        ck_assert_str_eq(plan_chosen(asked)->id, "precopy-tcp-held-p2p");
        ck_assert_ptr_null(plan_strategy(asked, "precopy-tcp-held"));
        ck_assert_str_eq(plan_refuses(asked, plan_strategy(asked, "precopy-tcp-gated-p2p"))->id,
                         "p2p-not-safe");
        limits.manner = MANNER_DIRECT;
        OWNED(plan) direct = plan_with(f, limits);
        ck_assert_ptr_null(plan_strategy(direct, "precopy-tcp-held-p2p"));
    }
END_TEST

START_TEST(without_a_gate_the_held_hand_over_is_chosen)
    {
        OWNED(facts) f = sample();

        f->source.is_local_socket = false;
        OWNED(plan) p = plan_of(f);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-held");
        ck_assert_str_eq(plan_refuses(p, plan_strategy(p, "precopy-tcp-gated"))->id, "no-gate");
    }
END_TEST

/* It costs less, and is taken where it is named alone. */
START_TEST(locked_is_valid_and_never_chosen)
    {
        OWNED(facts) f = sample();
        struct disk *vda = facts_disk(f, "vda");
        const struct strategy *locked;

        f->source.is_local_socket = false;
        f->channels[0].can_p2p = true;
        vda->lock_enforced = vda->lock_proved = TRI_YES;
        vda->at_source.directory = vda->at_dest.directory = "/images";
        OWNED(plan) p = plan_of(f);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-held");
        for (int is_p2p = 0; is_p2p < 2; is_p2p++) {
            locked = plan_strategy(p, is_p2p ? "precopy-tcp-locked-p2p" : "precopy-tcp-locked");
            ck_assert_ptr_nonnull(locked);
            ck_assert_ptr_null(plan_refuses(p, locked));
            ck_assert(locked >= p->list + p->n_unasked && locked < p->list + p->n_valid);
            ck_assert_uint_lt(locked->downtime_ms.likely, plan_chosen(p)->downtime_ms.likely);
        }
    }
END_TEST

TEST_MAIN("plan/rank", locked_is_valid_and_never_chosen,
          LOOP(times_that_the_model_cannot_tell_apart_are_equal_and_encryption_wins, TEST_ROWS(time_border)),
          LOOP(the_preference_says_what_cheap_means, TEST_ROWS(preferences)),
          one_connection_comes_before_several_among_equals_whatever_the_mode,
          several_connections_that_may_not_end_or_slow_the_guest_must_be_asked_for,
          what_is_left_but_was_not_asked_for_says_its_name, gated_comes_before_held_among_equals,
          the_order_does_not_depend_on_that_of_enumeration,
          refused_ones_come_last_however_cheap_and_the_nearest_to_valid_first,
          a_finding_of_the_plan_refuses_every_strategy_and_is_the_refusal,
          the_refusal_is_what_most_strategies_share, without_a_gate_the_held_hand_over_is_chosen,
          peer_to_peer_comes_behind_direct_and_is_chosen_where_it_is_asked_for)
