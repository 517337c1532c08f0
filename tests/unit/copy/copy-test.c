/* SPDX-License-Identifier: Apache-2.0
 * The copy engine between images in memory, which answer in any order and fail where they are told to. */
#include "memory.h"

#include "base/text.h"
#include "check-main.h"

#define KIB 1024u
#define MIB (1024u * KIB)

static const struct call_host host = { .host = "hostA" };
static const struct plugin_entry owner = { .plugin = { .name = "memory" } };
static struct error err;

static void open_end(struct copy_end *e, struct memory *m, const char *name, bool to_write)
{
    char source[32];
    const struct ferry_disk d = { .size = sizeof d, .target = "vda", .type = "file", .source = source };
    const struct end_place place = { .host = &host,
                                     .owner = &owner,
                                     .driver = &memory_storage,
                                     .disk = &d,
                                     .name = name,
                                     .is_there = to_write && m->in_order };

    (void)snprintf(source, sizeof source, "%llx", (unsigned long long)(uintptr_t)m);
    ck_assert_msg(end_open(e, &place, to_write, &err) == 0, "%s", err.what);
}

static int copy(struct memory *from, struct memory *to, const struct copy_wants *wants,
                struct copy_progress *ret)
{
    struct copy_end a = { 0 }, b = { 0 };
    int r;

    err = (struct error){ 0 };
    open_end(&a, from, "old", false);
    open_end(&b, to, "new", true);
    r = copy_run(&a, &b, wants, ret, &err);
    /* What was copied is open, and so locked, for as long as whoever opened it wants. */
    ck_assert_int_eq(a.driver != NULL, r == 0);
    ck_assert_int_eq(b.driver != NULL, r == 0);
    end_close(&a);
    end_close(&b);
    return r;
}

/* Data, zeroes that were written, and little islands. */
static void fill(struct memory *m)
{
    uint64_t random = 1;

    for (uint64_t at = 0; at < m->length; at++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (at / (200 * KIB) % 3 == 0 || (at / (200 * KIB) % 3 == 1 && at % (64 * KIB) < 4 * KIB))
            m->bytes[at] = (unsigned char)(random >> 33) | 1;
    }
}

static bool is_copied(const struct memory *from, const struct memory *to)
{
    return memcmp(from->bytes, to->bytes, from->length) == 0 &&
           memory_is_zero(to->bytes + from->length, to->length - from->length);
}

static const struct {
    uint64_t length, longer;
    uint32_t from_block, to_block, piece;
    int old_bytes;
    bool knows_extents;
} shapes[] = {
    { 5 * MIB, 0, 512, 512, 65536, 0, true },
    { 5 * MIB, 0, 512, 512, 65536, 0, false },
    { 5 * MIB, 0, 512, 4096, 1 << 20, 0xaa, true },
    { 5 * MIB, 0, 4096, 1, 4 << 20, 0xaa, false },
    { 3 * MIB + 1, 0, 4096, 4096, 65536, 0, true },
    { 3 * MIB + 511, 0, 1, 4096, 65536, 0xaa, false },
    { 3 * MIB + 513, 4096 - 513, 512, 4096, 65536, 0xaa, true },
    { 3 * MIB + 513, 3 * MIB, 512, 4096, 65536, 0xaa, true },
    { 3 * MIB, 2 * MIB + 512, 4096, 512, 65536, 0xaa, false },
    { 1, 0, 4096, 4096, 65536, 0, true },
    { 4095, 1, 1, 4096, 65536, 0xaa, false },
};

START_TEST(every_shape_arrives)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, shapes[_i].length, 0);
        memory_begin(&to, shapes[_i].length + shapes[_i].longer, shapes[_i].old_bytes);
        from.block = shapes[_i].from_block;
        to.block = shapes[_i].to_block;
        from.piece = to.piece = shapes[_i].piece;
        from.knows_extents = to.knows_extents = shapes[_i].knows_extents;
        fill(&from);
        ck_assert_msg(copy(&from, &to, &wants, &p) == 0, "%s", err.what);
        ck_assert(is_copied(&from, &to));
        ck_assert_uint_eq(p.safe_bytes, to.length);
        ck_assert_uint_eq(p.verified_bytes, from.length);
        ck_assert_mem_eq(to.safe, to.bytes, to.length);
        ck_assert_uint_eq(to.zeroes_written, 0);
        if (shapes[_i].length > MIB && shapes[_i].piece <= MIB)
            ck_assert_uint_gt(to.most_held, 2);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* A stream takes the bytes of an image once, from its beginning to its end. */
