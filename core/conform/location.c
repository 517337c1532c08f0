/* SPDX-License-Identifier: Apache-2.0
 * An image at a place that the user gave: made, looked at, told apart and taken away again. Each step is a
 * check of its own; what the next one needs stands in the page. */
#include "base/text.h"
#include "conform/trial.h"
#include <stdio.h>
#include <string.h>

#define CAPACITY (1024u * 1024u)

/* nfs://SERVER/PATH, rbd:POOL[/NAMESPACE], or a folder. Texts are static. */
void trial_disk_at(const struct trial *t, struct ferry_disk *ret)
{
    static char source[PATH_MAX], server[256], user[32];
    static const char *servers[1];
    const char *where = t->ask->location;

    *ret = (struct ferry_disk){ .size = sizeof *ret,
                                .flags = FERRY_DISK_AT_DEST,
                                .target = "vda",
                                .type = "file",
                                .source = source,
                                .format = "raw",
                                .capacity_bytes = FERRY_NOT_KNOWN };
    if (text_starts(where, "nfs://")) {
        size_t n = strcspn(where + 6, "/");

        (void)snprintf(server, sizeof server, "%.*s", (int)n, where + 6);
        (void)snprintf(user, sizeof user, "+%u", (unsigned)geteuid());
        servers[0] = server;
        where += 6 + n;
        ret->type = "network";
        ret->protocol = "nfs";
        ret->server = server;
        ret->hosts = servers;
        ret->n_hosts = 1;
        ret->user = ret->group = user;
    } else if (text_starts(where, "rbd:")) {
        where += 4;
        ret->type = "network";
        ret->protocol = "rbd";
    }
    (void)snprintf(source, sizeof source, "%s/%s", where, t->page->image);
}

/* No step but the first is tried by a driver that does not claim the place, or after a step that it builds
 * on went wrong: that one was told. */
static bool is_skipped(struct trial *t, bool needs_image)
{
    const char *why = !t->page->is_claimed               ? "it does not claim a disk there"
                      : needs_image && !t->page->is_made ? "there is no image"
                                                         : NULL;

    if (why)
        (void)snprintf(t->page->skipped, sizeof t->page->skipped, "%s", why);
    return why != NULL;
}

static void claim(struct trial *t, unsigned i)
{
    struct ferry_disk d;
    int score;

    (void)i;
    trial_disk_at(t, &d);
    trial_begin(t, MOOD_WILLING, TRIAL_QUESTION_MS, "claim of '%s'", d.source);
    score = t->storage->claim(&t->now.call, t->now.services, &d);
    t->page->is_claimed = score > 0;
    trial_end(t);
    if (score <= 0)
        (void)snprintf(t->page->skipped, sizeof t->page->skipped, "it does not claim a disk there");
}

/* The driver's answer to inspect: `present` as wanted, and the size of ours. */
static void expect(struct trial *t, uint32_t present, const char *when)
{
    struct ferry_image ret = { .size = sizeof ret };
    struct ferry_disk d;
    int result;

    if (!t->storage->inspect)
        return;
    trial_disk_at(t, &d);
    trial_begin(t, MOOD_WILLING, TRIAL_QUESTION_MS, "inspect %s", when);
    result = t->storage->inspect(&t->now.call, t->now.services, &d, &ret);
    trial_result(t, result);
    if (result < 0)
        trial_note(t, "does not work there: %s", t->now.err.what);
    else if (ret.present != present)
        trial_note(t, "says %u for 'present', and %u is true", (unsigned)ret.present, (unsigned)present);
    else if (present == 1 && ret.capacity_bytes != CAPACITY && ret.capacity_bytes != FERRY_NOT_KNOWN)
        trial_note(t, "gives another size than that with which the image was created");
    trial_end(t);
}

static void look_before(struct trial *t, unsigned i)
{
    (void)i;
    if (!is_skipped(t, false))
        expect(t, 0, "before anything was created");
}

static int create_here(struct trial *t, const char *when)
{
    struct ferry_disk d;
    const struct ferry_new_image image = { .size = sizeof image, .disk = &d, .capacity_bytes = CAPACITY };
    int result;

    trial_disk_at(t, &d);
    trial_begin(t, MOOD_WILLING, TRIAL_CREATION_MS, "create%s", when);
    result = t->storage->create(&t->now.call, t->now.services, &image);
    trial_result(t, result);
    return result;
}

static void create_refused(struct trial *t, unsigned i)
{
    (void)i;
    if (is_skipped(t, false))
        return;
    t->journal_refuses = true;
    if (create_here(t, " while the journal refuses") == 0)
        trial_note(t, "returns 0 without the journal");
    trial_end(t);
    t->journal_refuses = false;
    expect(t, 0, "after the journal refused");
}

