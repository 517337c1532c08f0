/* SPDX-License-Identifier: Apache-2.0
 * Help against the rows: each command, each option, both ways to ask for it, and the rows' own order. */
#include "capture.h"
#include "cli/commands.h"
#include "cli/help.h"
#include <stdio.h>

/* Help breaks lines where it must: what is compared with it has single spaces. */
static const char *squeezed(const char *help)
{
    static char buf[sizeof((struct captured){ 0 }.out)];
    size_t n = 0;

    for (; *help && n + 1 < sizeof buf; help++)
        if ((*help != ' ' && *help != '\n') || (n > 0 && buf[n - 1] != ' '))
            buf[n++] = (char)(*help == '\n' ? ' ' : *help);
    buf[n] = '\0';
    return buf;
}

static void options_stand_in(const char *help, const struct option_row *row)
{
    for (; row && row->name; row++) {
        char entry[96];

        if (row->flags & OPTION_HIDDEN)
            (void)snprintf(entry, sizeof entry, "--%s", row->name);
        else
            (void)snprintf(entry, sizeof entry, "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
                           row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                           row->argument ? " " : "", row->argument ? row->argument : "");
        if (row->flags & OPTION_HIDDEN)
            has_not(help, entry);
        else
            has(help, entry);
    }
}

START_TEST(the_help_of_every_command_has_each_of_its_options)
    {
        ck_assert_uint_gt(command_count(), 0);
        for (size_t i = 0; i < command_count(); i++) {
            const struct command *c = command_at(i);
            OWNED_TEXT t = { 0 };

            help_command(&t, c);
            has(text_of(&t), c->name);
            has(text_of(&t), c->operands);
            has(squeezed(text_of(&t)), c->summary);
            options_stand_in(text_of(&t), c->options);
            options_stand_in(text_of(&t), global_options);
        }
    }
END_TEST

START_TEST(help_and_the_option_help_say_the_same_of_every_command)
    {
        for (size_t i = 0; i < command_count(); i++) {
            char words[64], *second, *argv[5] = { (char *)"virt-ferry", (char *)"help" };
            static char first_out[sizeof((struct captured){ 0 }.out)];
            const struct captured *r;

            (void)snprintf(words, sizeof words, "%s", command_at(i)->name);
            second = strchr(words, ' ');
            if (second)
                *second++ = '\0';
            argv[2] = words;
            argv[3] = second;
            r = capture_with("", NULL, argv);
            ck_assert_int_eq(r->exit_code, 0);
            ck_assert_str_ne(r->out, "");
            memcpy(first_out, r->out, sizeof first_out);
            argv[1] = words;
            argv[2] = second ? second : (char *)"--help";
            argv[3] = second ? (char *)"--help" : NULL;
            r = capture_with("", NULL, argv);
            ck_assert_int_eq(r->exit_code, 0);
            ck_assert_str_eq(r->out, first_out);
        }
    }
END_TEST

START_TEST(the_list_of_commands_has_every_one)
    {
        const struct captured *r = RUN("help");

        ck_assert_int_eq(r->exit_code, 0);
        for (size_t i = 0; i < command_count(); i++) {
            has(r->out, command_at(i)->name);
            has(squeezed(r->out), command_at(i)->summary);
        }
        options_stand_in(r->out, global_options);
        ck_assert_str_eq(r->err, "");
    }
END_TEST

START_TEST(no_line_of_help_is_wider_than_a_terminal)
    {
        for (size_t i = 0; i <= command_count(); i++) {
            OWNED_TEXT t = { 0 };
            size_t column = 0;

            if (i < command_count())
                help_command(&t, command_at(i));
            else
                help_all(&t);
            for (const char *s = text_of(&t); *s; s++) {
                column = *s == '\n' ? 0 : column + 1;
                ck_assert_msg(column <= 80, "%s", text_of(&t));
            }
        }
    }
END_TEST

START_TEST(the_rows_are_whole)
    {
        for (size_t i = 0; i < command_count(); i++) {
            const struct command *c = command_at(i);

            ck_assert_ptr_nonnull(c->run);
            for (const struct option_row *row = c->options ? c->options : global_options; row->name; row++) {
                ck_assert(row->help || (row->flags & OPTION_HIDDEN));
                ck_assert((row->type == OPTION_FLAG) == (row->argument == NULL));
                for (const struct option_row *g = global_options; c->options && g->name; g++) {
                    ck_assert_str_ne(row->name, g->name);
                    ck_assert(row->letter == 0 || row->letter != g->letter);
                }
            }
        }
    }
END_TEST

START_TEST(a_group_of_commands_has_its_help_together)
    {
        const struct captured *r = RUN("help", "plugin");

        ck_assert_int_eq(r->exit_code, 0);
        has(r->out, "Usage: virt-ferry plugin list");
        has(r->out, "Usage: virt-ferry plugin info NAME");
        has_not(r->out, "virt-ferry version");
    }
END_TEST

TEST_MAIN("cli/help", the_help_of_every_command_has_each_of_its_options,
          help_and_the_option_help_say_the_same_of_every_command, the_list_of_commands_has_every_one,
          no_line_of_help_is_wider_than_a_terminal, the_rows_are_whole,
          a_group_of_commands_has_its_help_together)
