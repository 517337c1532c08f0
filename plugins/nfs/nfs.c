/* SPDX-License-Identifier: Apache-2.0
 * Storage driver "nfs": images on NFS servers, as network disks that QEMU reaches itself and as files on
 * mounts of the hosts. What the server knows is asked from this machine by libnfs, whatever host the worker
 * serves: what cannot be reached from here is not known, never "no". Read it from the bottom. */
#include "../common/qcow2.h"
#include "../common/tell-head.h"
#include "../common/words.h"
#include "check.h"
#include "image.h"
#include "io.h"
#include "proof.h"
#include "seen.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CLAIM_NETWORK 90
#define CLAIM_FILE 60

/* ---- claim and identify ---- */

static int driver_claim(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk)
{
    if (!disk->source)
        return 0;
    if (strcmp(disk->type, "network") == 0)
        return disk->protocol && strcmp(disk->protocol, "nfs") == 0 ? CLAIM_NETWORK : 0;
    if (strcmp(disk->type, "file") != 0)
        return 0;
    /* On a destination without that mount too, to say so. */
    return identity_is_nfs(disk->at_source) || place_is_on_mount(call, services, disk->source) ? CLAIM_FILE
                                                                                               : 0;
}

static const char *why_no_image(struct ferry_call *call, const struct ferry_services *services,
                                const struct seen *s)
{
    const struct place *p = &s->place;

    if (s->answer != PLACE_KNOWN)
        return services->text(call, "%s", p->why);
    if (!s->has_look)
        return services->text(call, "%s", s->trouble.what);
    if (s->look.found.status == NFS3_OK)
        return services->text(call, "'%s/%s' on NFS server '%s' is no plain file", p->folder, p->name,
                              p->address);
    return services->text(call, "'%s/%s' on NFS server '%s': %s", p->folder, p->name, p->address,
                          server_words(s->look.found.status));
}

/* A name with several addresses: QEMU may take any, so that all must be one server. *ret_first is the one
 * that all hosts find in common. */
static bool addresses_are_one(struct ferry_call *call, const struct ferry_services *services,
                              const struct place *p, const char **ret_first, char *why, size_t size)
{
    *ret_first = p->address;
    for (size_t i = 0; i < p->n_others; i++) {
        if (strcmp(p->others[i], *ret_first) < 0)
            *ret_first = p->others[i];
        switch (proof_of_addresses(call, services, p, p->others[i], why, size)) {
        case IDENTITY_SAME:
            break;
        case IDENTITY_DIFFERENT:
            (void)snprintf(why, size, "the server's name leads to '%s' and to '%s', which are two servers",
                           p->address, p->others[i]);
            return false;
        case IDENTITY_NOT_KNOWN:
            return false;
        }
    }
    return true;
}

/* A file on a mount may be reached through a symlink, or be covered by another mount: then the path's file is
 * another than the one the server has in that place. */
static bool is_what_host_sees(struct ferry_call *call, const struct ferry_services *services,
                              const struct ferry_disk *disk, const struct seen *s, char *why, size_t size)
{
    uint64_t inode;

    if (!s->place.is_mounted)
        return true;
    if (place_inode(call, services, disk->source, &inode)) {
        if (inode == s->look.found.attributes.fileid)
            return true;
        (void)snprintf(why, size, "'%s' on host '%s' is another file than '%.200s/%s' on NFS server '%s'",
                       disk->source, services->host(call), s->place.folder, s->place.name, s->place.address);
        return false;
    }
    /* Through a pool: its folder is the mount itself. */
    if (!s->place.mount.target[0])
        return true;
    (void)snprintf(why, size, "which file '%s' is could not be asked on host '%s'", disk->source,
                   services->host(call));
    return false;
}

