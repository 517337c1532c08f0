/* SPDX-License-Identifier: Apache-2.0
 * QEMU's map of an image, from any bytes: the places are in order, and what is found is what was listed. */
#include "copy/places.h"
#include "fuzz.h"

static void look(const struct places *p)
{
    uint64_t offset = p->from, at, n;

    for (size_t steps = 0; offset < p->to; offset += n, steps++) {
        n = places_find(p, offset, p->to - offset, &at);
        PROMISE(n > 0 && n <= p->to - offset);
        PROMISE(at == PLACE_NONE || at <= INT64_MAX - n);
        PROMISE(steps <= 2 * p->n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct places p = { 0 };
    struct error err = { 0 };
    const uint64_t from = size > 0 ? (uint64_t)(data[0] & 1) << 16 : 0;

    if (size < 1 || size > FUZZ_MOST)
        return 0;
    if (places_read(&p, (const char *)data + 1, size - 1, from, &err) < 0)
        PROMISE(p.n == 0 && p.to == from);
    for (size_t i = 0; i < p.n; i++)
        PROMISE(p.list[i].length > 0 &&
                p.list[i].offset >= (i > 0 ? p.list[i - 1].offset + p.list[i - 1].length : from));
    look(&p);
    PROMISE(places_read(&p, "", 0, 0, &err) == 0);
    places_end(&p);
    return 0;
}
