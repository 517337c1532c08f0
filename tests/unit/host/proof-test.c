/* SPDX-License-Identifier: Apache-2.0
 * The nonce as two workers are asked for it, whose verbs are of this test: one for each directory, all
 * directories side by side, and each side of a gap. What a verb does is journalled, so that the parent sees
 * the order. */
#include "check-main.h"
#include "host/proof.h"
#include <string.h>

#define MOST 256

/* What both workers did, in the order in which the parent heard of it: "open /a", "look /a", … */
static struct {
    char line[MOST][64];
    size_t n;
} done;

static int note(void *context, const json_t *record, struct error *err)
{
    (void)context;
    (void)err;
    ck_assert_uint_lt(done.n, MOST);
    (void)snprintf(done.line[done.n++], sizeof *done.line, "%s %s", json_text(record, "did", ""),
                   json_text(record, "directory", ""));
    return 0;
}

static int tell(struct child *c, const char *did, const char *directory, struct error *err)
{
    return child_journal(c, json_pack("{ss ss ss}", "step", "test", "did", did, "directory", directory), err);
}

/* ---- the verbs: a pool is called as its directory; "/gap…" has one on hostB, "/odd…" is seen by hostA
 * alone, in
 * "/blind" hostB does not find what is made there later, and from "/stuck" nothing can be removed ---- */

static int open_one(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *directory = json_text(args, "directory", "");

    if (tell(c, "open", directory, err) < 0)
        return -err->code;
    if (strncmp(directory, "/gap", 4) == 0 && strcmp(c->host, "hostB") == 0)
        return json_put_text(reply, "gap", "the pool is not active");
    if (json_put_flag(reply, "finds_new",
                      strncmp(directory, "/blind", 6) != 0 || strcmp(c->host, "hostA") == 0) < 0)
        return error_memory(err);
    return json_put_text(reply, "pool", directory);
}

static int look_one(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *directory = json_text(args, "directory", "");

    if (tell(c, "look", directory, err) < 0)
        return -err->code;
    return json_put_flag(reply, "seen",
                         strncmp(directory, "/own", 4) != 0 &&
                             (strncmp(directory, "/odd", 4) != 0 || strcmp(c->host, "hostA") == 0));
}

/* What files of that name say on that host: "other…" is another one there, "late…" looks so the first time,
 * "gone…" is not there. */
static const char *time_of(const char *host, const char *name, int turn)
{
    const bool is_dest = strcmp(host, "hostB") == 0;

    if (is_dest && strncmp(name, "gone", 4) == 0)
        return NULL;
    return is_dest && (strncmp(name, "other", 5) == 0 || (strncmp(name, "late", 4) == 0 && turn == 1))
               ? "1600000000.000000001"
               : "1700000000.000000001";
}

static int turn; /* of questions */

static int stat_one(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    json_t *ctimes = json_object(), *name;
    size_t i;

    json_array_foreach(json_child(args, "names"), i, name)
    {
        const char *text = json_string_value(name), *when = time_of(c->host, text, turn);

        if (when && json_put_text(ctimes, text, when) < 0)
            return error_memory(err);
    }
    if (json_put(reply, "ctimes", ctimes) < 0)
        return error_memory(err);
    return tell(c, "stat", json_text(args, "directory", ""), err);
}

static int close_one(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)reply;
    if (tell(c, "close", json_text(args, "pool", ""), err) < 0)
        return -err->code;
    return strncmp(json_text(args, "pool", ""), "/stuck", 6) == 0
               ? error_set(err, ERROR_CONNECTION, c->host, "could not look for pool")
               : 0;
}

typedef int one_folder(struct child *c, const json_t *args, json_t *reply, struct error *err);

static int each(struct child *c, const json_t *args, json_t *reply, one_folder *one, struct error *err)
{
    json_t *list = json_array(), *asks;
    size_t i;

    json_array_foreach(json_child(args, "folders"), i, asks)
    {
        json_t *told = json_object();
        struct error failed = { 0 };

        if (one(c, asks, told, &failed) < 0 && json_put(told, "error", json_of_error(&failed)) < 0)
            return error_memory(err);
        ck_assert_int_eq(json_array_append_new(list, told), 0);
    }
    return json_put(reply, "folders", list) < 0 ? error_memory(err) : 0;
}

static int verb_open(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    return each(c, args, reply, open_one, err);
}

static int verb_look(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    return each(c, args, reply, look_one, err);
}

static int verb_stat(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    turn++;
    return each(c, args, reply, stat_one, err);
}

static int verb_close(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    return each(c, args, reply, close_one, err);
}

static const struct verb verbs[] = { { "nonce-open", verb_open },
                                     { "nonce-look", verb_look },
                                     { "nonce-stat", verb_stat },
                                     { "nonce-close", verb_close },
                                     { NULL, NULL } };

/* ---- a domain ---- */

struct two {
    struct loop *loop;
    struct worker *source, *dest;
};

