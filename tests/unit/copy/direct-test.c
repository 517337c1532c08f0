/* SPDX-License-Identifier: Apache-2.0
 * Images of QEMU's read past QEMU, by QEMU's own programs and the driver of files as it is loaded: all kinds
 * of clusters, what QEMU alone can read, a map that is wrong, and a file that is cut meanwhile. */
#include "copy/copy.h"
#include "copy/direct.h"
#include "copy/nbd.h"

#include "../plugin/plugin-build.h"
#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static struct error err;
static struct build b;
static char image[160], back[160];
static const struct call_host host = { .host = "hostA" };
static const struct plugin_entry nobody = { .plugin = { .name = "qemu-nbd" } };

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[1600], there[1700];
    va_list args;

    va_start(args, format);
    ck_assert_int_lt(vsnprintf(command, sizeof command, format, args), (int)sizeof command);
    va_end(args);
    (void)snprintf(there, sizeof there, "cd '%s' && %s", b.folder, command);
    return build_run(there);
}

static bool begin(void)
{
    char plugins[PATH_MAX];

    ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
    (void)snprintf(plugins, sizeof plugins, "%s/plugins", getenv("FERRY_BUILD"));
    b = build_begin();
    ck_assert_int_eq(registry_load(plugins, &err), 0);
    (void)snprintf(image, sizeof image, "%s/x.qcow2", b.folder);
    (void)snprintf(back, sizeof back, "%s/back.raw", b.folder);
    return shell("command -v qemu-img qemu-io qemu-nbd >/dev/null") == 0;
}

static int open_end(struct copy_end *e, const char *path, const char *format, bool to_write)
{
    const struct ferry_disk d = {
        .size = sizeof d, .target = "vda", .type = "file", .source = path, .format = format
    };
    struct end_place place = { .host = &host, .disk = &d, .name = path };

    err = (struct error){ 0 };
    place.driver = registry_storage("local-block", &place.owner);
    ck_assert_ptr_nonnull(place.driver);
    if (!text_equal(format, "qcow2"))
        return end_open(e, &place, to_write, &err);
    place.driver = &nbd_storage;
    place.owner = &nobody;
    return end_open(e, &place, to_write, &err);
}

static void read_past_qemu(struct copy_end *e)
{
    const struct ferry_disk d = {
        .size = sizeof d, .target = "vda", .type = "file", .source = image, .format = "raw"
    };
    struct end_place place = { .host = &host, .disk = &d, .name = image };

    place.driver = registry_storage("local-block", &place.owner);
    direct_open(e, &place);
}

static int copy(enum copy_verify verify, uint64_t *ret_direct)
{
    const struct copy_wants wants = { .verify = verify };
    struct copy_end from = { 0 }, to = { 0 };
    struct copy_progress p;
    int r;

    ck_assert_msg(open_end(&from, image, "qcow2", false) == 0, "%s: %s", err.what, err.why);
    read_past_qemu(&from);
    ck_assert_int_eq(shell("truncate -s %llu back.raw", (unsigned long long)from.is.length_bytes), 0);
    ck_assert_msg(open_end(&to, back, "raw", true) == 0, "%s", err.what);
    r = copy_run(&from, &to, &wants, &p, &err);
    *ret_direct = direct_bytes(&from);
    end_close(&from);
    end_close(&to);
    return r;
}

/* Every other cluster first, so that neighbours never lie together. */
#define SCATTERED                                                                                            \
    "for i in 1 3 5 7 9 11 13 15 0 2 4 6 8 10 12 14; do echo \"write -q -P $((i + 1)) $((i * 64))k 64k\"; "  \
    "done"
/* Shorter than a qcow2 file without data, in which it would be found where another file has it. */
#define LITTLE "echo 'write -q -P 7 0 64k'"
#define ONE "echo 'write -q -P 7 0 2M'; echo 'write -q -P 9 3000k 700k'"

