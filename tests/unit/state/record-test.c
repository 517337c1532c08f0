/* SPDX-License-Identifier: Apache-2.0
 * The checksum against the published figures, and the lines of an append-only file. */
#include "check-main.h"
#include "state/record.h"
#include <string.h>

static const struct {
    const char *bytes;
    size_t n;
    uint32_t crc;
} published[] = {
    { "123456789", 9, 0xe3069283 },
    { "", 0, 0 },
    /* RFC 3720, B.4 */
    { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32, 0x8a9136aa },
    { "\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18\x17\x16\x15\x14\x13\x12\x11\x10\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"
      "\x06"
      "\x05\x04\x03\x02\x01\x00",
      32, 0x113fdb5c },
};

START_TEST(the_checksum_is_crc32c)
    {
        ck_assert_uint_eq(record_crc32c(published[_i].bytes, published[_i].n), published[_i].crc);
    }
END_TEST

START_TEST(a_line_can_be_read_by_eye_and_by_us)
    {
        OWNED_JSON object = json_pack("{s:s, s:i}", "name", "a\nb\xc3\xa4", "n", 7);
        OWNED_TEXT line = { 0 };
        struct error err = { 0 };
        size_t at = 0;
        json_t *back;

        ck_assert_int_eq(record_write(&line, object, &err), 0);
        ck_assert_str_eq(strchr(line.s, '{'), "{\"name\":\"a\\nb\xc3\xa4\",\"n\":7}\n");
        ck_assert_uint_eq((size_t)(strchr(line.s, '{') - line.s), RECORD_PREFIX_BYTES);
        ck_assert_int_eq(record_read(line.s, line.len, &at, &back), RECORD_GOOD);
        ck_assert_uint_eq(at, line.len);
        ck_assert(json_equal(back, object));
        json_decref(back);
        ck_assert_int_eq(record_read(line.s, line.len, &at, &back), RECORD_END);
        ck_assert_ptr_null(back);
    }
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    enum record_state state;
} rests[] = {
    { "0", 1, RECORD_TORN },
    { "g", 1, RECORD_DAMAGED },
    { "A", 1, RECORD_DAMAGED },
    { "\n", 1, RECORD_DAMAGED },
    { "\0", 1, RECORD_TORN },
    { "0\0a", 3, RECORD_DAMAGED },
    { "00000002 ", 9, RECORD_TORN },
    { "00000002x", 9, RECORD_DAMAGED },
    { "00000001 ", 9, RECORD_DAMAGED }, /* no object is that short */
    { "01000000 ", 9, RECORD_TORN },    /* 16 MiB */
    { "01000001 ", 9, RECORD_DAMAGED },
    { "00000002 00000000 ", 18, RECORD_TORN },
    { "00000002 00000000 {", 19, RECORD_TORN },
    { "00000002 00000000 [", 19, RECORD_DAMAGED },
    { "00000002 00000000 {}", 20, RECORD_TORN },
    { "00000002 00000000 {}x", 21, RECORD_DAMAGED },
    { "00000002 00000000 {}\n", 21, RECORD_DAMAGED }, /* not its checksum */
    { "00000003 00000000 {}\n", 21, RECORD_DAMAGED },
};

START_TEST(a_beginning_is_torn_and_all_else_is_damaged)
    {
        json_t *j;
        size_t at = 0;

        ck_assert_int_eq(record_read(rests[_i].bytes, rests[_i].n, &at, &j), rests[_i].state);
        ck_assert_uint_eq(at, 0);
        ck_assert_ptr_null(j);
    }
END_TEST

TEST_MAIN("state/record", LOOP(the_checksum_is_crc32c, TEST_ROWS(published)),
          a_line_can_be_read_by_eye_and_by_us,
          LOOP(a_beginning_is_torn_and_all_else_is_damaged, TEST_ROWS(rests)))
