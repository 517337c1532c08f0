/* SPDX-License-Identifier: Apache-2.0
 * Figures with units, written for people and read from them. Integers throughout: what is read is exact or
 * refused, and what is written rounds half up, never to a unit's full thousand ("1024 MiB" is "1 GiB"). */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

#define KI ((uint64_t)1024)
#define K ((uint64_t)1000)

static const struct unit sizes[] = {
    { "B", 1 },
    { "KiB", KI },
    { "MiB", KI *KI },
    { "GiB", KI *KI *KI },
    { "TiB", KI *KI *KI *KI },
    { "PiB", KI *KI *KI *KI *KI },
    { "EiB", KI *KI *KI *KI *KI *KI },
    { NULL, 0 },
};

/* In bytes per second, so that no figure overflows by being turned into bits. */
static const struct unit links[] = {
    { "kbit/s", 125 },           { "Mbit/s", 125 * K }, { "Gbit/s", 125 * K *K },
    { "Tbit/s", 125 * K *K *K }, { NULL, 0 },
};

/* Three digits say enough: "1.5", "93.2", "117". */
static void figure(char *buf, size_t size, uint64_t value, const struct unit *u, uint64_t base,
                   const char *per)
{
    for (;; u++) {
        uint64_t whole = value / u->factor, rest = value % u->factor;
        uint64_t tenths = whole < base ? whole * 10 + (rest * 10 + u->factor / 2) / u->factor : 0;
        uint64_t round = whole + (rest >= u->factor - rest);

        if (u[1].name && (whole >= base || round >= base))
            continue;
        if (whole >= 100 || tenths >= 1000 || tenths % 10 == 0)
            (void)snprintf(buf, size, "%llu %s%s", (unsigned long long)(whole >= 100 ? round : tenths / 10),
                           u->name, per);
        else
            (void)snprintf(buf, size, "%llu.%llu %s%s", (unsigned long long)(tenths / 10),
                           (unsigned long long)(tenths % 10), u->name, per);
        return;
    }
}

const char *text_size(char *buf, size_t size, uint64_t bytes)
{
    figure(buf, size, bytes, sizes, KI, "");
    return buf;
}

const char *text_rate(char *buf, size_t size, uint64_t bytes_per_s)
{
    figure(buf, size, bytes_per_s, sizes, KI, "/s");
    return buf;
}

const char *text_link(char *buf, size_t size, uint64_t bytes_per_s)
{
    if (bytes_per_s < links[0].factor)
        (void)snprintf(buf, size, "%u bit/s", (unsigned)bytes_per_s * 8);
    else
        figure(buf, size, bytes_per_s, links, K, "");
    return buf;
}

/* Hundredths of a second without trailing zeros. */
static void short_time(char *buf, size_t size, uint64_t hundredths)
{
    unsigned whole = (unsigned)(hundredths / 100), rest = (unsigned)(hundredths % 100);

    if (rest == 0)
        (void)snprintf(buf, size, "%u s", whole);
    else if (rest % 10 == 0)
        (void)snprintf(buf, size, "%u.%u s", whole, rest / 10);
    else
        (void)snprintf(buf, size, "%u.%02u s", whole, rest);
}

const char *text_ms(char *buf, size_t size, uint64_t ms)
{
    uint64_t s = ms / 1000 + (ms % 1000 >= 500);
    uint64_t min = ms / 60000 + (ms % 60000 >= 30000);

    if (ms < 1000)
        (void)snprintf(buf, size, "%u ms", (unsigned)ms);
    else if (ms < 9995)
        short_time(buf, size, (ms + 5) / 10);
    else if (ms < 59950)
        short_time(buf, size, (ms + 50) / 100 * 10);
    else if (s < 3600)
        (void)snprintf(buf, size, "%llu min %02llu s", (unsigned long long)(s / 60),
                       (unsigned long long)(s % 60));
    else
        (void)snprintf(buf, size, "%llu h %02llu min", (unsigned long long)(min / 60),
                       (unsigned long long)(min % 60));
    return buf;
}

/* ---- reading ---- */

/* A number as it was written: 1.25 is 125 over 100. */
struct number {
    uint64_t digits, over;
    const char *unit; /* what follows it, after at most one space */
};

