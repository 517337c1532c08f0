/* SPDX-License-Identifier: Apache-2.0
 * Rules about disks: what may be shared, what may be copied, and what must stand at the destination.
 * Sharing that is not proved is not assumed; an image that stands there is never overwritten. */
#include "facts/location.h"
#include "plan/planner.h"
#include "plan/rules.h"

/* The first QEMU that drops the destination's page cache by itself, so that libvirt minds no cache mode. */
static const uint64_t qemu_drops_cache = 4000000;

static bool is_copied(const struct rule_case *c)
{
    return treatment_copies(c->treatment);
}

/* ---- whatever the treatment ---- */

static const char *check_no_driver(struct rule_case *c)
{
    if (c->disk->driver || !disk_is_writable(c->disk))
        return NULL;
    return SAY("no storage driver claims disk '%s'", c->disk->target);
}

static const char *check_transient(struct rule_case *c)
{
    return c->disk->transient ? SAY("disk '%s' is transient", c->disk->target) : NULL;
}

static bool needs_image_there(const struct disk *d)
{
    return !disk_is_empty(d) && !disk_is_writable(d) && d->type != DISK_NETWORK;
}

static const char *place_there(const struct rule_case *c)
{
    const struct location there = location_of_disk_there(c->disk);
    const char *text = location_text(c->arena, &there);

    return text ? text : disk_dest_source(c->disk);
}

static const char *check_readonly_missing(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!needs_image_there(d) || d->at_dest.present != TRI_NO || disk_may_be_let_go(d))
        return NULL;
    if (d->device == DEVICE_CDROM)
        c->fix = SAY("Copy the file to '%s' of the destination; or eject it first: virsh change-media %s %s "
                     "--eject; or, where it stands in another place there, name that: --map-storage FROM=TO.",
                     rules_name(place_there(c)), rules_command_word(c->facts->domain.name, "DOMAIN"),
                     rules_command_word(d->target, "TARGET"));
    return SAY("image '%s' of read-only disk '%s' does not stand at the destination",
               rules_name(place_there(c)), d->target);
}

static const char *check_arrives_empty(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!needs_image_there(d) || d->at_dest.present != TRI_NO || !disk_may_be_let_go(d))
        return NULL;
    return SAY("image '%s' does not stand at the destination, and drive '%s' arrives empty there "
               "(startupPolicy '%s')",
               rules_name(place_there(c)), d->target, d->startup_policy);
}

static const char *check_readonly_not_known(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (!needs_image_there(d) || d->at_dest.present != TRI_NOT_KNOWN)
        return NULL;
    return SAY("whether image '%s' of read-only disk '%s' stands at the destination is not known",
               rules_name(place_there(c)), d->target);
}

static const char *check_encrypted(struct rule_case *c)
{
    return c->disk->encrypted ? SAY("disk '%s' is encrypted", c->disk->target) : NULL;
}

/* ---- shared ---- */

static const char *evidence_of(const struct disk *d)
{
    return d->sharing_evidence ? d->sharing_evidence : "no evidence was found either way";
}

static const char *check_not_proved(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (c->treatment != TREAT_SHARED || d->sharing != SHARING_NOT_PROVED || !d->driver)
        return NULL;
    return SAY("disk '%s' is not proved to be shared: %s", d->target, evidence_of(d));
}

static const char *check_denied(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (c->treatment != TREAT_SHARED || d->sharing != SHARING_DENIED)
        return NULL;
    return SAY("disk '%s' is not shared: %s", d->target, evidence_of(d));
}

static const char *check_contradicted(struct rule_case *c)
{
    const struct disk *d = c->disk;

    if (c->treatment != TREAT_SHARED || d->sharing != SHARING_PROVED || d->at_dest.present != TRI_NO)
        return NULL;
    return SAY("disk '%s' is proved to be shared (%s), yet the destination does not find it", d->target,
               evidence_of(d));
}

