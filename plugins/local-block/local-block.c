/* SPDX-License-Identifier: Apache-2.0
 * Storage driver "local-block": images that are files on a path of the host; device.c has its block devices.
 * Everything but a look at this machine's own files goes through libvirt's storage API, as the host may be
 * another. Read it from the bottom. */
#include "../common/new-image.h"
#include "../common/qcow2.h"
#include "../common/words.h"
#include "device.h"
#include "head.h"
#include "here.h"
#include "image-io.h"
#include "path.h"
#include "pool.h"
#include "upload.h"
#include <errno.h>
#include <inttypes.h>
#include <libvirt/virterror.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static int local_claim(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    /* Low, so that a driver which knows what lies below a path gets its disks. */
    return strcmp(disk->type, "file") == 0 && disk->source ? 10 : 0;
}

static int local_identify(struct ferry_call *call, const struct ferry_services *services,
                          const struct ferry_disk *disk, struct ferry_identity *ret)
{
    struct path path;

    if (path_cut(call, services, "image", disk->source, &path) < 0)
        return -1;
    ret->directory = services->text(call, "%s", path.folder);
    ret->evidence =
        services->text(call, "a path; equal paths prove nothing, the folder '%s' may", path.folder);
    return ret->directory && ret->evidence ? 0 : -1;
}

/* ---- inspect ---- */

static bool worker_is_on_host(struct ferry_call *call, const struct ferry_services *services)
{
    virConnectPtr connection = services->libvirt(call);
    OWNED_WORDS char *uri = connection ? virConnectGetURI(connection) : NULL;

    return words_uri_is_local(uri);
}

static void report_missing(struct ferry_call *call, const struct ferry_services *services, const char *folder)
{
    services->finding(
        call, 3, "destination-directory-missing",
        services->text(call, "folder '%s' is not there on host '%s'", folder, services->host(call)),
        place_make_fix(call, services, folder));
}

/* false: this process may not look there, libvirt must. */
static bool look_here(const char *source, const struct path *path, const struct ferry_disk *disk,
                      struct ferry_image *ret, bool *ret_missing)
{
    struct stat st;
    struct statvfs room;

    *ret_missing = false;
    if (stat(source, &st) < 0) {
        if (errno != ENOENT)
            return false;
        ret->present = 0;
        if (stat(path->folder, &st) < 0) {
            *ret_missing = errno == ENOENT;
            return *ret_missing;
        }
    } else {
        if (!S_ISREG(st.st_mode))
            return false;
        ret->present = 1;
        ret->allocated_bytes = (uint64_t)st.st_blocks * 512;
        if (disk->format && strcmp(disk->format, "raw") == 0)
            ret->capacity_bytes = (uint64_t)st.st_size;
    }
    if (statvfs(path->folder, &room) == 0)
        ret->free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
    return true;
}

/* A volume whose file is gone, since a pool is as of its last refresh: it can neither be used nor created. */
static void report_stale(struct ferry_call *call, const struct ferry_services *services,
                         const struct place *place, const char *volume, struct ferry_image *ret)
{
    ret->present = 2;
    services->finding(
        call, 3, "pool-stale",
        services->text(call, "pool '%s' on host '%s' lists '%s', which libvirt cannot read there",
                       place->name, services->host(call), volume),
        services->text(call, "If the file is gone, let the pool look again: virsh pool-refresh '%s'.",
                       place->name));
}

/* false: it is listed and cannot be read. */
static bool take_volume(struct ferry_call *call, const struct ferry_services *services,
                        virStorageVolPtr volume, const struct ferry_disk *disk, struct ferry_image *ret)
{
    OWNED_WORDS char *xml = virStorageVolGetXMLDesc(volume, 0);
    OWNED_WORDS char *format = xml ? words_xml_attribute(xml, "format", "type") : NULL;
    virStorageVolInfo info;

    if (!xml || virStorageVolGetInfo(volume, &info) < 0)
        return false;
    ret->present = 1;
    ret->allocated_bytes = info.allocation;
    /* libvirt guesses the format from the content, which a guest writes: a virtual size is believed only
     * where the guess is what the domain says. */
    if (format && disk->format && strcmp(format, disk->format) == 0)
        ret->capacity_bytes = info.capacity;
    else
        services->log(call, "volume '%s' looks like %s to libvirt, the domain says %s",
                      virStorageVolGetName(volume), format ? format : "nothing",
                      disk->format ? disk->format : "nothing");
    return true;
}

static int look_through(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk, const struct path *path, const struct place *place,
                        struct ferry_image *ret)
{
    virStorageVolPtr volume = virStorageVolLookupByName(place->pool, path->name);
    virStoragePoolInfo info;
    int result = 0;

