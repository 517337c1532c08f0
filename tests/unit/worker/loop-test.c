/* SPDX-License-Identifier: Apache-2.0
 * The parent's loop: who is called when, what a handler may remove, how many fit, and the user's signals. */
#include "check-main.h"
#include "worker/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MOST 63 /* of the table of 64 the loop itself needs one */

struct seen {
    struct loop *loop;
    int fd, calls, removes; /* removes: a descriptor that goes when this one is called, or -1 */
    uint32_t events;
};

static void on_event(void *context, uint32_t events)
{
    struct seen *s = context;

    s->calls++;
    s->events = events;
    if (s->removes >= 0)
        loop_remove(s->loop, s->removes);
}

static struct loop *new_loop(void)
{
    struct error err = { 0 };
    struct loop *l = loop_new(&err);

    ck_assert_msg(l != NULL, "%s", err.what);
    return l;
}

static void step(struct loop *l, int timeout_ms)
{
    struct error err = { 0 };

    ck_assert_msg(loop_step(l, timeout_ms, &err) == 0, "%s", err.what);
}

/* A pair of sockets, of which the first is watched. */
static void watch_pair(struct loop *l, int pair[2], struct seen *s)
{
    struct error err = { 0 };

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *s = (struct seen){ .loop = l, .fd = pair[0], .removes = -1 };
    ck_assert_int_eq(loop_add(l, pair[0], EPOLLIN, on_event, s, &err), 0);
}

static void close_pair(int pair[2])
{
    (void)close(pair[0]);
    (void)close(pair[1]);
}

START_TEST(a_handler_is_called_when_its_descriptor_is_ready_and_not_before)
    {
        OWNED(loop) l = new_loop();
        struct seen s;
        int pair[2];

        watch_pair(l, pair, &s);
        step(l, 0);
        ck_assert_int_eq(s.calls, 0);
        ck_assert_int_eq(write(pair[1], "x", 1), 1);
        step(l, 1000);
        ck_assert_int_eq(s.calls, 1);
        ck_assert(s.events & EPOLLIN);
        step(l, 0); /* level: nobody read it */
        ck_assert_int_eq(s.calls, 2);
        loop_remove(l, pair[0]);
        step(l, 0);
        ck_assert_int_eq(s.calls, 2);
        close_pair(pair);
    }
END_TEST

START_TEST(what_is_watched_for_can_change)
    {
        OWNED(loop) l = new_loop();
        struct error err = { 0 };
        struct seen s;
        int pair[2];

        watch_pair(l, pair, &s);
        ck_assert_int_eq(loop_change(l, pair[0], EPOLLIN | EPOLLOUT, &err), 0);
        step(l, 0);
        ck_assert_uint_eq(s.events, EPOLLOUT);
        ck_assert_int_eq(loop_change(l, pair[0], EPOLLIN, &err), 0);
        step(l, 0);
        ck_assert_int_eq(s.calls, 1);
        ck_assert_int_lt(loop_change(l, pair[1], EPOLLIN, &err), 0); /* not watched */
        close_pair(pair);
    }
END_TEST

START_TEST(a_peer_that_hangs_up_is_told_though_nobody_asked)
    {
        OWNED(loop) l = new_loop();
        struct error err = { 0 };
        struct seen s;
        int pair[2];

        watch_pair(l, pair, &s);
        ck_assert_int_eq(loop_change(l, pair[0], 0, &err), 0);
        (void)close(pair[1]);
        step(l, 1000);
        ck_assert(s.events & EPOLLHUP);
        (void)close(pair[0]);
    }
END_TEST

START_TEST(a_handler_may_remove_another_of_the_same_round)
    {
        OWNED(loop) l = new_loop();
        struct seen a, b;
        int one[2], two[2];

        watch_pair(l, one, &a);
        watch_pair(l, two, &b);
        a.removes = two[0];
        b.removes = one[0];
        ck_assert_int_eq(write(one[1], "x", 1), 1);
        ck_assert_int_eq(write(two[1], "x", 1), 1);
        step(l, 1000);
        ck_assert_int_eq(a.calls + b.calls, 1);
        step(l, 0);
        ck_assert_int_eq(a.calls + b.calls, 2); /* the one that was left */
        close_pair(one);
        close_pair(two);
    }
