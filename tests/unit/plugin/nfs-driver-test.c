/* SPDX-License-Identifier: Apache-2.0
 * The nfs driver as it is loaded, on hosts that are only said to be: which disks it takes, and what it says
 * where it need ask no server. */
#include "plugin/call.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <sys/time.h>

#define ROOT "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define MOUNT(options)                                                                                       \
    "40 22 0:39 / /mnt/disks rw,relatime - nfs4 storage:/export rw,vers=4.2," options "addr=127.0.0.1\n"

/* What the host's commands print; NULL: none can be run there. */
static const char *mounts, *addresses, *room;
static unsigned names_asked;
static struct error err;

static int run(void *context, struct ferry_command *command, struct error *e)
{
    const char *script = command->argv[2];
    const char *says = strstr(script, "mountinfo") ? mounts
                       : strstr(script, "ahosts")  ? addresses
                       : strstr(script, "stat -f") ? room
                                                   : NULL;

    (void)context;
    names_asked += strstr(script, "ahosts") != NULL;
    if (!says)
        return error_set(e, ERROR_REFUSED, "hostB", "no command can be run there");
    for (const char *const *word = command->argv; *word; word++)
        for (const char *c = *word; *c; c++)
            ck_assert_msg(*c >= ' ' && *c <= '~' && *c != '\'' && *c != '!', "a shell may misread '%s'",
                          *word);
    command->exit_code = 0;
    (void)snprintf(command->output, command->output_room, "%s", says);
    return 0;
}

static const struct call_host host = { .host = "hostB", .run = run };

static void load(void)
{
    char folder[PATH_MAX];

    ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
    (void)snprintf(folder, sizeof folder, "%s/plugins", getenv("FERRY_BUILD"));
    ck_assert_int_eq(registry_load(folder, &err), 0);
    ck_assert_ptr_nonnull(registry_storage("nfs", NULL));
}

#define SOMEWHERE "nfs://10.0.0.5/fsid=1/fileid=2"

static const struct {
    struct disk disk;
    const char *mounts, *at_source, *driver;
} claims[] = {
    { { .type = DISK_NETWORK, .protocol = "nfs", .source = "/export/a" }, NULL, NULL, "nfs" },
    { { .type = DISK_NETWORK, .protocol = "nfs" }, NULL, NULL, NULL },
    { { .type = DISK_NETWORK, .protocol = "rbd", .source = "a/b" }, NULL, NULL, NULL },
    { { .type = DISK_NETWORK, .source = "a/b" }, NULL, NULL, NULL },
    { { .type = DISK_FILE, .source = "/mnt/disks/a" }, ROOT MOUNT(""), NULL, "nfs" },
    { { .type = DISK_FILE, .source = "/mnt/disks/deep/er/a" }, ROOT MOUNT(""), NULL, "nfs" },
    { { .type = DISK_FILE, .source = "/mnt/disks" }, ROOT MOUNT(""), NULL, "local-block" },
    { { .type = DISK_FILE, .source = "/mnt/disks2/a" }, ROOT MOUNT(""), NULL, "local-block" },
    { { .type = DISK_FILE, .source = "/mnt/disks/a" }, ROOT, NULL, "local-block" },
    { { .type = DISK_FILE, .source = "/mnt/disks/a" }, NULL, NULL, "local-block" },
    /* it lies on NFS at the source: the destination is to be looked at by one who knows of mounts */
    { { .type = DISK_FILE, .source = "/mnt/disks/a" }, ROOT, SOMEWHERE, "nfs" },
    { { .type = DISK_FILE, .source = "/mnt/disks/a" }, ROOT, "rbd:1", "local-block" },
    { { .type = DISK_BLOCK, .source = "/dev/sda" }, ROOT MOUNT(""), NULL, NULL },
};

START_TEST(network_disks_are_its_own_and_files_where_a_mount_can_be_seen)
    {
        struct disk d = claims[_i].disk;
        const struct ferry_storage *driver;

        load();
        d.target = "vda";
        mounts = claims[_i].mounts;
        driver = call_claim(&host, &d, claims[_i].at_source, NULL);
        /* What other drivers take is theirs to test. */
        if (claims[_i].driver && strcmp(claims[_i].driver, "nfs") == 0)
            ck_assert(driver && strcmp(driver->name, "nfs") == 0);
        else
            ck_assert(!driver || strcmp(driver->name, "nfs") != 0);
    }
