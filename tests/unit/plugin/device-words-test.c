/* SPDX-License-Identifier: Apache-2.0
 * What a host says of a block device: its identity where it has one that is its own, and who uses it. */
#include "../../../plugins/local-block/device-words.c" /* NOLINT(bugprone-suspicious-include) */

#include "base/text.h"
#include "check-main.h"

#define GROUP "8Yq3Wc0vT5sKJmXbRz1uPdLe4nHgA7fo"
#define VOLUME "Q2wErTyUiOpAsDfGhJkLzXcVbNm09876"
#define LVM "dm=LVM-" GROUP VOLUME "\n"
#define WWN "600508b1001c3e5a7f00000000000001"

/* Kinds of devices that any host may reach: what is not known of them was not read. */
static bool may_be_elsewhere(const char *says)
{
    return strncmp(says, "at=dm-", 6) == 0 || strncmp(says, "at=rbd", 6) == 0 ||
           strncmp(says, "at=nbd", 6) == 0 || strncmp(says, "at=drbd", 7) == 0 ||
           strncmp(says, "at=md", 5) == 0;
}

static const struct {
    const char *says, *identity; /* NULL: none */
} identities[] = {
    { "at=rbd0\n", NULL },
    { "at=nbd15\n", NULL },
    { "at=drbd1\n", NULL },
    { "at=md127\n", NULL },
    { "at=sda\nwwid=naa." WWN "\n", "wwn:" WWN },
    { "at=sda\nwwid=naa.600508B1001C3E5A7F00000000000001\n", "wwn:" WWN },
    { "at=dm-0\ndm=mpath-3" WWN "\n", "wwn:" WWN },
    { "at=sda\npart=3\nwwid=naa." WWN "\n", "wwn:" WWN ":part3" },
    { "at=sda\nwwid=eui.0025385b71b01234\n", "eui:0025385b71b01234" },
    { "at=dm-0\ndm=mpath-20025385b71b01234\n", "eui:0025385b71b01234" },
    { "at=nvme0n1\nwwid=uuid.7ad8ab1c-5a5e-4e1c-9b53-000000000001\n",
      "uuid:7ad8ab1c-5a5e-4e1c-9b53-000000000001" },
    { "at=nvme0n1\nwwid=nvme.1b36-5336473559375a38-51454d55-00000001\n",
      "nvme:1b36-5336473559375a38-51454d55-00000001" },
    { "at=sda\nwwid=t10.ATA     ST1000DM003-1CH162                       Z1D5ABCD\n",
      "t10:ATA_ST1000DM003-1CH162_Z1D5ABCD" },
    { "at=dm-0\ndm=mpath-1ATA_ST1000DM003-1CH162_Z1D5ABCD\n", "t10:ATA_ST1000DM003-1CH162_Z1D5ABCD" },
    { "at=vda\nserial=web-data-0815\nvendor=0x1af4\n", "serial:virtio::web-data-0815" },
    { "at=nvme0n1\nserial=S3EWNX0J\nmodel=Samsung SSD 960\n", "serial::Samsung_SSD_960:S3EWNX0J" },
    { "at=dm-3\n" LVM "at=sda2\npart=2\nwwid=naa." WWN "\n", "lvm:" GROUP VOLUME "@wwn:" WWN ":part2" },
    /* in order, each once, and through a volume that is hidden */
    { "at=dm-3\n" LVM "at=dm-2\ndm=LVM-" GROUP VOLUME "-tdata\nat=sdc\nserial=bbbbbbb2\nat=sdb\n"
      "serial=aaaaaaa1\nat=sdc\nserial=bbbbbbb2\n",
      "lvm:" GROUP VOLUME "@serial:::aaaaaaa1@serial:::bbbbbbb2" },
    /* a disk that was cloned has LVM's uuids too */
    { "at=dm-3\n" LVM "at=vda2\npart=2\n", NULL },
    { "at=dm-3\n" LVM "at=sda\nwwid=naa." WWN "\nat=vdb\nserial=short\n", NULL },
    { "at=dm-3\n" LVM, NULL },
    { "at=dm-3\ndm=LVM-" GROUP "\nat=sda\nwwid=naa." WWN "\n", NULL },
    { "at=dm-3\ndm=LVM-" GROUP VOLUME "-real\nat=sda\nwwid=naa." WWN "\n", NULL },
    { "at=dm-0\ndm=CRYPT-LUKS2-abc-root\nserial=S3EWNX0J\n", NULL },
    { "at=dm-0\ndm=part1-mpath-3" WWN "\n", NULL },
    { "at=loop3\n", NULL },
    { "at=vda\n", NULL },
    { "at=sda\nwwid=naa.3333333000001bb0\n", NULL }, /* locally assigned */
    { "at=sda\nwwid=naa.5000000000000000\n", NULL },
    { "at=sda\nwwid=naa.600508b1001c3e5\n", NULL }, /* one digit short */
    { "at=sda\nwwid=naa.600508b1001c3e5z\n", NULL },
    { "at=sda\nwwid=t10.ATA     QEMU HARDDISK                           QM00001\n", NULL },
    { "at=sda\nwwid=t10.QEMU    QEMU HARDDISK   drive-scsi0-0-0-0\n", NULL },
    { "at=nvme0n1\nwwid=nvme.1b36-3030303030303030-51454d55-00000001\n", NULL },
    { "at=nvme0n1\nwwid=nvme.1b36-53364735\n", NULL },
    { "at=vda\nserial=web-data-\xff\n", NULL },
    { "at=sda\nwwid=naa." WWN "\x01\n", NULL },
    { "at=vda\nserial=0123456789abcdef\n", NULL },
    { "at=vda\nserial=00000000\n", NULL },
    { "at=vda\nserial=----0000\n", NULL },
    { "at=vda\nserial=seven77\n", NULL },
    { "at=vda\nserial=\n", NULL },
    { "at=vda\nserial=To Be Filled By O.E.M.\n", NULL },
    { "at=dm-0\ndm=mpath-1ATA_QEMU_HARDDISK_QM00001\n", NULL },
};

