/* SPDX-License-Identifier: Apache-2.0
 * A chain that the user wants to keep: what goes before the disk, what is counted, and what is in the way. */
#include "plan/sample.h"

/* A copied disk on so many files that only the source has, each of 100 MiB. */
static struct disk *chained(struct facts *f, const char *target, size_t n)
{
    struct disk *d = facts_disk(f, target);

    d = sample_local(d ? d : sample_disk(f, target));
    d->source = arena_format(f->arena, "/images/%s.qcow2", target);
    d->driver_bases = true;
    d->reads_zero = TRI_YES;
    d->chain = arena_zeroed(f->arena, n, sizeof *d->chain);
    d->n_chain = n;
    ck_assert_ptr_nonnull(d->chain);
    for (size_t l = 0; l < n; l++) {
        disk_init(&d->chain[l]);
        d->chain[l].type = DISK_FILE;
        d->chain[l].source = arena_format(f->arena, "/images/base-%zu", n - l);
        d->chain[l].format = "qcow2";
        d->chain[l].driver = "local-block";
        d->chain[l].at_source.allocated_bytes = MiB(100);
        d->chain[l].at_dest.present = TRI_NO;
        d->chain[l].at_dest.pool = "default";
        d->chain[l].at_dest.free_bytes = GiB(10);
    }
    f->source.uri = "qemu:///system";
    return d;
}

static struct plan_limits keeping(void)
{
    struct plan_limits limits = sample_limits();

    limits.keep_chain = true;
    return limits;
}

START_TEST(a_chain_is_kept_only_where_the_user_says_so)
    {
        OWNED(facts) f = sample();

        (void)chained(f, "vda", 2);
        OWNED(plan) flat = plan_of(f);
        OWNED(plan) kept = plan_with(f, keeping());
        OWNED_TEXT text = { 0 };

        ck_assert_int_eq(plan_chosen(flat)->disks[0], TREAT_COPY);
        ck_assert_int_eq(plan_chosen(kept)->disks[0], TREAT_CHAIN);
        ck_assert_str_eq(treatment_word(TREAT_CHAIN), "chain");
        ck_assert_str_eq(plan_chosen(kept)->id, "precopy-tcp-gated-copy");
        ck_assert_ptr_nonnull(plan_finds(flat, "copied-flat", "vda"));
        ck_assert_str_eq(plan_finds(kept, "chain-kept", "vda")->what,
                         "'/images/base-2' with what is below it, which disk 'vda' rests on, is sent first "
                         "and compared (200 MiB)");
        plan_explain(kept, false, &text);
        ck_assert_ptr_nonnull(strstr(text_of(&text), "chain-kept"));
    }
END_TEST

START_TEST(what_both_hosts_have_does_not_go)
    {
        OWNED(facts) f = sample();
        struct disk *d = chained(f, "vda", 2);
        const struct disk *ignored;

        d->chain[1].sharing = SHARING_PROVED;
        d->chain[1].at_dest.present = TRI_YES;
        OWNED(plan) half = plan_with(f, keeping());
        ck_assert_int_eq(plan_chosen(half)->disks[0], TREAT_CHAIN);
        ck_assert(chain_sends(&f->domain, plan_chosen(half)->disks, 0, 0));
        ck_assert(!chain_sends(&f->domain, plan_chosen(half)->disks, 0, 1));
        /* It names what is below it by its path. */
        d->chain[1].dest_source = "/shared/base-1";
        ck_assert_int_eq(chain_obstacle(d, &ignored), CHAIN_NAMES);
        d->chain[1].dest_source = NULL;
        d->chain[0].sharing = SHARING_PROVED;
        OWNED(plan) all = plan_with(f, keeping());
        ck_assert_int_eq(plan_chosen(all)->disks[0], TREAT_OVERLAY);
    }
END_TEST

