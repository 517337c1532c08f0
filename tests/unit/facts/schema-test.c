/* SPDX-License-Identifier: Apache-2.0
 * docs/facts.schema.json is what the rows say, and every facts file of tests/data is what it describes. */
#include "data.h"
#include "facts/fields.h"
#include "schema.h"
#include <glob.h>

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
            if (*c == '\'')
                *c = '"';
        OWNED_JSON j = json_read(text, strlen(text), "the test", &err);
        ck_assert_msg(j != NULL, "%s", err.what);
        ck_assert_ptr_nonnull(fault(schema, j));
        ck_assert_str_eq(fault(schema, j), wrong[_i].broken);
    }
END_TEST

TEST_MAIN("facts/schema", the_published_schema_is_what_the_rows_say, every_facts_file_is_valid,
          LOOP(what_is_no_facts_breaks_the_schema, TEST_ROWS(wrong)))