static struct two two_hosts(void)
{
    struct error err = { 0 };
    struct worker_setup setup = { .host = "hostA", .verbs = verbs, .journal = note };
    struct two t = { .loop = loop_new(&err) };

    done.n = 0;
    ck_assert_ptr_nonnull(t.loop);
    t.source = worker_start(t.loop, &setup, &err);
    setup.host = "hostB";
    t.dest = worker_start(t.loop, &setup, &err);
    ck_assert_msg(t.source && t.dest, "%s", err.what);
    return t;
}

static void two_done(struct two *t)
{
    worker_free(t->source);
    worker_free(t->dest);
    loop_free(t->loop);
}

/* Whether something may be left. */
static bool prove(struct facts *f)
{
    struct proof_wish wish = { .with_locks = false };
    struct error err = { 0 };
    struct two t = two_hosts();

    ck_assert_msg(proof_of_sharing(f, t.source, t.dest, &wish, &err) == 0, "%s", err.what);
    two_done(&t);
    return wish.left;
}

static struct disk *add(struct facts *f, const char *directory, const char *there, const char *name)
{
    struct disk *d = facts_add_disk(f);

    ck_assert_ptr_nonnull(d);
    d->target = name;
    d->type = DISK_FILE;
    d->source = arena_format(f->arena, "%s/%s", directory, name);
    if (strcmp(directory, there) != 0)
        d->dest_source = arena_format(f->arena, "%s/%s", there, name);
    d->driver = "local-block";
    d->driver_shares = true;
    d->at_source.directory = directory;
    d->at_dest.directory = there;
    return d;
}

static size_t times(const char *line)
{
    size_t n = 0;

    for (size_t i = 0; i < done.n; i++)
        n += strcmp(done.line[i], line) == 0;
    return n;
}

static size_t first(const char *did)
{
    size_t i = 0;

    while (i < done.n && strncmp(done.line[i], did, strlen(did)) != 0)
        i++;
    return i;
}

static size_t last(const char *did)
{
    size_t i = done.n;

    while (i > 0 && strncmp(done.line[i - 1], did, strlen(did)) != 0)
        i--;
    return i;
}

START_TEST(a_directory_takes_one_nonce_however_many_images_lie_in_it)
    {
        OWNED(facts) f = facts_new();

        for (int i = 0; i < 8; i++)
            (void)add(f, "/a", "/a", arena_format(f->arena, "vd%c", 'a' + i));
        ck_assert(!prove(f));
        ck_assert_uint_eq(times("open /a"), 2); /* one on each host */
        ck_assert_uint_eq(times("look /a"), 2);
        ck_assert_uint_eq(times("close /a"), 2);
        ck_assert_uint_eq(times("stat /a"), 3); /* the source before and after the destination */
        for (size_t i = 0; i < 8; i++)
            ck_assert_int_eq(f->domain.disks[i].sharing, SHARING_PROVED);
    }
END_TEST

/* One that is another is asked for again, and the others are not. */
START_TEST(of_the_files_of_one_directory_each_is_compared)
    {
        OWNED(facts) f = facts_new();
        const struct disk *d;

        (void)add(f, "/a", "/a", "same");
        (void)add(f, "/a", "/a", "late");
        (void)add(f, "/a", "/a", "other");
        (void)add(f, "/b", "/b", "gone");
        ck_assert(!prove(f));
        d = f->domain.disks;
        ck_assert_int_eq(d[0].sharing, SHARING_PROVED);
        ck_assert_int_eq(d[1].sharing, SHARING_PROVED);
        ck_assert_int_eq(d[2].sharing, SHARING_NOT_PROVED);
        ck_assert_ptr_nonnull(strstr(d[2].sharing_evidence, "is not the same file on both hosts"));
        ck_assert_int_eq(d[3].sharing, SHARING_NOT_PROVED);
        ck_assert_str_eq(d[3].sharing_evidence, "the pool over '/b' does not list 'gone' on host 'hostB'");
        ck_assert_uint_eq(times("stat /a"), 3 * 4);
        ck_assert_uint_eq(times("stat /b"), 3);
        for (size_t i = 0; i < 4; i++)
            ck_assert_int_eq(d[i].at_dest.present, TRI_YES);
    }
END_TEST

START_TEST(what_could_not_be_removed_is_no_gap_of_the_proof_and_is_said_to_be_left)
    {
        OWNED(facts) f = facts_new();

        (void)add(f, "/a", "/a", "vda");
        (void)add(f, "/stuck", "/stuck", "vdb");
        ck_assert(prove(f));
        ck_assert_int_eq(f->domain.disks[0].sharing, SHARING_PROVED);
        ck_assert_int_eq(f->domain.disks[1].sharing, SHARING_PROVED);
    }
END_TEST

START_TEST(directories_are_proved_side_by_side)
    {
        OWNED(facts) f = facts_new();

        for (int i = 0; i < 8; i++)
            (void)add(f, arena_format(f->arena, "/%d", i), arena_format(f->arena, "/%d", i), "vda");
        ck_assert(!prove(f));
        ck_assert_uint_lt(last("open"), first("look") + 1); /* all are open before any is looked at */
        ck_assert_uint_lt(last("look"), first("close") + 1);
        ck_assert_uint_eq(done.n, 8 * (2 * 3 + 3));
        for (size_t i = 0; i < 8; i++)
            ck_assert_int_eq(f->domain.disks[i].sharing, SHARING_PROVED);
    }
