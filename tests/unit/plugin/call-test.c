/* SPDX-License-Identifier: Apache-2.0
 * Calls into drivers: what the services answer, keep and refuse, and who gets a disk. */
#include "plugin/call.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"

static struct error err;
static char journalled[256];
static bool journal_fails;

static const char *config(void *context, const char *section, const char *key)
{
    (void)context;
    return text_equal(section, "sample") && text_equal(key, "folder") ? "/srv" : NULL;
}

static int journal(void *context, const char *driver, const char *what, const char *place, const char *name,
                   const char *identity, struct error *e)
{
    (void)context;
    (void)snprintf(journalled, sizeof journalled, "%s %s %s %s %s", driver, what, place, name,
                   identity ? identity : "-");
    return journal_fails ? error_set(e, ERROR_SPACE, "hostB", "the disk is full") : 0;
}

static const struct plugin_entry sample = { .plugin = { .name = "sample" } };
static int connection;
static const struct call_host full = {
    .host = "hostB", .libvirt = &connection, .config = config, .journal = journal
};
static const struct call_host bare = { .host = "hostB" };

static struct ferry_call begin(const struct call_host *host, struct facts *f)
{
    struct ferry_call call;

    err = (struct error){ 0 };
    ck_assert_int_eq(call_begin(&call, host, &sample, "driver", "vda", f, &err), 0);
    return call;
}

START_TEST(an_error_of_a_driver_names_its_host_and_the_last_one_stays)
    {
        struct ferry_call call = begin(&full, NULL);

        call_services.error(&call, "Do this.", "first %d", 1);
        call_services.error(&call, NULL, "pool '%s' is 100%% full", "p");
        ck_assert_int_eq(call_failed(&call, "creating the image"), -ERROR_FAILED);
        ck_assert_str_eq(err.host, "hostB");
        ck_assert_str_eq(err.what, "creating the image: pool 'p' is 100% full");
        ck_assert_str_eq(err.fix, "");
        call_done(&call);
    }
END_TEST

START_TEST(a_storage_that_gave_no_answer_is_told_apart)
    {
        struct ferry_call call = begin(&full, NULL);

        call_services.no_answer(&call); /* of no error */
        ck_assert_int_eq(err.code, ERROR_NONE);
        call_services.error(&call, "Wait.", "it is silent");
        call_services.no_answer(&call);
        ck_assert_int_eq(call_failed(&call, "looking"), -ERROR_TIMEOUT);
        ck_assert_int_eq(error_exit(err.code), 4);
        ck_assert_str_eq(err.what, "looking: it is silent");
        ck_assert_str_eq(err.fix, "Wait.");
        call_services.error(&call, NULL, "it is full"); /* the last one stays */
        ck_assert_int_eq(call_failed(&call, NULL), -ERROR_FAILED);
        call_done(&call);
    }
END_TEST

START_TEST(a_driver_that_fails_without_a_reason_is_named)
    {
        struct ferry_call call = begin(&full, NULL);

        err.code = ERROR_SPACE; /* of an earlier call, not of this one */
        ck_assert_int_eq(call_failed(&call, NULL), -ERROR_FAILED);
        ck_assert_str_eq(err.what, "driver 'driver' failed and gave no reason");
        call_done(&call);
    }
END_TEST

START_TEST(texts_live_until_the_call_is_done)
    {
        struct ferry_call call = begin(&full, NULL);
        const char *first = call_services.text(&call, "%s-%d", "a", 1);
        OWNED_MEMORY char *long_one = calloc(1, (1u << 20) + 2);

        ck_assert_ptr_nonnull(long_one);
        memset(long_one, 'x', 1u << 20);
        for (int i = 0; i < 1000; i++)
            ck_assert_ptr_nonnull(call_services.text(&call, "%d", i));
        ck_assert_str_eq(first, "a-1");
        ck_assert_ptr_nonnull(call_services.text(&call, "%s", long_one));
        ck_assert(!call.error_was_set);
        long_one[1u << 20] = 'x';
        ck_assert_ptr_null(call_services.text(&call, "%s", long_one));
        ck_assert(call.error_was_set);
        call_done(&call);
        call_done(&call);
    }
END_TEST

START_TEST(a_plugin_reads_its_own_section_only)
    {
        struct ferry_call call = begin(&full, NULL);

        ck_assert_str_eq(call_services.config(&call, "folder"), "/srv");
        ck_assert_ptr_null(call_services.config(&call, "other"));
        call_done(&call);
        call = begin(&bare, NULL);
        ck_assert_ptr_null(call_services.config(&call, "folder"));
        call_done(&call);
    }
END_TEST

