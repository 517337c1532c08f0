/* SPDX-License-Identifier: Apache-2.0
 * The journal against what happens to files: cut at any byte, changed at any byte, full, held by another. */
#include "base/text.h"
#include "check-main.h"
#include "state/journal-world.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static size_t read_file(char *bytes, size_t size)
{
    OWNED_FD fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, bytes, size);

    ck_assert_int_ge(n, 0);
    ck_assert_uint_lt((size_t)n, size);
    return (size_t)n;
}

static void write_file(const char *bytes, size_t n)
{
    OWNED_FD fd = open(file, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
}

static void append(struct journal *j, const char *step)
{
    struct error err = { 0 };

    ck_assert_msg(journal_append(j, step, json_pack("{s:s}", "disk", "vda"), &err) == 0, "%s", err.what);
}

/* A header and three records; starts[i] is where record i begins, the last one where the file ends. */
static size_t three_records(char *bytes, size_t size, size_t starts[5])
{
    struct error err = { 0 };
    OWNED(journal) j = journal_create(dir, RUN, &err);
    size_t n, k = 0;

    ck_assert_msg(j != NULL, "%s", err.what);
    append(j, "begin");
    append(j, "create");
    append(j, "migrate");
    n = read_file(bytes, size);
    starts[k++] = 0;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '\n')
            starts[k++] = i + 1;
    ck_assert_uint_eq(k, 5);
    ck_assert_uint_eq(starts[4], n);
    return n;
}

START_TEST(what_was_appended_is_read_back_in_order)
    {
        struct error err = { 0 };

        world();
        {
            OWNED(journal) j = journal_create(dir, RUN, &err);

            ck_assert_ptr_nonnull(j);
            append(j, "begin");
            append(j, "create");
            ck_assert_int_eq(journal_append_ahead(j, "create", json_pack("{s:s}", "disk", "vdb"), &err), 0);
            ck_assert_int_eq(journal_append(j, "bare", NULL, &err), 0);
            ck_assert(!journal_is_ended(j));
        }
        OWNED(journal) j = journal_open(dir, RUN, &err);

        ck_assert_msg(j != NULL, "%s", err.what);
        ck_assert_str_eq(journal_run(j), RUN);
        ck_assert_uint_eq(json_array_size(journal_records(j)), 5);
        ck_assert_str_eq(json_text(journal_last(j, "create"), "disk", ""), "vdb");
        ck_assert_uint_gt(json_u64(journal_last(j, "bare"), "at_ms", 0), 1000000000000u);
        ck_assert_ptr_null(journal_last(j, "other"));
        append(j, "end");
        ck_assert(journal_is_ended(j));
        world_ends();
    }
END_TEST