/* The text that tells the image, or NULL with the reason. */
static const char *identity_of(struct ferry_call *call, const struct ferry_services *services,
                               const struct ferry_disk *disk, const struct seen *s, char *why, size_t size)
{
    const fattr3 *a = &s->look.found.attributes;
    struct identity here = { .fsid = a->fsid, .fileid = a->fileid };
    struct identity there;
    enum identity_verdict verdict;
    char text[IDENTITY_SIZE];
    const char *first;

    if (!is_what_host_sees(call, services, disk, s, why, size) ||
        !addresses_are_one(call, services, &s->place, &first, why, size))
        return NULL;
    (void)snprintf(here.address, sizeof here.address, "%s", first);
    identity_write(&here, text);
    if (!identity_read(disk->at_source, &there) || strcmp(text, disk->at_source) == 0)
        return services->text(call, "%s", text);
    verdict = identity_compare(&here, &there);
    if (verdict == IDENTITY_NOT_KNOWN && strcmp(here.address, there.address) != 0)
        verdict = proof_of_addresses(call, services, &s->place, there.address, why, size);
    else if (verdict == IDENTITY_NOT_KNOWN)
        (void)snprintf(why, size, "one server has two fsids for this file: '%s' and '%s'", text,
                       disk->at_source);
    if (verdict == IDENTITY_NOT_KNOWN)
        return NULL;
    return services->text(call, "%s", verdict == IDENTITY_SAME ? disk->at_source : text);
}

static int driver_identify(struct ferry_call *call, const struct ferry_services *services,
                           const struct ferry_disk *disk, struct ferry_identity *ret)
{
    const struct seen *s = seen_of(call, services, disk);
    char why[1200] = "";

    if (!s)
        return -1;
    /* What the server does not prove of a file on a mount, virt-ferry's own files in its folder may. */
    if (s->place.is_mounted && s->answer != PLACE_NOT_MOUNTED)
        ret->directory = services->text(call, "%s", s->place.host_folder);
    if (!seen_is_image(s)) {
        ret->evidence = why_no_image(call, services, s);
        return 0;
    }
    server_time(ANSWER_MS);
    ret->identity = identity_of(call, services, disk, s, why, sizeof why);
    if (ret->identity)
        ret->evidence = services->text(
            call, "'%s/%s' on NFS server '%s', asked by NFS version 3: fsid %" PRIx64 ", file %" PRIu64,
            s->place.folder, s->place.name, s->place.address, s->look.found.attributes.fsid,
            s->look.found.attributes.fileid);
    else
        ret->evidence = services->text(call, "%s", why);
    return 0;
}

/* ---- inspect and check ---- */

_Static_assert(LOOK_HEAD_BYTES == QCOW2_LOOK_BYTES, "as much of a head as is looked at");

static void learn_head(struct ferry_call *call, const struct ferry_services *services, const struct seen *s,
                       struct look *look)
{
    struct want want = {
        .address = s->place.address, .user = &s->place.user, .look = look, .wants_head = true
    };
    struct want *const all[] = { &want };
    struct trouble t;

    if (server_learn_all(all, 1, &t) < 0)
        services->log(call, "%s", t.what);
}

/* The virtual size, and what else the image's head has; only where the domain says the format. */
static bool look_into(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk, const struct seen *s, struct ferry_image *ret)
{
    const char *format = disk->format ? disk->format : "";
    struct look more;
    struct qcow2_head head;

    if (strcmp(format, "raw") == 0)
        ret->capacity_bytes = s->look.found.attributes.size;
    if (strcmp(format, "qcow2") != 0)
        return true;
    more = s->look;
    if (!more.has_head)
        learn_head(call, services, s, &more);
    if (!qcow2_read_head(more.head, more.head_n, &head))
        return true;
    ret->capacity_bytes = head.capacity;
    /* Made as long as it can ever get, and not grown since. What the guest discards would leave gaps in it,
     * and QEMU may look for a longer one behind its end. */
    if (head.is_plain && s->look.found.attributes.size == qcow2_reserved_bytes(head.capacity) &&
        !(disk->discard && strcmp(disk->discard, "unmap") == 0))
        ret->keeps_length = 0;
    return tell_head(call, services, &head, ret);
}

