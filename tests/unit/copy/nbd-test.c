/* SPDX-License-Identifier: Apache-2.0
 * Images of QEMU's formats, by QEMU's own programs, where they are installed: converted there and back, cut
 * short, and in use. */
#include "copy/copy.h"
#include "copy/nbd.h"

#include "../plugin/plugin-build.h"
#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include <stdarg.h>
#include <string.h>

static struct error err;
static struct build b;
static const struct call_host host = { .host = "hostA" };
static const struct plugin_entry nobody = { .plugin = { .name = "qemu-nbd" } };
static char paths[8][160];

static const char *path(unsigned i, const char *name)
{
    (void)snprintf(paths[i], sizeof paths[i], "%s/%s", b.folder, name);
    return paths[i];
}

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[900];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return build_run(command);
}

static bool begin(void)
{
    b = build_begin();
    return shell("command -v qemu-img qemu-io qemu-nbd >/dev/null") == 0;
}

/* 8 MiB and a half, with data, a hole and zeroes that were written. */
static const char *make_raw(void)
{
    const char *raw = path(0, "a b'c.raw");

    ck_assert_int_eq(shell("qemu-img create -q -f raw \"%s\" 8704K && qemu-io -f raw -c 'write -P 7 0 1M' "
                           "-c 'write -P 9 3000K 700K' -c 'write -P 0 5M 1M' -c 'write -P 5 8703K 1K' \"%s\" "
                           ">/dev/null",
                           raw, raw),
                     0);
    return raw;
}

static int open_end(struct copy_end *e, const char *file, const char *format, bool to_write)
{
    const struct ferry_disk d = {
        .size = sizeof d, .target = "vda", .type = "file", .source = file, .format = format
    };
    const struct end_place place = {
        .host = &host, .owner = &nobody, .driver = &nbd_storage, .disk = &d, .name = file
    };

    err = (struct error){ 0 };
    return end_open(e, &place, to_write, &err);
}

static int convert(const char *from, const char *from_format, const char *to, const char *to_format,
                   struct copy_progress *ret)
{
    const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
    struct copy_end source = { 0 }, dest = { 0 };
    int r = open_end(&source, from, from_format, false);

    if (r == 0)
        r = open_end(&dest, to, to_format, true);
    if (r == 0)
        r = copy_run(&source, &dest, &wants, ret, &err);
    end_close(&source);
    end_close(&dest);
    return r;
}

START_TEST(an_image_is_converted_there_and_back)
    {
        struct copy_progress p;

        if (begin()) {
            const char *raw = make_raw(), *qcow2 = path(1, "x.qcow2"), *back = path(2, "back.raw");

            ck_assert_int_eq(
                shell("qemu-img create -q -f qcow2 '%s' 8704K && truncate -s 8704K '%s'", qcow2, back), 0);
            ck_assert_msg(convert(raw, "raw", qcow2, "qcow2", &p) == 0, "%s: %s", err.what, err.why);
            ck_assert_int_eq(shell("qemu-img compare -q -f raw -F qcow2 \"%s\" '%s'", raw, qcow2), 0);
            ck_assert_uint_lt(p.written_bytes, 2 << 20);
            ck_assert_msg(convert(qcow2, "qcow2", back, "raw", &p) == 0, "%s: %s", err.what, err.why);
            ck_assert_int_eq(shell("cmp \"%s\" '%s'", raw, back), 0);
        }
        build_end(&b);
    }
END_TEST

START_TEST(old_bytes_in_a_destination_of_qemus_do_not_show_through)
    {
        struct copy_progress p;

        if (begin()) {
            const char *raw = make_raw(), *qcow2 = path(1, "x.qcow2");

            ck_assert_int_eq(shell("qemu-img create -q -f qcow2 '%s' 9M && qemu-io -f qcow2 -c "
                                   "'write -P 170 0 9M' '%s' >/dev/null",
                                   qcow2, qcow2),
                             0);
            ck_assert_msg(convert(raw, "raw", qcow2, "qcow2", &p) == 0, "%s: %s", err.what, err.why);
            ck_assert_int_eq(shell("qemu-img compare -q -f raw -F qcow2 \"%s\" '%s'", raw, qcow2), 0);
        }
        build_end(&b);
    }
END_TEST

/* The last cluster is a part of one, and what lies in it: a hole, zeroes that were written, data. */
static const struct {
    const char *length, *last;
} tails[] = {
    { "8389120", "discard 8323072 66048" },  { "8389120", "write -P 0 8388608 512" },
    { "8389120", "write -P 5 8388608 512" }, { "8454656", "write -P 0 8388608 64k" },
    { "8454656", "write -P 5 8453632 1k" },
};

START_TEST(the_last_part_of_a_cluster_arrives)
    {
        struct copy_progress p;

        if (begin()) {
            const char *raw = path(0, "tail.raw"), *qcow2 = path(1, "x.qcow2");

            ck_assert_int_eq(
                shell("qemu-img create -q -f raw '%s' %s && qemu-io -f raw -c 'write -P 7 1M 64k' -c "
                      "'%s' '%s' >/dev/null && qemu-img create -q -f qcow2 '%s' %s && qemu-io -f qcow2 "
                      "-c 'write -P 170 0 %s' '%s' >/dev/null",
                      raw, tails[_i].length, tails[_i].last, raw, qcow2, tails[_i].length, tails[_i].length,
                      qcow2),
                0);
            ck_assert_msg(convert(raw, "raw", qcow2, "qcow2", &p) == 0, "%s: %s", err.what, err.why);
            ck_assert_int_eq(shell("qemu-img compare -q -f raw -F qcow2 '%s' '%s'", raw, qcow2), 0);
        }
        build_end(&b);
    }
