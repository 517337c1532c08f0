/* SPDX-License-Identifier: Apache-2.0
 * What is enumerated: treatments, alternatives, names, and which disks need libvirt's check lifted. */
#include "plan/sample.h"

static const struct {
    enum sharing sharing;
    bool driver_shares;
    enum tristate present;
    enum treatment natural;
} treatments[] = {
    { SHARING_PROVED, true, TRI_YES, TREAT_SHARED },
    { SHARING_PROVED, false, TRI_NOT_KNOWN, TREAT_SHARED },
    { SHARING_DENIED, true, TRI_NO, TREAT_COPY },
    { SHARING_DENIED, true, TRI_YES, TREAT_COPY },
    { SHARING_NOT_PROVED, true, TRI_NO, TREAT_COPY },
    { SHARING_NOT_PROVED, true, TRI_YES, TREAT_SHARED },
    { SHARING_NOT_PROVED, true, TRI_NOT_KNOWN, TREAT_SHARED },
    { SHARING_NOT_PROVED, false, TRI_NO, TREAT_COPY },
    { SHARING_NOT_PROVED, false, TRI_YES, TREAT_COPY },
};

START_TEST(a_disk_is_shared_by_proof_only_and_copied_where_it_is_absent)
    {
        OWNED(facts) f = sample();
        struct disk *d = facts_disk(f, "vda");

        d->sharing = treatments[_i].sharing;
        d->driver_shares = treatments[_i].driver_shares;
        d->at_dest.present = treatments[_i].present;
        ck_assert_int_eq(candidates_natural(d), treatments[_i].natural);
        OWNED(plan) p = plan_of(f);
        /* Whatever is natural, what can be chosen is shared with proof, or copied to where nothing stands. */
        const struct strategy *s = plan_chosen(p);

        if (s && s->disks[0] == TREAT_SHARED)
            ck_assert_int_eq(d->sharing, SHARING_PROVED);
        if (s && s->disks[0] == TREAT_COPY)
            ck_assert(d->sharing != SHARING_PROVED && d->at_dest.present == TRI_NO);
    }
END_TEST

/* Two copied disks, vda on a base; which of them is copied without it. */
static const struct {
    enum sharing base;
    bool driver_bases, has_format, flatten, second_has_loose_base;
    enum tristate second_reads_zero;
    enum treatment vda, vdb;
} overlays[] = {
    { SHARING_PROVED, true, true, false, false, TRI_YES, TREAT_OVERLAY, TREAT_COPY },
    { SHARING_NOT_PROVED, true, true, false, false, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_DENIED, true, true, false, false, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_PROVED, false, true, false, false, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_PROVED, true, false, false, false, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_PROVED, true, true, true, false, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_PROVED, true, true, false, true, TRI_YES, TREAT_COPY, TREAT_COPY },
    { SHARING_PROVED, true, true, false, false, TRI_NOT_KNOWN, TREAT_COPY, TREAT_COPY },
};

START_TEST(only_the_overlay_is_copied_where_every_base_is_proved_to_be_there)
    {
        OWNED(facts) f = sample();
        struct disk base = { .type = DISK_FILE, .source = "/base", .sharing = overlays[_i].base };
        struct disk loose = { .type = DISK_FILE, .source = "/loose", .format = "raw" };
        struct disk *second = sample_local(sample_disk(f, "vdb")),
                    *first = sample_local(facts_disk(f, "vda"));
        struct plan_limits limits = sample_limits();

        base.format = overlays[_i].has_format ? "raw" : NULL;
        first->chain = &base;
        first->n_chain = 1;
        first->driver_bases = overlays[_i].driver_bases;
        second->reads_zero = overlays[_i].second_reads_zero;
        if (overlays[_i].second_has_loose_base) {
            second->chain = &loose;
            second->n_chain = 1;
        }
        limits.flatten = overlays[_i].flatten;
        OWNED(plan) p = plan_make(f, &limits, NULL);
        ck_assert_ptr_nonnull(plan_chosen(p));
        ck_assert_int_eq(plan_chosen(p)->disks[0], overlays[_i].vda);
        ck_assert_int_eq(plan_chosen(p)->disks[1], overlays[_i].vdb);
    }
