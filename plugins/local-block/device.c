/* SPDX-License-Identifier: Apache-2.0
 * Storage driver "block": disks of type 'block'. Which device it is shows by WWN or serial alone; what stands
 * at the destination is looked at and not touched, unless the user gave it to be overwritten: then an empty
 * qcow2 image is made in it, or QEMU alone writes over it. Made and removed are volumes of logical pools
 * alone. */
#include "device.h"
#include "../common/words.h"
#include "device-head.h"
#include "device-look.h"
#include "io.h"
#include "path.h"
#include "pool.h"
#include <inttypes.h>
#include <libvirt/virterror.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define VOLUME_FORM "lv:%s"

static int device_claim(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    return strcmp(disk->type, "block") == 0 && disk->source ? 10 : 0;
}

static bool is_at_dest(const struct ferry_disk *disk)
{
    return disk->flags & FERRY_DISK_AT_DEST;
}

static bool is_qcow2(const struct ferry_disk *disk)
{
    return disk->format && strcmp(disk->format, "qcow2") == 0;
}

static int device_identify(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_disk *disk, struct ferry_identity *ret)
{
    struct path path;
    struct device seen;

    if (path_cut(call, services, "device", disk->source, &path) < 0)
        return -1;
    device_look(call, services, disk->source, is_at_dest(disk), &seen);
    if (seen.what == DEVICE_BLOCK && seen.identity[0])
        ret->identity = services->text(call, "%s", seen.identity);
    ret->was_read = seen.what == DEVICE_BLOCK && seen.was_read;
    if (seen.what == DEVICE_NOTHING)
        ret->evidence = services->text(call, "host '%s' has no '%s'", services->host(call), disk->source);
    else if (seen.what == DEVICE_OTHER)
        ret->evidence =
            services->text(call, "'%s' is no block device on host '%s'", disk->source, services->host(call));
    else
        ret->evidence = services->text(call, "%s; equal paths prove nothing", seen.evidence);
    return ret->evidence && (ret->identity || !seen.identity[0] || seen.what != DEVICE_BLOCK) ? 0 : -1;
}

/* Where a new volume would be made. */
static void look_for_room(struct ferry_call *call, const struct ferry_services *services, const char *folder,
                          struct ferry_image *ret)
{
    virStoragePoolPtr pool = device_pool(call, services, folder);
    virStoragePoolInfo info;

    if (!pool)
        return;
    ret->pool = services->text(call, "%s", virStoragePoolGetName(pool));
    if (virStoragePoolGetInfo(pool, &info) == 0)
        ret->free_bytes = info.available;
    (void)virStoragePoolFree(pool);
}

static int device_inspect(struct ferry_call *call, const struct ferry_services *services,
                          const struct ferry_disk *disk, struct ferry_image *ret)
{
    struct path path;
    struct device seen;

    ret->present = 2;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (path_cut(call, services, "device", disk->source, &path) < 0)
        return -1;
    device_look(call, services, disk->source, is_at_dest(disk), &seen);
    switch (seen.what) {
    case DEVICE_NOT_KNOWN:
        return 0;
    case DEVICE_NOTHING:
        ret->present = 0;
        look_for_room(call, services, path.folder, ret);
        return 0;
    case DEVICE_OTHER:
        ret->present = 1;
        ret->is_device = 2;
        return 0;
    case DEVICE_BLOCK:
    case DEVICE_LISTED:
        break;
    }
    ret->present = 1;
    ret->is_device = seen.what == DEVICE_BLOCK;
    ret->block_bytes = seen.block_bytes;
    /* A medium that is not there has no size; what a device occupies is all of it. */
    if (seen.bytes && disk->format && strcmp(disk->format, "raw") == 0)
        ret->capacity_bytes = ret->allocated_bytes = seen.bytes;
    if (seen.bytes && seen.bytes != UINT64_MAX && is_qcow2(disk))
        ret->device_bytes = seen.bytes;
    if (is_qcow2(disk) && !is_at_dest(disk) && !device_head_read(call, services, disk, ret))
        return -1;
    ret->in_use = seen.use == DEVICE_IN_USE ? 1 : seen.use == DEVICE_FREE ? 2 : 0;
    if (seen.use == DEVICE_IN_USE)
        ret->in_use_by = services->text(call, "%s", seen.used_by);
    return seen.use == DEVICE_IN_USE && !ret->in_use_by ? -1 : 0;
}

