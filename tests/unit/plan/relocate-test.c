/* SPDX-License-Identifier: Apache-2.0
 * A relocation judged and priced by itself, and the border at which it comes before a move. */
#include "facts/json.h"
#include "plan/relocate.h"
#include "plan/sample-relocate.h"
#include <string.h>

static struct relocation_plan *relocation_in(const struct facts *f)
{
    struct plan_limits limits = { .max_downtime_ms = NOT_KNOWN, .bandwidth_bytes_per_s = NOT_KNOWN };
    struct error err = { 0 };
    struct relocation_plan *p = relocation_plan_make(f, &limits, &err);

    ck_assert_ptr_nonnull(p);
    return p;
}

static const struct finding *found(const struct relocation_plan *p, const char *id)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (text_equal(p->findings.list[i].id, id))
            return &p->findings.list[i];
    return NULL;
}

START_TEST(what_is_in_order_is_valid_and_the_other_disks_stay)
    {
        OWNED(facts) f = sample();

        (void)relocation_of(f, facts_disk(f, "vda"));
        (void)sample_disk(f, "vdb");
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert(relocation_plan_is_valid(p));
        ck_assert_int_eq(p->disks[0], TREAT_RELOCATE);
        ck_assert_int_eq(p->disks[1], TREAT_NOTHING);
        ck_assert_uint_ge(p->bytes.high, MiB(400));
    }
END_TEST

START_TEST(a_guest_that_is_shut_off_goes_too_where_no_qemu_is_needed)
    {
        OWNED(facts) f = sample();

        (void)relocation_of(f, facts_disk(f, "vda"));
        f->domain.run = RUN_SHUTOFF;
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert(relocation_plan_is_valid(p));
    }
END_TEST

static void far_as_it_is(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    (void)f;
}
static void far_capped(struct facts *f, struct plan_limits *limits)
{
    (void)f;
    limits->bandwidth_bytes_per_s = MiB(1);
}
static void far_saved(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    f->domain.has_managed_save = true;
}
static void far_with(struct facts *f, const char *kind)
{
    f->domain.devices = arena_zeroed(f->arena, 1, sizeof *f->domain.devices);
    ck_assert_ptr_nonnull(f->domain.devices);
    f->domain.devices[0].kind = kind;
    f->domain.n_devices = 1;
}
static void far_with_hostdev(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    far_with(f, "hostdev");
}
static void far_with_tpm(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    far_with(f, "tpm");
}

static const struct {
    void (*spoil)(struct facts *f, struct plan_limits *limits);
    const char *refused; /* by what is said to be done; NULL: it is not */
} far[] = {
    { far_as_it_is, NULL },
    { far_capped, NULL },
    { far_with_tpm, NULL },
    { far_saved, "managedsave-remove" },
    { far_with_hostdev, "on that host" },
};
START_TEST(what_is_shut_off_elsewhere_is_copied_by_a_qemu_that_is_started_for_it)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        struct error err = { 0 };

        (void)relocation_of(f, facts_disk(f, "vda"));
        f->domain.run = RUN_SHUTOFF;
        f->source.uri = "qemu+tls://hostA/system";
        far[_i].spoil(f, &limits);
        OWNED(relocation_plan) p = relocation_plan_make(f, &limits, &err);
        ck_assert_ptr_nonnull(found(p, "relocate-starts-paused"));
        ck_assert_int_eq(found(p, "relocate-not-running") != NULL, far[_i].refused != NULL);
        if (far[_i].refused) {
            ck_assert_int_eq(relocation_plan_refusal(p, &err), -ERROR_REFUSED);
            ck_assert_ptr_nonnull(strstr(err.fix, far[_i].refused));
        }
        f->source.uri = "qemu:///system";
        OWNED(relocation_plan) here = relocation_plan_make(f, &limits, &err);
        ck_assert_ptr_null(found(here, "relocate-starts-paused"));
    }
END_TEST

