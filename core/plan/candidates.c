/* SPDX-License-Identifier: Apache-2.0
 * Enumerates the strategies: channels x ways that memory travels x connections x assignments of treatments.
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

/* The same, or what it rests on goes before it. */
static bool can_go_apart(const struct disk *d, const struct plan_limits *limits)
{
    const struct disk *ignored;

    return can_rest(d) || (limits->keep_chain && d->n_chain > 0 && chain_obstacle(d, &ignored) == CHAIN_GOES);
}

/* libvirt copies either all disks whole or of each only its own image. A disk without a base is the same
 * either way, where the new image reads as zero: no zeroes are sent then. */
static void prefer_overlays(const struct domain *domain, const struct plan_limits *limits,
                            struct assignment *a)
{
    for (size_t i = 0; i < domain->n_disks; i++) {
        const struct disk *d = &domain->disks[i];

        if (a->disks[i] == TREAT_COPY && !can_go_apart(d, limits) &&
            (d->n_chain > 0 || d->reads_zero != TRI_YES))
            return;
    }
    for (size_t i = 0; i < domain->n_disks; i++)
        if (a->disks[i] == TREAT_COPY && domain->disks[i].n_chain > 0)
            a->disks[i] = can_rest(&domain->disks[i]) ? TREAT_OVERLAY : TREAT_CHAIN;
}

void candidates_assign(const struct domain *domain, int which, const struct plan_limits *limits,
                       struct assignment *a)
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
    if (which == ASSIGN_NATURAL && !limits->flatten)
        prefer_overlays(domain, limits, a);
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
    candidates_assign(domain, which, &p->limits, a);
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

/* Those that nobody asked for are worth a row where they can be taken. */
static bool way_has_several(const struct planning *p, const struct way *w, const struct assignment *a)
{
    if (w->mode == MODE_OFFLINE)
        return false;
    return p->limits.connections || (w->mode != MODE_POSTCOPY && !a->is_alternative);
}

/* Peer to peer is worth a row where it can be taken, and each of its refusals where it was asked for. */
static bool way_has_p2p(const struct planning *p, const struct channel *channel, const struct way *w,
                        const struct assignment *a)
{
    if (w->mode == MODE_OFFLINE || a->is_alternative || p->limits.manner == MANNER_DIRECT)
        return false;
    return p->limits.manner == MANNER_P2P || (channel->can_p2p && w->hand_over != HAND_OVER_GATED);
}

unsigned plan_connections_of(const char *id)
{
    const char *last = id ? strrchr(id, '-') : NULL;
    unsigned n = 0;

    if (!last || last[1] != 'x' || last[2] < '1' || last[2] > '9')
        return 1;
    for (last += 2; *last >= '0' && *last <= '9' && n <= CONNECTIONS_MOST; last++)
        n = 10 * n + (unsigned)(*last - '0');
    return (*last == '\0' || *last == '.') && n <= CONNECTIONS_MOST ? n : 1;
}

/* One strategy less what it is called and what becomes of the disks. */
struct candidate {
    const struct channel *channel;
    const char *word; /* the channel's */
    const struct way *way;
    unsigned connections;
    bool is_p2p;
};

static const char *candidate_name(const struct planning *p, const struct candidate *c,
                                  const struct assignment *a)
{
    struct arena *arena = p->plan->arena;
    const char *several = c->connections > 1 ? arena_format(arena, "-x%u", c->connections) : "";
    const char *id =
        several ? arena_format(arena, "%s-%s-%s%s%s%s", memory_mode_word(c->way->mode), c->word,
                               hand_over_word(c->way->hand_over), c->is_p2p ? "-p2p" : "", a->suffix, several)
                : NULL;
    const char *name = id;

    /* Only drivers with names like "tcp" and "tcp2" side by side come here. */
    for (unsigned i = 2; name && id_is_taken(p->plan, name); i++)
        name = arena_format(arena, "%s.%u", id, i);
    return name;
}

static void candidate_add(struct planning *p, const struct candidate *c, const struct assignment *a)
{
    struct plan *plan = p->plan;
    const char *id = candidate_name(p, c, a);

    if (!id)
        return;
    plan->list[plan->n++] = (struct strategy){
        .id = id,
        .disks = a->disks,
        .mode = c->way->mode,
        .hand_over = c->way->hand_over,
        .channel = c->channel,
        .needs_unsafe = a->needs_unsafe && c->way->mode != MODE_OFFLINE,
        .is_alternative = a->is_alternative,
        .is_p2p = c->is_p2p,
        .connections = c->connections,
    };
}

static void candidates_of(struct planning *p, struct candidate c, const struct assignment *a)
{
    for (c.way = ways; c.way < ways + N_WAYS; c.way++) {
        if (!way_fits(p->facts->domain.run, c.way) || !way_is_offered(p, c.way, a) ||
            (!c.way->for_alternatives && a->is_alternative) ||
            (c.connections > 1 && !way_has_several(p, c.way, a)))
            continue;
        c.is_p2p = false;
        if (p->limits.manner != MANNER_P2P || c.way->mode == MODE_OFFLINE)
            candidate_add(p, &c, a);
        c.is_p2p = true;
        if (way_has_p2p(p, c.channel, c.way, a) &&
            (c.connections == 1 || p->limits.connections || p->limits.manner == MANNER_P2P))
            candidate_add(p, &c, a);
    }
}

/* By one connection, and by as many as are worth it; or by as many as were asked for. */
static void candidates_over(struct planning *p, size_t channel, const struct assignment *a)
{
    struct candidate c = { .channel = &p->facts->channels[channel], .word = channel_word(p, channel) };
    const unsigned asked = p->facts->domain.run == RUN_SHUTOFF ? 1 : p->limits.connections;

    if (!c.word)
        return;
    c.connections = asked ? asked : 1;
    candidates_of(p, c, a);
    c.connections = asked ? 1 : cost_connections(p, c.channel);
    if (c.connections > 1)
        candidates_of(p, c, a);
}

void candidates_make(struct planning *p)
{
    const struct facts *f = p->facts;
    struct assignment assignments[N_ASSIGNMENTS] = { 0 };
    bool made[N_ASSIGNMENTS];

    for (int i = 0; i < N_ASSIGNMENTS; i++)
        made[i] = assignment_make(p, i, &assignments[i]);
    /* Each way direct and peer to peer, by one connection and by several. */
    p->plan->list = arena_zeroed(p->plan->arena, f->n_channels ? f->n_channels : 1,
                                 sizeof *p->plan->list * 4u * N_WAYS * N_ASSIGNMENTS);
    if (!p->plan->list || arena_failed(p->plan->arena))
        return;
    for (int a = 0; a < N_ASSIGNMENTS; a++)
        for (size_t c = 0; made[a] && c < f->n_channels; c++)
            candidates_over(p, c, &assignments[a]);
}
