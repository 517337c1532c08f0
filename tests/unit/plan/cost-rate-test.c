/* SPDX-License-Identifier: Apache-2.0
 * What several connections give a channel, and how many are worth a candidate. */
#include "plan/range.h"
#include "plan/sample.h"

enum { MB = 1000000 };

/* Encrypted, 10 Gbit/s, sixteen processors idle on either host, and moves by one connection that showed 270
 * MB/s. */
static struct facts *fast(void)
{
    struct facts *f = sample();
    struct channel *c = sample_channel(f, "tls", 2);

    f->channels[0].is_trusted = false;
    f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 1250u * MB;
    f->source.cpus_idle_milli = f->dest.cpus_idle_milli = 16000;
    c->can_multifd = true;
    constants_init(&c->history);
    c->history.bytes_per_s = 270u * MB;
    c->history.samples = 5;
    f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = GiB(64);
    f->dest.memory_free_bytes = GiB(100);
    return f;
}

static void add_several(struct facts *f, uint64_t connections, uint64_t bytes_per_s)
{
    struct channel *c = &f->channels[1];

    c->several = arena_grown(f->arena, c->several, c->n_several, sizeof *c->several);
    ck_assert_ptr_nonnull(c->several);
    constants_init(&c->several[c->n_several].history);
    c->several[c->n_several].connections = connections;
    c->several[c->n_several++].history.bytes_per_s = bytes_per_s;
}

static struct range rate_by(const struct facts *f, unsigned connections)
{
    struct plan plan = { .facts = f };
    const struct planning p = { .plan = &plan, .facts = f, .limits = sample_limits() };

    return cost_rate(&p, &f->channels[1], connections);
}

static unsigned worth(const struct facts *f, uint64_t cap)
{
    struct plan plan = { .facts = f };
    struct planning p = { .plan = &plan, .facts = f, .limits = sample_limits() };

    p.limits.bandwidth_bytes_per_s = cap;
    return cost_connections(&p, &f->channels[1]);
}

static const struct {
    uint64_t idle_source, idle_dest, link, seen, cap;
    bool can_multifd;
    unsigned forwards; /* 0: QEMU reaches the destination by itself */
    bool is_clear;
    unsigned worth;
} cases[] = {
    { 16000, 16000, 1250, 270, NOT_KNOWN, true, 0, false, 5 }, /* 1175 / 270, rounded up */
    { 16000, 16000, 12500, 270, NOT_KNOWN, true, 0, false, 8 },
    { 3999, 16000, 1250, 270, NOT_KNOWN, true, 0, false, 3 },
    { 16000, 2000, 1250, 270, NOT_KNOWN, true, 0, false, 2 },
    { 16000, 1999, 1250, 270, NOT_KNOWN, true, 0, false, 1 },
    { NOT_KNOWN, 16000, 1250, 270, NOT_KNOWN, true, 0, false, 1 },
    { 16000, NOT_KNOWN, 1250, 270, NOT_KNOWN, true, 0, false, 1 },
    { 0, 0, 1250, 270, NOT_KNOWN, true, 0, false, 1 },
    { UINT64_MAX - 1, UINT64_MAX - 1, 1250, 270, NOT_KNOWN, true, 0, false, 5 },
    { 16000, 16000, 125, 110, NOT_KNOWN, true, 0, false, 1 },  /* the link's rate */
    { 16000, 16000, 1250, 140, NOT_KNOWN, true, 0, false, 1 }, /* perhaps a link of 1 Gbit/s after all */
    { 16000, 16000, 1250, 142, NOT_KNOWN, true, 0, false, 8 },
    { 16000, 16000, 1250, NOT_KNOWN, NOT_KNOWN, true, 0, false, 1 }, /* nothing is known of it */
    { 16000, 16000, 1250, 0, NOT_KNOWN, true, 0, false, 1 },
    { 16000, 16000, 1250, 1300, NOT_KNOWN, true, 0, false, 1 },
    { 16000, 16000, NOT_KNOWN, 270, NOT_KNOWN, true, 0, false, 8 },
    { 16000, 16000, 1250, 270, 500, true, 0, false, 2 },
    { 16000, 16000, 1250, 270, 270, true, 0, false, 1 },
    { 16000, 16000, 1250, 270, NOT_KNOWN, false, 0, false, 1 },
    { 16000, 16000, 1250, 270, NOT_KNOWN, true, 1, false, 1 },
    { 16000, 16000, 1250, 270, NOT_KNOWN, true, 3, false, 3 },
    { 16000, 16000, 1250, 270, NOT_KNOWN, true, 8, false, 5 },
    { 16000, 2999, 1250, 270, NOT_KNOWN, true, 8, false, 2 },
    { 16000, 1999, 1250, 270, NOT_KNOWN, true, 8, false, 1 },
    { 16000, 16000, 12500, 449, NOT_KNOWN, true, 0, true, 1 }, /* in the clear a thread does more */
    { 16000, 16000, 3125, 1000, NOT_KNOWN, true, 0, true, 3 },
};

