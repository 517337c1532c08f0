/* SPDX-License-Identifier: Apache-2.0
 * Settings from two files and the environment: which one wins, and what is refused with which words. */
#include "base/text.h"
#include "check-main.h"
#include "facts/map.h"
#include "state/config.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64], system_file[96], user_file[96];

static void put(const char *path, const char *content)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(content, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* NULL = no such file. */
static void world(const char *system_content, const char *user_content)
{
    (void)snprintf(folder, sizeof folder, "/tmp/ferry-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(system_file, sizeof system_file, "%s/system.conf", folder);
    (void)snprintf(user_file, sizeof user_file, "%s/virt-ferry.conf", folder);
    (void)setenv("VIRT_FERRY_CONF", system_file, 1);
    (void)setenv("XDG_CONFIG_HOME", folder, 1);
    if (system_content)
        put(system_file, system_content);
    if (user_content)
        put(user_file, user_content);
}

static void world_ends(void)
{
    (void)unlink(system_file);
    (void)rmdir(system_file);
    (void)unlink(user_file);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct config *load(void)
{
    struct error err = { 0 };
    struct config *c = config_load(&err);

    ck_assert_msg(c != NULL, "%s (%s)", err.what, err.why);
    return c;
}

static struct error refused(const char *system_content)
{
    struct error err = { 0 };

    world(system_content, NULL);
    ck_assert_ptr_null(config_load(&err));
    ck_assert_int_eq(error_exit(err.code), 2);
    ck_assert_ptr_nonnull(strstr(err.what, system_file));
    world_ends();
    return err;
}

START_TEST(files_that_are_missing_are_empty)
    {
        world(NULL, NULL);
        OWNED(config) c = load();

        ck_assert_uint_eq(config_count(c), 0);
        ck_assert_ptr_null(config_get(c, "migrate", "timeout"));
        ck_assert_uint_eq(config_u64(c, "migrate", "timeout", 77), 77);
        ck_assert(!config_is_trusted(c, "127.0.0.1"));
        world_ends();
    }
END_TEST

START_TEST(the_users_file_wins_over_the_system_and_the_environment_over_both)
    {
        world("[migrate]\nmax_downtime = 100\nbandwidth = 1MiB/s\ntimeout = 7\n",
              "# mine\n[migrate]\nbandwidth = 2MiB/s\ntimeout = 8s ; seconds\n");
        (void)setenv("VIRT_FERRY_TIMEOUT", "9", 1);
        OWNED(config) c = load();

        ck_assert_uint_eq(config_u64(c, "migrate", "max_downtime", 0), 100);
        ck_assert_uint_eq(config_u64(c, "migrate", "bandwidth", 0), 2 << 20);
        ck_assert_uint_eq(config_u64(c, "migrate", "timeout", 0), 9000);
        ck_assert_str_eq(config_get(c, "migrate", "bandwidth"), "2MiB/s");
        ck_assert(text_ends(config_origin(c, "migrate", "max_downtime"), "/system.conf:2"));
        ck_assert(text_ends(config_origin(c, "migrate", "bandwidth"), "/virt-ferry.conf:3"));
        ck_assert_str_eq(config_origin(c, "migrate", "timeout"), "VIRT_FERRY_TIMEOUT in the environment");
        ck_assert_uint_eq(config_count(c), 3);
        (void)unsetenv("VIRT_FERRY_TIMEOUT");
        world_ends();
    }
END_TEST

START_TEST(a_value_of_the_environment_that_cannot_be_read_is_refused_by_its_name)
    {
        struct error err = { 0 };

        world(NULL, NULL);
        (void)setenv("VIRT_FERRY_BANDWIDTH", "fast", 1);
        ck_assert_ptr_null(config_load(&err));
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_ptr_nonnull(strstr(err.what, "VIRT_FERRY_BANDWIDTH"));
        (void)unsetenv("VIRT_FERRY_BANDWIDTH");
        world_ends();
    }
END_TEST

START_TEST(sections_of_plugins_are_free)
    {
        world("[nfs]\nserver_wait = 3\n", "[nfs]\nserver_wait = 4\n");
        OWNED(config) c = load();

        ck_assert_str_eq(config_get(c, "nfs", "server_wait"), "4");
        world_ends();
    }
END_TEST

static const struct {
    const char *setting, *key;
    uint64_t last;
} ports[] = {
    { "hostB.migration_ports = 49152-49215", "hostB.migration_ports", 49215 },
    { "b.example.org.migration_ports=1-65535", "b.example.org.migration_ports", 65535 },
    { "10.0.0.7.migration_ports = 5000-5000", "10.0.0.7.migration_ports", 5000 },
};

START_TEST(the_ports_of_a_host_are_known_by_the_last_one)
    {
        char content[200];

        (void)snprintf(content, sizeof content, "[hosts]\n%s\n", ports[_i].setting);
        world(content, NULL);
        (void)setenv("VIRT_FERRY_MIGRATION_PORTS", "nonsense of no host", 1);
        OWNED(config) c = load();

        ck_assert_uint_eq(config_u64(c, "hosts", ports[_i].key, 7), ports[_i].last);
        ck_assert_uint_eq(config_u64(c, "hosts", "hostC.migration_ports", 7), 7);
        (void)unsetenv("VIRT_FERRY_MIGRATION_PORTS");
        world_ends();
    }
END_TEST

static const char *const vias[] = { "10.9.0.5", "10.9.0.0/16", "fd00:9::5", "fd00:9::/64", "0.0.0.0/0" };

START_TEST(a_host_has_an_address_or_a_network_for_data)
    {
        char content[200];

        (void)snprintf(content, sizeof content, "[hosts]\nhostB.via = %s\n", vias[_i]);
        world(content, NULL);
        OWNED(config) c = load();

        ck_assert_str_eq(config_get(c, "hosts", "hostB.via"), vias[_i]);
        ck_assert_ptr_null(config_get(c, "hosts", "hostC.via"));
        world_ends();
    }
END_TEST

static const struct {
    const char *address;
    bool is_trusted;
} addresses[] = {
    { "10.1.0.0", true },
    { "10.1.255.255", true },
    { "10.0.255.255", false },
    { "10.2.0.0", false },
    { "192.168.7.9", true },
    { "192.168.7.8", false },
    { "192.168.7.10", false },
    { "fd00:7::", true },
    { "fd00:7:0:0:ffff::", true },
    { "fd00:7:0:1::", false },
    { "fd00:6::ffff", false },
    { "::ffff:10.1.2.3", true },
    { "::ffff:10.2.0.0", false },
    { "fe80::1%eth0", true },
    { "fec0::1", false },
    { "172.16.0.1", true },
    { "172.16.0.128", false },
    { "host", false },
    { "", false },
    { "10.1.0.0/16", false },
    { "[fd00:7::1]", false },
    { "010.1.0.1", false },
};

START_TEST(trusted_networks_hold_their_borders)
    {
        world("[security]\n  trusted_networks = 10.1.0.0/16, 192.168.7.9\tfd00:7::/64\n    172.16.0.0/25\n"
              "trusted_networks = fe80::/10\n",
              NULL);
        OWNED(config) c = load();

        ck_assert_int_eq(config_is_trusted(c, addresses[_i].address), addresses[_i].is_trusted);
        ck_assert(!config_is_trusted(c, NULL));
        world_ends();
    }
END_TEST

START_TEST(the_whole_of_one_family_trusts_nothing_of_the_other)
    {
        world("[security]\ntrusted_networks = 0.0.0.0/0\n", NULL);
        OWNED(config) c = load();

        ck_assert(config_is_trusted(c, "203.0.113.7"));
        ck_assert(!config_is_trusted(c, "2001:db8::1"));
        world_ends();
    }
END_TEST

START_TEST(the_users_networks_replace_those_of_the_system)
    {
        world("[security]\ntrusted_networks = 10.0.0.0/8\ntrusted_networks = 11.0.0.0/8\n",
              "[security]\ntrusted_networks = 12.0.0.0/8\ntrusted_networks = 13.0.0.0/8\n");
        {
            OWNED(config) c = load();

            ck_assert(!config_is_trusted(c, "10.0.0.1"));
            ck_assert(!config_is_trusted(c, "11.0.0.1"));
            ck_assert(config_is_trusted(c, "12.0.0.1"));
            ck_assert(config_is_trusted(c, "13.0.0.1"));
            ck_assert_uint_eq(config_count(c), 2);
        }
        (void)setenv("VIRT_FERRY_TRUSTED_NETWORKS", "", 1);
        OWNED(config) none = load();

        ck_assert(!config_is_trusted(none, "12.0.0.1"));
        (void)unsetenv("VIRT_FERRY_TRUSTED_NETWORKS");
        world_ends();
    }
END_TEST

static const struct {
    const char *content, *line, *says, *fix;
} bad[] = {
    { "[migrate]\nmax_downtme = 1\n", ":2: ", "'max_downtme' is not known", "'max_downtime'" },
    { "[migrate]\nzebra = 1\n", ":2: ", "'zebra' is not known", "Remove the line" },
    { "[migrat]\ntimeout = 1\n", ":2: ", "'[migrat]' is not known", "'[migrate]'" },
    { "timeout = 1\n", ":1: ", "before any section", "[migrate]" },
    { "[migrate]\n\n\ntimeout = soon\n", ":4: ", "'soon' cannot be", "5min" },
    { "[migrate]\ntimeout =\n", ":2: ", "'' cannot be", "5min" },
    { "[migrate]\nbandwidth = -1\n", ":2: ", "'-1' cannot be", "MiB/s" },
    { "[migrate]\ntimeout = 1\ntimeout = 2\n", ":3: ", "set already at", "Remove one" },
    { "[migrate]\ntimeout = 1\n  5\n", ":3: ", "set already at", "Remove one" },
    { "[nfs]\nx = 1\nx = 2\n", ":3: ", "set already at", "Remove one" },
    { "[migrate]\njust words\n", ":2: ", "neither a section nor a setting", "key = value" },
    { "[migrate\ntimeout = 1\n", ":1: ", "neither a section nor a setting", "key = value" },
    { "[migrate]\n= 1\n", ":2: ", "0 characters", "" },
    { "[security]\ntrusted_networks = 10.0.0.0/33\n", ":2: ", "cannot be the value", "10.1.0.0/16" },
    { "[security]\ntrusted_networks = 10.0.0.0/-1\n", ":2: ", "cannot be the value", "10.1.0.0/16" },
    { "[security]\ntrusted_networks = fd00::/129\n", ":2: ", "cannot be the value", "10.1.0.0/16" },
    { "[security]\ntrusted_networks = 10.0.0.1/24\n", ":2: ", "cannot be the value", "10.1.0.0/16" },
    { "[security]\ntrusted_networks = hostB\n", ":2: ", "cannot be the value", "10.1.0.0/16" },
    { "[security]\ntrusted_networks = 10.0.0.0/8\n  11.0.0.0/99\n", ":3: ", "cannot be the value", "" },
    { "[hosts]\nhostB.migration_ports = 49152\n", ":2: ", "'49152' cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports = 49152 bis 49215\n", ":2: ", "cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports = 49152-49215x\n", ":2: ", "cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports = 49215-49152\n", ":2: ", "cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports = 0-1\n", ":2: ", "cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports = 1-65536\n", ":2: ", "cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.migration_ports =\n", ":2: ", "'' cannot be", "'49152-49215'" },
    { "[hosts]\nhostB.via = hostC\n", ":2: ", "'hostC' cannot be", "'10.9.0.5'" },
    { "[hosts]\nhostB.via = 127.0.0.1\n", ":2: ", "'127.0.0.1' cannot be", "'10.9.0.5'" },
    { "[hosts]\nhostB.via = ::1\n", ":2: ", "'::1' cannot be", "'10.9.0.5'" },
    { "[hosts]\nhostB.via = fe80::5\n", ":2: ", "'fe80::5' cannot be", "'10.9.0.5'" },
    { "[hosts]\nhostB.via = 10.9.0.5/16\n", ":2: ", "cannot be", "'10.9.0.0/16'" },
    { "[hosts]\nvia = 10.9.0.5\n", ":2: ", "names no host", "'hostB.via'" },
    { "[hosts]\nhostB.migration_port = 1-2\n", ":2: ", "is not known", "'hostB.migration_ports'" },
    { "[hosts]\nhostB = qemu+tls://b/system\n", ":2: ", "'hostB' is not known", "Remove the line" },
    { "[hosts]\nmigration_ports = 1-2\n", ":2: ", "names no host", "'hostB.migration_ports'" },
    { "[hosts]\n-b.migration_ports = 1-2\n", ":2: ", "names no host", "'hostB.migration_ports'" },
    { "[hosts]\nb.migration_ports = 1-2\nb.migration_ports = 1-3\n", ":3: ", "set already at", "Remove" },
};

START_TEST(what_cannot_be_accepted_is_named_with_file_line_and_fix)
    {
        struct error err = refused(bad[_i].content);

        ck_assert_msg(strstr(err.what, bad[_i].line) != NULL, "%s", err.what);
        ck_assert_msg(strstr(err.what, bad[_i].says) != NULL, "%s", err.what);
        ck_assert_msg(strstr(err.fix, bad[_i].fix) != NULL, "%s", err.fix);
    }
END_TEST

START_TEST(a_line_that_inih_would_cut_is_refused_at_the_first_such_length)
    {
        char content[512] = "[nfs]\nkey = ";
        size_t n = strlen(content);

        memset(content + n, 'v', 400);
        content[6 + 197] = '\0';
        world(content, NULL);
        {
            OWNED(config) c = load();

            ck_assert_uint_eq(strlen(config_get(c, "nfs", "key")), 197 - strlen("key = "));
        }
        world_ends();
        content[6 + 197] = 'v';
        content[6 + 198] = '\0';
        ck_assert_ptr_nonnull(strstr(refused(content).what, ":2: the line is too long"));
    }
END_TEST

START_TEST(names_that_inih_would_cut_are_refused_at_the_first_such_length)
    {
        char section[64] = "", key[64] = "", content[256];

        memset(section, 's', 49);
        memset(key, 'k', 49);
        (void)snprintf(content, sizeof content, "[%s]\n%s = v\n", section, key);
        world(content, NULL);
        {
            OWNED(config) c = load();

            ck_assert_str_eq(config_get(c, section, key), "v");
        }
        world_ends();
        (void)snprintf(content, sizeof content, "[%s]\n%sk = v\n", section, key);
        ck_assert_ptr_nonnull(strstr(refused(content).what, ":2: the key has 50"));
        (void)snprintf(content, sizeof content, "[%ss]\n%s = v\n", section, key);
        ck_assert_ptr_nonnull(strstr(refused(content).what, ":1: the name of the section"));
    }
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_refused)
    {
        struct error err = { 0 };

        world(NULL, NULL);
        ck_assert_int_eq(mkdir(system_file, 0700), 0);
        ck_assert_ptr_null(config_load(&err));
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_ptr_nonnull(strstr(err.what, "is not a file"));
        world_ends();
    }
END_TEST

START_TEST(a_file_that_everybody_can_write_is_refused)
    {
        struct error err = { 0 };

        world("", NULL);
        ck_assert_int_eq(chmod(system_file, 0646), 0);
        ck_assert_ptr_null(config_load(&err));
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_int_eq(chmod(system_file, 0664), 0);
        OWNED(config) c = load();

        ck_assert_uint_eq(config_count(c), 0);
        world_ends();
    }
END_TEST

START_TEST(a_file_that_cannot_be_read_is_refused)
    {
        struct error err = { 0 };

        world("", NULL);
        (void)chmod(folder, 0755);
        (void)chmod(system_file, 0);
        if (geteuid() == 0)
            ck_assert_int_eq(seteuid(65534), 0);
        ck_assert_ptr_null(config_load(&err));
        if (getuid() == 0)
            ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_ptr_nonnull(strstr(err.what, "could not read"));
        ck_assert_str_ne(err.fix, "");
        world_ends();
    }
END_TEST

START_TEST(a_file_with_zero_bytes_is_refused)
    {
        struct error err = { 0 };
        FILE *f;

        world("", NULL);
        f = fopen(system_file, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite("[nfs]\na\0b = 1\n", 1, 14, f), 14);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_ptr_null(config_load(&err));
        ck_assert_ptr_nonnull(strstr(err.what, ":2: the line holds a zero byte"));
        world_ends();
    }
END_TEST

START_TEST(a_byte_order_mark_and_windows_ends_of_line_are_accepted)
    {
        world("\xef\xbb\xbf[migrate]\r\ntimeout = 2\r\n", NULL);
        OWNED(config) c = load();

        ck_assert_uint_eq(config_u64(c, "migrate", "timeout", 0), 2000);
        world_ends();
    }
END_TEST

/* The example as it is shipped, and with the marks of its commented settings taken away. */
/* "from>to@origin's line" of what a pair of hosts gets, the command line's first. */
static const char *maps_of(const struct config *c, const char *source, const char *dest, const char *given)
{
    static struct text said;
    OWNED(arena) a = arena_new();
    struct map *list = NULL, m;
    struct error err = { 0 };
    size_t n = 0;

    text_done(&said);
    if (given) {
        ck_assert_int_eq(map_parse(MAP_STORAGE, given, a, &m, &err), 0);
        ck_assert_int_eq(map_add(a, &list, &n, &m, &err), 0);
    }
    ck_assert_msg(config_add_maps(c, source, dest, a, &list, &n, &err) == 0, "%s", err.what);
    for (size_t i = 0; i < n; i++)
        text_add(&said, "%s%s>%s@%s", i ? " " : "", list[i].from, list[i].to,
                 list[i].origin ? strrchr(list[i].origin, '/') + 1 : "");
    return text_of(&said);
}

START_TEST(the_example_is_accepted_and_shows_every_key)
    {
        static const char *const keys[][2] = {
            { "security", "trusted_networks" },   { "migrate", "max_downtime" },
            { "migrate", "bandwidth" },           { "migrate", "timeout" },
            { "hosts", "hostB.migration_ports" }, { "hosts", "hostB.via" }
        };
        OWNED_TEXT settings = { 0 };
        char bytes[8192];
        FILE *f = fopen("docs/virt-ferry.conf.example", "r");
        size_t n;

        ck_assert_msg(f != NULL, "run from the top of the tree");
        n = fread(bytes, 1, sizeof bytes - 1, f);
        (void)fclose(f);
        bytes[n] = '\0';
        world(bytes, NULL);
        {
            OWNED(config) c = load();

            ck_assert_uint_eq(config_count(c), 0);
        }
        for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n"))
            text_add(&settings, "%s\n", line[0] == '#' && line[1] != ' ' && line[1] ? line + 1 : line);
        put(system_file, text_of(&settings));
        OWNED(config) c = load();

        for (size_t i = 0; i < TEST_ROWS(keys); i++)
            ck_assert_msg(config_get(c, keys[i][0], keys[i][1]) != NULL, "%s", keys[i][1]);
        ck_assert(config_is_trusted(c, "192.168.7.9"));
        ck_assert_ptr_nonnull(
            strstr(maps_of(c, "hostA", "hostB", NULL), "nfs://10.20.0.5/vm>nfs://10.20.0.6/vm@"));
        ck_assert_ptr_nonnull(strstr(maps_of(c, "a", "b", NULL), "pool:images>pool:fast@"));
        world_ends();
    }
END_TEST

START_TEST(maps_are_of_all_hosts_or_of_a_pair_which_wins_and_the_command_line_over_both)
    {
        world("[map]\nstorage /srv/a = /srv/b\n  storage a\\=b=c ; of a pool\nnetwork br0=br1\n"
              "[map hostA hostB]\nnetwork br0 = br2\n[migrate]\ntimeout = 7\n",
              NULL);
        OWNED(config) c = load();

        ck_assert_str_eq(maps_of(c, NULL, NULL, NULL),
                         "/srv/a>/srv/b@system.conf:2 pool:a=b>pool:c@system.conf:3 br0>br1@system.conf:4");
        ck_assert_str_eq(maps_of(c, "hostA", "hostB", NULL), "br0>br2@system.conf:6 "
                                                             "/srv/a>/srv/b@system.conf:2 "
                                                             "pool:a=b>pool:c@system.conf:3");
        ck_assert_str_eq(maps_of(c, "hostB", "hostA", "/srv/a=/d"),
                         "/srv/a>/d@ pool:a=b>pool:c@system.conf:3 br0>br1@system.conf:4");
        ck_assert_uint_eq(config_u64(c, "migrate", "timeout", 0), 7000);
        ck_assert_uint_eq(config_count(c), 1);
        world_ends();
    }
END_TEST

START_TEST(a_map_of_the_users_file_takes_the_place_of_the_systems)
    {
        char path[81] = { 0 }; /* longer than a key of inih */

        memset(path, 'x', sizeof path - 1);
        path[0] = '/';
        OWNED_TEXT longer = { 0 };

        text_add(&longer, "[map]\nstorage %s = nfs-pool\n", "pool:x");
        text_add(&longer, "network br0=br9\nstorage %s=/long\n", path);
        world("[map]\nnetwork br0 = br1\nstorage pool:x = y\n", text_of(&longer));
        OWNED(config) c = load();

        OWNED_TEXT wanted = { 0 };

        text_add(
            &wanted,
            "br0>br9@virt-ferry.conf:3 pool:x>pool:nfs-pool@virt-ferry.conf:2 %s>/long@virt-ferry.conf:4",
            path);
        ck_assert_str_eq(maps_of(c, "a", "b", NULL), text_of(&wanted));
        world_ends();
    }
END_TEST

static const struct {
    const char *content, *line, *what;
} bad_maps[] = {
    { "[map]\nstorage /a\n", ":2: ", "no '='" },
    { "[map]\nstorage /a = b\n", ":2: ", "two kinds" },
    { "[map]\nstorage a/b = c\n", ":2: ", "no absolute path" },
    { "[map]\n\nnetwork br/0 = b\n", ":3: ", "slash" },
    { "[map]\nimages = fast\n", ":2: ", "'images' is no kind of map" },
    { "[map]\nnetwork a = b\nstorage a = b\nnetwork a = c\n", ":4: ", "mapped already at " },
    { "[map hostA]\nnetwork a = b\n", ":1: ", "no pair of hosts" },
    { "[map hostA hostB hostC]\nnetwork a = b\n", ":1: ", "no pair of hosts" },
    { "[map hostA -oProxyCommand=x]\nnetwork a = b\n", ":1: ", "names no host" },
    { "[maps]\nnetwork = b\n", ":2: ", "'[maps]' is not known" },
};
START_TEST(what_cannot_be_a_map_is_refused_with_its_line)
    {
        struct error err = refused(bad_maps[_i].content);

        ck_assert_msg(strstr(err.what, bad_maps[_i].line) != NULL, "%s", err.what);
        ck_assert_msg(strstr(err.what, bad_maps[_i].what) != NULL, "%s", err.what);
        ck_assert_str_ne(err.fix, "");
    }
END_TEST

TEST_MAIN("state/config", files_that_are_missing_are_empty,
          the_users_file_wins_over_the_system_and_the_environment_over_both,
          a_value_of_the_environment_that_cannot_be_read_is_refused_by_its_name, sections_of_plugins_are_free,
          LOOP(the_ports_of_a_host_are_known_by_the_last_one, TEST_ROWS(ports)),
          LOOP(a_host_has_an_address_or_a_network_for_data, TEST_ROWS(vias)),
          LOOP(trusted_networks_hold_their_borders, TEST_ROWS(addresses)),
          the_whole_of_one_family_trusts_nothing_of_the_other, the_users_networks_replace_those_of_the_system,
          LOOP(what_cannot_be_accepted_is_named_with_file_line_and_fix, TEST_ROWS(bad)),
          a_line_that_inih_would_cut_is_refused_at_the_first_such_length,
          names_that_inih_would_cut_are_refused_at_the_first_such_length,
          a_folder_in_place_of_the_file_is_refused, a_file_that_everybody_can_write_is_refused,
          a_file_that_cannot_be_read_is_refused, a_file_with_zero_bytes_is_refused,
          a_byte_order_mark_and_windows_ends_of_line_are_accepted,
          the_example_is_accepted_and_shows_every_key,
          maps_are_of_all_hosts_or_of_a_pair_which_wins_and_the_command_line_over_both,
          a_map_of_the_users_file_takes_the_place_of_the_systems,
          LOOP(what_cannot_be_a_map_is_refused_with_its_line, TEST_ROWS(bad_maps)))
