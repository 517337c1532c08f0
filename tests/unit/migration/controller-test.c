/* SPDX-License-Identifier: Apache-2.0
 * The decision for post-copy, on jobs as a host would report them and on such as none should. */
#include "check-main.h"
#include "facts/model.h"
#include "migration/controller.h"
#include <math.h>

#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

/* A guest of memory_mib that rewrites a working set at a rate, on a channel of 117 MiB/s, looked at every
 * 50 ms; what the controller says at the first boundary, or in the end. */
static enum control first_word(unsigned memory_mib, double set_mib, double mib_per_s)
{
    struct controller c = { .memory_bytes = MiB(memory_mib), .downtime_ms = 300 };
    double left = memory_mib, sent = 0, dirty = 0;
    uint64_t pass = 1;

    for (unsigned step = 0; step < 1200; step++) {
        const double t = step * 0.05;
        const struct job_sample s = { (uint64_t)(t * 1000), pass, (uint64_t)(1048576 * sent),
                                      (uint64_t)(1048576 * left), 0 };
        const enum control word = controller_see(&c, &s);

        if (word != CONTROL_WAIT)
            return word;
        sent += 117 * 0.05;
        left -= 117 * 0.05;
        dirty = dirty + mib_per_s * 0.05 < set_mib ? dirty + mib_per_s * 0.05 : set_mib;
        if (left <= 117 * 0.3) { /* QEMU looks again what was dirtied */
            left += dirty;
            dirty = 0;
            if (left <= 117 * 0.3)
                break;
            pass++;
        }
    }
    return CONTROL_WAIT;
}

START_TEST(an_idle_guest_ends_in_its_first_pass_without_a_decision)
    {
        ck_assert_int_eq(first_word(93, 1, 1), CONTROL_WAIT);
    }
END_TEST

START_TEST(sixty_in_sixty_four_stays_and_two_hundred_in_all_of_it_switches_at_the_first_boundary)
    {
        ck_assert_int_eq(first_word(155, 64, 60), CONTROL_STAY);
        ck_assert_int_eq(first_word(256, 256, 200), CONTROL_POSTCOPY);
        ck_assert_int_eq(first_word(256, 256, 1000), CONTROL_POSTCOPY);
    }
END_TEST

/* The same job in steps of 5 ms, looked at every look_ms from phase_ms on: what it had sent when it was told
 * to switch, in MiB; negative where it never is. */
static double sent_at_switch(double memory_mib, double set_mib, double mib_per_s, unsigned look_ms,
                             unsigned phase_ms)
{
    struct controller c = { .memory_bytes = GiB(1), .downtime_ms = 300 };
    double left = memory_mib, sent = 0, dirty = 0;
    uint64_t pass = 1;

    for (unsigned ms = 0; ms < 60000; ms += 5) {
        const struct job_sample s = { ms, pass, (uint64_t)(1048576 * sent), (uint64_t)(1048576 * left), 0 };

        if (ms % look_ms == phase_ms % look_ms && controller_see(&c, &s) == CONTROL_POSTCOPY)
            return sent;
        sent += 117 * 0.005;
        left -= 117 * 0.005;
        dirty = fmin(dirty + mib_per_s * 0.005, set_mib);
        if (left <= 117 * 0.3) {
            left += dirty;
            dirty = 0;
            if (left <= 117 * 0.3)
                return -1;
            pass++;
        }
    }
    ck_abort_msg("this job does not end");
    return -1;
}

static bool ever_switches(double memory_mib, double set_mib, double mib_per_s, unsigned look_ms,
                          unsigned phase_ms)
{
    return sent_at_switch(memory_mib, set_mib, mib_per_s, look_ms, phase_ms) >= 0;
}

/* On a machine that is busy a look takes its time. */
START_TEST(late_looks_change_nothing)
    {
        for (unsigned look_ms = 40; look_ms <= 400; look_ms += 40)
            for (unsigned phase_ms = 0; phase_ms < look_ms; phase_ms += 5) {
                ck_assert_msg(!ever_switches(155, 64, 60, look_ms, phase_ms), "60 in 64: every %u ms from %u",
                              look_ms, phase_ms);
                ck_assert_msg(ever_switches(256, 256, 200, look_ms, phase_ms),
                              "200 in 256: every %u ms from %u", look_ms, phase_ms);
            }
    }
END_TEST

static struct passes_armed foreseen(double memory_mib, double set_mib, double mib_per_s, double share)
{
    struct dirty_model w = { .cap = 1e18 };

