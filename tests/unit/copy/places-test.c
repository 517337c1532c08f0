/* SPDX-License-Identifier: Apache-2.0
 * QEMU's map of an image: as it prints it, cut, and such as it never should print. */
#include "copy/places.h"

#include "check-main.h"
#include <inttypes.h>

static struct error err;

#define LINE(start, length, more)                                                                            \
    "{ \"start\": " #start ", \"length\": " #length ", \"depth\": 0, \"present\": true" more "}"
#define DATA(at) ", \"zero\": false, \"data\": true, \"offset\": " #at

static const char map[] = "[" LINE(0, 65536, DATA(327680)) ",\n" LINE(65536, 65536, DATA(393216)) ",\n" LINE(
    131072, 131072,
    ", \"zero\": true, \"data\": false") ",\n" LINE(262144, 65536,
                                                    DATA(
                                                        131072)) ",\n" LINE(327680, 65536,
                                                                            ", \"zero\": false, \"data\": "
                                                                            "true") ",\n" LINE(393216, 512,
                                                                                               DATA(
                                                                                                   65536)) "]"
                                                                                                           "\n";

/* {from offset 0: where, how much} for each stretch of p. */
static void expect(const struct places *p, const uint64_t (*wanted)[2], size_t n, uint64_t end)
{
    uint64_t offset = 0, at, length;

    for (size_t i = 0; i < n; i++, offset += length) {
        length = places_find(p, offset, end - offset, &at);
        ck_assert_uint_eq(at, wanted[i][0]);
        ck_assert_uint_eq(length, wanted[i][1]);
    }
    ck_assert_uint_eq(offset, end);
}

START_TEST(data_has_its_place_and_neighbours_are_one)
    {
        static const uint64_t wanted[][2] = {
            { 327680, 131072 },    { PLACE_NONE, 131072 }, { 131072, 65536 },
            { PLACE_NONE, 65536 }, { 65536, 512 },
        };
        struct places p = { 0 };
        uint64_t at;

        ck_assert_int_eq(places_read(&p, map, sizeof map - 1, 0, &err), 0);
        ck_assert_uint_eq(p.from, 0);
        ck_assert_uint_eq(p.to, 393728);
        ck_assert_uint_eq(p.n, 3);
        expect(&p, wanted, TEST_ROWS(wanted), 393728);
        ck_assert_uint_eq(places_find(&p, 65000, 1000, &at), 1000);
        ck_assert_uint_eq(at, 327680 + 65000);
        ck_assert_uint_eq(places_find(&p, 393728, 4096, &at), 4096);
        ck_assert_uint_eq(at, PLACE_NONE);
        places_end(&p);
    }
END_TEST

START_TEST(a_map_that_is_cut_ends_with_its_last_line)
    {
        struct places p = { 0 };
        uint64_t at;

        for (size_t n = 0; n < sizeof map; n++) {
            ck_assert_int_eq(places_read(&p, map, n, 0, &err), 0);
            for (uint64_t offset = p.to; offset < 400000; offset += 4096) {
                ck_assert_uint_eq(places_find(&p, offset, 4096, &at), 4096);
                ck_assert_uint_eq(at, PLACE_NONE);
            }
        }
        places_end(&p);
    }
END_TEST

static const struct {
    const char *line;
    bool has_place;
} lines[] = {
    { LINE(4096, 512, DATA(0)), true },
    { "{\"start\": 4096, \"length\": 512, \"depth\": 1, \"zero\": false, \"data\": true, \"offset\": 0}",
      false },
    { "{\"start\": 4096, \"length\": 512, \"zero\": false, \"data\": true, \"offset\": 0}", false },
    { "{\"start\": 4096, \"length\": 512, \"depth\": 0, \"data\": true, \"offset\": 0}", false },
    { LINE(4096, 512, DATA(0) ", \"compressed\": true"), false },
    { LINE(4096, 512, DATA(0) ", \"compressed\": false, \"new\": [{}]"), true },
    { LINE(4096, 512, DATA(-1)), false },
    { LINE(4096, 512, DATA(9223372036854775807)), false },
    { LINE(4096, 512, ", \"zero\": true, \"data\": true, \"offset\": 0"), false },
};

START_TEST(only_what_lies_in_the_file_as_it_is_has_a_place)
    {
        struct places p = { 0 };
        char text[300];
        uint64_t at;

        (void)snprintf(text, sizeof text, "[%s]\n", lines[_i].line);
        ck_assert_int_eq(places_read(&p, text, strlen(text), 4096, &err), 0);
        ck_assert_uint_eq(p.to, 4608);
        ck_assert_uint_eq(places_find(&p, 4096, 512, &at), 512);
        ck_assert_int_eq(at != PLACE_NONE, lines[_i].has_place);
        places_end(&p);
    }
END_TEST

static const char *const senseless[] = {
    "qemu-img: words\n",
    "\n",
    "{}\n",
    "{{}}\n",
    "} {\n",
    LINE(0, 512, DATA(0)) "\n" LINE(1024, 512, DATA(0)) "\n",
    LINE(0, 512, DATA(0)) "\n" LINE(0, 512, DATA(0)) "\n",
    LINE(0, 0, DATA(0)) "\n",
    LINE(0, -512, DATA(0)) "\n",
    LINE(0, 9223372036854775807, DATA(0)) "\n" LINE(9223372036854775807, 512, DATA(0)) "\n",
    LINE(512, 512, DATA(0)) "\n",
};

START_TEST(a_map_without_sense_is_refused_as_a_whole)
    {
        struct places p = { 0 };
        uint64_t at;

        ck_assert_int_lt(places_read(&p, senseless[_i], strlen(senseless[_i]), 0, &err), 0);
        ck_assert_uint_eq(places_find(&p, 0, 512, &at), 512);
        ck_assert_uint_eq(at, PLACE_NONE);
        ck_assert_int_eq(places_read(&p, map, sizeof map - 1, 0, &err), 0);
        ck_assert_uint_eq(p.n, 3);
        places_end(&p);
    }
END_TEST

START_TEST(many_places_are_all_found)
    {
        struct places p = { 0 };
        static char text[1 << 20];
        size_t n = 0;
        uint64_t at;

        for (unsigned i = 0; i < 5000; i++)
            n +=
                (size_t)snprintf(text + n, sizeof text - n,
                                 "{\"start\": %u, \"length\": 4096, \"depth\": 0, \"zero\": false, \"data\": "
                                 "true, \"offset\": %u},\n",
                                 i * 4096u, (9999u - i) * 4096u);
        ck_assert_int_eq(places_read(&p, text, n, 0, &err), 0);
        ck_assert_uint_eq(p.n, 5000);
        for (unsigned i = 0; i < 5000; i++) {
            ck_assert_uint_eq(places_find(&p, i * 4096u + 100, 8192, &at), 3996);
            ck_assert_uint_eq(at, (9999u - i) * 4096u + 100);
        }
        places_end(&p);
    }
END_TEST

TEST_MAIN("copy/places", data_has_its_place_and_neighbours_are_one, a_map_that_is_cut_ends_with_its_last_line,
          LOOP(only_what_lies_in_the_file_as_it_is_has_a_place, TEST_ROWS(lines)),
          LOOP(a_map_without_sense_is_refused_as_a_whole, TEST_ROWS(senseless)), many_places_are_all_found)
