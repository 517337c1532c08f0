/* SPDX-License-Identifier: Apache-2.0
 * Enumerates the strategies: channels x ways that memory travels x assignments of treatments.
 * Judges nothing: what cannot be is enumerated too, so that a rule can say why. See README.md. */
#include "plan/planner.h"
#include <string.h>

/* statfs() magics in libvirt's virFileIsSharedFS. smb2 and smb3 mounts have a magic that it does not list. */
static const char *const known_file_systems[] = {
    "nfs",  "nfs3", "nfs4", "gfs2", "ocfs",           "ocfs2",     "afs",          "smb",
    "cifs", "ceph", "gpfs", "acfs", "fuse.glusterfs", "glusterfs", "fuse.quobyte", "quobyte",
};
static const char *const cluster_file_systems[] = {
    "gfs2", "ocfs", "ocfs2", "ceph", "fuse.glusterfs", "glusterfs",
};

static bool is_among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; word && i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

bool candidates_file_system_known(const char *file_system)
{
    return is_among(file_system, known_file_systems,
                    sizeof known_file_systems / sizeof known_file_systems[0]);
}

bool candidates_file_system_cluster(const char *file_system)
{
    return is_among(file_system, cluster_file_systems,
                    sizeof cluster_file_systems / sizeof cluster_file_systems[0]);
}

bool candidates_disk_needs_unsafe(const struct disk *d)
{
    switch (d->type) {
    case DISK_FILE:
        return !candidates_file_system_known(d->file_system);
    case DISK_VOLUME: /* libvirt looks at what the volume is: a file has a file system, a block device none */
        return (d->file_system || disk_is_file(d)) && !candidates_file_system_known(d->file_system);
    case DISK_OTHER:
        return true;
    case DISK_EMPTY:
    case DISK_BLOCK:
    case DISK_NETWORK:
    case DISK_DIR:
        return false;
    }
    return true;
}

enum treatment candidates_natural(const struct disk *d)
{
    if (!disk_is_writable(d))
        return TREAT_NOTHING;
    if (d->sharing == SHARING_PROVED)
        return TREAT_SHARED;
    if (!d->driver) /* refused either way; shared is the name without promises */
        return TREAT_SHARED;
    /* A device is overwritten where the user says so: that is asked for by a rule. */
    if (d->sharing == SHARING_DENIED || !d->driver_shares || d->at_dest.present == TRI_NO ||
        disk_is_device(d))
        return TREAT_COPY;
    return TREAT_SHARED;
}

static enum treatment treatment_in(const struct disk *d, int which)
{
    const enum treatment natural = candidates_natural(d);

    /* What both hosts reach already has no reason to go elsewhere first. */
    if (which == ASSIGN_RELOCATED && disk_relocation(d) && d->sharing != SHARING_PROVED)
        return TREAT_RELOCATE;
    if (natural == TREAT_NOTHING || which == ASSIGN_NATURAL || which == ASSIGN_RELOCATED)
        return natural;
    return which == ASSIGN_SHARED ? TREAT_SHARED : TREAT_COPY;
}

static void assignment_name(struct assignment *a, size_t n_shared, size_t n_copied, size_t n_relocated)
{
    if (n_relocated > 0)
        a->suffix = n_copied > 0 ? "-relocate-mixed" : "-relocate";
    else if (n_copied == 0)
        a->suffix = "";
    else
        a->suffix = n_shared == 0 ? "-copy" : "-mixed";
}

/* What can be copied without what it rests on. */
static bool can_rest(const struct disk *d)
{
    return d->n_chain > 0 && d->driver_bases && text_equal(d->format, "qcow2") && d->chain[0].format &&
           disk_is_file(&d->chain[0]) && !disk_loose_base(d);
}

/* libvirt copies either all disks whole or of each only its own image. A disk without a base is the same
 * either way, where the new image reads as zero: no zeroes are sent then. */
static void prefer_overlays(const struct domain *domain, struct assignment *a)
{
    for (size_t i = 0; i < domain->n_disks; i++) {
        const struct disk *d = &domain->disks[i];

        if (a->disks[i] == TREAT_COPY && !can_rest(d) && (d->n_chain > 0 || d->reads_zero != TRI_YES))
            return;
    }
    for (size_t i = 0; i < domain->n_disks; i++)
        if (a->disks[i] == TREAT_COPY && domain->disks[i].n_chain > 0)
            a->disks[i] = TREAT_OVERLAY;
}

