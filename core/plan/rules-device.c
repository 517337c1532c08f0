/* SPDX-License-Identifier: Apache-2.0
 * Rules about disks that are block devices of the host. A device cannot be created: what stands at the
 * destination is overwritten, so it must be named by the user, and be told from the source's own. */
#include "plan/rules.h"
#include <string.h>
#include <strings.h>

/* ---- whatever the treatment ---- */

static const char *check_no_device(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!disk_is_device(d))
        return NULL;
    if (d->at_source.is_device == TRI_NO)
        return SAY("'%s' of disk '%s' is no block device on the source", rules_name(d->source), d->target);
    if (d->at_dest.is_device == TRI_NO)
        return SAY("'%s' of disk '%s' is no block device on the destination", rules_name(disk_dest_source(d)),
                   d->target);
    return NULL;
}

static bool may_be_copied(const struct disk *d)
{
    return disk_is_device(d) && disk_is_writable(d) && d->sharing != SHARING_PROVED;
}

static const char *check_overwrite_not_used(struct rule_case *c)
{
    const struct facts *f = c->facts;
    OWNED_TEXT names = { 0 };

    for (size_t i = 0; i < f->overwrite.n; i++) {
        bool is_used = false;

        for (size_t k = 0; k < f->domain.n_disks; k++)
            is_used |= text_equal(f->domain.disks[k].target, f->overwrite.names[i]) &&
                       may_be_copied(&f->domain.disks[k]);
        if (!is_used)
            text_add(&names, "%s'%s'", names.len ? ", " : "", f->overwrite.names[i]);
    }
    return names.len ? SAY("no device would be copied for what --overwrite names: %s", text_of(&names))
                     : NULL;
}

/* ---- copied ---- */

static bool is_copied(const struct rule_case *c)
{
    return c->treatment == TREAT_COPY && c->disk->driver && may_be_copied(c->disk);
}

/* Onto what stands there; nothing is to be said of what is no device. */
static bool is_copied_onto(const struct rule_case *c)
{
    return is_copied(c) && c->disk->at_dest.present == TRI_YES && c->disk->at_dest.is_device != TRI_NO;
}

/* All that this strategy would overwrite, since an option that is given replaces none. */
static const char *option_of(const struct rule_case *c)
{
    const struct facts *f = c->facts;
    OWNED_TEXT list = { 0 };

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        if (c->strategy->disks[i] == TREAT_COPY && may_be_copied(d) && d->at_dest.present == TRI_YES)
            text_add(&list, "%s%s", list.len ? "," : "", rules_command_word(d->target, "TARGET"));
    }
    return arena_format(c->arena, "%s", text_of(&list));
}

static const char *check_not_named(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied_onto(c) || facts_may_overwrite(c->facts, d))
        return NULL;
    if (!c->is_brief)
        c->fix = SAY("Look at what it holds. If none of that is needed any more, say so: --overwrite %s.",
                     option_of(c));
    return SAY(
        "disk '%s' is not proved to be shared (%s), and a copy would overwrite '%s' on the destination",
        d->target, d->sharing_evidence ? d->sharing_evidence : "no evidence was found",
        rules_name(disk_dest_source(d)));
}

static const char *check_overwritten(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied_onto(c) || !facts_may_overwrite(c->facts, d))
        return NULL;
    return SAY("what '%s' on the destination holds is overwritten by disk '%s', as --overwrite allows",
               rules_name(disk_dest_source(d)), d->target);
}

static const char *check_missing(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied(c) || d->at_dest.present != TRI_NO || d->at_dest.pool)
        return NULL;
    return SAY("no device '%s' stands at the destination, and no logical pool makes volumes there",
               rules_name(disk_dest_source(d)));
}

/* How long the device at the destination is. */
static uint64_t length_there(const struct disk *d)
{
    return disk_is_in_device(d) ? d->at_dest.device_bytes : d->at_dest.capacity_bytes;
}

static const char *check_size(struct rule_case *c)
{
    const struct disk *d = c->disk;
    const uint64_t here = d->at_source.capacity_bytes, there = d->at_dest.capacity_bytes;

    if (!is_copied_onto(c) || disk_is_in_device(d) || here == NOT_KNOWN || there == NOT_KNOWN ||
        here == there)
        return NULL;
    return SAY("'%s' on the destination has %llu bytes, %s than the %llu of disk '%s'",
               rules_name(disk_dest_source(d)), (unsigned long long)there, there < here ? "fewer" : "more",
               (unsigned long long)here, d->target);
}

