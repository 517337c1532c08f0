/* SPDX-License-Identifier: Apache-2.0
 * Lines of an append-only file, written and judged. The judgement is careful in one direction: bytes that
 * were acknowledged once must never pass as a torn tail, or a step that was done would be forgotten. */
#include "state/record.h"
#include <stdbool.h>
#include <string.h>

/* Castagnoli's polynomial, reflected, four bits at a time: small, and fast enough for lines. */
uint32_t record_crc32c(const char *bytes, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

int record_write(struct text *line, const json_t *object, struct error *err)
{
    OWNED_MEMORY char *json = json_write(object, false, err);
    size_t n;

    if (!json)
        return -err->code;
    n = strlen(json);
    if (n > JSON_MAX_BYTES)
        return error_set(err, ERROR_INPUT, NULL, "a record of %zu bytes is too large", n);
    text_add(line, "%08x %08x ", (unsigned)n, (unsigned)record_crc32c(json, n));
    text_add_bytes(line, json, n);
    text_add_bytes(line, "\n", 1);
    return line->failed ? error_memory(err) : 0;
}

/* Upper case is refused: it would be the same figure after a bit changed. */
static bool read_hex(const char *s, uint32_t *ret)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        if (s[i] >= '0' && s[i] <= '9')
            value = value << 4 | (uint32_t)(s[i] - '0');
        else if (s[i] >= 'a' && s[i] <= 'f')
            value = value << 4 | (uint32_t)(s[i] - 'a' + 10);
        else
            return false;
    }
    *ret = value;
    return true;
}

static bool read_prefix(const char *s, uint32_t *ret_length, uint32_t *ret_crc)
{
    return read_hex(s, ret_length) && s[8] == ' ' && read_hex(s + 9, ret_crc) && s[17] == ' ' &&
           *ret_length >= 2 && *ret_length <= JSON_MAX_BYTES;
}

/* Could s be the first n bytes of a line that is longer than n? */
static bool is_beginning(const char *s, size_t n)
{
    char prefix[RECORD_PREFIX_BYTES];
    uint32_t length, crc;

    if (n < 8) {
        memset(prefix, '0', sizeof prefix);
        memcpy(prefix, s, n);
        return read_hex(prefix, &length);
    }
    memcpy(prefix, "00000000 00000000 ", sizeof prefix);
    memcpy(prefix, s, n < sizeof prefix ? n : sizeof prefix);
    if (!read_prefix(prefix, &length, &crc) || memchr(s, '\n', n))
        return false;
    return n <= RECORD_PREFIX_BYTES || (s[RECORD_PREFIX_BYTES] == '{' && n <= RECORD_PREFIX_BYTES + length);
}

/* After a power cut a file may be longer than what reached it: the rest then reads as zero bytes, which
 * stand in no line of ours. */
static enum record_state judge_rest(const char *s, size_t n)
{
    while (n > 0 && s[n - 1] == '\0')
        n--;
    return is_beginning(s, n) ? RECORD_TORN : RECORD_DAMAGED;
}

enum record_state record_read(const char *bytes, size_t n, size_t *at, json_t **ret)
{
    const char *line = bytes + *at, *json = line + RECORD_PREFIX_BYTES;
    size_t left = n - *at;
    uint32_t length, crc;
    struct error ignored = { 0 };

    *ret = NULL;
    if (left == 0)
        return RECORD_END;
    if (left < RECORD_PREFIX_BYTES || !read_prefix(line, &length, &crc) ||
        left < RECORD_PREFIX_BYTES + (size_t)length + 1 || json[length] == '\0')
        return judge_rest(line, left);
    if (json[length] != '\n' || record_crc32c(json, length) != crc)
        return RECORD_DAMAGED;
    *ret = json_read(json, length, "record", &ignored);
    if (!json_is_object(*ret)) {
        json_decref(*ret);
        *ret = NULL;
        return RECORD_DAMAGED;
    }
    *at += RECORD_PREFIX_BYTES + (size_t)length + 1;
    return RECORD_GOOD;
}
