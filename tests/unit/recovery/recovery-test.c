/* SPDX-License-Identifier: Apache-2.0
 * `recover` against journals of every kind, with libvirt's test driver as both hosts: which are meant, which
 * are left alone, what must be attested, and that looking changes nothing. */
#include "base/text.h"
#include "check-main.h"
#include "recovery/recovery.h"
#include "recovery/settle.h"
#include "state/journal-world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TEST "test:///default"
#define SILENT "qemu+tcp://127.0.0.1:1/system"      /* nobody listens there */
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the driver's one domain */

struct begin {
    const char *kind, *client, *source_host, *dest_uri;
};

static struct journal *run_of(struct begin b)
{
    char host[HOST_NAME_SIZE];
    struct error err = { 0 };
    struct journal *j = journal_create(dir, RUN, &err);

    ck_assert_msg(j != NULL, "%s", err.what);
    ck_assert_int_eq(
        journal_append(j, "begin",
                       json_pack("{ss ss ss ss ss ss ss ss}", "kind", b.kind ? b.kind : "migrate", "client",
                                 b.client ? b.client : this_host(host, sizeof host), "domain", "test", "uuid",
                                 UUID, "source_uri", TEST, "dest_uri", b.dest_uri ? b.dest_uri : TEST,
                                 "source_host", b.source_host ? b.source_host : "here", "dest_host", "there"),
                       &err),
        0);
    return j;
}

static void died(struct begin b, const char *const *steps)
{
    OWNED(journal) j = run_of(b);
    struct error err = { 0 };

    for (; *steps; steps++)
        ck_assert_int_eq(
            journal_append(j, *steps,
                           json_pack("{ss ss ss}", "host", "there", "place", "pool", "name", "image"), &err),
            0);
}
#define DIED(b, ...) died(b, (const char *const[]){ __VA_ARGS__, NULL })

static bool says_yes(void *context, const char *claim)
{
    *(int *)context += strlen(claim) > 0;
    return true;
}

static void recovery_freep(struct recovery *r)
{
    recovery_done(r);
}
#define OWNED_RECOVERY __attribute__((cleanup(recovery_freep))) struct recovery

static size_t bytes_of(char *bytes, size_t size)
{
    OWNED_FD fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, bytes, size);

    ck_assert_int_gt(n, 0);
    return (size_t)n;
}

static bool journal_has(const char *step)
{
    bool is_held;
    struct error err = { 0 };
    OWNED_JSON records = journal_peek(dir, RUN, &is_held, &err);

    return recover_last_step(records, step) != NULL;
}

#define RECOVER(...)                                                                                         \
    OWNED_RECOVERY all = { .n = 0 };                                                                         \
    struct error err = { 0 };                                                                                \
    const struct recovery_options o = { .source_uri = TEST, __VA_ARGS__ };                                   \
    const int r = run_recover(&o, &all, &err)

START_TEST(where_nothing_is_open_nothing_is_to_be_done)
    {
        world();
        RECOVER(.what = NULL);
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(all.n, 0);
        world_ends();
    }
END_TEST

START_TEST(a_run_that_is_not_there_is_an_error)
    {
        world();
        RECOVER(.what = RUN);
        ck_assert_int_eq(r, -ERROR_ABSENT);
        ck_assert_ptr_nonnull(strstr(err.what, RUN));
        world_ends();
    }
END_TEST

START_TEST(a_run_that_asked_nothing_is_undone_and_closed)
    {
        world();
        DIED((struct begin){ 0 }, "mark");
        RECOVER(.what = NULL);
        ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(all.n, 1);
        ck_assert_int_eq(all.list[0].state, RECOVERED_SETTLED);
        ck_assert_int_eq(all.list[0].outcome, OUTCOME_STAYED);
        ck_assert_str_eq(all.list[0].row, "never-asked");
        ck_assert(journal_has("recover") && journal_has("undo") && journal_has("end"));
        world_ends();
    }
END_TEST

START_TEST(what_is_closed_is_shown_by_its_name_alone)
    {
        world();
        DIED((struct begin){ 0 }, "mark", "end");
        RECOVER(.what = RUN);
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(all.n, 1);
        ck_assert_int_eq(all.list[0].state, RECOVERED_CLOSED);
        OWNED_RECOVERY every = { .n = 0 };
        const struct recovery_options without = { .source_uri = TEST };

        ck_assert_int_eq(run_recover(&without, &every, &err), 0);
        ck_assert_uint_eq(every.n, 0);
        world_ends();
    }
