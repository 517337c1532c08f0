/* SPDX-License-Identifier: Apache-2.0
 * Trace events: off unless asked for, one line each, safe to show, and valid JSON where that was asked for.
 */
#include "base/log.h"

#include "base/json.h"
#include "check-main.h"
#include <sys/stat.h>
#include <sys/wait.h>

static char path[64];

static const char *file_of(const char *prefix)
{
    static char setting[96];

    snprintf(path, sizeof path, "/tmp/log-test-%d", (int)getpid());
    unlink(path);
    snprintf(setting, sizeof setting, "%s%s", prefix, path);
    return setting;
}

/* What the trace holds; the file is gone afterwards. */
static char *contents(void)
{
    static char buf[65536];
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(buf, 1, sizeof buf - 1, f) : 0;

    if (f)
        fclose(f);
    buf[n] = '\0';
    unlink(path);
    return buf;
}

START_TEST(a_trace_is_off_unless_it_was_asked_for)
    {
        ck_assert(!log_on());
        log_event("run", "begin", "nobody sees it");
        log_open(file_of(""));
        ck_assert(log_on());
        log_open(NULL);
        ck_assert(!log_on());
        log_open("");
        ck_assert(!log_on());
        log_event("run", "begin", "nobody sees it");
        ck_assert_str_eq(contents(), "");
    }
END_TEST

START_TEST(a_file_that_cannot_be_opened_leaves_it_off)
    {
        log_open("/no-such-folder/trace");
        ck_assert(!log_on());
        log_event("run", "begin", "nobody sees it");
    }
END_TEST

START_TEST(an_event_is_one_line_whatever_it_says)
    {
        char *s;

        log_open(file_of(""));
        log_event("run", "begin", "domain '%s'", "evil\n\x1b[2J");
        log_event("host", "end", "%d", 7);
        s = contents();
        ck_assert_ptr_nonnull(strstr(s, " run begin: domain 'evil\\x0a\\x1b[2J'\n"));
        ck_assert_ptr_nonnull(strstr(s, " host end: 7\n"));
        ck_assert_int_eq(s[strlen(s) - 1], '\n');
        ck_assert_ptr_eq(strchr(strchr(s, '\n') + 1, '\n') + 1, s + strlen(s));
    }
END_TEST

START_TEST(a_trace_for_programs_is_json_line_by_line)
    {
        struct error err = { 0 };
        char *s;

        log_open(file_of("json:"));
        log_event("run", "begin", "%s", "a\"b\n\xff");
        s = contents();
        OWNED_JSON j = json_read(s, strlen(s), "trace", &err);
        ck_assert_ptr_nonnull(j);
        ck_assert_int_eq(s[strlen(s) - 1], '\n');
        ck_assert_ptr_eq(strchr(s, '\n'), s + strlen(s) - 1);
        ck_assert_str_eq(json_text(j, "area", ""), "run");
        ck_assert_str_eq(json_text(j, "event", ""), "begin");
        ck_assert_str_eq(json_text(j, "text", ""), "a\"b\\x0a\\xff");
        ck_assert_uint_eq(json_u64(j, "pid", 0), (uint64_t)getpid());
        ck_assert_uint_gt(json_u64(j, "at_ms", 0), 1700000000000u);
    }
END_TEST

START_TEST(a_trace_is_appended_to_and_private)
    {
        struct stat st;
        const char *setting = file_of("");
        char *s;

        log_open(setting);
        log_event("a", "one", "1");
        log_open(setting);
        log_event("a", "two", "2");
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        s = contents();
        ck_assert_ptr_nonnull(strstr(s, "one"));
        ck_assert_ptr_nonnull(strstr(s, "two"));
    }
END_TEST

START_TEST(lines_of_several_processes_do_not_mix)
    {
        enum { PROCESSES = 4, LINES = 50 };
        char filler[200];
        int lines = 0;

        memset(filler, 'f', sizeof filler);
        filler[sizeof filler - 1] = '\0';
        log_open(file_of(""));
        for (int p = 0; p < PROCESSES; p++)
            if (fork() == 0) {
                for (int i = 0; i < LINES; i++)
                    log_event("child", "line", "%s.", filler);
                _exit(0);
            }
        for (int p = 0; p < PROCESSES; p++)
            wait(NULL);
        for (char *s = contents(), *line; (line = strsep(&s, "\n")) && *line; lines++)
            ck_assert_str_eq(line + strlen(line) - 3, "ff.");
        ck_assert_int_eq(lines, PROCESSES * LINES);
    }
END_TEST

TEST_MAIN("base/log", a_trace_is_off_unless_it_was_asked_for, a_file_that_cannot_be_opened_leaves_it_off,
          an_event_is_one_line_whatever_it_says, a_trace_for_programs_is_json_line_by_line,
          a_trace_is_appended_to_and_private, lines_of_several_processes_do_not_mix)
