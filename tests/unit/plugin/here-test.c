/* SPDX-License-Identifier: Apache-2.0
 * Images that are made on this machine itself: nothing before the journal has it, nothing over what stands
 * there, and nothing removed but what was made. */
#include "../../../plugins/common/qcow2.c"     /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/local-block/here.c" /* NOLINT(bugprone-suspicious-include) */

#include "plugin/call.h"

#include "check-main.h"
#include <stdlib.h>

static struct error err;
static char identity[128];
static int journal_answers;
static unsigned records;

static int journal(void *context, const char *driver, const char *what, const char *place, const char *name,
                   const char *id, struct error *e)
{
    (void)context;
    (void)driver;
    ck_assert_str_eq(what, HERE_WHAT);
    ck_assert_int_eq(place[0], '/');
    ck_assert_str_eq(name, "a.img");
    (void)snprintf(identity, sizeof identity, "%s", id);
    records++;
    return journal_answers < 0 ? error_set(e, ERROR_FAILED, NULL, "the journal is full") : 0;
}

static const struct call_host host = { .host = "hostA", .journal = journal };
static const struct plugin_entry owner = { .plugin = { .name = "local-block" } };

static struct path path;

static int make(const char *format)
{
    const struct ferry_disk disk = { .size = sizeof disk, .target = "vda", .format = format };
    const struct ferry_new_image image = { .size = sizeof image, .disk = &disk, .capacity_bytes = 1 << 20 };
    struct ferry_call call;
    int result;

    err = (struct error){ 0 };
    ck_assert_int_eq(call_begin(&call, &host, &owner, "local-block", "vda", NULL, &err), 0);
    result = here_create(&call, &call_services, &path, &image, qcow2_file_bytes(1 << 20));
    call_done(&call);
    return result;
}

static int take_away(const char *id)
{
    struct ferry_call call;
    int result;

    ck_assert_int_eq(call_begin(&call, &host, &owner, "local-block", "vda", NULL, &err), 0);
    result = here_remove(&call, &call_services, path.folder, path.name, id);
    call_done(&call);
    return result;
}

static bool stands(void)
{
    char whole[PATH_MAX];

    ck_assert_int_lt(snprintf(whole, sizeof whole, "%s/%s", path.folder, path.name), PATH_MAX);
    return access(whole, F_OK) == 0;
}

static void begin(void)
{
    (void)snprintf(path.folder, sizeof path.folder, "/tmp/virt-ferry-here.XXXXXX");
    (void)snprintf(path.name, sizeof path.name, "a.img");
    ck_assert_ptr_nonnull(mkdtemp(path.folder));
    journal_answers = 0;
    records = 0;
}

static void end(void)
{
    ck_assert_int_eq(rmdir(path.folder), 0); /* nothing is in it */
}

START_TEST(an_image_is_made_once_and_removed_as_the_one_that_was_made)
    {
        const char *format = _i ? "qcow2" : "raw";

        begin();
        ck_assert_msg(make(format) == 0, "%s", err.what);
        ck_assert(stands());
        ck_assert_uint_eq(records, 1);
        ck_assert_int_eq(make(format), -1);
        ck_assert_msg(strstr(err.what, "already"), "%s", err.what);
        ck_assert_uint_eq(records, 1); /* nothing was journalled in vain */
        ck_assert_int_eq(take_away("inode:1:1.000000001"), 1);
        ck_assert(stands());
        ck_assert_int_eq(take_away(identity), 0);
        ck_assert(!stands());
        ck_assert_int_eq(take_away(identity), 0);
        end();
    }
END_TEST

START_TEST(what_the_journal_refused_is_not_made)
    {
        begin();
        journal_answers = -1;
        ck_assert_int_eq(make("raw"), -1);
        ck_assert_uint_eq(records, 1);
        ck_assert(!stands());
        end();
    }
END_TEST

START_TEST(a_file_system_where_it_cannot_be_done_is_said_to_be_one)
    {
        (void)snprintf(path.folder, sizeof path.folder, "/proc");
        (void)snprintf(path.name, sizeof path.name, "a.img");
        ck_assert_int_eq(make("raw"), -1);
        ck_assert_msg(strstr(err.what, "O_TMPFILE"), "%s", err.what);
        ck_assert(err.fix[0] != '\0');
        ck_assert_uint_eq(records, 0);
    }
END_TEST

TEST_MAIN("plugin/here", LOOP(an_image_is_made_once_and_removed_as_the_one_that_was_made, 2),
          what_the_journal_refused_is_not_made, a_file_system_where_it_cannot_be_done_is_said_to_be_one)
