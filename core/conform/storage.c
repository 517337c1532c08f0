/* SPDX-License-Identifier: Apache-2.0
 * The callbacks of a storage driver under disks that are not there and names that nobody should have, with
 * services that work, that an older host has, and that cannot do anything. */
#include "base/text.h"
#include "conform/trial.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* claim looks at the disk and at settings: a storage that is asked takes longer, most of all where there is
 * none. The machine may be busy. */
#define CLAIM_MS 250u
#define MIB (1024u * 1024u)

static const char *const moods[MOODS] = { "", " of an older host", " without memory or storage" };
#define CASES (TRIAL_DISKS * MOODS)

static enum trial_mood mood_of(unsigned i, struct trial *t, struct trial_disk *ret)
{
    trial_disk(i % TRIAL_DISKS, t->page->folder, ret);
    return (enum trial_mood)(i / TRIAL_DISKS);
}

static void begin(struct trial *t, enum trial_mood mood, const char *callback, const struct trial_disk *d)
{
    trial_begin(t, mood, TRIAL_QUESTION_MS, "%s of %s%s%s", callback, d->about,
                mood == MOOD_WILLING ? "" : " with services", moods[mood]);
}

/* ---- claim ---- */

static int ask_claim(struct trial *t, enum trial_mood mood, const struct trial_disk *d)
{
    const uint64_t began = trial_now_ms();
    int score;

    begin(t, mood, "claim", d);
    score = t->storage->claim(&t->now.call, t->now.services, &d->disk);
    if (score < 0 || score > 100)
        trial_note(t, "answers %d, and there are 0 to 100", score);
    if (t->now.forbidden & TRIAL_CALLED_JOURNAL)
        trial_note(t, "calls 'journal', and nothing is created there");
    if (t->now.forbidden & TRIAL_CALLED_FINDING)
        trial_note(t, "calls 'finding', and findings belong to check");
    if (t->now.forbidden & TRIAL_CALLED_PROGRAM)
        trial_note(t, "calls 'program', and no storage is to be asked");
    if (trial_now_ms() - began > CLAIM_MS)
        trial_note(t, "takes longer than %u ms, and no storage is to be asked", CLAIM_MS);
    trial_end(t);
    return score;
}

static void claim(struct trial *t, unsigned i)
{
    struct trial_disk d;
    const enum trial_mood mood = mood_of(i, t, &d);
    const int first = ask_claim(t, mood, &d);
    const int second = ask_claim(t, mood, &d);

    if (first != second)
        trial_note(t, "claim of %s: answers %d and then %d for the same disk", d.about, first, second);
}

/* ---- look_ahead ---- */

/* All of them at once, and then each alone. */
static void look_ahead(struct trial *t, unsigned i)
{
    const bool is_crowd = i < MOODS;
    const enum trial_mood mood = (enum trial_mood)(i % MOODS);
    const uint32_t n = is_crowd ? TRIAL_DISKS : 1;
    struct trial_disk d[TRIAL_DISKS];
    const struct ferry_disk *disks[TRIAL_DISKS];

    for (unsigned k = 0; k < n; k++) {
        trial_disk(is_crowd ? k : i / MOODS - 1, t->page->folder, &d[k]);
        disks[k] = &d[k].disk;
    }
    trial_begin(t, mood, TRIAL_QUESTION_MS, "look_ahead to %s%s%s", is_crowd ? "all disks" : d[0].about,
                mood == MOOD_WILLING ? "" : " with services", moods[mood]);
    t->storage->look_ahead(&t->now.call, t->now.services, disks, n);
    if (t->now.forbidden & TRIAL_CALLED_JOURNAL)
        trial_note(t, "calls 'journal', and nothing is created there");
    if (t->now.forbidden & TRIAL_CALLED_FINDING)
        trial_note(t, "calls 'finding', and findings belong to check");
    trial_end(t);
}

/* ---- identify, inspect and check ---- */

