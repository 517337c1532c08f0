/* SPDX-License-Identifier: Apache-2.0
 * Prices of guests whose dirty rate and memory were looked at first. */
#include "plan/sample.h"

/* Seen: 60 MiB/s in 64 MiB ends in pre-copy, 200 MiB/s in 256 MiB never does. */
START_TEST(a_measured_guest_is_priced_by_what_it_writes)
    {
        OWNED(facts) quiet = sample();
        OWNED(facts) busy = sample();

        quiet->channels[0].can_postcopy = busy->channels[0].can_postcopy = true;
        busy->domain.memory_rss_bytes = MiB(300);
        sample_dirty(quiet, 1000, MiB(30));
        sample_dirty(quiet, 2000, MiB(36));
        sample_dirty(busy, 1000, MiB(200));
        sample_dirty(busy, 2000, MiB(256));
        OWNED(plan) p = plan_of(quiet);
        OWNED(plan) q = plan_of(busy);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-gated");
        ck_assert_uint_le(plan_chosen(p)->time_ms.high - plan_chosen(p)->time_ms.low,
                          3 * plan_chosen(p)->time_ms.low);
        ck_assert_str_eq(plan_chosen(q)->id, "postcopy-tcp-gated");
        ck_assert_uint_gt(plan_chosen(q)->exposure_ms.low, 0);
        ck_assert_ptr_nonnull(plan_refuses(q, plan_strategy(q, "precopy-tcp-gated")));
        ck_assert_str_eq(plan_refuses(q, plan_strategy(q, "precopy-tcp-gated"))->id, "never-ends");
        /* Standing still is quicker, and behind all others: nobody allowed so long a downtime. */
        ck_assert_str_eq(q->list[q->n_valid - 1].id, "paused-tcp-gated");
    }
END_TEST

static void learn_content(struct facts *f, uint64_t end, uint64_t bytes)
{
    struct memory_end *e = arena_grown(f->arena, f->domain.content, f->domain.n_content, sizeof *e);

    ck_assert_ptr_nonnull(e);
    e[f->domain.n_content++] = (struct memory_end){ end, bytes * 9 / 10, bytes, bytes * 11 / 10 };
    f->domain.content = e;
}

/* Guest, link and what is seen of both, as on a first move between two hosts: nothing else is known. */
static struct facts *looked_at(const uint64_t dirty[3], uint64_t link)
{
    struct facts *f = sample();

    f->channels[0].can_postcopy = true;
    f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 1250000000; /* what a virtual link says */
    f->channels[0].measured_bytes_per_s = link;
    learn_content(f, MiB(8), MiB(7));
    learn_content(f, MiB(32), MiB(12));
    learn_content(f, MiB(256), MiB(110));
    sample_dirty(f, 1000, dirty[0]);
    sample_dirty(f, 2000, dirty[1]);
    sample_dirty(f, 6000, dirty[2]);
    return f;
}

static bool is_narrow(const struct estimate *e)
{
    return e->high <= 3 * e->low;
}

static const struct {
    uint64_t dirty[3], link;
    bool knows_downtime;
} first_moves[] = {
    { { 0, 0, 0 }, 117000000, true },
    { { 0, 0, 0 }, 23000000, true },
    { { MiB(20), MiB(40), MiB(64) }, 117000000, true },
    { { MiB(20), MiB(40), MiB(64) }, 23000000, false }, /* it goes over in post-copy */
    { { MiB(60), MiB(64), MiB(64) }, 117000000, false },
    { { MiB(64), MiB(64), MiB(64) }, 23000000, false },
};
static const uint64_t idle[3];

START_TEST(what_was_looked_at_narrows_the_first_move_to_three_times)
    {
        OWNED(facts) f = looked_at(first_moves[_i].dirty, first_moves[_i].link);
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_chosen(p);

        ck_assert_msg(is_narrow(&s->time_ms), "%llu - %llu ms", (unsigned long long)s->time_ms.low,
                      (unsigned long long)s->time_ms.high);
        ck_assert_msg(is_narrow(&s->bytes), "%llu - %llu bytes", (unsigned long long)s->bytes.low,
                      (unsigned long long)s->bytes.high);
        ck_assert_msg(is_narrow(&s->downtime_ms) || !first_moves[_i].knows_downtime, "%llu - %llu ms",
                      (unsigned long long)s->downtime_ms.low, (unsigned long long)s->downtime_ms.high);
        f->domain.n_content = 0;
        f->channels[0].measured_bytes_per_s = NOT_KNOWN;
        OWNED(plan) q = plan_of(f);
        ck_assert(!is_narrow(&plan_strategy(q, s->id)->time_ms));
    }
