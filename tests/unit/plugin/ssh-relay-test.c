/* SPDX-License-Identifier: Apache-2.0
 * What hands connections on to several ssh, between sockets of the test's own: who gets which, that all bytes
 * come and are held back where nobody takes them, and what becomes of the rest when one side goes. */
#include "../../../plugins/transport-ssh/place.c" /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-ssh/relay.c" /* NOLINT(bugprone-suspicious-include) */

#include "check-main.h"
#include <stdlib.h>
#include <time.h>

#define PATIENCE_MS 10000
#define SSH 3u

static char scratch[64];
static struct relay r;
static int ssh[SSH][RELAY_SERVICES]; /* that listen as each ssh would */

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void begin(unsigned n)
{
    (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-relay-test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    r = (struct relay){ .n = n };
    for (unsigned k = 0; k < RELAY_SERVICES; k++) {
        place_socket(scratch, k, ".x", r.here[k]);
        for (unsigned i = 0; i < n; i++) {
            place_own_socket(scratch, k, i, r.there[i][k]);
            ssh[i][k] = listen_at(r.there[i][k]);
            ck_assert_int_ge(ssh[i][k], 0);
        }
    }
    ck_assert_int_eq(relay_begin(&r), 0);
}

static void end(void)
{
    relay_end();
    for (unsigned k = 0; k < RELAY_SERVICES; k++) {
        ck_assert_int_lt(access(r.here[k], F_OK), 0);
        for (unsigned i = 0; i < r.n; i++)
            ck_assert_int_eq(unlink(r.there[i][k]), 0);
    }
    ck_assert_int_eq(rmdir(scratch), 0);
}

static int qemu(unsigned service)
{
    const int fd = connect_to(r.here[service]);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool is_heard(int fd, short events, int ms)
{
    struct pollfd one = { fd, events, 0 };

    return poll(&one, 1, ms) == 1;
}

/* The connection that the i-th ssh was handed. */
static int handed(unsigned i, unsigned service)
{
    int fd;

    ck_assert(is_heard(ssh[i][service], POLLIN, PATIENCE_MS));
    fd = accept4(ssh[i][service], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 31u + (at >> 11));
}

/* More of a stream that byte_at gives, from *at on; false: nothing more is taken now. */
static bool send_more(int fd, size_t *at)
{
    unsigned char bytes[32768];
    ssize_t n;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(*at + i);
    n = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
    ck_assert(n >= 0 || errno == EAGAIN);
    *at += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool take_more(int fd, size_t *at)
{
    unsigned char bytes[30011];
    const ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    bool is_same = n >= 0 || errno == EAGAIN;

    for (ssize_t i = 0; i < n; i++, (*at)++)
        is_same &= bytes[i] == byte_at(*at);
    ck_assert(is_same); /* once: each takes a call of the kernel */
    return n > 0;
}

static void comes_through(int from, int to, size_t n)
{
    const int64_t until = now_ms() + PATIENCE_MS;
    size_t sent = 0, came = 0;

    while (came < n) {
        ck_assert_int_lt(now_ms(), until);
        while (sent < n && send_more(from, &sent))
            ;
        n = sent > n ? sent : n;
        while (came < n && take_more(to, &came))
            ;
        if (came < n)
            (void)is_heard(to, POLLIN, 20);
    }
}

/* The other side ended it; nothing may have been left unread. */
static bool is_over(int fd)
{
    ssize_t n;
    char byte;

    if (!is_heard(fd, POLLIN, PATIENCE_MS))
        return false;
    n = recv(fd, &byte, 1, 0);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool no_longer_takes(int fd)
{
    const int64_t until = now_ms() + PATIENCE_MS;

    while (send(fd, "x", 1, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
        if (now_ms() >= until || usleep(2000) < 0)
            return false;
    return errno == EPIPE || errno == ECONNRESET;
}

/* What QEMU's main connection brings, of which ssh reads once the other end of it is made. */
static void arrives(int at, int by)
{
    char byte = '\0';

    ck_assert_int_eq(send(at, "m", 1, MSG_NOSIGNAL), 1);
    ck_assert(is_heard(by, POLLIN, PATIENCE_MS));
    ck_assert_int_eq(recv(by, &byte, 1, 0), 1);
    ck_assert_int_eq(byte, 'm');
}

START_TEST(all_of_ram_wait_until_the_first_has_arrived_and_disks_do_not)
    {
        int at[3], by[3], disk[2];

        begin(2);
        at[0] = qemu(0);
        by[0] = handed(0, 0);
        at[1] = qemu(0);
        at[2] = qemu(0);
        ck_assert(!is_heard(ssh[1][0], POLLIN, 100)); /* nothing was sent by it */
        ck_assert_int_eq(send(at[0], "x", 1, MSG_NOSIGNAL), 1);
        ck_assert(is_heard(by[0], POLLIN, PATIENCE_MS));
        ck_assert(!is_heard(ssh[1][0], POLLIN, 100)); /* it was not read */
        disk[0] = qemu(1);
        disk[1] = handed(1, 1);
        comes_through(disk[0], disk[1], 5000);
        ck_assert(!is_heard(ssh[0][0], POLLIN, 0));
        ck_assert_int_eq(recv(by[0], (char[1]){ 0 }, 1, 0), 1);
        by[1] = handed(0, 0);
        by[2] = handed(1, 0);
        for (unsigned i = 0; i < 3; i++)
            comes_through(at[i], by[i], 5000);
        close_fds(at, 3);
        close_fds(by, 3);
        close_fds(disk, 2);
        end();
    }
END_TEST

START_TEST(each_connection_goes_to_the_ssh_that_has_fewest)
    {
        int at[6], by[6];

        begin(SSH);
        /* Disks and RAM are counted together: 0, 1, 2, 0, 1, 2 */
        for (unsigned i = 0; i < 6; i++) {
            at[i] = qemu(i < 2 ? 1 : 0);
            by[i] = handed(i % SSH, i < 2 ? 1 : 0);
            if (i == 2)
                arrives(at[i], by[i]);
        }
        for (unsigned i = 0; i < 6; i++)
            comes_through(at[i], by[i], 300000);
        for (unsigned i = 0; i < 6; i++)
            comes_through(by[i], at[i], 300000);
        /* The second has one less from now on, and gets the next one. */
        close_fds(&at[4], 1);
        ck_assert(is_over(by[4]));
        close_fds(&by[4], 1);
        at[4] = qemu(0);
        by[4] = handed(1, 0);
        comes_through(at[4], by[4], 5000);
        close_fds(at, 6);
        close_fds(by, 6);
        end();
    }
END_TEST

START_TEST(whoever_sends_waits_for_a_peer_that_reads_slowly_and_others_do_not)
    {
        const int64_t until = now_ms() + PATIENCE_MS;
        size_t sent = 0, came = 0, most;
        int fast[2], slow[2];

        begin(2);
        slow[0] = qemu(0);
        slow[1] = handed(0, 0);
        arrives(slow[0], slow[1]);
        fast[0] = qemu(0);
        fast[1] = handed(1, 0);
        /* Until nothing more was taken for a while. */
        do
            while (send_more(slow[0], &sent))
                ck_assert_uint_lt(sent, (size_t)16 << 20);
        while (is_heard(slow[0], POLLOUT, 200));
        most = sent;
        ck_assert_uint_gt(most, 0);
        comes_through(fast[0], fast[1], (size_t)2 << 20);
        ck_assert(!send_more(slow[0], &sent));
        while (came < most + ((size_t)2 << 20)) {
            ck_assert_int_lt(now_ms(), until);
            (void)send_more(slow[0], &sent);
            if (!take_more(slow[1], &came))
                (void)is_heard(slow[1], POLLIN, 20);
        }
        close_fds(slow, 2);
        close_fds(fast, 2);
        end();
    }
END_TEST

START_TEST(the_end_of_one_direction_is_passed_on_behind_all_before_it_and_the_other_goes_on)
    {
        size_t sent = 0, came = 0;
        int at, by;

        begin(2);
        at = qemu(0);
        by = handed(0, 0);
        while (send_more(at, &sent) && sent < 100000)
            ;
        ck_assert_int_eq(shutdown(at, SHUT_WR), 0);
        while (came < sent) {
            ck_assert(is_heard(by, POLLIN, PATIENCE_MS));
            (void)take_more(by, &came);
        }
        ck_assert(is_over(by));
        comes_through(by, at, 300000);
        close_fds(&by, 1);
        ck_assert(is_over(at));
        close_fds(&at, 1);
        end();
    }
END_TEST

static const struct {
    bool qemu_goes, is_sending;
} cuts[] = { { false, true }, { false, false }, { true, true }, { true, false } };

START_TEST(a_side_that_goes_in_the_middle_takes_the_other_with_it_and_no_one_else)
    {
        size_t sent = 0;
        int pair[2], others[2];

        begin(2);
        pair[0] = qemu(0);
        pair[1] = handed(0, 0);
        arrives(pair[0], pair[1]);
        others[0] = qemu(0);
        others[1] = handed(1, 0);
        if (cuts[_i].is_sending)
            do
                while (send_more(pair[cuts[_i].qemu_goes ? 1 : 0], &sent))
                    ;
            while (is_heard(pair[cuts[_i].qemu_goes ? 1 : 0], POLLOUT, 100));
        close_fds(&pair[cuts[_i].qemu_goes ? 0 : 1], 1);
        ck_assert(no_longer_takes(pair[cuts[_i].qemu_goes ? 1 : 0]));
        ck_assert(is_over(pair[cuts[_i].qemu_goes ? 1 : 0]));
        comes_through(others[0], others[1], 300000);
        close_fds(&pair[cuts[_i].qemu_goes ? 1 : 0], 1);
        close_fds(others, 2);
        end();
    }
END_TEST

/* In hundredths of a second. */
static unsigned long processor_time_of(pid_t pid)
{
    char path[64], line[1024], *at;
    unsigned long user;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_int_eq(fclose(file), 0);
    at = strrchr(line, ')');
    for (int i = 0; i < 12; i++) {
        ck_assert_ptr_nonnull(at);
        at = strchr(at + 1, ' ');
    }
    ck_assert_ptr_nonnull(at);
    user = strtoul(at, &at, 10);
    return user + strtoul(at, NULL, 10);
}

/* What the dead one sent is still to be passed on, and its end is told by poll each time. */
START_TEST(one_that_is_gone_while_the_other_does_not_read_costs_no_processor)
    {
        unsigned long before;
        size_t sent = 0, came = 0;
        int at, by;

        begin(2);
        at = qemu(0);
        by = handed(0, 0);
        do
            while (send_more(at, &sent))
                ;
        while (is_heard(at, POLLOUT, 100));
        close_fds(&at, 1);
        (void)usleep(50000);
        before = processor_time_of(child);
        (void)usleep(400000);
        ck_assert_uint_le(processor_time_of(child), before + 10);
        while (came < sent) {
            ck_assert(is_heard(by, POLLIN, PATIENCE_MS));
            (void)take_more(by, &came);
        }
        ck_assert(is_over(by));
        close_fds(&by, 1);
        end();
    }
END_TEST

START_TEST(where_an_ssh_is_gone_another_gets_the_connection_and_where_all_are_nobody)
    {
        int at, by;

        begin(2);
        close_fds(ssh[0], RELAY_SERVICES);
        at = qemu(0);
        by = handed(1, 0);
        comes_through(at, by, 5000);
        close_fds(ssh[1], RELAY_SERVICES);
        close_fds(&by, 1);
        ck_assert(is_over(at));
        close_fds(&at, 1);
        at = qemu(0);
        ck_assert(is_over(at));
        close_fds(&at, 1);
        end();
    }
END_TEST

START_TEST(more_connections_than_it_has_room_for_wait_for_their_turn)
    {
        const unsigned n = PAIRS_MOST + 20;
        int at[PAIRS_MOST + 20], by[PAIRS_MOST + 20];

        begin(1);
        for (unsigned i = 0; i < n; i++)
            at[i] = qemu(1);
        for (unsigned i = 0; i < PAIRS_MOST; i++)
            by[i] = handed(0, 1);
        ck_assert(!is_heard(ssh[0][1], POLLIN, 100));
        for (unsigned i = 0; i < 20; i++) {
            close_fds(&at[i], 1);
            close_fds(&by[i], 1);
        }
        for (unsigned i = 0; i < 20; i++)
            by[i] = handed(0, 1);
        comes_through(at[n - 1], by[19], 5000);
        close_fds(at + 20, n - 20);
        close_fds(by, PAIRS_MOST);
        end();
    }
END_TEST

START_TEST(its_sockets_are_open_to_us_alone_and_never_taken_from_another)
    {
        const struct relay same = { .n = 0 };
        struct stat st;
        struct relay again;

        begin(2);
        for (unsigned k = 0; k < RELAY_SERVICES; k++) {
            ck_assert_int_eq(lstat(r.here[k], &st), 0);
            ck_assert_uint_eq(st.st_mode & 0777u, 0600);
        }
        again = r;
        (void)snprintf(again.here[0], sizeof again.here[0], "%s/another", scratch);
        (void)snprintf(again.here[1], sizeof again.here[1], "%s", r.there[0][0]); /* another's */
        ck_assert_int_eq(relay_begin(&again), EADDRINUSE);
        ck_assert_int_eq(child, 0);
        ck_assert_int_lt(access(again.here[0], F_OK), 0);
        ck_assert_int_eq(access(r.there[0][0], F_OK), 0);
        ck_assert_uint_eq(begun.n, same.n);
        end();
    }
END_TEST

START_TEST(its_end_is_told_once_it_was_not_ours)
    {
        const int64_t until = now_ms() + PATIENCE_MS;
        pid_t was;
        long pid;
        int code, at;

        begin(2);
        at = qemu(0);
        ck_assert(!relay_has_ended(&code, &pid));
        was = child;
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        while (!relay_has_ended(&code, &pid) && now_ms() < until)
            (void)usleep(2000);
        ck_assert_int_eq(code, 128 + SIGKILL);
        ck_assert_int_eq(pid, was);
        ck_assert(is_over(at));
        close_fds(&at, 1);
        end();
        begin(2);
        end();
        ck_assert(!relay_has_ended(&code, &pid));
    }
END_TEST

START_TEST(it_dies_with_the_process_that_asked_for_it)
    {
        const int64_t until = now_ms() + PATIENCE_MS;
        pid_t pid;
        int status, at;

        (void)snprintf(scratch, sizeof scratch, "/tmp/ssh-relay-test.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(scratch));
        r = (struct relay){ .n = 1 };
        for (unsigned k = 0; k < RELAY_SERVICES; k++)
            place_socket(scratch, k, "", r.here[k]);
        pid = fork();
        if (pid == 0) {
            ck_assert_int_eq(relay_begin(&r), 0);
            (void)kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        while ((at = connect_to(r.here[0])) >= 0 && now_ms() < until) {
            close_fds(&at, 1);
            (void)usleep(2000);
        }
        ck_assert_int_lt(at, 0);
        for (unsigned k = 0; k < RELAY_SERVICES; k++)
            ck_assert_int_eq(unlink(r.here[k]), 0);
        ck_assert_int_eq(rmdir(scratch), 0);
    }
END_TEST

TEST_MAIN("plugin/ssh-relay", all_of_ram_wait_until_the_first_has_arrived_and_disks_do_not,
          each_connection_goes_to_the_ssh_that_has_fewest,
          whoever_sends_waits_for_a_peer_that_reads_slowly_and_others_do_not,
          the_end_of_one_direction_is_passed_on_behind_all_before_it_and_the_other_goes_on,
          LOOP(a_side_that_goes_in_the_middle_takes_the_other_with_it_and_no_one_else, TEST_ROWS(cuts)),
          one_that_is_gone_while_the_other_does_not_read_costs_no_processor,
          where_an_ssh_is_gone_another_gets_the_connection_and_where_all_are_nobody,
          more_connections_than_it_has_room_for_wait_for_their_turn,
          its_sockets_are_open_to_us_alone_and_never_taken_from_another, its_end_is_told_once_it_was_not_ours,
          it_dies_with_the_process_that_asked_for_it)
