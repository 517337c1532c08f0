/* SPDX-License-Identifier: Apache-2.0
 * One place in each of many equal parts: what lies together in memory is then met as often as it is large.
 * The error of such a sample is told by how much neighbours differ, since parts that are all alike add
 * nothing to it (the estimator by successive differences, usual for systematic samples). */
#include "verbs/sample.h"

#include "base/text.h"
#include <math.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)
/* Between 640 KiB and 1 MiB a PC has its old display and its firmware. */
#define FIRST_MIB (UINT64_C(1) << 20)

/* What lies below 4 GiB: QEMU gives a q35 2 GiB as soon as it would have more than 2.75, an i440fx 3 GiB from
 * 3.5 GiB on. */
static uint64_t below_4g(bool is_q35, uint64_t memory_bytes)
{
    if (is_q35)
        return memory_bytes >= 11 * GIB / 4 ? 2 * GIB : memory_bytes;
    return memory_bytes >= 7 * GIB / 2 ? 3 * GIB : memory_bytes;
}

bool sample_address(const char *arch, const char *machine, uint64_t memory_bytes, uint64_t offset,
                    uint64_t *ret)
{
    const bool is_q35 = machine && (text_starts(machine, "pc-q35") || text_equal(machine, "q35"));
    const bool is_i440fx = machine && (text_starts(machine, "pc-i440fx") || text_equal(machine, "pc"));
    const uint64_t low = below_4g(is_q35, memory_bytes);

    if ((!text_equal(arch, "x86_64") && !text_equal(arch, "i686")) || (!is_q35 && !is_i440fx) ||
        memory_bytes <= FIRST_MIB + SAMPLE_CHUNK)
        return false;
    if (offset < FIRST_MIB)
        offset = FIRST_MIB;
    *ret = offset < low ? offset : 4 * GIB + (offset - low);
    return true;
}

uint64_t sample_offset(uint64_t memory_bytes, size_t n, size_t i, uint64_t random)
{
    const uint64_t part = memory_bytes / (n ? n : 1), chunks = part / SAMPLE_CHUNK;

    return i * part / SAMPLE_CHUNK * SAMPLE_CHUNK + (chunks ? random % chunks : 0) * SAMPLE_CHUNK;
}

unsigned sample_full(const unsigned char *chunk)
{
    static const unsigned char zeroes[SAMPLE_PAGE];
    unsigned n = 0;

    for (size_t i = 0; i < SAMPLE_PAGES; i++)
        n += memcmp(chunk + i * SAMPLE_PAGE, zeroes, SAMPLE_PAGE) != 0;
    return n;
}

unsigned sample_changed(const unsigned char *chunk, const unsigned char *was)
{
    unsigned n = 0;

    for (size_t i = 0; i < SAMPLE_PAGES; i++)
        n += memcmp(chunk + i * SAMPLE_PAGE, was + i * SAMPLE_PAGE, SAMPLE_PAGE) != 0;
    return n;
}

struct sample_estimate sample_estimate(const unsigned char *counts, size_t n, uint64_t memory_bytes)
{
    const double memory = (double)memory_bytes;
    double sum = 0, steps = 0, share, error;

    if (n < 2)
        return (struct sample_estimate){ 0, n ? memory * counts[0] / SAMPLE_PAGES : memory / 2, memory };
    for (size_t i = 0; i < n; i++) {
        const double step = i ? ((double)counts[i] - counts[i - 1]) / SAMPLE_PAGES : 0;

        sum += (double)counts[i] / SAMPLE_PAGES;
        steps += step * step;
    }
    share = sum / (double)n;
    error = fmax(2 * sqrt(steps / (2 * (double)(n - 1)) / (double)n), 1 / (double)n);
    return (struct sample_estimate){ fmax(share - error, 0) * memory, share * memory,
                                     fmin(share + error, 1) * memory };
}