START_TEST(what_a_worker_does_not_lend_is_an_error_that_says_so)
    {
        struct ferry_call call = begin(&bare, NULL);

        ck_assert_ptr_null(call_services.libvirt(&call));
        ck_assert(strstr(err.what, "no connection"));
        ck_assert_int_eq(call_services.journal(&call, "image", "/srv", "a", NULL), -1);
        ck_assert(strstr(err.what, "no journal"));
        ck_assert_str_eq(call_services.host(&call), "hostB");
        call_done(&call);
        call = begin(&full, NULL);
        ck_assert_ptr_eq(call_services.libvirt(&call), &connection);
        ck_assert(!call.error_was_set);
        call_done(&call);
    }
END_TEST

START_TEST(creation_waits_for_the_journal)
    {
        struct ferry_call call = begin(&full, NULL);

        ck_assert_int_eq(call_services.journal(&call, "image", "/srv", "a b", NULL), 0);
        ck_assert_str_eq(journalled, "driver image /srv a b -");
        ck_assert_int_eq(call_services.journal(&call, "image", "/srv", "a b", "id"), 0);
        ck_assert_str_eq(journalled, "driver image /srv a b id");
        journal_fails = true;
        ck_assert_int_eq(call_services.journal(&call, "image", "/srv", "a b", "id"), -1);
        ck_assert_int_eq(call_failed(&call, "creating"), -ERROR_SPACE);
        ck_assert_str_eq(err.what, "creating: the disk is full");
        call_done(&call);
    }
END_TEST

static const struct {
    const char *what, *place, *name;
} nameless[] = {
    { NULL, "/srv", "a" },     { "two words", "/srv", "a" }, { "image", NULL, "a" },
    { "image", "/srv", NULL }, { "image", "/srv", "" },
};

START_TEST(what_cannot_be_found_again_is_not_journalled)
    {
        struct ferry_call call = begin(&full, NULL);

        journalled[0] = '\0';
        ck_assert_int_eq(
            call_services.journal(&call, nameless[_i].what, nameless[_i].place, nameless[_i].name, NULL), -1);
        ck_assert(call.error_was_set);
        ck_assert_str_eq(journalled, "");
        call_done(&call);
    }
END_TEST

static const struct {
    int given;
    enum severity kept;
} severities[] = { { -1, NOTES }, { 0, NOTES }, { 1, NOTES }, { 2, WARNS }, { 3, REFUSES }, { 4, REFUSES } };

START_TEST(a_finding_is_copied_with_a_severity_that_exists)
    {
        OWNED(facts) f = facts_new();
        struct ferry_call call = begin(&full, f);
        char what[] = "no room";

        call_services.finding(&call, severities[_i].given, "pool-full", what, "Free some.");
        memset(what, 'x', sizeof what - 1);
        call_done(&call);
        ck_assert_uint_eq(f->findings.n, 1);
        ck_assert_int_eq(f->findings.list[0].severity, severities[_i].kept);
        ck_assert_str_eq(f->findings.list[0].id, "pool-full");
        ck_assert_str_eq(f->findings.list[0].where, "vda");
        ck_assert_str_eq(f->findings.list[0].what, "no room");
        ck_assert_str_eq(f->findings.list[0].fix, "Free some.");
    }
END_TEST

START_TEST(a_finding_with_an_id_that_is_no_word_bears_the_drivers_name)
    {
        OWNED(facts) f = facts_new();
        struct ferry_call call = begin(&full, f);

        call_services.finding(&call, 1, "No Word\n", "what", NULL);
        call_services.finding(&call, 1, NULL, NULL, NULL);
        call_done(&call);
        call = begin(&full, NULL);
        call_services.finding(&call, 1, "word", "nobody listens", NULL);
        call_done(&call);
        ck_assert_uint_eq(f->findings.n, 1);
        ck_assert_str_eq(f->findings.list[0].id, "driver");
        ck_assert_ptr_null(f->findings.list[0].fix);
    }
END_TEST

START_TEST(a_driver_sees_the_disk_as_the_xml_has_it)
    {
        const char *hosts[] = { "mon1:3300", "[fd00::1]:3300" };
        const struct disk d = { .target = "vda",
                                .hosts = { hosts, 2 },
                                .auth_user = "libvirt",
                                .secret_usage = "client.libvirt",
                                .device = DEVICE_CDROM,
                                .type = DISK_NETWORK,
                                .source = "pool/image",
                                .protocol = "rbd",
                                .readonly = true,
                                .shareable = true,
                                .user = "+107",
                                .group = "qemu",
                                .at_source.capacity_bytes = 42 };
        struct ferry_disk seen = call_disk(&d, "rbd:1");

        ck_assert_uint_eq(seen.size, sizeof seen);
        ck_assert_uint_eq(seen.flags, FERRY_DISK_READONLY | FERRY_DISK_SHAREABLE | FERRY_DISK_CDROM);
        ck_assert_str_eq(seen.type, "network");
        ck_assert_str_eq(seen.source, "pool/image");
        ck_assert_ptr_null(seen.format);
        ck_assert_uint_eq(seen.capacity_bytes, 42);
        ck_assert_str_eq(seen.at_source, "rbd:1");
        ck_assert_str_eq(seen.user, "+107");
        ck_assert_str_eq(seen.group, "qemu");
        ck_assert_ptr_null(call_disk(&d, NULL).at_source);
        ck_assert_uint_eq(seen.n_hosts, 2);
        ck_assert_str_eq(seen.hosts[1], "[fd00::1]:3300");
        ck_assert_str_eq(seen.auth_user, "libvirt");
        ck_assert_str_eq(seen.secret_usage, "client.libvirt");
        ck_assert_ptr_null(seen.secret_uuid);
    }
