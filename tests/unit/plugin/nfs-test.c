/* SPDX-License-Identifier: Apache-2.0
 * What the nfs driver knows without a server: addresses, identities, mount tables, and writes that a
 * restarted server lost. */
#include "../../../plugins/nfs/address.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/nfs/clock.c"    /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/nfs/identity.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/nfs/mounts.c"   /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/nfs/send.c"     /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"

/* ---- clocks ---- */

#define S(n) ((int64_t)(n)*1000)
static const struct {
    struct clock clock;
    int64_t apart_ms;
} clocks[] = {
    { { S(1000), S(1000) + 5, 0 }, 0 }, /* it did not tell */
    { { S(1000), S(1000) + 5, 1000 }, 0 },
    { { S(1000) + 999, S(1001) + 4, 1000 }, 0 },
    { { S(1000) + 999, S(1001) + 4, 1001 }, 0 },
    { { S(1000), S(1003), 1002 }, 0 }, /* the answer took long */
    { { S(1000), S(1000) + 5, 1001 }, 995 },
    { { S(1000), S(1000) + 5, 999 }, -1 },
    { { S(1000), S(1000) + 5, 940 }, -S(59) - 1 },
    { { S(1000), S(1000) + 5, 4600 }, S(3600) - 5 },
};

START_TEST(of_a_servers_clock_only_what_is_sure_is_called_a_difference)
    {
        ck_assert_int_eq(clock_apart_ms(&clocks[_i].clock), clocks[_i].apart_ms);
    }
END_TEST

/* ---- addresses ---- */

static const struct {
    const char *text, *address; /* NULL: a name */
    bool is_usable;
} addresses[] = {
    { "10.0.0.5", "10.0.0.5", true },
    { "fd00:0:0::0001", "fd00::1", true },
    { "FD00::AB", "fd00::ab", true },
    { "::ffff:10.0.0.5", "10.0.0.5", true },
    { "::ffff:127.0.0.1", "127.0.0.1", false },
    { "127.0.0.1", "127.0.0.1", false },
    { "127.9.9.9", "127.9.9.9", false },
    { "128.0.0.1", "128.0.0.1", true },
    { "0.0.0.0", "0.0.0.0", false },
    { "169.254.3.4", "169.254.3.4", false },
    { "169.253.3.4", "169.253.3.4", true },
    { "169.255.3.4", "169.255.3.4", true },
    { "::1", "::1", false },
    { "::", "::", false },
    { "fe80::1", "fe80::1", false },
    { "fec0::1", "fec0::1", true },
    { "127.1", NULL, false },
    { "storage", NULL, false },
    { "10.0.0.5 ", NULL, false },
    { "fe80::1%eth0", NULL, false },
    { "", NULL, false },
    { NULL, NULL, false },
};

START_TEST(an_address_has_one_spelling_and_those_that_every_host_has_are_refused)
    {
        char address[ADDRESS_SIZE];

        ck_assert_int_eq(address_normalise(addresses[_i].text, address), addresses[_i].address != NULL);
        if (!addresses[_i].address)
            return;
        ck_assert_str_eq(address, addresses[_i].address);
        ck_assert_int_eq(address_problem(address) == NULL, addresses[_i].is_usable);
    }
END_TEST

START_TEST(the_addresses_of_a_name_are_each_taken_once_and_in_order)
    {
        char list[ADDRESS_MOST][ADDRESS_SIZE];
        OWNED_TEXT many = { 0 };

        ck_assert_uint_eq(address_list("10.0.0.9  STREAM storage\n10.0.0.9  DGRAM\n10.0.0.9  RAW\n"
                                       "10.0.0.5  STREAM\nfd00:0::1  STREAM\n\nwhat\n10.0.0.5",
                                       list),
                          3);
        ck_assert_str_eq(list[0], "10.0.0.9");
        ck_assert_str_eq(list[1], "10.0.0.5");
        ck_assert_str_eq(list[2], "fd00::1");
        ck_assert_uint_eq(address_list("", list), 0);
        for (int i = 0; i < ADDRESS_MOST; i++)
            text_add(&many, "10.0.0.%d STREAM\n", i + 1);
        ck_assert_uint_eq(address_list(many.s, list), ADDRESS_MOST);
        text_add(&many, "10.0.0.1 STREAM\n");
        ck_assert_uint_eq(address_list(many.s, list), ADDRESS_MOST);
        text_add(&many, "10.1.0.1 STREAM\n");
        ck_assert_uint_eq(address_list(many.s, list), ADDRESS_MOST + 1);
    }
