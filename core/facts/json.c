/* SPDX-License-Identifier: Apache-2.0
 * Writes facts as JSON from the rows of facts/fields.h; json-read.c is the way back.
 * What is not known is absent, so that a reader cannot take it for a figure. */
#include "facts/json.h"
#include "base/text.h"
#include "facts/fields.h"
#include <string.h>

static json_t *object_of(const struct field *rows, const void *base);

/* A name that is no UTF-8 can come from a file system; JSON has no place for its bytes, only for a picture.
 */
static json_t *text_of_any(const char *s)
{
    json_t *j = json_string(s);
    OWNED_TEXT safe = { 0 };

    if (j)
        return j;
    text_add_escaped(&safe, s);
    return safe.failed ? NULL : json_string(text_of(&safe));
}

static json_t *names_of(const struct finding_refs *names)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < names->n; i++)
        if (json_array_append_new(list, text_of_any(names->names[i])) < 0)
            return NULL;
    return HAND_OVER(list);
}

static json_t *list_of(const struct field *row, const char *base)
{
    OWNED_JSON list = json_array();
    const char *elements;
    size_t n;

    memcpy(&elements, base + row->offset, sizeof elements);
    memcpy(&n, base + row->count_offset, sizeof n);
    for (size_t i = 0; list && i < n; i++)
        if (json_array_append_new(list, object_of(row->rows, elements + i * row->element_size)) < 0)
            return NULL;
    return HAND_OVER(list);
}

static int put(json_t *o, const char *name, json_t *value)
{
    return json_object_set_new(o, name, value);
}

static int put_number(json_t *o, const struct field *row, uint64_t n)
{
    /* JSON of jansson ends at 2^63 - 1, as does everything that has a size. */
    return n > INT64_MAX ? 0 : put(o, row->name, json_integer((json_int_t)n));
}

static int put_word(json_t *o, const struct field *row, const char *at)
{
    int value;

    memcpy(&value, at, sizeof value);
    if (row->kind == FIELD_WORD)
        return put(o, row->name, json_string(words_say(row->words, value)));
    return value == TRI_NOT_KNOWN ? 0 : put(o, row->name, json_string(words_say(&words_tristate, value)));
}

static int put_text(json_t *o, const struct field *row, const char *at)
{
    const char *s;

    memcpy(&s, at, sizeof s);
    return s ? put(o, row->name, text_of_any(s)) : 0;
}

static int put_figure(json_t *o, const struct field *row, const char *at)
{
    uint64_t n;

    memcpy(&n, at, sizeof n);
    return put_number(o, row, n);
}

static int put_field(json_t *o, const struct field *row, const char *base)
{
    const char *at = base + row->offset;

    switch (row->kind) {
    case FIELD_TEXT:
        return put_text(o, row, at);
    case FIELD_FIGURE:
        return put_figure(o, row, at);
    case FIELD_SMALL:
        return put_number(o, row, *(const uint8_t *)at);
    case FIELD_FLAG:
        return put(o, row->name, json_boolean(*(const bool *)at));
    case FIELD_WORD:
    case FIELD_TRI:
        return put_word(o, row, at);
    case FIELD_NAMES:
        return put(o, row->name, names_of((const void *)at));
    case FIELD_OBJECT:
        return put(o, row->name, object_of(row->rows, at));
    case FIELD_LIST:
        return put(o, row->name, list_of(row, base));
    }
    return -1;
}

static int put_fields(json_t *o, const struct field *rows, const void *base)
{
    for (const struct field *row = rows; row->name; row++)
        if (put_field(o, row, base) < 0)
            return -1;
    return 0;
}

static json_t *object_of(const struct field *rows, const void *base)
{
    OWNED_JSON o = json_object();

    return o && put_fields(o, rows, base) == 0 ? HAND_OVER(o) : NULL;
}

json_t *facts_to_json(const struct facts *f)
{
    OWNED_JSON o = json_object();

    if (!o || put(o, "schema", json_string(FACTS_SCHEMA)) < 0 || put_fields(o, fields_facts, f) < 0)
        return NULL;
    return HAND_OVER(o);
}

json_t *disk_to_json(const struct disk *d)
{
    return object_of(fields_disk, d);
}

json_t *finding_to_json(const struct finding *f)
{
    return object_of(fields_finding, f);
}

json_t *host_to_json(const struct host *h)
{
    return object_of(fields_host, h);
}
