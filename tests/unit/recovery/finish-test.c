/* SPDX-License-Identifier: Apache-2.0
 * What a held move's guest stood still, and what copied disks sent, from what libvirt counted and we saw. */
#include "check-main.h"
#include "recovery/settle.h"
#include "run/move.h"
#include "state/journal-world.h"
#include <signal.h>
#include <sys/resource.h>

static const struct {
    uint64_t began, resumed, elapsed, downtime;
    uint64_t is;
    bool is_least;
} stops[] = {
    /* The job began at 1000 and its source stopped 800 later; we resumed the guest at 4000. */
    { 1000, 4000, 1000, 200, 2200, false },
    { 1000, 2000, 1000, 200, 200, false },
    /* A figure below libvirt's own cannot be right, nor a stop behind the end. */
    { 1000, 1999, 1000, 200, 200, true },
    { 1000, 1700, 1000, 200, 200, true },
    { 1000, 4000, 100, 200, 200, true },
    { NOT_KNOWN, 4000, 1000, 200, 200, true },
    { 1000, NOT_KNOWN, 1000, 200, 200, true },
    { 1000, 4000, NOT_KNOWN, 200, 200, true },
    { 1000, 4000, 1000, NOT_KNOWN, NOT_KNOWN, false },
};

START_TEST(a_held_downtime_ends_with_the_resumption_or_is_said_to_be_longer)
    {
        const struct actual a = { .job_began_ms = stops[_i].began, .resumed_ms = stops[_i].resumed };
        bool is_least = !stops[_i].is_least;

        ck_assert_uint_eq(held_downtime_ms(&a, stops[_i].elapsed, stops[_i].downtime, &is_least),
                          stops[_i].is);
        ck_assert_int_eq(is_least, stops[_i].is_least);
    }
END_TEST

#define MiB(n) ((uint64_t)(n) << 20)

static const struct {
    uint64_t capacity, allocated, processed, total;
    uint64_t sent;
} mirrors[] = {
    { MiB(1024), MiB(100), MiB(1024), MiB(1024), MiB(100) }, /* holes are counted */
    { MiB(1024), MiB(100), MiB(1030), MiB(1030), MiB(106) }, /* and what was written meanwhile */
    { MiB(1024), MiB(100), MiB(923), MiB(1024), NOT_KNOWN },
    { MiB(1024), MiB(100), MiB(100), MiB(100), MiB(100) }, /* they are not */
    { MiB(1024), MiB(100), MiB(120), MiB(125), MiB(120) },
    { MiB(1024), MiB(100), MiB(120), MiB(126), NOT_KNOWN },
    { MiB(1024), MiB(1025), MiB(1024), MiB(1024), MiB(1024) }, /* full */
    { MiB(1024), NOT_KNOWN, MiB(1024), MiB(1024), NOT_KNOWN },
    { NOT_KNOWN, MiB(100), MiB(1024), MiB(1024), NOT_KNOWN },
    { MiB(1024), MiB(100), NOT_KNOWN, NOT_KNOWN, NOT_KNOWN },
};

START_TEST(holes_of_a_copied_disk_are_not_counted_as_sent)
    {
        OWNED(facts) f = facts_new();
        const enum treatment disks[] = { TREAT_COPY, TREAT_SHARED };
        const struct strategy s = { .disks = (enum treatment *)(uintptr_t)disks };
        const struct actual a = { .disk_bytes = mirrors[_i].processed,
                                  .disk_total_bytes = mirrors[_i].total };
        struct disk *copied = facts_add_disk(f), *shared;

        ck_assert_ptr_nonnull(copied);
        copied->at_source.capacity_bytes = mirrors[_i].capacity;
        copied->at_source.allocated_bytes = mirrors[_i].allocated;
        shared = facts_add_disk(f);
        ck_assert_ptr_nonnull(shared);
        shared->at_source.capacity_bytes = shared->at_source.allocated_bytes = NOT_KNOWN;
        ck_assert_uint_eq(disk_sent_bytes(f, &s, &a), mirrors[_i].sent);
    }
END_TEST

/* What a job that copies overlays counts was sent, whatever the sizes say. */
START_TEST(of_overlays_all_that_the_job_counts_was_sent)
    {
        OWNED(facts) f = facts_new();
        const enum treatment disks[] = { TREAT_COPY, _i ? TREAT_OVERLAY : TREAT_CHAIN };
        const struct strategy s = { .disks = (enum treatment *)(uintptr_t)disks };
        const struct actual a = { .disk_bytes = MiB(3), .disk_total_bytes = MiB(3) };

        for (int i = 0; i < 2; i++) {
            struct disk *d = facts_add_disk(f);

            ck_assert_ptr_nonnull(d);
            d->at_source.capacity_bytes = MiB(64);
            d->at_source.allocated_bytes = MiB(1);
        }
        ck_assert_uint_eq(disk_sent_bytes(f, &s, &a), MiB(3));
    }
END_TEST

START_TEST(a_guest_that_moved_is_said_to_have_though_the_journal_cannot_be_written)
    {
        const struct rlimit nothing = { 0, RLIM_INFINITY };
        struct run_options o = { 0 };
        struct run_result result = { 0 };
        struct move m = { .o = &o, .result = &result, .name = "web", .run = RUN };
        struct error err = { 0 };
        struct rlimit before;

        world();
        (void)snprintf(m.survey.source_host, sizeof m.survey.source_host, "hostA");
        (void)snprintf(m.survey.dest_host, sizeof m.survey.dest_host, "hostB");
        m.journal = journal_create(dir, RUN, &err);
        ck_assert_msg(m.journal != NULL, "%s", err.what);
        ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &nothing), 0);
        ck_assert_int_eq(finish_forward(&m, &err), -ERROR_PROBLEMS);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_int_eq(result.outcome, OUTCOME_MOVED);
        ck_assert_ptr_nonnull(strstr(text_of(&result.problems), "removed from 'hostA'"));
        ck_assert_ptr_nonnull(strstr(text_of(&result.problems), "never start it there"));
        ck_assert_ptr_nonnull(strstr(text_of(&result.problems), "virt-ferry recover " RUN));
        text_done(&result.problems);
        journal_free(m.journal);
        world_ends();
    }
END_TEST

TEST_MAIN("recovery/finish", a_guest_that_moved_is_said_to_have_though_the_journal_cannot_be_written,

          LOOP(a_held_downtime_ends_with_the_resumption_or_is_said_to_be_longer, TEST_ROWS(stops)),
          LOOP(holes_of_a_copied_disk_are_not_counted_as_sent, TEST_ROWS(mirrors)),
          LOOP(of_overlays_all_that_the_job_counts_was_sent, 2))
