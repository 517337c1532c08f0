/* SPDX-License-Identifier: Apache-2.0
 * Frames between parent and worker: whole, in pieces, many at once, too long, and rubbish. */
#include "base/owned.h"
#include "check-main.h"
#include "worker/wire.h"

#include <pthread.h>
#include <sys/socket.h>

struct ends {
    int a, b;
    struct wire_inbox in;
};

static void ends_done(struct ends *e)
{
    wire_inbox_done(&e->in);
    (void)close(e->a);
    if (e->b >= 0)
        (void)close(e->b);
}
#define ENDS __attribute__((cleanup(ends_done))) struct ends

static struct ends ends_new(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    return (struct ends){ .a = pair[0], .b = pair[1] };
}

static json_t *message_of(size_t n)
{
    OWNED_MEMORY char *text = calloc(1, n + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    return json_pack("{ss}", "text", text);
}

static void frame(int fd, uint32_t n, const char *bytes)
{
    ck_assert_int_eq(send(fd, &n, sizeof n, MSG_NOSIGNAL), sizeof n);
    if (*bytes)
        ck_assert_int_eq(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

static void *send_one(void *context)
{
    struct ends *e = context;
    OWNED_JSON m = message_of(1u << 20);
    struct error err = { 0 };

    return wire_send(e->b, m, &err) == 0 ? e : NULL;
}

START_TEST(a_message_of_one_mib_arrives_blocking_and_not)
    {
        ENDS e = ends_new();
        OWNED_JSON sent = message_of(1u << 20);
        OWNED_JSON got = NULL;
        struct error err = { 0 };
        pthread_t thread;
        void *done;

        ck_assert_int_eq(pthread_create(&thread, NULL, send_one, &e), 0);
        if (_i == 0)
            got = wire_receive(e.a, &err);
        while (_i == 1 && !got) {
            ck_assert_int_ge(wire_fill(&e.in, e.a, &err), 0);
            got = wire_next(&e.in, &err);
        }
        ck_assert_msg(got != NULL, "%s", err.what);
        ck_assert(json_equal(sent, got));
        ck_assert_int_eq(pthread_join(thread, &done), 0);
        ck_assert_ptr_nonnull(done);
    }
END_TEST

START_TEST(a_frame_in_single_bytes_is_a_message_only_when_whole)
    {
        ENDS e = ends_new();
        struct error err = { 0 };
        const char text[] = "{\"a\":1}";
        char bytes[4 + sizeof text - 1];
        uint32_t n = sizeof text - 1;

        memcpy(bytes, &n, 4);
        memcpy(bytes + 4, text, n);
        ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 0); /* nothing yet is no error */
        for (size_t i = 0; i < sizeof bytes; i++) {
            ck_assert_ptr_null(wire_next(&e.in, &err));
            ck_assert_int_eq(err.code, 0);
            ck_assert_int_eq(send(e.b, bytes + i, 1, 0), 1);
            ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 1);
        }
        OWNED_JSON got = wire_next(&e.in, &err);
        ck_assert_uint_eq(json_u64(got, "a", 0), 1);
        ck_assert_ptr_null(wire_next(&e.in, &err));
    }
END_TEST

START_TEST(many_messages_in_one_read_come_one_by_one_and_leave_nothing_behind)
    {
        ENDS e = ends_new();
        struct error err = { 0 };

        for (int i = 0; i < 50; i++) {
            OWNED_JSON m = json_pack("{si}", "i", i);

            ck_assert_int_eq(wire_send(e.b, m, &err), 0);
        }
        ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 1);
        for (int i = 0; i < 50; i++) {
            OWNED_JSON m = wire_next(&e.in, &err);

            ck_assert_uint_eq(json_u64(m, "i", 99), (uint64_t)i);
        }
        ck_assert_ptr_null(wire_next(&e.in, &err));
        ck_assert_int_eq(err.code, 0);
        ck_assert_uint_eq(e.in.len, 0);
        /* A message may hold a secret: what was read is wiped. */
        for (size_t i = 0; i < 10u * 11u + 40u * 12u; i++)
            ck_assert_int_eq(e.in.bytes[i], 0);
    }
END_TEST

START_TEST(a_peer_that_ended_is_an_error_after_its_last_message)
    {
        ENDS e = ends_new();
        struct error err = { 0 };
        OWNED_JSON m = json_pack("{si}", "i", 1);

        ck_assert_int_eq(wire_send(e.b, m, &err), 0);
        (void)close(e.b);
        e.b = -1;
        ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 1);
        ck_assert_int_lt(wire_fill(&e.in, e.a, &err), 0);
        ck_assert_int_eq(err.code, ERROR_CONNECTION);
        err.code = 0;
        OWNED_JSON got = wire_next(&e.in, &err);
        ck_assert_ptr_nonnull(got);
        ck_assert_ptr_null(wire_receive(e.a, &err));
        ck_assert_int_eq(err.code, ERROR_CONNECTION);
        ck_assert_int_lt(wire_send(e.a, m, &err), 0); /* and no signal */
    }
END_TEST

START_TEST(half_a_message_before_the_end_is_no_message)
    {
        ENDS e = ends_new();
        struct error err = { 0 };

        frame(e.b, 100, "{\"half");
        (void)close(e.b);
        e.b = -1;
        ck_assert_ptr_null(wire_receive(e.a, &err));
        ck_assert_int_eq(err.code, ERROR_CONNECTION);
    }
END_TEST

static const struct {
    uint32_t n;
    const char *bytes;
    const char *what; /* of the error */
} rubbish[] = {
    { 8, "not json", "not valid JSON" },     { 0, "", "not valid JSON" },
    { 2, "{\xff", "not valid JSON" },        { 13, "{\"a\":1,\"a\":2}", "not valid JSON" },
    { JSON_MAX_BYTES + 1u, "", "too long" }, { 0xffffffffu, "", "too long" },
};

START_TEST(rubbish_is_an_error_on_either_side)
    {
        ENDS e = ends_new();
        struct error err = { 0 };

        frame(e.b, rubbish[_i].n, rubbish[_i].bytes);
        ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 1);
        ck_assert_ptr_null(wire_next(&e.in, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_msg(strstr(err.what, rubbish[_i].what) != NULL, "%s", err.what);
        err = (struct error){ 0 };
        frame(e.b, rubbish[_i].n, rubbish[_i].bytes);
        ck_assert_ptr_null(wire_receive(e.a, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
    }
END_TEST

START_TEST(a_message_too_long_is_refused_before_a_byte_of_it_is_sent)
    {
        ENDS e = ends_new();
        struct error err = { 0 };
        OWNED_JSON m = message_of(JSON_MAX_BYTES);

        ck_assert_int_lt(wire_send(e.b, m, &err), 0);
        ck_assert_msg(strstr(err.what, "too long") != NULL, "%s", err.what);
        ck_assert_int_eq(wire_fill(&e.in, e.a, &err), 0);
    }
END_TEST

TEST_MAIN("worker/wire", LOOP(a_message_of_one_mib_arrives_blocking_and_not, 2),
          a_frame_in_single_bytes_is_a_message_only_when_whole,
          many_messages_in_one_read_come_one_by_one_and_leave_nothing_behind,
          a_peer_that_ended_is_an_error_after_its_last_message, half_a_message_before_the_end_is_no_message,
          LOOP(rubbish_is_an_error_on_either_side, TEST_ROWS(rubbish)),
          a_message_too_long_is_refused_before_a_byte_of_it_is_sent)
