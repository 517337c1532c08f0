/* SPDX-License-Identifier: Apache-2.0
 * Who makes libvirt's calls in a move: this program, or the source's libvirtd by itself (peer to peer). */
#include "plan/planner.h"
#include "plan/rules.h"
#include <string.h>

static const char *check_not_safe(struct rule_case *c)
{
    if (!c->strategy->is_p2p || c->strategy->hand_over == HAND_OVER_HELD ||
        c->strategy->hand_over == HAND_OVER_LOCKED)
        return NULL;
    return SAY(c->strategy->mode == MODE_POSTCOPY
                   ? "libvirt on '%s' would decide alone whether the guest goes on there, and pre-copy may "
                     "end before post-copy begins"
                   : "libvirt on '%s' would decide alone whether the guest goes on there, and no gate can "
                     "stand in its way",
               rules_name(c->facts->source.name));
}

static const char *check_channel(struct rule_case *c)
{
    if (!c->strategy->is_p2p || c->channel->can_p2p)
        return NULL;
    return SAY("channel %s cannot be used by libvirt on '%s' by itself", rules_name(c->channel->driver),
               rules_name(c->facts->source.name));
}

static const char *check_uri(struct rule_case *c)
{
    if (!c->strategy->is_p2p || !c->channel->dest_uri || !strpbrk(c->channel->dest_uri, "?#"))
        return NULL;
    return SAY("what URI '%s' says behind its '?' is meant for this machine, not for libvirt on '%s'",
               c->channel->dest_uri, rules_name(c->facts->source.name));
}

static const char *check_credentials(struct rule_case *c)
{
    /* A candidate that nobody asked for is not worth a line of every plan. */
    if (!c->strategy->is_p2p || !c->channel->can_p2p || c->limits->manner != MANNER_P2P)
        return NULL;
    return SAY("libvirt on '%s' opens %s by itself: with its own certificates, passwords and names of hosts",
               rules_name(c->facts->source.name), rules_name(c->channel->dest_uri));
}

/* ---- the locked hand-over ---- */

static const struct disk *lock_of(const struct rule_case *c)
{
    if (c->strategy->hand_over != HAND_OVER_LOCKED)
        return NULL;
    return candidates_lock(&c->facts->domain, c->strategy->disks);
}

static const char *managers_too(const struct rule_case *c)
{
    const char *manager = c->facts->source.lock_manager;

    return manager && !text_equal(manager, "none") && text_equal(manager, c->facts->dest.lock_manager)
               ? arena_format(c->arena, ", beside '%s', which both hosts have for their lock manager",
                              manager)
               : "";
}

static const char *check_lock_to_prove(struct rule_case *c)
{
    const struct disk *d = lock_of(c);

    if (!d || d->lock_proved != TRI_NOT_KNOWN || d->lock_evidence)
        return NULL;
    return SAY(
        "locked, to be proved: whether both hosts enforce QEMU's lock on '%s' in '%s'%s; migrate tries it "
        "with a file of its own",
        d->target, rules_name(d->at_source.directory), managers_too(c));
}

static const char *check_lock_proved(struct rule_case *c)
{
    const struct disk *d = lock_of(c);

    return d && d->lock_proved == TRI_YES ? SAY("disk '%s' is locked between the hosts%s: %s", d->target,
                                                managers_too(c), rules_name(d->lock_evidence))
                                          : NULL;
}

static const char *check_lock_not_proved(struct rule_case *c)
{
    const struct disk *d = lock_of(c);

    if (!d || d->lock_proved == TRI_YES || !d->lock_evidence)
        return NULL;
    return SAY("disk '%s' is not proved to be locked between the hosts: %s", d->target, d->lock_evidence);
}

static const char *check_lock_lives(struct rule_case *c)
{
    return lock_of(c) ? SAY("should the guest end on '%s' within seconds of its start there, and that be "
                            "unheard here, '%s' lets it go on with its older memory",
                            rules_name(c->facts->dest.name), rules_name(c->facts->source.name))
                      : NULL;
}

static const struct rule rows[] = {
    { .id = "p2p-not-safe",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_not_safe,
      .cause =
          "When the answer of the destination is lost at the switch-over, libvirt at the source lets the "
          "guest go on, though it may run over there: it runs twice. Peer to peer nobody can look before "
          "that, so that only the held hand-over is safe, where the destination never runs by itself, and "
          "the "
          "locked one, where a lock keeps the other from running. Post-copy would be safe as well if it were "
          "certain to begin.",
      .fix = "Take a strategy whose hand-over is held or locked, or leave --p2p out." },
    { .id = "p2p-channel",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_channel,
      .cause = "The transport driver does not declare that the source's libvirt can use its channel by "
               "itself: what it needs is held open by virt-ferry.",
      .fix = "Take tcp or tls, or leave --p2p out." },
    { .id = "p2p-uri",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_uri,
      .cause = "Peer to peer the source's libvirt opens the destination's URI; paths in it would be read "
               "there.",
      .fix =
          "Put what it says into libvirt's own configuration on the source (/etc/pki, auth.conf), or leave "
          "--p2p out." },
    { .id = "p2p-credentials",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_credentials,
      .cause = "Peer to peer the source's libvirt connects to the destination's, as root there, with what "
               "stands in its own /etc/pki and auth.conf. Where that is not enough the move fails before "
               "anything is moved." },
    { .id = "lock-to-prove",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_lock_to_prove,
      .cause = "The locked hand-over rests on QEMU's lock on a shared image: of two QEMUs only the one that "
               "gets it can let its guest run. Whether the file system enforces that between these two hosts "
               "is tried by a migrate that names such a strategy, before anything else: a paused domain of "
               "16 MiB holds a new empty file on the source, and the destination must be refused that file. "
               "What was seen is remembered for a day." },
    { .id = "lock-proved",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_lock_proved,
      .cause = "The destination was refused a file that a domain of ours had open on the source, in the same "
               "directory as the image, not more than a day ago." },
    { .id = "lock-not-proved",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_lock_not_proved,
      .cause = "Without a lock that both hosts enforce the guest could run twice: libvirt at the source lets "
               "it go on when the answer of the destination is lost.",
      .fix = "Take a strategy that is held; or let the file system enforce locks (an NFS mount without "
             "nolock or local_lock, lockd running)." },
    { .id = "lock-lives",
      .severity = WARNS,
      .scope = PER_STRATEGY,
      .check = check_lock_lives,
      .cause =
          "A lock goes with the QEMU that holds it. When the guest, its QEMU or the whole host ends at "
          "the destination just after it began there, before the source heard of its start, nothing "
          "keeps the source from going on. Never do both run; but the source does not know what the "
          "guest wrote over there. Held and gated have no such case, so locked is taken only where it is "
          "named.",
      .fix = "Take a strategy that is held, unless its longer downtime is worse than that." },
};

const struct rule_set rules_p2p = { "Direct or peer to peer", rows, sizeof rows / sizeof rows[0] };
