/* SPDX-License-Identifier: Apache-2.0
 * How far a run is: lines at a pace elsewhere, one line within the width on a terminal, nothing with -q. */
#include "base/text.h"
#include "check-main.h"
#include "cli/progress.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

static const struct {
    uint64_t done, total, percent;
} percents[] = {
    { 0, 100, 0 },
    { 1, 3, 33 },
    { 99, 100, 99 },
    { 999999, 1000000, 99 },
    { 100, 100, 100 },
    { 200, 100, 100 }, /* the total shrank */
    { 0, 0, UINT64_MAX },
    { 5, UINT64_MAX, UINT64_MAX },
    { UINT64_MAX, 5, UINT64_MAX },
    { UINT64_MAX - 2, UINT64_MAX - 1, 99 },
    { (UINT64_MAX - 1) / 2, UINT64_MAX - 1, 50 },
};

START_TEST(percent_is_exact_and_never_100_before_the_end)
    {
        struct progress_sample s = PROGRESS_NOTHING;

        s.done_bytes = percents[_i].done;
        s.total_bytes = percents[_i].total;
        ck_assert_uint_eq(progress_percent(&s), percents[_i].percent);
    }
END_TEST

static struct progress_sample sample(const char *phase, uint64_t done_mib)
{
    struct progress_sample s = PROGRESS_NOTHING;

    s.phase = phase;
    s.done_bytes = done_mib << 20;
    s.total_bytes = 100 << 20;
    return s;
}

START_TEST(a_line_tells_what_is_known_and_nothing_else)
    {
        struct progress_sample s = PROGRESS_NOTHING;
        OWNED_TEXT bare = { 0 }, full = { 0 };

        s.phase = "copying\n disk";
        progress_line(&bare, &s);
        ck_assert_str_eq(text_of(&bare), "copying\\x0a disk");
        s = sample("memory", 42);
        s.rate_bytes_per_s = 117 << 20;
        s.remaining_bytes = 58 << 20;
        s.dirty_bytes_per_s = 2 << 20;
        s.pass = 3;
        s.eta_ms = 80;
        s.zero_bytes = 30 << 20;
        progress_line(&full, &s);
        ck_assert_str_eq(
            text_of(&full),
            "memory: 42 %, pass 3, 117 MiB/s, 58 MiB left, dirtied at 2 MiB/s, 30 MiB of zeroes skipped, "
            "80 ms to go");
    }
END_TEST

static const char *file_text(FILE *f)
{
    static char buf[65536];
    ssize_t n = pread(fileno(f), buf, sizeof buf - 1, 0);

    ck_assert_int_ge(n, 0);
    buf[n] = '\0';
    return buf;
}

static void show(struct progress *p, const char *phase, uint64_t done_mib, uint64_t now_ms)
{
    struct progress_sample s = sample(phase, done_mib);

    progress_show(p, &s, now_ms);
}

START_TEST(elsewhere_it_is_a_line_a_second_or_a_new_phase)
    {
        struct cli cli = { 0 };
        struct error err = { 0 };
        FILE *out = fdopen(memfd_create("out", MFD_CLOEXEC), "w");
        OWNED(progress) p = progress_new(&cli, out, &err);

        show(p, "disk", 1, 5);
        show(p, "disk", 2, 1004);
        show(p, "disk", 3, 1005);
        show(p, "memory", 4, 1006);
        show(p, "memory", 5, 2005);
        show(p, "memory", 6, 2006);
        progress_clear(p);
        ck_assert_str_eq(file_text(out), "disk: 1 %\ndisk: 3 %\nmemory: 4 %\nmemory: 6 %\n");
        progress_free(HAND_OVER(p));
        (void)fclose(out);
    }
END_TEST