static int driver_inspect(struct ferry_call *call, const struct ferry_services *services,
                          const struct ferry_disk *disk, struct ferry_image *ret)
{
    const struct seen *s = seen_of(call, services, disk);

    ret->present = 2;
    ret->keeps_length = strcmp(disk->type, "network") == 0;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (!s)
        return -1;
    if (!s->has_look) {
        /* A mount of version 4 needs no portmapper, which firewalls keep from us. */
        ret->is_silent =
            s->trouble.is_silent && !(s->place.mount.target[0] && place_answers(call, services, &s->place));
        return 0;
    }
    if (s->look.has_room)
        ret->free_bytes = s->look.free_bytes;
    if (s->look.found.status == NFS3ERR_NOENT)
        ret->present = 0;
    if (!seen_is_image(s))
        return 0;
    ret->present = 1;
    ret->allocated_bytes = s->look.found.attributes.used;
    server_time(ANSWER_MS);
    return look_into(call, services, disk, s, ret) ? 0 : -1;
}

static void say_not_mounted(struct ferry_call *call, const struct ferry_services *services,
                            const struct seen *s, const char *at_source)
{
    OWNED_WORDS char *quoted = words_quote(s->place.host_folder);

    services->finding(
        call, 3, "nfs-not-mounted",
        services->text(call,
                       "'%s' on host '%s' is not the NFS mount that it is at the source (%s), but the "
                       "bare folder beneath it",
                       s->place.host_folder, services->host(call), at_source),
        services->text(call, "Mount the same export there first: mount %s.", quoted ? quoted : ""));
}

static int driver_check(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk)
{
    const struct seen *s = seen_of(call, services, disk);

    if (!s)
        return -1;
    check_mount(call, services, disk, &s->place);
    if (s->answer == PLACE_NOT_MOUNTED)
        say_not_mounted(call, services, s, disk->at_source ? disk->at_source : "another one");
    else if (s->answer == PLACE_NOT_KNOWN)
        services->finding(call, 2, "nfs-not-known", s->place.why, s->place.fix);
    else if (!s->has_look)
        services->finding(call, 2, s->trouble.id, s->trouble.what, s->trouble.fix[0] ? s->trouble.fix : NULL);
    else if (!seen_is_checked_at_source(disk, s)) {
        server_time(ANSWER_MS);
        check_image(call, services, disk, &s->place, &s->look);
    }
    return 0;
}

static void driver_look_ahead(struct ferry_call *call, const struct ferry_services *services,
                              const struct ferry_disk *const *disks, uint32_t n)
{
    proof_forget();
    seen_all(call, services, disks, n);
}

/* ---- create and remove ---- */

static int driver_create(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_new_image *image)
{
    seen_forget();
    return image_create(call, services, image);
}

static int driver_remove(struct ferry_call *call, const struct ferry_services *services, const char *what,
                         const char *place, const char *name, const char *identity)
{
    seen_forget();
    if (strcmp(what, "image") != 0 && strcmp(what, "mark") != 0)
        return 1;
    return image_remove(call, services, place, name, identity);
}

static int driver_retire(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_disk *disk, const char *identity)
{
    seen_forget();
    return image_retire(call, services, disk, identity);
}

static const struct ferry_storage nfs = {
    .size = sizeof nfs,
    .name = "nfs",
    .summary = "images on NFS servers, as network disks and on mounts",
    /* No lock: QEMU's NFS driver has none, and a mount's locks may be its own. */
    .declares = FERRY_STORAGE_SHARES | FERRY_STORAGE_READS_ZERO,
    .claim = driver_claim,
    .identify = driver_identify,
    .inspect = driver_inspect,
    .check = driver_check,
    .create = driver_create,
    .remove = driver_remove,
    .retire = driver_retire,
    .look_ahead = driver_look_ahead,
    .open = io_open,
    .extents = io_extents,
    .submit = io_submit,
    .reap = io_reap,
    .changed = io_changed,
    .close = io_close,
};

FERRY_PLUGIN(.name = "nfs", .version = "0.1", .summary = "images on NFS servers, reached by libnfs",
             .storage = (const struct ferry_storage *const[]){ &nfs, NULL })