static void create(struct trial *t, unsigned i)
{
    int result;

    (void)i;
    if (is_skipped(t, false))
        return;
    t->page->n_records = 0;
    result = create_here(t, "");
    if (result < 0)
        trial_note(t, "does not work there: %s", t->now.err.what);
    else if (t->now.n_journalled == 0)
        trial_note(t, "journals nothing of what it makes");
    t->page->is_made = result == 0;
    trial_end(t);
    if (result == 0)
        expect(t, 1, "after it was created");
}

static void create_again(struct trial *t, unsigned i)
{
    const unsigned before = t->page->n_records;

    (void)i;
    if (is_skipped(t, true))
        return;
    if (create_here(t, " where an image stands") == 0)
        trial_note(t, "returns 0, and something stands there");
    trial_end(t);
    /* Of what it made besides nothing can be ours: the first ones are what is to be removed. */
    t->page->n_records = before;
    expect(t, 1, "after a second creation was refused");
}

static void identify(struct trial *t, unsigned i)
{
    struct ferry_identity first = { .size = sizeof first }, second = first;
    struct ferry_disk d;

    (void)i;
    if (is_skipped(t, true))
        return;
    trial_disk_at(t, &d);
    trial_begin(t, MOOD_WILLING, TRIAL_QUESTION_MS, "identify");
    if (t->storage->identify(&t->now.call, t->now.services, &d, &first) < 0 ||
        t->storage->identify(&t->now.call, t->now.services, &d, &second) < 0)
        trial_note(t, "does not work there: %s", t->now.err.what);
    else if (!text_equal(first.identity, second.identity) || !text_equal(first.directory, second.directory))
        trial_note(t, "says that the image is '%s' and then that it is '%s'",
                   first.identity ? first.identity : "", second.identity ? second.identity : "");
    else if (!first.identity && !first.directory)
        trial_note(t, "gives neither an identity nor a directory: %s", first.evidence ? first.evidence : "");
    trial_end(t);
}

static void blocks(struct trial *t, unsigned i)
{
    struct ferry_disk d;

    (void)i;
    if (is_skipped(t, true))
        return;
    trial_disk_at(t, &d);
    trial_begin(t, MOOD_WILLING, TRIAL_CREATION_MS, "block I/O");
    trial_blocks(t, &d, CAPACITY);
    trial_end(t);
}

static int remove_record(struct trial *t, const struct trial_record *r, const char *identity,
                         const char *when)
{
    trial_begin(t, MOOD_WILLING, TRIAL_CREATION_MS, "remove of %s '%s'%s", r->what, r->name, when);
    return t->storage->remove(&t->now.call, t->now.services, r->what, r->place, r->name, identity);
}

static void remove_others(struct trial *t, unsigned i)
{
    (void)i;
    if (is_skipped(t, true))
        return;
    for (unsigned n = t->page->n_records; n-- > 0;) {
        int result = remove_record(t, &t->page->records[n], "another one's", " under another identity");

        if (result < 0 || result > 1)
            trial_note(t, "returns %d and not 1: %s", result, t->now.err.what);
        trial_end(t);
    }
    expect(t, 1, "after a removal under another identity");
}

/* The newest first; also what a creation that broke down has journalled. */
static void remove_all(struct trial *t, const char *when)
{
    for (unsigned n = t->page->n_records; n-- > 0;) {
        const struct trial_record *r = &t->page->records[n];
        int result = remove_record(t, r, r->has_identity ? r->identity : NULL, when);

        if (result < 0 || result > 1)
            trial_note(t, "returns %d: %s", result, t->now.err.what);
        trial_end(t);
    }
    expect(t, 0, "after it was removed");
}

static void remove_ours(struct trial *t, unsigned i)
{
    (void)i;
    if (!is_skipped(t, false))
        remove_all(t, "");
}

static void remove_again(struct trial *t, unsigned i)
{
    (void)i;
    if (!is_skipped(t, true))
        remove_all(t, " for the second time");
}

const struct trial_check conform_location[] = {
    { "at the location: a disk is claimed", 0, 1, claim },
    { "at the location: inspect sees that no image stands there", TRIAL_HAS_INSPECT, 1, look_before },
    { "at the location: create makes nothing while the journal refuses", TRIAL_HAS_CREATE, 1,
      create_refused },
    { "at the location: create journals and makes an image, and inspect sees it", TRIAL_HAS_CREATE, 1,
      create },
    { "at the location: create refuses a place where something stands", TRIAL_HAS_CREATE, 1, create_again },
    { "at the location: identify says the same twice", TRIAL_HAS_CREATE | TRIAL_HAS_IDENTIFY, 1, identify },
    { "at the location: what block I/O wrote is read back, zeroed and flushed",
      TRIAL_HAS_CREATE | TRIAL_HAS_BLOCKS, 1, blocks },
    { "at the location: remove leaves an image of another identity", TRIAL_HAS_CREATE, 1, remove_others },
    { "at the location: remove takes away what create made", TRIAL_HAS_CREATE, 1, remove_ours },
    { "at the location: remove of what is gone does nothing", TRIAL_HAS_CREATE, 1, remove_again },
    { NULL, 0, 0, NULL },
};
