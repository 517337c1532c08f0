/* SPDX-License-Identifier: Apache-2.0
 * What --overwrite takes: targets that are written out, each once, and nothing else. */
#include "base/text.h"
#include "check-main.h"
#include "facts/json.h"
#include "facts/overwrite.h"

static const struct {
    const char *text;
    size_t n; /* 0: refused */
} words[] = {
    { "vdb", 1 },
    { "vdb,vdc", 2 },
    { "vdb,vdb", 1 },
    { "sd-a_1", 1 },
    { "", 0 },
    { ",", 0 },
    { "vdb,", 0 },
    { ",vdb", 0 },
    { "vdb,,vdc", 0 },
    { "vdb vdc", 0 },
    { "/dev/vdb", 0 },
    { "vd*", 0 },
    { "-vdb", 0 },
    { "vd\nb", 0 },
    { "vdb;reboot", 0 },
    { "aaaaaaaabbbbbbbbccccccccdddddddd", 1 },
    { "aaaaaaaabbbbbbbbccccccccddddddddx", 0 },
};

START_TEST(targets_are_taken_as_they_are_written_out)
    {
        OWNED(facts) f = facts_new();
        struct error err = { 0 };
        struct finding_refs names = { 0 };
        int r = overwrite_parse(words[_i].text, f->arena, &names, &err);

        if (words[_i].n) {
            ck_assert_int_eq(r, 0);
            ck_assert_uint_eq(names.n, words[_i].n);
        } else {
            ck_assert_int_eq(r, -ERROR_USAGE);
            ck_assert_ptr_nonnull(strstr(err.fix, "'vdb,vdc'"));
        }
    }
END_TEST

START_TEST(there_are_at_most_64)
    {
        OWNED(facts) f = facts_new();
        struct error err = { 0 };
        struct finding_refs names = { 0 };
        char name[16];

        for (unsigned i = 0; i < OVERWRITE_MOST; i++) {
            (void)snprintf(name, sizeof name, "vd%u", i);
            ck_assert_int_eq(overwrite_parse(name, f->arena, &names, &err), 0);
        }
        ck_assert_int_eq(overwrite_parse("vd63", f->arena, &names, &err), 0);
        ck_assert_int_eq(overwrite_parse("vd64", f->arena, &names, &err), -ERROR_USAGE);
    }
END_TEST

START_TEST(they_come_back_from_a_file_checked)
    {
        OWNED(facts) f = facts_new();
        struct error err = { 0 };
        struct finding_refs names = { 0 }, back = { 0 };

        ck_assert_int_eq(overwrite_parse("vdb,vdc", f->arena, &names, &err), 0);
        OWNED_JSON j = overwrite_to_json(&names);
        ck_assert_int_eq(overwrite_from_json(j, f->arena, &back, &err), 0);
        ck_assert_uint_eq(back.n, 2);
        ck_assert_str_eq(back.names[1], "vdc");
        ck_assert_int_eq(overwrite_from_json(NULL, f->arena, &back, &err), 0);
        OWNED_JSON text = json_string("vdb");
        ck_assert_int_eq(overwrite_from_json(text, f->arena, &back, &err), -ERROR_INPUT);
        OWNED_JSON number = json_pack("[i]", 1);
        ck_assert_int_eq(overwrite_from_json(number, f->arena, &back, &err), -ERROR_USAGE);
        ck_assert_int_eq(overwrite_apply(f, &names, &err), 0);
        ck_assert_int_eq(overwrite_apply(f, &names, &err), 0);
        ck_assert_uint_eq(f->overwrite.n, 2);
    }
END_TEST

TEST_MAIN("facts/overwrite", LOOP(targets_are_taken_as_they_are_written_out, TEST_ROWS(words)),
          there_are_at_most_64, they_come_back_from_a_file_checked)
