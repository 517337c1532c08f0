/* SPDX-License-Identifier: Apache-2.0
 * The block driver as it is loaded, on a host whose commands are only said to have been run, and on libvirt's
 * own test host, which has pools in memory: volumes are made in a logical pool there, and taken away. */
#include "plugin/call.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define VOLUME_BYTES (8u << 20)

static const char *says; /* NULL: no command can be run there */
static const char *input_seen;
static struct error err;
static struct text journalled;
static bool journal_refuses;

/* What was written into the device, which is then what is read of it. */
static struct {
    char path[64];
    unsigned char bytes[1 << 20];
    size_t n;
} device;

static int write_device(const struct ferry_command *command)
{
    size_t front;

    if (!command->input)
        return -1;
    front = strcspn(command->input, "\n");
    ck_assert_uint_lt(front, sizeof device.path);
    memcpy(device.path, command->input, front);
    device.path[front] = '\0';
    device.n = command->input_bytes - front - 1;
    ck_assert_uint_le(device.n, sizeof device.bytes);
    memcpy(device.bytes, command->input + front + 1, device.n);
    return 0;
}

static int read_device(struct ferry_command *command)
{
    command->output_bytes = device.n < 4096 ? device.n : 4096;
    ck_assert_uint_gt(command->output_room, command->output_bytes);
    memcpy(command->output, device.bytes, command->output_bytes);
    command->exit_code = device.n ? 0 : 1;
    return 0;
}

static int run(void *context, struct ferry_command *command, struct error *e)
{
    static char input[8192];
    const char *script = command->argv[2];

    (void)context;
    if (!says || !script)
        return error_set(e, ERROR_REFUSED, "hostB", "no command can be run there");
    for (const char *const *word = command->argv; *word; word++)
        for (const char *c = *word; *c; c++)
            ck_assert_msg(*c >= ' ' && *c <= '~' && *c != '\'' && *c != '!', "a shell may misread '%s'",
                          *word);
    if (strstr(script, "dd of="))
        return write_device(command);
    if (strstr(script, "head -c"))
        return read_device(command);
    (void)snprintf(input, sizeof input, "%s", command->input);
    input_seen = input;
    command->exit_code = 0;
    (void)snprintf(command->output, command->output_room, "%s", says);
    return 0;
}

static int journal(void *context, const char *driver, const char *what, const char *place, const char *name,
                   const char *identity, struct error *e)
{
    (void)context;
    ck_assert_str_eq(driver, "block");
    if (journal_refuses)
        return error_set(e, ERROR_SYSTEM, NULL, "no room for the journal");
    text_add(&journalled, "%s %s %s %s\n", what, place, name, identity ? identity : "-");
    return 0;
}

static struct call_host host = { .host = "hostB", .run = run, .journal = journal };

static const struct ferry_storage *load(const struct plugin_entry **owner)
{
    char folder[PATH_MAX];

    ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
    (void)snprintf(folder, sizeof folder, "%s/plugins", getenv("FERRY_BUILD"));
    ck_assert_int_eq(registry_load(folder, &err), 0);
    ck_assert_ptr_nonnull(registry_storage("block", owner));
    return registry_storage("block", owner);
}

static const struct {
    struct disk disk;
    const char *driver;
} claims[] = {
    { { .type = DISK_BLOCK, .source = "/dev/sda" }, "block" },
    { { .type = DISK_BLOCK, .source = "/dev/sr0", .device = DEVICE_CDROM, .readonly = true }, "block" },
    { { .type = DISK_BLOCK }, NULL },
    { { .type = DISK_FILE, .source = "/dev/sda" }, "local-block" },
    { { .type = DISK_VOLUME, .source = "/dev/sda" }, NULL },
};

START_TEST(a_disk_of_type_block_is_its_own)
    {
        struct disk d = claims[_i].disk;
        const struct ferry_storage *driver;

        (void)load(NULL);
        d.target = "vda";
        driver = call_claim(&host, &d, NULL, NULL);
        ck_assert_str_eq(driver ? driver->name : "none", claims[_i].driver ? claims[_i].driver : "none");
    }
END_TEST

struct said {
    struct ferry_identity identity;
    struct ferry_image image;
    char identity_text[512], evidence[512], used_by[256];
    int result;
};

