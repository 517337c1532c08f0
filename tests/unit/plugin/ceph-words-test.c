/* SPDX-License-Identifier: Apache-2.0
 * The ceph driver's names, places, identities, features and sizes as text. */
#include "../../../plugins/ceph/resolve.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/ceph/words.c"   /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"

#define LONG_255                                                                                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"   \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"   \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *source, *pool, *space, *image; /* pool NULL: refused */
} names[] = {
    { "vms/one", "vms", "", "one" },
    { "vms/a/one", "vms", "a", "one" },
    { "v.m-s_/one two", "v.m-s_", "", "one two" },
    { "vms/-rf", "vms", "", "-rf" },
    { "vms/" LONG_255, "vms", "", LONG_255 },
    { "vms/" LONG_255 "a", NULL, NULL, NULL },
    { LONG_255 "a/one", NULL, NULL, NULL },
    { "vms/" LONG_255 "a/one", NULL, NULL, NULL },
    { "vms/a/b/one", NULL, NULL, NULL },
    { "one", NULL, NULL, NULL },
    { "/one", NULL, NULL, NULL },
    { "vms/", NULL, NULL, NULL },
    { "vms//one", NULL, NULL, NULL },
    { "vms/a/", NULL, NULL, NULL },
    { "vms/one@monday", NULL, NULL, NULL },
    { "vms/on\ne", NULL, NULL, NULL },
    { "vms/a\x7f/one", NULL, NULL, NULL },
    { "", NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};

START_TEST(a_name_is_cut_into_pool_namespace_and_image_or_refused)
    {
        struct words_name name;
        const char *problem = words_cut_name(names[_i].source, &name);

        ck_assert_int_eq(problem == NULL, names[_i].pool != NULL);
        if (!problem) {
            ck_assert_str_eq(name.pool, names[_i].pool);
            ck_assert_str_eq(name.space, names[_i].space);
            ck_assert_str_eq(name.image, names[_i].image);
        }
    }
END_TEST

START_TEST(monitors_are_joined_as_librados_reads_them)
    {
        const char *const hosts[] = { "mon1.example:3300", "10.0.0.2", "[fd00::3]:6789" };
        char joined[WORDS_HOSTS];

        ck_assert_ptr_null(words_join_hosts(hosts, 3, joined));
        ck_assert_str_eq(joined, "mon1.example:3300,10.0.0.2,[fd00::3]:6789");
        ck_assert_ptr_null(words_join_hosts(NULL, 0, joined));
        ck_assert_str_eq(joined, "");
    }
END_TEST

static const char *const no_hosts[] = { "a,b",        "mon 1", "/run/mon.sock", "",
                                        "mon1;key=x", "mon/1", "m\xc3\xb6n" };

START_TEST(what_is_no_name_of_a_monitor_is_refused)
    {
        char joined[WORDS_HOSTS];

        ck_assert_ptr_nonnull(words_join_hosts(&no_hosts[_i], 1, joined));
    }
END_TEST

START_TEST(monitors_fill_their_room_to_the_last_byte)
    {
        static char host[WORDS_HOSTS];
        const char *list[] = { host, "a" };
        char joined[WORDS_HOSTS];

        memset(host, 'h', WORDS_HOSTS - 3);
        ck_assert_ptr_null(words_join_hosts(list, 2, joined));
        ck_assert_uint_eq(strlen(joined), WORDS_HOSTS - 1);
        host[WORDS_HOSTS - 3] = 'h';
        ck_assert_ptr_nonnull(words_join_hosts(list, 2, joined));
    }
END_TEST

static const struct {
    const char *host;
    bool is_own;
} loopbacks[] = {
    { "localhost", true },
    { "localhost:3300", true },
    { "localhost.localdomain:3300", true },
    { "127.0.0.1:3300", true },
    { "127.1.2.3", true },
    { "[::1]:3300", true },
    { "::1", true },
    { "0.0.0.0:3300", true },
    { "[::ffff:127.0.0.1]", true },
    { "localhosts:3300", false },
    { "10.127.0.1:3300", false },
    { "1127.0.0.1", false },
    { "[::1:2]:3300", false },
    { "mon1", false },
    { "[fd00::1]:3300", false },
};

START_TEST(a_monitor_that_is_each_host_itself_is_told_apart)
    {
        const char *const list[] = { "10.0.0.1:3300", loopbacks[_i].host };

        ck_assert_int_eq(words_hosts_are_loopback(list, 2), loopbacks[_i].is_own);
        ck_assert_int_eq(words_hosts_are_loopback(list, 1), false);
    }
END_TEST

static const struct {
    struct words_place place;
    const char *text;
} places[] = {
    { { .hosts = "10.0.0.1:3300,[fd00::2]:3300", .user = "libvirt", .secret_uuid = "4b5d-1", .pool = "vms" },
      "rbd://libvirt@10.0.0.1:3300,[fd00::2]:3300/vms?secret=4b5d-1" },
    { { .hosts = "m", .user = "a@b", .secret_usage = "client.libvirt secret", .pool = "v m", .space = "n" },
      "rbd://a%40b@m/v%20m/n?usage=client.libvirt%20secret" },
    { { .pool = "vms" }, "rbd:///vms" },
    { { .user = "libvirt", .pool = "a?b/c" }, "rbd://libvirt@/a%3Fb%2Fc" },
    { { .user = "\xc3\xbc", .pool = "100%" }, "rbd://%C3%BC@/100%25" },
};

START_TEST(a_place_comes_back_from_the_journal_as_it_went_in)
    {
        const struct words_place *place = &places[_i].place;
        struct words_place back;
        char text[WORDS_PLACE];

        ck_assert(words_write_place(place, text));
        ck_assert_str_eq(text, places[_i].text);
        ck_assert(words_read_place(text, &back));
        ck_assert_str_eq(back.hosts, place->hosts);
        ck_assert_str_eq(back.user, place->user);
        ck_assert_str_eq(back.secret_uuid, place->secret_uuid);
        ck_assert_str_eq(back.secret_usage, place->secret_usage);
        ck_assert_str_eq(back.pool, place->pool);
        ck_assert_str_eq(back.space, place->space);
    }
END_TEST

static const char *const no_places[] = {
    "",
    "rbd",
    "rbd://",
    "rbd://m",
    "rbd://m/",
    "nfs://m/vms",
    "rbd://m/v%",
    "rbd://m/v%2",
    "rbd://m/v%zz",
    "rbd://m/v%00w",
    "rbd://m/v?key=x",
    "rbd://m/v?",
    "rbd://m/?secret=a",
    "rbd://m/" LONG_255 "a",
};

START_TEST(a_place_that_was_not_written_here_is_refused)
    {
        struct words_place place;

        ck_assert(!words_read_place(no_places[_i], &place));
    }
END_TEST

START_TEST(an_identity_holds_all_that_makes_an_image_unique)
    {
        char identity[WORDS_IDENTITY];
        static char snapshot[WORDS_IDENTITY];

        ck_assert(words_write_identity("fsid", 7, "", "10aa", NULL, identity));
        ck_assert_str_eq(identity, "fsid/7/10aa");
        ck_assert(words_write_identity("fsid", 7, "ns", "10aa", NULL, identity));
        ck_assert_str_eq(identity, "fsid/7/ns/10aa");
        ck_assert(words_write_identity("fsid", 7, "ns", "10aa", "monday", identity));
        ck_assert_str_eq(identity, "fsid/7/ns/10aa@monday");
        /* Cut, two snapshots would be one. */
        memset(snapshot, 's', WORDS_IDENTITY - 13);
        ck_assert(words_write_identity("fsid", 7, "", "10aa", snapshot, identity));
        snapshot[WORDS_IDENTITY - 13] = 's';
        ck_assert(!words_write_identity("fsid", 7, "", "10aa", snapshot, identity));
    }
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    const char *id; /* NULL: none */
} ids[] = {
    { "\x04\0\0\0"
      "10aa",
      8, "10aa" },
    { "\x04\0\0\0"
      "10aab",
      9, "10aa" },
    { "\x05\0\0\0"
      "10aab",
      8, NULL },
    { "\x05\0\0\0"
      "10aa",
      8, NULL },
    { "\0\0\0\0", 4, NULL },
    { "\x04\0\0", 3, NULL },
    { "", 0, NULL },
    { "\xff\xff\xff\xff"
      "10aa",
      8, NULL },
    { "\x04\0\0\0"
      "1/aa",
      8, NULL },
    { "\x04\0\0\0"
      "1\0aa",
      8, NULL },
    { "\x3f\0\0\0"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      67, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "\x40\0\0\0"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      68, NULL },
};

