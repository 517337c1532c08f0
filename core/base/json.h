/* SPDX-License-Identifier: Apache-2.0
 * JSON over jansson, bounded: data from outside is limited in size and depth before it is parsed.
 * Getters never fail: an absent or wrongly typed member reads as the default. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline void json_ownedp(json_t **j)
{
    json_decref(*j);
}
#define OWNED_JSON __attribute__((cleanup(json_ownedp))) json_t *

#define JSON_MAX_DEPTH 64u
#define JSON_MAX_BYTES (16u << 20)

/* source names where it came from, for the message. NULL and ERROR_INPUT when it is no JSON, too deep, has
 * duplicate keys, or is larger than JSON_MAX_BYTES. */
json_t *json_read(const char *bytes, size_t n, const char *source, struct error *err);
json_t *json_read_file(const char *path, struct error *err);
char *json_write(const json_t *j, bool pretty, struct error *err); /* malloc'ed; keys in order of insertion */

const char *json_text(const json_t *o, const char *key, const char *absent);
uint64_t json_u64(const json_t *o, const char *key, uint64_t absent); /* negative reads as absent */
double json_number(const json_t *o, const char *key, double absent);
bool json_flag(const json_t *o, const char *key, bool absent);
const json_t *json_child(const json_t *o, const char *key); /* NULL when absent */

/* Setters skip a NULL text, and give ERROR_MEMORY as a negative return. */
int json_put_text(json_t *o, const char *key, const char *value);
int json_put_u64(json_t *o, const char *key, uint64_t value);
int json_put_flag(json_t *o, const char *key, bool value);
int json_put(json_t *o, const char *key, json_t *value); /* takes the reference, also on failure */

json_t *json_of_error(const struct error *err);
void json_to_error(const json_t *j, struct error *err);

#endif