END_TEST

static void nothing_was_written(time_t age_s)
{
    const struct timespec then[2] = { { .tv_sec = time(NULL) - age_s }, { .tv_sec = time(NULL) - age_s } };
    struct error err = { 0 };
    OWNED(journal) j = journal_create(dir, RUN, &err);

    ck_assert_msg(j != NULL, "%s", err.what);
    ck_assert_int_eq(utimensat(AT_FDCWD, file, then, 0), 0);
}

START_TEST(a_run_that_died_before_its_first_step_is_closed)
    {
        world();
        nothing_was_written(61);
        RECOVER(.what = NULL);
        ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(all.n, 0);
        ck_assert(journal_has("end"));
        world_ends();
    }
END_TEST

START_TEST(a_run_that_is_about_to_begin_is_left_alone)
    {
        world();
        nothing_was_written(1);
        RECOVER(.what = NULL);
        ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
        ck_assert(!journal_has("end"));
        world_ends();
    }
END_TEST

START_TEST(a_dry_run_closes_nothing)
    {
        world();
        nothing_was_written(61);
        RECOVER(.what = RUN, .is_dry = true);
        ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
        ck_assert_uint_eq(all.n, 1);
        ck_assert_int_eq(all.list[0].state, RECOVERED_CLOSED);
        ck_assert(!journal_has("end"));
        world_ends();
    }
END_TEST

static const struct {
    const char *steps[4];
    const char *kind, *row, *decision;
} looks[] = {
    { { "mark", NULL }, NULL, "never-asked", "stayed" },
    /* The driver tells of no job, which counts as one that may go on. */
    { { "mark", "migrate", NULL }, NULL, "job", "wait" },
    { { "create", NULL }, "survey", NULL, NULL },
};

START_TEST(a_dry_run_says_what_would_be_done_and_writes_nothing)
    {
        char before[4096], after[4096];
        size_t n;

        world();
        died((struct begin){ .kind = looks[_i].kind }, looks[_i].steps);
        n = bytes_of(before, sizeof before);
        RECOVER(.what = "test", .is_dry = true);
        ck_assert_msg(r == 0, "%s", err.what);
        ck_assert_int_eq(all.list[0].state, RECOVERED_WOULD);
        ck_assert(text_equal(all.list[0].row, looks[_i].row) || (!all.list[0].row && !looks[_i].row));
        ck_assert(text_equal(all.list[0].decision, looks[_i].decision) || !looks[_i].decision);
        ck_assert_uint_eq(bytes_of(after, sizeof after), n);
        ck_assert_int_eq(memcmp(before, after, n), 0);
        world_ends();
    }
END_TEST

static const struct {
    const char *what;
    bool is_recovered;
    int code;
} living[] = {
    { NULL, false, 0 },          { RUN, false, ERROR_BUSY }, { "test", false, ERROR_BUSY },
    { UUID, false, ERROR_BUSY }, { NULL, true, ERROR_BUSY }, /* two recoveries at once */
    { RUN, true, ERROR_BUSY },
};

START_TEST(a_run_that_lives_is_told_and_left_alone)
    {
        struct error failed = { 0 };

        world();
        {
            OWNED(journal) held = run_of((struct begin){ 0 });

            if (living[_i].is_recovered)
                ck_assert_int_eq(journal_append(held, "recover", NULL, &failed), 0);
            RECOVER(.what = living[_i].what);
            ck_assert_int_eq(r, -living[_i].code);
            ck_assert_uint_eq(all.n, 1);
            ck_assert_int_eq(all.list[0].state, RECOVERED_ALIVE);
            ck_assert_ptr_nonnull(strstr(all.list[0].err.what, living[_i].is_recovered
                                                                   ? "being recovered since"
                                                                   : "in progress since"));
        }
        ck_assert(!journal_has("undo"));
        world_ends();
    }
END_TEST

