/* SPDX-License-Identifier: Apache-2.0
 * Text that grows, and text from outside made safe to show. Owns the only list of characters that can steer a
 * terminal or turn the order of what is read around. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_done(struct text *t)
{
    free(t->s);
    *t = (struct text){ 0 };
}

/* Room for n more bytes and the terminator. */
static bool has_room(struct text *t, size_t n)
{
    size_t need, size = t->size ? t->size : 64;
    char *s;

    if (t->failed || __builtin_add_overflow(t->len, n, &need) || need > SIZE_MAX / 4) {
        t->failed = true;
        return false;
    }
    if (need < t->size)
        return true;
    while (size <= need)
        size *= 2;
    s = realloc(t->s, size);
    if (!s) {
        t->failed = true;
        return false;
    }
    t->s = s;
    t->size = size;
    return true;
}

void text_add_bytes(struct text *t, const char *bytes, size_t n)
{
    if (!has_room(t, n))
        return;
    if (n > 0)
        memcpy(t->s + t->len, bytes, n);
    t->len += n;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        t->failed = true;
    if (n < 0 || !has_room(t, (size_t)n))
        return;
    va_start(args, format);
    (void)vsnprintf(t->s + t->len, (size_t)n + 1, format, args);
    va_end(args);
    t->len += (size_t)n;
}

const char *text_of(const struct text *t)
{
    return t->s ? t->s : "";
}

/* The length of the UTF-8 character at s, and its code point; 0 when it is none: a stray or missing
 * continuation, an overlong form, a surrogate, or beyond U+10FFFF. */
static size_t utf8_at(const unsigned char *s, uint32_t *ret_point)
{
    static const struct {
        uint32_t least;
        unsigned char mask, lead, bits;
    } forms[] = { { 0x80, 0xe0, 0xc0, 0x1f }, { 0x800, 0xf0, 0xe0, 0x0f }, { 0x10000, 0xf8, 0xf0, 0x07 } };

    if (s[0] < 0x80) {
        *ret_point = s[0];
        return 1;
    }
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        uint32_t point = s[0] & forms[form].bits;

        if ((s[0] & forms[form].mask) != forms[form].lead)
            continue;
        for (size_t i = 1; i <= form + 1; i++) {
            if ((s[i] & 0xc0) != 0x80)
                return 0;
            point = point << 6 | (s[i] & 0x3f);
        }
        if (point < forms[form].least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return 0;
        *ret_point = point;
        return form + 2;
    }
    return 0;
}

static bool is_unsafe(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x1f },     { 0x7f, 0x9f }, /* controls, C1 among them: 0x9b opens a sequence as ESC [ does */
        { 0x061c, 0x061c }, { 0x200e, 0x200f }, /* bidirectional marks */
        { 0x2028, 0x202e }, { 0x2066, 0x2069 }, /* line ends, embeddings, overrides, isolates */
        { 0xfeff, 0xfeff },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

/* Writes the next character of s, escaped if it must be, into out (at most 17 bytes); returns what it read.
 */
static size_t escape_next(const unsigned char *s, char out[17])
{
    uint32_t point = 0;
    size_t n = utf8_at(s, &point);

    if (n > 0 && !is_unsafe(point)) {
        memcpy(out, s, n);
        out[n] = '\0';
        return n;
    }
    if (n == 0)
        n = 1;
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 4 * i, 5, "\\x%02x", s[i]);
    return n;
}

void text_add_escaped(struct text *t, const char *s)
{
    const unsigned char *p = (const unsigned char *)(s ? s : "");
    char out[17];

    while (*p) {
        p += escape_next(p, out);
        text_add_bytes(t, out, strlen(out));
    }
}

const char *text_escape(char *buf, size_t size, const char *s)
{
    const unsigned char *p = (const unsigned char *)(s ? s : "");
    size_t len = 0;
    char out[17];

    if (size == 0)
        return "";
    while (*p) {
        size_t n;

        p += escape_next(p, out);
        n = strlen(out);
        if (n >= size - len)
            break;
        memcpy(buf + len, out, n);
        len += n;
    }
    buf[len] = '\0';
    return buf;
}

bool text_is_utf8(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    uint32_t point;

    while (*p) {
        size_t n = utf8_at(p, &point);

        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts(const char *s, const char *prefix)
{
    return s && prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
    size_t n = s ? strlen(s) : 0, m = suffix ? strlen(suffix) : 0;

    return s && suffix && n >= m && strcmp(s + n - m, suffix) == 0;
}
