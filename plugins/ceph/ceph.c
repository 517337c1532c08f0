/* SPDX-License-Identifier: Apache-2.0
 * Storage driver "ceph": images of RBD that a domain reaches by itself, as network disks.
 * The cluster is asked from the machine on which virt-ferry runs. Read it from the bottom. */
#include "ahead.h"
#include "check.h"
#include "image.h"
#include "io.h"
#include "judge.h"
#include "make.h"
#include "words.h"
#include <errno.h>
#include <inttypes.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONF "/etc/ceph/ceph.conf"

/* The image of the disk that is being looked at, from one question of the three to the next. */
static struct {
    struct image image;
    char source[WORDS_NAME * 3];
    bool is_there;
} seen;

static int ceph_claim(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk)
{
    (void)call;
    (void)services;
    return strcmp(disk->type, "network") == 0 && disk->protocol && strcmp(disk->protocol, "rbd") == 0 ? 90
                                                                                                      : 0;
}

/* ---- from the disk to a place ---- */

static bool worker_is_on_host(struct ferry_call *call, const struct ferry_services *services)
{
    virConnectPtr connection = services->libvirt(call);
    char *uri = connection ? virConnectGetURI(connection) : NULL;
    const bool is_local = words_uri_is_local(uri);

    free(uri);
    return is_local;
}

/* Without memory for its words it is a gap all the same. */
static const char *gap_text(const char *text)
{
    return text ? text : "which cluster it is in is not known";
}

/* Which cluster the host means must be known from the XML alone, or be read on that host: what leads this
 * machine to one cluster may lead the host to another. NULL when it is. */
static const char *place_gap(struct ferry_call *call, const struct ferry_services *services,
                             const struct ferry_disk *disk)
{
    const char *host = services->host(call);
    const bool is_other_conf = disk->config_file && strcmp(disk->config_file, DEFAULT_CONF) != 0;

    if (disk->n_hosts == 0 && is_other_conf)
        return gap_text(
            services->text(call,
                           "the XML names no monitors but '%s', and which cluster that is on host '%s' is "
                           "not known",
                           disk->config_file, host));
    if (disk->n_hosts == 0 && !worker_is_on_host(call, services))
        return gap_text(services->text(call,
                                       "the XML names no monitors, and to which cluster " DEFAULT_CONF
                                       " leads on host '%s' is not known",
                                       host));
    if (words_hosts_are_loopback(disk->hosts, disk->n_hosts) && !worker_is_on_host(call, services))
        return gap_text(
            services->text(call, "a monitor is host '%s' itself, which is another one on each host", host));
    return NULL;
}

static void copy_word(char *ret, size_t size, const char *word)
{
    (void)snprintf(ret, size, "%s", word ? word : "");
}

/* NULL, or why the XML cannot mean an image. */
static const char *cut_disk(const struct ferry_disk *disk, struct words_place *place, struct words_name *name)
{
    const char *problem = words_cut_name(disk->source, name);

    memset(place, 0, sizeof *place);
    if (!problem)
        problem = words_join_hosts(disk->hosts, disk->n_hosts, place->hosts);
    if (problem)
        return problem;
    copy_word(place->user, sizeof place->user, disk->auth_user);
    copy_word(place->secret_uuid, sizeof place->secret_uuid, disk->secret_uuid);
    if (!disk->secret_uuid)
        copy_word(place->secret_usage, sizeof place->secret_usage, disk->secret_usage);
    memcpy(place->pool, name->pool, sizeof place->pool);
    memcpy(place->space, name->space, sizeof place->space);
    return NULL;
}

/* -1 with the error set. */
static int read_disk(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_disk *disk, struct words_place *place, struct words_name *name)
{
    const char *problem = cut_disk(disk, place, name);

    if (!problem)
        return 0;
    services->error(call, "Name the image as 'pool/image' in the domain's XML, and its monitors by <host>.",
                    "image '%s': %s", disk->source ? disk->source : "", problem);
    return -1;
}

static void forget(void)
{
    if (seen.is_there)
        image_done(&seen.image);
    seen.is_there = false;
}

