/* SPDX-License-Identifier: Apache-2.0
 * The model: what is new reads as not known, what is added stays, what is empty or writable. */
#include "base/text.h"
#include "check-main.h"
#include "facts/domain-xml.h"
#include "facts/model.h"

START_TEST(new_facts_know_nothing)
    {
        OWNED(facts) f = facts_new();

        ck_assert_uint_eq(f->domain.memory_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->domain.memory_now_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->domain.memory_rss_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->domain.vcpus, NOT_KNOWN);
        ck_assert_uint_eq(f->domain.max_downtime_ms, NOT_KNOWN);
        ck_assert_uint_eq(f->source.libvirt_version, NOT_KNOWN);
        ck_assert_uint_eq(f->dest.qemu_version, NOT_KNOWN);
        ck_assert_uint_eq(f->dest.memory_free_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->dest.memory_bytes, NOT_KNOWN);
        ck_assert_uint_eq(f->dest.cpus, NOT_KNOWN);
        ck_assert_uint_eq(f->source.link_bytes_per_s, NOT_KNOWN);
        ck_assert_uint_eq(f->history.samples, NOT_KNOWN);
        ck_assert_uint_eq(f->history.downtime_ms, NOT_KNOWN);
        ck_assert_int_eq(f->domain.run, RUN_NOT_KNOWN);
        ck_assert_ptr_null(f->domain.name);
    }
END_TEST

START_TEST(an_added_disk_has_figures_that_are_not_known)
    {
        OWNED(facts) f = facts_new();
        const struct disk *d = facts_add_disk(f);

        ck_assert_uint_eq(d->at_source.capacity_bytes, NOT_KNOWN);
        ck_assert_uint_eq(d->at_dest.allocated_bytes, NOT_KNOWN);
        ck_assert_uint_eq(d->at_dest.free_bytes, NOT_KNOWN);
        ck_assert_int_eq(d->sharing, SHARING_NOT_PROVED);
        ck_assert_int_eq(d->at_dest.present, TRI_NOT_KNOWN);
        ck_assert_uint_eq(facts_add_channel(f)->latency_us, NOT_KNOWN);
        ck_assert_uint_eq(f->channels[0].bytes_per_s, NOT_KNOWN);
    }
END_TEST

START_TEST(earlier_disks_stay_when_more_are_added)
    {
        OWNED(facts) f = facts_new();

        for (unsigned i = 0; i < DOMAIN_XML_MAX_DISKS; i++)
            facts_add_disk(f)->target = arena_format(f->arena, "vd%u", i);
        ck_assert_uint_eq(f->domain.n_disks, DOMAIN_XML_MAX_DISKS);
        ck_assert_ptr_eq(facts_disk(f, "vd0"), &f->domain.disks[0]);
        ck_assert_ptr_eq(facts_disk(f, "vd1023"), &f->domain.disks[1023]);
        ck_assert_ptr_null(facts_disk(f, "vd1024"));
        ck_assert_ptr_null(facts_disk(f, NULL));
    }
END_TEST

START_TEST(a_finding_keeps_its_own_copy_of_id_and_place)
    {
        OWNED(facts) f = facts_new();
        char id[] = "no-space", where[] = "vda";
        const struct finding *one = facts_add_finding(f, WARNS, id, where);

        id[0] = where[0] = '!';
        ck_assert_str_eq(one->id, "no-space");
        ck_assert_str_eq(one->where, "vda");
        ck_assert_int_eq(one->severity, WARNS);
        ck_assert_ptr_null(facts_add_finding(f, NOTES, "whole-move", NULL)->where);
        ck_assert_uint_eq(f->findings.n, 2);
    }
END_TEST

static const struct {
    struct disk disk;
    bool is_empty, is_writable;
} kinds[] = {
    { { .type = DISK_FILE, .source = "/a" }, false, true },
    { { .type = DISK_FILE }, true, false },
    { { .type = DISK_FILE, .source = "/a", .readonly = true }, false, false },
    { { .type = DISK_FILE, .source = "/a", .device = DEVICE_CDROM }, false, false },
    { { .type = DISK_FILE, .source = "/a", .device = DEVICE_FLOPPY }, false, true },
    { { .type = DISK_BLOCK, .source = "/dev/a", .device = DEVICE_LUN }, false, true },
    { { .type = DISK_EMPTY, .source = "/a" }, true, false },
    { { .type = DISK_NETWORK, .protocol = "nbd" }, false, true },
    { { .type = DISK_NETWORK, .source = "image" }, true, false },
    { { .type = DISK_VOLUME, .pool = "p", .volume = "v" }, false, true },
    { { .type = DISK_VOLUME, .pool = "p" }, true, false },
    { { .type = DISK_VOLUME, .volume = "v" }, true, false },
    { { .type = DISK_OTHER }, false, true },
};
START_TEST(a_disk_is_empty_without_a_source_and_writable_unless_told)
    {
        ck_assert_int_eq(disk_is_empty(&kinds[_i].disk), kinds[_i].is_empty);
        ck_assert_int_eq(disk_is_writable(&kinds[_i].disk), kinds[_i].is_writable);
    }
END_TEST

START_TEST(freeing_nothing_is_allowed)
    {
        facts_free(NULL);
    }
END_TEST

TEST_MAIN("facts/model", new_facts_know_nothing, an_added_disk_has_figures_that_are_not_known,
          earlier_disks_stay_when_more_are_added, a_finding_keeps_its_own_copy_of_id_and_place,
          LOOP(a_disk_is_empty_without_a_source_and_writable_unless_told, TEST_ROWS(kinds)),
          freeing_nothing_is_allowed)