START_TEST(quiet_shows_nothing)
    {
        struct cli cli = { .is_quiet = true };
        struct error err = { 0 };
        FILE *out = fdopen(memfd_create("out", MFD_CLOEXEC), "w");
        OWNED(progress) p = progress_new(&cli, out, &err);

        show(p, "disk", 1, 5);
        progress_clear(p);
        (void)fflush(out);
        ck_assert_str_eq(file_text(out), "");
        progress_free(HAND_OVER(p));
        (void)fclose(out);
    }
END_TEST

/* What a terminal of that width got. */
static const char *drawn_in(unsigned short columns, const struct progress_sample *s, bool is_cleared)
{
    static char buf[4096];
    struct winsize size = { .ws_row = 24, .ws_col = columns };
    struct cli cli = { 0 };
    struct error err = { 0 };
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    FILE *out;
    size_t n = 0;

    (void)setenv("TERM", "xterm", 1);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
    out = fopen(ptsname(master), "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
    OWNED(progress) p = progress_new(&cli, out, &err);

    progress_show(p, s, 0);
    progress_show(p, s, 99); /* too soon */
    if (is_cleared)
        progress_clear(p);
    /* A terminal hands on what was written in its own time: up to a mark of ours. */
    ck_assert_int_eq(fputc('|', out), '|');
    ck_assert_int_eq(fflush(out), 0);
    for (ssize_t got; n == 0 || buf[n - 1] != '|'; n += (size_t)got) {
        got = read(master, buf + n, sizeof buf - n);
        ck_assert_int_gt(got, 0);
    }
    buf[n - 1] = '\0';
    progress_free(HAND_OVER(p));
    (void)fclose(out);
    (void)close(master);
    return buf;
}

START_TEST(on_a_terminal_one_line_is_redrawn_and_cleared)
    {
        struct progress_sample s = sample("disk", 50);

        ck_assert_str_eq(drawn_in(80, &s, false), "\r\033[Kdisk [===============>              ] 50 %");
        ck_assert_str_eq(drawn_in(80, &s, true),
                         "\r\033[Kdisk [===============>              ] 50 %\r\033[K");
        ck_assert_str_eq(drawn_in(20, &s, false), "\r\033[Kdisk  50 %");
    }
END_TEST

START_TEST(no_width_is_exceeded)
    {
        struct progress_sample s = sample("a phase with \xc3\xa4\xc3\xb6\xc3\xbc in a long, long name", 50);

        s.rate_bytes_per_s = 117 << 20;
        s.remaining_bytes = 58 << 20;
        for (unsigned short columns = 1; columns < 140; columns++) {
            const char *line = drawn_in(columns, &s, false) + strlen("\r\033[K");
            size_t width = 0;

            for (const char *c = line; *c; c++)
                width += ((unsigned char)*c & 0xc0) != 0x80;
            ck_assert_uint_lt(width, columns);
            ck_assert(strlen(line) < 3 || text_is_utf8(line));
        }
    }
END_TEST

START_TEST(a_dumb_terminal_gets_lines)
    {
        struct cli cli = { 0 };
        struct error err = { 0 };
        char buf[128];
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        FILE *out;
        ssize_t n;

        ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
        out = fopen(ptsname(master), "w");
        ck_assert_ptr_nonnull(out);
        (void)setenv("TERM", "dumb", 1);
        OWNED(progress) p = progress_new(&cli, out, &err);

        show(p, "disk", 1, 5);
        n = read(master, buf, sizeof buf - 1);
        ck_assert_int_gt(n, 0);
        buf[n] = '\0';
        ck_assert_str_eq(buf, "disk: 1 %\r\n");
        progress_free(HAND_OVER(p));
        (void)fclose(out);
        (void)close(master);
    }
END_TEST

TEST_MAIN("cli/progress", LOOP(percent_is_exact_and_never_100_before_the_end, TEST_ROWS(percents)),
          a_line_tells_what_is_known_and_nothing_else, elsewhere_it_is_a_line_a_second_or_a_new_phase,
          quiet_shows_nothing, on_a_terminal_one_line_is_redrawn_and_cleared, no_width_is_exceeded,
          a_dumb_terminal_gets_lines)
