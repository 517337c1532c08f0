/* SPDX-License-Identifier: Apache-2.0
 * The gate between a client and a daemon that are both played here, in one thread: what passes, byte for
 * byte, what is held, what closes it, and who is let in. */
#include "gate-bench.h"
#include "worker/sockets.h"

#include <poll.h>
#include <sys/wait.h>

static const uint32_t performs[] = { PERFORM, PERFORM_PARAMS }, confirms[] = { CONFIRM, CONFIRM_PARAMS };

/* ---- what passes ---- */

START_TEST(ordinary_traffic_passes_byte_for_byte)
    {
        BENCH b = bench_connected();

        for (size_t words = 0; words < 100; words++) {
            passes(&b, b.client, b.server, message_of(GET_STATE, CALL, 0, words, 1));
            passes(&b, b.server, b.client, message_of(GET_STATE, REPLY, words % 2, words, 1));
            passes(&b, b.client, b.server, message_of(GET_STATE, STREAM, 2, words, 1));
        }
        passes(&b, b.server, b.client, keepalive());
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_message_in_single_bytes_arrives_whole)
    {
        BENCH b = bench_connected();
        struct message m = message_of(GET_STATE, CALL, 0, 9, 3);

        for (size_t i = 0; i < m.n; i++) {
            send_bytes(b.client, m.bytes + i, 1);
            turn(&b, 1);
            if (i + 1 < m.n)
                ck_assert_int_eq(recv(b.server, (char[1]){ 0 }, 1, 0), -1);
        }
        arrives(&b, b.server, m.bytes, m.n);
    }
END_TEST

START_TEST(five_messages_in_one_write_arrive_in_order)
    {
        BENCH b = bench_connected();
        char all[4096];
        size_t n = 0;

        for (uint32_t i = 0; i < 5; i++) {
            struct message m = message_of(GET_STATE + i, CALL, 0, i * 3, i);

            memcpy(all + n, m.bytes, m.n);
            n += m.n;
        }
        send_bytes(b.client, all, n);
        arrives(&b, b.server, all, n);
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_message_of_one_mib_passes_to_a_reader_that_is_slow)
    {
        BENCH b = bench_connected();
        size_t n = 1u << 20, sent = 0, got = 0;
        OWNED_MEMORY char *out = calloc(1, n), *in = calloc(1, n);
        uint32_t head[7] = { htonl((uint32_t)n), htonl(QEMU_PROGRAM), htonl(1), htonl(GET_STATE) };

        ck_assert(out && in);
        for (size_t i = sizeof head; i < n; i++)
            out[i] = (char)(i * 31u >> 3);
        memcpy(out, head, sizeof head);
        for (int i = 0; i < 5000 && got < n; i++) {
            ssize_t r = sent < n ? send(b.client, out + sent, n - sent, MSG_NOSIGNAL) : 0;

            sent += r > 0 ? (size_t)r : 0;
            turn(&b, 1);
            r = sent == n ? recv(b.server, in + got, n - got < 20000 ? n - got : 20000, 0) : 0;
            got += r > 0 ? (size_t)r : 0;
        }
        ck_assert_uint_eq(got, n);
        ck_assert_mem_eq(in, out, n);
    }
END_TEST

/* ---- what is held ---- */