void candidates_assign(const struct domain *domain, int which, bool flatten, struct assignment *a)
{
    size_t n_shared = 0, n_copied = 0, n_relocated = 0;

    for (size_t i = 0; i < domain->n_disks; i++) {
        const struct disk *d = &domain->disks[i];

        a->disks[i] = treatment_in(d, which);
        n_shared += a->disks[i] == TREAT_SHARED;
        n_copied += a->disks[i] == TREAT_COPY;
        n_relocated += a->disks[i] == TREAT_RELOCATE;
        a->is_alternative |= a->disks[i] != TREAT_RELOCATE && a->disks[i] != candidates_natural(d);
        a->needs_unsafe |= a->disks[i] == TREAT_SHARED && candidates_disk_needs_unsafe(d);
    }
    assignment_name(a, n_shared, n_copied, n_relocated);
    if (which == ASSIGN_NATURAL && !flatten)
        prefer_overlays(domain, a);
}

static bool relocates(const struct domain *d, const enum treatment *disks)
{
    for (size_t i = 0; i < d->n_disks; i++)
        if (disks[i] == TREAT_RELOCATE)
            return true;
    return false;
}

static bool assignment_make(const struct planning *p, int which, struct assignment *a)
{
    const struct domain *domain = &p->facts->domain;

    a->disks = arena_zeroed(p->plan->arena, domain->n_disks ? domain->n_disks : 1, sizeof *a->disks);
    if (!a->disks)
        return false;
    candidates_assign(domain, which, p->limits.flatten, a);
    if (which == ASSIGN_RELOCATED)
        return relocates(domain, a->disks);
    return which == ASSIGN_NATURAL || a->is_alternative;
}

unsigned candidates_channel_number(const struct facts *f, size_t index)
{
    unsigned nth = 1;

    for (size_t i = 0; i < index; i++)
        nth += text_equal(f->channels[i].driver, f->channels[index].driver);
    return nth;
}

static const char *channel_word(const struct planning *p, size_t index)
{
    const char *driver = p->facts->channels[index].driver ? p->facts->channels[index].driver : "channel";
    const unsigned number = candidates_channel_number(p->facts, index);

    return number == 1 ? driver : arena_format(p->plan->arena, "%s%u", driver, number);
}

static bool id_is_taken(const struct plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(plan->list[i].id, id) == 0)
            return true;
    return false;
}

/* The ways in which memory may travel, and the hand-overs that go with each. */
static const struct way {
    enum memory_mode mode;
    enum hand_over hand_over;
    bool for_running, for_paused, for_off;
    bool for_alternatives; /* shown also where a disk cannot be treated so */
} ways[N_WAYS] = {
    { MODE_PRECOPY, HAND_OVER_GATED, true, true, false, true },
    { MODE_PRECOPY, HAND_OVER_LOCKED, true, false, false, false },
    { MODE_PRECOPY, HAND_OVER_HELD, true, true, false, true },
    /* libvirt takes no post-copy for a guest that is to arrive paused: never held. */
    { MODE_POSTCOPY, HAND_OVER_GATED, true, false, false, false },
    { MODE_THROTTLED, HAND_OVER_GATED, true, false, false, false },
    { MODE_THROTTLED, HAND_OVER_LOCKED, true, false, false, false },
    { MODE_THROTTLED, HAND_OVER_HELD, true, false, false, false },
    { MODE_PAUSED, HAND_OVER_GATED, true, false, false, false },
    { MODE_OFFLINE, HAND_OVER_DEFINITION, false, false, true, false },
};

static bool way_fits(enum domain_run run, const struct way *w)
{
    switch (run) {
    case RUN_PAUSED:
        return w->for_paused;
    case RUN_SHUTOFF:
        return w->for_off;
    case RUN_RUNNING:
    case RUN_NOT_KNOWN:
        break;
    }
    return w->for_running;
}

bool candidates_way(const struct facts *f, size_t i, enum memory_mode *ret_mode,
                    enum hand_over *ret_hand_over)
{
    *ret_mode = ways[i].mode;
    *ret_hand_over = ways[i].hand_over;
    return way_fits(f->domain.run, &ways[i]);
}

