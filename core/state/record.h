/* SPDX-License-Identifier: Apache-2.0
 * One line of an append-only file: length, CRC32C and a JSON object, all of it readable with cat.
 * Tells a write that never ended (torn) from bytes that changed afterwards (damaged). No I/O. */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

/* A line is "LLLLLLLL CCCCCCCC {…}\n": both lower-case hexadecimal, L counts the bytes of the object. */
#define RECORD_PREFIX_BYTES 18u

uint32_t record_crc32c(const char *bytes, size_t n);

/* The line, added to an empty text. */
int record_write(struct text *line, const json_t *object, struct error *err);

enum record_state {
    RECORD_GOOD,
    RECORD_END,     /* nothing is left */
    RECORD_TORN,    /* what is left is the beginning of a line and no more: its write never returned */
    RECORD_DAMAGED, /* no write of ours leaves such bytes */
};
/* Reads the line at *at and moves *at behind it when it is good; ret is a new reference then, else NULL. */
enum record_state record_read(const char *bytes, size_t n, size_t *at, json_t **ret);

#endif
