/* SPDX-License-Identifier: Apache-2.0
 * README.md, the manual page and docs/hacking.md against the rows and the sources: what help shows, they
 * have. */
#include "capture.h"
#include "cli/commands.h"
#include <stdio.h>

/* Lent until the next call for another file; found from the top of the tree, where tests are run. */
static const char *document(const char *path)
{
    static char bytes[65536];
    FILE *f = fopen(path, "r");
    size_t n;

    ck_assert_msg(f != NULL, "run it from the top of the tree: %s cannot be opened", path);
    n = fread(bytes, 1, sizeof bytes - 1, f);
    (void)fclose(f);
    ck_assert_uint_lt(n, sizeof bytes - 1);
    bytes[n] = '\0';
    return bytes;
}

static void stands_in(const char *path, const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "%s lacks: %s", path, wanted);
}

START_TEST(the_readme_has_the_row_of_every_command_and_no_other)
    {
        static const char path[] = "README.md";
        const char *text = document(path), *table = strstr(text, "| command | what it does |"), *end;
        size_t rows = 0;

        ck_assert_ptr_nonnull(table);
        end = strstr(table, "\n\n");
        ck_assert_ptr_nonnull(end);
        for (size_t i = 0; i < command_count(); i++) {
            const struct command *c = command_at(i);
            char row[256];

            (void)snprintf(row, sizeof row, "\n| `%s%s%s` | %s |\n", c->name, *c->operands ? " " : "",
                           c->operands, c->summary);
            stands_in(path, table, row);
        }
        for (const char *s = table; (s = strstr(s, "\n| `")) && s < end; s++)
            rows++;
        ck_assert_uint_eq(rows, command_count());
    }
END_TEST

/* "*-c*, *--connect* _URI_" on a line of its own. A dash needs no escape in scdoc. */
static void option_stands_in(const char *path, const char *text, const struct option_row *row)
{
    char line[160], letter[12] = "";

    if (row->letter)
        (void)snprintf(letter, sizeof letter, "*-%c*, ", row->letter);
    (void)snprintf(line, sizeof line, "\n%s*--%s*%s%s%s\n", letter, row->name, row->argument ? " _" : "",
                   row->argument ? row->argument : "", row->argument ? "_" : "");
    stands_in(path, text, line);
}

static void options_stand_in(const char *path, const char *text, const struct option_row *row)
{
    for (; row && row->name; row++)
        if (!(row->flags & OPTION_HIDDEN)) {
            option_stands_in(path, text, row);
        } else {
            char word[64];

            (void)snprintf(word, sizeof word, "*--%s*", row->name);
            stands_in(path, text, word);
        }
}

START_TEST(the_manual_page_has_every_command_and_every_option)
    {
        static const char path[] = "docs/virt-ferry.1.scd";
        const char *text = document(path);

        ck_assert_uint_gt(command_count(), 0);
        options_stand_in(path, text, global_options);
        for (size_t i = 0; i < command_count(); i++) {
            char heading[96];

            (void)snprintf(heading, sizeof heading, "\n*%s*", command_at(i)->name);
            stands_in(path, text, heading);
            options_stand_in(path, text, command_at(i)->options);
        }
    }
END_TEST

/* The other direction: nothing is promised that the program refuses. */
START_TEST(the_manual_page_has_no_option_that_no_row_has)
    {
        const char *text = document("docs/virt-ferry.1.scd");

        for (const char *s = text; (s = strstr(s, "*--")); s += 3) {
            size_t n = strcspn(s + 3, "*");
            bool is_found = false;

            for (size_t i = 0; i <= command_count(); i++)
                for (const struct option_row *row = i ? command_at(i - 1)->options : global_options;
                     row && row->name; row++)
                    is_found |= strlen(row->name) == n && memcmp(row->name, s + 3, n) == 0;
            ck_assert_msg(is_found, "no row has the option --%.*s", (int)n, s + 3);
        }
    }
END_TEST

static const struct {
    const char *command;
} getenvs[] = { { "grep -rhoE 'getenv\\(\"[A-Z_]+\"' core plugins | cut -d'\"' -f2 | sort -u" },
                { "grep -rhoE '\\bVIRT_FERRY_[A-Z_]+' core/state/config.h docs/virt-ferry.conf.example "
                  "| grep -v KEY | sort -u" } };

START_TEST(every_variable_that_is_read_stands_in_hacking)
    {
        static const char path[] = "docs/hacking.md";
        const char *text = document(path);
        FILE *names = popen(getenvs[_i].command, "r"); /* NOLINT(cert-env33-c) */
        char name[64];
        int n = 0;

        ck_assert_ptr_nonnull(names);
        for (; fgets(name, sizeof name, names); n++) {
            char quoted[80];

            name[strcspn(name, "\n")] = '\0';
            (void)snprintf(quoted, sizeof quoted, "`%s`", name);
            stands_in(path, text, quoted);
        }
        ck_assert_int_eq(pclose(names), 0);
        ck_assert_int_gt(n, 0);
    }
END_TEST

static const char *const exits_in[] = { "docs/safety.md", "docs/virt-ferry.1.scd" };

/* 9 belongs to commands that are not there. */
START_TEST(every_exit_code_that_can_happen_is_explained)
    {
        const char *text = document(exits_in[_i]);

        ck_assert_int_eq(error_exit(ERROR_GUEST_LOST), ERROR_GUEST_LOST);
        for (int code = ERROR_NONE; code <= ERROR_GUEST_LOST; code++) {
            char row[16];

            if (code == ERROR_PARTIAL)
                continue;

            (void)snprintf(row, sizeof row, _i ? "\n*%d*\n" : "\n| %d | ", code);
            stands_in(exits_in[_i], text, row);
        }
    }
END_TEST

TEST_MAIN("cli/docs", the_readme_has_the_row_of_every_command_and_no_other,
          the_manual_page_has_every_command_and_every_option, the_manual_page_has_no_option_that_no_row_has,
          LOOP(every_variable_that_is_read_stands_in_hacking, TEST_ROWS(getenvs)),
          LOOP(every_exit_code_that_can_happen_is_explained, TEST_ROWS(exits_in)))
