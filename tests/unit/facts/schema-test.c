/* SPDX-License-Identifier: Apache-2.0
 * docs/facts.schema.json is what the rows say, and every facts file of tests/data is what it describes. The
 * validator knows the words that the schema uses, and refuses a schema with others. */
#include "base/text.h"
#include "data.h"
#include "facts/fields.h"
#include <glob.h>

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

START_TEST(the_published_schema_is_what_the_rows_say)
    {
        struct error err = { 0 };
        OWNED_JSON schema = facts_schema();
        OWNED_MEMORY char *text = schema ? json_write(schema, true, &err) : NULL;

        ck_assert_ptr_nonnull(text);
        data_expect("../../docs/facts.schema.json", text);
    }
END_TEST

START_TEST(every_facts_file_is_valid)
    {
        OWNED_JSON schema = facts_schema();
        glob_t files;

        ck_assert_int_eq(glob("tests/data/*.facts.json", 0, NULL, &files), 0);
        ck_assert_uint_gt(files.gl_pathc, 10);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            struct error err = { 0 };
            OWNED_JSON j = json_read_file(files.gl_pathv[i], &err);

            ck_assert_msg(j && !fault(schema, j), "%s: %s", files.gl_pathv[i],
                          j ? fault(schema, j) : err.what);
        }
        globfree(&files);
    }
END_TEST

static const struct {
    const char *text, *broken;
} wrong[] = {
    { "{}", "required" },
    { "{'schema': 'virt-ferry-facts/1'}", "const" },
    { "{'schema': 'virt-ferry-facts/0', 'domain': []}", "type" },
    { "{'schema': 'virt-ferry-facts/0', 'domain': {'vcpus': -1}}", "minimum" },
    { "{'schema': 'virt-ferry-facts/0', 'domain': {'vcpus': 1.5}}", "type" },
    { "{'schema': 'virt-ferry-facts/0', 'domain': {'run': 'flying'}}", "enum" },
    { "{'schema': 'virt-ferry-facts/0', 'channels': [{'driver': 'tcp', 'protects_data': 3}]}", "maximum" },
    { "{'schema': 'virt-ferry-facts/0', 'channels': [{'protects_data': 2}]}", "required" },
    { "{'schema': 'virt-ferry-facts/0', 'dest': {'bridges': [1]}}", "type" },
};
START_TEST(what_is_no_facts_breaks_the_schema)
    {
        OWNED_JSON schema = facts_schema();
        struct error err = { 0 };
        char text[256];

        (void)snprintf(text, sizeof text, "%s", wrong[_i].text);
        for (char *c = text; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        OWNED_JSON j = json_read(text, strlen(text), "the test", &err);
        ck_assert_msg(j != NULL, "%s", err.what);
        ck_assert_ptr_nonnull(fault(schema, j));
        ck_assert_str_eq(fault(schema, j), wrong[_i].broken);
    }
END_TEST

TEST_MAIN("facts/schema", the_published_schema_is_what_the_rows_say, every_facts_file_is_valid,
          LOOP(what_is_no_facts_breaks_the_schema, TEST_ROWS(wrong)))
