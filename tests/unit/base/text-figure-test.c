/* SPDX-License-Identifier: Apache-2.0
 * Figures with units: written as people read them, read exactly or refused, at both sides of each border. */
#include "base/text.h"

#include "check-main.h"

#define KI ((uint64_t)1024)
#define MI (KI * KI)
#define GI (MI * KI)
#define EI (GI * GI)

struct written {
    uint64_t value;
    const char *text;
};

static const struct written sizes[] = {
    { 0, "0 B" },
    { 1, "1 B" },
    { 1023, "1023 B" },
    { 1024, "1 KiB" },
    { 1536, "1.5 KiB" },
    { 10 * MI, "10 MiB" },
    { 97727283, "93.2 MiB" },
    { 100 * MI - 1, "100 MiB" },
    { 1023 * KI + 511, "1023 KiB" },
    { 1023 * KI + 512, "1 MiB" },
    { MI - 1, "1 MiB" },
    { GI + GI / 5, "1.2 GiB" },
    { EI, "1 EiB" },
    { UINT64_MAX, "16 EiB" },
};

START_TEST(sizes_have_three_digits_and_an_iec_unit)
    {
        ck_assert_str_eq(SIZE_TEXT(sizes[_i].value), sizes[_i].text);
    }
END_TEST

START_TEST(rates_are_sizes_per_second)
    {
        ck_assert_str_eq(RATE_TEXT(0), "0 B/s");
        ck_assert_str_eq(RATE_TEXT(117 * MI), "117 MiB/s");
        ck_assert_str_eq(RATE_TEXT(125000000), "119 MiB/s");
        ck_assert_str_eq(RATE_TEXT(5 * GI / 2), "2.5 GiB/s");
    }
END_TEST

static const struct written links[] = {
    { 0, "0 bit/s" },
    { 1, "8 bit/s" },
    { 124, "992 bit/s" },
    { 125, "1 kbit/s" },
    { 125000 - 1, "1 Mbit/s" },
    { 12500000, "100 Mbit/s" },
    { 125000000, "1 Gbit/s" },
    { 312500000, "2.5 Gbit/s" },
    { 1250000000, "10 Gbit/s" },
    { 125000000000, "1 Tbit/s" },
    { UINT64_MAX, "147573953 Tbit/s" },
};

START_TEST(links_are_decimal_bits_per_second)
    {
        ck_assert_str_eq(LINK_TEXT(links[_i].value), links[_i].text);
    }
END_TEST

static const struct written times[] = {
    { 0, "0 ms" },
    { 80, "80 ms" },
    { 999, "999 ms" },
    { 1000, "1 s" },
    { 1004, "1 s" },
    { 1005, "1.01 s" },
    { 1450, "1.45 s" },
    { 1500, "1.5 s" },
    { 9994, "9.99 s" },
    { 9995, "10 s" },
    { 12340, "12.3 s" },
    { 59949, "59.9 s" },
    { 59950, "1 min 00 s" },
    { 60000, "1 min 00 s" },
    { 125000, "2 min 05 s" },
    { 3599499, "59 min 59 s" },
    { 3599500, "1 h 00 min" },
    { 3600000, "1 h 00 min" },
    { 7529999, "2 h 05 min" },
    { 7530000, "2 h 06 min" },
    { UINT64_MAX, "5124095576030 h 26 min" },
};

START_TEST(times_lose_digits_as_they_grow)
    {
        ck_assert_str_eq(MS_TEXT(times[_i].value), times[_i].text);
    }
END_TEST

START_TEST(figures_are_cut_to_a_small_buffer)
    {
        char buf[4];

        ck_assert_str_eq(text_size(buf, sizeof buf, 10 * MI), "10 ");
        ck_assert_str_eq(text_ms(buf, sizeof buf, 80), "80 ");
    }
END_TEST

/* ---- reading; NO_VALUE is refused, and leaves what stood there ---- */

#define NO_VALUE 4711

struct read {
    const char *text;
    uint64_t value;
};