/* Network disks too: lifting libvirt's check lifts it for all, and a cache that is none is safe anywhere. */
static bool cache_is_safe(const struct disk *d)
{
    return text_equal(d->cache, "none") || text_equal(d->cache, "directsync");
}

static const char *check_cache(struct rule_case *c)
{
    if (c->treatment != TREAT_SHARED || !c->strategy->needs_unsafe || cache_is_safe(c->disk))
        return NULL;
    return SAY("disk '%s' has cache mode '%s', and libvirt's check would have to be lifted", c->disk->target,
               c->disk->cache ? c->disk->cache : "default");
}

/* Where libvirt itself looks at the cache mode. */
static bool libvirt_minds_cache(const struct rule_case *c)
{
    const struct disk *d = c->disk;

    return c->treatment == TREAT_SHARED && !c->strategy->needs_unsafe && !d->shareable &&
           d->type != DISK_NETWORK && !candidates_file_system_cluster(d->file_system) && !cache_is_safe(d);
}

static bool qemu_is_too_old(const struct facts *f)
{
    return f->source.qemu_version != NOT_KNOWN && f->source.qemu_version < qemu_drops_cache;
}

static const char *check_cache_old_qemu(struct rule_case *c)
{
    if (!libvirt_minds_cache(c) || !qemu_is_too_old(c->facts))
        return NULL;
    return SAY("disk '%s' has cache mode '%s', and the source's QEMU is older than 4.0", c->disk->target,
               c->disk->cache ? c->disk->cache : "default");
}

static const char *check_cache_dropped(struct rule_case *c)
{
    if (!libvirt_minds_cache(c) || qemu_is_too_old(c->facts))
        return NULL;
    return SAY("disk '%s' has cache mode '%s'; QEMU drops the destination's cache by itself", c->disk->target,
               c->disk->cache ? c->disk->cache : "default");
}

/* ---- copied ---- */

static const char *check_already_shared(struct rule_case *c)
{
    if (!is_copied(c) || c->disk->sharing != SHARING_PROVED)
        return NULL;
    return SAY("disk '%s' is shared and would be copied onto itself: %s", c->disk->target,
               evidence_of(c->disk));
}

/* What is proved shared stands there by its nature; "already-shared" says all of it. */
static bool is_copied_apart(const struct rule_case *c)
{
    return is_copied(c) && c->disk->sharing != SHARING_PROVED && c->disk->driver;
}

static const char *check_image_exists(struct rule_case *c)
{
    if (!is_copied_apart(c) || c->disk->at_dest.present != TRI_YES || disk_is_device(c->disk))
        return NULL;
    return SAY("an image stands at '%s' on the destination already", rules_name(disk_dest_source(c->disk)));
}

static const char *check_image_not_known(struct rule_case *c)
{
    if (!is_copied_apart(c) || c->disk->at_dest.present != TRI_NOT_KNOWN)
        return NULL;
    if (disk_is_device(c->disk))
        c->fix =
            SAY("Let virt-ferry reach the destination by ssh, so that it can look at the device, or give "
                "the destination a libvirt pool that lists it.");
    return SAY("whether an image stands at '%s' on the destination is not known",
               rules_name(disk_dest_source(c->disk)));
}

static const char *check_cannot_create(struct rule_case *c)
{
    if (!is_copied_apart(c) || c->disk->driver_creates)
        return NULL;
    return SAY("driver %s cannot create an image for disk '%s' on the destination", c->disk->driver,
               c->disk->target);
}

static const char *check_format(struct rule_case *c)
{
    const char *format = c->disk->format;

    if (!is_copied_apart(c) || text_equal(format, "raw") || text_equal(format, "qcow2") ||
        (format && disk_is_device(c->disk)))
        return NULL;
    if (!format)
        return SAY("the format of disk '%s' is not said", c->disk->target);
    return SAY("disk '%s' has format '%s'", c->disk->target, format);
}