const struct disk *candidates_lock(const struct domain *domain, const enum treatment *disks)
{
    const struct disk *found = NULL;

    if (domain->has_qemu_options)
        return NULL;
    for (size_t i = 0; i < domain->n_disks; i++) {
        const struct disk *d = &domain->disks[i];

        /* What is shareable QEMU opens so that others may write to it too. */
        if (disks[i] != TREAT_SHARED || !disk_is_writable(d) || d->shareable || d->transient ||
            d->lock_enforced != TRI_YES || !disk_is_file(d) || !d->at_source.directory ||
            !d->at_dest.directory)
            continue;
        if (!found || (found->lock_proved != TRI_YES && d->lock_proved == TRI_YES))
            found = d;
    }
    return found;
}

/* Where a gate can stand between it is no worse and does not rest on a lock. */
static bool way_is_offered(const struct planning *p, const struct way *w, const struct assignment *a)
{
    if (w->hand_over != HAND_OVER_LOCKED)
        return true;
    return (p->limits.manner == MANNER_P2P || !p->facts->source.is_local_socket) &&
           candidates_lock(&p->facts->domain, a->disks) != NULL;
}

/* Peer to peer is worth a row where it can be taken, and each of its refusals where it was asked for. */
static bool way_has_p2p(const struct planning *p, const struct channel *channel, const struct way *w,
                        const struct assignment *a)
{
    if (w->mode == MODE_OFFLINE || a->is_alternative || p->limits.manner == MANNER_DIRECT)
        return false;
    return p->limits.manner == MANNER_P2P || (channel->can_p2p && w->hand_over != HAND_OVER_GATED);
}

static void candidate_add(struct planning *p, const struct channel *channel, const char *word,
                          const struct way *w, const struct assignment *a, bool is_p2p)
{
    struct plan *plan = p->plan;
    struct strategy *s = &plan->list[plan->n];
    const char *mode = memory_mode_word(w->mode), *hand_over = hand_over_word(w->hand_over);
    const char *p2p = is_p2p ? "-p2p" : "";
    const char *id = arena_format(plan->arena, "%s-%s-%s%s%s", mode, word, hand_over, p2p, a->suffix);

    /* Only drivers with names like "tcp" and "tcp2" side by side come here. */
    for (unsigned i = 2; id && id_is_taken(plan, id); i++)
        id = arena_format(plan->arena, "%s-%s-%s%s%s.%u", mode, word, hand_over, p2p, a->suffix, i);
    if (!id)
        return;
    *s = (struct strategy){
        .id = id,
        .disks = a->disks,
        .mode = w->mode,
        .hand_over = w->hand_over,
        .channel = channel,
        .needs_unsafe = a->needs_unsafe && w->mode != MODE_OFFLINE,
        .is_alternative = a->is_alternative,
        .is_p2p = is_p2p,
    };
    plan->n++;
}

void candidates_make(struct planning *p)
{
    const struct facts *f = p->facts;
    struct assignment assignments[N_ASSIGNMENTS] = { 0 };
    bool made[N_ASSIGNMENTS];

    for (int i = 0; i < N_ASSIGNMENTS; i++)
        made[i] = assignment_make(p, i, &assignments[i]);
    p->plan->list = arena_zeroed(p->plan->arena, f->n_channels ? f->n_channels : 1,
                                 sizeof *p->plan->list * 2u * N_WAYS * N_ASSIGNMENTS);
    if (!p->plan->list || arena_failed(p->plan->arena))
        return;
    for (int a = 0; a < N_ASSIGNMENTS; a++)
        for (size_t c = 0; made[a] && c < f->n_channels; c++) {
            const char *word = channel_word(p, c);

            for (int w = 0; word && w < N_WAYS; w++) {
                if (!way_fits(f->domain.run, &ways[w]) || !way_is_offered(p, &ways[w], &assignments[a]) ||
                    (!ways[w].for_alternatives && assignments[a].is_alternative))
                    continue;
                if (p->limits.manner != MANNER_P2P || ways[w].mode == MODE_OFFLINE)
                    candidate_add(p, &f->channels[c], word, &ways[w], &assignments[a], false);
                if (way_has_p2p(p, &f->channels[c], &ways[w], &assignments[a]))
                    candidate_add(p, &f->channels[c], word, &ways[w], &assignments[a], true);
            }
        }
}