START_TEST(an_images_id_is_read_from_its_object_within_its_bounds)
    {
        char id[WORDS_ID];

        ck_assert_int_eq(words_read_id(ids[_i].bytes, ids[_i].n, id), ids[_i].id != NULL);
        if (ids[_i].id)
            ck_assert_str_eq(id, ids[_i].id);
    }
END_TEST

static const struct {
    const char *text;
    uint64_t bits;
    bool is_read;
} features[] = {
    { "layering", 1, true },
    { "layering, exclusive-lock", 5, true },
    { " layering,exclusive-lock\tobject-map ", 13, true },
    { "dirty-cache", 1u << 11, true },
    { "", 0, true },
    { "layer", 0, false },
    { "layeringx", 0, false },
    { "layering, bit 14", 0, false },
};

START_TEST(features_are_read_by_their_names)
    {
        uint64_t bits = 99;

        ck_assert_int_eq(words_read_features(features[_i].text, &bits), features[_i].is_read);
        ck_assert_uint_eq(bits, features[_i].is_read ? features[_i].bits : 99);
    }
END_TEST

START_TEST(features_are_written_with_a_number_where_no_name_is_known)
    {
        char text[256];
        char little[12];

        words_write_features(0x3d, text, sizeof text);
        ck_assert_str_eq(text, "layering, exclusive-lock, object-map, fast-diff, deep-flatten");
        words_write_features(1u | 1u << 14, text, sizeof text);
        ck_assert_str_eq(text, "layering, bit 14");
        words_write_features(0, text, sizeof text);
        ck_assert_str_eq(text, "");
        words_write_features(UINT64_MAX, little, sizeof little);
        ck_assert_str_eq(little, "layering, s");
        ck_assert_uint_eq(words_nameless_features(1u << 11), 0);
        ck_assert_uint_eq(words_nameless_features(1u << 12 | 1), 1u << 12);
    }