static const struct read bytes[] = {
    { "0", 0 },
    { "4096", 4096 },
    { "4096B", 4096 },
    { "007", 7 },
    { "10G", 10 * GI },
    { "10g", 10 * GI },
    { "512MiB", 512 * MI },
    { "512mib", 512 * MI },
    { "512 MiB", 512 * MI },
    { "1K", KI },
    { "1KB", 1000 },
    { "3MB", 3000000 },
    { "1T", KI *GI },
    { "1P", MI *GI },
    { "1.5G", 3 * GI / 2 },
    { "0.5K", 512 },
    { "93.2 MiB", 97727283 },
    { "15E", 15 * EI },
    { "15.999999999E", 18446744072556630111u },
    { "16E", NO_VALUE },
    { "18446744073709551615", UINT64_MAX },
    { "18446744073709551616", NO_VALUE },
    { "18014398509481983K", 18014398509481983u * KI },
    { "18014398509481984K", NO_VALUE },
    { "99999999999999999999999999", NO_VALUE },
    { "1.00000000000000000000G", NO_VALUE },
    { "", NO_VALUE },
    { " 1", NO_VALUE },
    { "1 ", NO_VALUE },
    { "1  G", NO_VALUE },
    { "-1", NO_VALUE },
    { "+1", NO_VALUE },
    { "-0", NO_VALUE },
    { "1.", NO_VALUE },
    { "1.G", NO_VALUE },
    { ".5G", NO_VALUE },
    { "1.5", NO_VALUE },
    { "0.0001K", NO_VALUE },
    { "1,5G", NO_VALUE },
    { "1e3", NO_VALUE },
    { "0x10", NO_VALUE },
    { "nan", NO_VALUE },
    { "inf", NO_VALUE },
    { "G", NO_VALUE },
    { "1i", NO_VALUE },
    { "1Gi", NO_VALUE },
    { "1iB", NO_VALUE },
    { "1GiBB", NO_VALUE },
    { "1GG", NO_VALUE },
    { "1Z", NO_VALUE },
    { "1G/s", NO_VALUE },
    { "1gbit", NO_VALUE },
    { "1\nG", NO_VALUE },
};

START_TEST(sizes_are_read_exactly_or_refused)
    {
        struct error err = { 0 };
        uint64_t value = NO_VALUE;
        int rc = text_parse_bytes(bytes[_i].text, &value, &err);

        ck_assert_msg(value == bytes[_i].value, "'%s' gave %llu", bytes[_i].text, (unsigned long long)value);
        ck_assert_int_eq(rc, bytes[_i].value == NO_VALUE ? -ERROR_USAGE : 0);
        ck_assert_int_eq(err.fix[0] != '\0', rc < 0);
    }
END_TEST

static const struct read rates[] = {
    { "0", 0 },
    { "1gbit", 125000000 },
    { "1Gbit", 125000000 },
    { "1GBIT/s", 125000000 },
    { "1 Gbit/s", 125000000 },
    { "2.5gbit", 312500000 },
    { "100mbit", 12500000 },
    { "1kbit", 125 },
    { "8bit", 1 },
    { "15bit", 1 },
    { "7bit", NO_VALUE },
    { "0bit", 0 },
    { "500MiB/s", 500 * MI },
    { "117 MiB/s", 117 * MI },
    { "100M", 100 * MI },
    { "100M/s", 100 * MI },
    { "100MB/s", 100000000 },
    { "100B/s", 100 },
    { "100/s", 100 },
    { "1Gb", NO_VALUE },
    { "1Gib/s", NO_VALUE },
    { "1gb/s", NO_VALUE },
    { "1b", NO_VALUE },
    { "1gbps", NO_VALUE },
    { "1gibit", NO_VALUE },
    { "1gbit/", NO_VALUE },
    { "1gbit/m", NO_VALUE },
    { "1gbit/s/s", NO_VALUE },
    { "1gbits", NO_VALUE },
    { "/s", NO_VALUE },
    { "1aaaaaaaaaaaaaaaaaaaaaaaaaaa/s", NO_VALUE },
    { "-1gbit", NO_VALUE },
    { "147ebit", 18375000000000000000u },
    { "148ebit", NO_VALUE },
    { "16E", NO_VALUE },
    { "", NO_VALUE },
};

START_TEST(rates_are_read_in_bytes_or_bits_and_never_guessed)
    {
        struct error err = { 0 };
        uint64_t value = NO_VALUE;
        int rc = text_parse_rate(rates[_i].text, &value, &err);

        ck_assert_msg(value == rates[_i].value, "'%s' gave %llu", rates[_i].text, (unsigned long long)value);
        ck_assert_int_eq(rc, rates[_i].value == NO_VALUE ? -ERROR_USAGE : 0);
    }
