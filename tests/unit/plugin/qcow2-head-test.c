/* SPDX-License-Identifier: Apache-2.0
 * Heads of qcow2 images as qemu-img and we write them, and such as nobody should. */
#include "../../../plugins/common/qcow2-head.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/common/qcow2.c"      /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "check-main.h"
#include "plugin-build.h"
#include <fcntl.h>

#define GiB(n) ((uint64_t)(n) << 30)

START_TEST(a_head_that_we_write_is_read_back)
    {
        const struct qcow2_base base = { "/srv/base.qcow2", "qcow2" };
        OWNED_MEMORY unsigned char *bytes = calloc(1, QCOW2_HEAD_BYTES);
        struct qcow2_head head;

        ck_assert_ptr_nonnull(bytes);
        ck_assert_int_eq(qcow2_write_head(GiB(5), NULL, bytes), 0);
        ck_assert(qcow2_read_head(bytes, QCOW2_LOOK_BYTES, &head));
        ck_assert_uint_eq(head.capacity, GiB(5));
        ck_assert_uint_eq(head.n_snapshots, 0);
        ck_assert_str_eq(head.base, "");
        ck_assert(!head.has_data_file);
        ck_assert(head.is_plain);
        ck_assert(!qcow2_read_head(bytes, 103, &head));
        ck_assert(!qcow2_read_head(bytes, 71, &head));
        ck_assert(!qcow2_read_head(bytes, 0, &head));
        ck_assert_int_eq(qcow2_write_head(GiB(5), &base, bytes), 0);
        ck_assert(qcow2_read_head(bytes, QCOW2_LOOK_BYTES, &head));
        ck_assert_str_eq(head.base, base.path);
        ck_assert_str_eq(head.base_format, "qcow2");
    }
END_TEST

static const struct {
    const char *make; /* image "i" */
    const char *base, *base_format, *data_file;
    uint32_t n_snapshots;
} made[] = {
    { "qemu-img create -q -f qcow2 i 64M", "", "", NULL, 0 },
    { "qemu-img create -q -f qcow2 -o compat=0.10 i 64M", "", "", NULL, 0 },
    { "qemu-img create -q -f qcow2 b 64M && qemu-img create -q -f qcow2 -b b -F qcow2 i", "b", "qcow2", NULL,
      0 },
    { "qemu-img create -q -f raw b 64M && qemu-img create -q -f qcow2 -o compat=0.10 -b b -F raw i", "b",
      "raw", NULL, 0 },
    { "qemu-img create -q -f qcow2 -o data_file=d,data_file_raw=on i 64M", "", "", "d", 0 },
    { "qemu-img create -q -f qcow2 i 64M && qemu-img snapshot -c one i && qemu-img snapshot -c two i", "", "",
      NULL, 2 },
};

START_TEST(a_head_that_qemu_img_writes_is_understood)
    {
        struct build b = build_begin();
        unsigned char bytes[QCOW2_LOOK_BYTES] = { 0 };
        struct qcow2_head head;
        char command[512];
        ssize_t n;
        int fd;

        (void)snprintf(command, sizeof command, "cd %s && %s", b.folder, made[_i].make);
        ck_assert_int_eq(build_run(command), 0);
        fd = open(build_path(&b, "i"), O_RDONLY | O_CLOEXEC);
        n = read(fd, bytes, sizeof bytes);
        (void)close(fd);
        ck_assert_int_gt(n, 0);
        ck_assert(qcow2_read_head(bytes, (size_t)n, &head));
        ck_assert_uint_eq(head.capacity, 64 << 20);
        ck_assert_uint_eq(head.n_snapshots, made[_i].n_snapshots);
        ck_assert_str_eq(head.base, made[_i].base);
        ck_assert_str_eq(head.base_format, made[_i].base_format);
        ck_assert_int_eq(head.has_data_file, made[_i].data_file != NULL);
        ck_assert_str_eq(head.data_file, made[_i].data_file ? made[_i].data_file : "");
        build_end(&b);
    }
END_TEST

/* Of an image with a base: the length of the format's name stands at 108, the base's place at 8, its length
 * at 16. */
