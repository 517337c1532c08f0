/* SPDX-License-Identifier: Apache-2.0
 * Reads facts from JSON that anybody may have written: every count, text and figure is bounded, and what is
 * of the wrong kind is refused with its place. Members without a row are a newer writer's, and passed over.
 */
#include "base/text.h"
#include "facts/fields.h"
#include "facts/json.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reader {
    struct arena *arena;
    struct error *err;
    char path[256]; /* of the value in hand: "domain.disks[3].source" */
};

static int read_object(struct reader *r, const struct field *rows, const json_t *j, void *base);

/* Goes one step down the path; returns the length to give to path_up afterwards. */
static size_t path_down(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t path_down(struct reader *r, const char *format, ...)
{
    size_t len = strlen(r->path);
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(r->path + len, sizeof r->path - len, format, ap);
    va_end(ap);
    return len;
}

static void path_up(struct reader *r, size_t len)
{
    r->path[len] = '\0';
}

static int refuse(struct reader *r, const char *why)
{
    (void)error_set(r->err, ERROR_INPUT, NULL, "the facts cannot be read: '%s' %s", r->path, why);
    return error_fix(r->err, "Write the facts anew: virt-ferry survey --json.");
}

static int read_text(struct reader *r, const json_t *j, const char **ret)
{
    if (!json_is_string(j))
        return refuse(r, "is no text");
    if (json_string_length(j) > FACTS_MAX_TEXT)
        return refuse(r, "is longer than 4096 bytes");
    *ret = arena_text(r->arena, json_string_value(j));
    return *ret ? 0 : error_memory(r->err);
}

static int read_names(struct reader *r, const struct field *row, const json_t *j, struct finding_refs *ret)
{
    size_t n = json_array_size(j);

    if (j && !json_is_array(j))
        return refuse(r, "is no list");
    if (n > row->max)
        return refuse(r, "is too long a list");
    if (n == 0)
        return 0;
    ret->names = arena_zeroed(r->arena, n, sizeof *ret->names);
    if (!ret->names)
        return error_memory(r->err);
    for (size_t i = 0; i < n; i++) {
        size_t up = path_down(r, "[%zu]", i);
        int rc = read_text(r, json_array_get(j, i), &ret->names[i]);

        if (rc < 0)
            return rc;
        path_up(r, up);
    }
    ret->n = n;
    return 0;
}

static int read_list(struct reader *r, const struct field *row, const json_t *j, char *base)
{
    size_t n = json_array_size(j);
    char *elements;

    if (j && !json_is_array(j))
        return refuse(r, "is no list");
    if (n > row->max)
        return refuse(r, "is too long a list");
    if (n == 0)
        return 0;
    elements = arena_zeroed(r->arena, n, row->element_size);
    if (!elements)
        return error_memory(r->err);
    for (size_t i = 0; i < n; i++) {
        size_t up = path_down(r, "[%zu]", i);
        int rc = read_object(r, row->rows, json_array_get(j, i), elements + i * row->element_size);

        if (rc < 0)
            return rc;
        path_up(r, up);
    }
    memcpy(base + row->offset, &elements, sizeof elements);
    memcpy(base + row->count_offset, &n, sizeof n);
    return 0;
}

static uint64_t figure_of(const json_t *j)
{
    return json_is_integer(j) && json_integer_value(j) >= 0 ? (uint64_t)json_integer_value(j) : NOT_KNOWN;
}

static int read_word(struct reader *r, const struct field *row, const json_t *j, char *at)
{
    const struct words *words = row->kind == FIELD_TRI ? &words_tristate : row->words;
    int value;

    if (j && !json_is_string(j))
        return refuse(r, "is no word");
    value = words_read(words, json_string_value(j));
    memcpy(at, &value, sizeof value);
    return 0;
}

static int read_flag(struct reader *r, const json_t *j, bool *ret)
{
    if (j && !json_is_boolean(j))
        return refuse(r, "is neither true nor false");
    *ret = json_is_true(j);
    return 0;
}

static int read_field(struct reader *r, const struct field *row, const json_t *j, char *base)
{
    char *at = base + row->offset;
    uint64_t n = figure_of(j);

    if (!j && row->required)
        return refuse(r, "is missing");
    switch (row->kind) {
    case FIELD_TEXT:
        return j ? read_text(r, j, (const char **)(void *)at) : 0;
    case FIELD_FIGURE:
        memcpy(at, &n, sizeof n);
        return 0;
    case FIELD_SMALL:
        *(uint8_t *)at = n <= row->max ? (uint8_t)n : 0;
        return 0;
    case FIELD_FLAG:
        return read_flag(r, j, (bool *)at);
    case FIELD_WORD:
    case FIELD_TRI:
        return read_word(r, row, j, at);
    case FIELD_NAMES:
        return read_names(r, row, j, (void *)at);
    case FIELD_OBJECT:
        return read_object(r, row->rows, j, at);
    case FIELD_LIST:
        return read_list(r, row, j, base);
    }
    return 0;
}

/* j NULL: an absent object, whose members are all absent. Its figures must still come to read NOT_KNOWN. */
static int read_object(struct reader *r, const struct field *rows, const json_t *j, void *base)
{
    if (j && !json_is_object(j))
        return refuse(r, "is no object");
    for (const struct field *row = rows; row->name; row++) {
        size_t up = path_down(r, "%s%s", *r->path ? "." : "", row->name);
        const json_t *member = json_object_get(j, row->name);
        int rc = read_field(r, row, json_is_null(member) ? NULL : member, base);

        if (rc < 0)
            return rc;
        path_up(r, up);
    }
    return 0;
}

struct facts *facts_from_json(const json_t *j, struct error *err)
{
    OWNED(facts) f = facts_new();
    const char *schema = json_string_value(json_object_get(j, "schema"));

    if (!f) {
        (void)error_memory(err);
        return NULL;
    }
    struct reader r = { .arena = f->arena, .err = err };

    if (!text_equal(schema, FACTS_SCHEMA)) {
        (void)error_set(err, ERROR_INPUT, NULL,
                        "the facts cannot be read: their 'schema' is %s%s%s, not '%s'", schema ? "'" : "",
                        schema ? ESCAPED(schema) : "missing", schema ? "'" : "", FACTS_SCHEMA);
        (void)error_fix(err, "Write the facts anew with this version: virt-ferry survey --json.");
        return NULL;
    }
    return read_object(&r, fields_facts, j, f) < 0 ? NULL : HAND_OVER(f);
}
