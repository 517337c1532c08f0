/* SPDX-License-Identifier: Apache-2.0
 * A command asked of an ssh that is a master, by the program for it: what it says on that socket and makes of
 * each answer. The master is this test; the real one answers in the lab. */
#include "../../../plugins/common/pass-fd.c"            /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/own-program.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/place.c"       /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/session.c"     /* NOLINT(bugprone-suspicious-include) */

int session_main(int argc, char **argv);
#define main session_main
#include "../../../plugins/transport-ssh/session/main.c" /* NOLINT(bugprone-suspicious-include) */
#undef main

#include "check-main.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define FALLBACK 9
#define COMMAND "exit 9" /* a shell's, where the program runs what stands for ssh */
#define SESSION 77u

struct running {
    pid_t pid;
    int master;      /* the listener's first connection; -1: there was no listener */
    int out, errors; /* what it has written */
    char folder[40], path[60];
};

static struct running start(bool has_master)
{
    struct running r = { .master = -1, .folder = "/tmp/virt-ferry-session.XXXXXX" };
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *argv[] = { (char *)(uintptr_t) "session",     r.path,
                     (char *)(uintptr_t) "sh",          (char *)(uintptr_t) "-c",
                     (char *)(uintptr_t) "" COMMAND "", NULL };

    r.out = memfd_create("out", MFD_CLOEXEC);
    r.errors = memfd_create("errors", MFD_CLOEXEC);
    ck_assert_ptr_nonnull(mkdtemp(r.folder));
    (void)snprintf(r.path, sizeof r.path, "%s/ctl", r.folder);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", r.path);
    if (has_master) {
        ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
        ck_assert_int_eq(listen(listening, 1), 0);
    }
    r.pid = fork();
    if (r.pid == 0) {
        (void)alarm(20);
        if (dup2(r.out, 1) < 0 || dup2(r.errors, 2) < 0)
            _exit(99);
        _exit(session_main(5, argv));
    }
    if (has_master)
        r.master = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    (void)close(listening);
    return r;
}

static int end(struct running *r, char said[256])
{
    int status;

    (void)close(r->master);
    ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
    memset(said, 0, 256);
    ck_assert_int_ge(pread(r->errors, said, 255, 0), 0);
    (void)close(r->out);
    (void)close(r->errors);
    (void)unlink(r->path);
    ck_assert_int_eq(rmdir(r->folder), 0);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void say(int fd, size_t n, const uint32_t *numbers)
{
    struct packet p = { .n = 0 };

    for (size_t i = 0; i < n; i++)
        put_number(&p, numbers[i]);
    ck_assert(send_packet(fd, &p));
}
#define SAY(fd, ...)                                                                                         \
    say(fd, sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), (const uint32_t[]){ __VA_ARGS__ })