    dirty_learn(&w, set_mib / mib_per_s, set_mib * 1048576);
    dirty_learn(&w, 60, set_mib * 1048576);
    return passes_armed(&w, share, &(struct passes_job){ memory_mib * 1048576, 0, 117.0 * 1048576, 0.3 });
}

/* The planner prices what the controller will do: the same way, and switched after as many bytes. Near the
 * border, where a little more or less turns it, either may be. */
START_TEST(the_planner_foresees_which_way_it_goes_and_when)
    {
        static const double sets[] = { 32, 64, 96, 128, 155 };
        unsigned compared = 0, went_on_for_a_pass = 0;

        for (size_t i = 0; i < TEST_ROWS(sets); i++)
            for (unsigned tens = 1; tens <= 40; tens++) {
                const double rate = 10.0 * tens;
                const struct passes_armed plan = foreseen(155, sets[i], rate, 1);
                const double sent = sent_at_switch(155, sets[i], rate, 40, 0);
                const double first = 155 - 117 * 0.3, again = plan.again / 1048576;

                if (plan.stays != foreseen(155, sets[i], rate, 0.9).stays ||
                    plan.stays != foreseen(155, sets[i], rate, 1.1).stays)
                    continue;
                compared++;
                went_on_for_a_pass += !plan.stays && again > 1;
                ck_assert_msg(plan.stays == (sent < 0), "%g in %g", rate, sets[i]);
                ck_assert_msg(plan.stays || fabs(sent - first - again) < 12,
                              "%g in %g: at %g, foreseen at %g", rate, sets[i], sent, first + again);
            }
        ck_assert_uint_gt(compared, 150);
        ck_assert_uint_gt(went_on_for_a_pass, 10);
    }
END_TEST

/* Looks in no order, as of a host under load: the time between two of them is drawn anew each time. */
START_TEST(looks_at_odd_times_change_nothing)
    {
        unsigned drawn = 1, switched = 0;

        for (unsigned run = 0; run < 400; run++) {
            struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
            double left = 230, sent = 0, dirty = 0;
            uint64_t pass = 1;
            bool is_over = false;

            for (unsigned ms = 0, next = 0; !is_over; ms += 5) {
                const struct job_sample s = { ms, pass, (uint64_t)(1048576 * sent),
                                              (uint64_t)(1048576 * left), 0 };

                if (ms >= next) {
                    drawn = drawn * 1103515245u + 12345u;
                    next = ms + 40 + drawn / 65536u % 120u;
                    is_over = controller_see(&c, &s) == CONTROL_POSTCOPY;
                    switched += is_over;
                }
                sent += 117 * 0.005;
                left -= 117 * 0.005;
                dirty = fmin(dirty + 60 * 0.005, 64);
                if (left <= 117 * 0.3) {
                    left += dirty;
                    dirty = 0;
                    is_over |= left <= 117 * 0.3;
                    pass++;
                }
            }
        }
        ck_assert_uint_eq(switched, 0);
    }
END_TEST

/* What QEMU 7.2 told of a guest that writes 60 MiB/s to 64 MiB, at 1 Gbit/s: the pages of zeroes at the end
 * of its first pass went by between two looks, and its second pass lasted longer than it had to. */
static const struct job_sample told[] = {
    { 508, 1, 13743868, 238944256, NOT_KNOWN },  { 677, 1, 33309424, 218615808, NOT_KNOWN },
    { 841, 1, 47110868, 201261056, NOT_KNOWN },  { 1006, 1, 67394668, 170881024, NOT_KNOWN },
    { 1170, 1, 86974876, 151339008, NOT_KNOWN }, { 1334, 1, 105898444, 132452352, NOT_KNOWN },
    { 1499, 2, 126307754, 63000576, NOT_KNOWN }, { 1664, 2, 145974371, 43270144, NOT_KNOWN },
    { 1829, 3, 165685907, 44711936, NOT_KNOWN },
};

START_TEST(a_short_second_pass_is_not_taken_for_a_busy_guest)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        unsigned boundaries = 0;

        for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
            const enum control word = controller_see(&c, &told[i]);

            ck_assert_int_ne(word, CONTROL_POSTCOPY);
            boundaries += word == CONTROL_STAY;
        }
        ck_assert_uint_eq(boundaries, 2);
        /* It wrote about 20 MiB in what was a third of a second. */
        ck_assert_double_lt(dirty_in(&c.w, 1) / (1 << 20), 90);
    }
END_TEST