START_TEST(fields_cannot_change_the_step_or_its_time)
    {
        struct error err = { 0 };

        world();
        OWNED(journal) j = journal_create(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        ck_assert_int_eq(journal_append(j, "begin", json_pack("{s:s, s:i}", "step", "end", "at_ms", 1), &err),
                         0);
        ck_assert(!journal_is_ended(j));
        ck_assert_uint_ne(json_u64(journal_last(j, "begin"), "at_ms", 1), 1);
        world_ends();
    }
END_TEST

START_TEST(a_run_is_created_once)
    {
        struct error err = { 0 };

        world();
        OWNED(journal) j = journal_create(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        ck_assert_ptr_null(journal_create(dir, RUN, &err));
        ck_assert_int_eq(err.code, ERROR_EXISTS);
        world_ends();
    }
END_TEST

START_TEST(a_run_that_is_not_there_is_absent)
    {
        struct error err = { 0 };
        bool is_held;

        world();
        ck_assert_ptr_null(journal_open(dir, RUN, &err));
        ck_assert_int_eq(err.code, ERROR_ABSENT);
        ck_assert_ptr_null(journal_peek(dir, RUN, &is_held, &err));
        ck_assert_int_eq(err.code, ERROR_ABSENT);
        world_ends();
    }
END_TEST

START_TEST(a_name_that_is_no_runs_name_reaches_no_file)
    {
        struct error err = { 0 };

        world();
        ck_assert_ptr_null(journal_create(dir, "../" RUN, &err));
        ck_assert_int_eq(error_exit(err.code), 2);
        ck_assert_ptr_null(journal_open(dir, "", &err));
        world_ends();
    }
END_TEST

START_TEST(a_file_cut_at_any_byte_keeps_every_whole_record_and_takes_more)
    {
        char bytes[4096];
        size_t starts[5], n;

        world();
        n = three_records(bytes, sizeof bytes, starts);
        for (size_t cut = 0; cut <= n; cut++) {
            struct error err = { 0 };
            size_t whole = 0;
            bool is_held = true;

            while (whole < 4 && starts[whole + 1] <= cut)
                whole++;
            write_file(bytes, cut);
            OWNED_JSON peeked = journal_peek(dir, RUN, &is_held, &err);

            ck_assert_msg(peeked != NULL, "cut at %zu: %s", cut, err.what);
            ck_assert_uint_eq(json_array_size(peeked), whole);
            ck_assert(!is_held);
            OWNED(journal) j = journal_open(dir, RUN, &err);

            ck_assert_msg(j != NULL, "cut at %zu: %s", cut, err.what);
            /* A journal cut in its first line gets a new one. */
            ck_assert_uint_eq(json_array_size(journal_records(j)), whole ? whole : 1);
            append(j, "after");
            journal_free(HAND_OVER(j));
            j = journal_open(dir, RUN, &err);
            ck_assert_msg(j != NULL, "cut at %zu, then appended: %s", cut, err.what);
            ck_assert_uint_eq(json_array_size(journal_records(j)), (whole ? whole : 1) + 1);
        }
        world_ends();
    }
END_TEST

START_TEST(a_torn_end_that_reads_as_zero_bytes_is_cut_off)
    {
        char bytes[4096];
        size_t starts[5];

        world();
        (void)three_records(bytes, sizeof bytes, starts);
        for (size_t cut = starts[3]; cut < starts[4]; cut++) {
            struct error err = { 0 };

            memset(bytes + cut, 0, starts[4] - cut + 100);
            write_file(bytes, starts[4] + 100);
            OWNED(journal) j = journal_open(dir, RUN, &err);

            ck_assert_msg(j != NULL, "zero from %zu: %s", cut, err.what);
            ck_assert_uint_eq(json_array_size(journal_records(j)), 3);
            journal_free(HAND_OVER(j));
            (void)unlink(file);
            (void)three_records(bytes, sizeof bytes, starts);
        }
        world_ends();
    }
END_TEST

START_TEST(a_changed_byte_anywhere_in_a_record_stops_the_reader)
    {
        static const unsigned char changes[] = { 0x01, 0x20, 0x80, 0xff };
        char bytes[4096];
        size_t starts[5], n;

        world();
        n = three_records(bytes, sizeof bytes, starts);
        for (size_t at = 0; at < n; at++) {
            struct error err = { 0 };
            bool is_held;
            char good = bytes[at];

            bytes[at] = (char)((unsigned char)bytes[at] ^ changes[_i]);
            write_file(bytes, n);
            ck_assert_msg(journal_open(dir, RUN, &err) == NULL, "byte %zu", at);
            ck_assert_msg(err.code == ERROR_NOT_KNOWN, "byte %zu: %d %s", at, err.code, err.what);
            err = (struct error){ 0 };
            ck_assert_ptr_null(journal_peek(dir, RUN, &is_held, &err));
            ck_assert_int_eq(err.code, ERROR_NOT_KNOWN);
            ck_assert_str_ne(err.fix, "");
            bytes[at] = good;
        }
        write_file(bytes, n);
        struct error err = { 0 };
        OWNED(journal) j = journal_open(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        world_ends();
    }
END_TEST

START_TEST(a_record_that_is_missing_in_part_before_others_stops_the_reader)
    {
        char bytes[4096], without[4096];
        size_t starts[5], n;

        world();
        n = three_records(bytes, sizeof bytes, starts);
        for (size_t cut = starts[1] + 1; cut < starts[2]; cut++) {
            struct error err = { 0 };

            memcpy(without, bytes, cut);
            memcpy(without + cut, bytes + starts[2], n - starts[2]);
            write_file(without, cut + n - starts[2]);
            ck_assert_msg(journal_open(dir, RUN, &err) == NULL, "%zu", cut);
            ck_assert_int_eq(err.code, ERROR_NOT_KNOWN);
        }
        world_ends();
    }
END_TEST

/* A child that holds the journal until it is told to die. */
static pid_t holder(int *ret_release)
{
    int ready[2], release[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(release, O_CLOEXEC), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct error err = { 0 };
        struct journal *j = journal_create(dir, RUN, &err);

        (void)close(release[1]);
        if (!j || journal_append(j, "begin", NULL, &err) < 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        _exit(read(release[0], &byte, 1) < 0);
    }
    (void)close(ready[1]);
    (void)close(release[0]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    *ret_release = release[1];
    return pid;
}

START_TEST(a_journal_that_a_living_process_holds_is_busy_and_can_be_peeked)
    {
        struct error err = { 0 };
        bool is_held = false;
        int release;
        pid_t pid;

        world();
        pid = holder(&release);
        ck_assert_ptr_null(journal_open(dir, RUN, &err));
        ck_assert_int_eq(err.code, ERROR_BUSY);
        ck_assert_int_eq(error_exit(err.code), 8);
        OWNED_JSON records = journal_peek(dir, RUN, &is_held, &err);

        ck_assert_ptr_nonnull(records);
        ck_assert(is_held);
        ck_assert_uint_eq(json_array_size(records), 2);
        (void)close(release);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        OWNED_JSON after = journal_peek(dir, RUN, &is_held, &err);

        ck_assert_ptr_nonnull(after);
        ck_assert(!is_held);
        OWNED(journal) j = journal_open(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        world_ends();
    }
END_TEST

START_TEST(a_killed_process_holds_no_journal)
    {
        struct error err = { 0 };
        int release;
        pid_t pid;

        world();
        pid = holder(&release);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        OWNED(journal) j = journal_open(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        ck_assert_uint_eq(json_array_size(journal_records(j)), 2);
        (void)close(release);
        world_ends();
    }
END_TEST

static void limit_files_to(rlim_t bytes)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_record_that_does_not_fit_fails_and_leaves_nothing_behind)
    {
        struct error err = { 0 };
        struct stat before, after;

        world();
        (void)signal(SIGXFSZ, SIG_IGN);
        OWNED(journal) j = journal_create(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        append(j, "begin");
        ck_assert_int_eq(stat(file, &before), 0);
        for (rlim_t room = 0; room < 40; room++) {
            limit_files_to((rlim_t)before.st_size + room);
            ck_assert_int_eq(room % 2
                                 ? journal_append(j, "create", json_pack("{s:s}", "disk", "vda"), &err)
                                 : journal_append_ahead(j, "create", json_pack("{s:s}", "disk", "vda"), &err),
                             -ERROR_SYSTEM);
            ck_assert_int_eq(err.detail, EFBIG);
            ck_assert_str_ne(err.fix, "");
            ck_assert_int_eq(stat(file, &after), 0);
            ck_assert_int_eq(after.st_size, before.st_size);
            ck_assert_ptr_null(journal_last(j, "create"));
        }
        limit_files_to(RLIM_INFINITY);
        append(j, "undo");
        journal_free(HAND_OVER(j));
        j = journal_open(dir, RUN, &err);
        ck_assert_msg(j != NULL, "%s", err.what);
        ck_assert_uint_eq(json_array_size(journal_records(j)), 3);
        ck_assert_ptr_nonnull(journal_last(j, "undo"));
        world_ends();
    }
END_TEST

START_TEST(a_journal_that_cannot_be_begun_is_not_given)
    {
        struct error err = { 0 };

        world();
        (void)signal(SIGXFSZ, SIG_IGN);
        limit_files_to(10);
        ck_assert_ptr_null(journal_create(dir, RUN, &err));
        ck_assert_int_eq(err.code, ERROR_SYSTEM);
        limit_files_to(RLIM_INFINITY);
        world_ends();
    }
END_TEST

static const struct {
    const char *header;
    const char *says;
} headers[] = {
    { "{\"step\":\"journal\",\"version\":2,\"reads\":1}", NULL },
    { "{\"step\":\"journal\",\"version\":2,\"reads\":2}", "newer virt-ferry" },
    { "{\"step\":\"journal\",\"version\":1}", "damaged" },
    { "{\"step\":\"begin\",\"version\":1,\"reads\":1}", "damaged" },
};

START_TEST(a_journal_for_a_newer_reader_is_left_alone)
    {
        /* Of the four lines above, by another program. */
        static const char *const crcs[] = { "23af5a1d", "1748f284", "7a415f4c", "45d474c0" };
        struct error err = { 0 };
        char line[128];

        world();
        (void)snprintf(line, sizeof line, "%08zx %s %s\n", strlen(headers[_i].header), crcs[_i],
                       headers[_i].header);
        write_file(line, strlen(line));
        OWNED(journal) j = journal_open(dir, RUN, &err);

        if (!headers[_i].says) {
            ck_assert_msg(j != NULL, "%s", err.what);
        } else {
            ck_assert_ptr_null(j);
            ck_assert_int_eq(err.code, ERROR_NOT_KNOWN);
            ck_assert_msg(strstr(err.what, headers[_i].says) != NULL, "%s", err.what);
        }
        world_ends();
    }
END_TEST

START_TEST(runs_are_listed_by_age_and_nothing_else_is)
    {
        static const char *const names[] = { "20261124T101530-9f3a12bc", "20251124T101530-ffffffff",
                                             "20261124T101529-00000000" };
        struct error err = { 0 };
        char path[192];

        world();
        for (unsigned i = 0; i < 3; i++) {
            OWNED(journal) j = journal_create(dir, names[i], &err);

            ck_assert_ptr_nonnull(j);
        }
        (void)snprintf(path, sizeof path, "%s/runs/notes.journal", dir);
        OWNED_FD fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        OWNED_JSON list = journal_list(dir, &err);

        ck_assert_ptr_nonnull(list);
        ck_assert_uint_eq(json_array_size(list), 3);
        ck_assert_str_eq(json_string_value(json_array_get(list, 0)), names[1]);
        ck_assert_str_eq(json_string_value(json_array_get(list, 1)), names[2]);
        ck_assert_str_eq(json_string_value(json_array_get(list, 2)), names[0]);
        (void)unlink(path);
        for (unsigned i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof path, "%s/runs/%s.journal", dir, names[i]);
            (void)unlink(path);
        }
        world_ends();
    }
END_TEST

START_TEST(the_file_is_for_its_owner_alone)
    {
        struct error err = { 0 };
        struct stat st;

        world();
        (void)umask(0);
        OWNED(journal) j = journal_create(dir, RUN, &err);

        ck_assert_ptr_nonnull(j);
        ck_assert_int_eq(stat(file, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        world_ends();
    }
END_TEST

#ifdef FERRY_FAULTS
#define FAULTS_ARE_BUILT_IN 1
#else
#define FAULTS_ARE_BUILT_IN 0
#endif

static const struct {
    const char *setting;
    int exit_code;    /* of a child whose third append must fail; -1 = killed */
    unsigned records; /* on disk afterwards, the header among them */
} faults[] = {
    { "fail:journal:3", 1, 4 },         { "fail:journal-before:3", 1, 3 }, { "kill:journal:3", -1, 4 },
    { "kill:journal-before:3", -1, 3 }, { "fail:journal:4", 0, 4 },
};

/* In a child: the points are armed once in the life of a process. */
START_TEST(a_fault_strikes_right_before_or_right_after_the_record)
    {
        struct error err = { 0 };
        bool is_held;
        int status;
        pid_t pid;

        world();
        (void)setenv("VIRT_FERRY_FAULT", faults[_i].setting, 1);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            struct journal *j = journal_create(dir, RUN, &err);

            for (int i = 0; i < 3; i++)
                if (!j || journal_append(j, "step", NULL, &err) < 0)
                    _exit(i == 2 ? 1 : 2);
            _exit(0);
        }
        (void)unsetenv("VIRT_FERRY_FAULT");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                         FAULTS_ARE_BUILT_IN ? faults[_i].exit_code : 0);
        OWNED_JSON records = journal_peek(dir, RUN, &is_held, &err);

        ck_assert_ptr_nonnull(records);
        ck_assert_uint_eq(json_array_size(records), FAULTS_ARE_BUILT_IN ? faults[_i].records : 4);
        world_ends();
    }
END_TEST

/* The faults come first: without a process for each test, as under valgrind, an append of another test would
 * have armed none for all that follow. */
START_TEST(what_is_looked_at_takes_no_record_and_stays_as_it_is)
    {
        struct error err = { 0 };
        char before[4096], after[4096];
        bool is_held = true;
        size_t n, starts[5];

        world();
        (void)three_records(before, sizeof before, starts);
        /* A torn tail is no business of a reader. */
        n = read_file(before, sizeof before);
        write_file(before, n - 3);
        OWNED(journal) j = journal_look(dir, RUN, &is_held, &err);

        ck_assert_msg(j != NULL, "%s", err.what);
        ck_assert(!is_held);
        ck_assert_ptr_nonnull(journal_last(j, "create"));
        ck_assert_ptr_null(journal_last(j, "migrate"));
        ck_assert_int_lt(journal_append(j, "undo", NULL, &err), 0);
        ck_assert_msg(strstr(err.what, "for reading alone") != NULL, "%s", err.what);
        ck_assert_ptr_null(journal_last(j, "undo"));
        ck_assert_uint_eq(read_file(after, sizeof after), n - 3);
        ck_assert_int_eq(memcmp(before, after, n - 3), 0);
        world_ends();
    }
END_TEST

TEST_MAIN("state/journal", LOOP(a_fault_strikes_right_before_or_right_after_the_record, TEST_ROWS(faults)),
          what_was_appended_is_read_back_in_order, fields_cannot_change_the_step_or_its_time,
          a_run_is_created_once, a_run_that_is_not_there_is_absent,
          a_name_that_is_no_runs_name_reaches_no_file,
          a_file_cut_at_any_byte_keeps_every_whole_record_and_takes_more,
          a_torn_end_that_reads_as_zero_bytes_is_cut_off,
          LOOP(a_changed_byte_anywhere_in_a_record_stops_the_reader, 4),
          a_record_that_is_missing_in_part_before_others_stops_the_reader,
          what_is_looked_at_takes_no_record_and_stays_as_it_is,
          a_journal_that_a_living_process_holds_is_busy_and_can_be_peeked, a_killed_process_holds_no_journal,
          a_record_that_does_not_fit_fails_and_leaves_nothing_behind,
          a_journal_that_cannot_be_begun_is_not_given,
          LOOP(a_journal_for_a_newer_reader_is_left_alone, TEST_ROWS(headers)),
          runs_are_listed_by_age_and_nothing_else_is, the_file_is_for_its_owner_alone)
