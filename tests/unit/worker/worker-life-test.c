/* SPDX-License-Identifier: Apache-2.0
 * What a worker inherits from its parent, and which of the two outlives the other. */
#include "worker-bench.h"

START_TEST(the_parents_descriptors_and_its_locks_are_not_in_the_child)
    {
        char path[300], link[64], pipe_name[64] = "";
        int fd, again, pair[2];
        OWNED_JSON reply = NULL;

        path_of_none(path, sizeof path);
        fd = open(path, O_CREAT | O_RDWR, 0600); /* not even marked close-on-exec */
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
        ck_assert_int_eq(pipe(pair), 0);
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", pair[0]);
        ck_assert_int_gt(readlink(link, pipe_name, sizeof pipe_name - 1), 0);
        OWNED(worker) other = start(NULL, NULL);
        OWNED(worker) w = start(NULL, NULL);
        ck_assert_int_eq(worker_do(w, "descriptors", json_pack("{s[ss]}", "paths", path, pipe_name), WELL_MS,
                                   &reply, &failed),
                         0);
        ck_assert_uint_eq(json_u64(reply, "hits", 9), 0);
        /* One that has not answered yet may not have come to closing what it was born with. */
        ck_assert_int_eq(worker_do(other, "sleep", NULL, WELL_MS, NULL, &failed), 0);
        (void)close(fd);
        (void)close(pair[0]);
        (void)close(pair[1]);
        again = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(flock(again, LOCK_EX | LOCK_NB), 0);
        (void)close(again);
        (void)unlink(path);
        worker_free(HAND_OVER(w));
        worker_free(HAND_OVER(other));
        loop_end();
    }
END_TEST

START_TEST(the_trace_goes_on_in_the_child_and_into_nothing_else)
    {
        char path[300], trace[310], line[256] = "";
        struct stat st;
        FILE *file;

        path_of_none(path, sizeof path);
        (void)snprintf(trace, sizeof trace, "%s.trace", path);
        (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ck_assert_int_eq(setenv("VIRT_FERRY_TRACE", trace, 1), 0);
        log_open(trace);
        OWNED(worker) w = start(NULL, NULL);
        ck_assert_int_eq(worker_do(w, "trace", json_pack("{ss}", "path", path), WELL_MS, NULL, &failed), 0);
        log_open(NULL);
        ck_assert_int_eq(unsetenv("VIRT_FERRY_TRACE"), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_size, 0);
        file = fopen(trace, "r");
        while (file && fgets(line, sizeof line, file) && !strstr(line, "traced"))
            ;
        ck_assert_msg(strstr(line, "in the child") != NULL, "%s", line);
        (void)fclose(file);
        (void)unlink(path);
        (void)unlink(trace);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

/* A parent of its own, whose worker is busy; tells the worker's pid. */
static pid_t parent_with_worker(int tell)
{
    pid_t parent = fork();

    if (parent == 0) {
        struct worker *w = start(NULL, NULL);
        pid_t pid = worker_pid(w);

        /* Answered once, it has its own rules in place. */
        if (worker_do(w, "sleep", NULL, WELL_MS, NULL, &failed) < 0)
            _exit(1);
        (void)ask(w, "sleep", json_pack("{si}", "ms", 60000), 0);
        if (write(tell, &pid, sizeof pid) != (ssize_t)sizeof pid)
            _exit(1);
        for (;;)
            (void)pause();
    }
    return parent;
}

START_TEST(no_worker_outlives_a_parent_that_was_killed)
    {
        int pair[2], status = 0;
        pid_t parent, worker = 0, gone = 0;

        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan's end is told to us */
        ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
        parent = parent_with_worker(pair[1]);
        ck_assert_int_eq(read(pair[0], &worker, sizeof worker), (ssize_t)sizeof worker);
        ck_assert_int_eq(kill(worker, 0), 0);
        ck_assert_int_eq(kill(parent, SIGKILL), 0);
        ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
        for (int i = 0; i < 200 && gone != worker; i++) {
            gone = waitpid(worker, &status, WNOHANG);
            loop_pause_ms(10);
        }
        ck_assert_int_eq(gone, worker);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
END_TEST

START_TEST(the_users_signals_do_not_reach_a_worker_through_the_terminal)
    {
        OWNED(worker) w = start(NULL, NULL);

        ck_assert_int_eq(worker_do(w, "sleep", NULL, WELL_MS, NULL, &failed), 0);
        ck_assert_int_eq(getpgid(worker_pid(w)), worker_pid(w));
        ck_assert_int_ne(getpgid(0), worker_pid(w));
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(signals_that_all_processes_of_a_run_get_leave_the_worker_to_its_parent)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED(call) slow = ask(w, "sleep", json_pack("{si}", "ms", 200), WELL_MS);
        const int sent[] = { SIGINT, SIGTERM, SIGHUP };

        for (unsigned i = 0; i < sizeof sent / sizeof sent[0]; i++)
            ck_assert_int_eq(kill(worker_pid(w), sent[i]), 0);
        ck_assert_int_eq(call_wait(slow, NULL, &failed), 0);
        ck_assert_int_eq(worker_do(w, "echo", NULL, WELL_MS, NULL, &failed), 0);
        call_free(HAND_OVER(slow));
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

/* What a worker starts is ended by such signals as any program. */
START_TEST(a_program_of_a_worker_does_not_inherit_its_deafness)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED_JSON reply = NULL;

        ck_assert_int_eq(worker_do(w, "child", NULL, WELL_MS, &reply, &failed), 0);
        ck_assert_uint_eq(json_u64(reply, "signal", 0), SIGTERM);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

TEST_MAIN("worker/worker-life", the_parents_descriptors_and_its_locks_are_not_in_the_child,
          the_trace_goes_on_in_the_child_and_into_nothing_else, no_worker_outlives_a_parent_that_was_killed,
          the_users_signals_do_not_reach_a_worker_through_the_terminal,
          signals_that_all_processes_of_a_run_get_leave_the_worker_to_its_parent,
          a_program_of_a_worker_does_not_inherit_its_deafness)
