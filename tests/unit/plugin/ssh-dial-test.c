/* SPDX-License-Identifier: Apache-2.0
 * A socket for ssh that is connected already: where ssh's configuration leaves room for it, the words that it
 * is asked for by, and the program that makes it, against a listener of this machine. */
#include "../../../plugins/common/pass-fd.c"            /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/dial.c"        /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/own-program.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/place.c"       /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/said.c"        /* NOLINT(bugprone-suspicious-include) */

int dial_main(int argc, char **argv);
#define main dial_main
#include "../../../plugins/transport-ssh/dial/main.c" /* NOLINT(bugprone-suspicious-include) */
#undef main

#include "check-main.h"
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PLAIN "addressfamily any\ncanonicalizehostname false\ncheckhostip no\nproxyusefdpass no\n"

static const struct {
    const char *printed;
    bool is_plain;
} configurations[] = {
    { "user root\nhostname hostB\nport 22\n" PLAIN, true },
    { "hostname hostB\n" PLAIN "bindaddress 10.0.0.1\n", false },
    { "hostname hostB\n" PLAIN "bindinterface eth1\n", false },
    { "addressfamily inet6\ncanonicalizehostname false\ncheckhostip no\nproxyusefdpass no\n", false },
    { "addressfamily any\ncanonicalizehostname true\ncheckhostip no\nproxyusefdpass no\n", false },
    { "addressfamily any\ncanonicalizehostname false\ncheckhostip yes\nproxyusefdpass no\n", false },
    { "addressfamily any\ncanonicalizehostname false\ncheckhostip no\nproxyusefdpass yes\n", false },
    /* An ssh that does not tell, or that could not be asked. */
    { "addressfamily any\ncheckhostip no\nproxyusefdpass no\n", false },
    { "", false },
};

START_TEST(only_where_ssh_connects_as_it_does_by_itself)
    {
        ck_assert_int_eq(dial_is_plain(configurations[_i].printed), configurations[_i].is_plain);
    }
END_TEST

static const struct {
    const char *program, *command; /* NULL: refused */
} commands[] = {
    { "/usr/lib/virt-ferry/plugins/transport-ssh-dial",
      "ProxyCommand=/usr/lib/virt-ferry/plugins/transport-ssh-dial /proc/4711/fd/12" },
    { "/my plugins/transport-ssh-dial", NULL },
    { "/x/$(id)/transport-ssh-dial", NULL },
    { "/x/%h/transport-ssh-dial", NULL },
    { "x/transport-ssh-dial", NULL },
};

START_TEST(its_command_has_words_that_no_shell_misreads)
    {
        char buf[DIAL_SIZE], narrow[40];

        ck_assert_int_eq(command(buf, sizeof buf, commands[_i].program, 4711, 12),
                         commands[_i].command != NULL);
        if (commands[_i].command)
            ck_assert_str_eq(buf, commands[_i].command);
        ck_assert(!command(narrow, sizeof narrow, commands[_i].program, 4711, 12));
    }
END_TEST

static const struct {
    const char *host, *port, *line; /* NULL: refused */
} places[] = {
    { "hostB", "22", "hostB 22 5\n" },
    { "2001:db8::1", "2222", "2001:db8::1 2222 5\n" },
    { "fe80::1%eth0", "22", "fe80::1%eth0 22 5\n" },
    { "", "22", NULL },
    { "host B", "22", NULL },
    { "hostB", "", NULL },
    { "hostB", "22\n", NULL },
    { "h\303\266st", "22", NULL },
};