/* ---- volumes of logical pools ---- */

/* QEMU copies raw only between devices of one size; a qcow2 image may have room. */
static int judge_size(struct ferry_call *call, const struct ferry_services *services, const char *name,
                      const struct ferry_new_image *image, uint64_t bytes)
{
    if (is_qcow2(image->disk) ? bytes >= image->device_bytes : bytes == image->capacity_bytes)
        return 0;
    services->error(call,
                    "QEMU copies only between devices of one size. Make the disk larger by whole extents of "
                    "that volume group, or take another group.",
                    "the new volume '%s' has %" PRIu64 " bytes, and %" PRIu64 " are wanted", name, bytes,
                    is_qcow2(image->disk) ? image->device_bytes : image->capacity_bytes);
    return -1;
}

static int made_as_wanted(struct ferry_call *call, const struct ferry_services *services,
                          const struct path *path, virStorageVolPtr volume,
                          const struct ferry_new_image *image)
{
    virStorageVolInfo info;
    const char *key = virStorageVolGetKey(volume);
    const char *identity = key ? services->text(call, VOLUME_FORM, key) : NULL;

    if (!identity || services->journal(call, "volume", path->folder, path->name, identity) < 0)
        return -1;
    if (virStorageVolGetInfo(volume, &info) < 0)
        return place_error(call, services, NULL, "could not look at the new volume");
    if (judge_size(call, services, path->name, image, info.capacity) < 0)
        return -1;
    return is_qcow2(image->disk) ? device_head_write(call, services, image) : 0;
}

static int make_volume(struct ferry_call *call, const struct ferry_services *services, virStoragePoolPtr pool,
                       const struct path *path, const struct ferry_new_image *image)
{
    const uint64_t bytes = is_qcow2(image->disk) ? image->device_bytes : image->capacity_bytes;
    OWNED_WORDS char *escaped = words_escape_xml(path->name);
    virStorageVolPtr volume = virStorageVolLookupByName(pool, path->name);
    const char *xml = services->text(call, "<volume><name>%s</name><capacity>%" PRIu64 "</capacity></volume>",
                                     escaped ? escaped : "", bytes);
    int result;

    if (volume) {
        (void)virStorageVolFree(volume);
        services->error(call, "Look at it and remove or rename it, or choose another place.",
                        "something stands at '%s/%s' already", path->folder, path->name);
        return -1;
    }
    if (!escaped || !xml || services->journal(call, "volume", path->folder, path->name, NULL) < 0)
        return -1;
    volume = virStorageVolCreateXML(pool, xml, 0);
    if (!volume)
        return place_error(call, services, "See that nothing stands there, and that the group has room.",
                           services->text(call, "could not create '%s/%s'", path->folder, path->name));
    result = made_as_wanted(call, services, path, volume, image);
    (void)virStorageVolFree(volume);
    return result;
}

/* The plan saw it free; that was some seconds ago. */
static int make_onto(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_new_image *image)
{
    const char *source = image->disk->source;
    struct device seen;

    device_look(call, services, source, true, &seen);
    if (seen.what == DEVICE_NOTHING || seen.what == DEVICE_OTHER || seen.use == DEVICE_IN_USE) {
        services->error(call, "Look there what it is and who uses it, and plan again.",
                        "no image is made in '%s': %s", source,
                        seen.use == DEVICE_IN_USE ? seen.used_by : "it is no block device");
        return -1;
    }
    if (seen.bytes == UINT64_MAX || judge_size(call, services, source, image, seen.bytes) < 0) {
        if (seen.bytes == UINT64_MAX)
            services->error(call, "Let virt-ferry reach the host by ssh.", "how large '%s' is, is not known",
                            source);
        return -1;
    }
    return device_head_write(call, services, image);
}

