/* SPDX-License-Identifier: Apache-2.0 */
#include "check-main.h"
#include "verbs/sample.h"
#include <string.h>

#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

static const struct {
    const char *machine;
    uint64_t memory, offset, address;
} places[] = {
    { "pc-q35-7.2", MiB(256), MiB(200), MiB(200) },
    { "q35", MiB(256), 0, MiB(1) }, /* the old display is not memory */
    { "pc-q35-7.2", MiB(2815), MiB(2800), MiB(2800) },
    { "pc-q35-7.2", MiB(2816), MiB(2800), GiB(4) + MiB(752) },
    { "pc-q35-7.2", GiB(16), GiB(2) - 1, GiB(2) - 1 },
    { "pc-q35-7.2", GiB(16), GiB(2), GiB(4) },
    { "pc-i440fx-7.2", MiB(3583), MiB(3500), MiB(3500) },
    { "pc-i440fx-7.2", MiB(3584), MiB(3500), GiB(4) + MiB(428) },
    { "pc", GiB(8), GiB(3) - 1, GiB(3) - 1 },
};

START_TEST(no_place_lies_where_devices_are)
    {
        uint64_t address = 0;

        ck_assert(
            sample_address("x86_64", places[_i].machine, places[_i].memory, places[_i].offset, &address));
        ck_assert_uint_eq(address, places[_i].address);
    }
END_TEST

START_TEST(of_other_machines_nothing_is_read)
    {
        uint64_t address;

        ck_assert(!sample_address("aarch64", "virt-7.2", GiB(1), 0, &address));
        ck_assert(!sample_address("x86_64", "microvm", GiB(1), 0, &address));
        ck_assert(!sample_address("x86_64", NULL, GiB(1), 0, &address));
        ck_assert(!sample_address(NULL, "q35", GiB(1), 0, &address));
        ck_assert(!sample_address("x86_64", "q35", MiB(1), 0, &address));
    }
END_TEST

START_TEST(places_lie_in_order_and_within_the_memory)
    {
        static const uint64_t sizes[] = { MiB(64), MiB(257) + 4096, GiB(3), GiB(12288) };
        const uint64_t memory = sizes[_i];
        uint64_t before = 0;

        for (size_t i = 0; i < SAMPLE_MOST; i++) {
            const uint64_t at = sample_offset(memory, SAMPLE_MOST, i, UINT64_MAX - i);

            ck_assert_uint_ge(at, before);
            ck_assert_uint_le(at + SAMPLE_CHUNK, memory);
            ck_assert_uint_eq(at % SAMPLE_CHUNK, 0);
            before = at;
        }
    }
END_TEST

START_TEST(pages_are_counted)
    {
        static unsigned char was[SAMPLE_CHUNK], is[SAMPLE_CHUNK];

        memset(was, 0, sizeof was);
        was[0] = was[3 * SAMPLE_PAGE - 1] = 1;
        memcpy(is, was, sizeof is);
        ck_assert_uint_eq(sample_full(was), 2);
        ck_assert_uint_eq(sample_changed(is, was), 0);
        is[SAMPLE_CHUNK - 1] = 1;
        ck_assert_uint_eq(sample_changed(is, was), 1);
    }
END_TEST

/* The first of many places are full. */
static struct sample_estimate of_full(size_t full, size_t n, size_t step)
{
    unsigned char counts[SAMPLE_MOST];

    for (size_t i = 0; i < n; i++)
        counts[i * step % n] = i < full ? SAMPLE_PAGES : 0;
    return sample_estimate(counts, n, MiB(256));
}

START_TEST(the_truth_lies_in_the_estimate_and_more_places_narrow_it)
    {
        const struct sample_estimate few = of_full(16, 64, 1), many = of_full(128, 512, 1),
                                     strewn = of_full(128, 512, 5);

        ck_assert(few.bytes > 63.9 * 1048576 && few.bytes < 64.1 * 1048576);
        ck_assert(few.low < few.bytes && few.bytes < few.high);
        ck_assert(many.high - many.low < few.high - few.low);
        ck_assert(strewn.high - strewn.low > 3 * (many.high - many.low));
    }
END_TEST

START_TEST(nothing_seen_is_not_nothing_there)
    {
        const struct sample_estimate none = of_full(0, 512, 1), all = of_full(512, 512, 1);
        const struct sample_estimate one = sample_estimate((const unsigned char[]){ 4 }, 1, MiB(256)),
                                     no = sample_estimate(NULL, 0, MiB(256));

        ck_assert(none.low == 0 && none.bytes == 0 && none.high > 0);
        ck_assert(all.low < MiB(256) && all.high == MiB(256));
        ck_assert(one.low == 0 && one.bytes == MiB(64) && one.high == MiB(256));
        ck_assert(no.low == 0 && no.high == MiB(256));
    }
END_TEST

TEST_MAIN("verbs/sample", LOOP(no_place_lies_where_devices_are, TEST_ROWS(places)),
          of_other_machines_nothing_is_read, LOOP(places_lie_in_order_and_within_the_memory, 4),
          pages_are_counted, the_truth_lies_in_the_estimate_and_more_places_narrow_it,
          nothing_seen_is_not_nothing_there)