static const char *check_size_not_known(struct rule_case *c)
{
    if (!is_copied_onto(c) || length_there(c->disk) != NOT_KNOWN)
        return NULL;
    return SAY("how large '%s' on the destination is, is not known", rules_name(disk_dest_source(c->disk)));
}

static const char *check_too_small(struct rule_case *c)
{
    const struct disk *d = c->disk;
    const uint64_t need = disk_device_need(d), there = length_there(d);

    if (!is_copied_onto(c) || !disk_is_in_device(d) || need == NOT_KNOWN || there == NOT_KNOWN ||
        there >= need)
        return NULL;
    return SAY("'%s' on the destination has %llu bytes, and the qcow2 image of disk '%s' may need %llu%s",
               rules_name(disk_dest_source(d)), (unsigned long long)there, d->target,
               (unsigned long long)need, d->n_chain ? ", with what it rests on" : "");
}

static const char *check_blocks(struct rule_case *c)
{
    const struct disk *d = c->disk;
    const uint64_t here = d->at_source.block_bytes, there = d->at_dest.block_bytes;

    /* What a guest sees of a qcow2 image has nothing to do with what it lies on. */
    if (!is_copied_onto(c) || disk_is_in_device(d) || here == NOT_KNOWN || there == NOT_KNOWN ||
        here == there)
        return NULL;
    return SAY("'%s' has logical blocks of %llu bytes on the source and of %llu on the destination",
               rules_name(disk_dest_source(d)), (unsigned long long)here, (unsigned long long)there);
}

static const char *check_blocks_not_known(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied_onto(c) || disk_is_in_device(d) ||
        (d->at_source.block_bytes != NOT_KNOWN && d->at_dest.block_bytes != NOT_KNOWN))
        return NULL;
    return SAY("whether '%s' has logical blocks of one size on both hosts is not known",
               rules_name(disk_dest_source(d)));
}

static const char *check_in_use(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied_onto(c) || d->at_dest.in_use != TRI_YES)
        return NULL;
    return SAY("'%s' is in use on the destination%s%s", rules_name(disk_dest_source(d)),
               d->at_dest.in_use_by ? ": " : "", d->at_dest.in_use_by ? d->at_dest.in_use_by : "");
}

static const char *check_use_not_known(struct rule_case *c)
{
    if (!is_copied_onto(c) || c->disk->at_dest.in_use != TRI_NOT_KNOWN)
        return NULL;
    return SAY("whether something on the destination uses '%s' is not known",
               rules_name(disk_dest_source(c->disk)));
}

/* "wwn:…" and "serial:…" cannot be compared. */
static bool are_of_one_kind(const char *a, const char *b)
{
    const size_t n = strcspn(a, ":");

    return n == strcspn(b, ":") && strncmp(a, b, n) == 0;
}

/* A device says the same of itself on every host that can be asked. */
static bool can_be_told_apart(const struct facts *f, const struct disk *d)
{
    const char *here = d->at_source.identity, *there = d->at_dest.identity;

    if (here && there)
        return are_of_one_kind(here, there);
    if (here || there)
        return (here ? &d->at_dest : &d->at_source)->identity_read == TRI_YES;
    /* What was not read at the source, or says nothing of itself by its nature, may be reached from anywhere.
     */
    return d->at_source.identity_read == TRI_YES && f->source.uuid && f->dest.uuid &&
           strcasecmp(f->source.uuid, f->dest.uuid) != 0;
}

static const char *check_told_apart(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied_onto(c) || can_be_told_apart(c->facts, d))
        return NULL;
    return SAY(
        "'%s' on the destination cannot be told from the source's own: %s", rules_name(disk_dest_source(d)),
        d->at_source.identity && d->at_dest.identity   ? "their identities are of two kinds"
        : d->at_source.identity || d->at_dest.identity ? "the identity of one of them could not be read"
        : d->at_source.identity_read != TRI_YES
            ? "it has no identity that could be read, and may be reached from more than one host"
            : "neither has an identity, and the hosts are not known to be two");
}