END_TEST

/* ---- identities ---- */

static const struct {
    struct identity identity;
    const char *text;
} identities[] = {
    { { "10.0.0.5", 0x5f3a, 131 }, "nfs://10.0.0.5/fsid=5f3a/fileid=131" },
    { { "fd00::1", 0, 1 }, "nfs://[fd00::1]/fsid=0/fileid=1" },
    { { "255.255.255.255", UINT64_MAX, UINT64_MAX },
      "nfs://255.255.255.255/fsid=ffffffffffffffff/fileid=18446744073709551615" },
};

START_TEST(an_identity_that_is_written_is_read_back)
    {
        char text[IDENTITY_SIZE];
        struct identity back;

        identity_write(&identities[_i].identity, text);
        ck_assert_str_eq(text, identities[_i].text);
        ck_assert(identity_read(text, &back));
        ck_assert_int_eq(identity_compare(&back, &identities[_i].identity), IDENTITY_SAME);
    }
END_TEST

static const char *const no_identities[] = {
    "",
    "nfs://",
    "rbd:1",
    "nfs://10.0.0.5/fsid=5f3a/fileid=131 ",
    "nfs://10.0.0.5/fsid=5F3A/fileid=131",
    "nfs://10.0.0.5/fsid=05f3a/fileid=131",
    "nfs://10.0.0.5/fsid=5f3a/fileid=-1",
    "nfs://10.0.0.5/fsid=5f3a",
    "nfs://fd00::1/fsid=1/fileid=1",
    "nfs://[10.0.0.5]/fsid=1/fileid=1",
    "nfs://[fd00:0::1]/fsid=1/fileid=1",
    "nfs://storage/fsid=1/fileid=1",
    "nfs://10.0.0.5/export/a/fsid=1/fileid=1",
    NULL,
};

START_TEST(what_is_not_written_as_an_identity_is_none)
    {
        struct identity back;

        ck_assert(!identity_read(no_identities[_i], &back));
    }
END_TEST

static const struct {
    struct identity a, b;
    enum identity_verdict verdict;
} pairs[] = {
    { { "10.0.0.5", 1, 7 }, { "10.0.0.5", 1, 7 }, IDENTITY_SAME },
    { { "10.0.0.5", 1, 7 }, { "10.0.0.5", 1, 8 }, IDENTITY_DIFFERENT },
    { { "10.0.0.5", 1, 7 }, { "10.0.0.5", 2, 8 }, IDENTITY_DIFFERENT },
    { { "10.0.0.5", 1, 7 }, { "10.0.0.6", 1, 8 }, IDENTITY_DIFFERENT },
    /* two fsids of one file system that is exported twice */
    { { "10.0.0.5", 1, 7 }, { "10.0.0.5", 2, 7 }, IDENTITY_NOT_KNOWN },
    /* two addresses of one server, or two servers made from one image */
    { { "10.0.0.5", 1, 7 }, { "10.0.0.6", 1, 7 }, IDENTITY_NOT_KNOWN },
    { { "10.0.0.5", 1, 7 }, { "10.0.0.6", 2, 7 }, IDENTITY_NOT_KNOWN },
};

START_TEST(two_servers_with_equal_fsids_are_not_taken_for_one)
    {
        ck_assert_int_eq(identity_compare(&pairs[_i].a, &pairs[_i].b), pairs[_i].verdict);
        ck_assert_int_eq(identity_compare(&pairs[_i].b, &pairs[_i].a), pairs[_i].verdict);
    }
END_TEST

static const struct made mades[] = {
    { .verifier = { 0x7f, 1, 2, 3, 4, 5, 6, 0xff }, .user = { 0, 0 } },
    { .user = { 64055, 107 } },
    { .is_file = true, .fsid = UINT64_MAX, .fileid = 12, .handle = 0xabc, .user = { UINT32_MAX - 1, 1 } },
};