END_TEST

/* libvirt has room for one pool on a directory. */
START_TEST(a_directory_that_maps_lead_to_two_is_open_once_at_a_time)
    {
        OWNED(facts) f = facts_new();

        (void)add(f, "/a", "/b", "vda");
        (void)add(f, "/a", "/c", "vdb");
        ck_assert(!prove(f));
        ck_assert_uint_eq(times("open /a"), 2);
        ck_assert_uint_eq(times("close /a"), 2);
        ck_assert_uint_lt(first("close /a"), last("open /a") - 1);
        for (size_t i = 0; i < 2; i++)
            ck_assert_int_eq(f->domain.disks[i].sharing, SHARING_PROVED);
    }
END_TEST

START_TEST(a_gap_in_one_directory_is_none_of_another)
    {
        OWNED(facts) f = facts_new();

        (void)add(f, "/gap", "/gap", "vda");
        (void)add(f, "/odd", "/odd", "vdb");
        (void)add(f, "/own", "/own", "vdc");
        (void)add(f, "/a", "/a", "vdd");
        ck_assert(!prove(f));
        ck_assert_int_eq(f->domain.disks[0].sharing, SHARING_NOT_PROVED);
        ck_assert_str_eq(f->domain.disks[0].sharing_evidence, "the pool is not active");
        ck_assert_int_eq(f->domain.disks[1].sharing, SHARING_NOT_PROVED);
        ck_assert_ptr_nonnull(strstr(f->domain.disks[1].sharing_evidence, "only one of the two hosts"));
        ck_assert_int_eq(f->domain.disks[2].sharing, SHARING_DENIED);
        ck_assert_int_eq(f->domain.disks[3].sharing, SHARING_PROVED);
        /* What was opened is closed, and what had a gap was not looked at. */
        ck_assert_uint_eq(times("look /gap"), 0);
        ck_assert_uint_eq(times("close /gap"), 1);
        ck_assert_uint_eq(times("close /odd"), 2);
    }
END_TEST

START_TEST(identities_of_drivers_need_no_nonce)
    {
        OWNED(facts) f = facts_new();
        struct disk *d = add(f, "/a", "/a", "vda");

        d->at_source.identity = d->at_dest.identity = "nfs://10.0.0.1/fsid=1/fileid=2";
        d = add(f, "/a", "/a", "vdb");
        d->at_source.identity = "nfs://10.0.0.1/fsid=1/fileid=3";
        d->at_dest.identity = "nfs://10.0.0.2/fsid=1/fileid=3";
        ck_assert(!prove(f));
        ck_assert_uint_eq(done.n, 0);
        ck_assert_int_eq(f->domain.disks[0].sharing, SHARING_PROVED);
        ck_assert_int_eq(f->domain.disks[1].sharing, SHARING_DENIED);
    }
END_TEST

/* Without an image in it yet: what the source makes there the destination must find. */
static const struct {
    const char *folder;
    enum sharing sharing;
    const char *evidence;
} folders[] = { { "/a", SHARING_PROVED, "each host saw what the other wrote in /a" },
                { "/own", SHARING_DENIED, "neither host saw what the other wrote in /own" },
                { "/odd", SHARING_NOT_PROVED, "only one of the two hosts saw what the other wrote in /odd" },
                { "/gap", SHARING_NOT_PROVED, "the pool is not active" },
                { "/blind", SHARING_NOT_PROVED,
                  "pool '/blind' of host 'hostB' does not list what other hosts make in /blind before it is "
                  "refreshed, and no command can be run there" } };

START_TEST(a_folder_is_proved_before_an_image_is_made_in_it)
    {
        struct error err = { 0 };
        struct two t = two_hosts();
        struct proof_of_folder seen = { .path = "" };

        ck_assert_int_eq(proof_of_folder(&seen, folders[_i].folder, t.source, t.dest, &err), 0);
        ck_assert_int_eq(seen.sharing, folders[_i].sharing);
        ck_assert_str_eq(seen.evidence, folders[_i].evidence);
        ck_assert_str_eq(seen.path, folders[_i].folder);
        two_done(&t);
    }
END_TEST

TEST_MAIN("host/proof", a_directory_takes_one_nonce_however_many_images_lie_in_it,
          what_could_not_be_removed_is_no_gap_of_the_proof_and_is_said_to_be_left,
          of_the_files_of_one_directory_each_is_compared, directories_are_proved_side_by_side,
          a_directory_that_maps_lead_to_two_is_open_once_at_a_time, a_gap_in_one_directory_is_none_of_another,
          identities_of_drivers_need_no_nonce,
          LOOP(a_folder_is_proved_before_an_image_is_made_in_it, TEST_ROWS(folders)))
