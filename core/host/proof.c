/* SPDX-License-Identifier: Apache-2.0
 * Asks both workers side by side. What goes wrong on one host is a gap in the proof, never a proof. */
#include "host/proof.h"

#include "base/json.h"
#include "base/name.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define NONCE_MS 20000u /* a pool over a directory of thousands of files takes seconds to start */
#define NONCE_NAME_SIZE 48
#define STAT_TRIES 4 /* an NFS client may show old attributes for some seconds */

/* One directory, on both hosts; where a map says so, under two names. */
struct nonce {
    const char *shown; /* both names, for the reader */
    struct nonce_side {
        struct worker *worker;
        const char *directory;
        char name[NONCE_NAME_SIZE], third[NONCE_NAME_SIZE];
        const char *pool; /* lent from opened */
        bool is_ours, is_open;
        json_t *opened, *stat;
        bool seen;
    } sides[2];
    char gap[512]; /* why it could not be proved; "" while it can */
    bool is_shared;
};

static void nonce_gap(struct nonce *n, const struct error *err)
{
    char line[sizeof n->gap];

    error_line(err, line, sizeof line);
    if (!n->gap[0])
        snprintf(n->gap, sizeof n->gap, "%s", line);
}

/* Asks both at once; a side whose args are NULL is not asked. false: a gap. */
static bool ask_both(struct nonce *n, const char *verb, json_t *args[2], json_t *replies[2])
{
    struct error err = { 0 };
    struct call *calls[2] = { NULL, NULL };
    bool good = true;

    for (int i = 0; i < 2; i++)
        if (args[i] && !(calls[i] = worker_ask(n->sides[i].worker, verb, args[i], NONCE_MS, &err))) {
            nonce_gap(n, &err);
            good = false;
        }
    for (int i = 0; i < 2; i++) {
        err = (struct error){ 0 };
        if (calls[i] && call_wait(calls[i], replies ? &replies[i] : NULL, &err) < 0) {
            nonce_gap(n, &err);
            good = false;
        }
        call_free(calls[i]);
    }
    return good;
}

static int make_names(struct nonce *n, struct error *err)
{
    for (int i = 0; i < 2; i++) {
        char hex[33];

        if (name_random_hex(hex, 16, err) < 0)
            return -err->code;
        snprintf(n->sides[i].name, NONCE_NAME_SIZE, ".virt-ferry-%s", hex);
        if (name_random_hex(hex, 16, err) < 0)
            return -err->code;
        snprintf(n->sides[i].third, NONCE_NAME_SIZE, ".virt-ferry-%s", hex);
    }
    return 0;
}

static bool nonce_open(struct nonce *n)
{
    json_t *args[2], *replies[2] = { NULL, NULL };
    bool good;

    for (int i = 0; i < 2; i++)
        args[i] = json_pack("{ss ss}", "directory", n->sides[i].directory, "name", n->sides[i].name);
    good = ask_both(n, "nonce-open", args, replies);
    for (int i = 0; i < 2; i++) {
        struct nonce_side *side = &n->sides[i];
        const char *gap = json_text(replies[i], "gap", NULL);

        side->opened = replies[i];
        side->pool = json_text(replies[i], "pool", NULL);
        side->is_ours = json_flag(replies[i], "is_ours", false);
        side->is_open = side->pool != NULL;
        if (gap && !n->gap[0])
            snprintf(n->gap, sizeof n->gap, "%s", gap);
        good = good && side->is_open;
    }
    return good;
}

static bool nonce_look(struct nonce *n)
{
    json_t *args[2], *replies[2] = { NULL, NULL };
    bool good;

    for (int i = 0; i < 2; i++)
        args[i] = json_pack("{ss ss ss ss}", "pool", n->sides[i].pool, "directory", n->sides[i].directory,
                            "other", n->sides[1 - i].name, "third", n->sides[i].third);
    good = ask_both(n, "nonce-look", args, replies);
    for (int i = 0; i < 2; i++) {
        n->sides[i].seen = json_flag(replies[i], "seen", false);
        json_decref(replies[i]);
    }
    if (good && n->sides[0].seen != n->sides[1].seen) {
        snprintf(n->gap, sizeof n->gap, "only one of the two hosts saw what the other wrote in %s", n->shown);
        good = false;
    }
    n->is_shared = good && n->sides[0].seen;
    return good;
}