START_TEST(what_is_on_another_machine_is_written_in_order)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 9 * MIB + 513, 0);
        memory_begin(&to, 9 * MIB + 513, 0);
        to.in_order = true;
        from.knows_extents = _i;
        to.flush_bytes = UINT64_MAX;
        fill(&from);
        ck_assert_msg(copy(&from, &to, &wants, &p) == 0, "%s", err.what);
        ck_assert(is_copied(&from, &to));
        ck_assert_uint_eq(to.zeroes_written, 0);
        ck_assert_uint_eq(to.flushes, 1);
        ck_assert_uint_gt(from.most_held, 2);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(what_the_source_knows_to_be_zero_is_not_read)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_NONE };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 8 * MIB, 0);
        memory_begin(&to, 8 * MIB, 0);
        from.knows_extents = true;
        memset(from.bytes + 3 * MIB, 7, 4 * KIB);
        ck_assert_int_eq(copy(&from, &to, &wants, &p), 0);
        ck_assert(is_copied(&from, &to));
        ck_assert_uint_eq(from.read_bytes, 4 * KIB);
        ck_assert_uint_eq(to.written_bytes, 4 * KIB);
        ck_assert_uint_eq(p.zero_bytes, 8 * MIB - 4 * KIB);
        ck_assert_uint_eq(to.zero_requests, 0);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(a_read_error_is_named_by_its_block_and_nothing_is_done)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 4 * MIB, 7);
        memory_begin(&to, 4 * MIB, 0);
        from.piece = to.piece = 65536;
        /* In whatever order others come back with it. */
        from.random = (uint64_t)_i;
        from.read_fails_at = 2 * MIB + 12345;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_FAILED);
        ck_assert_str_eq(err.what, "could not read 'old' at offset 2109440 (4096 bytes)");
        ck_assert_str_eq(err.why, "Input/output error");
        ck_assert_uint_lt(p.safe_bytes, 4 * MIB);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(a_full_destination_is_told_as_such)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 4 * MIB, 7);
        memory_begin(&to, 4 * MIB, 0);
        to.write_fails_at = 3 * MIB;
        to.write_error = ENOSPC;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_SPACE);
        ck_assert_msg(strstr(err.what, "could not write 'new' at offset 3145728") != NULL, "%s", err.what);
        ck_assert_str_eq(err.why, "No space left on device");
        ck_assert(err.fix[0]);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* Then the copy may go on later, where it was safe. */
START_TEST(a_storage_that_gives_no_answer_is_told_apart)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 4 * MIB, 7);
        memory_begin(&to, 4 * MIB, 0);
        to.flush_bytes = MIB;
        to.write_fails_at = 3 * MIB;
        to.write_error = ETIMEDOUT;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_TIMEOUT);
        ck_assert_msg(strstr(err.what, "could not write 'new' at offset 3145728") != NULL, "%s", err.what);
        ck_assert(err.fix[0]);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* Not only reads and writes are answered. */
START_TEST(a_storage_that_tells_no_more_of_an_image_is_told_apart_too)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_SAMPLED };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 4 * MIB, 7);
        memory_begin(&to, 4 * MIB, 0);
        to.reads_zero = to.holds_unknown = _i == 0;
        from.goes_away = _i == 1;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_TIMEOUT);
        ck_assert_uint_eq(p.safe_bytes, 4 * MIB);
        ck_assert_msg(strstr(err.what, _i == 0 ? "the memory does not answer" : "could not be asked"), "%s",
                      err.what);
        ck_assert(err.fix[0]);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(what_the_storage_lost_is_written_again)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 6 * MIB, 0);
        memory_begin(&to, 6 * MIB, 0);
        to.flush_bytes = MIB;
        to.lose_at_flush = (unsigned)_i + 1;
        fill(&from);
        ck_assert_msg(copy(&from, &to, &wants, &p) == 0, "%s", err.what);
        ck_assert_uint_ge(to.flushes, to.lose_at_flush);
        ck_assert_uint_eq(p.lost_times, 1);
        ck_assert(is_copied(&from, &to));
        ck_assert_mem_eq(to.safe, from.bytes, from.length);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(a_storage_that_always_loses_is_given_up)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, MIB, 7);
        memory_begin(&to, MIB, 0);
        to.loses_always = true;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_FAILED);
        ck_assert_str_eq(err.what, "the storage of 'new' lost what was written 6 times");
        ck_assert_uint_eq(p.safe_bytes, 0);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(a_source_that_changes_is_not_called_copied)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, MIB, 7);
        memory_begin(&to, MIB, 0);
        from.changes = true;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_STALE);
        ck_assert_str_eq(err.what, "'old' was changed while it was copied");
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* Objects of 4 MiB, whole or half: memory for nine whole ones, and for twice as many halves but for the
 * slots. */
static const struct {
    uint64_t data;
    unsigned least, most;
} objects[] = {
    { 4 * MIB, 7, 9 },
    { 2 * MIB, 14, 16 },
};

