/* SPDX-License-Identifier: Apache-2.0
 * Asks both workers side by side. What goes wrong on one host is a gap in the proof, never a proof. */
#include "host/proof.h"

#include "base/json.h"
#include "base/name.h"
#include "base/text.h"
#include "host/lock.h"
#include <stdio.h>
#include <string.h>

#define NONCE_MS 20000u /* a pool over a directory of thousands of files takes seconds to start */
#define NONCE_NAME_SIZE 48
enum { STAT_TRIES = 4 }; /* an NFS client may show old attributes for some seconds */

/* One directory, on both hosts; where a map says so, under two names. */
struct nonce {
    const char *shown; /* both names, for the reader */
    struct nonce_side {
        struct worker *worker;
        const char *directory;
        char name[NONCE_NAME_SIZE], third[NONCE_NAME_SIZE];
        const char *pool; /* lent from opened */
        bool is_ours, finds_new, seen;
        json_t *opened, *asks, *reply; /* asks: what it is asked next; NULL = nothing */
        bool is_asked;
    } sides[2];
    char gap[512]; /* why it could not be proved; "" while it can */
    bool is_good;  /* no gap yet */
    bool is_shared;
};

/* Those of a domain, which are asked for together: a second directory is not a second wait. */
struct nonces {
    struct nonce *list;
    size_t n;
    bool left; /* a question went wrong: what was made may not be gone */
};

#define EACH_SIDE(all, one, side)                                                                            \
    for (struct nonce *one = (all)->list; one < (all)->list + (all)->n; one++)                               \
        for (struct nonce_side *side = one->sides; side < one->sides + 2; side++)

static struct nonce_side *other_side(struct nonce *n, const struct nonce_side *side)
{
    return &n->sides[side == n->sides ? 1 : 0];
}

static void nonce_gap(struct nonce *n, const struct error *err)
{
    if (!n->gap[0])
        error_line(err, n->gap, sizeof n->gap);
    n->is_good = false;
}

/* What one host is asked of its folders, in one question. NULL: nothing, or it could not be asked. */
static struct call *ask_side(struct nonces *all, int which, const char *verb)
{
    OWNED_JSON folders = json_array();
    struct worker *worker = NULL;
    struct call *call = NULL;
    struct error err = { 0 };

    for (struct nonce *n = all->list; n < all->list + all->n; n++) {
        struct nonce_side *side = &n->sides[which];

        json_decref(side->reply);
        side->reply = NULL;
        side->is_asked = side->asks != NULL;
        if (!side->asks)
            continue;
        worker = side->worker;
        if (json_array_append_new(folders, HAND_OVER(side->asks)) < 0)
            (void)error_memory(&err);
    }
    if (worker && !err.code)
        call = worker_ask(worker, verb, json_pack("{sO}", "folders", folders), NONCE_MS * all->n, &err);
    for (struct nonce *n = all->list; err.code && n < all->list + all->n; n++)
        if (n->sides[which].is_asked)
            nonce_gap(n, &err);
    all->left = all->left || err.code;
    return call;
}

static void hear_side(struct nonces *all, int which, struct call *call)
{
    OWNED_JSON reply = NULL;
    struct error err = { 0 };
    size_t i = 0;

    if (!call)
        return;
    (void)call_wait(call, &reply, &err);
    call_free(call);
    for (struct nonce *n = all->list; n < all->list + all->n; n++) {
        struct nonce_side *side = &n->sides[which];
        struct error own = err;
        json_t *one;

        if (!side->is_asked)
            continue;
        one = json_array_get(json_child(reply, "folders"), i++);
        if (!own.code && !one)
            (void)error_set(&own, ERROR_FAILED, worker_host(side->worker), "no answer came for %s", n->shown);
        else if (json_child(one, "error"))
            json_to_error(json_child(one, "error"), &own);
        else
            side->reply = json_incref(one);
        if (own.code)
            nonce_gap(n, &own);
        all->left = all->left || own.code;
    }
}