static const char *check_format(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!is_copied(c) || !d->format || text_equal(d->format, "raw") ||
        (disk_is_in_device(d) && d->driver_heads))
        return NULL;
    return SAY("disk '%s' has format '%s' on a device%s", d->target, d->format,
               disk_is_in_device(d) ? ", in which the driver cannot make an image" : "");
}

static const struct rule rows[] = {
    RULE("device-not-a-device", REFUSES, PER_DISK, check_no_device,
         "A disk of type 'block' needs a block device; QEMU does not start with a file in its place.",
         .fix = "Name a device in the domain's XML, or say type='file' where it is an image file; on the "
                "destination look what stands there: ls -l."),
    RULE("overwrite-not-used", WARNS, PER_MOVE, check_overwrite_not_used,
         "--overwrite names the targets of disks that are block devices and not shared; nothing else is "
         "overwritten by it.",
         .fix = "Compare with 'virsh domblklist --details': a typing error is likely."),
    RULE("device-would-be-overwritten", REFUSES, PER_TREATMENT, check_not_named,
         "A device that is not shared is copied onto the one that stands at the destination, whose content "
         "is gone then, also when the move does not succeed.",
         .fix = "Look at what it holds. If none of that is needed any more, say so: --overwrite TARGET."),
    RULE("device-overwritten", NOTES, PER_TREATMENT, check_overwritten,
         "The device was named with --overwrite; afterwards it reads as the source everywhere."),
    RULE("device-missing", REFUSES, PER_TREATMENT, check_missing,
         "A device is copied onto one that stands there, or into a new volume of an active logical pool "
         "whose target is the folder.",
         .fix = "Make the device there, of the same size; or start the pool: virsh pool-start."),
    RULE("device-size-differs", REFUSES, PER_TREATMENT, check_size,
         "QEMU copies only between devices of one size, to the byte.",
         .fix = "Give the destination a device of the same size: lvcreate -L BYTESb."),
    RULE("device-size-not-known", REFUSES, PER_TREATMENT, check_size_not_known,
         "QEMU copies only between devices of one size, and that of the destination's could not be read.",
         .fix =
             "Let virt-ferry reach the destination by ssh, or give it a libvirt pool that lists the device."),
    RULE("device-too-small", REFUSES, PER_TREATMENT, check_too_small,
         "A qcow2 image grows within its device; one that comes to its end stops the guest.",
         .fix = "Give the destination a device of that size: lvextend -L BYTESb, lvcreate -L BYTESb."),
    RULE("device-block-size-differs", REFUSES, PER_TREATMENT, check_blocks,
         "Partition tables and file systems count in logical blocks; the guest would not find them.",
         .fix = "Give the destination a device with logical blocks of the same size: blockdev --getss."),
    RULE("device-block-size-not-known", WARNS, PER_TREATMENT, check_blocks_not_known,
         "On a device with logical blocks of another size the guest would not find its partitions.",
         .fix = "Compare 'blockdev --getss' on both hosts, or let virt-ferry reach the destination by ssh."),
    RULE("device-in-use", REFUSES, PER_TREATMENT, check_in_use,
         "What is open, mounted, built upon, or a disk of another domain is never overwritten.",
         .fix = "Find out whose it is; unmount or release it, or take another device."),
    RULE("device-use-not-known", WARNS, PER_TREATMENT, check_use_not_known,
         "Whether a device is mounted or open can only be seen where commands can be run; what is in use "
         "would "
         "be overwritten.",
         .fix = "Look there with 'lsblk' and 'fuser -v DEVICE', or let virt-ferry reach the destination by "
                "ssh."),
    RULE("device-not-told-apart", REFUSES, PER_TREATMENT, check_told_apart,
         "It may be the very device that the source uses, and would be copied onto itself.",
         .fix =
             "Let virt-ferry run commands on both hosts (qemu+ssh://), so that WWN or serial can be read."),
    RULE("device-format", REFUSES, PER_TREATMENT, check_format,
         "A device is copied as raw, or as qcow2 where the driver makes an empty image in it first.",
         .fix = "Bring the image to a file, or make the disk raw: virsh blockcopy."),
};

const struct rule_set rules_device = { "Block devices", rows, sizeof rows / sizeof rows[0] };
