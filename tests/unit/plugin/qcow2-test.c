/* SPDX-License-Identifier: Apache-2.0
 * The empty qcow2 image that local-block writes, judged by qemu-img. */
#include "../../../plugins/common/qcow2.c" /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <fcntl.h>
#include <inttypes.h>

#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)
#define TiB(n) ((uint64_t)(n) << 40)

static const struct {
    uint64_t capacity;
    uint64_t clusters; /* of the file */
} sizes[] = {
    { 512, 4 },
    { MiB(1), 4 },
    { MiB(1) + 512, 4 },
    { MiB(512), 4 },
    { MiB(512) + 512, 4 },
    { GiB(1), 4 },
    { GiB(1) + 512 * 12345, 4 },
    { TiB(1), 4 },
    { TiB(4), 4 },       /* the last that one cluster of L1 table covers */
    { TiB(4) + 512, 5 }, /* the first that it does not */
    { TiB(8), 5 },
    { TiB(1024), 259 },
};

static void write_image(const char *path, uint64_t capacity, const struct qcow2_base *base)
{
    OWNED_MEMORY unsigned char *head = malloc(QCOW2_HEAD_BYTES);
    OWNED_FD fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

    ck_assert_ptr_nonnull(head);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(qcow2_write_head(capacity, base, head), 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)qcow2_file_bytes(capacity)), 0);
    ck_assert_int_eq(pwrite(fd, head, QCOW2_HEAD_BYTES, 0), QCOW2_HEAD_BYTES);
}