END_TEST

static const struct read milliseconds[] = {
    { "300", 300 },
    { "300ms", 300 },
    { "2s", 2000 },
    { "1.5s", 1500 },
    { "80 ms", 80 },
    { "5min", 300000 },
    { "2h", 7200000 },
    { "0", 0 },
    { "0s", 0 },
    { "0.5ms", NO_VALUE },
    { "1.5", NO_VALUE },
    { "5m", NO_VALUE },
    { "5S", NO_VALUE },
    { "5 min 3 s", NO_VALUE },
    { "-1s", NO_VALUE },
    { "s", NO_VALUE },
    { "", NO_VALUE },
    { "18446744073709551s", 18446744073709551000u },
    { "18446744073709552s", NO_VALUE },
};

START_TEST(times_are_read_in_milliseconds)
    {
        struct error err = { 0 };
        uint64_t value = NO_VALUE;
        int rc = text_parse_ms(milliseconds[_i].text, 1, &value, &err);

        ck_assert_msg(value == milliseconds[_i].value, "'%s' gave %llu", milliseconds[_i].text,
                      (unsigned long long)value);
        ck_assert_int_eq(rc, milliseconds[_i].value == NO_VALUE ? -ERROR_USAGE : 0);
    }
END_TEST

START_TEST(a_bare_time_is_in_the_unit_of_the_option)
    {
        struct error err = { 0 };
        uint64_t value;

        ck_assert_int_eq(text_parse_ms("3", 1000, &value, &err), 0);
        ck_assert_uint_eq(value, 3000);
        ck_assert_int_eq(text_parse_ms("3ms", 1000, &value, &err), 0);
        ck_assert_uint_eq(value, 3);
    }
END_TEST

START_TEST(numbers_are_read_up_to_their_limit)
    {
        static const char *const refused[] = { "",   "11",  "-1", "+1",  " 1",
                                               "1 ", "1.0", "1K", "0x1", "18446744073709551616" };
        struct error err = { 0 };
        uint64_t value = NO_VALUE;

        for (size_t i = 0; i < TEST_ROWS(refused); i++)
            ck_assert_int_eq(text_parse_u64(refused[i], 10, &value, &err), -ERROR_USAGE);
        ck_assert_int_eq(text_parse_u64(NULL, 10, &value, &err), -ERROR_USAGE);
        ck_assert_uint_eq(value, NO_VALUE);
        ck_assert_str_eq(err.what, "'' is no number from 0 to 10");
        ck_assert_int_eq(text_parse_u64("10", 10, &value, &err), 0);
        ck_assert_uint_eq(value, 10);
        ck_assert_int_eq(text_parse_u64("18446744073709551615", UINT64_MAX, &value, &err), 0);
        ck_assert_uint_eq(value, UINT64_MAX);
    }
END_TEST

START_TEST(no_text_at_all_is_refused_by_each)
    {
        struct error err = { 0 };
        uint64_t value;

        ck_assert_int_lt(text_parse_bytes(NULL, &value, &err), 0);
        ck_assert_int_lt(text_parse_rate(NULL, &value, &err), 0);
        ck_assert_int_lt(text_parse_ms(NULL, 1, &value, &err), 0);
    }
END_TEST

TEST_MAIN("base/text-figure", LOOP(sizes_have_three_digits_and_an_iec_unit, TEST_ROWS(sizes)),
          rates_are_sizes_per_second, LOOP(links_are_decimal_bits_per_second, TEST_ROWS(links)),
          LOOP(times_lose_digits_as_they_grow, TEST_ROWS(times)), figures_are_cut_to_a_small_buffer,
          LOOP(sizes_are_read_exactly_or_refused, TEST_ROWS(bytes)),
          LOOP(rates_are_read_in_bytes_or_bits_and_never_guessed, TEST_ROWS(rates)),
          LOOP(times_are_read_in_milliseconds, TEST_ROWS(milliseconds)),
          a_bare_time_is_in_the_unit_of_the_option, numbers_are_read_up_to_their_limit,
          no_text_at_all_is_refused_by_each)
