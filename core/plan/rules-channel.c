/* SPDX-License-Identifier: Apache-2.0
 * Rules about the channel that bytes take, the hand-over, and what a strategy as a whole needs.
 * The refused ones stay in the plan with their price. */
#include "plan/planner.h"
#include "plan/rules.h"
#include <string.h>

enum { MOST_NAMED = 4 };

static const char *check_no_channel(struct rule_case *c)
{
    if (c->facts->n_channels)
        return NULL;
    if (text_equal(c->facts->dest.name, "localhost"))
        c->fix = "Name the destination by a host name or address that the source can reach.";
    return SAY("no channel leads from '%s' to '%s'", rules_name(c->facts->source.name),
               rules_name(c->facts->dest.name));
}

/* Of a domain that is shut off only the definition moves, by way of control. */
static bool is_off(const struct rule_case *c)
{
    return c->facts->domain.run == RUN_SHUTOFF;
}

static bool is_clear(const struct rule_case *c)
{
    return (is_off(c) ? c->channel->protects_control : c->channel->protects_data) < PROTECTS_ENCRYPTION;
}

/* Where what is meant goes: the definition of a domain that is off to control's peer. */
static const char *address_of(const struct rule_case *c)
{
    const char *address = is_off(c) ? c->channel->peer_address : channel_data_address(c->channel);

    return address ? address : rules_name(c->channel->data_uri);
}

/* With a data address of its own a channel crosses two networks, and the definition the first of them. */
static bool is_control_loose(const struct rule_case *c)
{
    return c->channel->protects_control < PROTECTS_ENCRYPTION && !c->channel->is_trusted;
}

static bool is_trusted(const struct rule_case *c)
{
    return is_off(c) ? c->channel->is_trusted : channel_trusts_data(c->channel) && !is_control_loose(c);
}

/* Of the disks only what would be copied crosses the network between the hosts. */
static void add_data(struct text *t, const struct facts *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->domain.n_disks; i++)
        n += treatment_copies(candidates_natural(&f->domain.disks[i]));
    text_add(t, "the guest's memory");
    if (n)
        text_add(t, n == 1 ? " and the copied disk" : " and the copied disks");
    for (size_t i = 0, named = 0; i < f->domain.n_disks; i++)
        if (treatment_copies(candidates_natural(&f->domain.disks[i])) && named++ < MOST_NAMED)
            text_add(t, "%s '%s'", named > 1 ? "," : "", rules_name(f->domain.disks[i].target));
    if (n > MOST_NAMED)
        text_add(t, " and %zu more", n - MOST_NAMED);
}

/* What crosses in the clear, and whether libvirt's own connection does too: the definition travels there. */
static const char *in_the_clear(struct rule_case *c, const char *crosses)
{
    OWNED_TEXT t = { 0 };

    if (is_off(c))
        text_add(&t, "the domain's definition, with its passwords,");
    else
        add_data(&t, c->facts);
    text_add(&t, " %s the network in the clear to %s over %s", crosses, address_of(c),
             rules_name(c->channel->driver));
    if (!is_off(c))
        text_add(&t, "%s",
                 c->channel->protects_control < PROTECTS_ENCRYPTION
                     ? "; so does control, with the domain's definition and its passwords"
                     : "; control, with the domain's definition, is encrypted");
    if (!is_off(c) && c->channel->data_address && c->channel->protects_control < PROTECTS_ENCRYPTION)
        text_add(&t, ", to %s", rules_name(c->channel->peer_address));
    return t.failed ? NULL : SAY("%s", text_of(&t));
}

static const char *check_cleartext(struct rule_case *c)
{
    const struct channel *ch = c->channel;
    const char *loose = !is_off(c) && !channel_trusts_data(ch) ? channel_data_address(ch) : ch->peer_address;

    if (!is_clear(c) || is_trusted(c) || c->limits->allow_cleartext)
        return NULL;
    c->fix = SAY("Pass --allow-cleartext for this move, or, if nobody else can listen there, add %s or its "
                 "network to 'trusted_networks' in [security] of /etc/virt-ferry.conf.",
                 loose ? loose : "the destination's address");
    return in_the_clear(c, "would cross");
}

static const char *check_cleartext_allowed(struct rule_case *c)
{
    const char *what;

    if (!is_clear(c) || (!is_trusted(c) && !c->limits->allow_cleartext))
        return NULL;
    what = in_the_clear(c, "will cross");
    return what ? SAY("%s: %s", what,
                      is_trusted(c) ? "that network is declared trusted" : "--allow-cleartext was given")
                : NULL;
}

static const char *check_no_address(struct rule_case *c)
{
    if (c->channel->data_uri || is_off(c))
        return NULL;
    return SAY("channel %s has no address for data", rules_name(c->channel->driver));
}