START_TEST(what_the_journal_holds_of_a_new_file_is_read_back)
    {
        char text[IDENTITY_SIZE];
        char longer[IDENTITY_SIZE + 2];
        struct made back;

        made_write(&mades[_i], text);
        ck_assert(made_read(text, &back));
        ck_assert_mem_eq(&back, &mades[_i], sizeof back);
        (void)snprintf(longer, sizeof longer, "%sx", text);
        ck_assert(!made_read(longer, &back));
    }
END_TEST

START_TEST(a_record_that_is_cut_or_none_removes_nothing)
    {
        struct made back;

        ck_assert(!made_read(NULL, &back));
        ck_assert(!made_read("", &back));
        ck_assert(!made_read("made", &back));
        ck_assert(!made_read("verifier:7f010203:0:0", &back));
        ck_assert(!made_read("file:1:2:3:0", &back));
        ck_assert(made_read("file:1:2:3:0:0", &back));
    }
END_TEST

START_TEST(a_handle_of_another_generation_has_another_digest)
    {
        ck_assert_uint_ne(made_digest("\0\1\2\3", 4), made_digest("\0\1\2\4", 4));
        ck_assert_uint_ne(made_digest("\0\0", 2), made_digest("\0\0\0", 3));
        ck_assert_uint_eq(made_digest("abc", 3), made_digest("abc", 3));
    }
END_TEST

static const struct {
    const char *text;
    int64_t number; /* -1: none */
} numbers[] = {
    { "+0", 0 },           { "0", 0 },   { "+64055", 64055 },   { "4294967294", 4294967294 },
    { "+4294967295", -1 }, { "-1", -1 }, { "99999999999", -1 }, { "qemu", -1 },
    { "+", -1 },           { "", -1 },   { "12a", -1 },         { NULL, -1 },
};

START_TEST(a_user_is_a_number_or_a_name)
    {
        uint32_t n = 7;

        ck_assert_int_eq(user_number(numbers[_i].text, &n), numbers[_i].number >= 0);
        ck_assert_uint_eq(n, numbers[_i].number >= 0 ? (uint32_t)numbers[_i].number : 7);
    }
END_TEST

#define MODEL(name, label) "<secmodel><model>" name "</model><doi>0</doi>" label "</secmodel>"
#define LABEL(text) "<baselabel type='kvm'>" text "</baselabel>"

START_TEST(whom_qemu_is_stands_in_the_capabilities)
    {
        struct user u;
        uint32_t n;

        ck_assert(user_of_capabilities("<host>" MODEL("selinux", LABEL("system_u:system_r"))
                                           MODEL("dac", LABEL("+64055:+108") LABEL("+1:+2")) "</host>",
                                       &u));
        ck_assert_uint_eq(u.uid, 64055);
        ck_assert_uint_eq(u.gid, 108);
        ck_assert(!user_of_capabilities(MODEL("dac", "") MODEL("other", LABEL("+1:+2")), &u));
        ck_assert(!user_of_capabilities(MODEL("dac", LABEL("qemu:qemu")), &u));
        ck_assert(!user_of_capabilities("", &u));
        ck_assert(!user_of_capabilities(NULL, &u));
        ck_assert(user_of_getent("libvirt-qemu:x:64055:108:Libvirt Qemu,,,:/var/lib/libvirt:/bin/sh\n", &n));
        ck_assert_uint_eq(n, 64055);
        ck_assert(!user_of_getent("libvirt-qemu:x:a:108\n", &n));
        ck_assert(!user_of_getent("", &n));
    }
END_TEST

/* ---- mounts ---- */

#define ROOT "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define NFS(target, device, options)                                                                         \
    "40 22 0:39 / " target " rw,relatime shared:20 master:1 - nfs4 " device " rw,vers=4.2,rsize=1048576,"    \
    "hard,proto=tcp,clientaddr=10.0.0.2," options "local_lock=none,addr=10.0.0.5\n"

