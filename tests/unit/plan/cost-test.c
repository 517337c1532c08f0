/* SPDX-License-Identifier: Apache-2.0
 * Prices against what was seen on real hosts, and against figures that no host could have. */
#include "plan/sample.h"

static void ck_ordered(const struct estimate *e)
{
    ck_assert_uint_le(e->low, e->likely);
    ck_assert_uint_le(e->likely, e->high);
}

static void ck_priced(const struct plan *p)
{
    ck_assert_uint_gt(p->n, 0);
    for (size_t i = 0; i < p->n; i++) {
        ck_ordered(&p->list[i].time_ms);
        ck_ordered(&p->list[i].downtime_ms);
        ck_ordered(&p->list[i].bytes);
        ck_assert_uint_gt(p->list[i].time_ms.high, 0);
    }
}

/* Seen: 1.45 s, 93 MiB, downtime 80-160 ms. */
START_TEST(an_idle_guest_costs_about_what_it_did_in_the_laboratory)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "precopy-tcp-gated");

        ck_assert_uint_ge(s->time_ms.likely, 1200);
        ck_assert_uint_le(s->time_ms.likely, 1800);
        ck_assert_uint_le(s->time_ms.low, 1450);
        ck_assert_uint_ge(s->time_ms.high, 1450);
        ck_assert_uint_ge(s->bytes.likely, MiB(80));
        ck_assert_uint_le(s->bytes.likely, MiB(110));
        ck_assert_uint_le(s->downtime_ms.low, 80);
        ck_assert_uint_ge(s->downtime_ms.high, 160);
        ck_assert_uint_eq(s->downtime_ms.likely, 120);
    }
END_TEST

/* Seen: 1 GiB qcow2 with 400 MiB, 1 Gbit/s: 5.26 s. */
START_TEST(a_copied_disk_costs_about_what_it_did_in_the_laboratory)
    {
        OWNED(facts) f = sample();

        (void)sample_local(facts_disk(f, "vda"));
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "precopy-tcp-gated-copy");

        ck_assert_uint_ge(s->time_ms.likely, 4500);
        ck_assert_uint_le(s->time_ms.likely, 6000);
        ck_assert_uint_ge(s->bytes.likely, MiB(480));
        ck_assert_uint_le(s->bytes.likely, MiB(520));
    }
END_TEST

/* Seen: 1.7-2.0 s more. */
START_TEST(held_adds_the_end_of_the_source_to_the_downtime_and_gated_adds_nothing)
    {
        OWNED(facts) f = sample();
        OWNED(plan) p = plan_of(f);
        const struct strategy *gated = plan_strategy(p, "precopy-tcp-gated");
        const struct strategy *held = plan_strategy(p, "precopy-tcp-held");

        ck_assert_uint_eq(held->downtime_ms.low, gated->downtime_ms.low + 1700);
        ck_assert_uint_eq(held->downtime_ms.likely, gated->downtime_ms.likely + 2000);
        ck_assert_uint_eq(held->downtime_ms.high, gated->downtime_ms.high + 2300);
        ck_assert_uint_eq(held->bytes.likely, gated->bytes.likely);
    }
END_TEST

START_TEST(a_paused_guest_has_no_downtime_and_sends_each_page_once)
    {
        OWNED(facts) f = sample();

        f->domain.run = RUN_PAUSED;
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "precopy-tcp-held");

        ck_assert_uint_eq(s->downtime_ms.high, 0);
        ck_assert_uint_le(s->bytes.high, MiB(160));
    }
END_TEST

START_TEST(the_allowed_downtime_bounds_the_predicted_one)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();

        f->domain.max_downtime_ms = 500;
        OWNED(plan) in_force = plan_of(f);
        ck_assert_uint_eq(in_force->max_downtime_ms, 500);
        ck_assert_uint_eq(plan_strategy(in_force, "precopy-tcp-gated")->downtime_ms.high, 600);

        limits.max_downtime_ms = 10;
        OWNED(plan) asked = plan_with(f, limits);
        const struct strategy *s = plan_strategy(asked, "precopy-tcp-gated");

        ck_assert_uint_eq(asked->max_downtime_ms, 10);
        ck_assert_uint_eq(s->downtime_ms.high, 110);
        ck_assert_uint_le(s->downtime_ms.likely, 110);

        limits.max_downtime_ms = NOT_KNOWN;
        f->domain.max_downtime_ms = NOT_KNOWN;
        OWNED(plan) neither = plan_with(f, limits);
        ck_assert_uint_eq(neither->max_downtime_ms, 300);
    }