static const char *check_not_probed(struct rule_case *c)
{
    /* A socket of our own: whoever made it was there. Of another address than control's the port tells. */
    const bool was_reached =
        c->channel->data_address ? c->channel->data_port_open == TRI_YES : c->channel->was_probed;

    if (was_reached || is_off(c) || text_starts(c->channel->data_uri, "unix:"))
        return NULL;
    return SAY("address %s was not checked from the source itself", address_of(c));
}

/* libvirt's news of 6.8.0 (2020): "qemu: Allow migration over UNIX sockets". */
static const char *check_unix(struct rule_case *c)
{
    const uint64_t since = 6008000;
    const bool at_source = c->facts->source.libvirt_version < since;

    if (!text_starts(c->channel->data_uri, "unix:") || is_off(c) ||
        (!at_source && c->facts->dest.libvirt_version >= since))
        return NULL;
    return SAY(
        "libvirt on '%s' is older than 6.8 and moves nothing through UNIX sockets, which channel %s needs",
        rules_name(at_source ? c->facts->source.name : c->facts->dest.name), rules_name(c->channel->driver));
}

/* QEMU at the source connects to sockets that ssh made. */
static const char *check_unix_selinux(struct rule_case *c)
{
    if (!text_starts(c->channel->data_uri, "unix:") || is_off(c) ||
        c->facts->source.selinux_confines != TRI_YES)
        return NULL;
    return SAY("SELinux on '%s' confines QEMU, which may not come to the sockets of channel %s",
               rules_name(c->facts->source.name), rules_name(c->channel->driver));
}

/* libvirt's profile of a guest has one rule for sockets that a migration comes by: those of tunnelled ones.
 */
static const char *check_unix_apparmor(struct rule_case *c)
{
    const char *uri = c->channel->data_uri, *name = rules_name(c->facts->domain.name);
    const char *end = text_starts(uri, "unix:") ? strstr(uri, ".tunnelmigrate.dest.") : NULL;

    if (!text_starts(uri, "unix:") || is_off(c) || c->facts->dest.apparmor_confines != TRI_YES ||
        (end && text_equal(end + strlen(".tunnelmigrate.dest."), name)))
        return NULL;
    return SAY("AppArmor on '%s' keeps QEMU from the sockets of channel %s for domain '%s'",
               rules_name(c->facts->dest.name), rules_name(c->channel->driver), name);
}

/* libvirt there is told to listen at it. */
static const char *check_via_elsewhere(struct rule_case *c)
{
    const struct finding_refs *own = &c->facts->dest.addresses;

    if (!c->channel->data_address || !text_starts(c->channel->data_uri, "tcp:") || is_off(c) || !own->n)
        return NULL;
    for (size_t i = 0; i < own->n; i++)
        if (text_equal(own->names[i], c->channel->data_address))
            return NULL;
    return SAY("%s is no address of '%s'", c->channel->data_address, rules_name(c->facts->dest.name));
}

static const char *check_via(struct rule_case *c)
{
    if (!c->channel->data_address || is_off(c))
        return NULL;
    return SAY("RAM and disks go to %s of '%s', control to %s", c->channel->data_address,
               rules_name(c->facts->dest.name), rules_name(c->channel->peer_address));
}

static const char *check_copies(struct rule_case *c)
{
    /* Of a domain that is shut off they go over libvirt's own connection. */
    if (c->channel->can_copy_disks || is_off(c))
        return NULL;
    for (size_t i = 0; i < c->facts->domain.n_disks; i++)
        if (treatment_copies(c->strategy->disks[i]))
            return SAY("channel %s cannot carry disks", rules_name(c->channel->driver));
    return NULL;
}

static const char *check_no_gate(struct rule_case *c)
{
    if (c->strategy->hand_over != HAND_OVER_GATED || c->facts->source.is_local_socket)
        return NULL;
    return SAY("the gate cannot stand between us and '%s': its libvirt is not reached over a UNIX socket",
               rules_name(c->facts->source.name));
}

static const char *check_unsafe(struct rule_case *c)
{
    size_t n = 0;
    const struct disk *first = NULL;

    if (!c->strategy->needs_unsafe)
        return NULL;
    for (size_t i = 0; i < c->facts->domain.n_disks; i++) {
        const struct disk *d = &c->facts->domain.disks[i];

        if (c->strategy->disks[i] != TREAT_SHARED || !candidates_disk_needs_unsafe(d))
            continue;
        if (d->sharing != SHARING_PROVED)
            return NULL; /* refused by its own rule: there is no proof to show */
        if (n++ == 0)
            first = d;
    }
    if (!first)
        return NULL;
    return SAY("libvirt does not know file system '%s' of disk '%s'%s; its check is lifted, since sharing is "
               "proved: %s",
               rules_name(first->file_system), first->target, n > 1 ? " and of others" : "",
               rules_name(first->sharing_evidence));
}