/* A guest of 60 MiB/s in 64 MiB whose first pass ends in zeroes that go by between two looks, at times that
 * are drawn anew for each run: how many of 400 runs switch, and the most that a first boundary erred by. */
static unsigned switches_behind_zeroes(bool are_told, double *ret_erred_mib)
{
    unsigned drawn = 1, switched = 0;

    *ret_erred_mib = 0;
    for (unsigned run = 0; run < 400; run++) {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        double left = 225, sent = 0, dirty = 0, zero = 16, found = 0;
        uint64_t pass = 1;
        bool is_over = false, is_judged = false;

        for (unsigned ms = 0, next = 0; !is_over; ms += 5) {
            const struct job_sample s = { ms, pass, (uint64_t)(1048576 * sent), (uint64_t)(1048576 * left),
                                          are_told ? (uint64_t)(1048576 * zero) : NOT_KNOWN };

            if (ms >= next) {
                drawn = drawn * 1103515245u + 12345u;
                next = ms + 40 + drawn / 65536u % 120u;
                is_over = controller_see(&c, &s) == CONTROL_POSTCOPY;
                switched += is_over;
                if (pass == 2 && !is_judged)
                    *ret_erred_mib = fmax(*ret_erred_mib, fabs((double)c.dirtied_bytes / (1 << 20) - found));
                is_judged |= pass == 2;
            }
            sent += 117 * 0.005;
            left -= 117 * 0.005;
            dirty = fmin(dirty + 60 * 0.005, 64);
            if (pass == 1 && left <= 120 && left > 60) {
                left -= 108;
                zero += 108;
            }
            if (ms % 50 == 0 && left <= 117 * 0.3) { /* QEMU thinks of it every 50 ms */
                found = dirty;
                left += dirty;
                dirty = 0;
                is_over |= left <= 117 * 0.3;
                pass++;
            }
            left = fmax(left, 0);
        }
    }
    return switched;
}

START_TEST(zeroes_that_go_by_between_two_looks_change_nothing)
    {
        double told_mib, untold_mib;

        ck_assert_uint_eq(switches_behind_zeroes(true, &told_mib), 0);
        ck_assert_double_lt(told_mib, 1);
        /* Where they are not told the first boundary finds less than there was. */
        (void)switches_behind_zeroes(false, &untold_mib);
        ck_assert_double_gt(untold_mib, 10);
    }
END_TEST

/* The same guest by SSH, three times: zeroes at the end of the first pass left far less than the allowed
 * downtime would have let it leave, so that half of what was dirtied had not to be sent in the second. */
static const struct job_sample by_ssh[][12] = {
    { { 494, 1, 7698668, 244977664, 16601088 },
      { 658, 1, 23593502, 229105664, 16609280 },
      { 826, 1, 43043218, 205590528, 20721664 },
      { 992, 1, 63590251, 174682112, 31145984 },
      { 1159, 1, 84221083, 154091520, 31145984 },
      { 1326, 1, 103669963, 134680576, 31145984 },
      { 1492, 2, 122534662, 69132288, 144437248 } },
    { { 513, 1, 2970860, 249696256, 16601088 },
      { 683, 1, 19653662, 233037824, 16609280 },
      { 854, 1, 38868785, 210055168, 20422656 },
      { 1019, 1, 57678152, 185368576, 26349568 },
      { 1184, 1, 77519243, 160780288, 31145984 },
      { 1358, 1, 97493435, 140845056, 31145984 },
      { 1524, 2, 117576769, 74149888, 144318464 } },
    { { 505, 1, 2441436, 250224640, 16601088 },
      { 669, 1, 8884732, 243793920, 16601088 },
      { 838, 1, 29246464, 222670848, 17403904 },
      { 1008, 1, 46852333, 201515008, 20996096 },
      { 1176, 1, 67842013, 170430464, 31154176 },
      { 1344, 1, 86974893, 151334912, 31154176 },
      { 1509, 1, 105763021, 132583424, 31154176 },
      { 1676, 2, 121085976, 70647808, 144445440 } },
};

START_TEST(what_may_be_left_is_not_counted_as_to_be_sent)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        enum control word = CONTROL_WAIT;

        for (size_t i = 0; by_ssh[_i][i].at_ms; i++)
            word = controller_see(&c, &by_ssh[_i][i]);
        ck_assert_int_eq(word, CONTROL_STAY);
        /* It wrote all of its 64 MiB again. */
        ck_assert_double_gt((double)c.dirtied_bytes / (1 << 20), 62);
    }
