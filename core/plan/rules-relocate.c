/* SPDX-License-Identifier: Apache-2.0
 * Rules about disks that are moved to another place while the guest runs: by themselves, or before a move of
 * the guest. Nothing that stands at the new place is overwritten but a device that the user named twice. */
#include "facts/location.h"
#include "plan/planner.h"
#include "plan/rules.h"

static const uint64_t libvirt_syncs_writes = 8000000;

static const struct disk *to_of(const struct rule_case *c)
{
    return c->treatment == TREAT_RELOCATE ? disk_relocation(c->disk) : NULL;
}

static const char *text_of_place(struct rule_case *c, const struct disk *d)
{
    const struct location l = location_of_disk(d);
    const char *text = c->is_brief ? "" : location_text(c->arena, &l);

    return rules_name(text ? text : d->source);
}

static bool relocates(const struct rule_case *c)
{
    for (size_t i = 0; i < c->facts->domain.n_disks; i++)
        if (c->strategy->disks[i] == TREAT_RELOCATE)
            return true;
    return false;
}

/* ---- the domain ---- */

/* On another machine its QEMU is started for the copy, paused: all is as with a guest that runs. */
static bool is_started(const struct rule_case *c)
{
    return !c->channel && facts_is_off_elsewhere(c->facts);
}

static bool is_off(const struct rule_case *c)
{
    return c->facts->domain.run == RUN_SHUTOFF && !is_started(c);
}

static const char *check_saved_state(struct rule_case *c)
{
    if (!c->facts->domain.has_managed_save)
        return NULL;
    c->fix = "Start it, which restores it, or drop what is saved: virsh managedsave-remove DOMAIN.";
    return SAY("domain '%s' has a saved state, which names its images as they are now",
               rules_name(c->facts->domain.name));
}

static const char *check_started_domain(struct rule_case *c)
{
    const struct domain *d = &c->facts->domain;

    for (size_t i = 0; i < d->n_devices; i++)
        if (text_equal(d->devices[i].kind, "hostdev")) {
            c->fix = "Run this command on that host, or start the domain first: virsh start DOMAIN.";
            return SAY("domain '%s' is shut off on another machine, and starting its QEMU would take a "
                       "device of that host",
                       rules_name(d->name));
        }
    return check_saved_state(c);
}

static const char *check_starts_paused(struct rule_case *c)
{
    if (!relocates(c) || !is_started(c))
        return NULL;
    return SAY("domain '%s' is shut off on another machine: its QEMU is started there, paused, and ended "
               "when it has copied",
               rules_name(c->facts->domain.name));
}

static const char *check_off_domain(struct rule_case *c)
{
    const char *saved = check_saved_state(c);

    if (saved)
        return saved;
    if (c->limits->bandwidth_bytes_per_s != NOT_KNOWN || c->limits->synchronous_writes) {
        c->fix = "Leave --bandwidth and --synchronous-writes out, of the settings too: no guest waits for "
                 "the copy.";
        return SAY("domain '%s' does not run, and its images are copied without QEMU",
                   rules_name(c->facts->domain.name));
    }
    return NULL;
}

static bool is_network(const struct disk *d, const char *protocol)
{
    return d->type == DISK_NETWORK && text_equal(d->protocol, protocol);
}

/* What the copy engine opens: files and devices of this machine, files of NFS servers, RBD images. */
static const char *check_off_image(struct rule_case *c, const struct disk *d)
{
    const bool is_here = d->type == DISK_FILE || d->type == DISK_BLOCK;

    if (!is_here && !is_network(d, "nfs") && !is_network(d, "rbd"))
        return SAY(
            "the domain does not run, and disk '%s' is no file or device of this machine, nor on NFS or "
            "in Ceph",
            d->target);
    if (!is_here && d->n_chain > 0)
        return SAY("the domain does not run, and what disk '%s' rests on is on the network too", d->target);
    if (is_network(d, "rbd") && !text_equal(d->format, "raw") && !text_equal(to_of(c)->format, d->format))
        return SAY("the domain does not run, and what %s in an RBD image holds is read by QEMU alone",
                   rules_name(d->format));
    return NULL;
}

