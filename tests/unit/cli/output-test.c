/* SPDX-License-Identifier: Apache-2.0
 * What is printed, where, with which exit code; and that nothing from outside steers a terminal. */
#include "capture.h"
#include "cli/output.h"
#include <errno.h>

static const char domain[] =
    "<domain type='kvm'><name>vault</name><uuid>c7a5fdbd-cdaf-9455-926a-d65c16db1809</uuid>"
    "<memory unit='KiB'>262144</memory><vcpu>1</vcpu><os><type arch='x86_64' "
    "machine='pc'>hvm</type></os><devices/></domain>";

static const struct {
    char *argv[4];
    int exit_code;
    const char *out, *err;
} runs[] = {
    { { "version" }, 0, "virt-ferry ", "" },
    { { "--version" }, 0, "virt-ferry ", "" },
    { { "version", "--json" }, 0, "\"plugin_abi\": ", "" },
    { { "plugin", "list" }, 0, "", "no plugins" },
    { { "-q", "plugin", "list" }, 0, "", "" },
    { { "plugin", "list", "--json" }, 0, "\"plugins\": []", "" },
    { { "plugin", "info", "nfs" }, 2, "", "there is no plugin 'nfs'" },
    { { NULL }, 2, "", "no command was given" },
    { { "versio" }, 2, "", "Did you mean 'version'" },
    { { "plugni" }, 2, "", "Did you mean 'plugin'" },
    { { "plugin" }, 2, "", "'plugin list', 'plugin info'" },
    { { "plugin", "lisst" }, 2, "", "Did you mean 'plugin list'" },
    { { "plugin", "info" }, 2, "", "needs more operands" },
    { { "version", "now" }, 2, "", "'now' is one operand too many" },
    { { "version", "--now" }, 2, "", "option '--now' is not known" },
    { { "--now", "version" }, 2, "", "option '--now' is not known" },
    { { "--json", "versio" }, 2, "\"exit\": 2", "" },
    { { "version", "--now", "--json" }, 2, "\"what\": \"option '--now' is not known\"", "" },
    { { "explain", "cleartext" }, 0, "declared trusted", "" },
    { { "explain", "Network", "not", "found" }, 0, "net-dumpxml", "" },
    { { "explain", "clartext" }, 2, "", "Did you mean 'cleartext'" },
    { { "explain", "what is this" }, 2, "", "neither a finding nor an error" },
    { { "check", "--facts", "/nowhere/x" }, 1, "", "could not read" },
    { { "survey" }, 2, "", "command 'survey' needs more operands" },
    { { "survey", "vault", "--domain-xml", "-" }, 2, "", "exclude each other" },
    { { "plan", "vault", "--facts", "x" }, 2, "", "exclude each other" },
    { { "plan", "--facts", "/nowhere/x" }, 1, "", "could not read '/nowhere/x'" },
    { { "survey", "--domain-xml", "/nowhere/x" }, 1, "", "could not open '/nowhere/x'" },
    { { "survey", "--domain-xml", "-" }, 0, "\"vault\"", "" },
};

START_TEST(a_run_prints_and_ends_as_it_should)
    {
        char *argv[6] = { (char *)"virt-ferry" };
        const struct captured *r;

        memcpy(argv + 1, runs[_i].argv, sizeof runs[_i].argv);
        r = capture_with(domain, NULL, argv);
        ck_assert_msg(r->exit_code == runs[_i].exit_code, "exit code %d, %s%s", r->exit_code, r->out, r->err);
        has(r->out, runs[_i].out);
        has(r->err, runs[_i].err);
        if (!*runs[_i].out)
            ck_assert_str_eq(r->out, "");
        if (!*runs[_i].err)
            ck_assert_str_eq(r->err, "");
    }
END_TEST

START_TEST(json_of_an_error_is_one_object_with_all_its_parts)
    {
        const struct captured *r = RUN("plugin", "inf", "--json");
        struct error err = { 0 };
        OWNED_JSON j = json_read(r->out, strlen(r->out), "stdout", &err);
        const json_t *e = json_child(j, "error");

        ck_assert_int_eq(r->exit_code, 2);
        ck_assert_str_eq(json_text(e, "what", ""), "command 'plugin inf' is not known");
        has(json_text(e, "fix", ""), "'plugin info'");
        ck_assert_uint_eq(json_u64(e, "exit", 0), 2);
    }
END_TEST

/* What output_error writes, with stderr on a file meanwhile. */
static const char *shown(const struct cli *cli, const struct error *err)
{
    static char buf[8192];
    int file = memfd_create("err", MFD_CLOEXEC), kept = dup(2);

    ck_assert_int_ge(dup2(file, 2), 0);
    output_error(cli, err);
    (void)fflush(stderr);
    ck_assert_int_ge(dup2(kept, 2), 0);
    (void)close(kept);
    capture_read(file, buf, sizeof buf);
    return buf;
}