static const struct {
    const char *create, *writes;
    uint64_t least, most; /* read past QEMU */
} kinds[] = {
    { "qemu-img create -q -f qcow2 x.qcow2 8M", ONE, 2 * MIB, 8 * MIB },
    { "qemu-img create -q -f qcow2 x.qcow2 8M", SCATTERED, MIB, MIB },
    { "qemu-img create -q -f qcow2 -o compat=0.10 x.qcow2 8M", SCATTERED, MIB, MIB },
    { "qemu-img create -q -f qcow2 -o cluster_size=4k x.qcow2 8M", SCATTERED, MIB, MIB },
    /* Too small to be read directly, and too many for the parts that there are. */
    { "qemu-img create -q -f qcow2 -o cluster_size=512 x.qcow2 8M", ONE, 0, 8 * MIB },
    { "qemu-img create -q -f qcow2 -o cluster_size=2M x.qcow2 8M", ONE, 2 * MIB, 8 * MIB },
    { "qemu-img create -q -f qcow2 -o extended_l2=on,cluster_size=128k x.qcow2 8M", SCATTERED, MIB, MIB },
    { "qemu-img create -q -f qcow2 -o preallocation=metadata x.qcow2 8M", SCATTERED, MIB, 8 * MIB },
    { "qemu-img create -q -f qcow2 -o preallocation=falloc x.qcow2 8M", ONE, 2 * MIB, 8 * MIB },
    /* The last cluster is a part of one, of an odd number of sectors. */
    { "qemu-img create -q -f qcow2 x.qcow2 2098688", "echo 'write -q -P 3 0 2098688'", 2 * MIB, 2 * MIB },
    /* Zeroes over data, and data that were given up. */
    { "qemu-img create -q -f qcow2 x.qcow2 8M",
      ONE "; echo 'write -q -z 64k 128k'; echo 'write -q -z -u 512k 64k'; echo 'discard -q 1M 64k'", MIB,
      8 * MIB },
    /* Of a base, and of it alone. */
    { "qemu-img create -q -f raw base 8M && qemu-io -f raw -c 'write -q -P 5 1M 4M' base && qemu-img create "
      "-q -f qcow2 -b base -F raw x.qcow2",
      SCATTERED, MIB, MIB },
    { "qemu-img create -q -f raw base 8M && qemu-io -f raw -c 'write -q -P 5 1M 4M' base && qemu-img create "
      "-q -f qcow2 -b base -F raw x.qcow2",
      "true", 0, 0 },
    /* What is older is in the file as well. */
    { "qemu-img create -q -f qcow2 x.qcow2 8M && { " SCATTERED
      "; } | qemu-io -f qcow2 x.qcow2 >/dev/null && qemu-img snapshot -c s x.qcow2",
      "echo 'write -q -P 99 256k 256k'", MIB, MIB },
    /* What only QEMU can read, alone and beside what all can. */
    { "qemu-img create -q -f qcow2 x.qcow2 8M",
      "echo 'write -q -c -P 4 0 64k'; echo 'write -q -c -P 6 1M 64k'", 0, 0 },
    { "qemu-img create -q -f qcow2 x.qcow2 8M", SCATTERED "; echo 'write -q -c -P 4 2M 64k'", MIB, MIB },
    { "qemu-img create -q -f qcow2 -o data_file=$PWD/data x.qcow2 8M", LITTLE, 0, 0 },
    { "qemu-img create -q -f qcow2 -o data_file=$PWD/data,data_file_raw=on x.qcow2 8M", LITTLE, 0, 0 },
};

START_TEST(what_an_image_holds_arrives)
    {
        uint64_t direct;

        if (begin()) {
            ck_assert_int_eq(shell("%s && { %s; } | qemu-io -f qcow2 x.qcow2 >/dev/null", kinds[_i].create,
                                   kinds[_i].writes),
                             0);
            ck_assert_msg(copy(COPY_VERIFY_FULL, &direct) == 0, "%s: %s", err.what, err.why);
            ck_assert_uint_ge(direct, kinds[_i].least);
            ck_assert_uint_le(direct, kinds[_i].most);
            ck_assert_int_eq(shell("qemu-img compare -q -f qcow2 -F raw x.qcow2 back.raw"), 0);
        }
        build_end(&b);
    }