END_TEST

/* A new volume of LVM holds what lay there before. Zeroes are sent to it, also where another disk would be
 * copied without what it rests on. */
START_TEST(a_volume_on_lvm_is_copied_whole_or_shared_by_what_is_proved)
    {
        OWNED(facts) f = sample();
        struct disk base = {
            .type = DISK_FILE, .source = "/base", .format = "raw", .sharing = SHARING_PROVED
        };
        struct disk *d = volume_on_lvm(f, "logical"), *second = sample_local(sample_disk(f, "vdb"));

        ck_assert(disk_is_device(d) && !disk_is_file(d));
        d->reads_zero = TRI_NOT_KNOWN; /* as the driver of devices has it */
        second->chain = &base;
        second->n_chain = 1;
        second->driver_bases = true;
        second->reads_zero = TRI_YES;
        OWNED(plan) copied = plan_of(f);
        ck_assert_ptr_nonnull(plan_chosen(copied));
        ck_assert_int_eq(plan_chosen(copied)->disks[0], TREAT_COPY);
        ck_assert_int_eq(plan_chosen(copied)->disks[1], TREAT_COPY);
        ck_assert(!plan_chosen(copied)->needs_unsafe);
        d->sharing = SHARING_PROVED;
        f->overwrite.n = 0;
        OWNED(plan) shared = plan_of(f);
        ck_assert_ptr_nonnull(plan_chosen(shared));
        ck_assert_int_eq(plan_chosen(shared)->disks[0], TREAT_SHARED);
        ck_assert_int_eq(plan_chosen(shared)->disks[1], TREAT_OVERLAY);
    }
END_TEST

START_TEST(read_only_empty_and_cdrom_disks_are_never_copied)
    {
        OWNED(facts) f = sample();

        sample_local(sample_disk(f, "vdb"))->readonly = true;
        sample_local(sample_disk(f, "sda"))->device = DEVICE_CDROM;
        struct disk *empty = sample_local(sample_disk(f, "sdb"));
        empty->type = DISK_EMPTY;
        empty->source = NULL;
        OWNED(plan) p = plan_of(f);
        for (size_t i = 0; i < p->n; i++)
            for (size_t k = 1; k < 4; k++)
                ck_assert_int_eq(p->list[i].disks[k], TREAT_NOTHING);
    }
END_TEST

START_TEST(the_name_of_a_strategy_says_what_becomes_of_the_disks)
    {
        OWNED(facts) shared = sample();
        OWNED(facts) copied = sample();
        OWNED(facts) mixed = sample();
        OWNED(facts) bare = sample();

        (void)sample_local(facts_disk(copied, "vda"));
        (void)sample_local(sample_disk(mixed, "vdb"));
        bare->domain.n_disks = 0;
        OWNED(plan) p = plan_of(shared);
        OWNED(plan) q = plan_of(copied);
        OWNED(plan) r = plan_of(mixed);
        OWNED(plan) s = plan_of(bare);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-gated");
        ck_assert_str_eq(plan_chosen(q)->id, "precopy-tcp-gated-copy");
        ck_assert_str_eq(plan_chosen(r)->id, "precopy-tcp-gated-mixed");
        ck_assert_str_eq(plan_chosen(s)->id, "precopy-tcp-gated");
        ck_assert_uint_eq(p->n, 6 + 2);
        ck_assert_uint_eq(q->n, 6 + 2);
        ck_assert_uint_eq(r->n, 6 + 2 + 2);
        ck_assert_uint_eq(s->n, 6);
        ck_assert_ptr_null(plan_strategy(s, "precopy-tcp-gated-copy"));
    }
END_TEST