START_TEST(a_file_that_several_disks_rest_on_goes_once)
    {
        OWNED(facts) f = sample();

        (void)chained(f, "vdb", 2);
        chained(f, "vda", 2)->chain[0].source = "/images/other";
        OWNED(plan) p = plan_with(f, keeping());
        const enum treatment *disks = plan_chosen(p)->disks;

        ck_assert(chain_sends(&f->domain, disks, 0, 0) && chain_sends(&f->domain, disks, 0, 1));
        ck_assert(chain_sends(&f->domain, disks, 1, 0) && !chain_sends(&f->domain, disks, 1, 1));
        ck_assert_uint_eq(chain_sent_bytes(&f->domain, disks, 0), MiB(200));
        ck_assert_uint_eq(chain_sent_bytes(&f->domain, disks, 1), MiB(100));
        facts_disk(f, "vdb")->chain[0].at_source.allocated_bytes = NOT_KNOWN;
        ck_assert_uint_eq(chain_sent_bytes(&f->domain, disks, 1), NOT_KNOWN);
        facts_disk(f, "vdb")->chain[0].source = "/images/other";
        ck_assert_uint_eq(chain_sent_bytes(&f->domain, disks, 1), 0);
        /* There they would be two. */
        facts_disk(f, "vdb")->chain[0].dest_source = "/images/elsewhere";
        ck_assert(chain_sends(&f->domain, disks, 1, 0));
    }
END_TEST

START_TEST(what_goes_before_is_in_the_price)
    {
        OWNED(facts) f = sample();

        (void)chained(f, "vda", 2);
        OWNED(plan) kept = plan_with(f, keeping());
        f->domain.disks[0].n_chain = 0;
        OWNED(plan) alone = plan_of(f);
        const struct estimate *a = &plan_chosen(kept)->bytes, *b = &plan_chosen(alone)->bytes;

        ck_assert_uint_eq(a->likely - b->likely, MiB(200));
        ck_assert_uint_gt(plan_chosen(kept)->time_ms.likely, plan_chosen(alone)->time_ms.likely);
    }
END_TEST

/* 400 MiB of its own and 100 of the base, in one place or in two. */
static const struct {
    const char *pool;
    uint64_t own_room, base_room;
    bool fits;
} rooms[] = {
    { "default", MiB(500), MiB(500), true },    { "default", MiB(500) - 1, MiB(500) - 1, false },
    { "other", MiB(400), MiB(100), true },      { "other", MiB(400) - 1, MiB(100), false },
    { "other", MiB(400), MiB(100) - 1, false }, { NULL, MiB(400), MiB(100), true },
    { NULL, MiB(400), MiB(100) - 1, false },
};

START_TEST(there_must_be_room_for_all_that_goes)
    {
        OWNED(facts) f = sample();
        struct disk *d = chained(f, "vda", 1);

        d->at_dest.free_bytes = rooms[_i].own_room;
        d->chain[0].at_dest.pool = rooms[_i].pool;
        d->chain[0].at_dest.free_bytes = rooms[_i].base_room;
        OWNED(plan) p = plan_with(f, keeping());
        ck_assert_int_eq(!plan_finds(p, "destination-space", "vda"), rooms[_i].fits);
        ck_assert_int_eq(!!plan_chosen(p), rooms[_i].fits);
    }
END_TEST

typedef void hinder(struct facts *f, struct plan_limits *l, struct disk *d);
#define HINDER(name, code)                                                                                   \
    static void name(struct facts *f, struct plan_limits *l, struct disk *d)                                 \
    {                                                                                                        \
        (void)f;                                                                                             \
        (void)l;                                                                                             \
        (void)d;                                                                                             \
        code;                                                                                                \
    }
HINDER(bases_cannot_be_made, d->driver_bases = false)
HINDER(base_is_a_device, d->chain[1].type = DISK_BLOCK)
HINDER(base_says_no_format, d->chain[1].format = NULL)
HINDER(base_is_of_another_driver, d->chain[1].driver = "nfs")
HINDER(base_stands_there, d->chain[1].at_dest.present = TRI_YES)
HINDER(base_is_unseen, d->chain[0].at_dest.present = TRI_NOT_KNOWN)
HINDER(base_is_mapped_below_a_sent_one, d->chain[1].dest_source = "/srv/base-1")
HINDER(source_is_elsewhere, f->source.uri = "qemu+ssh://hostA/system")
HINDER(rate_is_bounded, l->bandwidth_bytes_per_s = 1000000)
HINDER(another_goes_whole, sample_local(sample_disk(f, "vdb"))->reads_zero = TRI_NOT_KNOWN)

static const struct {
    hinder *hinder;
    const char *says;
} hindrances[] = {
    { bases_cannot_be_made, "no image that rests on another is made where '/images/vda.qcow2' would be" },
    { base_is_a_device, "'/images/base-1' is no file" },
    { base_says_no_format, "'/images/base-1' is no file, or nobody says its format" },
    { base_is_of_another_driver, "is made where '/images/base-1' would be" },
    { base_stands_there, "something stands at '/images/base-1' on the destination already" },
    { base_is_unseen, "whether something stands at '/images/base-2' on the destination is not known" },
    { base_is_mapped_below_a_sent_one, "would name '/images/base-1' by a path that is another" },
    { source_is_elsewhere, "rests on files of another machine" },
    { rate_is_bounded, "--bandwidth does not bound" },
    { another_goes_whole, "another disk has to be copied whole" },
};