static void identify(struct trial *t, unsigned i)
{
    struct ferry_identity ret = { .size = sizeof ret };
    struct trial_disk d;

    begin(t, mood_of(i, t, &d), "identify", &d);
    trial_result(t, t->storage->identify(&t->now.call, t->now.services, &d.disk, &ret));
    trial_texts(t,
                (const struct trial_text[]){ { "identity", ret.identity },
                                             { "directory", ret.directory },
                                             { "evidence", ret.evidence } },
                3);
    if (ret.reserved)
        trial_note(t, "'reserved' is %u, and not 0", (unsigned)ret.reserved);
    if (ret.size != sizeof ret)
        trial_note(t, "changes 'size' of what it fills");
    if (ret.directory && ret.directory[0] != '/')
        trial_note(t, "'directory' is no absolute path");
    trial_end(t);
}

static void look_at_image(struct trial *t, const struct ferry_image *ret)
{
    if (ret->present > 2)
        trial_note(t, "'present' is %u, and there are 0, 1 and 2", (unsigned)ret->present);
    if (ret->is_silent > 1 || ret->keeps_length > 1)
        trial_note(t, "'is_silent' and 'keeps_length' are 0 or 1");
    if (ret->size != sizeof *ret)
        trial_note(t, "changes 'size' of what it fills");
    if (ret->is_device > 2 || ret->in_use > 2)
        trial_note(t, "'is_device' and 'in_use' are 0, 1 or 2");
    if (ret->head_read > 1)
        trial_note(t, "'head_read' is 0 or 1");
    if (!ret->head_read && (ret->n_snapshots || ret->base || ret->base_format || ret->data_file))
        trial_note(t, "tells what a head says, and that none was read");
    trial_texts(t,
                (const struct trial_text[]){ { "pool", ret->pool },
                                             { "in_use_by", ret->in_use_by },
                                             { "base", ret->base },
                                             { "base_format", ret->base_format },
                                             { "data_file", ret->data_file } },
                5);
}

static void inspect(struct trial *t, unsigned i)
{
    struct ferry_image ret = { .size = sizeof ret };
    struct trial_disk d;
    int result;

    begin(t, mood_of(i, t, &d), "inspect", &d);
    result = t->storage->inspect(&t->now.call, t->now.services, &d.disk, &ret);
    trial_result(t, result);
    look_at_image(t, &ret);
    /* Nothing stands anywhere, so nothing can have a size. */
    if (result == 0 && ret.present == 1)
        trial_note(t, "says that an image stands there, and there is none");
    else if (result == 0 && (ret.capacity_bytes == 0 || ret.allocated_bytes == 0))
        trial_note(t, "gives 0 for a size that it cannot know: that is FERRY_NOT_KNOWN");
    trial_end(t);
}

static void check(struct trial *t, unsigned i)
{
    struct trial_disk d;

    begin(t, mood_of(i, t, &d), "check", &d);
    trial_result(t, t->storage->check(&t->now.call, t->now.services, &d.disk));
    trial_end(t);
}

/* ---- open ---- */

static void open_nothing(struct trial *t, unsigned i)
{
    struct ferry_opened ret = { .size = sizeof ret, .fd = -1 };
    struct trial_disk d;
    const enum trial_mood mood = mood_of(i, t, &d);
    const struct ferry_opening how = { .size = sizeof how,
                                       .flags = i % 2 ? FERRY_OPEN_WRITE : 0,
                                       .disk = &d.disk };
    int result;

    begin(t, mood, "open", &d);
    result = t->storage->open(&t->now.call, t->now.services, &how, &ret);
    trial_result(t, result);
    if (result == 0) {
        trial_note(t, "opens an image, and there is none");
        t->storage->close(&t->now.call, t->now.services, ret.handle);
    }
    trial_end(t);
}

/* ---- create ---- */

/* What stands in our folder is noted, and taken away for the next case. */
static void note_made(struct trial *t, const char *when)
{
    DIR *folder = opendir(t->page->folder);
    const struct dirent *d;

    while (folder && (d = readdir(folder))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        trial_note(t, "makes '%s' %s", d->d_name, when);
        (void)unlinkat(dirfd(folder), d->d_name, 0);
    }
    if (folder)
        (void)closedir(folder);
}