/* Zeroes of a raw image on an NFS network disk are written by QEMU alone. */
START_TEST(what_is_copied_without_qemu_needs_room_for_what_it_holds)
    {
        OWNED(facts) f = sample();
        struct disk *vda = facts_disk(f, "vda"), *to = relocation_of(f, vda);

        vda->format = to->format = "raw";
        to->at_dest.free_bytes = MiB(400);
        f->domain.run = RUN_SHUTOFF;
        OWNED(relocation_plan) off = relocation_in(f);
        ck_assert_ptr_null(found(off, "relocate-space"));
        ck_assert_ptr_null(found(off, "relocate-zeroes"));
        f->domain.run = RUN_RUNNING;
        OWNED(relocation_plan) on = relocation_in(f);
        ck_assert_ptr_nonnull(found(on, "relocate-space"));
        ck_assert_ptr_nonnull(found(on, "relocate-zeroes"));
    }
END_TEST

static void is_saved(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    f->domain.has_managed_save = true;
}
static void is_capped(struct facts *f, struct plan_limits *limits)
{
    (void)f;
    limits->bandwidth_bytes_per_s = 1000000;
}
static void is_on_base(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    sample_base(f, facts_disk(f, "vda"));
}
static void is_in_parts(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    facts_disk(f, "vda")->at_source.data_file = "";
}
static void is_converted_in_ceph(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    facts_disk(f, "vda")->type = DISK_NETWORK;
    facts_disk(f, "vda")->protocol = "rbd";
    facts_disk(f, "vda")->relocation->format = "raw";
}
static void is_on_base_on_server(struct facts *f, struct plan_limits *limits)
{
    is_on_base(f, limits);
    facts_disk(f, "vda")->type = DISK_NETWORK;
    facts_disk(f, "vda")->protocol = "nfs";
}
static void is_on_server(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    facts_disk(f, "vda")->type = DISK_NETWORK;
}
static void is_not_seen(struct facts *f, struct plan_limits *limits)
{
    (void)limits;
    f->domain.run = RUN_NOT_KNOWN;
}

static const struct {
    void (*spoil)(struct facts *f, struct plan_limits *limits);
    const char *fix;
} off[] = {
    { is_saved, "managedsave-remove" },      { is_capped, "--bandwidth" },
    { is_on_base, "--format raw" },          { is_in_parts, "--format raw" },
    { is_converted_in_ceph, "virsh start" }, { is_on_base_on_server, "virsh start" },
    { is_on_server, "virsh start" },         { is_not_seen, "virsh start" },
};
START_TEST(what_only_qemu_could_do_is_refused_with_what_to_do)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        struct error err = { 0 };

        (void)relocation_of(f, facts_disk(f, "vda"));
        f->domain.run = RUN_SHUTOFF;
        off[_i].spoil(f, &limits);
        OWNED(relocation_plan) p = relocation_plan_make(f, &limits, &err);
        ck_assert_ptr_nonnull(found(p, "relocate-not-running"));
        ck_assert_int_eq(relocation_plan_refusal(p, &err), -ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.fix, off[_i].fix));
    }
END_TEST

static const struct {
    const char *protocol, *format, *to_format;
} engine[] = {
    { "nfs", "raw", "raw" }, { "nfs", "qcow2", "raw" }, { "rbd", "raw", "raw" }, { NULL, "raw", "qcow2" }
};
START_TEST(what_the_engine_reaches_goes_without_qemu)
    {
        OWNED(facts) f = sample();
        struct plan_limits limits = sample_limits();
        struct error err = { 0 };
        struct disk *d = facts_disk(f, "vda");

        relocation_of(f, d)->format = engine[_i].to_format;
        f->domain.run = RUN_SHUTOFF;
        d->format = engine[_i].format;
        d->protocol = engine[_i].protocol;
        d->type = d->protocol ? DISK_NETWORK : DISK_FILE;
        OWNED(relocation_plan) p = relocation_plan_make(f, &limits, &err);
        ck_assert_ptr_null(found(p, "relocate-not-running"));
    }
END_TEST

