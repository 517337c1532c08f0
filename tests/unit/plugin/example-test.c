/* SPDX-License-Identifier: Apache-2.0
 * The example plugin: it builds with the public header alone, loads, and does what its manual says. */
#include "plugin/call.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"

static const char *folder = "/srv/cluster/";
static const char *cluster = "rack-7";
static struct error err;

static const char *config(void *context, const char *section, const char *key)
{
    (void)context;
    if (!text_equal(section, "example"))
        return NULL;
    return text_equal(key, "folder") ? folder : text_equal(key, "cluster") ? cluster : NULL;
}

static const struct call_host host = { .host = "hostA", .config = config };

static void build_example(const struct build *b)
{
    char command[256];

    (void)snprintf(
        command, sizeof command,
        "env -u MAKEFLAGS make -s -C contrib/example-plugin FERRY_CFLAGS='-I../../core/plugin -Werror' "
        "OUT='%s/example.so'",
        b->folder);
    ck_assert_int_eq(build_run(command), 0);
    ck_assert_int_eq(chmod(build_path(b, "example.so"), 0755), 0);
    ck_assert_int_eq(registry_load(b->folder, &err), 0);
    ck_assert_uint_eq(registry_count(), 1);
    ck_assert_msg(!registry_at(0)->refused, "%s", registry_at(0)->refused);
}

static const struct {
    enum disk_type type;
    const char *source;
    const char *identity; /* NULL: not claimed; "": claimed, and cannot be identified */
} disks[] = {
    { DISK_FILE, "/srv/cluster/a/b.qcow2", "example:rack-7:a/b.qcow2" },
    { DISK_FILE, "/srv/cluster/..b", "example:rack-7:..b" },
    { DISK_FILE, "/srv/cluster/../etc/b", "" },
    { DISK_FILE, "/srv/cluster/a/..", "" },
    { DISK_FILE, "/srv/cluster/", NULL },
    { DISK_FILE, "/srv/cluster", NULL },
    { DISK_FILE, "/srv/clusters/b", NULL },
    { DISK_FILE, NULL, NULL },
    { DISK_BLOCK, "/srv/cluster/b", NULL },
};

START_TEST(a_disk_below_the_folder_is_claimed_and_identified)
    {
        struct build b = build_begin();
        const struct disk d = { .target = "vda", .type = disks[_i].type, .source = disks[_i].source };
        const struct ferry_disk seen = call_disk(&d, NULL);
        const struct plugin_entry *owner = NULL;
        const struct ferry_storage *driver;

        build_example(&b);
        driver = call_claim(&host, &d, NULL, &owner);
        ck_assert_int_eq(driver != NULL, disks[_i].identity != NULL);
        if (driver) {
            struct ferry_identity got = { .size = sizeof got };
            struct ferry_call call;
            int r;

            ck_assert_int_eq(call_begin(&call, &host, owner, driver->name, "vda", NULL, &err), 0);
            r = driver->identify(&call, &call_services, &seen, &got);
            ck_assert_int_eq(r == 0, disks[_i].identity[0] != '\0');
            ck_assert_int_eq(call.error_was_set, r < 0);
            if (r == 0)
                ck_assert_str_eq(got.identity, disks[_i].identity);
            call_done(&call);
        }
        build_end(&b);
    }
END_TEST

START_TEST(without_its_settings_it_claims_nothing)
    {
        struct build b = build_begin();
        const struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/srv/cluster/a" };

        build_example(&b);
        ck_assert_ptr_nonnull(call_claim(&host, &d, NULL, NULL));
        cluster = NULL;
        ck_assert_ptr_null(call_claim(&host, &d, NULL, NULL));
        cluster = "rack-7";
        folder = NULL;
        ck_assert_ptr_null(call_claim(&host, &d, NULL, NULL));
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/example", LOOP(a_disk_below_the_folder_is_claimed_and_identified, TEST_ROWS(disks)),
          without_its_settings_it_claims_nothing)
