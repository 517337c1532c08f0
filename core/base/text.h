/* SPDX-License-Identifier: Apache-2.0
 * Text that grows, text from outside made safe to show, and figures with units, read and written.
 * Bytes in IEC units, links in bit/s. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"
#include "base/owned.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing buffer. Zero-initialise; s is NULL or a terminated string; failed is kept until text_done. */
struct text {
    char *s;
    size_t len, size;
    bool failed;
};
void text_done(struct text *t);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *t, const char *bytes, size_t n);
/* Adds s with control bytes, invalid UTF-8 and bidirectional marks as \xNN, so that no name from outside
 * can steer a terminal. */
void text_add_escaped(struct text *t, const char *s);
const char *text_of(const struct text *t); /* "" when empty */
#define OWNED_TEXT __attribute__((cleanup(text_done))) struct text

/* The same escaping into a buffer; returns buf. Cut where it does not fit, never inside an escape. */
const char *text_escape(char *buf, size_t size, const char *s);
#define ESCAPED(s) text_escape((char[512]){ 0 }, 512, (s))

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/* "93.2 MiB"; "1.2 GiB"; returns buf. SIZE_TEXT gives one that lives to the end of the block. */
const char *text_size(char *buf, size_t size, uint64_t bytes);
const char *text_rate(char *buf, size_t size, uint64_t bytes_per_s); /* "117 MiB/s" */
const char *text_link(char *buf, size_t size, uint64_t bytes_per_s); /* "1 Gbit/s" */
const char *text_ms(char *buf, size_t size, uint64_t ms);            /* "80 ms", "1.45 s", "2 min 05 s" */
#define SIZE_TEXT(n) text_size((char[32]){ 0 }, 32, (n))
#define RATE_TEXT(n) text_rate((char[32]){ 0 }, 32, (n))
#define LINK_TEXT(n) text_link((char[32]){ 0 }, 32, (n))
#define MS_TEXT(n) text_ms((char[32]){ 0 }, 32, (n))

/* "10G", "512MiB", "4096": bytes. "1gbit", "500MiB/s", "100M": bytes per second (bare units are bytes).
 * "300", "300ms", "2s", "5min": ms (bare: bare_ms each). All refuse signs, NaN, overflow and rubbish. */
int text_parse_bytes(const char *s, uint64_t *ret_bytes, struct error *err);
int text_parse_rate(const char *s, uint64_t *ret_bytes_per_s, struct error *err);
int text_parse_ms(const char *s, uint64_t bare_ms, uint64_t *ret_ms, struct error *err);
int text_parse_u64(const char *s, uint64_t max, uint64_t *ret, struct error *err);

bool text_is_utf8(const char *s); /* well-formed: no overlong form, no surrogate, nothing beyond U+10FFFF */

#endif
