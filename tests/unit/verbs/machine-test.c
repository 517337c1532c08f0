/* SPDX-License-Identifier: Apache-2.0
 * What a machine's script printed, read into a host: whole or not at all, with each word on both sides. */
#include "check-main.h"
#include "facts/model.h"
#include "verbs/machine.h"
#include <string.h>

#define SAID(...)                                                                                            \
    OWNED(facts) f = facts_new();                                                                            \
    struct host *h = &f->dest;                                                                               \
    machine_read((__VA_ARGS__), f->arena, h)

START_TEST(a_whole_answer_is_read)
    {
        SAID("kernel 6.1.0-18-amd64\ncgroup 2\nuserfaultfd 0\nconf\nlock_manager = \"lockd\"\n"
             "address 127.0.0.1\naddress 10.0.0.2\naddress fe80::1\nend\n");
        ck_assert_str_eq(h->kernel_release, "6.1.0-18-amd64");
        ck_assert_uint_eq(h->cgroup_version, 2);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_NO);
        ck_assert_str_eq(h->lock_manager, "lockd");
        ck_assert_uint_eq(h->addresses.n, 3);
        ck_assert_str_eq(h->addresses.names[2], "fe80::1");
    }
END_TEST

START_TEST(an_answer_that_was_cut_says_nothing)
    {
        SAID("kernel 6.1.0\nuserfaultfd 0\nconf\naddress 10.0.0.2\n");
        ck_assert_ptr_null(h->kernel_release);
        ck_assert_ptr_null(h->lock_manager);
        ck_assert_uint_eq(h->addresses.n, 0);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_NOT_KNOWN);
        machine_read("", f->arena, h);
        ck_assert_ptr_null(h->kernel_release);
    }
END_TEST

START_TEST(settings_that_could_not_be_read_are_not_known_and_those_not_made_are_the_defaults)
    {
        SAID("userfaultfd\nend\n");
        ck_assert_ptr_null(h->lock_manager);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_NOT_KNOWN);
        machine_read("conf\nend\n", f->arena, h);
        ck_assert_str_eq(h->lock_manager, "none");
        machine_read("conf\n  lock_manager=\"sanlock\"\nend\n", f->arena, h);
        ck_assert_str_eq(h->lock_manager, "sanlock");
        machine_read("conf\nlock_manager = \"nop\"\nend\n", f->arena, h);
        ck_assert_str_eq(h->lock_manager, "none");
    }
END_TEST

START_TEST(a_qemu_that_runs_as_root_is_not_held_back_by_userfaultfd)
    {
        SAID("userfaultfd 0\nconf\nuser = \"root\"\nend\n");
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_YES);
        machine_read("userfaultfd 0\nconf\nuser = \"libvirt-qemu\"\nend\n", f->arena, h);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_NO);
        machine_read("userfaultfd 1\nconf\nend\n", f->arena, h);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_YES);
        machine_read("userfaultfd 2\nconf\nuser = \"root\"\nend\n", f->arena, h);
        ck_assert_int_eq(h->unprivileged_userfaultfd, TRI_NOT_KNOWN);
    }
END_TEST

static const struct {
    const char *said;
    enum tristate confines, lets_nfs;
} labels[] = {
    { "selinux 1\nvirt_use_nfs 0\nconf\nend\n", TRI_YES, TRI_NO },
    { "selinux 1\nvirt_use_nfs 1\nconf\nsecurity_driver = [ \"selinux\", \"dac\" ]\nend\n", TRI_YES,
      TRI_YES },
    { "selinux 1\nvirt_use_nfs 0\nconf\n security_driver = \"none\"\nend\n", TRI_NO, TRI_NO },
    { "selinux 0\nvirt_use_nfs 0\nconf\nend\n", TRI_NO, TRI_NO },
    { "selinux\nvirt_use_nfs\nconf\nend\n", TRI_NOT_KNOWN, TRI_NOT_KNOWN },
};

START_TEST(selinux_is_told_with_its_switch_and_libvirts_setting)
    {
        SAID(labels[_i].said);
        ck_assert_int_eq(h->selinux_confines, labels[_i].confines);
        ck_assert_int_eq(h->selinux_lets_nfs, labels[_i].lets_nfs);
    }
END_TEST

START_TEST(what_is_no_address_is_none)
    {
        SAID("address 10.0.0.999\naddress ;reboot\naddress\naddress 10.0.0.2\nend\n");
        ck_assert_uint_eq(h->addresses.n, 1);
        ck_assert_str_eq(h->addresses.names[0], "10.0.0.2");
    }
END_TEST

TEST_MAIN("verbs/machine", a_whole_answer_is_read, an_answer_that_was_cut_says_nothing,
          settings_that_could_not_be_read_are_not_known_and_those_not_made_are_the_defaults,
          LOOP(selinux_is_told_with_its_switch_and_libvirts_setting, TEST_ROWS(labels)),
          a_qemu_that_runs_as_root_is_not_held_back_by_userfaultfd, what_is_no_address_is_none)