START_TEST(an_empty_image_passes_the_check_and_has_the_size_that_was_asked)
    {
        struct build b = build_begin();
        char command[1024];

        ck_assert_uint_eq(qcow2_file_bytes(sizes[_i].capacity), sizes[_i].clusters * QCOW2_CLUSTER);
        write_image(build_path(&b, "i"), sizes[_i].capacity, NULL);
        (void)snprintf(command, sizeof command,
                       "cd %s && qemu-img check -q -f qcow2 i && "
                       "qemu-img info -f qcow2 --output=json i | tr -d ' \\n' >info && "
                       "grep -q '\"virtual-size\":%" PRIu64
                       ",' info && grep -q '\"cluster-size\":65536,' info && "
                       "grep -q '\"compat\":\"1.1\"' info && ! grep -q backing info",
                       b.folder, sizes[_i].capacity);
        ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

START_TEST(an_image_that_was_written_to_still_passes_and_reads_back)
    {
        struct build b = build_begin();
        char command[1024];

        write_image(build_path(&b, "i"), GiB(1), NULL);
        (void)snprintf(
            command, sizeof command,
            "cd %s && { qemu-io -f qcow2 -c 'read -P 0 0 64M' -c 'write -P 7 600M 1M' -c 'read -P 7 600M 1M' "
            "-c 'read -P 0 700M 8M' i || echo pattern; } >out 2>&1 && ! grep -qi pattern out && "
            "qemu-img check -q -f qcow2 i",
            b.folder);
        ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

/* The path that the folder's own needs, filled up to the longest that an image can hold. */
START_TEST(an_image_on_a_base_reads_as_the_base_until_it_is_written)
    {
        static const char *const formats[] = { "raw", "qcow2" };
        struct build b = build_begin();
        OWNED_TEXT path = { 0 };
        char command[3072];

        text_add(&path, "%s/", b.folder);
        while (_i >= 2 && path.len < QCOW2_BASE_MAX - 4)
            text_add(&path, "./");
        text_add(&path, path.len % 2 == QCOW2_BASE_MAX % 2 ? "ab" : "b");
        const struct qcow2_base base = { .path = text_of(&path), .format = formats[_i % 2] };

        (void)snprintf(command, sizeof command,
                       "cd %s && touch ab && qemu-img create -q -f %s ab 64M && cp ab b && "
                       "qemu-io -f %s -c 'write -P 9 1M 1M' ab && cp ab b",
                       b.folder, base.format, base.format);
        ck_assert_int_eq(build_run(command), 0);
        write_image(build_path(&b, "i"), MiB(64), &base);
        (void)snprintf(command, sizeof command,
                       "cd %s && qemu-img check -q -f qcow2 i && "
                       "qemu-img info -f qcow2 --output=json i | tr -d ' \n' >info && "
                       "grep -qF '\"backing-filename\":\"%s\"' info && "
                       "grep -q '\"backing-filename-format\":\"%s\"' info && "
                       "{ qemu-io -f qcow2 -c 'read -P 9 1M 1M' -c 'write -P 7 1M 64k' -c 'read -P 7 1M 64k' "
                       "-c 'read -P 9 1088k 64k' i || echo pattern; } >out 2>&1 && ! grep -qi pattern out && "
                       "qemu-img check -q -f qcow2 i",
                       b.folder, base.path, base.format);
        ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

START_TEST(a_base_that_an_image_cannot_name_is_refused)
    {
        OWNED_MEMORY unsigned char *head = malloc(QCOW2_HEAD_BYTES);
        char path[QCOW2_BASE_MAX + 2];

        memset(path, 'p', sizeof path);
        path[sizeof path - 1] = '\0';
        ck_assert_ptr_nonnull(head);
        ck_assert_int_lt(qcow2_write_head(MiB(1), &(struct qcow2_base){ path, "raw" }, head), 0);
        ck_assert_int_eq(qcow2_write_head(MiB(1), &(struct qcow2_base){ path + 1, "raw" }, head), 0);
        ck_assert_int_lt(qcow2_write_head(MiB(1), &(struct qcow2_base){ "/b", "" }, head), 0);
        ck_assert_int_lt(qcow2_write_head(MiB(1), &(struct qcow2_base){ "", "raw" }, head), 0);
        ck_assert_int_lt(qcow2_write_head(MiB(1), &(struct qcow2_base){ "/b", "nine-long" }, head), 0);
    }
END_TEST

static const uint64_t refused[] = { 0, 1, 511, 513, TiB(1024) + 512, UINT64_MAX };

START_TEST(a_size_that_it_cannot_do_is_refused)
    {
        ck_assert_uint_eq(qcow2_file_bytes(refused[_i]), 0);
    }
END_TEST

/* All of the disk written, with every table that counts and finds it: twice over. */
START_TEST(a_reserved_file_is_longer_than_the_image_can_need)
    {
        static const uint64_t gib = UINT64_C(1) << 30;
        const uint64_t bytes = qcow2_reserved_bytes(gib);

        ck_assert_uint_ge(bytes, 2 * (gib + gib / 8192 + gib / 32768 + qcow2_file_bytes(gib)));
        ck_assert_uint_lt(bytes, 3 * gib);
        ck_assert_uint_eq(bytes % QCOW2_CLUSTER, 0);
        ck_assert_uint_gt(qcow2_reserved_bytes(512), 0);
        ck_assert_uint_gt(qcow2_reserved_bytes(3072 * gib), 0);
        ck_assert_uint_eq(qcow2_reserved_bytes(4096 * gib), 0);
        ck_assert_uint_eq(qcow2_reserved_bytes(511), 0);
    }
END_TEST

/* Backwards in pieces of a cluster and a half, then all once more in one: QEMU itself, on all of the disk. */
START_TEST(a_reserved_file_keeps_its_length_whatever_is_written)
    {
        const uint64_t capacity = UINT64_C(48) << 20, bytes = qcow2_reserved_bytes(capacity);
        struct build b = build_begin();
        char command[1024];

        write_image(build_path(&b, "i"), capacity, NULL);
        ck_assert_int_eq(truncate(build_path(&b, "i"), (off_t)bytes), 0);
        (void)snprintf(command, sizeof command,
                       "cd %s && i=512; while [ $i -gt 0 ]; do i=$((i - 1)); "
                       "echo write -q -P $((i %% 250 + 1)) $((i * 96))k 96k; done >steps && "
                       "echo write -q -P 7 0 48M >>steps && qemu-io -f qcow2 i <steps >said && "
                       "! grep -i error said && [ $(stat -c %%s i) = %" PRIu64 " ] && "
                       "qemu-img check -q -f qcow2 i && [ $(stat -c %%b i) -gt 98304 ]",
                       b.folder, bytes);
        ck_assert_int_eq(build_run(command), 0);
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/qcow2", a_reserved_file_is_longer_than_the_image_can_need,
          a_reserved_file_keeps_its_length_whatever_is_written,
          LOOP(an_empty_image_passes_the_check_and_has_the_size_that_was_asked, TEST_ROWS(sizes)),
          an_image_that_was_written_to_still_passes_and_reads_back,
          LOOP(an_image_on_a_base_reads_as_the_base_until_it_is_written, 4),
          a_base_that_an_image_cannot_name_is_refused,
          LOOP(a_size_that_it_cannot_do_is_refused, TEST_ROWS(refused)))
