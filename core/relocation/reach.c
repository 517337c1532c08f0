/* SPDX-License-Identifier: Apache-2.0
 * Before a move: do both hosts reach the place that disks shall go to, and later the image that was made
 * there? And where the user named no place, which pool is one of both. */
#include "relocation/relocation.h"

#include "facts/json.h"
#include "host/proof.h"
#include <stdio.h>
#include <string.h>

/* ---- the place ---- */

static int prove_folder(struct move *m, const char *path, struct error *err)
{
    if (text_equal(m->folder.path, path))
        return 0;
    worker_journal_to(m->survey.source, move_record_for_worker, m);
    worker_journal_to(m->survey.destination, move_record_for_worker, m);
    if (proof_of_folder(&m->folder, path, m->survey.source, m->survey.destination, err) < 0)
        return -err->code;
    m->survey.left = m->survey.left || m->folder.left;
    return 0;
}

/* Of such a pool a disk is known, and so is whether it is shared. */
static bool is_told_by_disk(const struct facts *f, const char *target, bool *ret_shared)
{
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        if (!text_equal(d->at_source.directory, target))
            continue;
        *ret_shared = d->sharing == SHARING_PROVED;
        return true;
    }
    return false;
}

static const struct pool *same_pool(const struct host *h, const struct pool *p)
{
    for (size_t i = 0; i < h->n_pools; i++) {
        const struct pool *other = &h->pools[i];

        if (other->is_active && text_equal(other->name, p->name) && text_equal(other->type, p->type))
            return other;
    }
    return NULL;
}

/* A pool of Ceph by its monitors, and later by the image that is made; one of files by what either host
 * writes into it. */
static int is_of_both(struct move *m, const struct pool *p, bool *ret, struct error *err)
{
    const struct pool *there = same_pool(&m->facts->dest, p);
    const bool has_files =
        text_equal(p->type, "dir") || text_equal(p->type, "fs") || text_equal(p->type, "netfs");

    *ret = false;
    if (!p->is_active || !there)
        return 0;
    if (text_equal(p->type, "rbd")) {
        *ret = p->source && text_equal(p->source, there->source);
        return 0;
    }
    if (!has_files || !p->target || !text_equal(p->target, there->target) ||
        is_told_by_disk(m->facts, p->target, ret))
        return 0;
    if (prove_folder(m, p->target, err) < 0)
        return -err->code;
    *ret = m->folder.sharing == SHARING_PROVED;
    return 0;
}

static bool would_copy(const struct facts *f)
{
    for (size_t i = 0; i < f->domain.n_disks; i++)
        if (disk_is_writable(&f->domain.disks[i]) && f->domain.disks[i].driver &&
            f->domain.disks[i].sharing != SHARING_PROVED)
            return true;
    return false;
}

int relocation_pick(struct move *m, struct error *err)
{
    const struct host *h = &m->facts->source;
    bool is_found = false;

    if (m->wish || !would_copy(m->facts))
        return 0;
    for (size_t i = 0; !is_found && i < h->n_pools; i++) {
        if (is_of_both(m, &h->pools[i], &is_found, err) < 0)
            return -err->code;
        if (is_found)
            (void)snprintf(m->picked_to, sizeof m->picked_to, "pool:%s", h->pools[i].name);
    }
    if (!is_found)
        return 0;
    m->picked.to = m->picked_to;
    m->wish = &m->picked;
    return 0;
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash && slash > path ? arena_format(a, "%.*s", (int)(slash - path), path) : NULL;
}

int relocation_reach(struct move *m, struct error *err)
{
    for (size_t i = 0; i < m->facts->domain.n_disks; i++) {
        struct disk *d = &m->facts->domain.disks[i];
        struct disk *to = d->n_relocations > 0 ? &d->relocation[0] : NULL;
        const char *folder = to && to->type == DISK_FILE ? folder_of(m->facts->arena, to->source) : NULL;

        if (!folder)
            continue;
        if (prove_folder(m, folder, err) < 0)
            return -err->code;
        to->sharing = m->folder.sharing;
        to->sharing_evidence = arena_text(m->facts->arena, m->folder.evidence);
    }
    return arena_failed(m->facts->arena) ? error_memory(err) : 0;
}

/* ---- the image ---- */

/* The new image as if the guest had it already, and no other disk. */
static struct facts *as_disk(const json_t *seen, const char *target, struct error *err)
{
    OWNED(facts) f = facts_from_json(seen, err);
    struct disk *d = f ? facts_disk(f, target) : NULL;
    struct disk image;

    if (!f)
        return NULL;
    if (!d || d->n_relocations == 0) {
        error_set(err, ERROR_INPUT, NULL, "disk '%s' has no place to go to", target);
        return NULL;
    }
    image = d->relocation[0];
    image.bus = d->bus;
    image.device = d->device;
    image.at_source = image.at_dest;
    disk_forget_dest(&image);
    f->domain.disks[0] = image;
    f->domain.n_disks = 1;
    return HAND_OVER(f);
}

int relocation_prove(struct move *m, const struct disk *d, const json_t *seen, struct error *err)
{
    OWNED(facts) f = as_disk(seen, d->target, err);
    OWNED(facts) both = NULL;
    OWNED_JSON reply = NULL;
    const struct disk *image;
    struct proof_wish wish = { .with_locks = false }; /* what it leaves the journal has, behind "surveyed" */

    if (!f)
        return -err->code;
    worker_journal_to(m->survey.destination, move_record_for_worker, m);
    if (worker_do(m->survey.destination, "survey-disks", json_pack("{so}", "facts", facts_to_json(f)),
                  SURVEY_DISKS_MS, &reply, err) < 0)
        return -err->code;
    both = facts_from_json(json_child(reply, "facts"), err);
    if (!both || proof_of_sharing(both, m->survey.source, m->survey.destination, &wish, err) < 0)
        return -err->code;
    image = facts_disk(both, d->target);
    if (image && image->sharing == SHARING_PROVED)
        return 0;
    error_set(err, ERROR_REFUSED, m->survey.dest_host,
              "the new place of disk '%s' is not proved to be reached by both hosts", d->target);
    error_why(err, "%s",
              image && image->sharing_evidence ? image->sharing_evidence : "no evidence was found");
    return error_fix(err,
                     "Name another location with --relocate-to, or leave it out: the disk is copied then.");
}
