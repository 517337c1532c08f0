/* SPDX-License-Identifier: Apache-2.0
 * JSON: what is too large, too deep or ambiguous is refused; getters never fail; errors survive the way. */
#include "base/json.h"

#include "base/text.h"
#include "check-main.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>

static json_t *read_text(const char *s, struct error *err)
{
    return json_read(s, strlen(s), "test", err);
}

static const char *const refused[] = {
    "",
    " ",
    "{",
    "}",
    "{}x",
    "{} {}",
    "1",
    "\"text\"",
    "null",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"b\":1}}",
    "{\"a\":NaN}",
    "{\"a\":Infinity}",
    "{\"a\":-Infinity}",
    "{\"a\":1e999}",
    "{\"a\":9223372036854775808}",
    "{\"a\":01}",
    "{\"a\":'b'}",
    "{a:1}",
    "[1,]",
    "// no\n{}",
    "{\"a\":\"\xff\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\u0000\"}",
    "{\"\\u0000\":1}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\\\"}",
};

START_TEST(what_is_no_json_is_refused_with_its_source)
    {
        struct error err = { 0 };

        ck_assert_ptr_null(read_text(refused[_i], &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_str_eq(err.what, "'test' is not valid JSON");
        ck_assert_str_ne(err.why, "");
    }
END_TEST

/* n levels of arrays, or of objects whose keys hold brackets and quotes. */
static void add_nested(struct text *t, size_t n, bool is_object)
{
    for (size_t i = 0; i + 1 < n; i++)
        text_add(t, "%s", is_object ? "{\"[[[[\\\"{{\":" : "[");
    text_add(t, "%s", is_object ? "{}" : "[]");
    for (size_t i = 0; i + 1 < n; i++)
        text_add(t, "%s", is_object ? "}" : "]");
}

START_TEST(depth_ends_at_its_limit)
    {
        struct error err = { 0 };
        OWNED_TEXT most = { 0 }, more = { 0 };

        add_nested(&most, JSON_MAX_DEPTH, _i);
        add_nested(&more, JSON_MAX_DEPTH + 1, _i);
        OWNED_JSON j = read_text(most.s, &err);
        ck_assert_ptr_nonnull(j);
        ck_assert_ptr_null(read_text(more.s, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_str_eq(err.what, "the JSON of 'test' is more than 64 levels deep");
    }
END_TEST

START_TEST(many_neighbours_are_not_deep)
    {
        struct error err = { 0 };
        OWNED_TEXT t = { 0 };

        text_add(&t, "[");
        for (int i = 0; i < 200; i++)
            text_add(&t, "[],");
        text_add(&t, "{}]");
        OWNED_JSON j = read_text(t.s, &err);
        ck_assert_uint_eq(json_array_size(j), 201);
    }
END_TEST

START_TEST(size_ends_at_its_limit)
    {
        struct error err = { 0 };
        OWNED_MEMORY char *s = malloc(JSON_MAX_BYTES + 1);

        memset(s, ' ', JSON_MAX_BYTES + 1);
        s[0] = '[';
        s[JSON_MAX_BYTES - 1] = ']';
        OWNED_JSON j = json_read(s, JSON_MAX_BYTES, "big", &err);
        ck_assert_ptr_nonnull(j);
        ck_assert_ptr_null(json_read(s, JSON_MAX_BYTES + 1, "big", &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_str_eq(err.what, "the JSON of 'big' is larger than 16 MiB");
    }
END_TEST

START_TEST(bytes_behind_the_given_length_are_not_read)
    {
        struct error err = { 0 };
        static const char bytes[] = { '[', '1', ']', 'x' };
        OWNED_JSON j = json_read(bytes, 3, "test", &err);

        ck_assert_uint_eq(json_array_size(j), 1);
        ck_assert_ptr_null(json_read("[]\0x", 4, "test", &err));
    }
END_TEST

static void write_file(char *path, const char *bytes, size_t n)
{
    OWNED_FD fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, bytes, n), (int)n);
}

START_TEST(a_file_is_read_and_its_absence_told)
    {
        struct error err = { 0 };
        char path[] = "/tmp/json-test-XXXXXX";

        write_file(path, "{\"a\": \"b\"}\n", 11);
        OWNED_JSON j = json_read_file(path, &err);
        unlink(path);
        ck_assert_str_eq(json_text(j, "a", "absent"), "b");
        ck_assert_ptr_null(json_read_file(path, &err));
        ck_assert_int_eq(err.code, ERROR_SYSTEM);
        ck_assert_int_eq(err.detail, ENOENT);
        ck_assert_ptr_null(json_read_file("/tmp", &err));
        ck_assert_int_eq(err.detail, EISDIR);
    }
END_TEST

START_TEST(a_file_without_an_end_is_refused)
    {
        struct error err = { 0 };

        ck_assert_ptr_null(json_read_file("/dev/zero", &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_str_eq(err.what, "the JSON of '/dev/zero' is larger than 16 MiB");
    }
END_TEST

START_TEST(getters_give_what_is_there)
    {
        struct error err = { 0 };
        OWNED_JSON j =
            read_text("{\"t\":\"x\",\"n\":7,\"d\":1.5,\"yes\":true,\"no\":false,\"o\":{\"k\":1}}", &err);

        ck_assert_str_eq(json_text(j, "t", "absent"), "x");
        ck_assert_uint_eq(json_u64(j, "n", 1), 7);
        ck_assert(fabs(json_number(j, "d", 0) - 1.5) < 1e-9);
        ck_assert(fabs(json_number(j, "n", 0) - 7) < 1e-9);
        ck_assert(json_flag(j, "yes", false));
        ck_assert(!json_flag(j, "no", true));
        ck_assert_uint_eq(json_u64(json_child(j, "o"), "k", 0), 1);
    }
END_TEST

START_TEST(getters_give_the_default_for_what_is_absent_or_of_another_kind)
    {
        struct error err = { 0 };
        OWNED_JSON j = read_text("{\"t\":\"1\",\"n\":-1,\"d\":1.5,\"o\":{},\"z\":null}", &err);
        const json_t *places[] = { j, NULL, json_child(j, "t") };
        static const char *const keys[] = { "absent", "o", "z" };

        for (size_t p = 0; p < TEST_ROWS(places); p++)
            for (size_t k = 0; k < TEST_ROWS(keys); k++) {
                ck_assert_str_eq(json_text(places[p], keys[k], "absent"), "absent");
                ck_assert_uint_eq(json_u64(places[p], keys[k], 4711), 4711);
                ck_assert(fabs(json_number(places[p], keys[k], 2.5) - 2.5) < 1e-9);
                ck_assert(json_flag(places[p], keys[k], true));
            }
        ck_assert_ptr_null(json_text(j, "n", NULL));
        ck_assert_uint_eq(json_u64(j, "n", 5), 5);
        ck_assert_uint_eq(json_u64(j, "d", 5), 5);
        ck_assert_uint_eq(json_u64(j, "t", 5), 5);
        ck_assert(!json_flag(j, "t", false));
        ck_assert_ptr_null(json_child(j, "absent"));
        ck_assert_ptr_null(json_child(NULL, "o"));
    }
END_TEST

START_TEST(what_was_put_is_written_in_order_and_read_back)
    {
        struct error err = { 0 };
        OWNED_JSON j = json_object();

        ck_assert_int_eq(json_put_text(j, "z", "last \xc3\xa9"), 0);
        ck_assert_int_eq(json_put_u64(j, "most", INT64_MAX), 0);
        ck_assert_int_eq(json_put_flag(j, "flag", true), 0);
        ck_assert_int_eq(json_put(j, "a", json_array()), 0);
        OWNED_MEMORY char *s = json_write(j, false, &err);
        ck_assert_str_eq(s, "{\"z\":\"last \xc3\xa9\",\"most\":9223372036854775807,\"flag\":true,\"a\":[]}");
        OWNED_MEMORY char *pretty = json_write(j, true, &err);
        ck_assert_ptr_nonnull(strstr(pretty, "\n  \"z\": \"last"));
        OWNED_JSON again = read_text(pretty, &err);
        ck_assert_int_eq(json_equal(j, again), 1);
    }
END_TEST

START_TEST(what_is_not_known_is_left_out)
    {
        OWNED_JSON j = json_object();

        ck_assert_int_eq(json_put_text(j, "text", NULL), 0);
        ck_assert_int_eq(json_put_u64(j, "n", 3), 0);
        ck_assert_int_eq(json_put_u64(j, "n", UINT64_MAX), 0);
        ck_assert_int_eq(json_put_u64(j, "border", (uint64_t)INT64_MAX + 1), 0);
        ck_assert_uint_eq(json_object_size(j), 0);
    }
END_TEST

START_TEST(a_text_that_json_cannot_carry_is_put_escaped)
    {
        OWNED_JSON j = json_object();

        ck_assert_int_eq(json_put_text(j, "name", "a\xff\n"), 0);
        ck_assert_str_eq(json_text(j, "name", ""), "a\\xff\\x0a");
        ck_assert_int_eq(json_put_text(j, "name", "a\n"), 0);
        ck_assert_str_eq(json_text(j, "name", ""), "a\n");
    }
END_TEST

START_TEST(a_value_that_cannot_be_put_is_not_leaked)
    {
        OWNED_JSON value = json_integer(1);

        ck_assert_int_eq(json_put(NULL, "k", json_incref(value)), -ERROR_MEMORY);
        ck_assert_uint_eq(value->refcount, 1);
        OWNED_JSON j = json_object();
        ck_assert_int_eq(json_put(j, "k", NULL), -ERROR_MEMORY);
    }
END_TEST

START_TEST(an_error_travels_as_json_and_comes_back_equal)
    {
        struct error err = { 0 }, back;

        errno = EACCES;
        error_errno(&err, "hostA", "could not open '%s'", "/x \"quoted\"\n");
        error_fix(&err, "Ask root.");
        OWNED_JSON j = json_of_error(&err);
        memset(&back, 'x', sizeof back);
        json_to_error(j, &back);
        ck_assert_int_eq(back.code, ERROR_SYSTEM);
        ck_assert_int_eq(back.detail, EACCES);
        ck_assert_str_eq(back.host, err.host);
        ck_assert_str_eq(back.what, err.what);
        ck_assert_str_eq(back.why, err.why);
        ck_assert_str_eq(back.fix, err.fix);
    }
END_TEST

static const struct {
    const char *code;
    int read;
} codes[] = {
    { "0", ERROR_FAILED },
    { "1", 1 },
    { "11", 11 },
    { "12", ERROR_FAILED },
    { "19", ERROR_FAILED },
    { "20", 20 },
    { "27", ERROR_LIBVIRT },
    { "28", ERROR_FAILED },
    { "-1", ERROR_FAILED },
    { "4294967297", ERROR_FAILED },
    { "\"3\"", ERROR_FAILED },
};

START_TEST(a_code_that_is_none_of_ours_reads_as_failed)
    {
        struct error err = { 0 }, back = { 0 };
        char s[128];

        snprintf(s, sizeof s, "{\"code\":%s,\"detail\":4294967296}", codes[_i].code);
        OWNED_JSON j = read_text(s, &err);
        json_to_error(j, &back);
        ck_assert_int_eq(back.code, codes[_i].read);
        ck_assert_int_eq(back.detail, 0);
        ck_assert_str_eq(back.what, "no reason was given");
    }
END_TEST

START_TEST(what_is_no_error_still_reads_as_one)
    {
        struct error back = { 0 };

        json_to_error(NULL, &back);
        ck_assert_int_eq(back.code, ERROR_FAILED);
        ck_assert_str_eq(back.what, "no reason was given");
    }
END_TEST

TEST_MAIN("base/json", LOOP(what_is_no_json_is_refused_with_its_source, TEST_ROWS(refused)),
          LOOP(depth_ends_at_its_limit, 2), many_neighbours_are_not_deep, size_ends_at_its_limit,
          bytes_behind_the_given_length_are_not_read, a_file_is_read_and_its_absence_told,
          a_file_without_an_end_is_refused, getters_give_what_is_there,
          getters_give_the_default_for_what_is_absent_or_of_another_kind,
          what_was_put_is_written_in_order_and_read_back, what_is_not_known_is_left_out,
          a_text_that_json_cannot_carry_is_put_escaped, a_value_that_cannot_be_put_is_not_leaked,
          an_error_travels_as_json_and_comes_back_equal,
          LOOP(a_code_that_is_none_of_ours_reads_as_failed, TEST_ROWS(codes)),
          what_is_no_error_still_reads_as_one)