static uint64_t mb(uint64_t n)
{
    return n == NOT_KNOWN ? n : n * MB;
}

START_TEST(several_are_worth_a_candidate_where_a_thread_is_the_limit_and_processors_are_idle)
    {
        OWNED(facts) f = fast();
        struct channel *c = &f->channels[1];

        f->source.cpus_idle_milli = cases[_i].idle_source;
        f->dest.cpus_idle_milli = cases[_i].idle_dest;
        f->source.link_bytes_per_s = f->dest.link_bytes_per_s = mb(cases[_i].link);
        c->history.bytes_per_s = mb(cases[_i].seen);
        c->can_multifd = cases[_i].can_multifd;
        c->data_uri = cases[_i].forwards ? "unix:///run/ram" : c->data_uri;
        c->forwards = cases[_i].forwards > 1 ? cases[_i].forwards : NOT_KNOWN;
        c->protects_data = cases[_i].is_clear ? 0 : 2;
        ck_assert_uint_eq(worth(f, mb(cases[_i].cap)), cases[_i].worth);
        /* And without asking for them they are among the candidates, or not. */
        OWNED(plan) p = plan_of(f);
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++)
            n += p->list[i].connections > 1;
        ck_assert(cases[_i].cap != NOT_KNOWN || (n > 0) == (cases[_i].worth > 1));
    }
END_TEST

/* Without a move yet, but measured: the link is faster than a thread likely is, or not. */
START_TEST(a_link_that_was_measured_to_be_fast_is_worth_several_at_the_first_move)
    {
        static const struct {
            uint64_t measured;
            unsigned worth;
        } links[] = { { 117, 1 }, { 250, 1 }, { 300, 1 }, { 310, 2 }, { 900, 3 } };

        for (size_t i = 0; i < TEST_ROWS(links); i++) {
            OWNED(facts) f = fast();

            constants_init(&f->channels[1].history);
            f->channels[1].measured_bytes_per_s = links[i].measured * MB;
            ck_assert_uint_eq(worth(f, NOT_KNOWN), links[i].worth);
        }
    }
END_TEST

START_TEST(each_connection_adds_less_than_one_and_the_link_is_the_end)
    {
        OWNED(facts) f = fast();
        const struct range one = rate_by(f, 1), two = rate_by(f, 2), five = rate_by(f, 5);

        ck_assert_double_eq_tol(one.likely, 270.0 * MB, 1);
        ck_assert_double_eq_tol(two.likely, 1.8 * 270 * MB, 1);
        ck_assert_double_eq_tol(five.likely, 4.2 * 270 * MB, 1);
        ck_assert_double_eq_tol(rate_by(f, 200).likely, 1175.0 * MB, 1);
        ck_assert_double_lt(two.low, one.low);
        ck_assert_double_le(two.high, 2 * one.high);
    }
END_TEST

START_TEST(a_connection_without_a_processor_adds_nothing)
    {
        OWNED(facts) f = fast();

        f->dest.cpus_idle_milli = 1500;
        ck_assert_double_eq_tol(rate_by(f, 4).likely, 1.4 * 270 * MB, 1);
        f->dest.cpus_idle_milli = 200;
        ck_assert_double_eq_tol(rate_by(f, 4).likely, 270.0 * MB, 1);
        f->dest.cpus_idle_milli = NOT_KNOWN;
        ck_assert_double_eq_tol(rate_by(f, 4).likely, 270.0 * MB, 1);
        ck_assert_double_gt(rate_by(f, 4).high, 3.9 * 270 * MB);
    }
END_TEST

START_TEST(one_ssh_for_all_of_them_makes_it_slower)
    {
        OWNED(facts) f = fast();

        f->channels[1].data_uri = "unix:///run/ram";
        ck_assert_double_eq_tol(rate_by(f, 4).likely, 0.8 * 270 * MB, 1);
    }
END_TEST

START_TEST(an_ssh_for_each_of_them_is_worth_it_where_processors_are_idle)
    {
        OWNED(facts) f = fast();
        struct channel *c = &f->channels[1];

        c->data_uri = "unix:///run/ram";
        c->forwards = 3;
        ck_assert_double_eq_tol(rate_by(f, 2).likely, 1.8 * 270 * MB, 1);
        ck_assert_double_eq_tol(rate_by(f, 3).likely, 2.6 * 270 * MB, 1);
        ck_assert_double_eq_tol(rate_by(f, 9).likely, 2.6 * 270 * MB, 1); /* by the same three */
        f->source.cpus_idle_milli = 1500;
        ck_assert_double_eq_tol(rate_by(f, 3).likely, 1.3 * 270 * MB, 1);
        f->source.cpus_idle_milli = 0;
        ck_assert_double_eq_tol(rate_by(f, 3).likely, 0.8 * 270 * MB, 1);
        f->source.cpus_idle_milli = NOT_KNOWN;
        ck_assert_double_eq_tol(rate_by(f, 3).likely, 0.8 * 270 * MB, 1);
        ck_assert_double_gt(rate_by(f, 3).high, 2.9 * 270 * MB);
        ck_assert_double_lt(rate_by(f, 3).low, 0.5 * rate_by(f, 1).likely);
    }
