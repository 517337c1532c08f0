/* SPDX-License-Identifier: Apache-2.0
 * The holes of a file as a thread of the nfs driver sees them, here of a local file: a copy leaves out what
 * is a hole and nothing else, and of a file that is not the one meant all is data. */
#include "../../../plugins/nfs/holes.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <stdio.h>

#define MIB (UINT64_C(1) << 20)

/* Any file system that knows holes, tmpfs too. */
static char path[40];
static struct stat st;
static struct statfs fs;

static int make_file(uint64_t length)
{
    int fd;

    (void)snprintf(path, sizeof path, "/tmp/virt-ferry-holes.XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
    return fd;
}

static void write_at(int fd, uint64_t at, size_t n)
{
    char *bytes = malloc(n);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 7, n);
    ck_assert_int_eq(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
    free(bytes);
}

static struct holes *begin(int fd)
{
    struct holes *h;

    ck_assert_int_eq(fsync(fd), 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(fstatfs(fd, &fs), 0);
    h = holes_begin(path, st.st_ino, (uint64_t)st.st_size, (long)fs.f_type);
    ck_assert_ptr_nonnull(h);
    return h;
}

static void end(struct holes *h, int fd)
{
    holes_end(h);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(unlink(path), 0);
}

/* Walked as the engine does: no gap, no overlap, and each byte of data in an extent that is read. */
static uint64_t data_in(struct holes *h, uint64_t length, bool *ret_covers, uint64_t must_be_data)
{
    uint64_t sum = 0;
    struct ferry_extent e;

    *ret_covers = false;
    for (uint64_t at = 0; at < length; at += e.length_bytes) {
        holes_at(h, at, &e);
        ck_assert_uint_eq(e.offset_bytes, at);
        ck_assert_uint_gt(e.length_bytes, 0);
        ck_assert_uint_le(e.length_bytes, length - at);
        sum += e.is_zero ? 0 : e.length_bytes;
        *ret_covers |= !e.is_zero && must_be_data >= at && must_be_data - at < e.length_bytes;
    }
    return sum;
}

static const struct {
    uint64_t length, data_at[3];
    size_t n;
} files[] = {
    { 8 * MIB, { 0 }, 0 },
    { 8 * MIB, { 0 }, 1 },
    { 8 * MIB, { 8 * MIB - 4096 }, 1 },
    { 64 * MIB, { 3 * MIB, 5 * MIB, 60 * MIB }, 3 },
    { 8 * MIB + 1, { MIB }, 1 },
};

START_TEST(what_is_a_hole_is_left_out_and_nothing_else)
    {
        const int fd = make_file(files[_i].length);
        struct holes *h;

        for (size_t i = 0; i < files[_i].n; i++)
            write_at(fd, files[_i].data_at[i], 4096);
        h = begin(fd);
        for (size_t i = 0; i < (files[_i].n ? files[_i].n : 1); i++) {
            bool covers;
            const uint64_t data = data_in(h, files[_i].length, &covers, files[_i].data_at[i]);

            ck_assert(covers == (files[_i].n > 0));
            ck_assert_uint_le(data,
                              files[_i].n * 65536); /* a file system's block may be larger than a page */
        }
        end(h, fd);
    }
END_TEST

/* More runs than are kept at the beginning, asked for from the middle and from the end too. */
START_TEST(many_runs_are_found_from_anywhere)
    {
        const int fd = make_file(128 * MIB);
        struct ferry_extent e;
        struct holes *h;

        for (uint64_t at = 0; at < 128 * MIB; at += MIB / 4)
            write_at(fd, at, 4096);
        h = begin(fd);
        for (uint64_t at = 127 * MIB; at < 128 * MIB; at += MIB / 4) {
            holes_at(h, at, &e);
            ck_assert_uint_eq(e.is_zero, 0);
            holes_at(h, at + MIB / 8, &e);
            ck_assert_uint_eq(e.is_zero, 1);
            ck_assert_uint_eq(e.length_bytes, MIB / 8);
        }
        /* The last question was answered by the file's end: nothing more is added. */
        ck_assert_uint_eq(h->n, 512);
        end(h, fd);
    }
END_TEST

static const char *const others[] = { "fileid", "length", "kind", "path", "link", "folder" };

START_TEST(of_another_file_all_is_data)
    {
        const int fd = make_file(8 * MIB);
        const char *at = path;
        char link[sizeof path + 8];
        struct holes *h;
        bool covers;

        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(fstatfs(fd, &fs), 0);
        (void)snprintf(link, sizeof link, "%s.link", path);
        ck_assert_int_eq(symlink(path, link), 0);
        if (_i == 3)
            at = "/tmp/virt-ferry-holes.is-not-there";
        if (_i == 4)
            at = link;
        if (_i == 5)
            at = "/tmp";
        h = holes_begin(at, st.st_ino + (_i == 0), 8 * MIB - (_i == 1), (long)fs.f_type + (_i == 2));
        ck_assert_ptr_nonnull(h);
        ck_assert_uint_eq(data_in(h, h->length, &covers, 4 * MIB), h->length);
        ck_assert_int_eq(unlink(link), 0);
        end(h, fd);
    }
END_TEST

/* As a mount whose server went away: what was seen before holds, what was not is data, and nobody waits for
 * ever, nor twice. */
START_TEST(what_is_not_known_in_time_is_data)
    {
        struct run seen[] = { { MIB, 2 * MIB } };
        struct holes h = { .length = 8 * MIB, .runs = seen, .n = 1, .room = 1, .known_to = 3 * MIB };
        struct ferry_extent e;
        time_t began = time(NULL);

        (void)pthread_mutex_init(&h.lock, NULL);
        (void)pthread_cond_init(&h.moved, NULL);
        holes_at(&h, 0, &e);
        ck_assert(e.is_zero && e.length_bytes == MIB);
        holes_at(&h, MIB, &e);
        ck_assert(!e.is_zero && e.length_bytes == MIB);
        holes_at(&h, 2 * MIB, &e);
        ck_assert(e.is_zero && e.length_bytes == MIB);
        ck_assert_int_le(time(NULL) - began, PATIENCE_SECONDS - 2);
        holes_at(&h, 3 * MIB, &e);
        ck_assert(!e.is_zero && e.length_bytes == 5 * MIB);
        ck_assert_int_ge(time(NULL) - began, PATIENCE_SECONDS - 1);
        began = time(NULL);
        holes_at(&h, 4 * MIB, &e);
        ck_assert(!e.is_zero && e.length_bytes == 4 * MIB);
        ck_assert_int_le(time(NULL) - began, PATIENCE_SECONDS - 2);
    }
END_TEST

TEST_MAIN("plugin/nfs-holes", LOOP(what_is_a_hole_is_left_out_and_nothing_else, TEST_ROWS(files)),
          many_runs_are_found_from_anywhere, LOOP(of_another_file_all_is_data, TEST_ROWS(others)),
          what_is_not_known_in_time_is_data)