END_TEST

START_TEST(a_handler_may_remove_itself)
    {
        OWNED(loop) l = new_loop();
        struct seen s;
        int pair[2];

        watch_pair(l, pair, &s);
        s.removes = pair[0];
        ck_assert_int_eq(write(pair[1], "x", 1), 1);
        step(l, 1000);
        step(l, 0);
        ck_assert_int_eq(s.calls, 1);
        loop_remove(l, pair[0]); /* again, and one that never was: nothing */
        loop_remove(l, -1);
        loop_remove(l, 1000);
        close_pair(pair);
    }
END_TEST

START_TEST(sixty_three_fit_and_one_more_is_refused)
    {
        OWNED(loop) l = new_loop();
        static struct seen s[MOST + 1];
        static int pairs[MOST + 1][2];
        struct error err = { 0 };
        int calls = 0;

        for (int i = 0; i < MOST; i++)
            watch_pair(l, pairs[i], &s[i]);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[MOST]), 0);
        ck_assert_int_lt(loop_add(l, pairs[MOST][0], EPOLLIN, on_event, &s[MOST], &err), 0);
        ck_assert_msg(strstr(err.what, "too many") != NULL, "%s", err.what);
        loop_remove(l, pairs[0][0]);
        s[MOST] = (struct seen){ .loop = l, .removes = -1 };
        ck_assert_int_eq(loop_add(l, pairs[MOST][0], EPOLLIN, on_event, &s[MOST], &err), 0);
        /* More than one round of epoll holds, and none starves. */
        for (int i = 0; i <= MOST; i++)
            ck_assert_int_eq(write(pairs[i][1], "x", 1), 1);
        for (int i = 0; i < 8; i++)
            step(l, 0);
        for (int i = 1; i <= MOST; i++)
            calls += s[i].calls > 0;
        ck_assert_int_eq(calls, MOST);
        ck_assert_int_eq(s[0].calls, 0);
        for (int i = 0; i <= MOST; i++)
            close_pair(pairs[i]);
    }
END_TEST

START_TEST(what_cannot_be_watched_takes_no_place)
    {
        OWNED(loop) l = new_loop();
        struct error err = { 0 };
        struct seen s = { .removes = -1 }, again;
        int pair[2], file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(file, 0);
        for (int i = 0; i < 100; i++)
            ck_assert_int_lt(loop_add(l, file, EPOLLIN, on_event, &s, &err), 0);
        watch_pair(l, pair, &again);
        ck_assert_int_lt(loop_add(l, pair[0], EPOLLIN, on_event, &s, &err), 0); /* one handler a descriptor */
        ck_assert_int_eq(write(pair[1], "x", 1), 1);
        step(l, 1000);
        ck_assert_int_eq(again.calls, 1);
        ck_assert_int_eq(s.calls, 0);
        close_pair(pair);
        (void)close(file);
    }
END_TEST

START_TEST(a_step_waits_as_long_as_it_is_told)
    {
        OWNED(loop) l = new_loop();
        uint64_t began = loop_now_ms();

        step(l, 0);
        ck_assert_uint_lt(loop_now_ms() - began, 50);
        began = loop_now_ms();
        step(l, 60);
        ck_assert_uint_ge(loop_now_ms() - began, 59);
        began = loop_now_ms();
        loop_pause_ms(30);
        ck_assert_uint_ge(loop_now_ms() - began, 29);
    }
END_TEST

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(a_signal_of_the_user_is_counted_and_not_delivered)
    {
        OWNED(loop) l = new_loop();

        ck_assert_uint_eq(loop_interrupts(l), 0);
        for (unsigned n = 1; n <= 3; n++) {
            ck_assert_int_eq(raise(signals[_i]), 0);
            step(l, 1000);
            ck_assert_uint_eq(loop_interrupts(l), n);
        }
    }
END_TEST

struct told {
    int leaves, slows;
    char what[80];
};

static void on_leave(void *context)
{
    ((struct told *)context)->leaves++;
}

static void on_slow(void *context, const char *what)
{
    struct told *t = context;

    t->slows++;
    (void)snprintf(t->what, sizeof t->what, "%s", what);
}