START_TEST(a_place_is_told_in_one_line_or_not_at_all)
    {
        struct dial d = { { -1, -1 } };
        char line[DIAL_LINE_SIZE] = "";

        ck_assert_int_eq(pipe2(d.gate, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(dial_to(&d, places[_i].host, places[_i].port, 5), places[_i].line != NULL);
        ck_assert_int_eq(read(d.gate[0], line, sizeof line - 1),
                         places[_i].line ? (ssize_t)strlen(places[_i].line) : -1);
        ck_assert_str_eq(line, places[_i].line ? places[_i].line : "");
        dial_done(&d);
        ck_assert_int_eq(d.gate[0], -1);
    }
END_TEST

static const struct {
    const char *said, *address, *behind;
    uint64_t us;
} told_lines[] = {
    { "transport-ssh-dial: reached 10.0.0.1 812 us\n", "10.0.0.1", "", 812 },
    { "transport-ssh-dial: reached 2001:db8::1 0 us\nConnection closed\n", "2001:db8::1",
      "Connection closed\n", 0 },
    { "a warning of ssh\ntransport-ssh-dial: reached 10.0.0.1 5 us\n", "10.0.0.1", "", 5 },
    /* Who answers there speaks behind it. */
    { "transport-ssh-dial: reached 10.0.0.1 5 us\ntransport-ssh-dial: reached 10.0.0.2 6 us\n", "10.0.0.1",
      "transport-ssh-dial: reached 10.0.0.2 6 us\n", 5 },
    { "Permission denied (publickey).\n", "", "Permission denied (publickey).\n", 0 },
    { "", "", "", 0 },
    /* Cut, or no figure, or an address of one link alone. */
    { "transport-ssh-dial: reached 10.0.0.1", "", "", 0 },
    { "transport-ssh-dial: reached 10.0.0.1 5", "", "", 5 },
    { "transport-ssh-dial: reached 10.0.0.1 -5 us\n", "", "", 0 },
    { "transport-ssh-dial: reached 10.0.0.1 99999999999999999999999 us\n", "", "", UINT64_MAX },
    { "transport-ssh-dial: reached fe80::1%eth0 5 us\n", "", "", 0 },
    { "transport-ssh-dial: reached 0123456789012345678901234567890123456789012345678901234567890123456789 5 "
      "us\n",
      "", "", 0 },
};

START_TEST(what_it_tells_of_the_way_is_read_from_its_own_line)
    {
        struct dialled d = { .address = "before" };

        dial_reached(told_lines[_i].said, &d);
        ck_assert_str_eq(d.address, told_lines[_i].address);
        ck_assert_uint_eq(d.latency_us, told_lines[_i].us);
        ck_assert_str_eq(dial_behind(told_lines[_i].said), told_lines[_i].behind);
    }
END_TEST

START_TEST(the_words_stand_among_the_masters)
    {
        const struct place p = { .host = "hostB" };
        struct words w;
        size_t n = 0;

        words_of_master(&w, &p, "/run/a", "", NULL, "ProxyCommand=/x/dial /proc/1/fd/5");
        for (size_t i = 0; i < w.n; i++)
            n += strcmp(w.argv[i], "ProxyUseFdpass=yes") == 0 || strncmp(w.argv[i], "ProxyCommand=", 13) == 0;
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(w.argv[w.n - 2], "--");
    }
END_TEST

/* What ssh did not get a socket for is told from what a host did. */
START_TEST(only_what_is_no_hosts_fault_is_tried_again_without)
    {
        static const char none[] = "proxy dialer did not pass back a connection\r\n";
        char text[200];

        ck_assert(dial_failed(none));
        (void)snprintf(text, sizeof text, "ssh: connect to host hostB port 22: Connection refused\r\n%s",
                       none);
        ck_assert(!dial_failed(text));
        ck_assert(!dial_failed("root@hostb: Permission denied (publickey).\r\n"));
        ck_assert(!dial_failed(""));
    }
END_TEST

START_TEST(a_program_that_others_may_change_is_not_run)
    {
        char path[] = "/tmp/virt-ferry-dial.XXXXXX";
        int fd = mkstemp(path);

        ck_assert_int_ge(fd, 0);
        ck_assert(!is_ours(path)); /* 0600: it does not run */
        ck_assert_int_eq(fchmod(fd, 0755), 0);
        ck_assert(is_ours(path));
        ck_assert_int_eq(fchmod(fd, 0775), 0);
        ck_assert(!is_ours(path));
        ck_assert_int_eq(fchmod(fd, 0757), 0);
        ck_assert(!is_ours(path));
        ck_assert_int_eq(unlink(path), 0);
        ck_assert(!is_ours(path));
        ck_assert(!is_ours("/tmp"));
        ck_assert_int_eq(close(fd), 0);
    }
END_TEST

START_TEST(our_own_path_is_found)
    {
        char own[PATH_MAX], expected[PATH_MAX] = "";

        ck_assert(own_path(own, sizeof own));
        ck_assert_int_gt(readlink("/proc/self/exe", expected, sizeof expected - 1), 0);
        ck_assert_str_eq(own, expected);
        ck_assert(!own_path(own, 4));
    }
END_TEST

/* ---- the program ---- */

static int listener(char port[8])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(port, 8, "%u", ntohs(at.sin_port));
    return fd;
}

/* What the program's standard output got: a socket, or -1. line: what comes by its gate before that closes.
 * said: its words. */
static int run_program(const char *line, int *ret_code, char said[256])
{
    char gate[40];
    char *argv[] = { (char *)(uintptr_t) "dial", gate, NULL };
    int ends[2];
    char byte, room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec data = { &byte, 1 };
    struct msghdr m = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    int pair[2], words = memfd_create("said", MFD_CLOEXEC), status, fd = -1;
    pid_t pid;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    (void)snprintf(gate, sizeof gate, "/proc/%d/fd/%d", (int)getpid(), ends[0]);
    pid = fork();
    if (pid == 0) {
        if (dup2(pair[1], 1) < 0 || dup2(words, 2) < 0 || close(ends[1]) < 0)
            _exit(99);
        _exit(dial_main(2, argv));
    }
    (void)close(pair[1]);
    /* It waits for as long as nothing is told. */
    ck_assert_int_eq(poll(&(struct pollfd){ pair[0], POLLIN, 0 }, 1, 30), 0);
    ck_assert_int_eq(write(ends[1], line, strlen(line)), (ssize_t)strlen(line));
    (void)close(ends[1]);
    if (recvmsg(pair[0], &m, 0) == 1 && CMSG_FIRSTHDR(&m))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    *ret_code = WEXITSTATUS(status);
    memset(said, 0, 256);
    ck_assert_int_ge(pread(words, said, 255, 0), 0);
    (void)close(words);
    (void)close(pair[0]);
    (void)close(ends[0]);
    return fd;
}

START_TEST(ssh_is_handed_a_socket_that_waits_for_no_acknowledgement)
    {
        char port[8], line[40], said[256], byte = 0;
        int at = listener(port), code, on = 0, fd, peer;
        socklen_t n = sizeof on;
        struct dialled d;

        (void)snprintf(line, sizeof line, "127.0.0.1 %s 5\n", port);
        fd = run_program(line, &code, said);
        ck_assert_msg(code == 0 && fd >= 0, "%d: %s", code, said);
        dial_reached(said, &d);
        ck_assert_str_eq(d.address, "127.0.0.1");
        ck_assert_uint_lt(d.latency_us, 5000000);
        ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &n), 0);
        ck_assert_int_ne(on, 0);
        on = 0;
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &n), 0);
        ck_assert_int_ne(on, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        peer = accept4(at, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(peer, 0);
        ck_assert_int_eq(write(fd, "x", 1), 1);
        ck_assert_int_eq(read(peer, &byte, 1), 1);
        ck_assert_int_eq(byte, 'x');
        (void)close(peer);
        (void)close(fd);
        (void)close(at);
    }
END_TEST

START_TEST(what_fails_is_said_in_sshs_own_words)
    {
        char port[8], line[40], said[256];
        int at = listener(port), code;

        (void)close(at);
        (void)snprintf(line, sizeof line, "127.0.0.1 %s 5\n", port);
        ck_assert_int_eq(run_program(line, &code, said), -1);
        ck_assert_int_eq(code, 1);
        ck_assert_int_eq(said_by(said), SAID_REFUSED);
        ck_assert_ptr_nonnull(strstr(said, "ssh: connect to host 127.0.0.1 port "));
        /* Found out without asking a server of names. */
        ck_assert_int_eq(run_program("127.0.0.1 no-such-service 1\n", &code, said), -1);
        ck_assert_int_eq(code, 1);
        ck_assert_int_eq(said_by(said), SAID_NO_NAME);
    }
END_TEST

static const struct {
    const char *line;
    int code;
} no_places[] = {
    { "127.0.0.1 22 0\n", 2 },
    { "127.0.0.1 22 -1\n", 2 },
    { "127.0.0.1 22 x\n", 2 },
    { "127.0.0.1 22 \n", 2 },
    { "127.0.0.1 22 5x\n", 2 },
    { "127.0.0.1 22 3601\n", 2 },
    { "127.0.0.1 22\n", 2 },
    { "\n", 2 },
    /* Whoever would tell it is gone. */
    { "", 1 },
    { "127.0.0.1 22 5", 1 },
};

START_TEST(without_a_whole_line_it_connects_nowhere)
    {
        char said[256];
        int code;

        ck_assert_int_eq(run_program(no_places[_i].line, &code, said), -1);
        ck_assert_int_eq(code, no_places[_i].code);
    }
END_TEST

START_TEST(a_gate_that_is_not_there_is_no_socket)
    {
        char *argv[] = { (char *)(uintptr_t) "dial", (char *)(uintptr_t) "/proc/1/fd/none", NULL };

        ck_assert_int_eq(dial_main(2, argv), 1);
    }
END_TEST

TEST_MAIN("plugin/ssh-dial", the_words_stand_among_the_masters,
          only_what_is_no_hosts_fault_is_tried_again_without, a_program_that_others_may_change_is_not_run,
          our_own_path_is_found, ssh_is_handed_a_socket_that_waits_for_no_acknowledgement,
          what_fails_is_said_in_sshs_own_words, a_gate_that_is_not_there_is_no_socket,
          LOOP(only_where_ssh_connects_as_it_does_by_itself, TEST_ROWS(configurations)),
          LOOP(its_command_has_words_that_no_shell_misreads, TEST_ROWS(commands)),
          LOOP(a_place_is_told_in_one_line_or_not_at_all, TEST_ROWS(places)),
          LOOP(what_it_tells_of_the_way_is_read_from_its_own_line, TEST_ROWS(told_lines)),
          LOOP(without_a_whole_line_it_connects_nowhere, TEST_ROWS(no_places)))