END_TEST

/* Longer than what QEMU is asked for at a time. */
START_TEST(a_long_image_is_asked_for_in_windows)
    {
        uint64_t direct;

        if (begin()) {
            ck_assert_int_eq(
                shell("qemu-img create -q -f qcow2 x.qcow2 100G && qemu-io -f qcow2 -c 'write -q -P 1 0 "
                      "64k' -c 'write -q -P 2 17179803648 128k' -c 'write -q -P 3 60G 1M' -c 'write "
                      "-q -P 4 107374116864 64k' x.qcow2"),
                0);
            ck_assert_msg(copy(COPY_VERIFY_SAMPLED, &direct) == 0, "%s: %s", err.what, err.why);
            ck_assert_uint_eq(direct, MIB + 256 * 1024);
            ck_assert_int_eq(shell("qemu-img compare -q -f qcow2 -F raw x.qcow2 back.raw"), 0);
        }
        build_end(&b);
    }
END_TEST

/* A qemu-img whose map is another's: what follows is a shell's. */
static void change_map(const char *how)
{
    const char *found = getenv("PATH");
    OWNED_TEXT way = { 0 };

    ck_assert_int_eq(shell("mkdir bin && { echo '#!/bin/sh'; echo 'real='$(command -v qemu-img); echo '"
                           "[ \"$1\" = map ] || exec $real \"$@\"'; echo '%s'; } >bin/qemu-img && chmod +x "
                           "bin/qemu-img",
                           how),
                     0);
    text_add(&way, "%s/bin:%s", b.folder, found ? found : "/usr/bin");
    ck_assert_int_eq(setenv("PATH", text_of(&way), 1), 0);
}

static const struct {
    const char *how;
    bool is_wrong; /* and not only absent */
} maps[] = {
    { "exit 1", false },
    { "echo \"qemu-img: unrecognized option: $3\"; exit 0", false },
    { "$real \"$@\" | head -c 300", false }, /* what follows is another map's */
    { "echo \"[]\"", false },
    /* Another image lies there now. */
    { "$real \"$@\"; cp x.qcow2 y; mv y x.qcow2", false },
    { "$real \"$@\" | sed \"s/\\\"offset\\\": [0-9]*/\\\"offset\\\": 0/\"", true },
};

START_TEST(a_map_that_is_wrong_is_found_out)
    {
        uint64_t direct;

        if (begin()) {
            int r;

            ck_assert_int_eq(shell("qemu-img create -q -f qcow2 x.qcow2 8M && { " SCATTERED
                                   "; } | qemu-io -f qcow2 x.qcow2 >/dev/null"),
                             0);
            change_map(maps[_i].how);
            ck_assert_int_eq(chdir(b.folder), 0);
            r = copy(COPY_VERIFY_FULL, &direct);
            if (maps[_i].is_wrong) {
                ck_assert_int_lt(r, 0);
                ck_assert_msg(strstr(err.what, "differs from") != NULL, "%s", err.what);
            } else {
                ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
                ck_assert_int_eq(shell("qemu-img compare -q -f qcow2 -F raw x.qcow2 back.raw"), 0);
            }
            ck_assert_int_eq(chdir("/"), 0);
        }
        build_end(&b);
    }
END_TEST

static const struct {
    unsigned each, times; /* how long a stretch is; how often a map is asked for */
} dense[] = { { 512, 1 }, { 4096, 2 } };