static const struct {
    size_t at;
    unsigned char byte;
} damages[] = {
    { 0, 'q' },   { 7, 4 },      { 7, 1 },     { 4, 1 },    { 23, 8 },    { 23, 22 }, { 20, 1 },
    { 24, 0x80 }, { 8, 1 },      { 12, 0x7f }, { 16, 1 },   { 18, 0xff }, { 19, 0 },  { 100, 1 },
    { 103, 96 },  { 108, 0xff }, { 111, 0 },   { 111, 16 }, { 116, 0 },
};

/* One bit or one table more than we write, and an image can need more room than was reckoned. */
START_TEST(a_head_that_is_unlike_ours_is_not_plain)
    {
        static const struct {
            size_t at;
            unsigned char byte;
        } changes[] = { { 79, 1 }, { 23, 17 }, { 99, 5 }, { 63, 1 }, { 104, 0x23 } };
        static const unsigned char rest[] = { 0x85, 0x28, 0x75 };
        OWNED_MEMORY unsigned char *bytes = calloc(1, QCOW2_HEAD_BYTES);
        struct qcow2_head head;

        ck_assert_ptr_nonnull(bytes);
        ck_assert_int_eq(qcow2_write_head(GiB(5), NULL, bytes), 0);
        bytes[changes[_i].at] = changes[_i].byte;
        for (size_t i = 0; changes[_i].at == 104 && i < sizeof rest; i++)
            bytes[105 + i] = rest[i];
        ck_assert(qcow2_read_head(bytes, QCOW2_LOOK_BYTES, &head));
        ck_assert(!head.is_plain);
    }
END_TEST

START_TEST(a_head_that_makes_no_sense_says_nothing)
    {
        const struct qcow2_base base = { "/srv/base.qcow2", "qcow2" };
        OWNED_MEMORY unsigned char *bytes = calloc(1, QCOW2_HEAD_BYTES);
        struct qcow2_head head;

        ck_assert_ptr_nonnull(bytes);
        ck_assert_int_eq(qcow2_write_head(GiB(5), &base, bytes), 0);
        bytes[damages[_i].at] = damages[_i].byte;
        ck_assert(!qcow2_read_head(bytes, QCOW2_LOOK_BYTES, &head));
    }
END_TEST

/* Whatever stands in its first bytes, nothing behind what was given is read: for the sanitizer to see. */
START_TEST(any_bytes_at_all_are_survived)
    {
        const struct qcow2_base base = { "/srv/base.qcow2", "qcow2" };
        OWNED_MEMORY unsigned char *good = calloc(1, QCOW2_HEAD_BYTES);
        struct qcow2_head head;
        uint32_t seed = 12345;

        ck_assert_ptr_nonnull(good);
        ck_assert_int_eq(qcow2_write_head(GiB(5), &base, good), 0);
        for (unsigned i = 0; i < 20000; i++) {
            const size_t n = (seed >> 8) % 200;
            unsigned char *bytes = malloc(n + 1);

            ck_assert_ptr_nonnull(bytes);
            memcpy(bytes, good, n);
            for (unsigned k = 0; k < 3 && n; k++) {
                seed = seed * 1664525u + 1013904223u;
                bytes[(seed >> 8) % n] = (unsigned char)(seed >> 24);
            }
            bytes = realloc(bytes, n ? n : 1);
            ck_assert_ptr_nonnull(bytes);
            (void)qcow2_read_head(bytes, n, &head);
            ck_assert_ptr_nonnull(memchr(head.base, '\0', sizeof head.base));
            free(bytes);
            seed = seed * 1664525u + 1013904223u;
        }
    }
END_TEST

TEST_MAIN("plugin/qcow2-head", a_head_that_we_write_is_read_back,
          LOOP(a_head_that_is_unlike_ours_is_not_plain, 5),
          LOOP(a_head_that_qemu_img_writes_is_understood, TEST_ROWS(made)),
          LOOP(a_head_that_makes_no_sense_says_nothing, TEST_ROWS(damages)), any_bytes_at_all_are_survived)