END_TEST

/* At each boundary 2 MiB more than what fits are left, which a moment would send. Seen in nine passes, of
 * 150 MiB/s in 64 MiB at 1 Gbit/s. */
START_TEST(a_guest_that_seems_to_end_soon_again_and_again_is_not_let_go_on_for_ever)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        struct job_sample s = { 0, 1, 0, MiB(155), 0 };
        const double fits = 117 * 0.3, first = fits + 30;

        (void)controller_see(&c, &s);
        s = (struct job_sample){ 1000, 1, MiB(117), MiB(38), 0 };
        (void)controller_see(&c, &s);
        s = (struct job_sample){ 1050, 2, MiB(123), (uint64_t)(1048576 * first), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_STAY);
        for (s.pass = 3;; s.pass++) {
            s.at_ms += 50;
            s.sent_bytes += MiB(6);
            s.remaining_bytes = (uint64_t)(1048576 * (fits + 2));
            if (controller_see(&c, &s) == CONTROL_POSTCOPY)
                break;
            ck_assert_uint_lt(s.at_ms, 10000);
        }
        /* A second at least, which is more than twice what post-copy had brought, and a moment's more. */
        ck_assert_uint_gt(s.at_ms, 2050);
        ck_assert_double_lt((double)s.sent_bytes / (1 << 20),
                            123 + 120 * (PASSES_SOON_S + PASSES_MOMENT_S) + 6);
    }
END_TEST

START_TEST(nothing_is_decided_within_a_pass_or_from_figures_that_are_not_known)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        struct job_sample s = { 0, 1, MiB(1), MiB(200), 0 };

        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 1000, 1, MiB(100), MiB(150), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 2000, NOT_KNOWN, MiB(200), MiB(200), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 2000, 2, MiB(200), NOT_KNOWN, 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 2000, 0, MiB(200), MiB(200), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 2000, 2, MiB(200), MiB(200), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_POSTCOPY);
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
    }
END_TEST

/* The first pass left half, the second left all of that again: the slope was not what it seemed. */
START_TEST(each_boundary_refits_the_model)
    {
        struct controller c = { .memory_bytes = GiB(4), .downtime_ms = 100 };
        struct job_sample s = { 0, 1, 0, GiB(4), 0 };

        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 39900, 1, MiB(3990), MiB(10), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 40000, 2, MiB(4000), MiB(1200), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_STAY);
        s = (struct job_sample){ 51900, 2, MiB(5190), MiB(10), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 52000, 3, MiB(5200), MiB(1150), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_POSTCOPY);
    }
END_TEST

START_TEST(a_job_that_was_looked_at_late_counts_what_it_had_sent_before)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        struct job_sample s = { 5000, 1, MiB(90), MiB(10), 0 };

        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        /* 10 MiB in 0.1 s, so that the first pass took a second; 40 of 100 were dirtied again. */
        s = (struct job_sample){ 5100, 2, MiB(100), MiB(40), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_STAY);
    }
END_TEST

START_TEST(counters_that_run_backwards_begin_anew)
    {
        struct controller c = { .memory_bytes = MiB(256), .downtime_ms = 300 };
        struct job_sample s = { 0, 3, MiB(900), MiB(200), 0 };

        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 1000, 1, MiB(10), MiB(200), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_WAIT);
        s = (struct job_sample){ 2000, 2, MiB(127), MiB(120), 0 };
        ck_assert_int_eq(controller_see(&c, &s), CONTROL_POSTCOPY);
    }
END_TEST

TEST_MAIN("migration/controller", an_idle_guest_ends_in_its_first_pass_without_a_decision,
          sixty_in_sixty_four_stays_and_two_hundred_in_all_of_it_switches_at_the_first_boundary,
          late_looks_change_nothing, the_planner_foresees_which_way_it_goes_and_when,
          looks_at_odd_times_change_nothing, a_short_second_pass_is_not_taken_for_a_busy_guest,
          zeroes_that_go_by_between_two_looks_change_nothing,
          LOOP(what_may_be_left_is_not_counted_as_to_be_sent, TEST_ROWS(by_ssh)),
          a_guest_that_seems_to_end_soon_again_and_again_is_not_let_go_on_for_ever,
          nothing_is_decided_within_a_pass_or_from_figures_that_are_not_known, each_boundary_refits_the_model,
          a_job_that_was_looked_at_late_counts_what_it_had_sent_before,
          counters_that_run_backwards_begin_anew)
