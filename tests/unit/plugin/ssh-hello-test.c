/* SPDX-License-Identifier: Apache-2.0
 * Which of two sockets counts, by how each behaves; and that what is held back on its way is pushed. */
#include "../../../plugins/transport-ssh/ended.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/hello.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/master.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/place.c"  /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/said.c"   /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"

enum manner {
    ABSENT,
    CLOSES,
    SILENT,
    ANSWERS,
    HELD_BACK, /* answers once a connection came beside those that ask */
};

#define LIMIT_MS 300

static char scratch[64];
static struct forward list[PLACE_SERVICES];

static int listen_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_lt(snprintf(at.sun_path, sizeof at.sun_path, "%s", path), (int)sizeof at.sun_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

/* A connection, whole or ended at once. */
static void receive(enum manner manner, int fd, int held[PLACE_SERVICES], unsigned i)
{
    unsigned char asked[sizeof question];

    if (manner == CLOSES || recv(fd, asked, sizeof asked, MSG_WAITALL) != (ssize_t)sizeof asked ||
        memcmp(asked, question, sizeof asked) != 0) {
        (void)close(fd);
        return;
    }
    if (manner == ANSWERS)
        (void)send(fd, "x", 1, MSG_NOSIGNAL);
    held[i] = fd;
}

static __attribute__((noreturn)) void serve(const enum manner manner[PLACE_SERVICES],
                                            const int listening[PLACE_SERVICES])
{
    int held[PLACE_SERVICES] = { -1, -1 };
    unsigned n = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct pollfd fds[PLACE_SERVICES];

        for (unsigned i = 0; i < PLACE_SERVICES; i++)
            fds[i] = (struct pollfd){ listening[i], POLLIN, 0 };
        (void)poll(fds, PLACE_SERVICES, -1);
        for (unsigned i = 0; i < PLACE_SERVICES; i++)
            if (fds[i].revents & POLLIN) {
                n++;
                receive(manner[i], accept(listening[i], NULL, NULL), held, i);
            }
        for (unsigned i = 0; n > PLACE_SERVICES && i < PLACE_SERVICES; i++)
            if (manner[i] == HELD_BACK && held[i] >= 0)
                (void)send(held[i], "x", 1, MSG_NOSIGNAL);
    }
}

static const struct {
    enum manner manner[PLACE_SERVICES];
    enum hello_answer answer;
    unsigned which;
} rows[] = {
    { { ABSENT, ABSENT }, HELLO_CLOSED, 2 },    { { CLOSES, CLOSES }, HELLO_CLOSED, 2 },
    { { CLOSES, ANSWERS }, HELLO_YES, 1 },      { { ANSWERS, ANSWERS }, HELLO_YES, 0 },
    { { ANSWERS, CLOSES }, HELLO_YES, 0 },      { { ANSWERS, SILENT }, HELLO_YES, 0 },
    { { CLOSES, SILENT }, HELLO_SILENT, 1 },    { { ABSENT, ANSWERS }, HELLO_YES, 1 },
    { { SILENT, ANSWERS }, HELLO_SILENT, 0 },   { { CLOSES, HELD_BACK }, HELLO_YES, 1 },
    { { HELD_BACK, HELD_BACK }, HELLO_YES, 0 },
};

START_TEST(the_first_that_answers_is_libvirt_and_one_that_is_silent_is_not_passed_over)
    {
        int listening[PLACE_SERVICES];
        unsigned which = 99;
        pid_t server;

        (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-hello-test.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(scratch));
        for (unsigned i = 0; i < PLACE_SERVICES; i++) {
            (void)snprintf(list[i].here, sizeof list[i].here, "%s/%u", scratch, i);
            listening[i] = rows[_i].manner[i] == ABSENT ? -1 : listen_at(list[i].here);
        }
        server = fork();
        ck_assert_int_ge(server, 0);
        if (server == 0)
            serve(rows[_i].manner, listening);
        ck_assert_int_eq(hello(list, rows[_i].answer == HELLO_SILENT ? LIMIT_MS : 10000, &which),
                         rows[_i].answer);
        ck_assert_uint_eq(which, rows[_i].which);
        ck_assert_int_eq(kill(server, SIGKILL), 0);
        ck_assert_int_eq(waitpid(server, NULL, 0), server);
        for (unsigned i = 0; i < PLACE_SERVICES; i++)
            if (listening[i] >= 0) {
                ck_assert_int_eq(close(listening[i]), 0);
                ck_assert_int_eq(unlink(list[i].here), 0);
            }
        ck_assert_int_eq(rmdir(scratch), 0);
    }
END_TEST

TEST_MAIN("plugin/ssh-hello",
          LOOP(the_first_that_answers_is_libvirt_and_one_that_is_silent_is_not_passed_over, TEST_ROWS(rows)))
