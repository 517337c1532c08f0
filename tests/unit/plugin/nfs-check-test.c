/* SPDX-License-Identifier: Apache-2.0
 * What is found of an image from what the server said of it, and what no rule may make of an answer that says
 * nothing of rights. */
#define mount nfs_mount                 /* the model has one too */
#include "../../../plugins/nfs/check.c" /* NOLINT(bugprone-suspicious-include) */
#undef mount

#include "plugin/call.h"

#include "base/text.h"
#include "check-main.h"

static nfsstat3 write_status;

/* ---- the server, of which only this is asked here ---- */

int server_set(const char *address, const struct user *user, const struct handle *file, const sattr3 *set,
               const nfstime3 *guard, nfsstat3 *ret_status, struct trouble *trouble)
{
    (void)address;
    (void)user;
    (void)file;
    (void)set;
    (void)trouble;
    ck_assert_ptr_nonnull(guard);
    *ret_status = write_status;
    return 0;
}

int server_learn_all(struct want *const *wants, size_t n, struct trouble *trouble)
{
    (void)wants;
    (void)n;
    (void)trouble;
    ck_abort_msg("what is known was asked again");
}

const char *server_words(nfsstat3 status)
{
    return status == NFS3ERR_STALE ? "the file handle is stale" : "some error";
}

#define ALL LOOK_RIGHTS

static const struct {
    const char *id; /* NULL: nothing is found */
    nfsstat3 rights_status, write_status;
    uint32_t rights, uid;
    enum severity severity;
    bool is_readonly;
} answers[] = {
    { NULL, NFS3_OK, NFS3_OK, ALL, 0, NOTES, false },
    { NULL, NFS3_OK, NFS3_OK, ACCESS3_READ, 0, NOTES, true },
    { "nfs-root-squash", NFS3_OK, NFS3ERR_ACCES, ACCESS3_READ, 0, REFUSES, false },
    { "nfs-read-only", NFS3_OK, NFS3ERR_ROFS, ACCESS3_READ, 0, REFUSES, false },
    { "nfs-not-writable", NFS3_OK, NFS3ERR_ACCES, ALL & ~(uint32_t)ACCESS3_EXTEND, 64055, REFUSES, false },
    { "nfs-not-readable", NFS3_OK, NFS3_OK, 0, 64055, REFUSES, true },
    { "nfs-root-squash", NFS3ERR_ACCES, NFS3ERR_ACCES, 0, 0, REFUSES, false },
    { "nfs-not-writable", NFS3ERR_PERM, NFS3ERR_ACCES, 0, 64055, REFUSES, false },
    /* no word about rights */
    { "nfs-stale", NFS3ERR_STALE, NFS3ERR_STALE, 0, 0, WARNS, false },
    { "nfs-not-answering", NFS3ERR_JUKEBOX, NFS3ERR_JUKEBOX, 0, 0, WARNS, false },
    { "nfs-not-answering", NFS3ERR_IO, NFS3ERR_IO, 0, 64055, WARNS, true },
};

START_TEST(rights_are_judged_by_what_the_server_said_of_them_alone)
    {
        static const struct call_host host = { .host = "hostA" };
        const struct plugin_entry owner = { .plugin = { .name = "nfs" } };
        const struct ferry_disk disk = { .size = sizeof disk,
                                         .target = "vda",
                                         .type = "network",
                                         .flags = answers[_i].is_readonly ? FERRY_DISK_READONLY : 0 };
        const struct look look = { .found = { .status = NFS3_OK, .attributes = { .type = NF3REG } },
                                   .has_rights = true,
                                   .rights_status = answers[_i].rights_status,
                                   .rights = answers[_i].rights };
        struct place place = { .address = "10.0.0.5",
                               .folder = "/export",
                               .name = "a",
                               .has_user = true,
                               .user = { answers[_i].uid, answers[_i].uid } };
        struct facts *found = facts_new();
        struct error err = { 0 };
        struct ferry_call call;

        write_status = answers[_i].write_status;
        ck_assert_int_eq(call_begin(&call, &host, &owner, "nfs", "vda", found, &err), 0);
        check_image(&call, &call_services, &disk, &place, &look);
        ck_assert_uint_eq(found->findings.n, answers[_i].id != NULL);
        if (answers[_i].id) {
            ck_assert_str_eq(found->findings.list[0].id, answers[_i].id);
            ck_assert_int_eq(found->findings.list[0].severity, answers[_i].severity);
        }
        call_done(&call);
        facts_free(found);
    }
END_TEST

TEST_MAIN("plugin/nfs-check",
          LOOP(rights_are_judged_by_what_the_server_said_of_them_alone, TEST_ROWS(answers)))