END_TEST

struct said {
    struct ferry_identity identity;
    struct ferry_image image;
    struct facts *facts;
    char evidence[512], directory[256];
    bool has_identity, has_directory;
};

static void ask(const struct disk *d, const char *at_source, struct said *ret)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver;
    const struct ferry_disk seen = call_disk(d, at_source);
    struct ferry_call call;

    load();
    driver = registry_storage("nfs", &owner);
    *ret = (struct said){ .identity.size = sizeof ret->identity,
                          .image.size = sizeof ret->image,
                          .facts = facts_new() };
    ck_assert_int_eq(call_begin(&call, &host, owner, "nfs", "vda", ret->facts, &err), 0);
    ck_assert_int_eq(driver->identify(&call, &call_services, &seen, &ret->identity), 0);
    ck_assert_int_eq(driver->inspect(&call, &call_services, &seen, &ret->image), 0);
    ck_assert_int_eq(driver->check(&call, &call_services, &seen), 0);
    (void)snprintf(ret->evidence, sizeof ret->evidence, "%s",
                   ret->identity.evidence ? ret->identity.evidence : "");
    (void)snprintf(ret->directory, sizeof ret->directory, "%s",
                   ret->identity.directory ? ret->identity.directory : "");
    ret->has_identity = ret->identity.identity != NULL;
    call_done(&call);
}

static const struct finding *finding(const struct said *s, const char *id)
{
    for (size_t i = 0; i < s->facts->findings.n; i++)
        if (text_equal(s->facts->findings.list[i].id, id))
            return &s->facts->findings.list[i];
    return NULL;
}

START_TEST(a_bare_folder_beneath_a_mount_that_is_missing_is_refused_and_proves_nothing)
    {
        const struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/mnt/disks/a" };
        struct said s;

        mounts = ROOT;
        ask(&d, SOMEWHERE, &s);
        ck_assert(!s.has_identity);
        ck_assert_str_eq(s.directory, "");
        ck_assert(strstr(s.evidence, "lies on no NFS mount"));
        ck_assert_uint_eq(s.image.present, 2);
        ck_assert_ptr_nonnull(finding(&s, "nfs-not-mounted"));
        ck_assert_int_eq(finding(&s, "nfs-not-mounted")->severity, REFUSES);
        ck_assert(strstr(finding(&s, "nfs-not-mounted")->fix, "mount '/mnt/disks'"));
        facts_free(s.facts);
    }
END_TEST

START_TEST(a_mount_that_cannot_be_seen_is_not_known_and_the_folder_may_prove_it)
    {
        const struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/mnt/disks/a" };
        struct said s;

        mounts = NULL;
        ask(&d, SOMEWHERE, &s);
        ck_assert(!s.has_identity);
        ck_assert_str_eq(s.directory, "/mnt/disks");
        ck_assert_ptr_null(finding(&s, "nfs-not-mounted"));
        ck_assert_ptr_nonnull(finding(&s, "nfs-not-known"));
        ck_assert_int_eq(finding(&s, "nfs-not-known")->severity, WARNS);
        facts_free(s.facts);
    }
END_TEST

static const struct {
    const char *options, *id;
    enum severity severity;
} dangers[] = {
    { "soft,", "nfs-soft-mount", WARNS },
    { "nolock,", "nfs-own-locks", WARNS },
    { "local_lock=all,", "nfs-own-locks", WARNS },
    { "ro,", "nfs-read-only", REFUSES },
};

START_TEST(a_dangerous_mount_option_is_a_finding)
    {
        const struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/mnt/disks/a" };
        struct said s;
        char table[512];

        (void)snprintf(table, sizeof table, ROOT MOUNT("%s"), dangers[_i].options);
        mounts = table;
        ask(&d, NULL, &s);
        ck_assert_ptr_nonnull(finding(&s, dangers[_i].id));
        ck_assert_int_eq(finding(&s, dangers[_i].id)->severity, dangers[_i].severity);
        ck_assert_uint_eq(s.facts->findings.n, 2); /* and the address, which is a loopback one */
        facts_free(s.facts);
    }
END_TEST