static void ask(const char *source, const char *format, uint32_t flags, struct said *ret)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = load(&owner);
    const struct disk d = { .target = "vda", .type = DISK_BLOCK, .source = source, .format = format };
    struct ferry_disk seen = call_disk(&d, NULL);
    struct ferry_call call;

    seen.flags |= flags;
    *ret = (struct said){ .identity.size = sizeof ret->identity, .image.size = sizeof ret->image };
    ck_assert_int_eq(call_begin(&call, &host, owner, "block", "vda", NULL, &err), 0);
    ret->result = driver->identify(&call, &call_services, &seen, &ret->identity);
    if (ret->result == 0)
        ret->result = driver->inspect(&call, &call_services, &seen, &ret->image);
    (void)snprintf(ret->identity_text, sizeof ret->identity_text, "%s",
                   ret->identity.identity ? ret->identity.identity : "");
    (void)snprintf(ret->evidence, sizeof ret->evidence, "%s",
                   ret->identity.evidence ? ret->identity.evidence : "");
    (void)snprintf(ret->used_by, sizeof ret->used_by, "%s", ret->image.in_use_by ? ret->image.in_use_by : "");
    call_done(&call);
}

START_TEST(what_the_host_says_of_a_device_is_told)
    {
        struct said s;

        says = "type=block\nat=sda\nsectors=2048\nblock=512\nwwid=naa.600508b1001c3e5a7f00000000000001\n"
               "mount=/srv\nuse=seen\nend=1\n";
        ask("/dev/sda", "raw", FERRY_DISK_AT_DEST, &s);
        ck_assert_int_eq(s.result, 0);
        ck_assert_str_eq(input_seen, "/dev/sda\nuse\n");
        ck_assert_str_eq(s.identity_text, "wwn:600508b1001c3e5a7f00000000000001");
        ck_assert_ptr_null(s.identity.directory); /* the nonce of folders is no proof of devices */
        ck_assert_uint_eq(s.identity.was_read, 1);
        ck_assert_uint_eq(s.image.present, 1);
        ck_assert_uint_eq(s.image.is_device, 1);
        ck_assert_uint_eq(s.image.capacity_bytes, 1048576);
        ck_assert_uint_eq(s.image.block_bytes, 512);
        ck_assert_uint_eq(s.image.in_use, 1);
        ck_assert_str_eq(s.used_by, "it is mounted at '/srv'");
    }
END_TEST

START_TEST(a_device_without_a_word_of_its_own_proves_nothing_and_says_so)
    {
        struct said s;

        says = "type=block\nat=loop3\nsectors=2048\nblock=512\nend=1\n";
        ask("/dev/loop3", "raw", 0, &s);
        ck_assert_str_eq(input_seen, "/dev/loop3\n\n"); /* the source's own QEMU uses it: nobody asks */
        ck_assert_str_eq(s.identity_text, "");
        ck_assert_uint_eq(s.identity.was_read, 1);
        ck_assert(strstr(s.evidence, "'loop3' has no WWN"));
        ck_assert_uint_eq(s.image.in_use, 0);
    }
END_TEST

START_TEST(a_file_in_the_place_of_a_device_is_none)
    {
        struct said s;

        says = "type=other\nend=1\n";
        ask("/srv/file", "raw", FERRY_DISK_AT_DEST, &s);
        ck_assert_uint_eq(s.image.present, 1);
        ck_assert_uint_eq(s.image.is_device, 2);
        ck_assert(strstr(s.evidence, "no block device"));
        says = "type=none\nend=1\n";
        ask("/dev/nothing", "raw", FERRY_DISK_AT_DEST, &s);
        ck_assert_uint_eq(s.image.present, 0);
        ask("relative", "raw", 0, &s);
        ck_assert_int_eq(s.result, -1);
        ask("/dev/a\nb", "raw", 0, &s);
        ck_assert_int_eq(s.result, -1);
    }
END_TEST

START_TEST(where_nothing_can_be_asked_nothing_is_known)
    {
        struct said s;

        says = NULL;
        ask("/dev/vg0/elsewhere", "raw", FERRY_DISK_AT_DEST, &s);
        ck_assert_int_eq(s.result, 0);
        ck_assert_uint_eq(s.image.present, 2);
        ck_assert_uint_eq(s.identity.was_read, 0);
        ck_assert_uint_eq(s.image.in_use, 0);
    }
END_TEST

/* ---- on libvirt's test host ---- */