END_TEST

static uint64_t width(const struct plan *p)
{
    const struct strategy *s = plan_strategy(p, "precopy-tcp-gated");

    return s->time_ms.high - s->time_ms.low;
}

START_TEST(a_history_narrows_the_interval_and_is_believed_before_the_link)
    {
        OWNED(facts) f = sample();
        OWNED(plan) without = plan_of(f);

        f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 1250000000; /* what a virtual link says */
        f->history = (struct constants){
            .bytes_per_s = 117500000, .setup_ms = 450, .finish_ms = 200, .downtime_ms = 90, .samples = 3
        };
        OWNED(plan) with = plan_of(f);
        ck_assert_uint_lt(width(with), width(without));
        ck_assert_uint_eq(plan_strategy(with, "precopy-tcp-gated")->downtime_ms.likely, 90);
    }
END_TEST

START_TEST(a_history_of_one_channel_prices_no_other)
    {
        OWNED(facts) f = sample();
        struct constants *own;
        uint64_t tcp, tls;

        (void)sample_channel(f, "tls", 2);
        OWNED(plan) before = plan_of(f);
        tcp = plan_strategy(before, "precopy-tcp-gated")->time_ms.likely;
        tls = plan_strategy(before, "precopy-tls-gated")->time_ms.likely;
        own = &f->channels[1].history;
        constants_init(own);
        own->bytes_per_s = 5000000;
        own->samples = 3;
        OWNED(plan) after = plan_of(f);
        ck_assert_uint_eq(plan_strategy(after, "precopy-tcp-gated")->time_ms.likely, tcp);
        ck_assert_uint_gt(plan_strategy(after, "precopy-tls-gated")->time_ms.likely, 3 * tls);
        /* Its own figure counts before the pair's, and the pair's where it has none. */
        f->history.bytes_per_s = 50000000;
        f->history.downtime_ms = 90;
        OWNED(plan) both = plan_of(f);
        ck_assert_uint_eq(plan_strategy(both, "precopy-tls-gated")->time_ms.likely,
                          plan_strategy(after, "precopy-tls-gated")->time_ms.likely);
        ck_assert_uint_eq(plan_strategy(both, "precopy-tls-gated")->downtime_ms.likely, 90);
        ck_assert_uint_gt(plan_strategy(both, "precopy-tcp-gated")->time_ms.likely, tcp);
        own->samples = NOT_KNOWN; /* never was a move */
        OWNED(plan) none = plan_of(f);
        ck_assert_uint_lt(plan_strategy(none, "precopy-tls-gated")->time_ms.likely,
                          plan_strategy(both, "precopy-tls-gated")->time_ms.likely);
    }
END_TEST

START_TEST(a_cap_on_the_bandwidth_is_never_exceeded_and_zero_is_none)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        OWNED(plan) free_of_it = plan_with(f, limits);

        limits.bandwidth_bytes_per_s = MiB(1);
        OWNED(plan) capped = plan_with(f, limits);
        const struct strategy *s = plan_strategy(capped, "precopy-tcp-gated");

        ck_assert_uint_ge(s->time_ms.low, s->bytes.low / MiB(1) * 1000);
        limits.bandwidth_bytes_per_s = 0;
        OWNED(plan) zero = plan_with(f, limits);
        ck_assert_uint_eq(zero->list[0].time_ms.likely, free_of_it->list[0].time_ms.likely);
    }
END_TEST

