/* SPDX-License-Identifier: Apache-2.0
 * Rules about two hosts as such, for no domain: what one has and the other lacks, for which some domain or
 * other could not move. They warn: which domains that concerns, the check of a domain says. */
#include "plan/pair.h"
#include "plan/rules.h"
#include <string.h>

enum {
    NAMED = 6,            /* of a list, in a finding */
    CLOCKS_MOST_MS = 2000 /* Kerberos bears 5 min, a guest that is told the time by its host far less */
};

static bool holds(const struct finding_refs *refs, const char *name)
{
    for (size_t i = 0; i < refs->n; i++)
        if (text_equal(refs->names[i], name))
            return true;
    return false;
}

/* A list in the making: "a, b and 3 more". */
struct listed {
    struct text text;
    size_t n;
};

static void list_add(struct listed *l, const char *before, const char *name, const char *after)
{
    if (l->n++ < NAMED)
        text_add(&l->text, "%s%s%s%s", l->n > 1 ? ", " : "", before, rules_name(name), after);
}

static const char *list_end(struct rule_case *c, struct listed *l, const char *what)
{
    const char *said = NULL;

    if (l->n > NAMED)
        text_add(&l->text, " and %zu more", l->n - NAMED);
    if (l->n && !l->text.failed)
        said = SAY("%s: %s", what, text_of(&l->text));
    text_done(&l->text);
    return said;
}

static const char *check_cpu(struct rule_case *c)
{
    static const char words[] = "required features: ";
    const char *why = c->facts->dest.cpu_why, *names = why ? strstr(why, words) : NULL;

    if (c->facts->dest.suits_cpu != TRI_NO)
        return NULL;
    return SAY("a guest that was given all of the source's processor ('%s') cannot go there: %s%s",
               rules_name(c->facts->source.cpu_model), names ? "the destination's lacks " : "",
               names ? names + sizeof words - 1 : rules_name(why));
}

static const char *check_machines(struct rule_case *c)
{
    const struct host *s = &c->facts->source, *d = &c->facts->dest;
    struct listed lacking = { .n = 0 };

    for (size_t i = 0; d->machines.n && i < s->machines.n; i++)
        if (!holds(&d->machines, s->machines.names[i]))
            list_add(&lacking, "", s->machines.names[i], "");
    return list_end(c, &lacking, "machine types that QEMU at the source has and the destination's has not");
}

static const struct pool *pool_of(const struct host *h, const char *name)
{
    for (size_t i = 0; i < h->n_pools; i++)
        if (text_equal(h->pools[i].name, name))
            return &h->pools[i];
    return NULL;
}

static const char *check_pools(struct rule_case *c)
{
    const struct host *s = &c->facts->source, *d = &c->facts->dest;
    struct listed differing = { .n = 0 };

    if (!s->has_pool_list || !d->has_pool_list)
        return NULL;
    for (size_t i = 0; i < s->n_pools; i++) {
        const struct pool *here = &s->pools[i], *there = pool_of(d, here->name);

        if (!here->is_active)
            continue;
        if (!there)
            list_add(&differing, "'", here->name, "' is missing");
        else if (!there->is_active)
            list_add(&differing, "'", here->name, "' is not active");
        else if (!text_equal(here->target, there->target))
            list_add(&differing, "'", here->name, "' has another path");
    }
    return list_end(c, &differing, "pools of the source, as the destination has them");
}

static const char *check_networks(struct rule_case *c)
{
    const struct host *s = &c->facts->source, *d = &c->facts->dest;
    struct listed lacking = { .n = 0 };

    for (size_t i = 0; s->has_network_list && d->has_network_list && i < s->networks.n; i++)
        if (!holds(&d->networks, s->networks.names[i]))
            list_add(&lacking, "'", s->networks.names[i], "'");
    return list_end(c, &lacking,
                    "networks that are active at the source, and missing or not active on the destination");
}

const struct mount *pair_mount_lacking(const struct facts *f, size_t *at)
{
    const struct host *s = &f->source, *d = &f->dest;

    while (s->has_mount_list == TRI_YES && d->has_mount_list == TRI_YES && *at < s->n_mounts) {
        const struct mount *m = &s->mounts[(*at)++];
        size_t k = 0;

        while (k < d->n_mounts &&
               !(text_equal(d->mounts[k].source, m->source) && text_equal(d->mounts[k].target, m->target)))
            k++;
        if (k == d->n_mounts)
            return m;
    }
    return NULL;
}