static const struct rule rows[] = {
    { .id = "no-channel",
      .of_pair = true,
      .severity = REFUSES,
      .scope = PER_MOVE,
      .check = check_no_channel,
      .cause = "No transport driver reached the destination from the source.",
      .fix =
          "See the other findings for what each transport driver met; 'virt-ferry plugin list' shows those "
          "that are loaded." },
    { .id = "cleartext",
      .of_pair = true,
      .severity = REFUSES,
      .scope = PER_CHANNEL,
      .check = check_cleartext,
      .cause = "RAM and disks never cross the network unprotected unless that network is declared trusted or "
               "the user says so. Whoever can read the network could read the guest's memory, its keys too.",
      .fix = "Pass --allow-cleartext for this move, or list the destination's network as trusted_networks in "
             "[security] of the configuration." },
    { .id = "cleartext-allowed",
      .of_pair = true,
      .severity = NOTES,
      .scope = PER_CHANNEL,
      .check = check_cleartext_allowed,
      .cause = "The channel does not encrypt, and that was allowed." },
    { .id = "channel-no-address",
      .of_pair = true,
      .severity = REFUSES,
      .scope = PER_CHANNEL,
      .check = check_no_address,
      .cause = "The address that RAM and disks travel to is always given to libvirt, never left to what the "
               "destination thinks its own name is.",
      .fix = "Name the destination by an address that the source can reach." },
    { .id = "address-not-checked",
      .of_pair = true,
      .severity = WARNS,
      .scope = PER_CHANNEL,
      .check = check_not_probed,
      .cause = "Nothing could run on the source to try the address, so it may not be reachable from there.",
      .fix = "Run virt-ferry on the source, or try the address from there by hand." },
    { .id = "data-address-elsewhere",
      .severity = REFUSES,
      .scope = PER_CHANNEL,
      .check = check_via_elsewhere,
      .cause =
          "The address that was chosen for RAM and disks is none that the destination tells of: QEMU there "
          "could not listen at it, or another host would be asked.",
      .fix = "Name one of the destination's own addresses, or the network that it lies in: --via." },
    { .id = "unix-libvirt",
      .severity = REFUSES,
      .scope = PER_CHANNEL,
      .check = check_unix,
      .cause =
          "RAM and disks of this channel go through UNIX sockets, which libvirt takes since 6.8.0 (2020).",
      .fix = "Update libvirt on that host, or take a channel whose data goes another way." },
    { .id = "unix-apparmor",
      .severity = REFUSES,
      .scope = PER_CHANNEL,
      .check = check_unix_apparmor,
      .cause =
          "libvirt's AppArmor profile lets a guest's QEMU have sockets for RAM and disks by their names "
          "alone, "
          "which only a domain's name of at most 24 letters, digits, dots, dashes and underscores gives.",
      .fix = "Take a channel whose data goes another way, such as TLS (docs/tls.md); or rename the domain "
             "while it "
             "is shut off: virsh domrename." },
    { .id = "unix-selinux",
      .severity = WARNS,
      .scope = PER_CHANNEL,
      .check = check_unix_selinux,
      .of_pair = true,
      .cause = "The policy of Fedora and its kin has no rule that lets a guest's QEMU connect to a socket of "
               "another "
               "process of root's, and libvirt's manual asks for a label on such sockets that ssh cannot "
               "give. Nobody "
               "tried it yet: where it is refused the move fails at its begin, and the guest stays.",
      .fix =
          "Let TLS carry RAM and disks (docs/tls.md), and name it: --strategy, or qemu+tls://HOST/system." },
    { .id = "data-address",
      .severity = NOTES,
      .scope = PER_CHANNEL,
      .check = check_via,
      .cause =
          "RAM and disks have an address of their own at the destination, by --via or by the "
          "configuration of that host. Whether they may cross in the clear is judged by the network that "
          "it lies in; a certificate must bear it, or the name that --tls-destination gives." },
    { .id = "channel-without-disks",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_copies,
      .cause = "A disk has to be copied, and this channel carries memory only.",
      .fix = "Use another channel, or bring the image to storage that both hosts share." },
    { .id = "no-gate",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .about = ABOUT_SOURCE,
      .check = check_no_gate,
      .cause = "The gated hand-over looks at the destination before the source may resume; for that the "
               "control connection to the source must pass a socket of ours.",
      .fix = "Run virt-ferry on the source, or take a strategy whose hand-over is held." },
    { .id = "unsafe-with-proof",
      .severity = NOTES,
      .scope = PER_STRATEGY,
      .check = check_unsafe,
      .cause =
          "libvirt refuses file systems that it does not know as shared. VIR_MIGRATE_UNSAFE lifts that, "
          "and is passed only when sharing is proved or the disk is copied, and the cache mode is none or "
          "directsync, for every writable disk of the domain." },
};

const struct rule_set rules_channel = { "The channel and the hand-over", rows, sizeof rows / sizeof rows[0] };
