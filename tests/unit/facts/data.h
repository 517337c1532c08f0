/* SPDX-License-Identifier: Apache-2.0
 * Files of tests/data for the tests of this folder, and facts compared with the text that stands beside them.
 * REGEN=1 in the environment rewrites the expected text instead, for review in the diff. */
#ifndef UNIT_FACTS_DATA_H
#define UNIT_FACTS_DATA_H

#include "base/json.h"
#include "base/owned.h"
#include "check-main.h"
#include "facts/json.h"
#include <limits.h>

__attribute__((unused)) static char *data_read(const char *name, size_t *ret_n)
{
    char path[PATH_MAX];
    char *bytes = NULL;
    size_t size = 0;

    (void)snprintf(path, sizeof path, "tests/data/%s", name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "no file '%s': run from the top of the tree", path);
    ssize_t n = getdelim(&bytes, &size, '\0', file);
    ck_assert_msg(n > 0, "'%s' is empty", path);
    ck_assert_int_eq(fclose(file), 0);
    *ret_n = (size_t)n;
    return bytes;
}

__attribute__((unused)) static char *facts_text(const struct facts *f)
{
    struct error err = { 0 };
    OWNED_JSON j = facts_to_json(f);

    ck_assert_ptr_nonnull(j);
    char *text = json_write(j, true, &err);
    ck_assert_msg(text != NULL, "%s", err.what);
    return text;
}

__attribute__((unused)) static void data_expect(const char *name, const char *text)
{
    const char *regen = getenv("REGEN");
    char path[PATH_MAX];

    if (regen && strcmp(regen, "1") == 0) {
        (void)snprintf(path, sizeof path, "tests/data/%s", name);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fprintf(file, "%s\n", text), 0);
        ck_assert_int_eq(fclose(file), 0);
    }
    size_t n;
    OWNED_MEMORY char *expected = data_read(name, &n);
    ck_assert_int_eq(expected[n - 1], '\n');
    expected[n - 1] = '\0';
    for (size_t i = 0, line = 1; expected[i] || text[i]; line += text[i++] == '\n')
        ck_assert_msg(expected[i] == text[i],
                      "%s: differs in line %zu (REGEN=1 rewrites it): '%.40s', not '%.40s'", name, line,
                      text + i, expected + i);
}

#endif