END_TEST

static int run(void *context, struct ferry_command *command, struct error *e)
{
    (void)context;
    if (strcmp(command->argv[0], "true") != 0)
        return error_set(e, ERROR_TIMEOUT, "hostB", "'%s' was killed", command->argv[0]);
    command->exit_code = 3;
    return 0;
}

START_TEST(a_command_runs_on_the_host_where_the_worker_lends_that)
    {
        const struct call_host runs = { .host = "hostB", .run = run };
        const char *argv[] = { "true", NULL };
        struct ferry_command command = { .size = sizeof command, .argv = argv, .timeout_ms = 10 };
        struct ferry_call call = begin(&runs, NULL);

        ck_assert_int_eq(call_services.run(&call, &command), 0);
        ck_assert_int_eq(command.exit_code, 3);
        ck_assert(!call.error_was_set);
        argv[0] = "sleep";
        ck_assert_int_eq(call_services.run(&call, &command), -1);
        ck_assert_int_eq(call_failed(&call, NULL), -ERROR_TIMEOUT);
        call_done(&call);
        call = begin(&bare, NULL);
        ck_assert_int_eq(call_services.run(&call, &command), -1);
        ck_assert_int_eq(call_failed(&call, NULL), -ERROR_REFUSED);
        ck_assert(strstr(err.what, "no command"));
        call_done(&call);
    }
END_TEST

static const struct {
    int a, b;
    const char *winner;
} scores[] = {
    { 10, 50, "b" }, { 50, 10, "a" }, { 10, 10, "a" },   { 0, 1, "b" },
    { 0, 0, NULL },  { -5, 0, NULL }, { 100, 101, "a" }, { -1, 3, "b" },
};

START_TEST(the_highest_claim_gets_the_disk_and_the_alphabet_decides_a_tie)
    {
        struct build b = build_begin();
        const struct disk d = { .target = "vda", .type = DISK_FILE, .source = "/a" };
        const struct plugin_entry *owner = NULL;
        const struct ferry_storage *got;
        char defines[256];

        /* The file's order is the other way round. */
        (void)snprintf(defines, sizeof defines,
                       "-DPLUGIN_NAME='\"pa\"' -DSTORAGE_NAME='\"a\"' -DTRANSPORT_NAME='\"ta\"' -DSCORE=%d",
                       scores[_i].a);
        build_plugin(&b, "2.so", defines);
        (void)snprintf(defines, sizeof defines, "-DPLUGIN_NAME='\"pb\"' -DSTORAGE_NAME='\"b\"' -DSCORE=%d",
                       scores[_i].b);
        build_plugin(&b, "1.so", defines);
        ck_assert_int_eq(registry_load(b.folder, &err), 0);
        ck_assert_ptr_nonnull(registry_find("pa"));
        ck_assert_ptr_nonnull(registry_find("pb"));
        got = call_claim(&full, &d, NULL, &owner);
        ck_assert(text_equal(got ? got->name : NULL, scores[_i].winner));
        if (got)
            ck_assert_str_eq(owner->plugin.name, *got->name == 'a' ? "pa" : "pb");
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/call", an_error_of_a_driver_names_its_host_and_the_last_one_stays,
          a_storage_that_gave_no_answer_is_told_apart, a_driver_that_fails_without_a_reason_is_named,
          texts_live_until_the_call_is_done, a_plugin_reads_its_own_section_only,
          what_a_worker_does_not_lend_is_an_error_that_says_so, creation_waits_for_the_journal,
          LOOP(what_cannot_be_found_again_is_not_journalled, TEST_ROWS(nameless)),
          LOOP(a_finding_is_copied_with_a_severity_that_exists, TEST_ROWS(severities)),
          a_finding_with_an_id_that_is_no_word_bears_the_drivers_name,
          a_driver_sees_the_disk_as_the_xml_has_it, a_command_runs_on_the_host_where_the_worker_lends_that,
          LOOP(the_highest_claim_gets_the_disk_and_the_alphabet_decides_a_tie, TEST_ROWS(scores)))