START_TEST(the_second_ctrl_c_leaves_and_no_other_signal_does)
    {
        OWNED(loop) l = new_loop();
        struct told t = { 0 };

        loop_tell(l, on_leave, on_slow, &t);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(raise(SIGTERM), 0);
            step(l, 1000);
        }
        ck_assert_int_eq(raise(SIGINT), 0);
        step(l, 1000);
        ck_assert_int_eq(t.leaves, 0);
        ck_assert_int_eq(raise(SIGINT), 0);
        step(l, 1000);
        ck_assert_int_eq(t.leaves, 1);
        ck_assert_uint_eq(loop_interrupts(l), 5);
    }
END_TEST

START_TEST(what_goes_on_two_seconds_after_a_wish_to_stop_is_told_once)
    {
        OWNED(loop) l = new_loop();
        struct told t = { 0 };
        uint64_t began = loop_now_ms();

        loop_tell(l, on_leave, on_slow, &t);
        ck_assert_str_eq(loop_waits_for(l, "hostB to answer"), "");
        step(l, 10);
        ck_assert_int_eq(raise(SIGTERM), 0);
        step(l, 1000);
        while (t.slows == 0 && loop_now_ms() - began < 10000)
            step(l, -1); /* it does not sleep past the moment */
        ck_assert_int_eq(t.slows, 1);
        ck_assert_str_eq(t.what, "hostB to answer");
        ck_assert_uint_ge(loop_now_ms() - began, LOOP_SLOW_MS);
        step(l, 20);
        ck_assert_int_eq(t.slows, 1);
        ck_assert_str_eq(loop_waits_for(l, ""), "hostB to answer");
    }
END_TEST

START_TEST(a_process_that_was_stopped_knows_it_before_the_next_step)
    {
        OWNED(loop) l = new_loop();
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            const unsigned before = loop_stops(l);

            (void)raise(SIGSTOP);
            _exit(before == 0 && loop_stops(l) == 1 && loop_stops(l) == 1 && loop_interrupts(l) == 0 ? 7 : 1);
        }
        ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
        ck_assert(WIFSTOPPED(status));
        ck_assert_int_eq(kill(pid, SIGCONT), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %x", (unsigned)status);
    }
END_TEST

static int end_of_child(bool leaves)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        (void)signal(SIGTERM, SIG_DFL); /* Check has a handler of its own */
        if (leaves)
            loop_leave_child();
        (void)raise(SIGTERM);
        _exit(7);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(a_child_that_left_the_loop_and_a_process_after_it_die_of_signals_again)
    {
        struct loop *l = new_loop();
        int status = end_of_child(false);

        ck_assert(WIFEXITED(status)); /* still blocked */
        status = end_of_child(true);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        loop_free(l);
        status = end_of_child(false);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        loop_free(NULL);
    }
END_TEST

START_TEST(a_second_signal_does_not_end_the_process_once_the_loop_is_gone)
    {
        struct loop *l = new_loop();
        pid_t pid;
        int status;

        ck_assert_int_eq(raise(SIGHUP), 0);
        step(l, 1000);
        pid = fork();
        if (pid == 0) {
            (void)signal(SIGHUP, SIG_DFL);
            (void)raise(SIGHUP);
            loop_free(l);
            _exit(7);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %x", (unsigned)status);
        loop_free(l);
    }
END_TEST

TEST_MAIN("worker/loop", a_handler_is_called_when_its_descriptor_is_ready_and_not_before,
          what_is_watched_for_can_change, a_peer_that_hangs_up_is_told_though_nobody_asked,
          a_handler_may_remove_another_of_the_same_round, a_handler_may_remove_itself,
          sixty_three_fit_and_one_more_is_refused, what_cannot_be_watched_takes_no_place,
          a_step_waits_as_long_as_it_is_told,
          LOOP(a_signal_of_the_user_is_counted_and_not_delivered, TEST_ROWS(signals)),
          the_second_ctrl_c_leaves_and_no_other_signal_does,
          what_goes_on_two_seconds_after_a_wish_to_stop_is_told_once,
          a_process_that_was_stopped_knows_it_before_the_next_step,
          a_child_that_left_the_loop_and_a_process_after_it_die_of_signals_again,
          a_second_signal_does_not_end_the_process_once_the_loop_is_gone)