static void nonce_close(struct nonce *n)
{
    json_t *args[2] = { NULL, NULL };
    char gap[sizeof n->gap];

    for (int i = 0; i < 2; i++)
        if (n->sides[i].is_open)
            args[i] = json_pack("{ss ss sb}", "pool", n->sides[i].pool, "name", n->sides[i].name, "is_ours",
                                (int)n->sides[i].is_ours);
    /* A clean-up that does not work is no gap of the proof: the journal has it, the next run removes it. */
    memcpy(gap, n->gap, sizeof gap);
    (void)ask_both(n, "nonce-close", args, NULL);
    memcpy(n->gap, gap, sizeof gap);
    for (int i = 0; i < 2; i++)
        json_decref(n->sides[i].opened);
}

/* ---- the image in a directory that is shared: the same file, no symlink and no bind mount of its own ----
 */

/* "seconds.nanoseconds" compared as text would be wrong only for unequal lengths of seconds. */
static int compare_times(const char *a, const char *b)
{
    size_t na = strcspn(a, "."), nb = strcspn(b, ".");

    return na != nb ? (na < nb ? -1 : 1) : strcmp(a, b);
}

static json_t *stat_of(struct nonce *n, int i, const char *name, struct error *err)
{
    json_t *reply = NULL;
    json_t *args = json_pack("{ss s[s]}", "pool", n->sides[i].pool, "names", name);

    return worker_do(n->sides[i].worker, "nonce-stat", args, NONCE_MS, &reply, err) < 0 ? NULL : reply;
}

/* 1 the same file, 0 not, -1 not known (with the reason in gap). */
static int is_same_file(struct nonce *n, const char *name, const char *name_there, char *gap, size_t size)
{
    struct error err = { 0 };

    for (int i = 0; i < STAT_TRIES; i++) {
        OWNED_JSON before = stat_of(n, 0, name, &err);
        OWNED_JSON there = before ? stat_of(n, 1, name_there, &err) : NULL;
        OWNED_JSON after = there ? stat_of(n, 0, name, &err) : NULL;
        const char *low = json_text(json_child(before, "ctimes"), name, NULL);
        const char *at_dest = json_text(json_child(there, "ctimes"), name_there, NULL);
        const char *high = json_text(json_child(after, "ctimes"), name, NULL);

        if (!after) {
            error_line(&err, gap, size);
            return -1;
        }
        if (!low || !high || !at_dest) {
            const struct nonce_side *side = &n->sides[at_dest ? 0 : 1];

            snprintf(gap, size, "the pool over '%s' does not list '%s' on host '%s'", side->directory,
                     at_dest ? name : name_there, worker_host(side->worker));
            return -1;
        }
        if (compare_times(low, at_dest) <= 0 && compare_times(at_dest, high) <= 0)
            return 1;
        if (i + 1 < STAT_TRIES)
            loop_pause_ms(500);
    }
    return 0;
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void judge_file(struct facts *f, struct disk *d, struct nonce *n)
{
    const char *name = name_in(d->source), *there = name_in(disk_dest_source(d));
    char gap[512] = "";
    int same;

    /* A map may give the file itself another name in the folder that both have. */
    if (!text_equal(name, there) && d->at_dest.present == TRI_NO) {
        d->sharing = SHARING_DENIED;
        d->sharing_evidence =
            arena_format(f->arena, "%s is shared, and there is no '%s' in it yet", n->shown, there);
        return;
    }
    same = is_same_file(n, name, there, gap, sizeof gap);
    d->at_dest.present = TRI_YES;
    if (same > 0) {
        d->sharing = SHARING_PROVED;
        d->sharing_evidence =
            arena_format(f->arena,
                         "each host saw what the other wrote in %s, and '%s' changed at the "
                         "same time on both",
                         n->shown, there);
    } else if (same < 0) {
        d->sharing_evidence = arena_text(f->arena, gap);
    } else {
        d->sharing_evidence =
            arena_format(f->arena,
                         "directory %s is shared, but '%s' is not the same file on both hosts "
                         "(a symlink, or a mount of its own)",
                         n->shown, there);
    }
}

/* The images that the domain writes, and those that they rest on. */
struct subjects {
    struct subject {
        struct disk *image;
    } * list;
    size_t n;
};

static int find_subjects(struct facts *f, struct subjects *ret, struct error *err)
{
    size_t most = 1;

    for (size_t i = 0; i < f->domain.n_disks; i++)
        most += 1 + f->domain.disks[i].n_chain;
    ret->list = arena_zeroed(f->arena, most, sizeof *ret->list);
    if (!ret->list)
        return error_memory(err);
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];

        if (!disk_is_writable(d))
            continue;
        ret->list[ret->n++].image = d;
        for (size_t l = 0; l < d->n_chain; l++)
            ret->list[ret->n++].image = &d->chain[l];
    }
    return 0;
}