/* Where firewalls let version 4 through alone, the portmapper is silent and the mount is well. */
START_TEST(a_server_that_answers_the_hosts_kernel_is_not_silent)
    {
        struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/mnt/disks/a" };
        struct said s;

        mounts = "40 22 0:39 / /mnt/disks rw - nfs4 192.0.2.7:/export rw,vers=4.2,addr=192.0.2.7\n";
        room = _i == 1 ? "1234\n" : NULL;
        if (_i == 2)
            d = (struct disk){ .target = "vda",
                               .type = DISK_NETWORK,
                               .protocol = "nfs",
                               .server = "192.0.2.7",
                               .source = "/export/a" };
        ask(&d, NULL, &s);
        ck_assert(!s.has_identity);
        ck_assert_uint_eq(s.image.present, 2);
        ck_assert_uint_eq(s.image.is_silent, _i != 1);
        ck_assert(finding(&s, "nfs-silent") || finding(&s, "nfs-not-answering"));
        facts_free(s.facts);
    }
END_TEST

static const struct {
    const char *server, *addresses, *evidence;
} servers[] = {
    { "127.0.0.1", NULL, "loopback" },
    { "::1", NULL, "loopback" },
    { "169.254.1.1", NULL, "link-local" },
    { "storage", NULL, "could not be asked there" },
    { "storage", "", "no address" },
    { "storage", "127.0.1.1  STREAM storage\n", "loopback" },
    { NULL, NULL, "not named" },
    { "/run/socket", NULL, "not named" },
    { "a\nb", "10.0.0.5 STREAM\n", "not named" },
};

START_TEST(a_server_that_could_be_another_on_each_host_proves_nothing)
    {
        const struct disk d = { .target = "vda",
                                .type = DISK_NETWORK,
                                .protocol = "nfs",
                                .server = servers[_i].server,
                                .source = "/export/a",
                                .user = "+0",
                                .group = "+0" };
        struct said s;

        addresses = servers[_i].addresses;
        ask(&d, NULL, &s);
        ck_assert(!s.has_identity);
        ck_assert_str_eq(s.directory, "");
        ck_assert_msg(strstr(s.evidence, servers[_i].evidence), "%s", s.evidence);
        ck_assert_uint_eq(s.image.present, 2);
        ck_assert_uint_eq(s.image.is_silent, 0);
        ck_assert_ptr_nonnull(finding(&s, "nfs-not-known"));
        facts_free(s.facts);
    }
END_TEST

/* Whoever asks a name server that does not answer waits for seconds. */
START_TEST(a_name_that_many_disks_have_is_asked_for_once)
    {
        const struct plugin_entry *owner = NULL;
        static const char *const images[] = { "/a/a", "/a/b", "/b/a" };
        struct disk d = { .target = "vda", .type = DISK_NETWORK, .protocol = "nfs", .server = "storage" };
        struct ferry_disk seen[3];
        const struct ferry_disk *all[3];
        const struct ferry_storage *driver;
        struct ferry_call call;

        addresses = _i ? "127.0.1.1 STREAM storage\n" : NULL;
        load();
        driver = registry_storage("nfs", &owner);
        ck_assert_int_eq(call_begin(&call, &host, owner, "nfs", "vda", NULL, &err), 0);
        for (int i = 0; i < 3; i++) {
            d.source = images[i];
            seen[i] = call_disk(&d, NULL);
            all[i] = &seen[i];
        }
        driver->look_ahead(&call, &call_services, all, 3);
        for (int i = 0; i < 3; i++) {
            struct ferry_identity identity = { .size = sizeof identity };

            ck_assert_int_eq(driver->identify(&call, &call_services, all[i], &identity), 0);
            ck_assert_ptr_null(identity.identity);
        }
        ck_assert_uint_eq(names_asked, 1);
        call_done(&call);
    }
END_TEST

TEST_MAIN("plugin/nfs-driver",
          LOOP(network_disks_are_its_own_and_files_where_a_mount_can_be_seen, TEST_ROWS(claims)),
          a_bare_folder_beneath_a_mount_that_is_missing_is_refused_and_proves_nothing,
          a_mount_that_cannot_be_seen_is_not_known_and_the_folder_may_prove_it,
          LOOP(a_dangerous_mount_option_is_a_finding, TEST_ROWS(dangers)),
          LOOP(a_server_that_could_be_another_on_each_host_proves_nothing, TEST_ROWS(servers)),
          LOOP(a_server_that_answers_the_hosts_kernel_is_not_silent, 3),
          LOOP(a_name_that_many_disks_have_is_asked_for_once, 2))