END_TEST

/* Near the border the quiet guest goes on in pre-copy, and may send more than the busy one that does not; and
 * what it does is in doubt there: it may go to post-copy too. */
START_TEST(near_the_border_an_interval_has_both_ways_and_is_no_point)
    {
        const uint64_t rate = MiB(12) + MiB(1) * (uint64_t)_i;
        const uint64_t dirty[3] = { rate, 2 * rate, MiB(64) };
        OWNED(facts) f = looked_at(dirty, 23000000);
        OWNED(plan) p = plan_of(f);
        const struct strategy *s = plan_strategy(p, "postcopy-tcp-gated");
        const bool is_likely_to_switch = s->time_ms.likely == s->switches.time_ms.likely;

        ck_assert_msg(s->bytes.high > s->bytes.low + s->bytes.low / 50, "%llu - %llu bytes",
                      (unsigned long long)s->bytes.low, (unsigned long long)s->bytes.high);
        ck_assert_uint_gt(s->time_ms.high, s->time_ms.low + s->time_ms.low / 50);
        ck_assert(!is_likely_to_switch || s->time_ms.low <= s->switches.time_ms.low);
    }
END_TEST

/* The quiet guest may be let go on because the job shows less of it, where it would not end as it was
 * measured; whichever way is taken, it is over some time. */
START_TEST(armed_for_post_copy_every_guest_is_over_soon)
    {
        const uint64_t set = MiB(10) * (uint64_t)(_i + 1), dirty[3] = { set, set, set };

        for (uint64_t ms = 50; ms < 500; ms += 5) {
            OWNED(facts) f = looked_at(dirty, 117000000);

            f->domain.dirty[0].window_ms = ms;
            OWNED(plan) p = plan_of(f);
            ck_assert_uint_lt(plan_strategy(p, "postcopy-tcp-gated")->time_ms.high, 6000);
        }
    }
END_TEST

START_TEST(the_end_of_the_memory_says_how_long_an_idle_guest_stands_still)
    {
        OWNED(facts) full = looked_at(idle, 23000000);
        OWNED(facts) empty = looked_at(idle, 23000000);

        empty->domain.content[0].bytes = empty->domain.content[0].low_bytes =
            empty->domain.content[0].high_bytes = 0;
        OWNED(plan) p = plan_of(full);
        OWNED(plan) q = plan_of(empty);
        ck_assert_uint_gt(plan_strategy(p, "precopy-tcp-gated")->downtime_ms.likely, 250);
        ck_assert_uint_lt(plan_strategy(q, "precopy-tcp-gated")->downtime_ms.high, 150);
    }
END_TEST

static uint64_t width(const struct plan *p)
{
    const struct estimate *ms = &plan_strategy(p, "precopy-tcp-gated")->time_ms;

    return ms->high - ms->low;
}

START_TEST(a_rate_that_was_measured_is_believed_before_a_history_that_it_contradicts)
    {
        OWNED(facts) f = looked_at(idle, 23000000);
        OWNED(plan) without = plan_of(f);
        uint64_t alone;

        alone = width(without);
        f->channels[0].history.samples = 3;
        f->channels[0].history.bytes_per_s = 117000000; /* before somebody shaped it */
        f->channels[0].history.bytes_per_s_spread = 10000000;
        OWNED(plan) against = plan_of(f);
        ck_assert_uint_eq(width(against), alone);
        f->channels[0].history.bytes_per_s = 22000000;
        f->channels[0].history.bytes_per_s_spread = 1000000;
        OWNED(plan) with = plan_of(f);
        ck_assert_uint_lt(width(with), alone);
    }
END_TEST

TEST_MAIN("plan/cost-measured", a_measured_guest_is_priced_by_what_it_writes,
          LOOP(what_was_looked_at_narrows_the_first_move_to_three_times, TEST_ROWS(first_moves)),
          LOOP(near_the_border_an_interval_has_both_ways_and_is_no_point, 16),
          LOOP(armed_for_post_copy_every_guest_is_over_soon, 6),
          the_end_of_the_memory_says_how_long_an_idle_guest_stands_still,
          a_rate_that_was_measured_is_believed_before_a_history_that_it_contradicts)