/* What only its QEMU could do. */
static const char *check_not_running(struct rule_case *c)
{
    const struct disk *to = to_of(c), *d = c->disk;
    const char *found;

    if (!to || c->facts->domain.run == RUN_RUNNING || c->facts->domain.run == RUN_PAUSED)
        return NULL;
    /* Before a move nothing is copied but by QEMU. */
    if (c->channel)
        return SAY("domain '%s' does not run, and before a move disks are relocated through its QEMU",
                   rules_name(c->facts->domain.name));
    if (is_started(c))
        return check_started_domain(c);
    if (!is_off(c))
        return SAY("it is not known whether domain '%s' runs", rules_name(c->facts->domain.name));
    if ((found = check_off_domain(c)))
        return found;
    if ((found = check_off_image(c, d)))
        return found;
    if (text_equal(to->format, d->format) && !text_equal(d->format, "raw") &&
        (d->n_chain > 0 || d->at_source.data_file)) {
        c->fix = "Say --format raw, which copies what the guest sees, or start the domain first.";
        return SAY("the domain does not run, and the image of disk '%s' is not all that the disk is made of",
                   d->target);
    }
    return NULL;
}

static const char *check_snapshots(struct rule_case *c)
{
    if (!relocates(c) || (!c->facts->domain.has_snapshots && !c->facts->domain.has_checkpoints))
        return NULL;
    return SAY("domain '%s' has %s, which name its images as they are now", rules_name(c->facts->domain.name),
               c->facts->domain.has_snapshots ? "snapshots" : "checkpoints");
}

static const char *check_transient_domain(struct rule_case *c)
{
    if (!relocates(c) || c->facts->domain.persistent != TRI_NO)
        return NULL;
    return SAY("domain '%s' is transient: whoever starts it next must name the new place",
               rules_name(c->facts->domain.name));
}

static const char *check_sync_writes(struct rule_case *c)
{
    if (!relocates(c) || !c->limits->synchronous_writes ||
        c->facts->source.libvirt_version >= libvirt_syncs_writes)
        return NULL;
    return SAY("libvirt before 8.0 has no synchronous writes");
}

/* ---- the disk ---- */

static const char *check_drive(struct rule_case *c)
{
    if (!to_of(c) || disk_is_writable(c->disk))
        return NULL;
    return SAY("disk '%s' is %s", c->disk->target, disk_is_empty(c->disk) ? "empty" : "read only");
}

static const char *check_kind(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!to_of(c))
        return NULL;
    if (d->device == DEVICE_LUN)
        return SAY("disk '%s' is a passed-through LUN", d->target);
    if (d->shareable)
        return SAY("disk '%s' is marked for use by several domains", d->target);
    if (d->encrypted)
        return SAY("disk '%s' is encrypted, and its copy would not be", d->target);
    return d->transient ? SAY("disk '%s' is transient", d->target) : NULL;
}

static const char *check_size(struct rule_case *c)
{
    return to_of(c) && c->disk->at_source.capacity_bytes == NOT_KNOWN
               ? SAY("the virtual size of disk '%s' is not known", c->disk->target)
               : NULL;
}

static const char *check_flat(struct rule_case *c)
{
    if (!to_of(c) || c->disk->n_chain == 0)
        return NULL;
    return SAY("disk '%s' rests on '%s', and will rest on nothing", c->disk->target,
               rules_name(c->disk->chain[0].source));
}

static const char *check_inner_snapshots(struct rule_case *c)
{
    const uint64_t n = c->disk->at_source.n_snapshots;

    if (!to_of(c) || n == NOT_KNOWN || n == 0 || (is_off(c) && text_equal(to_of(c)->format, c->disk->format)))
        return NULL;
    return SAY("the image of disk '%s' holds %llu snapshot%s of its own, which the new one does not have",
               c->disk->target, (unsigned long long)n, n > 1 ? "s" : "");
}

/* ---- the new place ---- */

static const char *check_driver(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    return to && !to->driver ? SAY("no storage driver knows '%s', where disk '%s' shall be",
                                   text_of_place(c, to), c->disk->target)
                             : NULL;
}