START_TEST(another_machines_run_needs_its_source_and_an_attestation)
    {
        char here[HOST_NAME_SIZE];

        world();
        DIED(((struct begin){ .client = "elsewhere", .source_host = this_host(here, sizeof here) }), "mark");
        {
            RECOVER(.what = NULL);
            ck_assert_int_eq(r, -ERROR_USAGE); /* its "this host" is not this one */
        }
        if (!strncmp(here, "localhost", 9)) { /* such a name tells no host from another */
            world_ends();
            return;
        }
        {
            RECOVER(.is_uri_given = true);
            ck_assert_int_eq(r, -ERROR_REFUSED);
            ck_assert_ptr_nonnull(strstr(err.what, "nobody attested"));
        }
        ck_assert(!journal_has("undo"));
        /* That it did not ask libvirt is not believed of a copy, where the source seems to have a job. */
        {
            RECOVER(.is_uri_given = true, .is_dry = true);
            ck_assert_msg(r == 0, "%s: %s", err.what, err.why);
            ck_assert_str_eq(all.list[0].row, "job");
        }
        world_ends();
    }
END_TEST

START_TEST(a_uri_that_leads_to_another_host_is_refused)
    {
        int asked = 0;

        world();
        DIED(((struct begin){ .client = "elsewhere", .source_host = "another" }), "mark");
        RECOVER(.is_uri_given = true, .attests = says_yes, .context = &asked);
        ck_assert_int_eq(r, -ERROR_USAGE);
        ck_assert_ptr_nonnull(strstr(err.what, "leads to"));
        ck_assert(!journal_has("recover"));
        world_ends();
    }
END_TEST

static const struct {
    const char *dead, *dest_uri, *says;
    bool attests;
    int code;
} deaths[] = {
    { "nowhere", NULL, "no open run has to do with", true, ERROR_USAGE },
    { "there", NULL, "this host answers", true, ERROR_REFUSED },
    { "there", SILENT, "nobody attested", false, ERROR_REFUSED },
    { "there", SILENT, "is undone, with problems", true, ERROR_PROBLEMS },
};

START_TEST(a_host_is_dead_when_it_is_silent_and_somebody_vouches_for_it)
    {
        const char *const dead[] = { deaths[_i].dead };
        int asked = 0;

        world();
        DIED((struct begin){ .dest_uri = deaths[_i].dest_uri }, "mark", "create");
        RECOVER(.dead = dead, .n_dead = 1, .attests = deaths[_i].attests ? says_yes : NULL,
                .context = &asked);
        ck_assert_msg(r == -deaths[_i].code, "%d: %s", r, err.what);
        ck_assert_msg(strstr(err.what, deaths[_i].says) != NULL, "%s", err.what);
        if (deaths[_i].code == ERROR_PROBLEMS) {
            ck_assert_ptr_nonnull(
                strstr(text_of(&all.list[0].problems), "'image' in 'pool' on 'there' is left"));
            ck_assert(journal_has("end"));
        } else {
            ck_assert(!journal_has("undo"));
        }
        world_ends();
    }
END_TEST

START_TEST(a_kind_of_run_that_is_not_known_is_left_alone)
    {
        world();
        DIED((struct begin){ .kind = "teleport" }, "mark");
        RECOVER(.what = NULL);
        ck_assert_int_eq(r, -ERROR_NOT_KNOWN);
        ck_assert_ptr_nonnull(strstr(err.what, "teleport"));
        ck_assert(!journal_has("undo"));
        world_ends();
    }
END_TEST

START_TEST(a_damaged_journal_is_told_and_left_alone)
    {
        world();
        DIED((struct begin){ 0 }, "mark", "migrate");
        {
            OWNED_FD fd = open(file, O_WRONLY | O_CLOEXEC);

            ck_assert_int_eq(pwrite(fd, "XX", 2, 40), 2);
        }
        RECOVER(.what = NULL);
        ck_assert_int_eq(r, -ERROR_NOT_KNOWN);
        ck_assert_int_eq(all.list[0].state, RECOVERED_FAILED);
        world_ends();
    }
END_TEST

/* Killed behind its source's end, of a domain that is gone from here by then. */
START_TEST(a_damaged_journal_may_be_that_of_a_domain_that_is_not_here)
    {
        world();
        DIED((struct begin){ 0 }, "mark", "migrate");
        {
            OWNED_FD fd = open(file, O_WRONLY | O_CLOEXEC);

            ck_assert_int_eq(pwrite(fd, "XX", 2, 40), 2);
        }
        {
            RECOVER(.what = "no-such-domain");
            ck_assert_int_eq(r, -ERROR_NOT_KNOWN);
            ck_assert_ptr_nonnull(strstr(err.what, "is damaged"));
            ck_assert_ptr_nonnull(strstr(err.why, "no domain 'no-such-domain' here"));
        }
        {
            RECOVER(.what = "test");
            ck_assert_msg(r == 0, "%s", err.what);
        }
        world_ends();
    }
