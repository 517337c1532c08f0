/* SPDX-License-Identifier: Apache-2.0
 * The copy engine onto an NFS server that forgets what it had not yet committed, and each other fault of a
 * server that a copy has to outlast or to tell. After each copy that is called done the server is killed:
 * what it holds then is what outlasts a loss of power. */
#include "../../../plugins/nfs/flight.c" /* NOLINT(bugprone-suspicious-include) */
#define connected stream_is_up           /* both files have one of these names */
#define turn stream_turn
#include "../../../plugins/nfs/stream.c" /* NOLINT(bugprone-suspicious-include) */
#undef connected
#undef turn

#include "../copy/memory.h"
#include "check-main.h"
#include "nfs-stub.h"

#define KIB UINT64_C(1024)
#define MIB (1024u * KIB)

static const struct call_host host = { .host = "hostA" };
static const struct plugin_entry owner = { .plugin = { .name = "nfs" } };
static struct error err;

/* ---- the driver's block I/O, on a file whose place is known ---- */

static struct stub *server;
static uint64_t flush_bytes;

static int open_file(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct stream *s = calloc(1, sizeof *s);

    (void)call;
    (void)services;
    (void)how;
    ck_assert_ptr_nonnull(s);
    *s = (struct stream){
        .address = "127.0.0.1", .port = server->port, .file = { .n = 1 }, .piece_bytes = 1 << 20
    };
    ck_assert_int_eq(stream_begin(s), 0);
    ret->fd = s->epoll;
    ret->handle = s;
    ret->length_bytes = STUB_LENGTH;
    ret->block_bytes = 1;
    ret->piece_bytes = 1 << 20;
    ret->depth = 16;
    ret->reads_zero = server->memory[0] == 0;
    ret->flush_bytes = flush_bytes;
    return 0;
}

static int submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                  struct ferry_request *r)
{
    struct stream *s = handle;

    (void)call;
    (void)services;
    s->under_way++;
    stream_send(s, r);
    return 0;
}

static int reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
                struct ferry_request **ret_done)
{
    struct stream *s = handle;

    (void)call;
    (void)services;
    stream_move(s);
    *ret_done = s->done;
    s->done = NULL;
    return 0;
}

static void close_file(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    (void)call;
    (void)services;
    stream_end(handle);
    free(handle);
}

static const struct ferry_storage nfs_file = { .size = sizeof nfs_file,
                                               .name = "nfs",
                                               .summary = "a file of a server",
                                               .claim = memory_claim,
                                               .open = open_file,
                                               .submit = submit,
                                               .reap = reap,
                                               .close = close_file };

/* ---- a copy ---- */

static struct memory from;

static void begin(int fill)
{
    server = stub_begin(fill);
    flush_bytes = MIB;
    memory_begin(&from, STUB_LENGTH, 0);
    from.knows_extents = true;
    for (uint64_t at = 0; at < from.length; at++)
        if (at / (768 * KIB) % 3 != 1)
            from.bytes[at] = (unsigned char)(at * 2654435761u >> 13) | 1;
}

static void end(void)
{
    stub_end(server);
    memory_end(&from);
}

static void open_one(struct copy_end *e, const struct ferry_storage *driver, bool to_write)
{
    char source[32];
    const struct ferry_disk d = { .size = sizeof d, .target = "vda", .type = "file", .source = source };
    const struct end_place place = { .host = &host,
                                     .owner = &owner,
                                     .driver = driver,
                                     .disk = &d,
                                     .name = driver == &nfs_file ? "new" : "old" };

    (void)snprintf(source, sizeof source, "%llx", (unsigned long long)(uintptr_t)&from);
    ck_assert_msg(end_open(e, &place, to_write, &err) == 0, "%s", err.what);
}

static int copy(const struct copy_wants *wants, struct copy_progress *ret)
{
    struct copy_end a = { 0 }, b = { 0 };
    int r;

    err = (struct error){ 0 };
    open_one(&a, &memory_storage, false);
    open_one(&b, &nfs_file, true);
    r = copy_run(&a, &b, wants, ret, &err);
    end_close(&a);
    end_close(&b);
    return r;
}

static void is_all_there(void)
{
    ck_assert_mem_eq(server->disk, from.bytes, STUB_LENGTH);
}