static bool is_same(const struct disk *a, const struct disk *b)
{
    const struct location here = location_of_disk(a), there = location_of_disk(b);

    return (here.kind != LOCATION_NONE && location_is_same(&here, &there)) ||
           (a->at_source.identity && text_equal(a->at_source.identity, b->at_dest.identity));
}

static const char *check_same_place(struct rule_case *c)
{
    const struct disk *to = to_of(c);
    const struct domain *domain = &c->facts->domain;

    if (!to)
        return NULL;
    if (is_same(c->disk, to))
        return SAY("disk '%s' is at '%s' already", c->disk->target, text_of_place(c, to));
    for (size_t i = 0; i < c->disk_index; i++) {
        const struct disk *other = disk_relocation(&domain->disks[i]);
        const struct location one = location_of_disk(to);
        const struct location two = other ? location_of_disk(other) : (struct location){ .name = NULL };

        if (other && location_is_same(&one, &two))
            return SAY("disks '%s' and '%s' cannot both be at '%s'", domain->disks[i].target, c->disk->target,
                       text_of_place(c, to));
    }
    return NULL;
}

static bool is_own_image(const struct rule_case *c)
{
    return is_same(c->disk, to_of(c));
}

static const char *check_exists(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || is_own_image(c) || disk_is_device(to) || to->at_dest.present != TRI_YES)
        return NULL;
    return SAY("something stands at '%s' already", text_of_place(c, to));
}

static const char *check_not_known(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || !to->driver || to->at_dest.present != TRI_NOT_KNOWN)
        return NULL;
    return SAY("whether something stands at '%s' is not known", text_of_place(c, to));
}

static const char *check_cannot_create(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || !to->driver || to->driver_creates)
        return NULL;
    return SAY("driver %s cannot create an image at '%s'", to->driver, text_of_place(c, to));
}

/* As a file it would be of that length, if the guest wrote all of it. */
static uint64_t need_in_device(const struct disk *d)
{
    const uint64_t need = disk_device_need(d);

    return need == NOT_KNOWN ? 0 : need;
}

static const char *check_device(struct rule_case *c)
{
    const struct disk *to = to_of(c);
    const uint64_t here = c->disk->at_source.capacity_bytes;

    if (!to || !disk_is_device(to))
        return NULL;
    if (to->at_dest.present == TRI_YES && !facts_may_overwrite(c->facts, c->disk)) {
        c->fix = SAY("Look at what it holds. If none of that is needed any more, say so: --overwrite %s.",
                     rules_command_word(c->disk->target, "TARGET"));
        return SAY("disk '%s' would overwrite what device '%s' holds", c->disk->target, text_of_place(c, to));
    }
    if (to->at_dest.in_use == TRI_YES)
        return SAY("device '%s' is in use: %s", text_of_place(c, to), rules_name(to->at_dest.in_use_by));
    if (text_equal(to->format, "qcow2"))
        return to->at_dest.capacity_bytes < need_in_device(c->disk)
                   ? SAY("device '%s' has %llu bytes, and an image of disk '%s' may need %llu",
                         text_of_place(c, to), (unsigned long long)to->at_dest.capacity_bytes,
                         c->disk->target, (unsigned long long)need_in_device(c->disk))
                   : NULL;
    if (to->at_dest.capacity_bytes != NOT_KNOWN && here != NOT_KNOWN && to->at_dest.capacity_bytes != here)
        return SAY("device '%s' has %llu bytes, disk '%s' %llu", text_of_place(c, to),
                   (unsigned long long)to->at_dest.capacity_bytes, c->disk->target, (unsigned long long)here);
    return NULL;
}

static const char *check_device_overwritten(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || !disk_is_device(to) || to->at_dest.present != TRI_YES ||
        !facts_may_overwrite(c->facts, c->disk))
        return NULL;
    return SAY("what device '%s' holds is overwritten by disk '%s', as --overwrite allows",
               text_of_place(c, to), c->disk->target);
}

static const char *check_format(struct rule_case *c)
{
    const struct disk *to = to_of(c);
    const bool is_raw = to && text_equal(to->format, "raw");

    /* QEMU is given a device as it stands; whoever copies without it makes the image first. */
    if (!to || is_raw ||
        (text_equal(to->format, "qcow2") && (to->type != DISK_BLOCK || is_off(c)) && !is_network(to, "rbd")))
        return NULL;
    return SAY("an image of format '%s' cannot be made at '%s'", rules_name(to->format),
               text_of_place(c, to));
}