END_TEST

START_TEST(what_moves_by_so_many_showed_is_believed_and_says_nothing_of_one)
    {
        OWNED(facts) f = fast();

        add_several(f, 4, 500u * MB);
        ck_assert_double_eq_tol(rate_by(f, 4).likely, 500.0 * MB, 1);
        ck_assert_double_eq_tol(rate_by(f, 1).likely, 270.0 * MB, 1);
        /* A straight line through both. */
        ck_assert_double_eq_tol(rate_by(f, 2).likely, 270.0 * MB + 230.0 * MB / 3, 1);
        ck_assert_double_eq_tol(rate_by(f, 7).likely, 730.0 * MB, 1);
        /* The nearest there is. */
        add_several(f, 2, 270u * MB);
        ck_assert_double_eq_tol(rate_by(f, 2).likely, 270.0 * MB, 1);
        /* One that brought nothing makes no hope for others. */
        f->channels[1].several[0].history.bytes_per_s = 270u * MB;
        ck_assert_double_eq_tol(rate_by(f, 8).likely, 270.0 * MB, 1);
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_eq(plan_chosen(p)->connections, 1);
    }
END_TEST

START_TEST(without_a_move_by_one_several_say_what_they_showed_and_no_more)
    {
        OWNED(facts) f = fast();

        constants_init(&f->channels[1].history);
        add_several(f, 4, 800u * MB);
        ck_assert_double_eq_tol(rate_by(f, 2).likely, 400.0 * MB, 1);
        ck_assert_double_eq_tol(rate_by(f, 8).likely, 800.0 * MB, 1);
    }
END_TEST

/* A history is a file that anybody may have written. */
START_TEST(absurd_counts_and_rates_make_a_plan_all_the_same)
    {
        static const uint64_t figures[] = { 0, 1, 2, 255, 256, UINT64_MAX - 1, NOT_KNOWN };

        for (size_t i = 0; i < TEST_ROWS(figures); i++)
            for (size_t k = 0; k < TEST_ROWS(figures); k++) {
                OWNED(facts) f = fast();
                struct plan_limits limits = sample_limits();

                add_several(f, figures[i], figures[k]);
                f->channels[1].forwards = figures[i];
                f->channels[1].data_uri = k % 2 ? "unix:///run/ram" : f->channels[1].data_uri;
                f->source.cpus_idle_milli = figures[k];
                for (limits.connections = 0; limits.connections < 6; limits.connections += 2) {
                    OWNED(plan) p = plan_with(f, limits);

                    for (size_t s = 0; s < p->n; s++) {
                        ck_assert_uint_le(p->list[s].time_ms.low, p->list[s].time_ms.likely);
                        ck_assert_uint_le(p->list[s].time_ms.likely, p->list[s].time_ms.high);
                    }
                }
            }
    }
END_TEST

/* A disk that is copied has one connection, whatever memory has. */
START_TEST(disks_are_copied_as_fast_as_by_one)
    {
        OWNED(facts) f = fast();
        struct dirty_window quiet = { 1000, 0, MiB(1), MiB(2) };

        f->domain.dirty = &quiet;
        f->domain.n_dirty = 1;
        OWNED(plan) without = plan_of(f);
        const struct strategy *one = plan_strategy(without, "precopy-tls-gated");
        const struct strategy *five = plan_strategy(without, "precopy-tls-gated-x5");
        uint64_t one_ms, five_ms;

        ck_assert(one && five);
        one_ms = one->time_ms.likely;
        five_ms = five->time_ms.likely;
        sample_local(facts_disk(f, "vda"))->at_source.allocated_bytes = GiB(4);
        f->domain.disks[0].at_source.capacity_bytes = GiB(8);
        OWNED(plan) with = plan_of(f);
        one = plan_strategy(with, "precopy-tls-gated-copy");
        five = plan_strategy(with, "precopy-tls-gated-copy-x5");
        ck_assert(one && five);
        ck_assert_double_eq_tol((double)one->time_ms.likely - (double)one_ms,
                                (double)five->time_ms.likely - (double)five_ms, 2);
    }
END_TEST

TEST_MAIN("plan/cost-rate",
          LOOP(several_are_worth_a_candidate_where_a_thread_is_the_limit_and_processors_are_idle,
               TEST_ROWS(cases)),
          a_link_that_was_measured_to_be_fast_is_worth_several_at_the_first_move,
          each_connection_adds_less_than_one_and_the_link_is_the_end,
          a_connection_without_a_processor_adds_nothing, one_ssh_for_all_of_them_makes_it_slower,
          an_ssh_for_each_of_them_is_worth_it_where_processors_are_idle,
          what_moves_by_so_many_showed_is_believed_and_says_nothing_of_one,
          without_a_move_by_one_several_say_what_they_showed_and_no_more,
          absurd_counts_and_rates_make_a_plan_all_the_same, disks_are_copied_as_fast_as_by_one)