START_TEST(names_are_unique_even_with_two_channels_of_one_driver)
    {
        static const char *const drivers[] = { "tcp", "tcp", "tcp2", "tcp", NULL, NULL };
        OWNED(facts) f = sample();

        for (size_t i = 0; i < TEST_ROWS(drivers); i++)
            (void)sample_channel(f, drivers[i], 0);
        OWNED(plan) p = plan_of(f);
        ck_assert_uint_eq(p->n, 7u * 8u);
        for (size_t i = 0; i < p->n; i++)
            ck_assert_ptr_eq(plan_strategy(p, p->list[i].id), &p->list[i]);
    }
END_TEST

START_TEST(an_alternative_is_marked_and_can_never_be_chosen)
    {
        OWNED(facts) f = sample();

        (void)sample_local(sample_disk(f, "vdb"));
        OWNED(plan) p = plan_of(f);
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++)
            if (p->list[i].is_alternative) {
                ck_assert_ptr_nonnull(plan_refuses(p, &p->list[i]));
                n++;
            }
        ck_assert_uint_eq(n, 4);
    }
END_TEST

static const struct {
    enum domain_run run;
    const char *has, *lacks;
} states[] = {
    { RUN_RUNNING, "postcopy-tcp-gated", "postcopy-tcp-held" },
    { RUN_RUNNING, "throttled-tcp-held", "offline-tcp-definition" },
    { RUN_RUNNING, "paused-tcp-gated", "paused-tcp-held" },
    { RUN_PAUSED, "precopy-tcp-held", "postcopy-tcp-gated" },
    { RUN_PAUSED, "precopy-tcp-gated", "paused-tcp-gated" },
    { RUN_SHUTOFF, "offline-tcp-definition", "precopy-tcp-gated" },
};

START_TEST(the_state_of_the_domain_says_how_its_memory_may_travel)
    {
        OWNED(facts) f = sample();

        f->domain.run = states[_i].run;
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(plan_strategy(p, states[_i].has));
        ck_assert_ptr_null(plan_strategy(p, states[_i].lacks));
    }
END_TEST

static const struct {
    const char *id;
    unsigned connections;
} last_words[] = {
    { "precopy-tcp-gated", 1 },
    { "precopy-tcp-gated-x2", 2 },
    { "precopy-tcp-gated-mixed-x16", 16 },
    { "precopy-tcp-held-p2p-x255", 255 },
    { "precopy-tcp-gated-x4.2", 4 },
    { "precopy-tcp-gated-x256", 1 },
    { "precopy-tcp-gated-x99999999999999999999", 1 },
    { "precopy-tcp-gated-x0", 1 },
    { "precopy-tcp-gated-x04", 1 },
    { "precopy-tcp-gated-x", 1 },
    { "precopy-tcp-gated-x4y", 1 },
    { "precopy-tcp-gated-x-4", 1 },
    { "precopy-x4-gated", 1 },
    { "x4", 1 },
    { "-x4", 4 },
    { "", 1 },
    { NULL, 1 },
};

START_TEST(the_last_word_of_a_name_says_how_many_connections)
    {
        ck_assert_uint_eq(plan_connections_of(last_words[_i].id), last_words[_i].connections);
    }
END_TEST

START_TEST(connections_that_were_asked_for_are_those_of_every_strategy_and_of_its_name)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();

        f->channels[0].can_multifd = f->channels[0].can_p2p = true;
        (void)sample_local(sample_disk(f, "vdb"));
        limits.connections = 3;
        OWNED(plan) p = plan_with(f, limits);
        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-gated-mixed-x3");
        ck_assert_ptr_nonnull(plan_strategy(p, "precopy-tcp-held-p2p-mixed-x3"));
        ck_assert_ptr_nonnull(plan_strategy(p, "postcopy-tcp-gated-mixed-x3")); /* for its refusal */
        for (size_t i = 0; i < p->n; i++) {
            ck_assert_uint_eq(p->list[i].connections, 3);
            ck_assert_uint_eq(plan_connections_of(p->list[i].id), 3);
        }
        limits.connections = 1;
        OWNED(plan) one = plan_with(f, limits);
        ck_assert_str_eq(plan_chosen(one)->id, "precopy-tcp-gated-mixed");
        f->domain.run = RUN_SHUTOFF;
        limits.connections = 3;
        OWNED(plan) off = plan_with(f, limits);
        ck_assert_ptr_nonnull(plan_strategy(off, "offline-tcp-definition-mixed"));
    }
