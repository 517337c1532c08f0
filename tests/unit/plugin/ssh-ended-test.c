/* SPDX-License-Identifier: Apache-2.0
 * An ssh that ends while it is needed: what is told of it, and how the shell on the source that started one
 * tells us; that shell is run here, with an ssh of the test's own. */
#include "../../../plugins/transport-ssh/ended.c"       /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/hold.c"        /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/own-program.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/place.c"       /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/said.c"        /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/session.c"     /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/source-ssh.c"  /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include "plugin/call.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

int64_t master_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What source-ssh.c asks of the rest of the plugin is not asked here. */
int ssh_run(struct ferry_call *call, const struct ferry_services *services, const char *uri,
            const char *folder, struct ferry_command *command)
{
    (void)call, (void)services, (void)uri, (void)folder, (void)command;
    return -1;
}
int trouble(struct ferry_call *call, const struct ferry_services *services, const char *id, const char *fix,
            const char *what)
{
    (void)call, (void)services, (void)id, (void)fix, (void)what;
    return -1;
}

static const struct call_host host = { .host = "hostB" };

static const struct {
    struct ended ended;
    const char *what, *fix;
} told[] = {
    { { .to = "hostB", .code = 137, .pid = 42, .said = "" },
      "our ssh to 'hostB' (process 42) was ended by signal 9 (Killed)",
      "See on this machine who ended it: journalctl -k shows whether memory ran out." },
    { { .to = "hostB", .code = 137, .pid = 42, .is_at_source = true, .said = "" },
      "the source's own ssh to 'hostB' (process 42) was ended by signal 9 (Killed)",
      "See on the source who ended it: journalctl -k shows whether memory ran out." },
    { { .to = "hostB", .code = 137, .pid = 42, .is_relay = true, .said = "" },
      "what hands connections on to our ssh to 'hostB' (process 42) was ended by signal 9 (Killed)",
      "See on this machine who ended it: journalctl -k shows whether memory ran out." },
    { { .to = "hostB", .code = 255, .pid = 42, .said = "Connection to hostb closed by remote host.\r\n" },
      "our ssh to 'hostB' (process 42) ended: 'Connection to hostb closed by remote host.'",
      "See on 'hostB' why sshd ended it: journalctl -u ssh -u sshd." },
    { { .to = "hostB",
        .code = 255,
        .said = "Timeout, server hostb not responding.\r\nchannel 3: open failed: connect failed: \r\n" },
      "our ssh to 'hostB' ended: 'Timeout, server hostb not responding.'",
      "Nothing came from 'hostB' for 15 s: see the link there, and whether that host stood still." },
    { { .to = "hostB", .code = 255, .said = "client_loop: send disconnect: Broken pipe\r\n" },
      "our ssh to 'hostB' ended: 'client_loop: send disconnect: Broken pipe'",
      "See on 'hostB' why sshd ended it: journalctl -u ssh -u sshd. If it did not, something on the way "
      "resets connections." },
    { { .to = "hostB", .code = 255, .said = "Read from remote host hostb: Connection reset by peer\r\n" },
      "our ssh to 'hostB' ended: 'Read from remote host hostb: Connection reset by peer'",
      "See on 'hostB' why sshd ended it: journalctl -u ssh -u sshd. If it did not, something on the way "
      "resets connections." },
    { { .to = "hostB", .code = 255, .said = "channel 3: open failed: connect failed: \r\n" },
      "our ssh to 'hostB' ended with code 255 and said nothing",
      "See the link to 'hostB', and what sshd says there: journalctl -u ssh -u sshd." },
};

START_TEST(it_is_told_which_ssh_it_was_how_it_ended_and_where_to_look)
    {
        struct error err = { 0 };
        struct ferry_call call;

        ck_assert_int_eq(call_begin(&call, &host, NULL, "ssh", "hostB", NULL, &err), 0);
        ck_assert_int_eq(ended_tell(&call, &call_services, &told[_i].ended), -1);
        call_done(&call);
        ck_assert_str_eq(err.what, told[_i].what);
        ck_assert_str_eq(err.fix, told[_i].fix);
    }
END_TEST

static const struct {
    const char *line;
    bool is_read;
} lines[] = {
    { "255 42\n", true }, { "255 42", false },    { "255\n", false },   { "255 42 \n", false },
    { "x 42\n", false },  { "255 -42\n", false }, { "-1 42\n", false }, { "", false },
};

START_TEST(what_a_shell_tells_of_it_is_read_whole_or_not_at_all)
    {
        struct ended e = { .code = 0 };

        ck_assert_int_eq(ended_read(lines[_i].line, &e), lines[_i].is_read);
        if (lines[_i].is_read)
            ck_assert(e.code == 255 && e.pid == 42);
    }
END_TEST

/* ---- the shell on the source ---- */

static char scratch[64], data[96];

/* As the way to the source it runs the command; as the source's own it waits for its end. */
static const char stub[] = "#!/bin/bash\n"
                           "for last; do case $last in -[GMO]) is=$last;; -S) is=${is:--S};; esac; done\n"
                           "case $is in -G) exit 0;; -S) exec bash -c \"$last\";;\n"
                           "-O) echo \"$*\" >\"${0%/*}/forward\"; exit 0;; esac\n"
                           "echo welcome >&2\n"
                           "trap 'echo Connection closed by remote host. >&2; exit 255' TERM\n"
                           "echo $$ >\"${0%/*}/pid\"\n"
                           "while :; do read -r -t 0.02 x <>\"${0%/*}/never\"; done\n";

