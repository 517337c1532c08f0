/* SPDX-License-Identifier: Apache-2.0
 * Reads libvirt's lists of numbers into bits and writes them back in their shortest form. */
#include "facts/cpuset.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 4096u /* as facts/json.h reads it */

static bool has(const struct cpuset *set, unsigned n)
{
    return set->words[n / 64u] >> (n % 64u) & 1u;
}

void cpuset_add_one(struct cpuset *set, unsigned n)
{
    if (n < CPUSET_MAX)
        set->words[n / 64u] |= UINT64_C(1) << (n % 64u);
}

static bool read_number(const char **at, unsigned *ret)
{
    unsigned n = 0;
    const char *s = *at;

    for (; *s >= '0' && *s <= '9'; s++) {
        n = 10u * n + (unsigned)(*s - '0');
        if (n >= CPUSET_MAX)
            return false;
    }
    if (s == *at)
        return false;
    *at = s;
    *ret = n;
    return true;
}

/* "3", "0-3" or "^2", of which at stands behind it afterwards. */
static bool read_part(struct cpuset *set, const char **at)
{
    bool takes_out = **at == '^';
    unsigned first, last;

    *at += takes_out;
    if (!read_number(at, &first))
        return false;
    last = first;
    if (**at == '-' && !takes_out) {
        ++*at;
        if (!read_number(at, &last) || last < first)
            return false;
    }
    for (unsigned n = first; n <= last; n++) {
        if (takes_out)
            set->words[n / 64u] &= ~(UINT64_C(1) << (n % 64u));
        else
            cpuset_add_one(set, n);
    }
    return true;
}

bool cpuset_add(struct cpuset *set, const char *text)
{
    struct cpuset read = { 0 };

    /* What is taken out is taken out of this text alone. */
    for (const char *at = text ? text : ""; *at;) {
        at += strspn(at, " \t\n");
        if (!read_part(&read, &at))
            return false;
        at += strspn(at, " \t\n");
        if (*at && *at++ != ',')
            return false;
    }
    for (size_t i = 0; i < CPUSET_MAX / 64u; i++)
        set->words[i] |= read.words[i];
    return true;
}

bool cpuset_is_empty(const struct cpuset *set)
{
    for (size_t i = 0; i < CPUSET_MAX / 64u; i++)
        if (set->words[i])
            return false;
    return true;
}

struct cpuset cpuset_without(const struct cpuset *set, const struct cpuset *within)
{
    struct cpuset left;

    for (size_t i = 0; i < CPUSET_MAX / 64u; i++)
        left.words[i] = set->words[i] & ~within->words[i];
    return left;
}

const char *cpuset_text(struct arena *a, const struct cpuset *set)
{
    OWNED_TEXT t = { 0 };

    for (unsigned n = 0; n < CPUSET_MAX; n++) {
        unsigned last = n;

        if (!has(set, n))
            continue;
        while (last + 1u < CPUSET_MAX && has(set, last + 1u))
            last++;
        text_add(&t, "%s%u", t.len ? "," : "", n);
        if (last > n)
            text_add(&t, "-%u", last);
        n = last;
    }
    return t.len && t.len <= MAX_TEXT && !t.failed ? arena_text(a, text_of(&t)) : NULL;
}