static const struct {
    const char *table, *folder;
    enum mounts_answer answer;
    const char *target, *on_server, *address;
} tables[] = {
    { ROOT NFS("/mnt", "storage:/export", ""), "/mnt", MOUNTS_NFS, "/mnt", "/export", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/export", ""), "/mnt/a/b", MOUNTS_NFS, "/mnt", "/export/a/b", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/", ""), "/mnt/a", MOUNTS_NFS, "/mnt", "/a", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/", ""), "/mnt", MOUNTS_NFS, "/mnt", "/", "10.0.0.5" },
    { ROOT NFS("/mnt", "[fd00::1]:/export/", ""), "/mnt/a", MOUNTS_NFS, "/mnt", "/export/a", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/export", ""), "/mntx", MOUNTS_OTHER, NULL, NULL, NULL },
    { ROOT NFS("/mnt", "storage:/export", ""), "/", MOUNTS_OTHER, NULL, NULL, NULL },
    { NFS("/", "storage:/root", ""), "/var/lib", MOUNTS_NFS, "/", "/root/var/lib", "10.0.0.5" },
    { NFS("/", "storage:/root", ""), "/", MOUNTS_NFS, "/", "/root", "10.0.0.5" },
    { ROOT NFS("/mnt/my\\040disks", "storage:/ex\\040port", ""), "/mnt/my disks/a", MOUNTS_NFS,
      "/mnt/my disks", "/ex port/a", "10.0.0.5" },
    /* the deeper mount, whatever the order, and the later of two at one place */
    { ROOT NFS("/mnt/a", "storage:/deep", "") NFS("/mnt", "storage:/export", ""), "/mnt/a/b", MOUNTS_NFS,
      "/mnt/a", "/deep/b", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/old", "") NFS("/mnt", "storage:/new", ""), "/mnt", MOUNTS_NFS, "/mnt",
      "/new", "10.0.0.5" },
    { ROOT NFS("/mnt", "storage:/old", "") "50 22 0:5 / /mnt rw - tmpfs tmpfs rw\n", "/mnt", MOUNTS_OTHER,
      NULL, NULL, NULL },
    { ROOT "40 22 0:39 / /mnt rw - nfs storage:/export rw,vers=3\n", "/mnt", MOUNTS_UNCLEAR, NULL, NULL,
      NULL },
    { ROOT "40 22 0:39 / /mnt rw - nfs nonsense rw,addr=10.0.0.5\n", "/mnt", MOUNTS_UNCLEAR, NULL, NULL,
      NULL },
    { ROOT "40 22 0:39 / /mnt rw - nfs storage:/export rw,addr=10.0.0.5", "/mnt", MOUNTS_NFS, "/mnt",
      "/export", "10.0.0.5" },
    { ROOT "40 22 0:39 / /mnt rw - nfsd nfsd rw,addr=10.0.0.5\n", "/mnt", MOUNTS_OTHER, NULL, NULL, NULL },
    { "", "/mnt", MOUNTS_UNCLEAR, NULL, NULL, NULL },
    { "nonsense\n\n", "/mnt", MOUNTS_UNCLEAR, NULL, NULL, NULL },
};

START_TEST(a_path_lies_on_the_deepest_and_latest_mount_that_holds_it)
    {
        struct mount m;

        ck_assert_int_eq(mounts_find(tables[_i].table, tables[_i].folder, &m), tables[_i].answer);
        if (tables[_i].answer != MOUNTS_NFS)
            return;
        ck_assert_str_eq(m.target, tables[_i].target);
        ck_assert_str_eq(m.folder, tables[_i].on_server);
        ck_assert_str_eq(m.address, tables[_i].address);
        ck_assert(!m.is_soft && !m.is_read_only && !m.has_own_locks);
    }
END_TEST

static const struct {
    const char *line;
    bool is_soft, is_read_only, has_own_locks;
} options[] = {
    { "40 22 0:39 / /mnt rw - nfs s:/e rw,hard,nolock,addr=10.0.0.5\n", false, false, true },
    { "40 22 0:39 / /mnt rw - nfs s:/e rw,local_lock=all,addr=10.0.0.5\n", false, false, true },
    { "40 22 0:39 / /mnt rw - nfs s:/e rw,soft,local_lock=none,addr=10.0.0.5\n", true, false, false },
    { "40 22 0:39 / /mnt rw - nfs s:/e rw,softerr,addr=10.0.0.5\n", true, false, false },
    { "40 22 0:39 / /mnt rw - nfs s:/e rw,softreval,addr=10.0.0.5\n", false, false, false },
    { "40 22 0:39 / /mnt ro,relatime - nfs s:/e rw,addr=10.0.0.5\n", false, true, false },
    { "40 22 0:39 / /mnt rw - nfs s:/e ro,addr=10.0.0.5\n", false, true, false },
};

START_TEST(mount_options_that_matter_are_read)
    {
        struct mount m;

        ck_assert_int_eq(mounts_find(options[_i].line, "/mnt", &m), MOUNTS_NFS);
        ck_assert_int_eq(m.is_soft, options[_i].is_soft);
        ck_assert_int_eq(m.is_read_only, options[_i].is_read_only);
        ck_assert_int_eq(m.has_own_locks, options[_i].has_own_locks);
    }
END_TEST

/* A table of a line for each length up to the longest path. */
START_TEST(a_mount_point_that_is_too_long_is_passed_over)
    {
        static char target[2 * PATH_MAX];
        OWNED_TEXT line = { 0 };
        struct mount m;

        memset(target, 'x', sizeof target - 1);
        text_add(&line, "40 22 0:39 / /%s rw - nfs s:/e rw,addr=10.0.0.5\n" ROOT, target);
        ck_assert_int_eq(mounts_find(line.s, "/mnt", &m), MOUNTS_OTHER);
    }
END_TEST

#define OLD(target, device)                                                                                  \
    "41 22 0:40 / " target " rw - nfs4 " device " rw,vers=4.1,local_lock=none,addr=10.0.0.5\n"

static const struct {
    const char *table, *folder, *there; /* NULL: nowhere */
} ways_there[] = {
    { ROOT NFS("/mnt", "storage:/export", ""), "/export", "/mnt" },
    { ROOT NFS("/mnt", "storage:/export", ""), "/export/a/b", "/mnt/a/b" },
    { ROOT NFS("/mnt", "storage:/export", ""), "/exports", NULL },
    { ROOT NFS("/mnt", "storage:/export", ""), "/", NULL },
    { ROOT NFS("/mnt", "storage:/", ""), "/export/a", "/mnt/export/a" },
    { NFS("/", "storage:/root", ""), "/root/var", "/var" },
    { ROOT NFS("/mnt/my\\040disks", "storage:/ex\\040port", ""), "/ex port/a", "/mnt/my disks/a" },
    /* another version, another server, another part of it */
    { ROOT OLD("/mnt", "storage:/export"), "/export", NULL },
    { ROOT OLD("/old", "storage:/export") NFS("/mnt", "storage:/export", ""), "/export", "/mnt" },
    { ROOT "40 22 0:39 / /mnt rw - nfs4 s:/export rw,vers=4.2,addr=10.0.0.6\n", "/export", NULL },
    { ROOT "40 22 0:39 /sub /mnt rw - nfs4 s:/export rw,vers=4.2,addr=10.0.0.5\n", "/export", NULL },
    { ROOT "40 22 0:39 / /mnt rw - nfs4 s:/export rw,vers=4.2\n", "/export", NULL },
    /* the longer one, whatever the order, and the later of two */
    { ROOT NFS("/deep", "storage:/export/a", "") NFS("/mnt", "storage:/export", ""), "/export/a/b",
      "/deep/b" },
    { ROOT NFS("/one", "storage:/export", "") NFS("/two", "storage:/export", ""), "/export", "/two" },
    { "", "/export", NULL },
    { "nonsense\n\n", "/export", NULL },
};

START_TEST(a_folder_of_a_server_is_found_where_it_is_mounted)
    {
        char there[PATH_MAX] = "";

        ck_assert(mounts_there(ways_there[_i].table, "10.0.0.5", ways_there[_i].folder, there) ==
                  (ways_there[_i].there != NULL));
        if (ways_there[_i].there)
            ck_assert_str_eq(there, ways_there[_i].there);
    }
END_TEST

/* ---- writes ---- */

/* A server that keeps what was written in memory, and loses it when it restarts at the n-th call. */
struct server {
    unsigned char cache[64], disk[64];
    int calls, restarts_at[8];
    unsigned n_restarts;
    char verifier, n_verifiers; /* 0: each restart has a new one; 2: two servers take turns */
    uint32_t takes;             /* at most so much of a write */
    int fails_at;
};

static bool server_turns(struct server *s)
{
    s->calls++;
    for (unsigned i = 0; i < s->n_restarts; i++)
        if (s->restarts_at[i] == s->calls) {
            s->verifier++;
            if (s->n_verifiers)
                s->verifier = (char)(s->verifier % s->n_verifiers);
            memcpy(s->cache, s->disk, sizeof s->cache);
        }
    return s->calls != s->fails_at;
}

static int server_writes(void *context, uint64_t offset, const unsigned char *bytes, uint32_t n,
                         uint32_t *ret_n, char ret_verifier[8])
{
    struct server *s = context;

    if (!server_turns(s))
        return -1;
    *ret_n = n < s->takes ? n : s->takes;
    memcpy(s->cache + offset, bytes, *ret_n);
    memset(ret_verifier, s->verifier, 8);
    return 0;
}

static int server_commits(void *context, char ret_verifier[8])
{
    struct server *s = context;

    if (!server_turns(s))
        return -1;
    memcpy(s->disk, s->cache, sizeof s->disk);
    memset(ret_verifier, s->verifier, 8);
    return 0;
}

static const unsigned char sentence[40] = "what a server said it has, it may lose";

static const struct {
    struct server server;
    uint32_t piece;
    int result, calls;
} writes[] = {
    { { .takes = 64 }, 16, 0, 4 }, /* three pieces and the commit */
    { { .takes = 64 }, 40, 0, 2 },
    { { .takes = 64 }, 64, 0, 2 },
    { { .takes = 7 }, 16, 0, 7 }, /* short writes go on where they ended */
    /* restarted before any of the four calls: all is sent again */
    { { .takes = 64, .restarts_at = { 1 }, .n_restarts = 1 }, 16, 0, 4 },
    { { .takes = 64, .restarts_at = { 2 }, .n_restarts = 1 }, 16, 0, 8 },
    { { .takes = 64, .restarts_at = { 3 }, .n_restarts = 1 }, 16, 0, 8 },
    { { .takes = 64, .restarts_at = { 4 }, .n_restarts = 1 }, 16, 0, 8 },
    { { .takes = 64, .restarts_at = { 4, 8, 12 }, .n_restarts = 3 }, 16, 0, 16 },
    { { .takes = 64, .restarts_at = { 4, 8, 12, 16 }, .n_restarts = 4 }, 16, 1, 16 },
    { { .takes = 64, .restarts_at = { 2, 3 }, .n_restarts = 2, .n_verifiers = 2 }, 16, 0, 8 },
    { { .takes = 64, .fails_at = 2 }, 16, -1, 2 },
    { { .takes = 64, .fails_at = 4 }, 16, -1, 4 },
};

START_TEST(what_a_restarted_server_lost_is_sent_again)
    {
        struct server s = writes[_i].server;
        const struct sink sink = { .context = &s, .write = server_writes, .commit = server_commits };

        ck_assert_int_eq(send_all(&sink, sentence, sizeof sentence, writes[_i].piece), writes[_i].result);
        ck_assert_int_eq(s.calls, writes[_i].calls);
        if (writes[_i].result == 0)
            ck_assert_mem_eq(s.disk, sentence, sizeof sentence);
    }
END_TEST

TEST_MAIN("plugin/nfs", LOOP(of_a_servers_clock_only_what_is_sure_is_called_a_difference, TEST_ROWS(clocks)),
          LOOP(an_address_has_one_spelling_and_those_that_every_host_has_are_refused, TEST_ROWS(addresses)),
          the_addresses_of_a_name_are_each_taken_once_and_in_order,
          LOOP(an_identity_that_is_written_is_read_back, TEST_ROWS(identities)),
          LOOP(what_is_not_written_as_an_identity_is_none, TEST_ROWS(no_identities)),
          LOOP(two_servers_with_equal_fsids_are_not_taken_for_one, TEST_ROWS(pairs)),
          LOOP(what_the_journal_holds_of_a_new_file_is_read_back, TEST_ROWS(mades)),
          a_record_that_is_cut_or_none_removes_nothing, a_handle_of_another_generation_has_another_digest,
          LOOP(a_user_is_a_number_or_a_name, TEST_ROWS(numbers)), whom_qemu_is_stands_in_the_capabilities,
          LOOP(a_path_lies_on_the_deepest_and_latest_mount_that_holds_it, TEST_ROWS(tables)),
          LOOP(mount_options_that_matter_are_read, TEST_ROWS(options)),
          a_mount_point_that_is_too_long_is_passed_over,
          LOOP(a_folder_of_a_server_is_found_where_it_is_mounted, TEST_ROWS(ways_there)),
          LOOP(what_a_restarted_server_lost_is_sent_again, TEST_ROWS(writes)))