END_TEST

START_TEST(an_image_that_was_changed_can_be_told)
    {
        struct copy_end e = { 0 };
        uint64_t before = 0, same = 0, after = 0;

        if (begin()) {
            const char *raw = make_raw(), *qcow2 = path(1, "x.qcow2");

            ck_assert_int_eq(shell("qemu-img convert -f raw -O qcow2 \"%s\" '%s'", raw, qcow2), 0);
            ck_assert_msg(open_end(&e, qcow2, "qcow2", false) == 0, "%s", err.what);
            ck_assert(end_changed(&e, &before));
            end_close(&e);
            ck_assert_msg(open_end(&e, qcow2, "qcow2", false) == 0, "%s", err.what);
            ck_assert(end_changed(&e, &same));
            end_close(&e);
            ck_assert_uint_eq(before, same);
            ck_assert_int_eq(shell("qemu-io -f qcow2 -c 'write -P 3 0 512' '%s' >/dev/null", qcow2), 0);
            ck_assert_msg(open_end(&e, qcow2, "qcow2", false) == 0, "%s", err.what);
            ck_assert(end_changed(&e, &after));
            end_close(&e);
            ck_assert_uint_ne(before, after);
        }
        build_end(&b);
    }
END_TEST

START_TEST(an_image_that_was_cut_short_is_refused)
    {
        struct copy_end e = { 0 };

        if (begin()) {
            const char *raw = make_raw(), *qcow2 = path(1, "x.qcow2");

            ck_assert_int_eq(shell("qemu-img convert -f raw -O qcow2 \"%s\" '%s' && truncate -s 1M '%s'", raw,
                                   qcow2, qcow2),
                             0);
            ck_assert_int_lt(open_end(&e, qcow2, "qcow2", false), 0);
            ck_assert_msg(strstr(err.what, "is damaged or cut short") != NULL, "%s", err.what);
        }
        build_end(&b);
    }
END_TEST

START_TEST(what_qemu_does_not_open_is_told_with_its_words)
    {
        struct copy_end e = { 0 };

        if (begin()) {
            ck_assert_int_lt(open_end(&e, path(0, "nothing"), "raw", _i), 0);
            ck_assert_msg(strstr(err.what, "qemu-nbd could not open") != NULL, "%s", err.what);
            ck_assert(err.fix[0]);
        }
        build_end(&b);
    }
END_TEST

START_TEST(an_image_that_qemu_writes_is_refused)
    {
        struct copy_end e = { 0 };

        if (begin()) {
            const char *qcow2 = path(1, "x.qcow2");

            ck_assert_int_eq(
                shell("qemu-img create -q -f qcow2 '%s' 8M && { qemu-io -f qcow2 -c 'write 0 512' -c "
                      "'sleep 900' '%s' >/dev/null 2>&1 & sleep 0.3; }",
                      qcow2, qcow2),
                0);
            ck_assert_int_lt(open_end(&e, qcow2, "qcow2", _i), 0);
            ck_assert_msg(strstr(err.what, "lock") != NULL, "%s", err.what);
            (void)usleep(900000);
        }
        build_end(&b);
    }
END_TEST

/* Each with the words that it has. */
static const char *const refusals[] = {
    "qemu-nbd: Invalid aio mode 'io_uring'",
    "qemu-nbd: Failed to blk_new_open 'x': failed to init linux io_uring ring",
};

START_TEST(without_io_uring_an_image_is_read_all_the_same)
    {
        const char *found = getenv("PATH");
        OWNED_MEMORY char *before = found ? strdup(found) : NULL;
        struct copy_progress p;
        OWNED_TEXT way = { 0 };

        if (begin()) {
            const char *raw = make_raw(), *qcow2 = path(1, "x.qcow2"), *back = path(2, "back.raw");

            ck_assert_int_eq(shell("qemu-img convert -f raw -O qcow2 \"%s\" '%s' && truncate -s 8704K '%s'",
                                   raw, qcow2, back),
                             0);
            ck_assert_int_eq(
                shell("mkdir '%s/bin' && { echo '#!/bin/sh'; echo \"case \\$* in *io_uring*) echo "
                      "'%s' >&2; exit 1;; esac; exec $(command -v qemu-nbd) "
                      "\\\"\\$@\\\"\"; } >'%s/bin/qemu-nbd' && chmod +x '%s/bin/qemu-nbd'",
                      b.folder, refusals[_i], b.folder, b.folder),
                0);
            text_add(&way, "%s/bin:%s", b.folder, before ? before : "/usr/bin");
            ck_assert_int_eq(setenv("PATH", text_of(&way), 1), 0);
            ck_assert_msg(convert(qcow2, "qcow2", back, "raw", &p) == 0, "%s: %s", err.what, err.why);
            ck_assert_int_eq(setenv("PATH", before ? before : "/usr/bin", 1), 0);
            ck_assert_int_eq(shell("cmp \"%s\" '%s'", raw, back), 0);
        }
        build_end(&b);
    }
END_TEST

TEST_MAIN("copy/nbd", an_image_is_converted_there_and_back,
          old_bytes_in_a_destination_of_qemus_do_not_show_through,
          LOOP(the_last_part_of_a_cluster_arrives, TEST_ROWS(tails)), an_image_that_was_changed_can_be_told,
          an_image_that_was_cut_short_is_refused, LOOP(what_qemu_does_not_open_is_told_with_its_words, 2),
          LOOP(without_io_uring_an_image_is_read_all_the_same, TEST_ROWS(refusals)),
          LOOP(an_image_that_qemu_writes_is_refused, 2))