    if (volume) {
        if (!take_volume(call, services, volume, disk, ret))
            report_stale(call, services, place, path->name, ret);
        else if (!head_there(call, services, volume, disk, ret))
            result = -1;
        (void)virStorageVolFree(volume);
    } else if (virGetLastError() && virGetLastError()->code == VIR_ERR_NO_STORAGE_VOL) {
        ret->present = 0;
    } else {
        return place_error(call, services, NULL, "could not look for the image");
    }
    /* As of the pool's last refresh, where it is not ours. */
    if (virStoragePoolGetInfo(place->pool, &info) == 0)
        ret->free_bytes = info.available;
    if (!place_is_temporary(place))
        ret->pool = place->name;
    return result;
}

static int local_inspect(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_disk *disk, struct ferry_image *ret)
{
    struct path path;
    struct place place;
    bool is_missing = false;
    int result = 0;

    ret->present = 2;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (path_cut(call, services, "image", disk->source, &path) < 0)
        return -1;
    if (worker_is_on_host(call, services) && look_here(disk->source, &path, disk, ret, &is_missing)) {
        if (is_missing)
            report_missing(call, services, path.folder);
        return head_here(call, services, disk, ret) ? 0 : -1;
    }
    switch (place_open(call, services, path.folder, &place)) {
    case PLACE_OPEN:
        result = look_through(call, services, disk, &path, &place, ret);
        place_close(call, services, &place);
        return result;
    case PLACE_MISSING:
        ret->present = 0;
        report_missing(call, services, path.folder);
        return 0;
    case PLACE_INACTIVE:
        services->finding(call, 2, "pool-inactive",
                          services->text(call, "pool '%s' of folder '%s' on host '%s' is not active",
                                         place.name, path.folder, services->host(call)),
                          place_start_fix(call, services, place.name));
        return 0;
    case PLACE_FAILED:
    case PLACE_TAKEN:
        break;
    }
    return -1;
}

/* ---- create ---- */

/* The size that the new file has for a moment: the wanted one and a random number of sectors more. Nobody
 * else makes a file of that size at that place, so that it tells, after a death between the creation and
 * its second record, whether what stands there is ours. */
static int first_size(struct ferry_call *call, const struct ferry_services *services, uint64_t wanted,
                      uint64_t *ret_bytes)
{
    uint32_t sectors;

    if (getrandom(&sectors, sizeof sectors, 0) != (ssize_t)sizeof sectors) {
        services->error(call, NULL, "could not get random bytes");
        return -1;
    }
    *ret_bytes = (wanted + 511) / 512 * 512 + ((uint64_t)(sectors & 0xfffff) + 1) * 512;
    return 0;
}

/* A pool that was not refreshed since has a word of its own for it, under a code that it shares. */
static bool stands_already(void)
{
    virErrorPtr last = virGetLastError();

    return place_errno_is(EEXIST) || (last && (last->code == VIR_ERR_STORAGE_VOL_EXIST ||
                                               (last->code == VIR_ERR_OPERATION_INVALID && last->message &&
                                                strstr(last->message, "already exists"))));
}

static virStorageVolPtr make_volume(struct ferry_call *call, const struct ferry_services *services,
                                    const struct place *place, const struct path *path, uint64_t bytes)
{
    OWNED_WORDS char *escaped = words_escape_xml(path->name);
    const char *identity = services->text(call, WORDS_SIZE_FORM, bytes);
    const char *xml;
    virStorageVolPtr volume;

    xml = services->text(call,
                         "<volume><name>%s</name><capacity>%" PRIu64 "</capacity><allocation>0</allocation>"
                         "<target><format type='raw'/></target></volume>",
                         escaped ? escaped : "", bytes);
    if (!identity || !xml || !escaped)
        return NULL;
    if (services->journal(call, "volume", path->folder, path->name, identity) < 0)
        return NULL;
    volume = virStorageVolCreateXML(place->pool, xml, 0);
    if (volume)
        return volume;
    if (stands_already())
        services->error(call, "Look at it and remove or rename it, or choose another place.",
                        "something stands at '%s/%s' already", path->folder, path->name);
    else
        (void)place_error(
            call, services,
            "See that nothing stands there, that the folder can be written, and that it has room.",
            services->text(call, "could not create '%s/%s'", path->folder, path->name));
    return NULL;
}