static const struct {
    unsigned at_write, at_commit;
    bool is_quiet;
    uint64_t flush_bytes;
    uint32_t most;
    unsigned jukebox_at_write;
    int old_bytes;
    unsigned least_lost;
} faults[] = {
    { 0, 0, false, MIB, 0, 0, 0, 0 },
    { 0, 0, false, MIB, 0, 0, 0xaa, 0 },
    { 0, 0, false, 0, 100 * KIB, 0, 0, 0 },
    { 0, 0, false, MIB, 0, 2, 0, 0 },
    /* between a write and its commit: by the verifier alone, or with a connection that ends, too */
    { 1, 0, true, MIB, 0, 0, 0, 0 },
    { 3, 0, true, STUB_LENGTH, 0, 0, 0, 1 }, /* flushed before it, the first two would be safe */
    { 3, 0, false, 2 * MIB, 0, 0, 0, 0 }, /* their answers may go with the connection: sent again, not lost */
    { 0, 1, true, MIB, 0, 0, 0, 1 },
    { 0, 1, false, MIB, 0, 0, 0, 1 },
    { 0, 2, true, MIB, 0, 0, 0xaa, 1 },
    { 0, 1, true, 0, 0, 0, 0, 1 },
    { 0, 1, false, 0, 0, 0, 0xaa, 1 },
    { 4, 3, true, MIB, 200 * KIB, 0, 0, 1 },
};

START_TEST(what_is_called_done_outlasts_a_server_that_forgets)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;

        begin(faults[_i].old_bytes);
        flush_bytes = faults[_i].flush_bytes;
        server->restart_at_write = faults[_i].at_write;
        server->restart_at_commit = faults[_i].at_commit;
        server->forgets_quietly = faults[_i].is_quiet;
        server->most = faults[_i].most;
        server->jukebox_at_write = faults[_i].jukebox_at_write;
        ck_assert_msg(copy(&wants, &p) == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_ge(p.lost_times, faults[_i].least_lost);
        ck_assert_uint_gt(server->commits, 0);
        is_all_there();
        end();
    }
END_TEST

START_TEST(a_server_that_forgets_at_every_commit_is_given_up)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;

        begin(0);
        flush_bytes = 0;
        server->forgets_always = server->forgets_quietly = true;
        ck_assert_int_eq(copy(&wants, &p), -ERROR_FAILED);
        ck_assert_msg(strstr(err.what, "lost what was written 6 times") != NULL, "%s", err.what);
        ck_assert_uint_eq(p.safe_bytes, 0);
        end();
    }
END_TEST

static const struct {
    uint32_t status;
    enum error_code code;
    const char *why;
} refusals[] = {
    { STUB_NOSPC, ERROR_SPACE, "No space left on device" },
    { STUB_DQUOT, ERROR_SPACE, "Disk quota exceeded" },
    { STUB_STALE, ERROR_FAILED, "Stale file handle" },
    { STUB_IO, ERROR_FAILED, "Input/output error" },
};

START_TEST(what_a_server_refuses_to_write_is_told_by_its_offset)
    {
        const struct copy_wants wants = { 0 };
        struct copy_progress p;

        begin(0);
        server->fails_at = 5 * MIB;
        server->status = refusals[_i].status;
        ck_assert_msg(copy(&wants, &p) == -(int)refusals[_i].code, "%s: %s", err.what, err.why);
        ck_assert_msg(strstr(err.what, "could not write 'new' at offset 5242880") != NULL, "%s", err.what);
        ck_assert_str_eq(err.why, refusals[_i].why);
        ck_assert_uint_lt(p.safe_bytes, STUB_LENGTH);
        end();
    }
END_TEST

/* Told so far; the copy ends once there is so much. */
static int stop_at(void *context, const struct copy_progress *p, struct error *e)
{
    uint64_t *safe = context;

    *safe = p->safe_bytes;
    return p->safe_bytes >= 2 * MIB ? error_set(e, ERROR_CANCELLED, NULL, "enough") : 0;
}