START_TEST(half_an_object_leaves_room_for_another)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 128 * MIB, 0);
        memory_begin(&to, 128 * MIB, 0);
        from.knows_extents = true;
        from.piece = to.piece = 4 << 20;
        for (uint64_t at = 0; at < from.length; at += 4 * MIB)
            memset(from.bytes + at, (int)(at >> 22) + 1, objects[_i].data);
        ck_assert_msg(copy(&from, &to, &wants, &p) == 0, "%s", err.what);
        ck_assert(is_copied(&from, &to));
        ck_assert_uint_ge(from.most_held, objects[_i].least);
        ck_assert_uint_le(from.most_held, objects[_i].most);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

static uint64_t stop_at;

static int stop(void *context, const struct copy_progress *p, struct error *e)
{
    uint64_t *safe = context;

    *safe = p->safe_bytes;
    return p->safe_bytes >= stop_at ? error_set(e, ERROR_CANCELLED, NULL, "enough") : 0;
}

START_TEST(a_copy_that_ended_begins_again_where_it_was_safe)
    {
        uint64_t safe = 0;
        struct copy_wants wants = { .verify = COPY_VERIFY_FULL, .tell = stop, .context = &safe };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 6 * MIB, 0);
        memory_begin(&to, 6 * MIB, 0);
        to.flush_bytes = MIB;
        fill(&from);
        stop_at = 2 * MIB;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_CANCELLED);
        ck_assert_uint_ge(safe, 2 * MIB);
        ck_assert_uint_lt(safe, 6 * MIB);
        /* What was not flushed is gone. */
        memcpy(to.bytes, to.safe, to.length);
        to.n_held = from.n_held = 0;
        to.reads_zero = false;
        from.read_bytes = 0;
        wants = (struct copy_wants){ .from_bytes = safe, .was_empty = true, .verify = COPY_VERIFY_NONE };
        ck_assert_msg(copy(&from, &to, &wants, &p) == 0, "%s", err.what);
        ck_assert(is_copied(&from, &to));
        ck_assert_uint_le(from.read_bytes, 6 * MIB - safe);
        ck_assert_uint_eq(to.zero_requests, 0);
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* What the destination says it holds is not what was written. */
static int tamper(void *context, const struct copy_progress *p, struct error *e)
{
    struct memory *to = context;

    (void)e;
    if (p->safe_bytes == to->length)
        to->bytes[5 * MIB + 77] = 8;
    return 0;
}

START_TEST(a_destination_that_differs_is_found)
    {
        struct copy_wants wants = { .verify = COPY_VERIFY_FULL, .tell = tamper };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 6 * MIB, 7);
        memory_begin(&to, 6 * MIB, 0);
        wants.context = &to;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_FAILED);
        ck_assert_str_eq(err.what, "'new' differs from 'old' between offsets 5242880 and 5308416");
        ck_assert(strstr(err.why, "XXH3-128"));
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

/* One of a few islands in a large image: samples that knew nothing of them would miss it. */
static int tamper_island(void *context, const struct copy_progress *p, struct error *e)
{
    struct memory *to = context;

    (void)e;
    if (p->safe_bytes == to->length)
        to->bytes[21 * MIB + 77] = 8;
    return 0;
}

START_TEST(samples_lie_where_something_was_written)
    {
        struct copy_wants wants = { .verify = COPY_VERIFY_SAMPLED, .tell = tamper_island };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, 64 * MIB, 0);
        memory_begin(&to, 64 * MIB, 0);
        from.knows_extents = to.knows_extents = true;
        for (uint64_t i = 1; i < 64; i += 2)
            memset(from.bytes + i * MIB, 7, 4 * KIB);
        wants.context = &to;
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_FAILED);
        ck_assert_ptr_nonnull(strstr(err.what, "'new' differs from 'old' between offsets 22020096"));
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

START_TEST(a_destination_that_is_too_short_is_refused)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;
        struct memory from, to;

        memory_begin(&from, MIB + 512, 7);
        memory_begin(&to, MIB, 0);
        ck_assert_int_eq(copy(&from, &to, &wants, &p), -ERROR_SPACE);
        ck_assert_str_eq(err.what, "'old' has 1049088 bytes, 'new' only 1048576");
        memory_end(&from);
        memory_end(&to);
    }
END_TEST

TEST_MAIN("copy/copy", LOOP(every_shape_arrives, TEST_ROWS(shapes)),
          LOOP(what_is_on_another_machine_is_written_in_order, 2),
          what_the_source_knows_to_be_zero_is_not_read,
          LOOP(a_read_error_is_named_by_its_block_and_nothing_is_done, 8), a_full_destination_is_told_as_such,
          a_storage_that_gives_no_answer_is_told_apart,
          LOOP(a_storage_that_tells_no_more_of_an_image_is_told_apart_too, 2),
          LOOP(what_the_storage_lost_is_written_again, 3), a_storage_that_always_loses_is_given_up,
          a_source_that_changes_is_not_called_copied, a_copy_that_ended_begins_again_where_it_was_safe,
          LOOP(half_an_object_leaves_room_for_another, TEST_ROWS(objects)),
          a_destination_that_differs_is_found, samples_lie_where_something_was_written,
          a_destination_that_is_too_short_is_refused)