static bool add_digit(uint64_t *value, char c)
{
    return !__builtin_mul_overflow(*value, (uint64_t)10, value) &&
           !__builtin_add_overflow(*value, (uint64_t)(c - '0'), value);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool number_read(const char *s, struct number *ret)
{
    struct number n = { .over = 1 };

    if (!s || !is_digit(*s))
        return false;
    for (; is_digit(*s); s++)
        if (!add_digit(&n.digits, *s))
            return false;
    if (*s == '.') {
        if (!is_digit(*++s))
            return false;
        for (; is_digit(*s); s++)
            if (!add_digit(&n.digits, *s) || __builtin_mul_overflow(n.over, (uint64_t)10, &n.over))
                return false;
    }
    /* "1.5" of nothing in particular cannot be meant; "93.2 MiB", as we write it, can be read. */
    if (n.over > 1 && *s == '\0')
        return false;
    if (*s == ' ' && s[1] != '\0' && s[1] != ' ')
        s++;
    n.unit = s;
    *ret = n;
    return true;
}

/* digits * factor / over / divisor, rounded down; refuses what does not fit, and what only rounding makes 0:
 * for a limit 0 has a meaning of its own. */
static bool number_times(const struct number *n, uint64_t factor, uint64_t divisor, uint64_t *ret)
{
    __extension__ typedef unsigned __int128 wide;
    wide value = (wide)n->digits * factor / n->over / divisor;

    if (value > UINT64_MAX || (value == 0 && n->digits != 0))
        return false;
    *ret = (uint64_t)value;
    return true;
}

/* The factor of K, M, G, T, P or E at *unit, which is moved behind it; 1 and not moved where there is none.
 * Decimal by 1000, as "GB" and "gbit"; else IEC. */
static uint64_t prefix_factor(const char **unit, uint64_t base)
{
    static const char letters[] = "kmgtpe";
    uint64_t factor = base;

    for (const char *l = letters; *l; l++, factor *= base)
        if ((**unit | 0x20) == *l) {
            ++*unit;
            return factor;
        }
    return 1;
}

/* "", "B", "K", "KiB": IEC; "KB": decimal, as virsh reads it. 0 when it is none of them. */
static uint64_t bytes_factor(const char *unit, bool is_b_strict)
{
    const char *rest = unit;
    uint64_t iec = prefix_factor(&rest, KI);
    const char *b = rest != unit && (*rest | 0x20) == 'i' ? rest + 1 : rest;

    if (*rest == '\0')
        return iec;
    if (b[0] == '\0' || b[1] != '\0' || (b[0] != 'B' && (is_b_strict || b[0] != 'b')))
        return 0;
    return b == rest ? prefix_factor(&unit, K) : iec;
}

int text_parse_bytes(const char *s, uint64_t *ret_bytes, struct error *err)
{
    struct number n;
    uint64_t factor;

    if (number_read(s, &n)) {
        factor = bytes_factor(n.unit, false);
        if (factor && number_times(&n, factor, 1, ret_bytes))
            return 0;
    }
    error_set(err, ERROR_USAGE, NULL, "'%s' is no size", s ? s : "");
    return error_fix(
        err, "Write a number of bytes below 16 EiB, with K, M, G, T or P for IEC units: 10G, 512MiB.");
}

/* The part of a rate before "/s", in a buffer; false when it is longer than any unit. */
static bool rate_unit(const char *unit, char buf[8])
{
    size_t n = strlen(unit);

    if (n >= 2 && strcmp(unit + n - 2, "/s") == 0)
        n -= 2;
    else if (n > 0 && unit[n - 1] == '/')
        return false;
    if (n >= 8)
        return false;
    memcpy(buf, unit, n);
    buf[n] = '\0';
    return true;
}

static bool rate_value(const struct number *n, uint64_t *ret)
{
    char unit[8];
    const char *rest = unit;
    uint64_t factor;

    if (!rate_unit(n->unit, unit))
        return false;
    factor = prefix_factor(&rest, K);
    if (strcasecmp(rest, "bit") == 0)
        return number_times(n, factor, 8, ret);
    /* "Gb" is a bit to one reader and a byte to the next: only "GB" is read. */
    factor = bytes_factor(unit, true);
    return factor && number_times(n, factor, 1, ret);
}

int text_parse_rate(const char *s, uint64_t *ret_bytes_per_s, struct error *err)
{
    struct number n;

    if (number_read(s, &n) && rate_value(&n, ret_bytes_per_s))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' is no rate", s ? s : "");
    return error_fix(err, "Write bytes per second, as 100M or 500MiB/s, or bits per second, as 1gbit.");
}

int text_parse_ms(const char *s, uint64_t bare_ms, uint64_t *ret_ms, struct error *err)
{
    const struct unit units[] = { { "", bare_ms },  { "ms", 1 },      { "s", 1000 },
                                  { "min", 60000 }, { "h", 3600000 }, { NULL, 0 } };
    struct number n;

    if (number_read(s, &n))
        for (const struct unit *u = units; u->name; u++)
            if (strcmp(n.unit, u->name) == 0 && number_times(&n, u->factor, 1, ret_ms))
                return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' is no length of time", s ? s : "");
    return error_fix(err, "Write a number with ms, s, min or h: 300ms, 2s, 5min.");
}

int text_parse_u64(const char *s, uint64_t max, uint64_t *ret, struct error *err)
{
    struct number n;

    if (number_read(s, &n) && *n.unit == '\0' && n.digits <= max) {
        *ret = n.digits;
        return 0;
    }
    return error_set(err, ERROR_USAGE, NULL, "'%s' is no number from 0 to %llu", s ? s : "",
                     (unsigned long long)max);
}