static const char *check_length(struct rule_case *c)
{
    const struct disk *d = c->disk;
    const unsigned block = RULES_DIRECT_BLOCK_BYTES;

    if (!is_copied_apart(c) || c->facts->domain.run == RUN_SHUTOFF || !disk_is_file(d) ||
        !text_equal(d->format, "raw") || !rules_has_odd_end(d))
        return NULL;
    c->fix = SAY("Make it a little longer first: virsh blockresize %s %s %lluB. Or relocate it into a qcow2 "
                 "image.",
                 rules_command_word(c->facts->domain.name, "DOMAIN"), rules_command_word(d->target, "TARGET"),
                 (unsigned long long)((d->at_source.capacity_bytes / block + 1) * block));
    return SAY("raw disk '%s' has %llu bytes, no multiple of %u, and cache mode '%s'", d->target,
               (unsigned long long)d->at_source.capacity_bytes, block, d->cache);
}

static const char *layer_name(const struct disk *layer)
{
    return rules_name(layer->source ? layer->source : layer->volume);
}

static const char *check_base(struct rule_case *c)
{
    const struct disk *loose = disk_loose_base(c->disk);

    if (!loose || c->treatment == TREAT_COPY || c->treatment == TREAT_CHAIN || c->treatment == TREAT_NOTHING)
        return NULL;
    if (loose->at_dest.present == TRI_NO)
        return SAY("disk '%s' rests on '%s', which does not stand at the destination", c->disk->target,
                   layer_name(loose));
    return SAY("disk '%s' rests on '%s', which is not proved to be the same at the destination: %s",
               c->disk->target, layer_name(loose), evidence_of(loose));
}

static const struct disk *lowest(const struct disk *d)
{
    return d->n_chain ? &d->chain[d->n_chain - 1] : d;
}

static bool is_off_and_shared(const struct rule_case *c)
{
    return c->treatment == TREAT_SHARED && c->facts->domain.run == RUN_SHUTOFF;
}

/* A path would have been followed: this is json: or the like. */
static const char *check_base_no_file(struct rule_case *c)
{
    const struct disk *last = lowest(c->disk);

    if (!is_off_and_shared(c) || !last->at_source.base || text_equal(last->format, "raw"))
        return NULL;
    return SAY("image '%s' of disk '%s' rests on '%s', which is no file", layer_name(last), c->disk->target,
               rules_name(last->at_source.base));
}

static const char *check_chain_not_known(struct rule_case *c)
{
    const struct disk *last = lowest(c->disk);

    if (!is_off_and_shared(c) || text_equal(last->format, "raw") || last->at_source.head_read == TRI_YES)
        return NULL;
    return SAY("what image '%s' of disk '%s' rests on is not known", layer_name(last), c->disk->target);
}

static const char *say_data_file(struct rule_case *c, const struct disk *image)
{
    const char *name = image->at_source.data_file;

    return SAY(
        "image '%s' of disk '%s' keeps its data in %s%s%s, and whether the destination has the same is not "
        "known",
        layer_name(image), c->disk->target, name[0] ? "'" : "", name[0] ? rules_name(name) : "another file",
        name[0] ? "'" : "");
}

/* A copy reads through it, and rests on nothing but what stays. */
static const char *check_data_file(struct rule_case *c)
{
    if (c->treatment == TREAT_COPY || c->treatment == TREAT_NOTHING)
        return NULL;
    if (c->treatment == TREAT_SHARED && c->disk->at_source.data_file)
        return say_data_file(c, c->disk);
    for (size_t i = 0; i < c->disk->n_chain; i++)
        if (c->disk->chain[i].at_source.data_file)
            return say_data_file(c, &c->disk->chain[i]);
    return NULL;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum;

    /* NOT_KNOWN is the largest figure, so one that is not known makes the sum so. */
    return __builtin_add_overflow(a, b, &sum) ? NOT_KNOWN : sum;
}