START_TEST(a_job_and_another_manager_are_in_the_way_here_too)
    {
        OWNED(facts) f = sample();

        (void)relocation_of(f, facts_disk(f, "vda"));
        f->domain.job = "block job";
        f->domain.manager = "oVirt";
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert_ptr_nonnull(found(p, "job-in-progress"));
        ck_assert_ptr_nonnull(found(p, "managed-domain"));
        ck_assert(!relocation_plan_is_valid(p));
    }
END_TEST

START_TEST(a_folder_of_this_host_alone_is_a_place_where_nobody_moves_afterwards)
    {
        OWNED(facts) f = sample();
        struct disk *to = relocation_of(f, facts_disk(f, "vda"));

        to->type = DISK_FILE;
        to->protocol = NULL;
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert(relocation_plan_is_valid(p));
    }
END_TEST

START_TEST(two_disks_cannot_go_to_one_image)
    {
        OWNED(facts) f = sample();

        (void)sample_disk(f, "vdb");
        (void)relocation_of(f, facts_disk(f, "vda"));
        relocation_of(f, facts_disk(f, "vdb"))->source = "/export/web-vda.qcow2";
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert_ptr_nonnull(found(p, "relocate-same-place"));
        ck_assert_str_eq(found(p, "relocate-same-place")->where, "vdb");
    }
END_TEST

START_TEST(disks_that_fit_alone_and_not_together_are_refused)
    {
        OWNED(facts) f = sample();

        (void)sample_disk(f, "vdb");
        relocation_of(f, facts_disk(f, "vda"))->at_dest.free_bytes = MiB(799);
        relocation_of(f, facts_disk(f, "vdb"))->at_dest.free_bytes = MiB(799);
        OWNED(relocation_plan) p = relocation_in(f);
        ck_assert_ptr_nonnull(found(p, "relocate-space"));
        ck_assert_str_eq(found(p, "relocate-space")->where, "vdb");
    }
END_TEST

static const struct {
    enum disk_type type;
    const char *protocol, *from, *wanted, *format;
} formats[] = {
    { DISK_NETWORK, "nfs", "raw", NULL, "qcow2" }, { DISK_NETWORK, "nfs", "raw", "keep", "raw" },
    { DISK_NETWORK, "nfs", "raw", "raw", "raw" },  { DISK_NETWORK, "nfs", "qcow2", NULL, "qcow2" },
    { DISK_NETWORK, "rbd", "qcow2", NULL, "raw" }, { DISK_NETWORK, "rbd", "qcow2", "keep", "qcow2" },
    { DISK_BLOCK, NULL, "qcow2", NULL, "raw" },    { DISK_FILE, NULL, "raw", NULL, "raw" },
    { DISK_FILE, NULL, "vmdk", NULL, "qcow2" },    { DISK_FILE, NULL, "qcow2", "raw", "raw" },
};

START_TEST(the_format_suits_the_place_unless_one_is_wanted)
    {
        const struct disk d = { .format = formats[_i].from };
        const struct disk to = { .type = formats[_i].type, .protocol = formats[_i].protocol };

        ck_assert_str_eq(relocation_format(&d, &to, formats[_i].wanted), formats[_i].format);
    }
END_TEST

/* What the copy costs crosses the link between the hosts, what the relocation costs the storage's. */
static const char *chosen_with(uint64_t to_dest_bytes_per_s, uint64_t allocated_bytes)
{
    OWNED(facts) f = sample();
    struct disk *d = facts_disk(f, "vda");

    (void)relocation_of(f, d);
    d->at_source.allocated_bytes = allocated_bytes;
    f->channels[0].bytes_per_s = to_dest_bytes_per_s;
    OWNED(plan) p = plan_of(f);
    ck_assert_ptr_nonnull(plan_chosen(p));
    return treatment_word(plan_chosen(p)->disks[0]);
}