/* Asks both hosts at once; each side's answer is in its reply until the next question. */
static void ask_all(struct nonces *all, const char *verb)
{
    struct call *calls[2];

    for (int which = 0; which < 2; which++)
        calls[which] = ask_side(all, which, verb);
    for (int which = 0; which < 2; which++)
        hear_side(all, which, calls[which]);
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

static void nonces_open(struct nonces *all)
{
    EACH_SIDE(all, n, side)
    {
        side->asks = json_pack("{ss ss}", "directory", side->directory, "name", side->name);
    }
    ask_all(all, "nonce-open");
    EACH_SIDE(all, n, side)
    {
        const char *gap = json_text(side->reply, "gap", NULL);

        side->opened = HAND_OVER(side->reply);
        side->pool = json_text(side->opened, "pool", NULL);
        side->is_ours = json_flag(side->opened, "is_ours", false);
        side->finds_new = json_flag(side->opened, "finds_new", false);
        if (gap && !n->gap[0])
            snprintf(n->gap, sizeof n->gap, "%s", gap);
        n->is_good = n->is_good && side->pool;
    }
}

static void nonces_look(struct nonces *all)
{
    EACH_SIDE(all, n, side)
    {
        if (n->is_good)
            side->asks = json_pack("{ss ss ss ss}", "pool", side->pool, "directory", side->directory, "other",
                                   other_side(n, side)->name, "third", side->third);
    }
    ask_all(all, "nonce-look");
    EACH_SIDE(all, n, side)
    {
        side->seen = json_flag(side->reply, "seen", false);
        n->is_good = n->is_good && side->reply;
    }
    for (struct nonce *n = all->list; n < all->list + all->n; n++) {
        if (n->is_good && n->sides[0].seen != n->sides[1].seen) {
            snprintf(n->gap, sizeof n->gap, "only one of the two hosts saw what the other wrote in %s",
                     n->shown);
            n->is_good = false;
        }
        n->is_shared = n->is_good && n->sides[0].seen;
    }
}

/* A clean-up that does not work is no gap of the proof: the journal has it, and the way back removes it. */
static void nonces_close(struct nonces *all)
{
    EACH_SIDE(all, n, side)
    {
        if (side->pool)
            side->asks = json_pack("{ss ss sb}", "pool", side->pool, "name", side->name, "is_ours",
                                   (int)side->is_ours);
    }
    ask_all(all, "nonce-close");
    EACH_SIDE(all, n, side)
    {
        json_decref(side->reply);
        json_decref(side->opened);
    }
}

/* ---- the images in a directory that is shared ---- */

/* "seconds.nanoseconds" compared as text would be wrong only for unequal lengths of seconds. */
static int compare_times(const char *a, const char *b)
{
    size_t na = strcspn(a, "."), nb = strcspn(b, ".");

    return na != nb ? (na < nb ? -1 : 1) : strcmp(a, b);
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

static bool is_for(const struct nonce *n, const struct disk *d)
{
    return asks_for(d, n->sides[0].directory, n->sides[1].directory);
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *name_on(const struct nonce *n, const struct nonce_side *side, const struct disk *d)
{
    return name_in(side == n->sides ? d->source : disk_dest_source(d));
}

/* When those files of each directory were changed last that are still to be compared, as one host tells it.
 */
static void ask_times(struct nonces *all, const struct subjects *subjects, int which)
{
    for (struct nonce *n = all->list; n < all->list + all->n; n++) {
        struct nonce_side *side = &n->sides[which];
        json_t *names = n->is_shared ? json_array() : NULL;

        for (size_t i = 0; names && i < subjects->n; i++)
            if (is_for(n, subjects->list[i].image))
                (void)json_array_append_new(names, json_string(name_on(n, side, subjects->list[i].image)));
        if (json_array_size(names) > 0)
            side->asks =
                json_pack("{ss ss sO}", "pool", side->pool, "directory", side->directory, "names", names);
        json_decref(names);
    }
    ask_all(all, "nonce-stat");
}

static const char *time_of(const json_t *reply, const char *name)
{
    return json_text(json_child(reply, "ctimes"), name, NULL);
}

/* What the two hosts said of the files of one directory. */
struct times {
    json_t *before, *at_dest; /* the source before, and the destination; the source after is its reply */
};

enum same { SAME_NOT_KNOWN, SAME_FILE, OTHER_FILE };

static enum same compare_file(struct facts *f, const struct nonce *n, const struct times *times,
                              const struct disk *d, const char **ret_gap)
{
    const struct nonce_side *here = &n->sides[0], *there = &n->sides[1];
    const char *name = name_on(n, here, d), *name_there = name_on(n, there, d);
    const char *low = time_of(times->before, name), *high = time_of(here->reply, name);
    const char *at_dest = time_of(times->at_dest, name_there);

    if (low && high && at_dest)
        return compare_times(low, at_dest) <= 0 && compare_times(at_dest, high) <= 0 ? SAME_FILE : OTHER_FILE;
    if (n->gap[0])
        *ret_gap = arena_text(f->arena, n->gap);
    else
        *ret_gap = arena_format(f->arena, "the pool over '%s' does not list '%s' on host '%s'",
                                at_dest ? here->directory : there->directory, at_dest ? name : name_there,
                                worker_host(at_dest ? here->worker : there->worker));
    return SAME_NOT_KNOWN;
}

/* false: it looked like another file, which is asked again until the last time. */
static bool judge_file(struct facts *f, struct disk *d, const struct nonce *n, const struct times *times,
                       bool is_last)
{
    const char *there = name_in(disk_dest_source(d));
    const enum same same = compare_file(f, n, times, d, &d->sharing_evidence);

    if (same == OTHER_FILE && !is_last)
        return false;
    d->at_dest.present = TRI_YES;
    if (same == SAME_FILE) {
        d->sharing = SHARING_PROVED;
        d->sharing_evidence =
            arena_format(f->arena,
                         "each host saw what the other wrote in %s, and '%s' changed at the "
                         "same time on both",
                         n->shown, there);
    } else if (same == OTHER_FILE) {
        d->sharing_evidence =
            arena_format(f->arena,
                         "directory %s is shared, but '%s' is not the same file on both hosts "
                         "(a symlink, or a mount of its own)",
                         n->shown, there);
    }
    return true;
}

static bool judge_files(struct facts *f, const struct subjects *subjects, const struct nonce *n,
                        const struct times *times, bool is_last)
{
    bool are_judged = true;

    for (size_t i = 0; n->is_shared && i < subjects->n; i++)
        if (is_for(n, subjects->list[i].image))
            are_judged = judge_file(f, subjects->list[i].image, n, times, is_last) && are_judged;
    return are_judged;
}

/* The images in directories that are shared, all at once: the same file, no symlink and no bind mount of its
 * own? It changed at the same time on both hosts. false without memory. */
static bool compare_files(struct facts *f, const struct subjects *subjects, struct nonces *all)
{
    struct times *times = arena_zeroed(f->arena, all->n + 1, sizeof *times);
    bool are_judged = false;

    for (int try = 1; times && !are_judged && try <= STAT_TRIES; try++) {
        if (try > 1)
            loop_pause_ms(500);
        ask_times(all, subjects, 0);
        for (size_t i = 0; i < all->n; i++)
            times[i].before = HAND_OVER(all->list[i].sides[0].reply);
        ask_times(all, subjects, 1);
        for (size_t i = 0; i < all->n; i++)
            times[i].at_dest = HAND_OVER(all->list[i].sides[1].reply);
        ask_times(all, subjects, 0);
        are_judged = true;
        for (size_t i = 0; i < all->n; i++) {
            are_judged = judge_files(f, subjects, &all->list[i], &times[i], try == STAT_TRIES) && are_judged;
            json_decref(times[i].before);
            json_decref(times[i].at_dest);
        }
    }
    return times != NULL;
}

/* ---- the lock ---- */

static bool claims_lock(const struct disk *d, const struct nonce *n)
{
    return d->sharing == SHARING_PROVED && d->lock_enforced == TRI_YES && d->lock_proved == TRI_NOT_KNOWN &&
           !d->lock_evidence && text_equal(d->at_source.directory, n->sides[0].directory) &&
           text_equal(d->at_dest.directory, n->sides[1].directory);
}

/* With the file that the source has just made there. */
static int try_lock(struct facts *f, struct nonce *n, struct error *err)
{
    struct lock_probe p = { 0 };
    bool is_tried = false;
    int r = 0;

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];

        if (!claims_lock(d, n))
            continue;
        if (!is_tried) {
            p.path = arena_format(f->arena, "%s/%s", n->sides[0].directory, n->sides[0].name);
            p.path_there = arena_format(f->arena, "%s/%s", n->sides[1].directory, n->sides[0].name);
            if (!p.path || !p.path_there)
                return error_memory(err);
            r = lock_try(f, n->sides[0].worker, n->sides[1].worker, &p, err);
            is_tried = true;
        }
        d->lock_proved = p.proved;
        d->lock_evidence = arena_text(f->arena, p.evidence);
    }
    return r;
}

/* One nonce for all images that ask for the same directory. */
static int nonce_begin(struct facts *f, struct nonce *n, struct worker *source, struct worker *dest,
                       const struct disk *first, struct error *err)
{
    const char *directory = first->at_source.directory, *there = first->at_dest.directory;

    *n = (struct nonce){ .sides = { { .worker = source, .directory = directory },
                                    { .worker = dest, .directory = there } },
                         .is_good = true };
    n->shown = text_equal(directory, there)
                   ? arena_format(f->arena, "'%s'", directory)
                   : arena_format(f->arena, "'%s', which is '%s' at the destination,", directory, there);
    return n->shown ? make_names(n, err) : error_memory(err);
}

/* libvirt has room for one pool on a directory: of two nonces that share one on a host, one is for later. */
static bool is_in_the_way(const struct nonces *all, const struct disk *d)
{
    for (size_t i = 0; i < all->n; i++)
        if (text_equal(all->list[i].sides[0].directory, d->at_source.directory) ||
            text_equal(all->list[i].sides[1].directory, d->at_dest.directory))
            return true;
    return false;
}

static int nonces_begin(struct facts *f, struct nonces *all, const struct subjects *subjects,
                        struct worker *source, struct worker *dest, struct error *err)
{
    all->list = arena_zeroed(f->arena, subjects->n + 1, sizeof *all->list);
    if (!all->list)
        return error_memory(err);
    for (size_t i = 0; i < subjects->n; i++) {
        const struct disk *d = subjects->list[i].image;

        if (d->at_source.directory && asks_for(d, d->at_source.directory, d->at_dest.directory) &&
            !is_in_the_way(all, d) && nonce_begin(f, &all->list[all->n++], source, dest, d, err) < 0)
            return -err->code;
    }
    return 0;
}

/* A map may give the file itself another name in the folder that both have. */
static bool is_to_come(const struct disk *d)
{
    return !text_equal(name_in(d->source), name_in(disk_dest_source(d))) && d->at_dest.present == TRI_NO;
}

/* What the directory says of its images; those that are left are in one that is shared. */
static void judge_directory(struct facts *f, const struct subjects *subjects, const struct nonce *n)
{
    for (size_t i = 0; i < subjects->n; i++) {
        struct disk *d = subjects->list[i].image;

        if (!is_for(n, d))
            continue;
        if (!n->is_good) {
            d->sharing_evidence = arena_text(f->arena, n->gap);
        } else if (!n->is_shared) {
            d->sharing = SHARING_DENIED;
            d->sharing_evidence =
                arena_format(f->arena, "neither host saw what the other wrote in %s", n->shown);
        } else if (is_to_come(d)) {
            d->sharing = SHARING_DENIED;
            d->sharing_evidence = arena_format(f->arena, "%s is shared, and there is no '%s' in it yet",
                                               n->shown, name_in(disk_dest_source(d)));
        }
    }
}

/* Those that can be proved side by side. *ret_n: how many there were. */
static int prove_directories(struct facts *f, const struct subjects *subjects, struct worker *source,
                             struct worker *dest, struct proof_wish *wish, size_t *ret_n, struct error *err)
{
    struct nonces all = { .n = 0 };
    int r = 0;

    if (nonces_begin(f, &all, subjects, source, dest, err) < 0)
        return -err->code;
    nonces_open(&all);
    nonces_look(&all);
    for (size_t i = 0; i < all.n; i++)
        judge_directory(f, subjects, &all.list[i]);
    if (!compare_files(f, subjects, &all))
        r = error_memory(err);
    for (size_t i = 0; wish->with_locks && r == 0 && i < all.n; i++)
        if (all.list[i].is_good && all.list[i].is_shared)
            r = try_lock(f, &all.list[i], err);
    nonces_close(&all);
    wish->left = wish->left || all.left;
    *ret_n = all.n;
    if (r < 0)
        return r;
    return arena_failed(f->arena) ? error_memory(err) : 0;
}

int proof_of_folder(struct proof_of_folder *ret, const char *path, struct worker *source, struct worker *dest,
                    struct error *err)
{
    struct nonce n = { .sides = { { .worker = source, .directory = path },
                                  { .worker = dest, .directory = path } },
                       .shown = path,
                       .is_good = true };
    struct nonces all = { .list = &n, .n = 1 };
    const struct nonce_side *there = &n.sides[1];
    bool is_known;

    if (make_names(&n, err) < 0)
        return -err->code;
    nonces_open(&all);
    nonces_look(&all);
    /* The image is made by the source, and the destination must find it then. */
    if (n.is_shared && !there->finds_new) {
        (void)snprintf(n.gap, sizeof n.gap,
                       "pool '%s' of host '%s' does not list what other hosts make in %s before it is "
                       "refreshed, and no command can be run there",
                       there->pool, worker_host(there->worker), path);
        n.is_good = false;
    }
    is_known = n.is_good;
    ret->sharing = !is_known ? SHARING_NOT_PROVED : n.is_shared ? SHARING_PROVED : SHARING_DENIED;
    (void)snprintf(ret->path, sizeof ret->path, "%s", path);
    (void)snprintf(ret->evidence, sizeof ret->evidence, "%s%s",
                   !is_known     ? n.gap
                   : n.is_shared ? "each host saw what the other wrote in "
                                 : "neither host saw what the other wrote in ",
                   is_known ? path : "");
    nonces_close(&all);
    ret->left = all.left;
    return 0;
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

int proof_of_sharing(struct facts *f, struct worker *source, struct worker *dest, struct proof_wish *wish,
                     struct error *err)
{
    struct subjects subjects = { 0 };
    size_t n = 1;

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *d = &f->domain.disks[i];

        judge_by_identity(f, d);
        for (size_t l = 0; l < d->n_chain; l++)
            judge_by_identity(f, &d->chain[l]);
    }
    if (find_subjects(f, &subjects, err) < 0)
        return -err->code;
    while (n > 0)
        if (prove_directories(f, &subjects, source, dest, wish, &n, err) < 0)
            return -err->code;
    return arena_failed(f->arena) ? error_memory(err) : 0;
}
