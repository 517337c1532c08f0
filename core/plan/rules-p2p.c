/* SPDX-License-Identifier: Apache-2.0
 * Who makes libvirt's calls in a move: this program, or the source's libvirtd by itself (peer to peer). */
#include "plan/planner.h"
#include "plan/rules.h"
#include <string.h>

static const char *check_not_safe(struct rule_case *c)
{
    if (!c->strategy->is_p2p || c->strategy->hand_over == HAND_OVER_HELD)
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

static const struct rule rows[] = {
    { .id = "p2p-not-safe",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_not_safe,
      .cause =
          "When the answer of the destination is lost at the switch-over, libvirt at the source lets the "
          "guest go on, though it may run over there: it runs twice. Peer to peer nobody can look before "
          "that, so that only the held hand-over is safe, where the destination never runs by itself. "
          "Post-copy would be safe as well if it were certain to begin.",
      .fix = "Take a strategy whose hand-over is held, or leave --p2p out." },
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
};

const struct rule_set rules_p2p = { "Direct or peer to peer", rows, sizeof rows / sizeof rows[0] };