START_TEST(either_side_of_the_break_even_the_other_is_taken)
    {
        ck_assert_str_eq(chosen_with(UINT64_C(12500000), MiB(800)), "relocate");
        ck_assert_str_eq(chosen_with(UINT64_C(12500000), MiB(1)), "copy");
        ck_assert_str_eq(chosen_with(UINT64_C(1250000000), MiB(100)), "copy");
    }
END_TEST

START_TEST(a_disk_that_both_hosts_reach_is_never_relocated_first)
    {
        OWNED(facts) f = sample();

        (void)relocation_of(f, facts_disk(f, "vda"));
        facts_disk(f, "vda")->sharing = SHARING_PROVED;
        facts_disk(f, "vda")->at_dest.present = TRI_YES;
        OWNED(plan) p = plan_of(f);
        for (size_t i = 0; i < p->n; i++)
            ck_assert_int_ne(p->list[i].disks[0], TREAT_RELOCATE);
    }
END_TEST

/* The facts go from the worker that has found the place to who plans, and into files. */
START_TEST(a_folder_of_both_hosts_is_a_place_too_after_the_facts_were_written_and_read)
    {
        OWNED(facts) made = sample();
        struct disk *to = relocation_of(made, facts_disk(made, "vda"));
        struct error err = { 0 };

        to->type = DISK_FILE;
        to->protocol = to->server = NULL;
        to->driver = "local-block";
        to->source = "/srv/both/web-vda.qcow2";
        to->cache = facts_disk(made, "vda")->cache = "none";
        to->sharing = SHARING_PROVED;
        facts_disk(made, "vda")->at_source.allocated_bytes = MiB(800);
        made->channels[0].bytes_per_s = UINT64_C(12500000);
        OWNED_JSON j = facts_to_json(made);
        OWNED(facts) f = facts_from_json(j, &err);
        ck_assert_msg(f != NULL, "%s", err.what);
        OWNED(plan) p = plan_of(f);
        ck_assert_ptr_nonnull(plan_chosen(p));
        ck_assert_int_eq(plan_chosen(p)->disks[0], TREAT_RELOCATE);
    }
END_TEST

START_TEST(text_and_json_name_both_places)
    {
        OWNED(facts) f = sample();
        OWNED_TEXT text = { 0 };

        (void)relocation_of(f, facts_disk(f, "vda"));
        OWNED(relocation_plan) p = relocation_in(f);
        OWNED_JSON j = relocation_plan_to_json(p);

        relocation_plan_explain(p, &text);
        ck_assert_ptr_nonnull(strstr(text_of(&text), "/images/web.qcow2 (qcow2) -> nfs://10.0.0.9/export/"));
        ck_assert(json_flag(j, "valid", false));
        ck_assert_str_eq(json_text(json_array_get(json_child(j, "disks"), 0), "to", ""),
                         "nfs://10.0.0.9/export/web-vda.qcow2");
    }
END_TEST

TEST_MAIN("plan/relocate", what_is_in_order_is_valid_and_the_other_disks_stay,
          a_guest_that_is_shut_off_goes_too_where_no_qemu_is_needed,
          what_is_copied_without_qemu_needs_room_for_what_it_holds,
          LOOP(what_the_engine_reaches_goes_without_qemu, TEST_ROWS(engine)),
          LOOP(what_only_qemu_could_do_is_refused_with_what_to_do, TEST_ROWS(off)),
          LOOP(what_is_shut_off_elsewhere_is_copied_by_a_qemu_that_is_started_for_it, TEST_ROWS(far)),
          a_job_and_another_manager_are_in_the_way_here_too,
          a_folder_of_this_host_alone_is_a_place_where_nobody_moves_afterwards,
          two_disks_cannot_go_to_one_image, disks_that_fit_alone_and_not_together_are_refused,
          LOOP(the_format_suits_the_place_unless_one_is_wanted, TEST_ROWS(formats)),
          either_side_of_the_break_even_the_other_is_taken,
          a_disk_that_both_hosts_reach_is_never_relocated_first,
          a_folder_of_both_hosts_is_a_place_too_after_the_facts_were_written_and_read,
          text_and_json_name_both_places)