static virStoragePoolPtr begin_pool(void)
{
    virStoragePoolPtr pool;

    host.libvirt = virConnectOpen("test:///default");
    ck_assert_ptr_nonnull(host.libvirt);
    pool = virStoragePoolCreateXML(host.libvirt,
                                   "<pool type='logical'><name>vg0</name><source><name>vg0</name></source>"
                                   "<target><path>/dev/vg0</path></target></pool>",
                                   0);
    ck_assert_msg(pool != NULL, "%s", virGetLastErrorMessage());
    text_done(&journalled);
    says = NULL;
    journal_refuses = false;
    return pool;
}

static void end_pool(virStoragePoolPtr pool)
{
    (void)virStoragePoolFree(pool);
    (void)virConnectClose(host.libvirt);
    host.libvirt = NULL;
    text_done(&journalled);
}

static uint64_t device_bytes; /* that a new device has to have */
static bool is_onto;

static int create(const char *source, const char *format, uint64_t bytes)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = load(&owner);
    const struct disk d = { .target = "vda", .type = DISK_BLOCK, .source = source, .format = format };
    const struct ferry_disk disk = call_disk(&d, NULL);
    const struct ferry_new_image image = { .size = sizeof image,
                                           .disk = &disk,
                                           .capacity_bytes = bytes,
                                           .device_bytes = device_bytes,
                                           .is_onto = is_onto };
    struct ferry_call call;
    int r;

    err = (struct error){ 0 };
    ck_assert_int_eq(call_begin(&call, &host, owner, "block", "vda", NULL, &err), 0);
    r = driver->create(&call, &call_services, &image);
    ck_assert(r == 0 || call.error_was_set);
    call_done(&call);
    return r;
}

static int take_away(const char *name, const char *identity)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = load(&owner);
    struct ferry_call call;
    int r;

    ck_assert_int_eq(call_begin(&call, &host, owner, "block", "vda", NULL, &err), 0);
    r = driver->remove(&call, &call_services, "volume", "/dev/vg0", name, identity);
    call_done(&call);
    return r;
}

START_TEST(a_volume_is_made_in_the_logical_pool_of_its_folder_and_taken_away_again)
    {
        virStoragePoolPtr pool = begin_pool();
        struct said s;

        ask("/dev/vg0/new", "raw", FERRY_DISK_AT_DEST, &s);
        ck_assert_uint_eq(s.image.present, 0); /* the pool does not list it */
        ck_assert_uint_ne(s.image.free_bytes, FERRY_NOT_KNOWN);
        ck_assert_int_eq(create("/dev/vg0/new", "raw", VOLUME_BYTES), 0);
        ck_assert_str_eq(text_of(&journalled),
                         "volume /dev/vg0 new -\nvolume /dev/vg0 new lv:/dev/vg0/new\n");
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 1);
        /* exclusively */
        ck_assert_int_eq(create("/dev/vg0/new", "raw", VOLUME_BYTES), -1);
        ck_assert(strstr(err.what, "stands at '/dev/vg0/new' already"));
        ck_assert_int_eq(take_away("new", NULL), 1);
        ck_assert_int_eq(take_away("new", "lv:another"), 1);
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 1);
        ck_assert_int_eq(take_away("new", "lv:/dev/vg0/new"), 0);
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 0);
        ck_assert_int_eq(take_away("new", "lv:/dev/vg0/new"), 0);
        end_pool(pool);
    }
END_TEST

START_TEST(nothing_is_made_before_the_journal_or_outside_of_a_logical_pool)
    {
        virStoragePoolPtr pool = begin_pool();

        journal_refuses = true;
        ck_assert_int_eq(create("/dev/vg0/new", "raw", VOLUME_BYTES), -1);
        journal_refuses = false;
        ck_assert_int_eq(create("/dev/vg0/new", "qcow2", VOLUME_BYTES), -1);
        ck_assert_int_eq(create("/dev/vg1/new", "raw", VOLUME_BYTES), -1);
        ck_assert(err.fix[0] != '\0');
        ck_assert_int_eq(create("/default-pool/new", "raw", VOLUME_BYTES), -1); /* a pool of files */
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 0);
        ck_assert_str_eq(text_of(&journalled), "");
        end_pool(pool);
    }
END_TEST

#define SEEN "type=block\nat=dm-1\nsectors=16384\nblock=512\n"