static bool has_next(struct packet *p, const char *text)
{
    const size_t n = strlen(text);

    if (!take_this(p, (uint32_t)n) || p->n - p->at < n || memcmp(p->bytes + p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

static int received(int from)
{
    char byte, room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec data = { &byte, 1 };
    struct msghdr m = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    int fd = -1;

    if (recvmsg(from, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

static void greeted(int fd)
{
    struct packet p;

    ck_assert(read_packet(fd, &p) && take_this(&p, HELLO) && take_this(&p, VERSION) && p.at == p.n);
    SAY(fd, HELLO, VERSION);
}

/* Up to the command; in `ends` what it is to have as 0, 1 and 2. */
static void asked(int fd, int ends[3])
{
    struct packet p;

    greeted(fd);
    ck_assert(read_packet(fd, &p) && take_this(&p, NEW_SESSION) && take_this(&p, OUR_REQUEST));
    ck_assert(has_next(&p, ""));
    for (int i = 0; i < 4; i++)
        ck_assert(take_this(&p, 0));
    ck_assert(take_this(&p, UINT32_MAX) && has_next(&p, "") && has_next(&p, COMMAND) && p.at == p.n);
    for (int i = 0; i < 3; i++) {
        ends[i] = received(fd);
        ck_assert_int_ge(ends[i], 0);
    }
}

static void close_all(const int ends[3])
{
    for (int i = 0; i < 3; i++)
        (void)close(ends[i]);
}

START_TEST(a_command_has_our_ends_and_its_code_is_ours)
    {
        struct running r = start(true);
        char said[256], out[8] = "";
        int ends[3];

        asked(r.master, ends);
        SAY(r.master, SESSION_OPENED, OUR_REQUEST, SESSION);
        ck_assert_int_eq(write(ends[1], "out", 3), 3);
        ck_assert_int_eq(write(ends[2], "errors", 6), 6);
        close_all(ends);
        /* Of a terminal that nobody asked for; and how another session has ended. */
        SAY(r.master, 0x80000008u, SESSION);
        SAY(r.master, EXIT_MESSAGE, SESSION + 1, 3);
        SAY(r.master, EXIT_MESSAGE, SESSION, 42);
        ck_assert_int_eq(pread(r.out, out, sizeof out - 1, 0), 3);
        ck_assert_int_eq(end(&r, said), 42);
        ck_assert_str_eq(out, "out");
        ck_assert_str_eq(said, "errors");
    }
END_TEST

START_TEST(it_waits_for_the_end_of_all_output)
    {
        struct running r = start(true);
        char said[256];
        int ends[3], status;

        asked(r.master, ends);
        close_all(ends);
        SAY(r.master, SESSION_OPENED, OUR_REQUEST, SESSION);
        SAY(r.master, EXIT_MESSAGE, SESSION, 0);
        (void)poll(NULL, 0, 50);
        ck_assert_int_eq(waitpid(r.pid, &status, WNOHANG), 0);
        ck_assert_int_eq(end(&r, said), 0);
        ck_assert_str_eq(said, "");
    }
END_TEST

static const struct {
    uint32_t answer[3];
    int code;
    size_t n;
} answers[] = {
    /* It has not begun: ssh is run. */
    { { PERMISSION_DENIED, OUR_REQUEST, 0 }, FALLBACK, 3 },
    { { FAILURE, OUR_REQUEST, 0 }, FALLBACK, 3 },
    /* It may have begun, and is not run twice. */
    { { SESSION_OPENED, OUR_REQUEST, SESSION }, LOST, 3 },
    { { SESSION_OPENED, OUR_REQUEST, 0 }, LOST, 2 },
    { { SESSION_OPENED, OUR_REQUEST + 1, SESSION }, LOST, 3 },
    { { 0x80000001u, OUR_REQUEST, 0 }, LOST, 2 },
    { { 0 }, LOST, 0 },
    { { 0 }, LOST, SIZE_MAX }, /* no answer */
};

START_TEST(what_is_no_session_is_asked_of_ssh_and_what_may_be_one_is_not)
    {
        struct running r = start(true);
        char said[256];
        int ends[3];

        asked(r.master, ends);
        close_all(ends);
        if (answers[_i].n <= 3)
            say(r.master, answers[_i].n, answers[_i].answer);
        ck_assert_int_eq(end(&r, said), answers[_i].code);
        ck_assert_int_eq(strstr(said, "was closed") != NULL, answers[_i].code == LOST);
    }
END_TEST

static const uint32_t greetings[][2] = {
    { HELLO, VERSION + 1 },
    { HELLO + 1, VERSION },
};

START_TEST(of_another_protocol_nothing_is_asked)
    {
        struct running r = start(true);
        struct packet p;
        char said[256];

        ck_assert(read_packet(r.master, &p));
        SAY(r.master, greetings[_i][0], greetings[_i][1]);
        ck_assert(!read_packet(r.master, &p));
        ck_assert_int_eq(end(&r, said), FALLBACK);
    }
END_TEST

START_TEST(a_packet_that_is_too_long_is_not_read)
    {
        static const uint32_t length = UINT32_MAX;
        struct running r = start(true);
        struct packet p;
        char said[256];

        ck_assert(read_packet(r.master, &p));
        ck_assert(write_all(r.master, &length, sizeof length));
        ck_assert_int_eq(end(&r, said), FALLBACK);
    }
END_TEST

START_TEST(without_a_master_ssh_is_run)
    {
        struct running r = start(false);
        char said[256];

        ck_assert_int_eq(end(&r, said), FALLBACK);
    }
END_TEST

START_TEST(the_words_for_ssh_stand_behind_those_for_the_program)
    {
        struct place p;
        struct words plain, w;

        ck_assert_ptr_null(place_of_uri("qemu+ssh://root@hostB:2222/system", &p));
        words_of_run(&plain, &p, "/run/a", "'true'");
        words_of_run(&w, &p, "/run/a", "'true'");
        words_through(&w, "/x/session");
        ck_assert_str_eq(w.argv[0], "/x/session");
        ck_assert_str_eq(w.argv[1], "/run/a/ctl");
        ck_assert_uint_eq(w.n, plain.n + 2);
        for (size_t i = 0; i < plain.n; i++)
            ck_assert_str_eq(w.argv[i + 2], plain.argv[i]);
        ck_assert_ptr_null(w.argv[w.n]);
        /* No program stands beside this test: ssh alone. */
        words_of_session(&w, &p, "/run/a", "'true'");
        ck_assert_str_eq(w.argv[0], "ssh");
        ck_assert_uint_eq(w.n, plain.n);
    }
END_TEST

TEST_MAIN("plugin/ssh-session", a_command_has_our_ends_and_its_code_is_ours,
          it_waits_for_the_end_of_all_output, a_packet_that_is_too_long_is_not_read,
          without_a_master_ssh_is_run, the_words_for_ssh_stand_behind_those_for_the_program,
          LOOP(what_is_no_session_is_asked_of_ssh_and_what_may_be_one_is_not, TEST_ROWS(answers)),
          LOOP(of_another_protocol_nothing_is_asked, TEST_ROWS(greetings)))