static const char *in_scratch(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static void ssh_of_our_own(void)
{
    char path[512];
    FILE *file;

    (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-ended-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    (void)snprintf(data, sizeof data, "%s/ways/one", scratch);
    ck_assert_int_eq(mkfifo(in_scratch("never"), 0600), 0);
    file = fopen(in_scratch("ssh"), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(stub, file), 0);
    ck_assert_int_eq(fclose(file) | chmod(in_scratch("ssh"), 0755), 0);
    (void)snprintf(path, sizeof path, "%s:%s", scratch, getenv("PATH"));
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

/* What ssh would do once it has logged in. */
static pid_t make_socket_when_there_is_room(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/" PLACE_CONTROL, data);
    while (access(data, F_OK) < 0 || access(in_scratch("pid"), F_OK) < 0)
        (void)usleep(2000);
    _exit(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof at) == 0 ? 0 : 1);
}

static pid_t pid_of_ssh(void)
{
    FILE *file = fopen(in_scratch("pid"), "r");
    char line[32] = "";

    ck_assert_ptr_nonnull(file);
    while (!fgets(line, sizeof line, file) || !strchr(line, '\n'))
        rewind(file);
    ck_assert_int_eq(fclose(file), 0);
    return (pid_t)strtol(line, NULL, 10);
}

static void open_at_source(void)
{
    const struct ferry_route route = { .size = sizeof route,
                                       .source_uri = "qemu+ssh://hostA/system",
                                       .source_folder = scratch };
    const struct place p = { .host = "hostB" };
    const pid_t helper = make_socket_when_there_is_room();
    struct error err = { 0 };
    struct ferry_call call;
    int status;

    ck_assert_int_eq(call_begin(&call, &host, NULL, "ssh", "hostB", NULL, &err), 0);
    ck_assert_msg(source_ssh_open(&call, &call_services, &route, &p, data, ".x") == 0, "%s", err.what);
    call_done(&call);
    ck_assert_int_eq(waitpid(helper, &status, 0), helper);
    ck_assert_int_eq(status, 0);
}

static bool is_gone_within(const char *path, int ms)
{
    const int64_t until = master_now_ms() + ms;

    while (access(path, F_OK) == 0)
        if (master_now_ms() >= until || usleep(5000) < 0)
            return false;
    return true;
}

static bool is_told_within(struct ended *ret, int ms)
{
    const int64_t until = master_now_ms() + ms;

    while (!source_ssh_has_ended(ret))
        if (master_now_ms() >= until)
            return false;
    return true;
}

/* Whoever should reap it may do so late: what is dead has no command line. */
static bool is_running(pid_t pid)
{
    char path[64], first;
    int fd;
    ssize_t n;

    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, &first, 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    return n == 1;
}

/* What the ssh that stands there was told. */
static bool is_in_forward(const char *words)
{
    char line[1024] = "";
    FILE *file = fopen(in_scratch("forward"), "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_int_eq(fclose(file), 0);
    return strstr(line, words) != NULL;
}

static void tidy(void)
{
    static const char *const names[] = { "ssh", "pid", "never", "forward" };

    for (size_t i = 0; i < TEST_ROWS(names); i++)
        ck_assert_int_eq(unlink(in_scratch(names[i])), 0);
    ck_assert_int_eq(rmdir(in_scratch("ways")), 0);
    ck_assert_int_eq(rmdir(scratch), 0);
}

static const struct {
    int signal, code;
    const char *said;
} ends[] = {
    { SIGKILL, 128 + SIGKILL, "" },
    { SIGTERM, 255, "Connection closed by remote host.\n" },
};

START_TEST(the_source_tells_of_the_end_of_its_ssh_and_tidies)
    {
        struct ended e;
        pid_t pid;

        ssh_of_our_own();
        open_at_source();
        ck_assert(!source_ssh_has_ended(&e));
        ck_assert(is_in_forward("/ram.x:"));
        ck_assert(is_in_forward("/nbd.x:"));
        ck_assert(is_in_forward("-F /dev/null "));
        pid = pid_of_ssh();
        ck_assert_int_eq(kill(pid, ends[_i].signal), 0);
        ck_assert(is_told_within(&e, 5000));
        ck_assert(e.is_at_source);
        ck_assert_int_eq(e.code, ends[_i].code);
        ck_assert_int_eq(e.pid, pid);
        ck_assert_str_eq(e.said, ends[_i].said);
        ck_assert(is_gone_within(data, 5000));
        source_ssh_end();
        ck_assert(!source_ssh_has_ended(&e));
        tidy();
    }
END_TEST

START_TEST(an_ssh_that_we_end_ourselves_is_gone_and_not_told)
    {
        struct ended e;
        pid_t pid;

        ssh_of_our_own();
        open_at_source();
        pid = pid_of_ssh();
        source_ssh_end();
        ck_assert(!source_ssh_has_ended(&e));
        ck_assert(is_gone_within(data, 5000));
        for (int i = 0; i < 1000 && is_running(pid); i++)
            (void)usleep(5000);
        ck_assert(!is_running(pid));
        tidy();
    }
END_TEST

TEST_MAIN("plugin/ssh-ended",
          LOOP(it_is_told_which_ssh_it_was_how_it_ended_and_where_to_look, TEST_ROWS(told)),
          LOOP(what_a_shell_tells_of_it_is_read_whole_or_not_at_all, TEST_ROWS(lines)),
          LOOP(the_source_tells_of_the_end_of_its_ssh_and_tidies, TEST_ROWS(ends)),
          an_ssh_that_we_end_ourselves_is_gone_and_not_told)