/* File systems count what they have promised and not placed yet, and take some of it back. */
#define OPEN_SLACK_BYTES (UINT64_C(512) << 10)

static bool occupies_other(const struct disk_image *at)
{
    return at->open_most_bytes != NOT_KNOWN && at->allocated_bytes != NOT_KNOWN &&
           (at->allocated_bytes > sum_of(at->open_most_bytes, OPEN_SLACK_BYTES) ||
            at->open_least_bytes > sum_of(at->allocated_bytes, OPEN_SLACK_BYTES));
}

/* A file that was put in the place of the guest's own: QEMU goes on with the old one, which has no name any
 * more, and would open the new one at the destination. */
static const char *check_replaced(struct rule_case *c)
{
    const struct disk_image *at = &c->disk->at_source;

    if (c->treatment == TREAT_COPY || c->treatment == TREAT_NOTHING)
        return NULL;
    for (size_t i = 0; i < c->disk->n_chain; i++)
        if (c->disk->chain[i].at_source.is_open == TRI_NO)
            return SAY("backing file '%s' of disk '%s' is not the one that QEMU has open",
                       layer_name(&c->disk->chain[i]), c->disk->target);
    if (c->treatment != TREAT_SHARED || (at->is_open != TRI_NO && !occupies_other(at)))
        return NULL;
    if (at->is_open == TRI_NO)
        return SAY("image '%s' of disk '%s' is not the one that QEMU has open", layer_name(c->disk),
                   c->disk->target);
    if (at->open_most_bytes == 0)
        return SAY(
            "image '%s' of disk '%s' occupies %s, and QEMU cannot say what the one that it has open does",
            layer_name(c->disk), c->disk->target, SIZE_TEXT(at->allocated_bytes));
    return SAY("image '%s' of disk '%s' is not the one that QEMU has open: it occupies %s, that one %s",
               layer_name(c->disk), c->disk->target, SIZE_TEXT(at->allocated_bytes),
               SIZE_TEXT(at->open_most_bytes));
}

static const char *check_inner_snapshots(struct rule_case *c)
{
    const uint64_t n = c->disk->at_source.n_snapshots;

    if (!treatment_copies(c->treatment) || n == NOT_KNOWN || n == 0)
        return NULL;
    return SAY("image '%s' of disk '%s' holds %llu snapshot%s of its own, which a copy does not have",
               layer_name(c->disk), c->disk->target, (unsigned long long)n, n > 1 ? "s" : "");
}

static const char *check_lun(struct rule_case *c)
{
    if (!is_copied_apart(c) || c->disk->device != DEVICE_LUN)
        return NULL;
    return SAY("disk '%s' is a passed-through LUN", c->disk->target);
}

static const char *check_shareable(struct rule_case *c)
{
    if (!is_copied_apart(c) || !c->disk->shareable)
        return NULL;
    return SAY("disk '%s' is marked for use by several domains", c->disk->target);
}

static const char *check_encrypted_copied(struct rule_case *c)
{
    if (!is_copied_apart(c) || !c->disk->encrypted)
        return NULL;
    return SAY("encrypted disk '%s' would be copied", c->disk->target);
}

static const char *check_size_not_known(struct rule_case *c)
{
    if (!is_copied_apart(c) || c->disk->at_source.capacity_bytes != NOT_KNOWN)
        return NULL;
    return SAY("the virtual size of disk '%s' is not known", c->disk->target);
}