static const char *check_mounts(struct rule_case *c)
{
    struct listed lacking = { .n = 0 };
    const struct mount *m;

    for (size_t at = 0; (m = pair_mount_lacking(c->facts, &at));) {
        list_add(&lacking, "", m->source, "");
        if (lacking.n <= NAMED)
            text_add(&lacking.text, " at '%s'", rules_name(m->target));
    }
    return list_end(c, &lacking,
                    "network file systems of the source that the destination has not at that path");
}

static const char *check_selinux_nfs(struct rule_case *c)
{
    const struct host *d = &c->facts->dest;
    struct listed kept = { .n = 0 };

    if (d->selinux_confines == TRI_YES && d->selinux_lets_nfs == TRI_NO)
        for (size_t i = 0; i < d->n_mounts; i++)
            if (text_starts(d->mounts[i].type, "nfs"))
                list_add(&kept, "'", d->mounts[i].target, "'");
    return list_end(c, &kept, "SELinux there keeps guests from NFS (virt_use_nfs is off)");
}

static const char *check_clocks(struct rule_case *c)
{
    const uint64_t apart = c->facts->dest.clock_apart_ms;

    if (apart == NOT_KNOWN || apart < CLOCKS_MOST_MS)
        return NULL;
    return SAY("the clocks of '%s' and '%s' are %s apart", rules_name(c->facts->source.name),
               rules_name(c->facts->dest.name), MS_TEXT(apart));
}

static const char *check_not_looked(struct rule_case *c)
{
    const struct facts *f = c->facts;
    const bool at_source = f->source.has_mount_list == TRI_YES, at_dest = f->dest.has_mount_list == TRI_YES;

    if (at_source && at_dest)
        return NULL;
    return SAY("no command can be run on '%s'%s%s%s: clocks, mounts, userfaultfd and lock managers are not "
               "compared",
               rules_name(at_source ? f->dest.name : f->source.name), !at_source && !at_dest ? " and '" : "",
               !at_source && !at_dest ? rules_name(f->dest.name) : "", !at_source && !at_dest ? "'" : "");
}

#define PAIR(name, level, function, because, todo)                                                           \
    RULE(name, level, PER_PAIR, function, because, .about = ABOUT_DEST, .fix = (todo))

static const struct rule rows[] = {
    PAIR("hosts-cpu-differ", WARNS, check_cpu,
         "libvirt on the destination compared the processor that the source gives a guest of host-model or "
         "host-passthrough with its own, and found features missing.",
         "Give domains a CPU model that both hosts have: 'virsh hypervisor-cpu-baseline' finds it."),
    PAIR("hosts-machines-differ", WARNS, check_machines,
         "A guest keeps its machine type for as long as it runs, and moves only to a QEMU that has it.",
         "Install the same version of QEMU on both hosts, or give domains a machine type that both have."),
    PAIR("hosts-pools-differ", WARNS, check_pools,
         "A disk that is a volume of a pool needs an active pool of that name on the destination.",
         "Define and start the pool there (virsh pool-define, pool-start, pool-autostart), or map it: "
         "--map-storage."),
    PAIR("hosts-networks-differ", WARNS, check_networks,
         "An interface on a libvirt network needs an active network of that name on the destination.",
         "Define and start the network there (virsh net-define, net-start, net-autostart), or map it: "
         "--map-network."),
    PAIR("hosts-mounts-differ", WARNS, check_mounts,
         "An image on a network file system moves without being copied only where the destination has the "
         "same "
         "file system at the same path.",
         "Mount it there at the same path; contrib/host-setup does it: nfs-mount SERVER:/EXPORT PATH."),
    PAIR("hosts-selinux-nfs", WARNS, check_selinux_nfs,
         "Files of NFS bear no label of a guest's own, so SELinux's policy has one switch for all of them. "
         "While "
         "it is off no QEMU on the destination can open an image there, unless the mount has a label "
         "(context=).",
         "Let guests have NFS there: setsebool -P virt_use_nfs on."),
    PAIR("hosts-clocks-differ", WARNS, check_clocks,
         "Certificates and tickets are valid by a host's own clock, and what guests and logs say of the time "
         "of a move is hard to follow where two clocks differ.",
         "Let both hosts take the time from the same server: chronyd or systemd-timesyncd."),
    PAIR("hosts-not-looked-into", NOTES, check_not_looked,
         "Some of what tells two hosts apart only a command on the host can read: on the machine where "
         "virt-ferry runs, or through ssh.",
         "Run virt-ferry on the source, and let it reach the destination by ssh too."),
};

const struct rule_set rules_pair = { "Two hosts, without a domain", rows, sizeof rows / sizeof rows[0] };
