/* SPDX-License-Identifier: Apache-2.0
 * Help as text of 80 columns. */
#include "cli/help.h"
#include <stdio.h>
#include <string.h>

#define WIDTH 80
#define TEXT_COLUMN 28

/* Words up to the width, each line but the first from the column on. at is where the cursor stands. */
static void add_wrapped(struct text *t, const char *s, size_t at, size_t column)
{
    bool is_first = true;

    while (*s) {
        size_t n = strcspn(s, " ");

        if (!is_first && at + 1 + n > WIDTH) {
            text_add(t, "\n%*s", (int)column, "");
            at = column;
        } else if (!is_first) {
            text_add(t, " ");
            at++;
        }
        text_add_bytes(t, s, n);
        at += n;
        s += n + (s[n] == ' ');
        is_first = false;
    }
    text_add(t, "\n");
}

static void add_entry(struct text *t, const char *left, const char *right)
{
    size_t n = strlen(left);

    text_add(t, "%s", left);
    if (n + 2 > TEXT_COLUMN) {
        text_add(t, "\n");
        n = 0;
    }
    text_add(t, "%*s", (int)(TEXT_COLUMN - n), "");
    add_wrapped(t, right, TEXT_COLUMN, TEXT_COLUMN);
}

static void add_options(struct text *t, const char *heading, const struct option_row *row)
{
    bool is_first = true;

    for (; row && row->name; row++) {
        char left[96], letter[8] = "    ";

        if (row->flags & OPTION_HIDDEN)
            continue;
        if (row->letter)
            (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
        (void)snprintf(left, sizeof left, "  %s--%s%s%s", letter, row->name, row->argument ? " " : "",
                       row->argument ? row->argument : "");
        if (is_first)
            text_add(t, "\n%s:\n", heading);
        is_first = false;
        add_entry(t, left, row->help);
    }
}

void help_all(struct text *t)
{
    text_add(t, "Usage: virt-ferry [OPTION]... COMMAND [OPERAND]...\n"
                "Moves libvirt domains between hosts, by the cheapest way that is proved safe.\n"
                "\nCommands:\n");
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        char left[96];

        (void)snprintf(left, sizeof left, "  %s%s%s", c->name, *c->operands ? " " : "", c->operands);
        add_entry(t, left, c->summary);
    }
    add_options(t, "Options of every command", global_options);
    text_add(t, "\n'virt-ferry help COMMAND' shows the options of one command.\n");
}

void help_command(struct text *t, const struct command *c)
{
    text_add(t, "Usage: virt-ferry %s%s%s%s\n", c->name, c->options ? " [OPTION]..." : "",
             *c->operands ? " " : "", c->operands);
    for (const struct option_row *row = c->options; row && row->name; row++)
        if (row->flags & OPTION_INSTEAD)
            text_add(t, "   or: virt-ferry %s [OPTION]... --%s%s%s\n", c->name, row->name,
                     row->argument ? " " : "", row->argument ? row->argument : "");
    text_add(t, "%s: ", c->name);
    add_wrapped(t, c->summary, strlen(c->name) + 2, 0);
    add_options(t, "Options", c->options);
    add_options(t, "Options of every command", global_options);
    if (c->details)
        text_add(t, "\n%s\n", c->details);
}

bool help_group(struct text *t, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);

        if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
            continue;
        text_add(t, "%s", t->len ? "\n" : "");
        help_command(t, c);
    }
    return t->len > 0;
}