static const struct rule rows[] = {
    RULE("no-driver", REFUSES, PER_DISK, check_no_driver,
         "What no driver knows can neither be proved shared nor be copied.",
         .fix = "Install the plugin for this kind of storage; 'virt-ferry plugin list' shows those that are "
                "loaded, and why one was not."),
    RULE("transient-disk", REFUSES, PER_DISK, check_transient,
         "libvirt does not move a domain with a transient disk: what it wrote is in a file that is thrown "
         "away.",
         .fix =
             "Detach the disk with 'virsh detach-disk', or take <transient/> out and start the domain anew."),
    RULE("readonly-image-missing", REFUSES, PER_DISK, check_readonly_missing,
         "Read-only disks and CD-ROMs are not copied; QEMU on the destination opens the image at the same "
         "place, or at the one that a map names.",
         .fix = "Put the same file there, name the place where it stands (--map-storage FROM=TO), or detach "
                "the disk first."),
    RULE("drive-arrives-empty", WARNS, PER_DISK, check_arrives_empty,
         "With startupPolicy 'optional' or 'requisite' libvirt takes a missing image out of a CD-ROM or "
         "floppy drive when a domain arrives, and the guest finds the drive empty.",
         .fix = "If the guest needs it, put the same file there first, or name the place where it stands: "
                "--map-storage FROM=TO."),
    RULE("readonly-image-not-known", WARNS, PER_DISK, check_readonly_not_known,
         "Read-only disks and CD-ROMs are not copied, and the destination could not be asked for the image.",
         .fix = "Look for the same file on the destination."),
    RULE("encrypted-disk", WARNS, PER_DISK, check_encrypted,
         "The destination needs the libvirt secret of the disk's encryption, with its value.",
         .fix = "Compare with 'virsh secret-list' on the destination."),
    RULE("sharing-not-proved", REFUSES, PER_TREATMENT, check_not_proved,
         "Sharing that is not proved is not assumed: two hosts that write two images of one name lose one of "
         "them.",
         .fix =
             "Make both hosts reach the same storage in a way that can be proved: the same NFS export, Ceph "
             "image or block device, or a directory in which both may create files."),
    RULE("not-shared", REFUSES, PER_TREATMENT, check_denied,
         "The two hosts hold two different images at this place.",
         .fix = "Take a strategy that copies the disk."),
    RULE("sharing-contradicted", REFUSES, PER_TREATMENT, check_contradicted,
         "Two facts exclude each other, so neither is built upon.",
         .fix = "Look at the image from both hosts; refresh the destination's pool if it has one, then plan "
                "again."),
    RULE("cache-mode", REFUSES, PER_TREATMENT, check_cache,
         "libvirt does not know the file system of a disk of this domain, so its check would have to be "
         "lifted "
         "for all disks; with a host cache the destination may read old data then.",
         .fix = "Set cache='none' on the disk's <driver> with 'virsh edit' and start the domain anew."),
    RULE("cache-mode-old-qemu", REFUSES, PER_TREATMENT, check_cache_old_qemu,
         "Before QEMU 4.0 the destination could read old data from its page cache; libvirt refuses.",
         .fix = "Set cache='none' on the disk's <driver> with 'virsh edit' and start the domain anew."),
    RULE("cache-dropped", NOTES, PER_TREATMENT, check_cache_dropped,
         "A host cache is in use. Since QEMU 4.0 it is dropped on the destination, and libvirt allows it."),
    RULE("already-shared", REFUSES, PER_TREATMENT, check_already_shared,
         "What both hosts reach is never copied onto itself.",
         .fix = "Take a strategy that leaves it shared."),
    RULE("destination-image-exists", REFUSES, PER_TREATMENT, check_image_exists,
         "An image that stands at the destination is never overwritten; libvirt would.",
         .fix = "Look whose it is; move it away or remove it on the destination, or name another place: "
                "--map-storage FROM=TO."),
    RULE("destination-image-not-known", REFUSES, PER_TREATMENT, check_image_not_known,
         "An image that may stand at the destination is never overwritten, and it could not be asked for.",
         .fix = "Give the destination a libvirt pool on that folder, so that it can be looked into."),
    RULE("cannot-create", REFUSES, PER_TREATMENT, check_cannot_create,
         "The storage driver cannot create images of this kind on the destination.",
         .fix = "Bring the image to storage that both hosts share."),
    RULE("copy-format", REFUSES, PER_TREATMENT, check_format,
         "A copied disk must say its format, raw or qcow2; an image is never probed.",
         .fix = "Say the format in the domain's XML (<driver type='…'/>) and start the domain anew."),
    RULE("copy-length", REFUSES, PER_TREATMENT, check_length,
         "QEMU at the destination takes no copy into a new raw file past the page cache whose length is no "
         "multiple of 4 KiB: libvirt would end the migration with 'Block node is read-only'.",
         .fix = "Make it a little longer first: virsh blockresize."),
    RULE(
        "backing-file-not-proved", REFUSES, PER_TREATMENT, check_base,
        "QEMU at the destination opens the backing file of the same name there; with other content in it the "
        "guest would read another disk.",
        .fix = "Bring the backing file to storage that both hosts are proved to share; where it was copied "
               "there by hand, pass --compare-bases; or make the image rest on nothing: virsh blockpull "
               "DOMAIN TARGET --wait."),
    RULE("base-no-file", REFUSES, PER_TREATMENT, check_base_no_file,
         "QEMU would open whatever a 'json:' or 'nbd:' name leads to at the destination, and nobody has "
         "compared that.",
         .fix = "Start the domain first: then libvirt tells the chain; or make the image rest on nothing: "
                "qemu-img rebase -b '' IMAGE."),
    RULE(
        "chain-not-known", WARNS, PER_TREATMENT, check_chain_not_known,
        "While a domain is shut off libvirt does not say what its images rest on, so that it is not compared "
        "with what stands at the destination.",
        .fix =
            "Look yourself: qemu-img info --backing-chain IMAGE on the source, and whether both hosts have "
            "these files from one storage; or move the domain while it runs."),
    RULE("data-file-not-proved", REFUSES, PER_TREATMENT, check_data_file,
         "A qcow2 image can keep its data in a file apart, which QEMU opens by the name in the image. Where "
         "the "
         "other host has another file of that name, the guest would read and write another disk.",
         .fix =
             "Bring the image to one without a data file: virsh blockcopy DOMAIN TARGET --dest FILE --format "
             "qcow2 --pivot."),
    RULE("image-replaced", REFUSES, PER_TREATMENT, check_replaced,
         "While a guest runs, a file can be put in the place of its image. QEMU goes on with the old one, "
         "which "
         "has no name any more, or loses it when the server restarts; the QEMU at the destination would open "
         "the "
         "new one.",
         .fix =
             "Save what the guest has written, through its QEMU: virsh blockcopy DOMAIN TARGET --dest FILE "
             "--pivot. If nothing was replaced or restored there, run this again."),
    RULE(
        "snapshots-in-image", WARNS, PER_TREATMENT, check_inner_snapshots,
        "A copy has what the guest sees now. Snapshots within the image stay in the source's image, which is "
        "kept; nothing at the destination knows of them.",
        .fix =
            "Keep the source's image as long as the snapshots are wanted: qemu-img snapshot -l shows them."),
    RULE("copy-lun", REFUSES, PER_TREATMENT, check_lun,
         "A passed-through LUN is a device, not an image, and cannot be created elsewhere.",
         .fix = "Make the LUN reachable from both hosts."),
    RULE("copy-shareable", REFUSES, PER_TREATMENT, check_shareable,
         "Other domains may write a shareable disk; a copy would part them.",
         .fix = "Bring the image to storage that both hosts share."),
    RULE("copy-encrypted", REFUSES, PER_TREATMENT, check_encrypted_copied,
         "The copy would be written without the encryption of its source.",
         .fix = "Bring the image to storage that both hosts share."),
    RULE("copy-size-not-known", REFUSES, PER_TREATMENT, check_size_not_known,
         "A copy is created with the exact virtual size of its source.",
         .fix = "Check that 'virsh domblkinfo DOMAIN TARGET' answers on the source."),
};

const struct rule_set rules_disk = { "The disks", rows, sizeof rows / sizeof rows[0] };