START_TEST(an_identity_is_a_word_that_the_device_has_alone)
    {
        OWNED_TEXT answer = { 0 };
        struct device d;

        text_add(&answer, "type=block\n%suse=seen\nend=1\n", identities[_i].says);
        ck_assert(device_of_answer(text_of(&answer), &d));
        ck_assert_str_eq(d.identity, identities[_i].identity ? identities[_i].identity : "");
        ck_assert(d.evidence[0]);
        ck_assert_int_eq(d.was_read, identities[_i].identity || !may_be_elsewhere(identities[_i].says));
        ck_assert_int_eq(d.use, DEVICE_FREE);
    }
END_TEST

START_TEST(the_first_device_gives_the_sizes_and_no_other)
    {
        struct device d;

        ck_assert(device_of_answer("type=block\nat=dm-3\nsectors=2048\nblock=4096\n" LVM
                                   "at=sda\nsectors=9999\nblock=512\nend=1\n",
                                   &d));
        ck_assert_uint_eq(d.bytes, 1048576);
        ck_assert_uint_eq(d.block_bytes, 4096);
        ck_assert_int_eq(d.use, DEVICE_USE_NOT_KNOWN);
        ck_assert(
            device_of_answer("type=block\nat=dm-3\n" LVM "at=sda\nsectors=9999\nblock=512\nend=1\n", &d));
        ck_assert_uint_eq(d.bytes, UINT64_MAX);
        ck_assert_uint_eq(d.block_bytes, 0);
        ck_assert(device_of_answer("type=block\nat=sda\nsectors=9x\nend=1\n", &d));
        ck_assert_uint_eq(d.bytes, UINT64_MAX);
    }
END_TEST

static const struct {
    const char *says, *by;
} uses[] = {
    { "holder=dm-1\n", "device 'dm-1' is built on it" },
    { "mount=/srv\nuse=seen\n", "it is mounted at '/srv'" },
    { "mount=/sr\xc3\n", "it is mounted at '/sr?'" },
    { "use=seen\nmount=/srv\n", "it is mounted at '/srv'" },
    { "swap=/dev/sda\n", "'/dev/sda' is swap" },
    { "open=/proc/7/fd/4\nuse=seen\n", "a process has it open: /proc/7/fd/4" },
};

START_TEST(whoever_uses_it_is_named)
    {
        OWNED_TEXT answer = { 0 };
        struct device d;

        text_add(&answer, "type=block\nat=sda\n%send=1\n", uses[_i].says);
        ck_assert(device_of_answer(text_of(&answer), &d));
        ck_assert_int_eq(d.use, DEVICE_IN_USE);
        ck_assert_str_eq(d.used_by, uses[_i].by);
    }
END_TEST

START_TEST(an_answer_without_its_end_is_none)
    {
        struct device d;

        ck_assert(!device_of_answer("", &d));
        ck_assert(!device_of_answer("type=block\nat=sda\nwwid=naa." WWN "\nuse=seen\n", &d));
        ck_assert_str_eq(d.identity, "");
        ck_assert_int_eq(d.what, DEVICE_NOT_KNOWN);
        ck_assert(device_of_answer("type=none\nend=1\n", &d));
        ck_assert_int_eq(d.what, DEVICE_NOTHING);
        ck_assert(device_of_answer("type=other\nend=1\n", &d));
        ck_assert_int_eq(d.what, DEVICE_OTHER);
        ck_assert(!d.was_read);
    }
END_TEST

static const struct {
    const char *block, *serial, *identity;
} nodes[] = {
    { "/dev/sda", "3" WWN, "wwn:" WWN },
    { "/dev/vdb", "web-data-0815", "serial:virtio::web-data-0815" },
    /* udev's own words, which sysfs does not have */
    { "/dev/sda", "QEMU_HARDDISK_QM00001", "" },
    { "/dev/sda", "ST1000DM003-1CH162_Z1D5ABCD", "" },
    { "/dev/vdb", "short", "" },
    { "/dev/sda", NULL, "" },
};

START_TEST(of_a_node_device_only_what_sysfs_has_too_is_taken)
    {
        struct device d = { 0 };

        device_of_node(nodes[_i].block, nodes[_i].serial, &d);
        ck_assert_str_eq(d.identity, nodes[_i].identity);
        ck_assert_int_eq(d.was_read, *nodes[_i].identity != '\0');
        ck_assert(d.evidence[0]);
    }
END_TEST

TEST_MAIN("plugin/device-words", LOOP(an_identity_is_a_word_that_the_device_has_alone, TEST_ROWS(identities)),
          the_first_device_gives_the_sizes_and_no_other, LOOP(whoever_uses_it_is_named, TEST_ROWS(uses)),
          an_answer_without_its_end_is_none,
          LOOP(of_a_node_device_only_what_sysfs_has_too_is_taken, TEST_ROWS(nodes)))
