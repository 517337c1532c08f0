/* SPDX-License-Identifier: Apache-2.0
 * What was seen of locks: for a day, for two hosts whichever is the source, for one directory; and a file
 * that is damaged or lost says nothing. */
#include "check-main.h"
#include "state/locks.h"

#include <stdio.h>
#include <unistd.h>

#define NOW 1800000000u

static struct facts *pair(const char *source, const char *dest, const char *here, const char *there)
{
    struct facts *f = facts_new();
    struct disk *d = f ? facts_add_disk(f) : NULL;

    ck_assert_ptr_nonnull(d);
    f->source.uuid = source;
    f->dest.uuid = dest;
    d->at_source.directory = here;
    d->at_dest.directory = there;
    d->file_system = "nfs4";
    return f;
}

static uint64_t seen(const json_t *locks, const struct facts *f, uint64_t now_s)
{
    return locks_seen_s(locks, f, &f->domain.disks[0], now_s);
}

START_TEST(it_is_remembered_for_a_day_and_for_both_directions)
    {
        struct error err = { 0 };
        OWNED_JSON locks = json_object();
        OWNED(facts) f = pair("a", "b", "/srv", "/mnt");
        OWNED(facts) back = pair("b", "a", "/mnt", "/srv");
        OWNED(facts) swapped = pair("b", "a", "/srv", "/mnt");
        OWNED(facts) elsewhere = pair("a", "b", "/srv", "/other");
        OWNED(facts) third = pair("a", "c", "/srv", "/mnt");

        ck_assert_uint_eq(seen(locks, f, NOW), 0);
        ck_assert_int_eq(locks_note(locks, f, &f->domain.disks[0], NOW, &err), 0);
        ck_assert_uint_eq(seen(locks, f, NOW), NOW);
        ck_assert_uint_eq(seen(locks, back, NOW), NOW);
        ck_assert_uint_eq(seen(locks, f, NOW + LOCKS_VALID_S - 1), NOW);
        ck_assert_uint_eq(seen(locks, f, NOW + LOCKS_VALID_S), 0);
        ck_assert_uint_eq(seen(locks, f, NOW - 1), 0);
        ck_assert_uint_eq(seen(locks, swapped, NOW) + seen(locks, elsewhere, NOW) + seen(locks, third, NOW),
                          0);
        f->domain.disks[0].file_system = "ext4";
        ck_assert_uint_eq(seen(locks, f, NOW), 0);
    }
END_TEST

START_TEST(what_is_older_is_forgotten_and_what_is_not_known_is_not_noted)
    {
        struct error err = { 0 };
        OWNED_JSON locks = json_object();
        OWNED(facts) f = pair("a", "b", "/srv", "/mnt");
        OWNED(facts) other = pair("a", "c", "/srv", "/mnt");
        OWNED(facts) nameless = pair(NULL, "c", "/srv", "/mnt");

        ck_assert_int_eq(locks_note(locks, f, &f->domain.disks[0], NOW, &err), 0);
        ck_assert_int_eq(locks_note(locks, other, &other->domain.disks[0], NOW + LOCKS_VALID_S, &err), 0);
        ck_assert_uint_eq(json_object_size(locks), 1);
        ck_assert_int_eq(locks_note(locks, nameless, &nameless->domain.disks[0], NOW + LOCKS_VALID_S, &err),
                         0);
        ck_assert_uint_eq(json_object_size(locks), 1);
    }
END_TEST

START_TEST(it_is_written_read_and_not_believed_when_damaged)
    {
        char dir[] = "/tmp/virt-ferry-locks.XXXXXX", path[64];
        struct error err = { 0 };
        OWNED_JSON locks = json_object();
        OWNED(facts) f = pair("a", "b", "/srv", "/mnt");

        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void)snprintf(path, sizeof path, "%s/locks", dir);
        OWNED_JSON absent = locks_read(dir);
        ck_assert_uint_eq(json_object_size(absent), 0);
        ck_assert_int_eq(locks_note(locks, f, &f->domain.disks[0], NOW, &err), 0);
        ck_assert_int_eq(locks_write(dir, locks, &err), 0);
        OWNED_JSON again = locks_read(dir);
        ck_assert_uint_eq(seen(again, f, NOW), NOW);
        ck_assert_int_eq(truncate(path, 5), 0);
        OWNED_JSON damaged = locks_read(dir);
        ck_assert_uint_eq(json_object_size(damaged), 0);
        ck_assert_int_eq(unlink(path), 0);
        /* Nothing of the writing is left beside it. */
        ck_assert_int_eq(rmdir(dir), 0);
        ck_assert_int_lt(locks_write(dir, locks, &err), 0);
    }
END_TEST

TEST_MAIN("state/locks", it_is_remembered_for_a_day_and_for_both_directions,
          what_is_older_is_forgotten_and_what_is_not_known_is_not_noted,
          it_is_written_read_and_not_believed_when_damaged)