static const char *check_length(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || is_off(c) || to->type != DISK_FILE || !text_equal(to->format, "raw") ||
        !rules_has_odd_end(c->disk))
        return NULL;
    return SAY("disk '%s' has %llu bytes, no multiple of %u, cache mode '%s', and would become raw",
               c->disk->target, (unsigned long long)c->disk->at_source.capacity_bytes,
               RULES_DIRECT_BLOCK_BYTES, c->disk->cache);
}

/* ---- room and zeroes ---- */

/* What QEMU will put there: a raw image where zeroes are written is as large as the disk. */
static uint64_t need(const struct disk *d)
{
    const struct disk *to = disk_relocation(d);
    const uint64_t occupied = disk_occupied_bytes(d);

    return disk_writes_zeroes(to) || occupied == NOT_KNOWN ? d->at_source.capacity_bytes : occupied;
}

static uint64_t need_without_zeroes(const struct disk *d)
{
    const uint64_t occupied = disk_occupied_bytes(d);

    return occupied == NOT_KNOWN ? d->at_source.capacity_bytes : occupied;
}

static bool is_beside(const struct disk *a, const struct disk *b)
{
    return a->type == b->type && text_equal(a->driver, b->driver) && text_equal(a->server, b->server) &&
           a->at_dest.free_bytes == b->at_dest.free_bytes;
}

static uint64_t sum_needed(const struct rule_case *c, uint64_t (*of)(const struct disk *))
{
    uint64_t sum = of(c->disk);

    for (size_t i = 0; i < c->disk_index; i++) {
        const struct disk *d = &c->facts->domain.disks[i];

        if (c->strategy->disks[i] == TREAT_RELOCATE && is_beside(disk_relocation(d), to_of(c)) &&
            __builtin_add_overflow(sum, of(d), &sum))
            return NOT_KNOWN;
    }
    return sum;
}

static uint64_t capacity(const struct disk *d)
{
    return d->at_source.capacity_bytes;
}

static const char *check_space(struct rule_case *c)
{
    const struct disk *to = to_of(c);
    uint64_t bytes;

    if (!to || disk_is_device(to) || to->at_dest.free_bytes == NOT_KNOWN)
        return NULL;
    bytes = sum_needed(c, is_off(c) ? need_without_zeroes : need);
    if (bytes == NOT_KNOWN || bytes <= to->at_dest.free_bytes)
        return NULL;
    return SAY("there is room for %s at '%s', disk '%s' with those before it needs %s",
               SIZE_TEXT(to->at_dest.free_bytes), text_of_place(c, to), c->disk->target, SIZE_TEXT(bytes));
}

static const char *check_room_to_grow(struct rule_case *c)
{
    const struct disk *to = to_of(c);
    uint64_t bytes;

    if (!to || disk_is_device(to) || check_space(c))
        return NULL;
    if (to->at_dest.free_bytes == NOT_KNOWN)
        return to->driver ? SAY("how much room there is at '%s' is not known", text_of_place(c, to)) : NULL;
    bytes = sum_needed(c, capacity);
    if (bytes == NOT_KNOWN || bytes <= to->at_dest.free_bytes)
        return NULL;
    return SAY("there is room for %s at '%s', disk '%s' with those before it may grow to %s",
               SIZE_TEXT(to->at_dest.free_bytes), text_of_place(c, to), c->disk->target, SIZE_TEXT(bytes));
}

static const char *check_zeroes(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || !disk_writes_zeroes(to) || is_off(c))
        return NULL;
    return SAY("all %s of disk '%s' are written, zeroes too: a raw image on an NFS network disk",
               c->disk->at_source.capacity_bytes == NOT_KNOWN ? "bytes"
                                                              : SIZE_TEXT(c->disk->at_source.capacity_bytes),
               c->disk->target);
}

static const char *check_changed_format(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    if (!to || text_equal(to->format, c->disk->format))
        return NULL;
    return SAY("disk '%s' is %s and becomes %s", c->disk->target, rules_name(c->disk->format),
               rules_name(to->format));
}

