/* SPDX-License-Identifier: Apache-2.0
 * Locations by their kind. Whether a path is a folder is asked on the host; whether one on an NFS server is,
 * its driver sees: only in a folder can it tell what stands there. */
#include "verbs/locate.h"

#include "base/text.h"
#include "facts/location.h"
#include "verbs/command.h"
#include "verbs/locate-rbd.h"
#include "verbs/verbs.h"
#include "verbs/xml.h"
#include "worker/serve.h"
#include <string.h>

#define LOOK_MS 3000u

struct locating {
    struct child *child;
    struct facts *facts;
    struct disk *disk, *to;
    const char *format; /* as the user wants it, or NULL */
    struct error *err;
};

/* "web-vda.qcow2"; letters that a shell, a URI or Ceph would read otherwise become '_'. */
static const char *image_name(struct locating *l, bool has_suffix)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    const char *format = l->to->format;
    char *name = arena_format(l->facts->arena, "%.120s-%.40s%s%s",
                              l->facts->domain.name ? l->facts->domain.name : "disk", l->disk->target,
                              has_suffix ? "." : "", has_suffix ? (format ? format : "raw") : "");

    for (char *at = name; at && *at; at++)
        if (!strchr(plain, *at) || (at == name && (*at == '-' || *at == '.')))
            *at = '_';
    return name;
}

static void choose_format(struct locating *l)
{
    const char *format = relocation_format(l->disk, l->to, l->format);

    /* Who copies the image of a domain that is off writes no zeroes, and makes qcow2 in few places. */
    if (!l->format && l->facts->domain.run == RUN_SHUTOFF && !facts_is_off_elsewhere(l->facts) &&
        text_equal(format, "qcow2"))
        format = relocation_format(l->disk, l->to, "keep");
    l->to->format = arena_text(l->facts->arena, format);
}

/* ---- paths ---- */

enum path_kind { PATH_NEW, PATH_FOLDER, PATH_DEVICE };

/* Where no command can be run: the pool that has this folder. */
static bool is_folder_of_pool(struct child *c, const char *path)
{
    virStoragePoolPtr *list = NULL;
    int n = virConnectListAllStoragePools(c->libvirt, &list, 0);
    bool found = false;

    for (int i = 0; i < n; i++) {
        OWNED_MEMORY char *text = virStoragePoolGetXMLDesc(list[i], 0);
        OWNED(xml) x = text ? xml_read(text) : NULL;
        OWNED_MEMORY char *target = x ? xml_value(x, "/pool/target/path") : NULL;

        found = found || text_equal(target, path);
        (void)virStoragePoolFree(list[i]);
    }
    free(list);
    return found;
}

static enum path_kind kind_of_path(struct child *c, const char *path)
{
    static const char script[] =
        "IFS= read -r p; if [ -d \"$p\" ]; then echo folder; elif [ -b \"$p\" ]; then echo device; else "
        "echo new; fi";
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };

    text_add(&input, "%s\n", path);
    output = input.failed ? NULL : command_script(c, script, text_of(&input), LOOK_MS, &ignored);
    if (!output)
        return is_folder_of_pool(c, path) ? PATH_FOLDER : text_starts(path, "/dev/") ? PATH_DEVICE : PATH_NEW;
    return text_starts(output, "folder")   ? PATH_FOLDER
           : text_starts(output, "device") ? PATH_DEVICE
                                           : PATH_NEW;
}

static int at_path(struct locating *l, const char *path, bool is_folder)
{
    const enum path_kind kind = is_folder ? PATH_FOLDER : kind_of_path(l->child, path);

    l->to->type = kind == PATH_DEVICE ? DISK_BLOCK : DISK_FILE;
    choose_format(l);
    l->to->source =
        kind == PATH_FOLDER ? arena_format(l->facts->arena, "%s/%s", path, image_name(l, true)) : path;
    return 0;
}

/* ---- servers ---- */

/* What another disk of the domain says of that server counts for this one too. */
static void take_user(struct locating *l)
{
    for (size_t i = 0; i < l->facts->domain.n_disks; i++) {
        const struct disk *d = &l->facts->domain.disks[i];

        if (d->type == DISK_NETWORK && text_equal(d->protocol, "nfs") &&
            text_equal(d->server, l->to->server)) {
            l->to->user = d->user;
            l->to->group = d->group;
        }
    }
}

static int look(struct locating *l)
{
    disk_forget_dest(l->to);
    return survey_relocation(l->child, l->facts, l->to, l->err);
}