END_TEST

static const struct {
    const char *file_system;
    enum disk_type type;
    bool needs;
} unsafe[] = {
    { "nfs", DISK_FILE, false },
    { "nfs4", DISK_FILE, false },
    { "ceph", DISK_FILE, false },
    { "gpfs", DISK_FILE, false },
    { "fuse.glusterfs", DISK_FILE, false },
    { "smb3", DISK_FILE, true },
    { "ext4", DISK_FILE, true },
    { NULL, DISK_FILE, true },
    { NULL, DISK_BLOCK, false },
    { NULL, DISK_NETWORK, false },
    { NULL, DISK_VOLUME, false },
    { "nfs", DISK_VOLUME, false },
    { "ext4", DISK_VOLUME, true },
    { NULL, DISK_OTHER, true },
};

START_TEST(unsafe_is_needed_where_libvirt_does_not_know_the_file_system)
    {
        OWNED(facts) f = sample();

        facts_disk(f, "vda")->type = unsafe[_i].type;
        facts_disk(f, "vda")->pool = "default";
        facts_disk(f, "vda")->volume = "web.qcow2";
        facts_disk(f, "vda")->protocol = "rbd";
        facts_disk(f, "vda")->file_system = unsafe[_i].file_system;
        OWNED(plan) p = plan_of(f);
        ck_assert_int_eq(plan_strategy(p, "precopy-tcp-gated")->needs_unsafe, unsafe[_i].needs);
        ck_assert_int_eq(plan_strategy(p, "precopy-tcp-gated-copy")->needs_unsafe, false);
    }
END_TEST

START_TEST(a_thousand_disks_are_planned)
    {
        OWNED(facts) f = sample();

        for (size_t i = 1; i < 1000; i++) {
            struct disk *d = sample_disk(f, arena_format(f->arena, "vd%zu", i));

            if (i % 2) {
                (void)sample_local(d);
                d->at_dest.free_bytes = GiB(1000);
            }
            d->cache = "writeback"; /* a finding for each */
        }
        OWNED(plan) p = plan_of(f);
        OWNED_TEXT text = { 0 };

        ck_assert_str_eq(plan_chosen(p)->id, "precopy-tcp-gated-mixed");
        plan_explain(p, false, &text);
        ck_assert(!text.failed);
        OWNED_JSON j = plan_to_json(p);
        ck_assert_ptr_nonnull(j);
    }
END_TEST

TEST_MAIN("plan/candidates",
          LOOP(a_disk_is_shared_by_proof_only_and_copied_where_it_is_absent, TEST_ROWS(treatments)),
          a_volume_on_lvm_is_copied_whole_or_shared_by_what_is_proved,
          read_only_empty_and_cdrom_disks_are_never_copied,
          LOOP(only_the_overlay_is_copied_where_every_base_is_proved_to_be_there, TEST_ROWS(overlays)),
          the_name_of_a_strategy_says_what_becomes_of_the_disks,
          names_are_unique_even_with_two_channels_of_one_driver,
          an_alternative_is_marked_and_can_never_be_chosen,
          LOOP(the_last_word_of_a_name_says_how_many_connections, TEST_ROWS(last_words)),
          connections_that_were_asked_for_are_those_of_every_strategy_and_of_its_name,
          LOOP(unsafe_is_needed_where_libvirt_does_not_know_the_file_system, TEST_ROWS(unsafe)),
          LOOP(the_state_of_the_domain_says_how_its_memory_may_travel, TEST_ROWS(states)),
          a_thousand_disks_are_planned)
