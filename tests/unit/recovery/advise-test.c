/* SPDX-License-Identifier: Apache-2.0
 * What an operator is told about a guest that is on neither host: whole, with its commands, in their order.
 */
#include "check-main.h"
#include "recovery/settle.h"
#include <string.h>

static const struct {
    bool was_postcopy, is_offline, is_mute;
    const char *pieces[8];
} gone[] = {
    { false,
      false,
      false,
      { "1. ", "domstate --reason", "2. ", "/var/log/libvirt/qemu at 'hostB.", "3. Start it there", "4. ",
        "undefine --keep-nvram", "it closes run 20261124T101530-9f3a12bc." } },
    { true,
      false,
      false,
      { "1. ", "domstate --reason", "2. ", "virsh destroy", "3. ", "start it there", "undefine --keep-nvram",
        "it closes run 20261124T101530-9f3a12bc." } },
    { true,
      false,
      true,
      { "only stopped", "virt-ferry recover. Else: 1. ", "domstate --reason", "virsh destroy", "3. ",
        "start it there", "undefine --keep-nvram", "it closes run 20261124T101530-9f3a12bc." } },
    { false,
      true,
      false,
      { "1. ", "virsh list --all", "2. ", "define it at 'hostA.", "3. ",
        "it closes run 20261124T101530-9f3a12bc." } },
};

START_TEST(what_to_do_about_a_guest_on_neither_host_is_told_in_order)
    {
        struct move m = { .run = "20261124T101530-9f3a12bc",
                          .is_offline = gone[_i].is_offline,
                          .dest_is_mute = gone[_i].is_mute };
        struct error err = { 0 };
        const char *at = err.fix;

        /* Names as long as they are in a data centre: nothing may be cut. */
        (void)snprintf(m.survey.source_host, sizeof m.survey.source_host,
                       "hostA.rack-17.cluster.example.org");
        (void)snprintf(m.survey.dest_host, sizeof m.survey.dest_host, "hostB.rack-18.cluster.example.org");
        (void)advise_gone(&m, gone[_i].was_postcopy, &err);
        for (size_t i = 0; i < TEST_ROWS(gone[_i].pieces) && gone[_i].pieces[i]; i++) {
            at = strstr(at, gone[_i].pieces[i]);
            ck_assert_msg(at != NULL, "'%s' is not in its place: %s", gone[_i].pieces[i], err.fix);
        }
    }
END_TEST

START_TEST(how_a_destination_learns_that_its_link_is_gone_is_told)
    {
        struct move m = { .run = "20261124T101530-9f3a12bc" };
        struct error err = { 0 };

        (void)snprintf(m.survey.source_host, sizeof m.survey.source_host, "hostA");
        (void)snprintf(m.survey.dest_host, sizeof m.survey.dest_host, "hostB");
        (void)advise_unheard(&m, &err);
        ck_assert_ptr_eq(strstr(err.fix, "At 'hostB', as root, with the address of 'hostA'"), err.fix);
        ck_assert_ptr_nonnull(strstr(err.fix, "ss -tK 'dst SOURCE and sport >= :49152"));
        ck_assert_ptr_nonnull(strstr(err.fix, "virt-ferry recover 20261124T101530-9f3a12bc"));
    }
END_TEST

#define THIRD "3. Run virt-ferry recover: it closes run 20261124T101530-9f3a12bc."
#define FOURTH "4. Run virt-ferry recover: it closes run 20261124T101530-9f3a12bc."