/* When the stream ends libvirt refreshes the pool, which makes it see the new format. */
static int upload_qcow2(struct ferry_call *call, const struct ferry_services *services,
                        virStorageVolPtr volume, const struct ferry_new_image *image)
{
    const struct qcow2_base base = { .path = image->base, .format = image->base_format };
    OWNED_WORDS unsigned char *head = malloc(QCOW2_HEAD_BYTES);

    if (!head) {
        services->error(call, NULL, "no memory left");
        return -1;
    }
    if (qcow2_write_head(image->capacity_bytes, image->base ? &base : NULL, head) < 0) {
        services->error(call, "Give the backing file a shorter path.",
                        "an image cannot rest on '%s': the path has more than %u bytes, or the format none",
                        image->base, QCOW2_BASE_MAX);
        return -1;
    }
    return upload(call, services, volume, head, QCOW2_HEAD_BYTES, "Check that there is room in the folder.",
                  "could not write the empty qcow2 image");
}

static int fill_place(struct ferry_call *call, const struct ferry_services *services,
                      const struct place *place, const struct path *path, const struct ferry_new_image *image,
                      uint64_t file_bytes)
{
    bool is_qcow2 = strcmp(image->disk->format, "qcow2") == 0;
    virStorageVolPtr volume;
    const char *made;
    uint64_t bytes;
    int result = -1;

    if (first_size(call, services, file_bytes, &bytes) < 0)
        return -1;
    made = image->flags & FERRY_NEW_STREAMED ? services->text(call, WORDS_SENT_FORM, file_bytes)
                                             : services->text(call, WORDS_MADE_FORM, image->disk->format,
                                                              image->capacity_bytes, bytes, file_bytes);
    volume = made ? make_volume(call, services, place, path, bytes) : NULL;
    if (!volume)
        return -1;
    if (services->journal(call, "volume", path->folder, path->name, made) == 0) {
        /* Before the upload: of a qcow2 volume libvirt would resize the virtual disk. */
        result = virStorageVolResize(volume, file_bytes, VIR_STORAGE_VOL_RESIZE_SHRINK);
        if (result < 0)
            (void)place_error(call, services, NULL, "could not give the new image its size");
    }
    if (result == 0 && is_qcow2)
        result = upload_qcow2(call, services, volume, image);
    (void)virStorageVolFree(volume);
    return result;
}

static int local_create(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_new_image *image)
{
    struct path path;
    struct place place;
    uint64_t bytes = new_image_bytes(call, services, image);
    enum place_answer answer;
    int result;

    if (bytes == 0 || path_cut(call, services, "image", image->disk->source, &path) < 0)
        return -1;
    if (image->flags & FERRY_NEW_HERE)
        return here_create(call, services, &path, image, bytes);
    answer = place_open(call, services, path.folder, &place);
    if (answer != PLACE_OPEN)
        return place_refuse(call, services, answer, path.folder, &place);
    result = fill_place(call, services, &place, &path, image, bytes);
    place_close(call, services, &place);
    return result;
}

/* ---- remove ---- */

static bool is_gone(void)
{
    virErrorPtr last = virGetLastError();

    return place_errno_is(ENOENT) || (last && last->code == VIR_ERR_NO_STORAGE_VOL);
}

enum owner { OURS, OTHERS, NOBODYS /* listed, and gone */, NOT_TOLD /* the error is set */ };

static enum owner owner_of(struct ferry_call *call, const struct ferry_services *services,
                           virStorageVolPtr volume, const char *folder, const char *name,
                           const char *identity)
{
    OWNED_WORDS char *path = virStorageVolGetPath(volume);
    OWNED_WORDS char *xml = virStorageVolGetXMLDesc(volume, 0);
    OWNED_WORDS char *format = xml ? words_xml_attribute(xml, "format", "type") : NULL;
    struct words_volume seen = { .path = path, .format = format };
    virStorageVolInfo sizes, lengths;

    if (!path || !xml || virStorageVolGetInfo(volume, &sizes) < 0 ||
        virStorageVolGetInfoFlags(volume, &lengths, VIR_STORAGE_VOL_GET_PHYSICAL) < 0) {
        if (is_gone())
            return NOBODYS;
        (void)place_error(call, services, NULL, "could not look at the image that is to be removed");
        return NOT_TOLD;
    }
    seen.capacity = sizes.capacity;
    seen.length = lengths.allocation;
    return words_is_ours(identity, folder, name, &seen) ? OURS : OTHERS;
}

static int remove_volume(struct ferry_call *call, const struct ferry_services *services,
                         const struct place *place, const char *folder, const char *name,
                         const char *identity)
{
    virStorageVolPtr volume = virStorageVolLookupByName(place->pool, name);
    enum owner owner;
    int result = 0;

    if (!volume)
        return is_gone() ? 0 : place_error(call, services, NULL, "could not look for the image");
    owner = owner_of(call, services, volume, folder, name, identity);
    if (owner == OURS && virStorageVolDelete(volume, 0) < 0)
        result = place_error(call, services, NULL, "could not remove the image");
    else if (owner == OTHERS || owner == NOT_TOLD)
        result = owner == OTHERS ? 1 : -1;
    (void)virStorageVolFree(volume);
    return result;
}

