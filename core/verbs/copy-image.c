/* SPDX-License-Identifier: Apache-2.0
 * The worker of one copy: finds both places, makes the new image, and runs the engine. It tells how far it is
 * as records of the journal, of which the parent writes down what a later run could go on from. */
#include "verbs/copy-image.h"

#include "base/text.h"
#include "copy/direct.h"
#include "copy/nbd.h"
#include "facts/location.h"
#include "verbs/verbs.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR_BYTES 512u

struct image_copy {
    struct child *child;
    struct arena *arena;
    struct call_host lent;
    struct disk from, to;
    bool reads_format, writes_format; /* what the images mean is copied, by QEMU, and not their bytes */
    char to_text[4200];
};

static const struct {
    const char *word;
    enum copy_verify verify;
} verifies[] = {
    { "sampled", COPY_VERIFY_SAMPLED },
    { "full", COPY_VERIFY_FULL },
    { "none", COPY_VERIFY_NONE },
};

enum copy_verify image_copy_verify(const char *word)
{
    for (size_t i = 0; i < sizeof verifies / sizeof *verifies; i++)
        if (text_equal(verifies[i].word, word))
            return verifies[i].verify;
    return COPY_VERIFY_SAMPLED;
}

/* ---- places ---- */

static int describe_path(struct disk *d, const char *path)
{
    struct stat st;
    const bool is_there = stat(path, &st) == 0;

    d->type = is_there && S_ISBLK(st.st_mode) ? DISK_BLOCK : DISK_FILE;
    d->source = path;
    return is_there ? (S_ISDIR(st.st_mode) ? 1 : 0) : -errno;
}

/* The image's own name, without a suffix where images have none. */
static const char *name_of(struct image_copy *k, bool has_suffix)
{
    const char *whole = k->from.source ? k->from.source : "image";
    const char *slash = strrchr(whole, '/');
    const char *name = slash ? slash + 1 : whole;
    const char *dot = strrchr(name, '.');

    return has_suffix || !dot || dot == name ? name : arena_format(k->arena, "%.*s", (int)(dot - name), name);
}

static const struct ferry_storage *driver_of(struct image_copy *k, const struct disk *d,
                                             const struct plugin_entry **owner, struct error *err)
{
    /* A file of this machine is read and locked as one, whatever lies below its path. */
    const bool is_file = d->type == DISK_FILE;
    const struct ferry_storage *driver =
        is_file ? registry_storage("local-block", owner) : call_claim(&k->lent, d, NULL, owner);

    if (driver)
        return driver;
    error_set(err, ERROR_REFUSED, k->child->host, "no storage driver knows '%s'", ESCAPED(d->source));
    error_fix(err, "See which plugins are loaded: virt-ferry plugin list.");
    return NULL;
}

/* Does an image stand, or could one be made, at d? TRI_NOT_KNOWN: its folder is none. */
static enum tristate presence_of(struct image_copy *k, const struct disk *d, struct error *err)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = driver_of(k, d, &owner, err);
    struct ferry_image seen = { .size = sizeof seen, .present = 2 };
    struct ferry_disk wanted = call_disk(d, NULL);
    struct ferry_call call;

    wanted.flags |= FERRY_DISK_AT_DEST;
    if (!driver || !driver->inspect ||
        call_begin(&call, &k->lent, owner, driver->name, "image", NULL, err) < 0)
        return TRI_NOT_KNOWN;
    if (driver->inspect(&call, &call_services, &wanted, &seen) < 0)
        seen.present = 2;
    call_done(&call);
    return seen.present == 0 ? TRI_NO : seen.present == 1 ? TRI_YES : TRI_NOT_KNOWN;
}

/* A file of a server, as whoever runs this may reach it. */
static int name_nfs(struct image_copy *k, struct disk *d, const struct location *place, struct error *err)
{
    const char **hosts = arena_zeroed(k->arena, 1, sizeof *hosts);
    /* Whom the server takes us for, as whoever runs this. */
    const char *user = arena_format(k->arena, "+%u", (unsigned)geteuid());
    const char *group = arena_format(k->arena, "+%u", (unsigned)getegid());

    if (!hosts || !user || !group)
        return error_memory(err);
    hosts[0] = place->server;
    d->type = DISK_NETWORK;
    d->protocol = "nfs";
    d->server = place->server;
    d->hosts.names = hosts;
    d->hosts.n = 1;
    d->user = user;
    d->group = group;
    d->source = place->name;
    return 0;
}

static int find_nfs(struct image_copy *k, const struct location *place, bool is_folder, struct error *err)
{
    struct disk *d = &k->to;

    if (name_nfs(k, d, place, err) < 0)
        return -err->code;
    d->source = arena_format(k->arena, "%s/%s", place->name, name_of(k, true));
    if (!d->source)
        return error_memory(err);
    if (!is_folder && presence_of(k, d, err) == TRI_NOT_KNOWN)
        d->source = place->name;
    *err = (struct error){ 0 };
    return 0;
}