START_TEST(what_was_told_as_safe_is_there_after_a_power_cut_and_the_rest_is_added)
    {
        uint64_t safe = 0;
        struct copy_wants wants = { .tell = stop_at, .context = &safe };
        struct copy_progress p;

        begin(0);
        ck_assert_int_eq(copy(&wants, &p), -ERROR_CANCELLED);
        ck_assert_uint_ge(safe, 2 * MIB);
        ck_assert_mem_eq(server->disk, from.bytes, safe);
        stub_restart(server);
        wants = (struct copy_wants){ .from_bytes = safe, .was_empty = true, .verify = COPY_VERIFY_FULL };
        ck_assert_msg(copy(&wants, &p) == 0, "%s: %s", err.what, err.why);
        is_all_there();
        end();
    }
END_TEST

START_TEST(a_server_that_gives_little_at_a_time_is_read_whole)
    {
        const struct copy_wants wants = { .verify = COPY_VERIFY_FULL };
        struct copy_progress p;

        begin(0);
        server->most = 64 * KIB;
        ck_assert_msg(copy(&wants, &p) == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(p.verified_bytes, STUB_LENGTH);
        ck_assert_uint_gt(server->reads, STUB_LENGTH / (64 * KIB) / 2);
        is_all_there();
        end();
    }
END_TEST

START_TEST(a_server_that_closes_the_connection_is_not_waited_for)
    {
        char byte = 1;
        const struct handle file = { .n = 1 };
        WRITE3args args = { .file = handle_of(&file), .count = 1, .stable = UNSTABLE };
        struct flight f;
        struct asked a = { .flight = &f };
        struct rpc_context *rpc;
        uint64_t before;

        begin(0);
        server->restart_at_write = 1;
        args.data.data_len = 1;
        args.data.data_val = &byte;
        rpc = flight_connect("127.0.0.1", server->port, &f, flight_now_ms() + 40000);
        ck_assert_msg(rpc != NULL, "%s", f.why);
        f = (struct flight){ .waiting = 1 };
        ck_assert_int_eq(rpc_nfs3_write_async(rpc, flight_landed, &args, &a), 0);
        before = flight_now_ms();
        ck_assert(!flight_wait(&rpc, &f, before + 40000));
        ck_assert_ptr_null(rpc);
        ck_assert_str_eq(f.why, "it closed the connection");
        ck_assert_uint_lt(flight_now_ms() - before, 20000);
        end();
    }
END_TEST

/* For so long, or until it is done. */
static void move_for(struct stream *s, uint64_t ms)
{
    const uint64_t until = flight_now_ms() + ms;

    while (!s->done && flight_now_ms() < until) {
        struct pollfd at = { .fd = s->epoll, .events = POLLIN };

        (void)poll(&at, 1, 20);
        stream_move(s);
    }
}

START_TEST(a_server_that_puts_requests_off_is_left_alone_for_a_while_and_not_asked_for_ever)
    {
        struct ferry_request r = { .what = FERRY_WRITE, .length_bytes = 4, .buffer = "text" };
        struct stream s;
        uint64_t began;

        begin(0);
        server->puts_off = true;
        s = (struct stream){
            .address = "127.0.0.1", .port = server->port, .file = { .n = 1 }, .piece_bytes = 1 << 20
        };
        ck_assert_int_eq(stream_begin(&s), 0);
        began = flight_now_ms();
        s.under_way++;
        stream_send(&s, &r);
        move_for(&s, 1500);
        ck_assert_ptr_null(s.done);
        ck_assert_uint_ge(server->writes, 2);
        ck_assert_uint_le(server->writes, 2 + (flight_now_ms() - began) / AGAIN_MS);
        s.put_off_ms = flight_now_ms() - PUT_OFF_MS - 1;
        move_for(&s, 20000);
        ck_assert_ptr_eq(s.done, &r);
        ck_assert_int_eq(r.error, ETIMEDOUT);
        stream_end(&s);
        end();
    }
END_TEST

TEST_MAIN("plugin/nfs-copy", LOOP(what_is_called_done_outlasts_a_server_that_forgets, TEST_ROWS(faults)),
          a_server_that_forgets_at_every_commit_is_given_up,
          LOOP(what_a_server_refuses_to_write_is_told_by_its_offset, TEST_ROWS(refusals)),
          what_was_told_as_safe_is_there_after_a_power_cut_and_the_rest_is_added,
          a_server_that_gives_little_at_a_time_is_read_whole,
          a_server_that_closes_the_connection_is_not_waited_for,
          a_server_that_puts_requests_off_is_left_alone_for_a_while_and_not_asked_for_ever)