/* Also an image without a format, a place or a size. */
static void create_nonsense(struct trial *t, unsigned i)
{
    static const char *const about[] = { "of a format that is none", "without a size", "of no known size",
                                         "with a relative path", "without a source" };
    struct trial_disk d;
    struct ferry_new_image image = { .size = sizeof image, .disk = &d.disk, .capacity_bytes = MIB };
    int result;

    trial_disk(0, t->page->folder, &d);
    d.disk.format = i == 0 ? "none-such" : "raw";
    image.capacity_bytes = i == 1 ? 0 : i == 2 ? FERRY_NOT_KNOWN : MIB;
    d.disk.source = i == 3 ? "check.raw" : i == 4 ? NULL : d.disk.source;
    trial_begin(t, MOOD_WILLING, TRIAL_CREATION_MS, "create of an image %s", about[i]);
    result = t->storage->create(&t->now.call, t->now.services, &image);
    if (result == 0)
        trial_note(t, "returns 0, and it cannot be created");
    else {
        trial_result(t, result);
        if (t->now.err.what[0] && !t->now.err.fix[0])
            trial_note(t, "sets an error without a fix: '%s'", t->now.err.what);
    }
    note_made(t, "all the same");
    trial_end(t);
}

static void create_without_journal(struct trial *t, unsigned i)
{
    struct trial_disk d;
    struct ferry_new_image image = { .size = sizeof image, .disk = &d.disk, .capacity_bytes = MIB };
    const enum trial_mood mood = mood_of(i, t, &d);
    int result;

    t->journal_refuses = true;
    trial_begin(t, mood, TRIAL_CREATION_MS, "create of %s while the journal refuses%s%s", d.about,
                mood == MOOD_WILLING ? "" : ", with services", moods[mood]);
    result = t->storage->create(&t->now.call, t->now.services, &image);
    if (result == 0)
        trial_note(t, "returns 0 without the journal");
    else
        trial_result(t, result);
    note_made(t, "before the journal has agreed");
    trial_end(t);
}

/* ---- remove ---- */

static const struct {
    const char *what, *name, *identity;
} strangers[] = {
    { "image", "bystander", "nobody's identity" },
    { "volume", "bystander", "nobody's identity" },
    { "volume", "bystander", NULL },
    { "pool", "bystander", "nobody's identity" },
    { "no-such-kind", "bystander", "" },
    { "image", "../bystander", "nobody's identity" },
    { "image", "virt-ferry-check-none", NULL },
};
#define STRANGERS (sizeof strangers / sizeof strangers[0])

static void remove_never_made(struct trial *t, unsigned i)
{
    const enum trial_mood mood = (enum trial_mood)(i / STRANGERS);
    char path[128];
    int result;

    i %= STRANGERS;
    (void)snprintf(path, sizeof path, "%s/bystander", t->page->folder);
    OWNED_FD fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

    trial_begin(t, mood, TRIAL_CREATION_MS, "remove of '%s' as '%s', %s%s%s, which it never made",
                strangers[i].name, strangers[i].what,
                strangers[i].identity ? "with another identity" : "without an identity",
                mood == MOOD_WILLING ? "" : " with services", moods[mood]);
    result = t->storage->remove(&t->now.call, t->now.services, strangers[i].what, t->page->folder,
                                strangers[i].name, strangers[i].identity);
    if (result != 1)
        trial_result(t, result);
    if (fd >= 0 && access(path, F_OK) != 0)
        trial_note(t, "removes it");
    trial_end(t);
}

const struct trial_check conform_storage[] = {
    { "claim answers 0 to 100, the same twice, and asks no storage", 0, CASES, claim },
    { "look_ahead returns for disks that are not there, and leaves creations and findings to others",
      TRIAL_HAS_LOOK_AHEAD, (TRIAL_DISKS + 1) * MOODS, look_ahead },
    { "identify returns for disks that are not there, with texts that live", TRIAL_HAS_IDENTIFY, CASES,
      identify },
    { "inspect returns for disks that are not there, with values that have a meaning", TRIAL_HAS_INSPECT,
      CASES, inspect },
    { "check returns for disks that are not there", TRIAL_HAS_CHECK, CASES, check },
    { "open refuses what is not there", TRIAL_HAS_BLOCKS, CASES, open_nothing },
    { "create refuses what cannot be, with an error and a fix", TRIAL_HAS_CREATE, 5, create_nonsense },
    { "create makes nothing before the journal has agreed", TRIAL_HAS_CREATE, CASES, create_without_journal },
    { "remove leaves alone what was never made", TRIAL_HAS_CREATE, STRANGERS *MOODS, remove_never_made },
    { NULL, 0, 0, NULL },
};