static int find_path(struct image_copy *k, const char *path, struct error *err)
{
    if (describe_path(&k->to, path) == 1)
        k->to.source = arena_format(k->arena, "%s/%s", path, name_of(k, true));
    return k->to.source ? 0 : error_memory(err);
}

static int find_dest(struct image_copy *k, const char *text, struct error *err)
{
    const char *plain = location_plain(k->arena, text);
    const bool is_folder = text_ends(text, "/");
    struct location place = { 0 }, found;

    if (!plain || location_read(k->arena, plain, &place) < 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is no location", ESCAPED(text));
    switch (place.kind) {
    case LOCATION_NFS:
        if (find_nfs(k, &place, is_folder, err) < 0)
            return -err->code;
        break;
    case LOCATION_RBD:
        k->to.type = DISK_NETWORK;
        k->to.protocol = "rbd";
        k->to.source = strchr(place.name, '/')
                           ? place.name
                           : arena_format(k->arena, "%s/%s", place.name, name_of(k, false));
        break;
    case LOCATION_PATH:
        if (find_path(k, place.name, err) < 0)
            return -err->code;
        break;
    default:
        error_set(err, ERROR_REFUSED, NULL, "an image cannot be copied to '%s'", ESCAPED(text));
        return error_fix(err, "Name a path, nfs://SERVER/EXPORT[/FILE] or rbd:POOL[/IMAGE].");
    }
    found = location_of_disk(&k->to);
    text = location_text(k->arena, &found);
    (void)snprintf(k->to_text, sizeof k->to_text, "%s", text ? text : k->to.source ? k->to.source : "");
    return k->to.source ? 0 : error_memory(err);
}

/* A path of this machine, nfs://SERVER/EXPORT/FILE or rbd:POOL/IMAGE. */
static int find_source(struct image_copy *k, const char *text, struct error *err)
{
    struct location place = { 0 };

    if (text[0] == '/') {
        (void)describe_path(&k->from, text);
        return 0;
    }
    if (location_read(k->arena, text, &place) < 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is no location", ESCAPED(text));
    if (place.kind == LOCATION_NFS)
        return name_nfs(k, &k->from, &place, err);
    if (place.kind != LOCATION_RBD || !strchr(place.name, '/'))
        return error_set(err, ERROR_USAGE, NULL, "'%s' names no image that can be copied", ESCAPED(text));
    k->from.type = DISK_NETWORK;
    k->from.protocol = "rbd";
    k->from.source = place.name;
    return 0;
}

static bool is_on(const struct disk *d, const char *protocol)
{
    return d->type == DISK_NETWORK && text_equal(d->protocol, protocol);
}

/* Bytes are copied as they are, whatever they mean, unless the new image shall have another format. */
static int choose_formats(struct image_copy *k, const json_t *args, struct error *err)
{
    const bool only_raw = is_on(&k->to, "rbd");
    const char *from = json_text(args, "image_format", "raw");
    const char *to = json_text(args, "format", only_raw ? "raw" : from);

    if (text_equal(from, to))
        return 0;
    k->from.format = from;
    k->to.format = to;
    k->reads_format = !text_equal(from, "raw");
    k->writes_format = !text_equal(to, "raw");
    if (k->reads_format && is_on(&k->from, "rbd"))
        return error_set(err, ERROR_REFUSED, NULL,
                         "what an image of format '%s' in a pool of Ceph holds is "
                         "read by nobody here",
                         from);
    if (!k->writes_format || !only_raw)
        return 0;
    error_set(err, ERROR_REFUSED, NULL, "a pool of Ceph has no images of format '%s'", to);
    return error_fix(err, "Take --format raw.");
}

static int begin(struct image_copy *k, struct child *c, const json_t *args, struct error *err)
{
    const char *image = json_text(args, "image", "");

    *k = (struct image_copy){ .child = c, .arena = arena_new(), .lent = verb_call_host(c) };
    if (!k->arena)
        return error_memory(err);
    k->from = (struct disk){ .target = "image", .format = "raw", .device = DEVICE_DISK };
    k->to = k->from;
    if (find_source(k, image, err) < 0)
        return -err->code;
    return find_dest(k, json_text(args, "to", ""), err) < 0 ? -err->code : choose_formats(k, args, err);
}

/* Through QEMU's socket a copy takes half as long again as from the file. */
static void read_past_qemu(struct image_copy *k, struct copy_end *from)
{
    struct disk file = k->from;
    struct ferry_disk seen;
    struct end_place place = { .host = &k->lent, .disk = &seen, .name = file.source };

    if (!text_equal(file.format, "qcow2") || (file.type != DISK_FILE && file.type != DISK_BLOCK))
        return;
    file.format = "raw";
    seen = call_disk(&file, NULL);
    place.driver = registry_storage("local-block", &place.owner);
    if (place.driver)
        direct_open(from, &place);
}

static int open_end(struct image_copy *k, const struct disk *d, const char *name, bool to_write,
                    struct copy_end *ret, struct error *err)
{
    const struct ferry_disk seen = call_disk(d, NULL);
    struct end_place place = { .host = &k->lent, .disk = &seen, .name = name };

    if (d == &k->from ? k->reads_format : k->writes_format)
        place.driver = &nbd_storage;
    else
        place.driver = driver_of(k, d, &place.owner, err);
    if (!place.driver || end_open(ret, &place, to_write, err) < 0)
        return -err->code;
    if (d == &k->from && k->reads_format)
        read_past_qemu(k, ret);
    return 0;
}

/* A device that was named is written over where the user says so; all else must not be there yet. */
static int check_device(const struct image_copy *k, const json_t *args, struct error *err)
{
    if (k->to.type != DISK_BLOCK || json_flag(args, "overwrite", false))
        return 0;
    error_set(err, ERROR_REFUSED, k->child->host,
              "'%s' is a device that is there, and what it holds would be gone", k->to_text);
    return error_fix(err, "If nothing on it is needed, say so: --overwrite image.");
}

static int create(struct image_copy *k, uint64_t bytes, struct error *err)
{
    const struct plugin_entry *owner = NULL;
    const struct ferry_storage *driver = driver_of(k, &k->to, &owner, err);
    struct ferry_disk wanted = call_disk(&k->to, NULL);
    const struct ferry_new_image image = { .size = sizeof image,
                                           .flags = FERRY_NEW_HERE,
                                           .disk = &wanted,
                                           .capacity_bytes = bytes,
                                           .device_bytes = bytes,
                                           .is_onto = k->to.type == DISK_BLOCK };
    struct ferry_call call;
    int r = 0;

    if (!driver)
        return -err->code;
    if (!driver->create)
        return error_set(err, ERROR_REFUSED, k->child->host, "storage driver '%s' makes no images",
                         driver->name);
    if (call_begin(&call, &k->lent, owner, driver->name, "image", NULL, err) < 0)
        return -err->code;
    wanted.capacity_bytes = bytes;
    if (driver->create(&call, &call_services, &image) < 0)
        r = call_failed(&call, "creating the new image");
    call_done(&call);
    return r;
}

/* Images of QEMU's formats are of whole sectors: what is left of the last one will be zero. */
static uint64_t new_length(const struct image_copy *k, uint64_t bytes)
{
    return k->writes_format ? (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES : bytes;
}

/* ---- the copy ---- */

int image_copy_put(json_t *j, const struct copy_progress *p)
{
    return json_put_u64(j, "whole_bytes", p->whole_bytes) < 0 ||
                   json_put_u64(j, "done_bytes", p->done_bytes) < 0 ||
                   json_put_u64(j, "safe_bytes", p->safe_bytes) < 0 ||
                   json_put_u64(j, "read_bytes", p->read_bytes) < 0 ||
                   json_put_u64(j, "written_bytes", p->written_bytes) < 0 ||
                   json_put_u64(j, "zero_bytes", p->zero_bytes) < 0 ||
                   json_put_u64(j, "verified_bytes", p->verified_bytes) < 0 ||
                   json_put_u64(j, "cloned_bytes", p->cloned_bytes) < 0 ||
                   json_put_u64(j, "lost_times", p->lost_times) < 0
               ? -1
               : 0;
}

int image_copy_tell(void *child, const struct copy_progress *p, struct error *err)
{
    json_t *record = json_pack("{ss}", "step", "copied");

    if (!record || image_copy_put(record, p) < 0) {
        json_decref(record);
        return error_memory(err);
    }
    return child_journal(child, record, err);
}

static int copy_opened(struct image_copy *k, const json_t *args, struct copy_end *from,
                       struct copy_progress *ret, struct error *err)
{
    const json_t *resume = json_child(args, "resume");
    struct copy_wants wants = { .verify = image_copy_verify(json_text(args, "verify", "")),
                                .from_bytes = json_u64(resume, "safe_bytes", 0),
                                .was_empty = json_flag(resume, "was_empty", false),
                                .tell = image_copy_tell,
                                .context = k->child };
    struct copy_end to = { 0 };
    uint64_t changed = 0;
    const bool is_known = end_changed(from, &changed);
    json_t *record;
    int r;

    if (resume && !is_known) {
        error_set(err, ERROR_STALE, NULL,
                  "nothing tells whether '%s' was changed since its copy was interrupted", from->name);
        return error_fix(err, "Copy it again: what was copied of it is removed.");
    }
    if (resume && changed != json_u64(resume, "changed", 0))
        return error_set(err, ERROR_STALE, NULL, "'%s' was changed since its copy was interrupted",
                         from->name);
    if (check_device(k, args, err) < 0)
        return -err->code;
    if (!resume && (k->to.type != DISK_BLOCK || k->writes_format) &&
        create(k, new_length(k, from->is.length_bytes), err) < 0)
        return -err->code;
    if (open_end(k, &k->to, k->to_text, true, &to, err) < 0)
        return -err->code;
    record = json_pack("{ss ss sI sb}", "step", "copying", "to", k->to_text, "changed", (json_int_t)changed,
                       "was_empty", wants.was_empty || to.is.reads_zero);
    r = record ? child_journal(k->child, record, err) : error_memory(err);
    if (r == 0)
        r = copy_run(from, &to, &wants, ret, err);
    end_close(&to);
    return r;
}

/* {"image", "image_format", "to", "format", "verify", "overwrite", "resume": {"safe_bytes", "changed",
 * "was_empty"}}: {"to", figures}
 */
static int verb_copy(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct copy_progress figures = { 0 };
    struct copy_end from = { 0 };
    struct image_copy k;
    int r = begin(&k, c, args, err);

    if (r == 0)
        r = open_end(&k, &k.from, k.from.source, false, &from, err);
    if (r == 0)
        r = copy_opened(&k, args, &from, &figures, err);
    end_close(&from);
    if (r == 0 && (json_put_text(reply, "to", k.to_text) < 0 || image_copy_put(reply, &figures) < 0))
        r = error_memory(err);
    arena_free(k.arena);
    return r;
}

/* ---- the disks of a domain that is off ---- */

/* A copy that was made, whose source stays open, and so locked, until the worker ends. */
struct held {
    struct image_copy k;
    struct copy_end from;
    struct facts *facts; /* k.from and k.to are its */
    struct held *next;
};

static void held_free(struct held *h)
{
    if (!h)
        return;
    end_close(&h->from);
    arena_free(h->k.arena);
    facts_free(h->facts);
    free(h);
}
OWNED_DEFINE(held)

static void let_go(struct child *c)
{
    for (struct held *h = c->held, *next; h; h = next) {
        next = h->next;
        held_free(h);
    }
    c->held = NULL;
}

static int begin_disk(struct held *h, const json_t *args, struct error *err)
{
    const struct disk *d = facts_disk(h->facts, json_text(args, "target", ""));
    OWNED_JSON formats = NULL;
    struct location place;
    const char *text;

    h->k.arena = arena_new();
    if (!h->k.arena)
        return error_memory(err);
    if (!d || d->n_relocations == 0)
        return error_set(err, ERROR_INPUT, NULL, "disk '%s' has no place to go to",
                         json_text(args, "target", ""));
    h->k.from = *d;
    h->k.to = d->relocation[0];
    place = location_of_disk(&h->k.to);
    text = location_text(h->k.arena, &place);
    (void)snprintf(h->k.to_text, sizeof h->k.to_text, "%s", text ? text : h->k.to.source);
    formats = json_pack("{ss* ss*}", "image_format", d->format, "format", h->k.to.format);
    h->k.from.format = h->k.to.format = "raw";
    if (!formats)
        return error_memory(err);
    if (choose_formats(&h->k, formats, err) < 0)
        return -err->code;
    /* Texts that live as long as the copy. */
    if (h->k.reads_format || h->k.writes_format) {
        h->k.from.format = d->format;
        h->k.to.format = d->relocation[0].format;
    }
    return 0;
}

/* {"facts", "target", "verify", "overwrite"}: copies the disk's image to its new place, and keeps the old one
 * locked until the worker ends: {figures} */
static int verb_copy_disk(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    struct copy_progress figures = { 0 };
    OWNED(held) h = calloc(1, sizeof *h);

    if (!h)
        return error_memory(err);
    h->k.child = c;
    h->k.lent = verb_call_host(c);
    h->facts = facts_from_json(json_child(args, "facts"), err);
    if (!h->facts || begin_disk(h, args, err) < 0 ||
        open_end(&h->k, &h->k.from, h->k.from.source, false, &h->from, err) < 0 ||
        copy_opened(&h->k, args, &h->from, &figures, err) < 0)
        return -err->code;
    if (image_copy_put(reply, &figures) < 0)
        return error_memory(err);
    h->next = c->held;
    c->held = HAND_OVER(h);
    c->at_end = let_go;
    return 0;
}

const struct verb verbs_copy[] = {
    { "connect", verb_connect },           { "copy", verb_copy }, { "copy-disk", verb_copy_disk },
    { "image-remove", verb_image_remove }, { NULL, NULL },
};