static bool asks_for(const struct disk *d, const char *directory, const char *there)
{
    return d->sharing == SHARING_NOT_PROVED && !d->sharing_evidence &&
           text_equal(d->at_source.directory, directory) && text_equal(d->at_dest.directory, there);
}

static int prove_directory(struct facts *f, const struct subjects *subjects, struct worker *source,
                           struct worker *dest, const struct disk *first, struct error *err)
{
    const char *directory = first->at_source.directory, *there = first->at_dest.directory;
    struct nonce n = { .sides = { { .worker = source, .directory = directory },
                                  { .worker = dest, .directory = there } } };
    bool known;

    n.shown = text_equal(directory, there)
                  ? arena_format(f->arena, "'%s'", directory)
                  : arena_format(f->arena, "'%s', which is '%s' at the destination,", directory, there);
    if (!n.shown)
        return error_memory(err);
    if (make_names(&n, err) < 0)
        return -err->code;
    known = nonce_open(&n) && nonce_look(&n);
    for (size_t i = 0; i < subjects->n; i++) {
        struct disk *d = subjects->list[i].image;

        if (!asks_for(d, directory, there))
            continue;
        if (!known) {
            d->sharing_evidence = arena_text(f->arena, n.gap);
        } else if (!n.is_shared) {
            d->sharing = SHARING_DENIED;
            d->sharing_evidence =
                arena_format(f->arena, "neither host saw what the other wrote in %s", n.shown);
        } else {
            judge_file(f, d, &n);
        }
    }
    nonce_close(&n);
    return arena_failed(f->arena) ? error_memory(err) : 0;
}

/* What the drivers know by themselves. */
static void judge_by_identity(struct facts *f, struct disk *d)
{
    const char *here = d->at_source.identity, *there = d->at_dest.identity;
    const char *gap = here ? d->at_dest.evidence : d->at_source.evidence;

    if (disk_is_empty(d) || !d->driver)
        return;
    if (here && there) {
        d->sharing = text_equal(here, there) && d->driver_shares ? SHARING_PROVED : SHARING_DENIED;
        d->sharing_evidence =
            arena_format(f->arena, "%s: '%s' on the source, '%s' on the destination", d->driver, here, there);
    } else if (!d->at_source.directory || !d->at_dest.directory) {
        d->sharing_evidence =
            gap ? arena_format(f->arena, "%s: %s", d->driver, gap)
                : arena_format(f->arena, "driver '%s' knows no way to prove it on both hosts", d->driver);
    } else if (!disk_is_mapped(d) && !text_equal(d->at_source.directory, d->at_dest.directory)) {
        d->sharing_evidence =
            arena_text(f->arena, "the image lies in different directories on the two hosts");
    }
}

int proof_of_sharing(struct facts *f, struct worker *source, struct worker *dest, struct error *err)
{
    struct subjects subjects = { 0 };

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];

        judge_by_identity(f, d);
        for (size_t l = 0; l < d->n_chain; l++)
            judge_by_identity(f, &d->chain[l]);
    }
    if (find_subjects(f, &subjects, err) < 0)
        return -err->code;
    for (size_t i = 0; i < subjects.n; i++) {
        const struct disk *d = subjects.list[i].image;

        if (d->at_source.directory && asks_for(d, d->at_source.directory, d->at_dest.directory) &&
            prove_directory(f, &subjects, source, dest, d, err) < 0)
            return -err->code;
    }
    return arena_failed(f->arena) ? error_memory(err) : 0;
}