START_TEST(a_cancelled_confirm_before_a_perform_passes)
    {
        BENCH b = bench_connected();

        passes(&b, b.client, b.server, confirm_of(confirms[_i], 1));
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(after_a_successful_perform_a_cancelled_confirm_is_held_and_all_else_passes)
    {
        BENCH b = bench_connected();
        struct message confirm = confirm_of(confirms[_i / 2], 1);

        succeed_perform(&b, performs[_i % 2]);
        passes(&b, b.client, b.server, message_of(GET_STATE, CALL, 0, 4, 1));
        ck_assert(!gate_is_holding(b.gate));
        send_message(b.client, &confirm);
        nothing_arrives(&b, b.server);
        ck_assert(gate_is_holding(b.gate));
        passes(&b, b.client, b.server, keepalive());
        passes(&b, b.server, b.client, keepalive());
        passes(&b, b.client, b.server, message_of(GET_STATE, CALL, 0, 4, 1));
        ck_assert(gate_is_holding(b.gate));
        gate_let_through(b.gate);
        ck_assert(!gate_is_holding(b.gate));
        arrives(&b, b.server, confirm.bytes, confirm.n);
        passes(&b, b.server, b.client, message_of(confirms[_i / 2], REPLY, 0, 0, 0));
    }
END_TEST

START_TEST(any_verdict_but_zero_is_a_cancelled_one)
    {
        static const uint32_t verdicts[] = { 1, 2, 0x80000000u, 0xffffffffu, 0x01000000u };
        BENCH b = bench_connected();
        struct message m = confirm_of(CONFIRM_PARAMS, verdicts[_i]);

        succeed_perform(&b, PERFORM_PARAMS);
        send_message(b.client, &m);
        nothing_arrives(&b, b.server);
        ck_assert(gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_confirm_in_single_bytes_is_held_as_well)
    {
        BENCH b = bench_connected();
        struct message m = confirm_of(CONFIRM_PARAMS, 1);

        succeed_perform(&b, PERFORM_PARAMS);
        for (size_t i = 0; i < m.n; i++) {
            send_bytes(b.client, m.bytes + i, 1);
            turn(&b, 1);
        }
        nothing_arrives(&b, b.server);
        ck_assert(gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_confirm_of_success_passes_at_once)
    {
        BENCH b = bench_connected();

        succeed_perform(&b, PERFORM_PARAMS);
        ck_assert(!gate_saw_confirmed(b.gate));
        passes(&b, b.client, b.server, confirm_of(confirms[_i], 0));
        ck_assert(!gate_is_holding(b.gate));
        ck_assert(gate_saw_confirmed(b.gate));
    }
END_TEST

START_TEST(an_error_as_the_answer_to_perform_arms_nothing)
    {
        BENCH b = bench_connected();

        passes(&b, b.client, b.server, message_of(PERFORM_PARAMS, CALL, 0, 8, 7));
        passes(&b, b.server, b.client, message_of(PERFORM_PARAMS, REPLY, 1, 8, 7));
        ck_assert(!gate_saw_performed(b.gate));
        passes(&b, b.client, b.server, confirm_of(CONFIRM_PARAMS, 1));
    }
END_TEST

START_TEST(the_same_numbers_in_another_program_or_type_mean_nothing)
    {
        BENCH b = bench_connected();
        struct message other = message_of(PERFORM_PARAMS, REPLY, 0, 2, 0);
        struct message confirm = confirm_of(CONFIRM_PARAMS, 1);

        put(&other, 4, 0x20008087u);
        passes(&b, b.server, b.client, other);
        passes(&b, b.server, b.client, message_of(PERFORM_PARAMS, EVENT, 0, 2, 0));
        ck_assert(!gate_saw_performed(b.gate));
        succeed_perform(&b, PERFORM_PARAMS);
        put(&confirm, 4, 0x20008087u);
        passes(&b, b.client, b.server, confirm);
        passes(&b, b.client, b.server, message_of(CONFIRM_PARAMS, STREAM, 0, 2, 1));
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_disarmed_gate_holds_nothing)
    {
        BENCH b = bench_connected();

        succeed_perform(&b, PERFORM_PARAMS);
        gate_disarm(b.gate);
        passes(&b, b.client, b.server, confirm_of(CONFIRM_PARAMS, 1));
        ck_assert(!gate_saw_confirmed(b.gate));
    }
END_TEST

START_TEST(closing_drops_what_is_held_and_both_connections)
    {
        BENCH b = bench_connected();
        struct message confirm = confirm_of(CONFIRM_PARAMS, 1);

        succeed_perform(&b, PERFORM_PARAMS);
        send_message(b.client, &confirm);
        turn(&b, 5);
        ck_assert(gate_is_holding(b.gate));
        gate_close(b.gate);
        ck_assert(!gate_is_holding(b.gate));
        ck_assert(!gate_saw_confirmed(b.gate));
        gate_let_through(b.gate); /* too late, and harmless */
        is_closed(&b, b.server);
        is_closed(&b, b.client);
    }
END_TEST

START_TEST(a_client_that_goes_while_its_confirm_is_held_takes_it_along)
    {
        BENCH b = bench_connected();
        struct message confirm = confirm_of(CONFIRM_PARAMS, 1);

        succeed_perform(&b, PERFORM_PARAMS);
        send_message(b.client, &confirm);
        (void)close(b.client);
        b.client = -1;
        is_closed(&b, b.server);
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_daemon_that_goes_closes_the_gate)
    {
        BENCH b = bench_connected();
        uint64_t began = loop_now_ms();
        int rounds = 0;

        (void)close(b.server);
        b.server = -1;
        is_closed(&b, b.client);
        /* Nothing is left that could wake the loop again and again. */
        for (; loop_now_ms() - began < 100; rounds++)
            turn(&b, 1);
        ck_assert_int_lt(rounds, 100);
    }
END_TEST

START_TEST(a_second_confirm_while_one_is_held_closes_the_gate)
    {
        BENCH b = bench_connected();
        struct message confirm = confirm_of(CONFIRM_PARAMS, 1);

        succeed_perform(&b, PERFORM_PARAMS);
        send_message(b.client, &confirm);
        send_message(b.client, &confirm);
        is_closed(&b, b.server);
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

/* ---- what closes it ---- */

START_TEST(a_message_with_descriptors_closes_it)
    {
        BENCH b = bench_connected();
        struct message m = message_of(GET_STATE, _i ? CALL_FDS : REPLY_FDS, 0, 4, 1);

        send_message(_i % 2 ? b.client : b.server, &m);
        is_closed(&b, b.client);
        is_closed(&b, b.server);
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

static const struct {
    uint32_t length;
    bool closes;
} lengths[] = {
    { 0, true },
    { 4, true },
    { 27, true },
    { 28, false },
    { 33554432 + 28, false }, /* the rest is still awaited */
    { 33554432 + 29, true },
    { 0x80000000u, true },
    { 0xffffffffu, true },
};

START_TEST(a_length_outside_libvirts_bounds_closes_it)
    {
        BENCH b = bench_connected();
        struct message m = message_of(GET_STATE, CALL, 0, 0, 0);

        put(&m, 0, lengths[_i].length);
        send_message(b.client, &m);
        if (lengths[_i].closes)
            is_closed(&b, b.server);
        else if (lengths[_i].length == m.n)
            arrives(&b, b.server, m.bytes, m.n);
        else
            nothing_arrives(&b, b.server);
        ck_assert(!gate_is_holding(b.gate));
    }
END_TEST

START_TEST(a_confirm_that_is_not_made_of_words_closes_it)
    {
        BENCH b = bench_connected();
        struct message m = confirm_of(CONFIRM_PARAMS, 0);

        succeed_perform(&b, PERFORM_PARAMS);
        m.n -= _i ? 1u : 12u * 4u; /* a part of a word, or no word at all */
        put(&m, 0, (uint32_t)m.n);
        send_message(b.client, &m);
        is_closed(&b, b.server);
        ck_assert(!gate_saw_confirmed(b.gate));
    }
END_TEST

/* ---- who is let in ---- */

/* A child of its own that connects; its exit code is 0 when it was let in: a message came back. */
static int stranger(struct bench *b)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        int fd = socket_at(gate_path(b->gate), false);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char byte;

        _exit(fd < 0 ? 2 : poll(&p, 1, 2000) != 1 ? 3 : recv(fd, &byte, 1, 0) <= 0 ? 1 : 0);
    }
    for (int i = 0; i < 1000 && waitpid(pid, &status, WNOHANG) == 0; i++)
        turn(b, 1);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(a_stranger_is_refused_and_the_right_one_comes_in_after)
    {
        BENCH b = bench_new();

        ck_assert_int_eq(stranger(&b), 1); /* nobody is admitted yet */
        gate_admit(b.gate, getpid());
        ck_assert_int_eq(stranger(&b), 1);
        ck_assert_int_eq(accept4(b.listener, NULL, NULL, SOCK_CLOEXEC),
                         -1); /* the daemon saw nothing of it */
        b.client = socket_at(gate_path(b.gate), false);
        turn(&b, 3);
        b.server = accept4(b.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ck_assert_int_ge(b.server, 0);
        passes(&b, b.client, b.server, message_of(GET_STATE, CALL, 0, 4, 1));
    }
END_TEST

/* libvirt would see us behind this door. Run by root; a user who runs them meets the same modes. */
START_TEST(another_user_of_this_machine_does_not_reach_the_door)
    {
        BENCH b = bench_new();
        pid_t pid;
        int status = -1;

        if (geteuid() != 0)
            return;
        /* As it is where the folder is not below one of ours: nothing but its own mode is in the way. */
        ck_assert_int_eq(chmod(b.folder, 0711), 0);
        ck_assert_int_eq(chmod(b.runtime, 0711), 0);
        pid = fork();
        if (pid == 0) {
            struct sockaddr_un a = { .sun_family = AF_UNIX };
            int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

            (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", gate_path(b.gate));
            if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
                _exit(1);
            if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno != EACCES)
                _exit(2);
            /* Not for want of the socket's own mode alone: it does not even see the door. */
            _exit(access(a.sun_path, F_OK) < 0 && errno == EACCES ? 0 : 3);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        ck_assert_int_eq(chmod(b.runtime, 0700), 0);
    }
END_TEST

START_TEST(a_second_connection_finds_no_door)
    {
        BENCH b = bench_connected();
        struct stat st;

        ck_assert_int_eq(socket_at(gate_path(b.gate), false), -1);
        ck_assert_int_eq(stat(gate_path(b.gate), &st), -1);
    }
END_TEST

START_TEST(a_closed_gate_lets_nobody_in)
    {
        BENCH b = bench_new();

        gate_admit(b.gate, getpid());
        gate_close(b.gate);
        ck_assert_int_eq(socket_at(gate_path(b.gate), false), -1);
    }
END_TEST

START_TEST(a_daemon_that_does_not_accept_neither_stops_the_loop_nor_opens_the_gate)
    {
        BENCH b = bench_new();
        int fill[64], n = 0;

        while (n < 64 && (fill[n] = socket_at(b.upstream, false)) >= 0)
            n++;
        ck_assert_int_lt(n, 64);
        gate_admit(b.gate, getpid());
        b.client = socket_at(gate_path(b.gate), false);
        is_closed(&b, b.client);
        while (n > 0)
            (void)close(fill[--n]);
    }
END_TEST

/* ---- its place ---- */

static int folders_in(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return (int)st.st_nlink - 2; /* each has its ".." */
}

START_TEST(the_door_stands_in_a_folder_of_ours_alone_and_goes_with_it)
    {
        BENCH b = bench_new();
        char folder[128];
        struct stat st;

        (void)snprintf(folder, sizeof folder, "%s", gate_path(b.gate));
        ck_assert_uint_lt(strlen(folder), 108);
        *strrchr(folder, '/') = '\0';
        ck_assert_int_eq(stat(folder, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);
        ck_assert_int_eq(stat(b.runtime, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);
        gate_free(b.gate);
        b.gate = NULL;
        ck_assert_int_eq(stat(folder, &st), -1);
    }
END_TEST

START_TEST(what_a_killed_run_left_of_its_door_goes_when_the_next_one_opens)
    {
        BENCH b = bench_new();
        char left[SOCKETS_PATH_SIZE];
        struct error err = { 0 };
        struct stat st;
        int status, lock = -1;
        pid_t child = fork();

        if (child == 0)
            _exit(sockets_make(b.runtime, SOCKETS_CLOSED, left, sizeof left, &lock, &err) == 0 && lock >= 0
                      ? 0
                      : 1);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(folders_in(b.runtime), 2);
        gate_free(b.gate);
        b.gate = gate_open(b.loop, b.upstream, false, b.runtime, &err);
        ck_assert_ptr_nonnull(b.gate);
        ck_assert_int_eq(folders_in(b.runtime), 1);
        ck_assert_int_eq(stat(gate_path(b.gate), &st), 0);
    }
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
    {
        BENCH b = bench_new();
        struct error err = { 0 };
        char path[200];

        memset(path, 'a', sizeof path);
        memcpy(path, "/tmp/", 5);
        path[108] = '\0';
        ck_assert_ptr_null(gate_open(b.loop, path, false, b.runtime, &err));
        ck_assert_msg(strstr(err.what, "too long") != NULL, "%s", err.what);
        path[107] = '\0';
        OWNED(gate) fits = gate_open(b.loop, path, false, b.runtime, &err);
        ck_assert_ptr_nonnull(fits);
        ck_assert_ptr_null(gate_open(b.loop, b.upstream, false, path, &err));
    }
END_TEST

START_TEST(the_uri_names_the_door_with_what_is_special_encoded)
    {
        BENCH b = bench_new();
        struct error err = { 0 };
        char odd[64], expected[256];
        OWNED_MEMORY char *plain = gate_uri(b.gate, &err), *special = NULL;

        (void)snprintf(expected, sizeof expected, "qemu+unix:///system?socket=%s", gate_path(b.gate));
        ck_assert_str_eq(plain, expected);
        (void)snprintf(odd, sizeof odd, "%s/a &?#%%=\xc3\xa9", b.folder);
        OWNED(gate) session = gate_open(b.loop, b.upstream, true, odd, &err);
        ck_assert_msg(session != NULL, "%s", err.what);
        special = gate_uri(session, &err);
        (void)snprintf(expected, sizeof expected,
                       "qemu+unix:///session?socket=%s/a%%20%%26%%3F%%23%%25%%3D%%C3%%A9/", b.folder);
        ck_assert_int_eq(strncmp(special, expected, strlen(expected)), 0);
        gate_free(session);
        session = NULL;
        ck_assert_int_eq(rmdir(odd), 0);
    }
END_TEST

TEST_MAIN("handover/gate", ordinary_traffic_passes_byte_for_byte, a_message_in_single_bytes_arrives_whole,
          five_messages_in_one_write_arrive_in_order, a_message_of_one_mib_passes_to_a_reader_that_is_slow,
          LOOP(a_cancelled_confirm_before_a_perform_passes, 2),
          LOOP(after_a_successful_perform_a_cancelled_confirm_is_held_and_all_else_passes, 4),
          LOOP(any_verdict_but_zero_is_a_cancelled_one, 5), a_confirm_in_single_bytes_is_held_as_well,
          LOOP(a_confirm_of_success_passes_at_once, 2), an_error_as_the_answer_to_perform_arms_nothing,
          the_same_numbers_in_another_program_or_type_mean_nothing, a_disarmed_gate_holds_nothing,
          closing_drops_what_is_held_and_both_connections,
          a_client_that_goes_while_its_confirm_is_held_takes_it_along, a_daemon_that_goes_closes_the_gate,
          a_second_confirm_while_one_is_held_closes_the_gate, LOOP(a_message_with_descriptors_closes_it, 2),
          LOOP(a_length_outside_libvirts_bounds_closes_it, TEST_ROWS(lengths)),
          LOOP(a_confirm_that_is_not_made_of_words_closes_it, 2),
          a_stranger_is_refused_and_the_right_one_comes_in_after,
          another_user_of_this_machine_does_not_reach_the_door, a_second_connection_finds_no_door,
          a_closed_gate_lets_nobody_in,
          a_daemon_that_does_not_accept_neither_stops_the_loop_nor_opens_the_gate,
          the_door_stands_in_a_folder_of_ours_alone_and_goes_with_it,
          what_a_killed_run_left_of_its_door_goes_when_the_next_one_opens,
          a_path_too_long_for_a_socket_is_refused, the_uri_names_the_door_with_what_is_special_encoded)