/* ---- the old image ---- */

static const char *check_delete(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!to_of(c) || !c->limits->deletes_source)
        return NULL;
    if (!d->driver_retires)
        return SAY("driver %s does not remove images that were not its own", rules_name(d->driver));
    if (d->type == DISK_FILE && !d->at_source.identity && !d->at_source.file_id)
        return SAY("that '%s' is what QEMU has open for disk '%s' could not be seen", rules_name(d->source),
                   d->target);
    return d->type != DISK_FILE && !d->at_source.identity
               ? SAY("which image disk '%s' is in could not be told", d->target)
               : NULL;
}

static const char *check_deleted(struct rule_case *c)
{
    if (!to_of(c) || !c->limits->deletes_source || check_delete(c))
        return NULL;
    return SAY(
        "the old image of disk '%s', '%s', is removed afterwards; domains of other hosts are not asked "
        "whether they use it",
        c->disk->target, text_of_place(c, c->disk));
}

/* ---- before a move ---- */

static const char *check_reach(struct rule_case *c)
{
    const struct disk *to = to_of(c);

    /* Without a channel there is no destination. */
    if (!to || !c->channel)
        return NULL;
    if (to->type == DISK_NETWORK && (text_equal(to->protocol, "nfs") || text_equal(to->protocol, "rbd")))
        return NULL;
    if (to->sharing == SHARING_PROVED && candidates_disk_needs_unsafe(to) && !text_equal(to->cache, "none") &&
        !text_equal(to->cache, "directsync"))
        return SAY(
            "libvirt does not know the file system at '%s' as shared, and disk '%s' has cache mode '%s'",
            text_of_place(c, to), c->disk->target, to->cache ? to->cache : "default");
    return to->sharing == SHARING_PROVED
               ? NULL
               : SAY("'%s' is not proved to be reached by both hosts: %s", text_of_place(c, to),
                     to->sharing_evidence ? to->sharing_evidence : "only network disks are taken for it");
}