START_TEST(a_rate_that_nothing_migrates_at_is_priced_as_the_least_one)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();

        limits.bandwidth_bytes_per_s = 1;
        OWNED(plan) crawling = plan_with(f, limits);
        limits.bandwidth_bytes_per_s = 65536;
        OWNED(plan) least = plan_with(f, limits);
        ck_assert_uint_eq(plan_strategy(crawling, "paused-tcp-gated")->time_ms.high,
                          plan_strategy(least, "paused-tcp-gated")->time_ms.high);
        limits.bandwidth_bytes_per_s = 65537;
        OWNED(plan) more = plan_with(f, limits);
        ck_assert_uint_lt(plan_strategy(more, "paused-tcp-gated")->time_ms.high,
                          plan_strategy(least, "paused-tcp-gated")->time_ms.high);
    }
END_TEST

START_TEST(what_is_not_known_makes_wide_intervals_and_no_crash)
    {
        OWNED(facts) f = facts_new();

        ck_assert_ptr_nonnull(f);
        (void)facts_add_channel(f);
        struct disk *d = facts_add_disk(f);
        d->target = "vda";
        d->type = DISK_FILE;
        d->sharing = SHARING_DENIED;
        d->driver = "x";
        OWNED(plan) p = plan_of(f);
        ck_priced(p);
        ck_assert_uint_gt(p->list[0].time_ms.high, 100 * p->list[0].time_ms.low);
    }
END_TEST

static const uint64_t extreme[] = { 0,          1,         4095,          MiB(1),   GiB(1),
                                    GiB(12288), INT64_MAX, NOT_KNOWN - 1, NOT_KNOWN };

/* Every extreme in turn in every figure that a price is made of. */
START_TEST(no_figure_makes_a_price_that_is_out_of_order)
    {
        const uint64_t x = extreme[_i];

        for (size_t k = 0; k < TEST_ROWS(extreme); k++) {
            const uint64_t y = extreme[k];
            OWNED(facts) f = sample();
            struct plan_limits limits = { .max_downtime_ms = y, .bandwidth_bytes_per_s = y };
            struct memory_end content = { x, y, x, y };
            struct dirty_window dirty = { y, x, y, x };

            f->domain.memory_bytes = x;
            f->domain.memory_now_bytes = y;
            f->domain.memory_rss_bytes = x;
            f->domain.max_downtime_ms = x;
            f->source.link_bytes_per_s = y;
            f->dest.link_bytes_per_s = x;
            f->channels[0].latency_us = x;
            f->channels[0].bytes_per_s = y;
            f->channels[0].measured_bytes_per_s = k % 2 ? x : NOT_KNOWN;
            f->domain.n_content = f->domain.n_dirty = k % 3 ? 1 : 0;
            f->domain.content = &content;
            f->domain.dirty = &dirty;
            facts_disk(f, "vda")->at_source.allocated_bytes = x;
            facts_disk(f, "vda")->at_source.capacity_bytes = y;
            f->history = (struct constants){ y, x, x, y, x, y, x, y, x, y, x };
            OWNED(plan) p = plan_with(f, limits);
            ck_assert_uint_gt(p->n, 0);
            ck_priced(p);
            f->history = (struct constants){ NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN,
                                             NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN };
            OWNED(plan) q = plan_with(f, limits);
            ck_priced(q);
        }
    }
END_TEST

/* What its history says of a slow pair must not make an idle guest look busy. */
START_TEST(an_idle_guest_is_not_taken_for_a_busy_one_on_a_slow_channel)
    {
        OWNED(facts) f = sample();

        f->channels[0].can_postcopy = true;
        f->history.bytes_per_s = 5000000u << _i;
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "postcopy-tcp-gated");

        ck_assert_ptr_eq(plan_chosen(p), _i < 7 ? s : plan_strategy(p, "precopy-tcp-gated"));
        ck_assert_uint_eq(s->exposure_ms.likely, 0);
        ck_assert_uint_lt(plan_strategy(p, "precopy-tcp-gated")->time_ms.likely, 2 * s->time_ms.likely);
        /* Where all of it fits into the allowed downtime even a busy one ends. */
        ck_assert_int_eq(plan_strategy(p, "precopy-tcp-gated")->may_not_end, _i < 7);
    }