START_TEST(a_qcow2_image_is_made_in_the_device_that_stands_there_unless_it_is_used_or_too_small)
    {
        struct said s;

        is_onto = true;
        device_bytes = VOLUME_BYTES;
        says = SEEN "use=seen\nend=1\n";
        memset(&device, 0xff, sizeof device);
        ck_assert_int_eq(create("/dev/vg0/there", "qcow2", 16 * VOLUME_BYTES), 0);
        ck_assert_str_eq(device.path, "/dev/vg0/there");
        /* The table of clusters stands behind the head, and is zero whatever the device held. */
        ck_assert_uint_eq(device.n, 4 * 65536);
        ck_assert_uint_eq(device.bytes[3 * 65536] | device.bytes[4 * 65536 - 1], 0);
        ck_assert_str_eq(text_of(&journalled), "");
        ask("/dev/vg0/there", "qcow2", 0, &s);
        ck_assert_uint_eq(s.image.head_read, 1);
        ck_assert_uint_eq(s.image.capacity_bytes, 16 * VOLUME_BYTES);
        ck_assert_uint_eq(s.image.device_bytes, VOLUME_BYTES);
        /* At the destination it is another's, and only its length is told. */
        ask("/dev/vg0/there", "qcow2", FERRY_DISK_AT_DEST, &s);
        ck_assert_uint_eq(s.image.head_read, 0);
        ck_assert_uint_eq(s.image.capacity_bytes, FERRY_NOT_KNOWN);
        ck_assert_uint_eq(s.image.device_bytes, VOLUME_BYTES);
        device.n = 0;
        device_bytes = VOLUME_BYTES + 1;
        ck_assert_int_eq(create("/dev/vg0/there", "qcow2", 16 * VOLUME_BYTES), -1);
        device_bytes = VOLUME_BYTES;
        says = SEEN "open=/proc/7/fd/3\nuse=seen\nend=1\n";
        ck_assert_int_eq(create("/dev/vg0/used", "qcow2", 16 * VOLUME_BYTES), -1);
        says = "type=other\nend=1\n";
        ck_assert_int_eq(create("/dev/vg0/file", "qcow2", 16 * VOLUME_BYTES), -1);
        says = SEEN "use=seen\nend=1\n";
        ck_assert_int_eq(create("/dev/vg0/raw", "raw", VOLUME_BYTES), -1); /* QEMU alone writes over it */
        ck_assert_uint_eq(device.n, 0);
        is_onto = false;
    }
END_TEST

START_TEST(a_new_volume_holds_a_qcow2_image_and_may_be_longer_than_asked_for)
    {
        virStoragePoolPtr pool = begin_pool();

        says = SEEN "end=1\n";
        device.n = 0;
        device_bytes = VOLUME_BYTES;
        ck_assert_int_eq(create("/dev/vg0/new", "qcow2", 16 * VOLUME_BYTES), 0);
        ck_assert_str_eq(device.path, "/dev/vg0/new");
        ck_assert_uint_eq(device.n, 4 * 65536);
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 1);
        ck_assert_int_eq(take_away("new", "lv:/dev/vg0/new"), 0);
        /* Where no command can be run libvirt would send it, and its test host cannot: what was made is in
         * the journal, for who undoes it. */
        says = NULL;
        ck_assert_int_eq(create("/dev/vg0/new", "qcow2", 16 * VOLUME_BYTES), -1);
        ck_assert(strstr(err.what, "could not write an empty qcow2 image into the device"));
        ck_assert_int_eq(take_away("new", "lv:/dev/vg0/new"), 0);
        ck_assert_int_eq(virStoragePoolNumOfVolumes(pool), 0);
        device_bytes = 0;
        end_pool(pool);
    }
END_TEST

TEST_MAIN("plugin/device-driver", LOOP(a_disk_of_type_block_is_its_own, TEST_ROWS(claims)),
          what_the_host_says_of_a_device_is_told,
          a_device_without_a_word_of_its_own_proves_nothing_and_says_so,
          a_file_in_the_place_of_a_device_is_none, where_nothing_can_be_asked_nothing_is_known,
          a_volume_is_made_in_the_logical_pool_of_its_folder_and_taken_away_again,
          nothing_is_made_before_the_journal_or_outside_of_a_logical_pool,
          a_qcow2_image_is_made_in_the_device_that_stands_there_unless_it_is_used_or_too_small,
          a_new_volume_holds_a_qcow2_image_and_may_be_longer_than_asked_for)