static bool can_be_made(const struct ferry_new_image *image)
{
    const char *format = image->disk->format;
    const bool has_size = image->capacity_bytes != 0 && image->capacity_bytes != FERRY_NOT_KNOWN;

    if (!format || !has_size)
        return false;
    return is_qcow2(image->disk) ? image->device_bytes != 0 : strcmp(format, "raw") == 0 && !image->is_onto;
}

static int device_create(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_new_image *image)
{
    const struct ferry_disk *disk = image->disk;
    virStoragePoolPtr pool;
    struct path path;
    int result;

    if (path_cut(call, services, "device", disk->source, &path) < 0)
        return -1;
    if (!can_be_made(image)) {
        services->error(call, "Copy it as raw or qcow2, with its size.",
                        "a volume for '%s' cannot be made: its format is neither raw nor qcow2, or its size "
                        "is not known",
                        disk->source);
        return -1;
    }
    if (image->is_onto)
        return make_onto(call, services, image);
    pool = device_pool(call, services, path.folder);
    if (!pool) {
        services->error(call, "Define and start a logical pool whose target is that folder.",
                        "no logical pool of host '%s' makes devices in '%s'", services->host(call),
                        path.folder);
        return -1;
    }
    result = make_volume(call, services, pool, &path, image);
    (void)virStoragePoolFree(pool);
    return result;
}

static int remove_from(struct ferry_call *call, const struct ferry_services *services, virStoragePoolPtr pool,
                       const char *name, const char *identity)
{
    virStorageVolPtr volume = virStorageVolLookupByName(pool, name);
    virErrorPtr last = virGetLastError();
    const char *key, *found;
    int result = 1;

    if (!volume)
        return last && last->code == VIR_ERR_NO_STORAGE_VOL
                   ? 0
                   : place_error(call, services, NULL, "could not look for the volume");
    key = virStorageVolGetKey(volume);
    found = key ? services->text(call, VOLUME_FORM, key) : NULL;
    if (!found)
        result = -1;
    else if (identity && strcmp(found, identity) == 0)
        result = virStorageVolDelete(volume, 0) == 0
                     ? 0
                     : place_error(call, services, NULL, "could not remove the volume");
    (void)virStorageVolFree(volume);
    return result;
}

static int device_remove(struct ferry_call *call, const struct ferry_services *services, const char *what,
                         const char *place, const char *name, const char *identity)
{
    virStoragePoolPtr pool;
    int result;

    if (strcmp(what, "volume") != 0 || strchr(name, '/'))
        return 1;
    pool = device_pool(call, services, place);
    if (!pool) {
        services->error(call, "Start the pool again, or remove the volume by hand: lvremove.",
                        "no logical pool of host '%s' has the devices in '%s'", services->host(call), place);
        return -1;
    }
    result = remove_from(call, services, pool, name, identity);
    (void)virStoragePoolFree(pool);
    return result;
}

const struct ferry_storage device_driver = {
    .size = sizeof device_driver,
    .name = "block",
    .summary = "block devices of the host, LVM's volumes among them",
    /* No LOCKS: QEMU locks no device. No READS_ZERO: a device holds what it held. */
    .declares = FERRY_STORAGE_SHARES | FERRY_STORAGE_HEADS,
    .claim = device_claim,
    .identify = device_identify,
    .inspect = device_inspect,
    /* No .check: the planner judges what inspect tells. */
    .create = device_create,
    .remove = device_remove,
    .open = io_open,
    .extents = io_extents,
    .submit = io_submit,
    .reap = io_reap,
    .changed = io_changed,
    .close = io_close,
    /* No .clone: two devices share nothing. */
};
