/* SPDX-License-Identifier: Apache-2.0
 * Tables: columns that line up, nothing cut where no terminal is, nothing from outside that steers one. */
#include "base/text.h"
#include "capture.h"
#include "cli/table.h"

static const char *const headings[] = { "NAME", "STATE", NULL };

/* What table_print writes, with stdout on a file meanwhile. */
static const char *printed(struct table *t)
{
    static char buf[8192];
    struct error err = { 0 };
    int file = memfd_create("out", MFD_CLOEXEC), kept = dup(1);

    (void)fflush(stdout);
    ck_assert_int_ge(dup2(file, 1), 0);
    ck_assert_int_eq(table_print(t, &err), 0);
    (void)fflush(stdout);
    ck_assert_int_ge(dup2(kept, 1), 0);
    (void)close(kept);
    capture_read(file, buf, sizeof buf);
    return buf;
}

static void add(struct table *t, const char *name, const char *state)
{
    struct error err = { 0 };

    ck_assert_int_eq(table_add(t, (const char *const[]){ name, state }, &err), 0);
}

START_TEST(columns_line_up_and_an_absent_cell_is_empty)
    {
        struct error err = { 0 };
        OWNED(table) t = table_new(headings, &err);

        add(t, "a-long-name", "loaded");
        add(t, "b", NULL);
        add(t, "c", "refused");
        ck_assert_str_eq(printed(t),
                         "NAME        STATE\na-long-name loaded\nb           \nc           refused\n");
    }
END_TEST

START_TEST(a_cell_is_escaped_once)
    {
        struct error err = { 0 };
        OWNED(table) t = table_new(headings, &err);

        add(t, "\033[31mred", "a\nb\\x41");
        has(printed(t), "\\x1b[31mred a\\x0ab\\x41\n");
    }
END_TEST

START_TEST(nothing_is_cut_where_no_terminal_is)
    {
        struct error err = { 0 };
        char longest[400];
        OWNED(table) t = table_new(headings, &err);

        memset(longest, 'x', sizeof longest);
        longest[sizeof longest - 1] = '\0';
        add(t, "n", longest);
        has(printed(t), longest);
    }
END_TEST

TEST_MAIN("cli/table", columns_line_up_and_an_absent_cell_is_empty, a_cell_is_escaped_once,
          nothing_is_cut_where_no_terminal_is)
