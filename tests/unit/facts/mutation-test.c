/* SPDX-License-Identifier: Apache-2.0
 * Every data file, broken in thousands of ways from a fixed seed: what is read or refused never crashes, a
 * refusal always says why, and what was accepted survives the way through JSON. Meant for MODE=asan. */
#include "data.h"
#include "facts/domain-xml.h"
#include <glob.h>

#define ROUNDS 300

static uint64_t seed = 20261124;

/* xorshift: the same sequence on every machine. */
static uint64_t next(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static const char *const splices[] = {
    "<",
    ">",
    "&",
    "'",
    "\"",
    "/>",
    "<!--",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE d [",
    "&a;",
    "&#0;",
    "&#x9b;",
    "<backingStore type='file'>",
    "<disk>",
    "</disk>",
    "<target dev='vda'/>",
    "unit='E'",
    "-1",
    "18446744073709551616",
    "\xff\xfe",
    "\xe2\x80\xae",
    "[",
    "{",
    "}",
    "]",
    "null",
    "\\u0000",
    "1e400",
    "xmlns='a'",
};

/* One to four wounds; bytes has room for 256 more than n. */
static size_t wound(char *bytes, size_t n)
{
    for (uint64_t wounds = 1 + next(4); wounds > 0 && n > 2; wounds--) {
        size_t at = next(n), length = 1 + next(n - at < 64 ? n - at : 64);
        const char *splice = splices[next(TEST_ROWS(splices))];

        switch (next(5)) {
        case 0:
            bytes[at] = (char)(bytes[at] ^ (1 << next(8)));
            break;
        case 1:
            bytes[at] = (char)(1 + next(255));
            break;
        case 2:
            n = next(8) == 0 ? at : n;
            break;
        case 3:
            memmove(bytes + at, bytes + at + length, n - at - length);
            n -= length;
            break;
        default:
            memmove(bytes + at + strlen(splice), bytes + at, n - at);
            memcpy(bytes + at, splice, strlen(splice));
            n += strlen(splice);
        }
    }
    bytes[n] = '\0';
    return n;
}

static void expect_said(const struct error *err)
{
    ck_assert_int_ne(err->code, ERROR_NONE);
    ck_assert_int_ne(err->code, ERROR_MEMORY);
    ck_assert_str_ne(err->what, "");
}

static void try_xml(const char *bytes)
{
    struct error err = { 0 };
    struct mark m;
    OWNED(facts) f = facts_new();
    OWNED_MEMORY char *without = domain_xml_without_mark(bytes, &err);

    if (domain_xml_read(f, bytes, &err) < 0) {
        expect_said(&err);
    } else {
        OWNED_JSON j = facts_to_json(f);
        OWNED(facts) g = facts_from_json(j, &err);
        ck_assert_msg(g != NULL, "accepted as XML, refused as JSON: %s", err.what);
        OWNED_JSON again = facts_to_json(g);
        ck_assert(json_equal(j, again));
        ck_assert_ptr_nonnull(without);
    }
    (void)mark_read(bytes, &m, &err);
}

static void try_json(const char *bytes, size_t n)
{
    struct error err = { 0 };
    OWNED_JSON j = json_read(bytes, n, "the test", &err);
    OWNED(facts) f = j ? facts_from_json(j, &err) : NULL;

    if (!f) {
        expect_said(&err);
        return;
    }
    OWNED_JSON once = facts_to_json(f);
    OWNED(facts) g = facts_from_json(once, &err);
    ck_assert_msg(g != NULL, "written, but not read: %s", err.what);
    OWNED_JSON twice = facts_to_json(g);
    ck_assert(json_equal(once, twice));
}

/* Returns how many documents were tried. */
static size_t wound_all(const char *pattern, bool is_xml)
{
    glob_t found;
    size_t n_tried = 0;

    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t n;
        OWNED_MEMORY char *whole = data_read(strrchr(found.gl_pathv[i], '/') + 1, &n);
        OWNED_MEMORY char *bytes = malloc(n + 256);
        ck_assert_ptr_nonnull(bytes);
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(bytes, whole, n + 1);
            size_t left = wound(bytes, n);
            if (is_xml)
                try_xml(bytes);
            else
                try_json(bytes, left);
            n_tried++;
        }
    }
    globfree(&found);
    return n_tried;
}

START_TEST(broken_xml_is_read_or_refused)
    {
        ck_assert_uint_gt(wound_all("tests/data/*.xml", true), 10 * ROUNDS);
    }
END_TEST

START_TEST(broken_facts_are_read_or_refused)
    {
        ck_assert_uint_gt(wound_all("tests/data/*.facts.json", false), 10 * ROUNDS);
    }
END_TEST

TEST_MAIN("facts/mutation", broken_xml_is_read_or_refused, broken_facts_are_read_or_refused)