END_TEST

START_TEST(what_the_user_rules_out_is_refused_and_the_next_best_is_taken)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();

        f->channels[0].can_postcopy = true;
        limits.no_postcopy = true;
        OWNED(plan) p = plan_with(f, limits);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-gated");
        ck_assert_str_eq(plan_refuses(p, plan_strategy(p, "postcopy-tcp-gated"))->id, "postcopy-not-wanted");
        ck_assert_ptr_null(plan_refuses(p, plan_strategy(p, "throttled-tcp-gated")));
        limits.no_throttle = true;
        OWNED(plan) q = plan_with(f, limits);
        ck_assert_str_eq(plan_refuses(q, plan_strategy(q, "throttled-tcp-gated"))->id, "throttle-not-wanted");
    }
END_TEST

/* Both sides of two borders of the user's. */
START_TEST(a_deadline_and_a_downtime_refuse_what_is_beyond_them)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        OWNED(plan) free_of_it = plan_of(f);
        const struct strategy *s = plan_strategy(free_of_it, "precopy-tcp-gated");

        limits.deadline_ms = s->time_ms.likely;
        OWNED(plan) at = plan_with(f, limits);
        ck_assert_ptr_null(plan_refuses(at, plan_strategy(at, s->id)));
        limits.deadline_ms--;
        OWNED(plan) below = plan_with(f, limits);
        ck_assert_str_eq(plan_refuses(below, plan_strategy(below, s->id))->id, "deadline-missed");

        limits = sample_limits();
        limits.max_downtime_ms = 30;
        OWNED(plan) allowed = plan_with(f, limits);
        ck_assert_ptr_null(plan_refuses(allowed, plan_strategy(allowed, s->id)));
        ck_assert_str_eq(plan_refuses(allowed, plan_strategy(allowed, "paused-tcp-gated"))->id,
                         "downtime-too-long");
        limits.max_downtime_ms = 29;
        OWNED(plan) short_of = plan_with(f, limits);
        ck_assert_str_eq(plan_refuses(short_of, plan_strategy(short_of, s->id))->id, "downtime-too-long");
    }
END_TEST

START_TEST(a_running_guest_is_not_stopped_for_all_of_a_move_that_nobody_asked_to_stop_it)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        struct error err = { 0 };

        f->domain.memory_rss_bytes = MiB(300);
        sample_dirty(f, 1000, MiB(200));
        sample_dirty(f, 2000, MiB(256));
        limits.no_postcopy = limits.no_throttle = true;
        OWNED(plan) p = plan_with(f, limits);
        ck_assert_uint_gt(p->n_valid, 0);
        ck_assert_str_eq(p->list[0].id, "paused-tcp-gated");
        ck_assert_ptr_null(plan_chosen(p));
        ck_assert_int_eq(plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.what, "stand still"));
        ck_assert_ptr_nonnull(strstr(err.fix, "--strategy paused-tcp-gated"));

        limits.max_downtime_ms = p->list[0].downtime_ms.high;
        OWNED(plan) allowed = plan_with(f, limits);
        ck_assert(plan_strategy(allowed, "paused-tcp-gated") < allowed->list + allowed->n_unasked);
        limits.max_downtime_ms--;
        OWNED(plan) nearly = plan_with(f, limits);
        ck_assert(plan_strategy(nearly, "paused-tcp-gated") >= nearly->list + nearly->n_unasked);
    }
END_TEST

START_TEST(a_domain_that_is_shut_off_moves_its_definition_and_what_has_to_be_copied)
    {
        OWNED(facts) f = sample();
        OWNED(facts) local = sample();

        f->domain.run = local->domain.run = RUN_SHUTOFF;
        (void)sample_local(facts_disk(local, "vda"));
        local->source.uri = "qemu:///system";
        OWNED(plan) p = plan_of(f);
        OWNED(plan) q = plan_of(local);
        ck_assert_str_eq(plan_chosen(p)->id, "offline-tcp-definition");
        ck_assert_uint_eq(plan_chosen(p)->bytes.high, 0);
        ck_assert_str_eq(plan_chosen(q)->id, "offline-tcp-definition-copy");
        ck_assert_uint_eq(plan_chosen(q)->bytes.likely, MiB(400));
    }