START_TEST(an_error_is_what_host_why_and_fix)
    {
        struct cli cli = { 0 };
        struct error err = { 0 };

        error_set(&err, ERROR_SPACE, "hostB", "pool 'p' has no room");
        ck_assert_str_eq(shown(&cli, &err), "virt-ferry: pool 'p' has no room (host 'hostB')\n");
        error_why(&err, "it is full");
        error_fix(&err, "Free some.");
        ck_assert_str_eq(shown(&cli, &err),
                         "virt-ferry: pool 'p' has no room (host 'hostB'): it is full\n  Fix: Free some.\n");
    }
END_TEST

START_TEST(nothing_from_outside_steers_the_terminal)
    {
        static const char evil[] = "a\033[2J\nb\x9b"
                                   "31m\r\xe2\x80\xae";
        struct cli cli = { 0 };
        struct error err = { 0 };
        const char *text;
        size_t lines = 0;

        error_set(&err, ERROR_FAILED, evil, "%s", evil);
        error_why(&err, "%s", evil);
        error_fix(&err, "%s", evil);
        text = shown(&cli, &err);
        for (const char *s = text; *s; s++) {
            ck_assert_msg(*s == '\n' || (unsigned char)*s >= 0x20, "byte %02x", (unsigned char)*s);
            ck_assert_int_lt((unsigned char)*s, 0x7f);
            lines += *s == '\n';
        }
        ck_assert_uint_eq(lines, 2);
        has(text, "a\\x1b[2J\\x0ab");
    }
END_TEST

START_TEST(operands_are_escaped_in_errors_too)
    {
        const struct captured *r = RUN("\033[31mred");

        ck_assert_int_eq(r->exit_code, 2);
        has_not(r->err, "\033");
        has(r->err, "\\x1b[31mred");
    }
END_TEST

START_TEST(colour_is_decided_by_option_then_environment_then_terminal)
    {
        (void)unsetenv("NO_COLOR");
        (void)setenv("TERM", "xterm", 1);
        OWNED_FD master = posix_openpt(O_RDWR | O_NOCTTY);

        ck_assert_int_ge(master, 0);
        ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
        FILE *terminal = fopen(ptsname(master), "w"), *file = fopen("/dev/null", "w");

        ck_assert(terminal && file);
        ck_assert(output_wants_color(NULL, terminal));
        ck_assert(output_wants_color("auto", terminal));
        ck_assert(!output_wants_color("auto", file));
        ck_assert(output_wants_color("always", file));
        ck_assert(!output_wants_color("never", terminal));
        (void)setenv("NO_COLOR", "1", 1);
        ck_assert(!output_wants_color("auto", terminal));
        ck_assert(output_wants_color("always", terminal));
        (void)setenv("NO_COLOR", "", 1); /* empty counts as not set */
        ck_assert(output_wants_color("auto", terminal));
        (void)setenv("TERM", "dumb", 1);
        ck_assert(!output_wants_color("auto", terminal));
        (void)fclose(terminal);
        (void)fclose(file);
    }
END_TEST

START_TEST(an_error_in_colour_says_the_same)
    {
        struct cli cli = { .colors_stderr = true };
        struct error err = { 0 };

        error_set(&err, ERROR_FAILED, NULL, "no");
        error_fix(&err, "Yes.");
        ck_assert_str_eq(shown(&cli, &err), "\033[1;31mvirt-ferry:\033[0m no\n  \033[1mFix:\033[0m Yes.\n");
    }
END_TEST

START_TEST(a_result_that_could_not_be_written_is_a_failure)
    {
        const struct captured *r =
            capture_with("", "/dev/full", (char *[]){ (char *)"virt-ferry", (char *)"help", NULL });

        ck_assert_int_eq(r->exit_code, 1);
        has(r->err, "the result could not be written: No space left on device");
        /* The code of what went wrong before stays. */
        r = capture_with("", "/dev/full",
                         (char *[]){ (char *)"virt-ferry", (char *)"--json", (char *)"nothing", NULL });
        ck_assert_int_eq(r->exit_code, 2);
    }
END_TEST

START_TEST(a_change_whose_result_could_not_be_written_is_no_failure_to_change)
    {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            int full = open("/dev/full", O_WRONLY | O_CLOEXEC),
                null = open("/dev/null", O_WRONLY | O_CLOEXEC);

            (void)dup2(full, 1);
            (void)dup2(null, 2);
            (void)printf("moved\n");
            _exit(output_close(0, true));
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 6);
    }
END_TEST

START_TEST(a_closed_standard_output_is_a_failure_and_nothing_else_gets_its_number)
    {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(99);
            (void)close(1);
            (void)close(0);
            _exit(cli_main(2, (char *[]){ (char *)"virt-ferry", (char *)"version", NULL }));
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 1);
    }
END_TEST

TEST_MAIN("cli/output", LOOP(a_run_prints_and_ends_as_it_should, TEST_ROWS(runs)),
          json_of_an_error_is_one_object_with_all_its_parts, an_error_is_what_host_why_and_fix,
          nothing_from_outside_steers_the_terminal, operands_are_escaped_in_errors_too,
          colour_is_decided_by_option_then_environment_then_terminal, an_error_in_colour_says_the_same,
          a_result_that_could_not_be_written_is_a_failure,
          a_change_whose_result_could_not_be_written_is_no_failure_to_change,
          a_closed_standard_output_is_a_failure_and_nothing_else_gets_its_number)