START_TEST(what_cannot_be_kept_is_refused_with_the_reason)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = keeping();
        const struct finding *found;

        hindrances[_i].hinder(f, &limits, chained(f, "vda", 2));
        OWNED(plan) p = plan_with(f, limits);
        found = plan_finds(p, "chain-not-kept", "vda");
        ck_assert_ptr_nonnull(found);
        ck_assert_msg(strstr(found->what, hindrances[_i].says) != NULL, "%s", found->what);
        ck_assert_ptr_null(plan_chosen(p));
        limits.keep_chain = false;
        OWNED(plan) flat = plan_with(f, limits);
        ck_assert_ptr_null(plan_finds(flat, "chain-not-kept", NULL));
    }
END_TEST

static const struct {
    const char *base, *above_there, *below_there;
    bool holds;
} names[] = {
    { "/images/base", NULL, NULL, true },
    { "/images/base", "/srv/web", NULL, true },
    { "/images/base", NULL, "/srv/base", false },
    { "base", NULL, NULL, true },
    { "base", "/srv/web", NULL, false },
    { "base", "/srv/web", "/srv/base", false },
    { NULL, NULL, NULL, true },
    { NULL, "/srv/web", NULL, false },
};

START_TEST(an_image_that_is_sent_as_it_is_must_find_its_base)
    {
        struct disk above = { .source = "/images/web", .dest_source = names[_i].above_there };
        struct disk below = { .source = "/images/base", .dest_source = names[_i].below_there };

        above.at_source.base = names[_i].base;
        ck_assert_int_eq(chain_name_holds(&above, &below), names[_i].holds);
    }
END_TEST

/* The images of a domain that is shut off are sent by ourselves, the disk's own too. */
START_TEST(of_a_domain_that_is_off_the_chain_goes_where_it_is_kept)
    {
        OWNED(facts) f = sample();
        struct disk *d = chained(f, "vda", 2);

        f->domain.run = RUN_SHUTOFF;
        OWNED(plan) flat = plan_of(f);
        ck_assert_ptr_null(plan_chosen(flat));
        OWNED(plan) kept = plan_with(f, keeping());
        ck_assert_ptr_nonnull(plan_chosen(kept));
        ck_assert_int_eq(plan_chosen(kept)->disks[0], TREAT_CHAIN);
        d->at_source.base = "base-2";
        d->dest_source = "/srv/vda.qcow2";
        OWNED(plan) lost = plan_with(f, keeping());
        ck_assert_ptr_null(plan_chosen(lost));
        ck_assert_ptr_nonnull(plan_finds(lost, "offline-copy", NULL));
    }
END_TEST

START_TEST(a_saved_plan_keeps_the_wish)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = keeping(), read;
        struct error err = { 0 };

        (void)chained(f, "vda", 1);
        OWNED(plan) p = plan_with(f, limits);
        OWNED_JSON saved = plan_save(p, NULL, &limits, &err);
        ck_assert_msg(saved != NULL, "%s", err.what);
        ck_assert_int_eq(plan_saved_limits(saved, &read, &err), 0);
        ck_assert(read.keep_chain && !read.flatten);
        ck_assert_ptr_nonnull(plan_saved(p, saved, &err));
        OWNED(plan) flat = plan_of(f);
        ck_assert_ptr_null(plan_saved(flat, saved, &err));
        ck_assert_int_eq(err.code, ERROR_STALE);
    }
END_TEST

TEST_MAIN("plan/chain", a_chain_is_kept_only_where_the_user_says_so, what_both_hosts_have_does_not_go,
          a_file_that_several_disks_rest_on_goes_once, what_goes_before_is_in_the_price,
          LOOP(there_must_be_room_for_all_that_goes, TEST_ROWS(rooms)),
          LOOP(what_cannot_be_kept_is_refused_with_the_reason, TEST_ROWS(hindrances)),
          LOOP(an_image_that_is_sent_as_it_is_must_find_its_base, TEST_ROWS(names)),
          of_a_domain_that_is_off_the_chain_goes_where_it_is_kept, a_saved_plan_keeps_the_wish)