END_TEST

START_TEST(without_a_journal_the_domain_is_asked_for_its_mark)
    {
        world();
        {
            RECOVER(.what = "test");
            ck_assert_msg(r == 0, "%s", err.what);
            ck_assert_uint_eq(all.n, 0);
        }
        {
            RECOVER(.what = "no-such-domain");
            ck_assert_int_eq(r, -ERROR_ABSENT);
        }
        world_ends();
    }
END_TEST

START_TEST(abort_finds_no_run_where_none_lives)
    {
        struct error err = { 0 };
        struct recovered row;
        struct recovery_options o = { .source_uri = TEST, .what = "no-such-domain" };

        world();
        ck_assert_int_eq(run_abort(&o, &row, &err), -ERROR_ABSENT);
        o.what = "a/b";
        ck_assert_int_lt(run_abort(&o, &row, &err), 0);
        /* The driver's domain seems to have a job, and bears no mark. */
        o.what = "test";
        ck_assert_int_eq(run_abort(&o, &row, &err), -ERROR_REFUSED);
        world_ends();
    }
END_TEST

static const struct {
    const char *uri;
    bool is_taken;
} journal_uris[] = {
    { "qemu:///system", true },
    { "qemu+ssh://root@hostB/system", true },
    { "qemu+tls://hostB/system?authfile=/root/auth&pkipath=/root/pki", true },
    { "qemu+tls://hostB/system?authfile=/a;pkipath=/b", true },
    { "qemu+ext://hostB/system?command=/tmp/x", false },
    { "qemu+tls://hostB/system?authfile=/a&no_verify=1", false },
    { "qemu+tls://hostB/system?authfile=/a;command=/tmp/x", false },
    { "qemu+unix:///system?socket=/tmp/x", false },
    { "qemu+ssh://hostB/system?keyfile=/x", false },
    { "qemu+ssh://hostB/system?netcat=/x", false },
    { "qemu+tls://hostB/system#?command=/tmp/x", false },
    { "qemu+tls://hostB/system?authfiles=/a", false },
    { "qemu+unix:///system?socket=/run/mine", true }, /* given as the source */
    { "qemu+tls://hostB/system?no_verify=1", true },  /* given as the destination */
};

START_TEST(a_journals_uri_names_no_program_unless_the_command_line_does)
    {
        const struct run_options o = { .source_uri = "qemu+unix:///system?socket=/run/mine",
                                       .dest = "qemu+tls://hostB/system?no_verify=1" };
        const struct run_options nothing = { .source_uri = NULL };

        ck_assert(recover_takes_uri(journal_uris[_i].uri, &o) == journal_uris[_i].is_taken);
        ck_assert(recover_takes_uri("qemu:///system", &nothing));
        ck_assert(!recover_takes_uri("qemu:///system?socket=/x", &nothing));
    }
END_TEST

TEST_MAIN("recovery/recovery", where_nothing_is_open_nothing_is_to_be_done,
          a_run_that_is_not_there_is_an_error, a_run_that_asked_nothing_is_undone_and_closed,
          what_is_closed_is_shown_by_its_name_alone, a_run_that_died_before_its_first_step_is_closed,
          a_run_that_is_about_to_begin_is_left_alone, a_dry_run_closes_nothing,
          LOOP(a_dry_run_says_what_would_be_done_and_writes_nothing, TEST_ROWS(looks)),
          LOOP(a_run_that_lives_is_told_and_left_alone, TEST_ROWS(living)),
          another_machines_run_needs_its_source_and_an_attestation,
          a_uri_that_leads_to_another_host_is_refused,
          LOOP(a_host_is_dead_when_it_is_silent_and_somebody_vouches_for_it, TEST_ROWS(deaths)),
          a_kind_of_run_that_is_not_known_is_left_alone, a_damaged_journal_is_told_and_left_alone,
          a_damaged_journal_may_be_that_of_a_domain_that_is_not_here,
          without_a_journal_the_domain_is_asked_for_its_mark,
          LOOP(a_journals_uri_names_no_program_unless_the_command_line_does, TEST_ROWS(journal_uris)),
          abort_finds_no_run_where_none_lives)