/* Of 128 MiB, in stretches of which the room for a map holds some twenty thousand. */
START_TEST(a_map_that_says_too_little_is_not_asked_for_again)
    {
        char how[400];
        uint64_t direct;

        if (begin()) {
            ck_assert_int_eq(
                shell("qemu-img create -q -f qcow2 x.qcow2 128M && qemu-io -f qcow2 -c 'write -q -P 7 "
                      "0 1M' -c 'write -q -P 8 127M 1M' x.qcow2"),
                0);
            (void)snprintf(how, sizeof how,
                           "echo >>calls; seq ${5#*=} %u 134217727 | sed \"s/.*/{ \\\"start\\\": &, "
                           "\\\"length\\\": %u, \\\"depth\\\": 0, \\\"present\\\": false, "
                           "\\\"zero\\\": true, \\\"data\\\": false},/\"",
                           dense[_i].each, dense[_i].each);
            change_map(how);
            ck_assert_int_eq(chdir(b.folder), 0);
            ck_assert_msg(copy(COPY_VERIFY_FULL, &direct) == 0, "%s: %s", err.what, err.why);
            ck_assert_uint_eq(direct, 0);
            ck_assert_int_eq(shell("[ $(wc -l <calls) = %u ]", dense[_i].times), 0);
            ck_assert_int_eq(chdir("/"), 0);
        }
        build_end(&b);
    }
END_TEST

START_TEST(a_file_that_is_cut_meanwhile_is_an_error_and_not_zeroes)
    {
        static unsigned char bytes[1 << 20] __attribute__((aligned(END_BLOCK_MOST)));
        struct ferry_request r = { .what = FERRY_READ, .buffer = bytes, .length_bytes = sizeof bytes };
        struct copy_end from = { 0 };

        if (begin()) {
            ck_assert_int_eq(
                shell("qemu-img create -q -f qcow2 x.qcow2 8M && qemu-io -f qcow2 -c 'write -q -P 7 0 "
                      "8M' x.qcow2"),
                0);
            ck_assert_msg(open_end(&from, image, "qcow2", false) == 0, "%s: %s", err.what, err.why);
            read_past_qemu(&from);
            ck_assert_uint_eq(direct_look(&from, 0), 8 * MIB);
            ck_assert_int_eq(shell("truncate -s 4M x.qcow2"), 0);
            ck_assert_int_eq(end_do(&from, &r, &err), 0);
            ck_assert_int_eq(bytes[sizeof bytes - 1], 7);
            r.offset_bytes = 3 * MIB;
            ck_assert_int_eq(end_do(&from, &r, &err), EIO);
            ck_assert_uint_eq(r.offset_bytes, 3 * MIB);
            end_close(&from);
        }
        build_end(&b);
    }
END_TEST

/* Nobody may write it while it is read past QEMU: what QEMU holds is still held. */
START_TEST(the_image_stays_locked)
    {
        struct copy_end from = { 0 };

        if (begin()) {
            ck_assert_int_eq(shell("qemu-img create -q -f qcow2 x.qcow2 8M"), 0);
            ck_assert_msg(open_end(&from, image, "qcow2", false) == 0, "%s: %s", err.what, err.why);
            read_past_qemu(&from);
            ck_assert_uint_ne(direct_look(&from, 0), UINT64_MAX);
            ck_assert_int_ne(shell("qemu-io -f qcow2 -c 'write -q 0 64k' x.qcow2 2>/dev/null"), 0);
            end_close(&from);
            ck_assert_int_eq(shell("qemu-io -f qcow2 -c 'write -q 0 64k' x.qcow2"), 0);
        }
        build_end(&b);
    }
END_TEST

TEST_MAIN("copy/direct", LOOP(what_an_image_holds_arrives, TEST_ROWS(kinds)),
          a_long_image_is_asked_for_in_windows, LOOP(a_map_that_is_wrong_is_found_out, TEST_ROWS(maps)),
          LOOP(a_map_that_says_too_little_is_not_asked_for_again, TEST_ROWS(dense)),
          a_file_that_is_cut_meanwhile_is_an_error_and_not_zeroes, the_image_stays_locked)