/* 1: it is being looked at; 0: which cluster it is in is not known, *ret_gap says why; -1. */
static int look(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
                bool is_new, const char **ret_gap)
{
    struct words_place place;
    struct words_name name;

    *ret_gap = NULL;
    if (read_disk(call, services, disk, &place, &name) < 0)
        return -1;
    *ret_gap = place_gap(call, services, disk);
    if (*ret_gap)
        return 0;
    if (!is_new && seen.is_there && strcmp(seen.source, disk->source) == 0)
        return 1;
    forget();
    if (!ahead_take(disk, &place, &seen.image) &&
        image_find(call, services, &place, &name, disk->snapshot, &seen.image) < 0)
        return -1;
    copy_word(seen.source, sizeof seen.source, disk->source);
    seen.is_there = true;
    return 1;
}

/* ---- the questions ---- */

/* At the destination an image's id is all that is asked for. */
static void ceph_look_ahead(struct ferry_call *call, const struct ferry_services *services,
                            const struct ferry_disk *const *disks, uint32_t n)
{
    struct ahead_wish *wishes = calloc(AHEAD_MOST, sizeof *wishes);
    size_t n_wishes = 0;

    forget();
    ahead_forget();
    for (uint32_t i = 0; wishes && i < n && n_wishes < AHEAD_MOST; i++) {
        struct ahead_wish *w = &wishes[n_wishes];

        if (cut_disk(disks[i], &w->place, &w->name) || place_gap(call, services, disks[i]))
            continue;
        w->source = disks[i]->source;
        w->snapshot = disks[i]->snapshot;
        w->is_opened = !(disks[i]->flags & FERRY_DISK_AT_DEST);
        n_wishes++;
    }
    if (wishes)
        ahead_look(call, services, wishes, n_wishes);
    free(wishes);
}

static int ceph_identify(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_disk *disk, struct ferry_identity *ret)
{
    const struct image *i = &seen.image;
    char identity[WORDS_IDENTITY];
    int looked = look(call, services, disk, true, &ret->evidence);

    if (looked <= 0)
        return looked;
    ret->evidence = check_gap(call, services, i);
    if (!image_identity(i, identity))
        return 0;
    ret->identity = services->text(call, "%s", identity);
    ret->evidence =
        services->text(call, "image '%s' has id %s in pool %" PRId64 " of cluster %s, as '%s' sees it",
                       disk->source, i->id, i->pool_id, i->cluster->fsid, i->cluster->user);
    return ret->identity && ret->evidence ? 0 : -1;
}

/* librbd opens an image with ten requests; one that stands there has been opened for the source. */
static void look_inside(struct image *i, struct ferry_image *ret, int64_t *ret_data_pool)
{
    if (image_open(i) < 0)
        return;
    *ret_data_pool = i->cluster->library->rbd_get_data_pool_id(i->handle);
    if (i->cluster->library->rbd_get_size(i->handle, &ret->capacity_bytes) < 0)
        ret->capacity_bytes = FERRY_NOT_KNOWN;
    ret->allocated_bytes = image_allocated(i);
}

static int ceph_inspect(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_disk *disk, struct ferry_image *ret)
{
    struct image *i = &seen.image;
    const struct cluster_answer *room = NULL;
    const char *gap;
    int64_t data_pool = -1;
    int looked = look(call, services, disk, false, &gap);

    ret->present = 2;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (looked <= 0)
        return looked;
    if (i->id[0] || i->is_old)
        ret->present = 1;
    else if (i->cluster->state == CLUSTER_OPEN && (i->pool_code == -ENOENT || i->id_code == -ENOENT))
        ret->present = 0;
    if (ret->present == 1 && disk->flags & FERRY_DISK_AT_DEST)
        return 0;
    look_inside(i, ret, &data_pool);
    if (i->io)
        room = cluster_ask(i->cluster, CLUSTER_ROOM);
    if (room)
        ret->free_bytes = judge_pool_free(room->json, room->n, data_pool >= 0 ? data_pool : i->pool_id);
    return 0;
}