END_TEST

static const struct {
    const char *text;
    uint64_t order; /* 0: refused */
} sizes[] = {
    { "4MiB", 22 },
    { "4M", 22 },
    { "4194304", 22 },
    { "4194304 B", 22 },
    { "4KiB", 12 },
    { "4096", 12 },
    { "2048", 0 },
    { "32MiB", 25 },
    { "64MiB", 0 },
    { "3MiB", 0 },
    { "4 MiB", 22 },
    { "4GiB", 0 },
    { "", 0 },
    { "MiB", 0 },
    { "-4MiB", 0 },
    { "4MiBx", 0 },
    { "1024k", 20 },
    { "0", 0 },
    { "99999999999999999999M", 0 },
    { "4mib", 0 },
};

START_TEST(a_size_of_objects_is_a_power_of_two_within_what_librbd_takes)
    {
        uint64_t order = 0;

        ck_assert_int_eq(words_read_object_size(sizes[_i].text, &order), sizes[_i].order != 0);
        ck_assert_uint_eq(order, sizes[_i].order);
    }
END_TEST

static const struct {
    const char *bytes, *text;
} encoded[] = {
    { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
    { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xff\xff", "////" },
};

START_TEST(a_key_is_encoded_as_ceph_writes_it)
    {
        const size_t n = strlen(encoded[_i].text) + 1;
        char text[16];

        ck_assert(words_base64(encoded[_i].bytes, strlen(encoded[_i].bytes), text, n));
        ck_assert_str_eq(text, encoded[_i].text);
        ck_assert(!words_base64(encoded[_i].bytes, strlen(encoded[_i].bytes), text, n - 1));
    }
END_TEST

static const struct {
    const char *hosts, *addresses; /* NULL: none */
} resolved[] = {
    { "10.0.0.1:3300", "10.0.0.1:3300" },
    { "10.0.0.1", "10.0.0.1" },
    { "[fd00::0001]:3300,10.0.0.1:6789", "[fd00::1]:3300,10.0.0.1:6789" },
    { "10.0.0.1:3300,10.0.0.1:3300,10.0.0.1", "10.0.0.1:3300,10.0.0.1" },
    { "nothing.invalid:3300,10.0.0.2:3300", "10.0.0.2:3300" },
    { "10.0.0.1:", NULL },
    { "10.0.0.1:33x", NULL },
    { "[fd00::1", NULL },
    { "[fd00::1]3300", NULL },
    { "nothing.invalid", NULL },
    { ":3300", NULL },
    { "", NULL },
};

START_TEST(monitors_are_addresses_each_once)
    {
        char addresses[WORDS_HOSTS];

        ck_assert_int_eq(resolve_hosts(resolved[_i].hosts, addresses), resolved[_i].addresses != NULL);
        if (resolved[_i].addresses)
            ck_assert_str_eq(addresses, resolved[_i].addresses);
    }
END_TEST

START_TEST(a_connection_is_local_when_it_names_no_server)
    {
        ck_assert(words_uri_is_local("qemu:///system"));
        ck_assert(words_uri_is_local("qemu+unix:///system"));
        ck_assert(!words_uri_is_local("qemu+unix:///system?socket=/run/x"));
        ck_assert(!words_uri_is_local("qemu+tcp://hostB/system"));
        ck_assert(!words_uri_is_local("qemu+ext:///system"));
        ck_assert(!words_uri_is_local(NULL));
    }
END_TEST

TEST_MAIN("plugin/ceph-words", LOOP(a_name_is_cut_into_pool_namespace_and_image_or_refused, TEST_ROWS(names)),
          monitors_are_joined_as_librados_reads_them,
          LOOP(what_is_no_name_of_a_monitor_is_refused, TEST_ROWS(no_hosts)),
          monitors_fill_their_room_to_the_last_byte,
          LOOP(a_monitor_that_is_each_host_itself_is_told_apart, TEST_ROWS(loopbacks)),
          LOOP(a_place_comes_back_from_the_journal_as_it_went_in, TEST_ROWS(places)),
          LOOP(a_place_that_was_not_written_here_is_refused, TEST_ROWS(no_places)),
          an_identity_holds_all_that_makes_an_image_unique,
          LOOP(an_images_id_is_read_from_its_object_within_its_bounds, TEST_ROWS(ids)),
          LOOP(features_are_read_by_their_names, TEST_ROWS(features)),
          features_are_written_with_a_number_where_no_name_is_known,
          LOOP(a_size_of_objects_is_a_power_of_two_within_what_librbd_takes, TEST_ROWS(sizes)),
          LOOP(a_key_is_encoded_as_ceph_writes_it, TEST_ROWS(encoded)),
          LOOP(monitors_are_addresses_each_once, TEST_ROWS(resolved)),
          a_connection_is_local_when_it_names_no_server)