static const struct {
    const char *row, *pieces[10];
} settled_not[] = {
    { "off-there",
      { "1. See at 'hostB.", "/var/log/libvirt/qemu/ledger.log", "2. ", "'reason=failed'",
        "undefine --keep-nvram. Else", "end it at 'hostA.", THIRD } },
    { "off-unproved",
      { "1. See at 'hostB.", "/var/log/libvirt/qemu/ledger.log", "2. ", "'reason=shutdown'", "at 'hostA.",
        "virsh start at 'hostB.", "Else virsh undefine --keep-nvram at 'hostB.", "virsh resume at 'hostA.",
        THIRD } },
    { "rebooted",
      { "1. See at 'hostB.", "/var/log/libvirt/qemu/ledger.log", "2. ", "'hostA.", "virsh start, at 'hostB.",
        "else at 'hostA.", "virsh resume at 'hostA.", "3. Undefine", FOURTH } },
    { "postcopy-split",
      { "between 'hostA.", "recover 20261124T101530-9f3a12bc. To give up", "1. virsh destroy",
        "2. virsh start at 'hostB.", "dumpxml --inactive at 'hostA.", "3. At 'hostA.",
        "4. Run virt-ferry recover: it closes the run." } },
    { "incomplete", { "1. See at 'hostA.", "'reason=migrated'", THIRD } },
    { "dest-silent", { "When both hosts answer again: virt-ferry recover 20261124T101530-9f3a12bc." } },
};

START_TEST(what_both_hosts_told_and_does_not_settle_it_is_led_on_by_its_row)
    {
        const struct outcome_row row = { .name = settled_not[_i].row };
        struct move m = { .run = "20261124T101530-9f3a12bc", .name = "ledger", .row = &row };
        struct error err = { 0 };
        const char *at = err.fix;

        (void)snprintf(m.survey.source_host, sizeof m.survey.source_host,
                       "hostA.rack-17.cluster.example.org");
        (void)snprintf(m.survey.dest_host, sizeof m.survey.dest_host, "hostB.rack-18.cluster.example.org");
        (void)advise_row(&m, &err);
        for (size_t i = 0; i < TEST_ROWS(settled_not[_i].pieces) && settled_not[_i].pieces[i]; i++) {
            at = strstr(at, settled_not[_i].pieces[i]);
            ck_assert_msg(at != NULL, "'%s' is not in its place: %s", settled_not[_i].pieces[i], err.fix);
        }
    }
END_TEST

static const struct {
    int (*advise)(const struct move *m, struct error *err);
    const char *pieces[8];
} left[] = {
    { advise_waits,
      { "1. See at 'hostA.", "/var/log/libvirt/qemu/ledger.log", "2. ",
        "'reason=migrated', all of it is at 'hostB.", "virsh resume there. Else",
        "at 'hostB.rack-18.cluster.example.org' (virsh destroy, virsh undefine --keep-nvram)",
        "virsh start at 'hostA.", "3. Run virt-ferry recover: it closes run 20261124T101530-9f3a12bc." } },
    { advise_hung,
      { "recover 20261124T101530-9f3a12bc. Where 'hostA.rack", "address of 'hostB.rack", "ss -tK 'dst DEST",
        "dport <= :49215'. The guest then goes on there." } },
};

START_TEST(how_one_that_waits_on_either_host_goes_on_is_told_in_order)
    {
        struct move m = { .run = "20261124T101530-9f3a12bc", .name = "ledger" };
        struct error err = { 0 };
        const char *at = err.fix;

        (void)snprintf(m.survey.source_host, sizeof m.survey.source_host,
                       "hostA.rack-17.cluster.example.org");
        (void)snprintf(m.survey.dest_host, sizeof m.survey.dest_host, "hostB.rack-18.cluster.example.org");
        (void)left[_i].advise(&m, &err);
        for (size_t i = 0; i < TEST_ROWS(left[_i].pieces) && left[_i].pieces[i]; i++) {
            at = strstr(at, left[_i].pieces[i]);
            ck_assert_msg(at != NULL, "'%s' is not in its place: %s", left[_i].pieces[i], err.fix);
        }
    }
END_TEST

TEST_MAIN("recovery/advise",
          LOOP(what_both_hosts_told_and_does_not_settle_it_is_led_on_by_its_row, TEST_ROWS(settled_not)),
          LOOP(how_one_that_waits_on_either_host_goes_on_is_told_in_order, TEST_ROWS(left)),
          how_a_destination_learns_that_its_link_is_gone_is_told,
          LOOP(what_to_do_about_a_guest_on_neither_host_is_told_in_order, TEST_ROWS(gone)))