static int local_remove(struct ferry_call *call, const struct ferry_services *services, const char *what,
                        const char *place_word, const char *name, const char *identity)
{
    struct place place;
    enum place_answer answer;
    int result;

    if (strcmp(what, "pool") == 0)
        return place_remove(call, services, name, identity);
    if (strcmp(what, HERE_WHAT) == 0 && identity && !strchr(name, '/'))
        return here_remove(call, services, place_word, name, identity);
    /* Without a journalled identity nothing says that what stands there is ours. */
    if (strcmp(what, "volume") != 0 || !identity || strchr(name, '/'))
        return 1;
    answer = place_open(call, services, place_word, &place);
    if (answer == PLACE_MISSING)
        return 0;
    if (answer != PLACE_OPEN)
        return place_refuse(call, services, answer, place_word, &place);
    result = remove_volume(call, services, &place, place_word, name, identity);
    place_close(call, services, &place);
    return result;
}

/* ---- retire ---- */

#define RETIRE_MS 10000u

/* Reads what stat shall tell, then the path: exit code 3 when another stands there. The second form removes.
 */
static const char same_script[] = "IFS= read -r id; IFS= read -r image; [ -e \"$image\" ] || exit 4; "
                                  "[ \"$(stat -c %d:%i -- \"$image\")\" = \"$id\" ] || exit 3";
static const char remove_script[] =
    "IFS= read -r id; IFS= read -r image; [ -e \"$image\" ] || exit 4; "
    "[ \"$(stat -c %d:%i -- \"$image\")\" = \"$id\" ] || exit 3; rm -- \"$image\"";

/* The script's exit code, or -1. */
static int ask_host(struct ferry_call *call, const struct ferry_services *services, const char *script,
                    const char *path, const char *identity)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    const char *input = services->text(call, "%s\n%s\n", identity, path);
    struct ferry_command command = {
        .size = sizeof command, .timeout_ms = RETIRE_MS, .argv = argv, .input = input
    };

    if (services->size < offsetof(struct ferry_services, run) + sizeof services->run) {
        services->error(call, "Remove it by hand.", "'%s' is left: no command can be run there", path);
        return -1;
    }
    if (!input)
        return -1;
    command.input_bytes = strlen(input);
    return services->run(call, &command) < 0 ? -1 : command.exit_code;
}

static int local_retire(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk, const char *identity)
{
    virConnectPtr connection = services->libvirt(call);
    virStorageVolPtr volume;
    int code, result = 0;

    if (!connection || !identity || !disk->source || strpbrk(disk->source, "\n"))
        return connection ? 1 : -1;
    code = ask_host(call, services, same_script, disk->source, identity);
    if (code == 3)
        return 1;
    /* A pool that lists it goes on listing what is removed beside it. */
    volume = code == 0 ? virStorageVolLookupByPath(connection, disk->source) : NULL;
    if (volume) {
        if (virStorageVolDelete(volume, 0) < 0)
            result = place_error(call, services, "Remove it by hand.", "could not remove the old image");
        (void)virStorageVolFree(volume);
        return result;
    }
    if (code == 0)
        code = ask_host(call, services, remove_script, disk->source, identity);
    if (code == 0 || code == 4)
        return 0;
    if (code == 3)
        return 1;
    if (code > 0)
        services->error(call, "Remove it by hand.", "could not remove '%s'", disk->source);
    return -1;
}

static const struct ferry_storage local_block = {
    .size = sizeof local_block,
    .name = "local-block",
    .summary = "image files on a path of the host, alone or in a libvirt pool",
    /* A path may lie on storage that both hosts reach, and QEMU locks image files. */
    .declares = FERRY_STORAGE_SHARES | FERRY_STORAGE_LOCKS | FERRY_STORAGE_READS_ZERO |
                FERRY_STORAGE_UNSAFE_OK | FERRY_STORAGE_BASES | FERRY_STORAGE_STREAMS,
    .claim = local_claim,
    .identify = local_identify,
    .inspect = local_inspect,
    /* No .check: what is to be said about a place is found while it is inspected. */
    .create = local_create,
    .remove = local_remove,
    .retire = local_retire,
    .open = image_open,
    .extents = image_extents,
    .submit = image_submit,
    .reap = image_reap,
    .changed = image_changed,
    .close = image_close,
    .clone = image_clone,
};

FERRY_PLUGIN(.name = "local-block", .version = "0.1",
             .summary = "image files and block devices of a host, reached through libvirt",
             .storage = (const struct ferry_storage *const[]){ &local_block, &device_driver, NULL })
