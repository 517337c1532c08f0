/* SPDX-License-Identifier: Apache-2.0
 * A validator that knows the words of JSON Schema that our schemas use, and refuses a schema with others. */
#ifndef UNIT_SCHEMA_H
#define UNIT_SCHEMA_H

#include "base/json.h"
#include "base/text.h"
#include "check-main.h"

static const char *fault(const json_t *schema, const json_t *j);

static bool is_of_type(const char *type, const json_t *j)
{
    return text_equal(type, "object")    ? json_is_object(j)
           : text_equal(type, "array")   ? json_is_array(j)
           : text_equal(type, "string")  ? json_is_string(j)
           : text_equal(type, "integer") ? json_is_integer(j)
           : text_equal(type, "boolean") ? json_is_boolean(j)
                                         : false;
}

static bool is_one_of(const json_t *list, const json_t *j)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), j))
            return true;
    return false;
}

static const char *fault_of_members(const json_t *properties, const json_t *j)
{
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)j, key, member)
    {
        const json_t *schema = json_object_get(properties, key);
        const char *found = schema ? fault(schema, member) : NULL;

        if (found)
            return found;
    }
    return NULL;
}

static const char *fault_of_items(const json_t *schema, const json_t *j)
{
    for (size_t i = 0; i < json_array_size(j); i++) {
        const char *found = fault(schema, json_array_get(j, i));

        if (found)
            return found;
    }
    return NULL;
}

static const char *fault_of_required(const json_t *list, const json_t *j)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_object_get(j, json_string_value(json_array_get(list, i))))
            return "required";
    return NULL;
}

static bool has_others(const json_t *properties, const json_t *j)
{
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)j, key,
                        member) if (!json_object_get(properties, key)) return true;
    return false;
}

/* The keyword that is broken, NULL when all hold. */
static const char *fault(const json_t *schema, const json_t *j)
{
    const char *key, *found = NULL;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)schema, key, value)
    {
        bool holds = true;

        if (text_equal(key, "type"))
            holds = is_of_type(json_string_value(value), j);
        else if (text_equal(key, "enum"))
            holds = is_one_of(value, j);
        else if (text_equal(key, "const"))
            holds = json_equal(value, j);
        else if (text_equal(key, "minimum"))
            holds = json_integer_value(j) >= json_integer_value(value);
        else if (text_equal(key, "maximum"))
            holds = json_integer_value(j) <= json_integer_value(value);
        else if (text_equal(key, "maxLength"))
            holds = json_string_length(j) <= (size_t)json_integer_value(value);
        else if (text_equal(key, "maxItems"))
            holds = json_array_size(j) <= (size_t)json_integer_value(value);
        else if (text_equal(key, "properties"))
            found = fault_of_members(value, j);
        else if (text_equal(key, "additionalProperties"))
            holds = json_is_true(value) || !has_others(json_object_get(schema, "properties"), j);
        else if (text_equal(key, "items"))
            found = fault_of_items(value, j);
        else if (text_equal(key, "required"))
            found = fault_of_required(value, j);
        else
            ck_assert_msg(text_equal(key, "$schema") || text_equal(key, "title") ||
                              text_equal(key, "description"),
                          "no validator for '%s'", key);
        if (found || !holds)
            return found ? found : key;
    }
    return NULL;
}

#endif
