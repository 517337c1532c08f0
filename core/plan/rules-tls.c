/* SPDX-License-Identifier: Apache-2.0
 * What QEMU's TLS cannot do, or could not in some versions, together with disks that are copied: a row each,
 * with the place where it is written. */
#include "plan/planner.h"
#include "plan/rules.h"

#define VERSION(major, minor) ((uint64_t)(major)*1000000u + (uint64_t)(minor)*1000u)

static bool copies_by_tls(const struct rule_case *c)
{
    /* What is shown only for its refusal has that already. */
    if (!channel_has_tls(c->channel) || c->strategy->mode == MODE_OFFLINE || c->strategy->is_alternative)
        return false;
    for (size_t i = 0; i < c->facts->domain.n_disks; i++)
        if (treatment_copies(c->strategy->disks[i]))
            return true;
    return false;
}

/* https://issues.redhat.com/browse/LIBVIRT-1113; OpenStack turns post-copy off with it
 * (openstack-k8s-operators/edpm-ansible, pull request 626). */
static const char *check_postcopy(struct rule_case *c)
{
    if (c->strategy->mode != MODE_POSTCOPY || !copies_by_tls(c))
        return NULL;
    return SAY("disks are copied by TLS, which does not go together with post-copy");
}

/* libvirt leaves the name out for an older QEMU (qemuMigrationSrcNBDStorageCopy, the capability
 * blockdev.nbd.tls-hostname of QEMU 7.0), and QEMU then looks for the address in the certificate. */
static const char *check_name(struct rule_case *c)
{
    const char *name = channel_parameter(c->channel, "tls.destination");

    if (!name || c->facts->source.qemu_version >= VERSION(7, 0) || !copies_by_tls(c))
        return NULL;
    return SAY(
        "QEMU at the source is older than 7.0 and would look for %s, not '%s', in the certificate when it "
        "copies disks",
        channel_data_address(c->channel) ? channel_data_address(c->channel) : "the address", name);
}

/* "Since libvirt-4.4, --copy-storage-{all,inc} can work together with --tls": autotest/tp-libvirt, pull
 * request 1801, and https://bugzilla.redhat.com/show_bug.cgi?id=1300772. */
static const char *check_libvirt(struct rule_case *c)
{
    const bool at_source = c->facts->source.libvirt_version < VERSION(4, 4);

    if ((!at_source && c->facts->dest.libvirt_version >= VERSION(4, 4)) || !copies_by_tls(c))
        return NULL;
    return SAY("libvirt on '%s' is older than 4.4 and copies no disks by TLS",
               rules_name(at_source ? c->facts->source.name : c->facts->dest.name));
}

/* "Progress stops typically at high progress amounts (95%-98%)":
 * https://gitlab.com/qemu-project/qemu/-/issues/310, of QEMU 5.1 and 5.2; the libvirt side is its issue 108.
 */
static const char *check_hang(struct rule_case *c)
{
    const bool at_source = c->facts->source.qemu_version < VERSION(6, 0);

    if ((!at_source && c->facts->dest.qemu_version >= VERSION(6, 0)) || !copies_by_tls(c))
        return NULL;
    return SAY("QEMU on '%s' is older than 6.0: disks that are copied by TLS can stop near the end, for ever",
               rules_name(at_source ? c->facts->source.name : c->facts->dest.name));
}

static bool is_crashing(uint64_t version)
{
    return version != NOT_KNOWN && version >= VERSION(8, 2) && version < VERSION(9, 1);
}

/* "Since qemu 8.2, the combination of NBD + TLS + iothread crashes on an assertion failure": QEMU's commit
 * "qio: Inherit follow_coroutine_ctx across TLS", in 9.1; RHEL-33754, RHEL-34786. */
static const char *check_crash(struct rule_case *c)
{
    const bool at_source = is_crashing(c->facts->source.qemu_version);

    if (!c->facts->domain.has_iothreads || (!at_source && !is_crashing(c->facts->dest.qemu_version)) ||
        !copies_by_tls(c))
        return NULL;
    return SAY(
        "QEMU on '%s' is of a version (8.2 to 9.0) that can crash when a domain with I/O threads has disks "
        "copied by TLS",
        rules_name(at_source ? c->facts->source.name : c->facts->dest.name));
}

static const struct rule rows[] = {
    { .id = "tls-copy-postcopy",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_postcopy,
      .cause = "libvirt does not support post-copy in a migration that copies disks by NBD over TLS "
               "(LIBVIRT-1113).",
      .fix = "Take a strategy of another mode, or bring the image to storage that both hosts share." },
    { .id = "tls-copy-name",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_name,
      .cause = "Before QEMU 7.0 the connection that copies a disk cannot be told the name in the "
               "certificate: it is "
               "the address that must stand there.",
      .fix = "Put the destination's address into its certificate (ip_address = in certtool's template), or "
             "update "
             "QEMU at the source." },
    { .id = "tls-copy-libvirt",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_libvirt,
      .cause = "libvirt encrypts the copying of disks since 4.4 (2018).",
      .fix = "Update libvirt on that host, or bring the image to storage that both hosts share." },
    { .id = "tls-copy-hang",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_hang,
      .cause = "With QEMU 5.1 and 5.2 copies of disks by NBD over TLS were seen to stop at 95 to 98 % and "
               "never end; "
               "older ones are not known to be better.",
      .fix = "Update QEMU on that host, take a channel through ssh, or bring the image to storage that both "
             "hosts "
             "share." },
    { .id = "tls-copy-crash",
      .severity = REFUSES,
      .scope = PER_STRATEGY,
      .check = check_crash,
      .cause =
          "QEMU 8.2 to 9.0 fails an assertion when a disk of a domain with I/O threads is copied by NBD over "
          "TLS, and the guest is gone with it (fixed in 9.1; some distributions have the fix in older ones).",
      .fix = "Update QEMU on both hosts to 9.1, or bring the image to storage that both hosts share." },
};

const struct rule_set rules_tls = { "TLS and copied disks, by versions", rows, sizeof rows / sizeof rows[0] };