static const struct rule rows[] = {
    RULE("relocate-not-running", REFUSES, PER_TREATMENT, check_not_running,
         "The image of a domain that does not run is copied by virt-ferry itself: from files and devices of "
         "this "
         "machine, byte by byte, or converted where that can be done.",
         .fix = "Start the domain, then relocate: virsh start DOMAIN."),
    RULE("relocate-starts-paused", NOTES, PER_RELOCATION, check_starts_paused,
         "virt-ferry locks and copies images of its own machine alone; elsewhere QEMU does both. The guest "
         "executes "
         "nothing, but what starting a domain takes is taken: its memory, its ports, the hooks of libvirt."),
    RULE("relocate-snapshots", REFUSES, PER_STRATEGY, check_snapshots,
         "Snapshots and checkpoints name the images that they belong to; libvirt would revert to images that "
         "are no longer in use, or refuses.",
         .fix = "Delete them first, or their metadata alone: virsh snapshot-delete --metadata."),
    RULE("relocate-transient", NOTES, PER_STRATEGY, check_transient_domain,
         "A transient domain has no definition that could be changed."),
    RULE("relocate-synchronous-writes", REFUSES, PER_STRATEGY, check_sync_writes,
         "Synchronous writes make a copy end however fast the guest writes; libvirt has them since 8.0.",
         .fix = "Leave --synchronous-writes out, or relocate when the guest writes less."),
    RULE("relocate-drive", REFUSES, PER_TREATMENT, check_drive,
         "Only disks that the guest can write are relocated: a read-only image can be copied by any tool.",
         .fix = "Leave it out of --disk."),
    RULE("relocate-kind", REFUSES, PER_TREATMENT, check_kind,
         "The new image would not be the same disk: others write it, or its bytes mean something else.",
         .fix = "Leave it out of --disk."),
    RULE("relocate-size-not-known", REFUSES, PER_TREATMENT, check_size,
         "The new image is created with the exact virtual size of the disk.",
         .fix = "Check that 'virsh domblkinfo DOMAIN TARGET' answers."),
    RULE("relocate-flat", NOTES, PER_TREATMENT, check_flat,
         "The disk is copied with all that it rests on, into one image; its backing file is left alone."),
    RULE(
        "relocate-inner-snapshots", WARNS, PER_TREATMENT, check_inner_snapshots,
        "The new image has what the guest sees now; snapshots within the old one stay in it, and it is kept.",
        .fix = "Keep the old image as long as they are wanted."),
    RULE("relocate-no-driver", REFUSES, PER_TREATMENT, check_driver,
         "What no driver knows can neither be looked at nor be created.",
         .fix = "'virt-ferry plugin list' shows the drivers that are loaded, and why one was not."),
    RULE("relocate-same-place", REFUSES, PER_TREATMENT, check_same_place,
         "A disk is never copied onto itself, whatever the name, and no two disks onto one image.",
         .fix = "Name another location."),
    RULE("relocate-image-exists", REFUSES, PER_TREATMENT, check_exists,
         "An image that stands somewhere is never overwritten.",
         .fix = "Look whose it is; move it away, or name another location."),
    RULE("relocate-image-not-known", REFUSES, PER_TREATMENT, check_not_known,
         "What may stand there is never overwritten, and it could not be asked for.",
         .fix = "See that the location exists and answers, and what the other findings say of it."),
    RULE("relocate-cannot-create", REFUSES, PER_TREATMENT, check_cannot_create,
         "The storage driver cannot create images of this kind.", .fix = "Name another location."),
    RULE("relocate-device", REFUSES, PER_TREATMENT, check_device,
         "What a device holds is lost when a disk is relocated onto it, and it must have the disk's exact "
         "size.",
         .fix = "Name another device, free and of the disk's exact size."),
    RULE("relocate-device-overwritten", WARNS, PER_TREATMENT, check_device_overwritten,
         "The user named the device and allowed it.", .fix = "Look once more at what it holds."),
    RULE("relocate-format", REFUSES, PER_TREATMENT, check_format,
         "RBD images and block devices are raw; elsewhere raw and qcow2 can be made.",
         .fix = "Leave --format out."),
    RULE("relocate-length", REFUSES, PER_TREATMENT, check_length,
         "QEMU copies into no raw file past the page cache whose length is no multiple of 4 KiB, and says so "
         "when the copy has begun.",
         .fix = "Say --format qcow2."),
    RULE("relocate-space", REFUSES, PER_TREATMENT, check_space,
         "The new place has less room than what the disks will occupy there.",
         .fix = "Free space there, or name another location."),
    RULE("relocate-overcommit", WARNS, PER_TREATMENT, check_room_to_grow,
         "What the disks occupy now fits, what they may grow to does not, or how much room there is is not "
         "known.",
         .fix = "Watch the space there."),
    RULE("relocate-zeroes", WARNS, PER_TREATMENT, check_zeroes,
         "QEMU's NFS driver has no request for zeroes, so that all of a raw image is written.",
         .fix = "Leave --format out, or say --format qcow2, which is sparse there."),
    RULE(
        "relocate-format-changes", NOTES, PER_TREATMENT, check_changed_format,
        "RBD and devices hold raw images alone; on an NFS network disk qcow2 is taken since QEMU would write "
        "every zero of a raw one; and an image of another format becomes qcow2."),
    RULE("relocate-delete", REFUSES, PER_TREATMENT, check_delete,
         "Only an image that is seen to be the one that the guest has left is removed.",
         .fix = "Leave --delete-source out, and remove the image by hand afterwards."),
    RULE("relocate-deleted", WARNS, PER_TREATMENT, check_deleted,
         "The user wants the old image to go. It goes when the guest is seen to be in the new one, and when "
         "no "
         "domain of this host names it.",
         .fix = "Make sure that nothing else needs it."),
    RULE("relocate-not-shared", REFUSES, PER_TREATMENT, check_reach,
         "Relocating first is for a move afterwards with the disk in its place: both hosts must reach it.",
         .fix = "Name a location on storage of both: an NFS export, a Ceph pool, a directory that is proved "
                "shared."),
};

const struct rule_set rules_relocate = { .title = "Relocation",
                                         .rows = rows,
                                         .n = sizeof rows / sizeof rows[0] };
