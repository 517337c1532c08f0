/* SPDX-License-Identifier: Apache-2.0
 * The JSON Schema of facts, made of the rows that write and read them: docs/facts.schema.json is this, and a
 * test keeps it so. What a reader does not know it passes over, so no object is closed. */
#include "base/owned.h"
#include "facts/fields.h"
#include "facts/json.h"

static json_t *schema_of_object(const struct field *rows);

static json_t *schema_of_text(void)
{
    return json_pack("{ss si}", "type", "string", "maxLength", (int)FACTS_MAX_TEXT);
}

static json_t *schema_of_list(json_t *items, size_t max)
{
    return json_pack("{ss sI so}", "type", "array", "maxItems", (json_int_t)max, "items", items);
}

static json_t *schema_of_words(const struct words *words)
{
    OWNED_JSON list = json_array();

    for (size_t i = 0; list && i < words->n; i++)
        if (json_array_append_new(list, json_string(words->list[i])) < 0)
            return NULL;
    return json_pack("{sO}", "enum", list);
}

static json_t *schema_of_field(const struct field *row)
{
    switch (row->kind) {
    case FIELD_TEXT:
        return schema_of_text();
    case FIELD_FIGURE:
        return json_pack("{ss si}", "type", "integer", "minimum", 0);
    case FIELD_SMALL:
        return json_pack("{ss si si}", "type", "integer", "minimum", 0, "maximum", (int)row->max);
    case FIELD_FLAG:
        return json_pack("{ss}", "type", "boolean");
    case FIELD_WORD:
        return schema_of_words(row->words);
    case FIELD_TRI:
        return schema_of_words(&words_tristate);
    case FIELD_NAMES:
        return schema_of_list(schema_of_text(), row->max);
    case FIELD_OBJECT:
        return schema_of_object(row->rows);
    case FIELD_LIST:
        return schema_of_list(schema_of_object(row->rows), row->max);
    }
    return NULL;
}

static json_t *schema_of_object(const struct field *rows)
{
    OWNED_JSON members = json_object();
    OWNED_JSON required = json_array();

    for (const struct field *row = rows; members && required && row->name; row++)
        if (json_object_set_new(members, row->name, schema_of_field(row)) < 0 ||
            (row->required && json_array_append_new(required, json_string(row->name)) < 0))
            return NULL;
    if (json_array_size(required) == 0)
        return json_pack("{ss sO}", "type", "object", "properties", members);
    return json_pack("{ss sO sO}", "type", "object", "required", required, "properties", members);
}

json_t *facts_schema(void)
{
    OWNED_JSON object = schema_of_object(fields_facts);
    OWNED_JSON all =
        json_pack("{ss ss ss}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
                  "The facts of a move, as 'virt-ferry survey' prints them", "description",
                  "What is not known is absent. Figures are bytes, bytes per second, ms or counts.");

    if (!object || !all || json_object_update(all, object) < 0 ||
        json_object_set_new(all, "required", json_pack("[s]", "schema")) < 0 ||
        json_object_set_new(json_object_get(all, "properties"), "schema",
                            json_pack("{ss}", "const", FACTS_SCHEMA)) < 0)
        return NULL;
    return HAND_OVER(all);
}