END_TEST

START_TEST(what_a_guest_sent_before_says_what_it_will_send)
    {
        OWNED(facts) f = sample();

        f->history.guest_bytes = 98000000;
        f->history.guest_bytes_spread = 9800000;
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "paused-tcp-gated");

        ck_assert_uint_eq(s->bytes.low, 88200000);
        ck_assert_uint_eq(s->bytes.likely, 98000000);
        ck_assert_uint_eq(s->bytes.high, 107800000);
        f->history.guest_bytes = GiB(4); /* it was larger then */
        OWNED(plan) q = plan_of(f);
        ck_assert_uint_le(plan_strategy(q, "paused-tcp-gated")->bytes.high, MiB(257));
    }
END_TEST

START_TEST(twelve_tebibytes_over_a_gigabit_take_more_than_a_day)
    {
        OWNED(facts) f = sample();

        f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = GiB(12288);
        f->dest.memory_free_bytes = GiB(16384);
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_gt(plan_chosen(p)->bytes.likely, GiB(7000));
        ck_assert_uint_gt(plan_chosen(p)->time_ms.likely, 57600000);
        ck_assert_uint_gt(plan_chosen(p)->time_ms.high, 86400000);
    }
END_TEST

/* Seen through SSH: 278 to 327 MiB/s, whatever the link gives. */
START_TEST(one_core_bounds_a_channel_that_encrypts_unless_there_is_a_history)
    {
        OWNED(facts) f = sample();
        const struct strategy *clear, *encrypted;

        (void)sample_channel(f, "tls", 2);
        f->channels[0].bytes_per_s = f->channels[1].bytes_per_s = UINT64_C(12500000000);
        f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = GiB(64);
        OWNED(plan) p = plan_of(f);
        clear = plan_strategy(p, "precopy-tcp-gated");
        encrypted = plan_strategy(p, "precopy-tls-gated");
        /* What one thread does at best: 1.5 GB/s with a cipher, 3 without. */
        ck_assert_uint_gt(encrypted->time_ms.low * 10, 19 * clear->time_ms.low);
        f->history.bytes_per_s = UINT64_C(5000000000);
        OWNED(plan) q = plan_of(f);
        ck_assert_uint_lt(plan_strategy(q, "precopy-tls-gated")->time_ms.low, encrypted->time_ms.low);
    }
END_TEST

TEST_MAIN("plan/cost", one_core_bounds_a_channel_that_encrypts_unless_there_is_a_history,
          an_idle_guest_costs_about_what_it_did_in_the_laboratory,
          a_copied_disk_costs_about_what_it_did_in_the_laboratory,
          held_adds_the_end_of_the_source_to_the_downtime_and_gated_adds_nothing,
          a_paused_guest_has_no_downtime_and_sends_each_page_once,
          the_allowed_downtime_bounds_the_predicted_one,
          a_history_narrows_the_interval_and_is_believed_before_the_link,
          a_history_of_one_channel_prices_no_other, a_cap_on_the_bandwidth_is_never_exceeded_and_zero_is_none,
          a_rate_that_nothing_migrates_at_is_priced_as_the_least_one,
          what_is_not_known_makes_wide_intervals_and_no_crash,
          LOOP(no_figure_makes_a_price_that_is_out_of_order, TEST_ROWS(extreme)),
          LOOP(an_idle_guest_is_not_taken_for_a_busy_one_on_a_slow_channel, 8),
          what_the_user_rules_out_is_refused_and_the_next_best_is_taken,
          a_deadline_and_a_downtime_refuse_what_is_beyond_them,
          a_running_guest_is_not_stopped_for_all_of_a_move_that_nobody_asked_to_stop_it,
          a_domain_that_is_shut_off_moves_its_definition_and_what_has_to_be_copied,
          what_a_guest_sent_before_says_what_it_will_send,
          twelve_tebibytes_over_a_gigabit_take_more_than_a_day)