static int ceph_check(struct ferry_call *call, const struct ferry_services *services,
                      const struct ferry_disk *disk)
{
    const char *gap;
    int looked = look(call, services, disk, false, &gap);

    if (looked > 0)
        check_image(call, services, disk, &seen.image);
    else if (looked == 0 && gap && !(disk->flags & FERRY_DISK_AT_DEST))
        services->finding(call, 2, "ceph-cluster-not-known", gap,
                          "Name the monitors in the disk's <source>, by <host>, and start the domain anew.");
    forget();
    return looked < 0 ? -1 : 0;
}

static int ceph_create(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_new_image *image)
{
    const struct ferry_disk *disk = image->disk;
    struct words_place place;
    struct words_name name;
    const char *gap;

    if (!disk->format || strcmp(disk->format, "raw") != 0) {
        services->error(call, "Convert the image to raw first: RBD has snapshots and clones of its own.",
                        "a new image of format '%s' cannot be created in Ceph, only raw",
                        disk->format ? disk->format : "");
        return -1;
    }
    if (image->capacity_bytes == FERRY_NOT_KNOWN || image->capacity_bytes == 0) {
        services->error(call, "See that the image at the source has a size that can be read.",
                        "the size of the new image '%s' is not known", disk->source ? disk->source : "");
        return -1;
    }
    if (read_disk(call, services, disk, &place, &name) < 0)
        return -1;
    gap = place_gap(call, services, disk);
    if (gap) {
        services->error(call, "Name the monitors in the disk's <source>, by <host>.", "%s", gap);
        return -1;
    }
    return make_image(call, services, &place, &name, image->capacity_bytes);
}

static int ceph_remove(struct ferry_call *call, const struct ferry_services *services, const char *what,
                       const char *place, const char *name, const char *identity)
{
    forget();
    ahead_forget();
    return strcmp(what, "image") == 0 ? make_gone(call, services, place, name, identity) : 1;
}

static int ceph_retire(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_disk *disk, const char *identity)
{
    struct words_place place;
    struct words_name name;

    forget();
    ahead_forget();
    if (read_disk(call, services, disk, &place, &name) < 0)
        return -1;
    return place_gap(call, services, disk) ? 1 : make_retire(call, services, &place, &name, identity);
}

static int ceph_open(struct ferry_call *call, const struct ferry_services *services,
                     const struct ferry_opening *how, struct ferry_opened *ret)
{
    struct words_place place;
    struct words_name name;
    struct image image;
    const char *gap;

    if (read_disk(call, services, how->disk, &place, &name) < 0)
        return -1;
    gap = place_gap(call, services, how->disk);
    if (gap) {
        services->error(call, "Name the monitors in the disk's <source>, by <host>.", "%s", gap);
        return -1;
    }
    if (image_find(call, services, &place, &name, how->disk->snapshot, &image) < 0)
        return -1;
    return io_open_found(call, services, &image, how->flags & FERRY_OPEN_WRITE, ret);
}

static const struct ferry_storage ceph = {
    .size = sizeof ceph,
    .name = "ceph",
    .summary = "images of Ceph RBD that a domain reaches over the network",
    /* No FERRY_STORAGE_LOCKS: RBD's exclusive lock passes to whoever asks for it. No FERRY_STORAGE_UNSAFE_OK:
     * libvirt takes network disks as they are, there is nothing to lift. */
    .declares = FERRY_STORAGE_SHARES | FERRY_STORAGE_READS_ZERO,
    .claim = ceph_claim,
    .identify = ceph_identify,
    .inspect = ceph_inspect,
    .check = ceph_check,
    .look_ahead = ceph_look_ahead,
    .create = ceph_create,
    .remove = ceph_remove,
    .retire = ceph_retire,
    .open = ceph_open,
    .extents = io_extents,
    .submit = io_submit,
    .reap = io_reap,
    .changed = io_changed,
    .close = io_close,
};

FERRY_PLUGIN(.name = "ceph", .version = "0.1", .summary = "Ceph block devices (RBD)",
             .storage = (const struct ferry_storage *const[]){ &ceph, NULL })