static int at_nfs(struct locating *l, const struct location *place, bool is_folder)
{
    struct arena *a = l->facts->arena;
    const size_t n_findings = l->facts->findings.n;

    l->to->type = DISK_NETWORK;
    l->to->protocol = "nfs";
    l->to->server = place->server;
    take_user(l);
    choose_format(l);
    l->to->hosts.names = arena_zeroed(a, 1, sizeof *l->to->hosts.names);
    if (!l->to->hosts.names)
        return error_memory(l->err);
    l->to->hosts.names[0] = place->server;
    l->to->hosts.n = 1;
    l->to->source = arena_format(a, "%s/%s", place->name, image_name(l, true));
    if (look(l) < 0)
        return -l->err->code;
    if (is_folder || l->to->at_dest.present != TRI_NOT_KNOWN)
        return 0;
    /* No folder: then it is the image, and what was found there is not about it. */
    l->facts->findings.n = n_findings;
    l->to->source = place->name;
    return look(l);
}

/* ---- pools ---- */

static int refuse_pool(struct locating *l, const char *name, const char *why)
{
    error_set(l->err, ERROR_REFUSED, l->child->host, "pool '%s' %s", ESCAPED(name), why);
    return error_fix(l->err, "See the pools: virsh -c URI pool-list --all --details.");
}

static int at_pool(struct locating *l, const struct location *place)
{
    OWNED_POOL pool = virStoragePoolLookupByName(l->child->libvirt, place->pool);
    OWNED_MEMORY char *text = pool ? virStoragePoolGetXMLDesc(pool, 0) : NULL;
    OWNED(xml) x = text ? xml_read(text) : NULL;
    OWNED_MEMORY char *type = x ? xml_value(x, "/pool/@type") : NULL;
    OWNED_MEMORY char *target = x ? xml_value(x, "/pool/target/path") : NULL;

    if (!pool || !x)
        return refuse_pool(l, place->pool, "is not there");
    if (virStoragePoolIsActive(pool) != 1)
        return refuse_pool(l, place->pool, "is not active");
    if (text_equal(type, "rbd"))
        return locate_rbd_pool(l->child, l->facts, x, l->to, l->err) < 0 ? -l->err->code : 1;
    if (!target || (!text_equal(type, "dir") && !text_equal(type, "fs") && !text_equal(type, "netfs")))
        return refuse_pool(l, place->pool, "holds no image files and no RBD images");
    l->to->type = DISK_FILE;
    choose_format(l);
    l->to->source = arena_format(l->facts->arena, "%s/%s", target,
                                 place->volume[0] ? place->volume : image_name(l, true));
    return 0;
}

/* "POOL" or "POOL/IMAGE", and POOL/NAMESPACE/IMAGE. */
static int name_rbd(struct locating *l, const char *name)
{
    l->to->source =
        strchr(name, '/') ? name : arena_format(l->facts->arena, "%s/%s", name, image_name(l, false));
    return 0;
}

static int at_place(struct locating *l, const struct location *place, bool is_folder)
{
    struct disk *to = l->to;
    int r;

    switch (place->kind) {
    case LOCATION_NFS:
        return at_nfs(l, place, is_folder);
    case LOCATION_RBD:
        to->type = DISK_NETWORK;
        to->protocol = "rbd";
        choose_format(l);
        if (name_rbd(l, place->name) < 0 || locate_rbd(l->child, l->facts, to, l->err) < 0)
            return -l->err->code;
        return look(l);
    case LOCATION_POOL:
        r = at_pool(l, place);
        if (r > 0) {
            choose_format(l);
            r = name_rbd(l, arena_format(l->facts->arena, "%s%s%s", to->source, place->volume[0] ? "/" : "",
                                         place->volume));
        }
        return r < 0 ? r : look(l);
    case LOCATION_PATH:
        return at_path(l, place->name, is_folder) < 0 ? -l->err->code : look(l);
    case LOCATION_NONE:
        break;
    }
    return error_set(l->err, ERROR_USAGE, NULL, "'%s' is no location", ESCAPED(place->name));
}

int locate(struct child *c, struct facts *f, struct disk *disk, const char *location, const char *format,
           struct error *err)
{
    const char *problem = location_problem(location_plain(f->arena, location)), *plain;
    struct locating l = { .child = c, .facts = f, .disk = disk, .format = format, .err = err };
    struct location place;
    int r;

    if (problem) {
        error_set(err, ERROR_USAGE, NULL, "location '%s' %s", ESCAPED(location), problem);
        return error_fix(err, "Write a path, nfs://SERVER/EXPORT[/FILE], rbd:POOL[/IMAGE] or "
                              "pool:NAME[/VOLUME].");
    }
    plain = location_plain(f->arena, location);
    disk->relocation = l.to = arena_zeroed(f->arena, 1, sizeof *disk->relocation);
    if (!plain || !l.to || location_read(f->arena, plain, &place) < 0)
        return error_memory(err);
    disk->n_relocations = 1;
    disk_init(l.to);
    l.to->target = disk->target;
    l.to->cache = disk->cache;
    l.to->at_source.capacity_bytes = disk->at_source.capacity_bytes;
    r = at_place(&l, &place, text_ends(location, "/"));
    return r == 0 && arena_failed(f->arena) ? error_memory(err) : r;
}
