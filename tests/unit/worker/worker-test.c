/* SPDX-License-Identifier: Apache-2.0
 * Worker processes with verbs of this test: answers in order, time limits, death, the journal, and rubbish.
 */
#include "worker-bench.h"

static int no_children(void)
{
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

START_TEST(a_question_is_answered_with_what_the_verb_gave)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED_JSON reply = NULL;

        ck_assert_str_eq(worker_host(w), "hostA");
        ck_assert_int_eq(worker_do(w, "echo", json_pack("{ss}", "a", "b"), WELL_MS, &reply, &failed), 0);
        ck_assert_str_eq(json_text(json_child(reply, "echo"), "a", ""), "b");
        ck_assert_int_eq(worker_do(w, "sleep", NULL, WELL_MS, NULL, &failed),
                         0); /* no arguments, no interest */
        worker_free(HAND_OVER(w));
        ck_assert(no_children());
        loop_end();
    }
END_TEST

START_TEST(a_verb_that_fails_and_one_that_is_not_there_are_errors)
    {
        OWNED(worker) w = start(NULL, NULL);

        ck_assert_int_eq(worker_do(w, "fail", NULL, WELL_MS, NULL, &failed), -ERROR_SPACE);
        ck_assert_str_eq(failed.what, "no room for 'vda'");
        ck_assert_str_eq(failed.host, "hostA");
        ck_assert_str_eq(failed.fix, "Make room.");
        ck_assert_int_eq(worker_do(w, "none", NULL, WELL_MS, NULL, &failed), -ERROR_INPUT);
        ck_assert_int_eq(worker_do(w, "sleep", NULL, WELL_MS, NULL, &failed), 0); /* and it goes on */
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(answers_come_in_the_order_of_the_questions)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED(call) slow = ask(w, "sleep", json_pack("{si}", "ms", 100), WELL_MS);
        OWNED(call) second = ask(w, "echo", json_pack("{si}", "n", 2), WELL_MS);
        OWNED(call) third = ask(w, "echo", json_pack("{si}", "n", 3), WELL_MS);
        OWNED_JSON reply = NULL;

        ck_assert(!call_is_over(slow));
        ck_assert_int_eq(call_wait(third, &reply, &failed), 0);
        ck_assert_uint_eq(json_u64(json_child(reply, "echo"), "n", 0), 3);
        ck_assert(call_is_over(slow) && call_is_over(second));
        json_decref(reply);
        reply = NULL;
        ck_assert_int_eq(call_wait(second, &reply, &failed), 0);
        ck_assert_uint_eq(json_u64(json_child(reply, "echo"), "n", 0), 2);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(an_answer_that_nobody_waits_for_any_more_is_dropped)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED_JSON reply = NULL;

        call_free(ask(w, "sleep", json_pack("{si}", "ms", 30), WELL_MS));
        ck_assert_int_eq(worker_do(w, "echo", json_pack("{si}", "n", 2), WELL_MS, &reply, &failed), 0);
        ck_assert_uint_eq(json_u64(json_child(reply, "echo"), "n", 0), 2);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

#ifdef FERRY_FAULTS
#define MORE_TIME 0
#else
#define MORE_TIME (-ERROR_TIMEOUT)
#endif

START_TEST(hosts_of_a_test_may_be_given_more_time_and_in_a_release_none_are)
    {
        OWNED(worker) w = start(NULL, NULL);

        ck_assert_int_eq(setenv("VIRT_FERRY_PATIENCE", "1000", 1), 0);
        OWNED(call) slow = ask(w, "sleep", json_pack("{si}", "ms", 200), 20);

        ck_assert_int_eq(call_wait(slow, NULL, &failed), MORE_TIME);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(a_question_out_of_time_kills_the_worker_and_all_that_was_asked)
    {
        OWNED(worker) w = start(NULL, NULL);
        pid_t pid = worker_pid(w);
        uint64_t began = loop_now_ms();
        OWNED(call) hangs = ask(w, "sleep", json_pack("{si}", "ms", 60000), 100);
        OWNED(call) behind = ask(w, "echo", NULL, 0);

        ck_assert_int_eq(call_wait(hangs, NULL, &failed), -ERROR_TIMEOUT);
        ck_assert_uint_ge(loop_now_ms() - began, 100);
        ck_assert_msg(strstr(failed.what, "'sleep'") != NULL, "%s", failed.what);
        ck_assert(call_is_over(behind));
        ck_assert_int_eq(call_wait(behind, NULL, &failed), -ERROR_TIMEOUT);
        ck_assert_int_eq(kill(pid, 0), -1);
        ck_assert(no_children());
        ck_assert_ptr_null(worker_ask(w, "echo", NULL, 0, &failed));
        ck_assert_int_eq(failed.code, ERROR_CONNECTION);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(a_worker_that_dies_answers_every_question_with_an_error)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED(call) before = ask(w, "echo", NULL, 0);
        OWNED(call) dies = ask(w, "die", NULL, 0);
        OWNED(call) behind = ask(w, "echo", NULL, 0);

        ck_assert_int_eq(call_wait(behind, NULL, &failed), -ERROR_CONNECTION);
        ck_assert_int_eq(call_wait(dies, NULL, &failed), -ERROR_CONNECTION);
        ck_assert_str_eq(failed.host, "hostA");
        ck_assert_int_eq(call_wait(before, NULL, &failed), 0); /* this one was answered */
        ck_assert_ptr_null(worker_ask(w, "echo", NULL, 0, &failed));
        worker_free(HAND_OVER(w));
        ck_assert(no_children());
        loop_end();
    }
END_TEST

START_TEST(a_question_outlives_its_worker)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED(call) open = ask(w, "sleep", json_pack("{si}", "ms", 60000), 0);
        OWNED(call) other = ask(w, "echo", NULL, 10);
        uint64_t began = loop_now_ms();

        if (_i == 1)
            worker_kill(w);
        else if (_i == 2)
            worker_strike(w);
        ck_assert_int_eq(call_is_over(open), _i != 0);
        worker_free(HAND_OVER(w));
        ck_assert_uint_lt(loop_now_ms() - began, 50000);
        ck_assert(no_children());
        ck_assert(call_is_over(open));
        ck_assert_int_eq(call_wait(open, NULL, &failed), -ERROR_TIMEOUT);
        loop_pause_ms(20); /* beyond its own limit, with no worker left to kill */
        ck_assert_int_eq(call_wait(other, NULL, &failed), -ERROR_TIMEOUT);
        loop_end();
    }
END_TEST

/* ---- the journal ---- */

struct journal_of_test {
    char path[300];
    int records, refuses_from; /* 0: none of them */
    bool refuses, file_was_there;
};

static int record_one(struct journal_of_test *j, const json_t *record, struct error *err)
{
    j->records++;
    j->file_was_there = access(json_text(record, "path", ""), F_OK) == 0;
    ck_assert_str_eq(json_text(record, "step", ""), "create");
    ck_assert_str_eq(json_text(record, "path", ""), j->path);
    return j->refuses || (j->refuses_from && j->records >= j->refuses_from)
               ? error_set(err, ERROR_SPACE, NULL, "the disk of the journal is full")
               : 0;
}

static int record(void *context, const json_t *records, struct error *err)
{
    int r = json_is_array(records) ? 0 : record_one(context, records, err);

    for (size_t i = 0; r == 0 && i < json_array_size(records); i++)
        r = record_one(context, json_array_get(records, i), err);
    return r;
}

START_TEST(a_worker_creates_what_stands_in_the_journal_and_nothing_that_it_refused)
    {
        struct journal_of_test j = { .refuses = _i };
        OWNED(worker) w = start(record, &j);

        path_of_none(j.path, sizeof j.path);
        ck_assert_int_eq(worker_do(w, "create", json_pack("{ss}", "path", j.path), WELL_MS, NULL, &failed),
                         j.refuses ? -ERROR_SPACE : 0);
        if (j.refuses)
            ck_assert_str_eq(failed.what, "the disk of the journal is full");
        ck_assert_int_eq(j.records, 1);
        ck_assert(!j.file_was_there);
        ck_assert_int_eq(unlink(j.path), j.refuses ? -1 : 0);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

/* _i: which of the three is refused; 0: none. */
START_TEST(of_several_records_one_that_is_refused_is_enough)
    {
        struct journal_of_test j = { .refuses_from = _i };
        OWNED(worker) w = start(record, &j);

        path_of_none(j.path, sizeof j.path);
        ck_assert_int_eq(
            worker_do(w, "create-of-many", json_pack("{ss}", "path", j.path), WELL_MS, NULL, &failed),
            _i ? -ERROR_SPACE : 0);
        ck_assert_int_eq(j.records, _i ? _i : 3);
        ck_assert_int_eq(unlink(j.path), _i ? -1 : 0);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(without_a_journal_nothing_is_created_until_one_is_given)
    {
        struct journal_of_test j = { .records = 0 };
        OWNED(worker) w = start(NULL, NULL);

        path_of_none(j.path, sizeof j.path);
        ck_assert_int_lt(worker_do(w, "create", json_pack("{ss}", "path", j.path), WELL_MS, NULL, &failed),
                         0);
        ck_assert_int_eq(access(j.path, F_OK), -1);
        worker_journal_to(w, record, &j);
        ck_assert_int_eq(worker_do(w, "create", json_pack("{ss}", "path", j.path), WELL_MS, NULL, &failed),
                         0);
        ck_assert_int_eq(j.records, 1);
        ck_assert_int_eq(unlink(j.path), 0);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(a_question_before_the_journals_word_waits_for_its_turn)
    {
        struct journal_of_test j = { .records = 0 };
        OWNED(worker) w = start(record, &j);

        path_of_none(j.path, sizeof j.path);
        OWNED(call) creates = ask(w, "create", json_pack("{ss}", "path", j.path), WELL_MS);
        OWNED(call) between = ask(w, "echo", NULL, WELL_MS);
        ck_assert_int_eq(call_wait(creates, NULL, &failed), 0);
        ck_assert_int_eq(j.records, 1);
        ck_assert_int_eq(access(j.path, F_OK), 0);
        ck_assert_int_eq(call_wait(between, NULL, &failed), 0);
        ck_assert_int_eq(unlink(j.path), 0);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

/* ---- sizes and rubbish ---- */

static json_t *args_of(size_t n)
{
    OWNED_MEMORY char *text = calloc(1, n + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    return json_pack("{ss}", "text", text);
}

START_TEST(a_mib_goes_there_and_back)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED_JSON reply = NULL;
        OWNED_JSON args = args_of(1u << 20);

        ck_assert_int_eq(worker_do(w, "echo", json_incref(args), WELL_MS, &reply, &failed), 0);
        ck_assert(json_equal(json_child(reply, "echo"), args));
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(a_question_too_long_is_refused_and_the_next_is_answered)
    {
        OWNED(worker) w = start(NULL, NULL);

        ck_assert_ptr_null(worker_ask(w, "echo", args_of(JSON_MAX_BYTES), 0, &failed));
        ck_assert_int_eq(failed.code, ERROR_INPUT);
        ck_assert_int_eq(worker_do(w, "echo", NULL, WELL_MS, NULL, &failed), 0);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

START_TEST(half_a_question_to_a_worker_that_does_not_read_is_its_end)
    {
        OWNED(worker) w = start(NULL, NULL);
        OWNED(call) busy = ask(w, "sleep", json_pack("{si}", "ms", 60000), 0);

        ck_assert_ptr_null(worker_ask(w, "echo", args_of(4u << 20), 0, &failed));
        ck_assert_ptr_null(worker_ask(w, "echo", NULL, 0, &failed));
        ck_assert_int_eq(failed.code, ERROR_CONNECTION);
        ck_assert_int_eq(call_wait(busy, NULL, &failed), -ERROR_TIMEOUT);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

static const struct {
    const char *bytes;
    int n; /* -1: as many as there are */
    bool is_end;
} rubbish[] = {
    { "not json", -1, true },        { "", -1, true },
    { "", 0x7fffffff, true },        { "[1,2]", -1, false },
    { "\"text\"", -1, true },        { "{\"id\":99,\"reply\":{}}", -1, false }, /* nobody asked that */
    { "{\"reply\":{}}", -1, false },
};

START_TEST(rubbish_from_a_worker_is_never_an_answer)
    {
        OWNED(worker) w = start(NULL, NULL);
        json_t *args = json_pack("{ss}", "bytes", rubbish[_i].bytes);
        int r;

        if (rubbish[_i].n >= 0)
            ck_assert_int_eq(json_put_u64(args, "n", (uint64_t)rubbish[_i].n), 0);
        r = worker_do(w, "rubbish", args, WELL_MS, NULL, &failed);
        ck_assert_int_eq(r, rubbish[_i].is_end ? -ERROR_INPUT : 0);
        OWNED(call) next = worker_ask(w, "echo", NULL, WELL_MS, &failed);
        ck_assert_int_eq(next == NULL, rubbish[_i].is_end);
        if (next)
            ck_assert_int_eq(call_wait(next, NULL, &failed), 0);
        worker_free(HAND_OVER(w));
        ck_assert(no_children());
        loop_end();
    }
END_TEST

START_TEST(an_answer_of_neither_kind_is_an_error)
    {
        OWNED(worker) w = start(NULL, NULL);

        ck_assert_int_eq(
            worker_do(w, "rubbish", json_pack("{ss}", "bytes", "{\"id\":1}"), WELL_MS, NULL, &failed),
            -ERROR_CONNECTION);
        ck_assert_msg(strstr(failed.what, "with nothing") != NULL, "%s", failed.what);
        worker_free(HAND_OVER(w));
        loop_end();
    }
END_TEST

TEST_MAIN("worker/worker", a_question_is_answered_with_what_the_verb_gave,
          a_verb_that_fails_and_one_that_is_not_there_are_errors, answers_come_in_the_order_of_the_questions,
          an_answer_that_nobody_waits_for_any_more_is_dropped,
          a_question_out_of_time_kills_the_worker_and_all_that_was_asked,
          hosts_of_a_test_may_be_given_more_time_and_in_a_release_none_are,
          a_worker_that_dies_answers_every_question_with_an_error, LOOP(a_question_outlives_its_worker, 3),
          LOOP(a_worker_creates_what_stands_in_the_journal_and_nothing_that_it_refused, 2),
          LOOP(of_several_records_one_that_is_refused_is_enough, 4),
          without_a_journal_nothing_is_created_until_one_is_given,
          a_question_before_the_journals_word_waits_for_its_turn, a_mib_goes_there_and_back,
          a_question_too_long_is_refused_and_the_next_is_answered,
          half_a_question_to_a_worker_that_does_not_read_is_its_end,
          LOOP(rubbish_from_a_worker_is_never_an_answer, TEST_ROWS(rubbish)),
          an_answer_of_neither_kind_is_an_error)
