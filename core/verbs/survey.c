/* SPDX-License-Identifier: Apache-2.0
 * A domain read into facts on its own host, and its disks looked at through the storage drivers on either.
 * Reads only: what a driver must create to look (a transient pool) it journals first. */
#include "verbs/verbs.h"

#include "base/text.h"
#include "facts/domain-xml.h"
#include "facts/fields.h"
#include "verbs/capabilities.h"
#include "verbs/together.h"
#include "worker/serve.h"
#include <string.h>
#include <sys/vfs.h>

virDomainPtr verb_domain(struct child *c, const json_t *args, struct error *err)
{
    const char *uuid = json_text(args, "uuid", NULL), *name = json_text(args, "domain", "");
    virDomainPtr d = NULL;

    if (uuid)
        d = virDomainLookupByUUIDString(c->libvirt, uuid);
    else if (!(d = virDomainLookupByName(c->libvirt, name)) && strlen(name) == 36)
        d = virDomainLookupByUUIDString(c->libvirt, name);
    if (!d) {
        libvirt_error(err, c->host, "no domain '%s'", uuid ? uuid : name);
        if (err->code == ERROR_ABSENT)
            error_fix(err, "See what is there: virsh -c URI list --all.");
    }
    return d;
}

static const char *job_word(int operation)
{
    static const char *const words[] = {
        [VIR_DOMAIN_JOB_OPERATION_START] = "start",
        [VIR_DOMAIN_JOB_OPERATION_SAVE] = "save",
        [VIR_DOMAIN_JOB_OPERATION_RESTORE] = "restore",
        [VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN] = "migration in",
        [VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT] = "migration out",
        [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT] = "snapshot",
        [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT] = "snapshot revert",
        [VIR_DOMAIN_JOB_OPERATION_DUMP] = "dump",
        [VIR_DOMAIN_JOB_OPERATION_BACKUP] = "backup",
    };

    if (operation < 0 || (size_t)operation >= sizeof words / sizeof *words || !words[operation])
        return "a job";
    return words[operation];
}

static void survey_job(virDomainPtr d, struct facts *f)
{
    virTypedParameterPtr params = NULL;
    int n = 0, type = VIR_DOMAIN_JOB_NONE, operation = -1;

    if (virDomainGetJobStats(d, &type, &params, &n, 0) < 0)
        return;
    if (type != VIR_DOMAIN_JOB_NONE) {
        (void)virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION, &operation);
        f->domain.job = job_word(operation);
    }
    virTypedParamsFree(params, n);
    for (size_t i = 0; !f->domain.job && i < f->domain.n_disks; i++) {
        virDomainBlockJobInfo info;

        if (!disk_is_empty(&f->domain.disks[i]) &&
            virDomainGetBlockJobInfo(d, f->domain.disks[i].target, &info, 0) > 0)
            f->domain.job = "block job";
    }
}

static void survey_memory(virDomainPtr d, struct facts *f)
{
    virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
    int n = virDomainMemoryStats(d, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);

    for (int i = 0; i < n; i++)
        if (stats[i].tag == VIR_DOMAIN_MEMORY_STAT_RSS)
            f->domain.memory_rss_bytes = (uint64_t)stats[i].val * 1024u;
}

/* A guest that arrived paused and has not run since did no I/O in this QEMU, neither to disks nor to
 * networks.
 */
static void survey_use(virDomainPtr d, struct facts *f)
{
    for (size_t i = 0; i < f->domain.n_disks && f->domain.ran_here != TRI_YES; i++) {
        virDomainBlockStatsStruct stats;

        if (disk_is_empty(&f->domain.disks[i]) ||
            virDomainBlockStats(d, f->domain.disks[i].target, &stats, sizeof stats) < 0)
            continue;
        f->domain.ran_here = stats.rd_req > 0 || stats.wr_req > 0 ? TRI_YES : TRI_NO;
    }
    for (size_t i = 0; i < f->domain.n_interfaces && f->domain.ran_here != TRI_YES; i++) {
        virDomainInterfaceStatsStruct stats;

        if (f->domain.interfaces[i].mac &&
            virDomainInterfaceStats(d, f->domain.interfaces[i].mac, &stats, sizeof stats) == 0 &&
            stats.tx_packets > 0)
            f->domain.ran_here = TRI_YES;
    }
}

/* For each disk that libvirt is asked for, QEMU tells it of all. */
static bool knows_sizes(const struct facts *f, const struct disk *disk)
{
    const bool is_compared = f->domain.run != RUN_SHUTOFF && open_is_told_by_size(disk);

    return !is_compared && disk->at_source.capacity_bytes != NOT_KNOWN &&
           disk->at_source.allocated_bytes != NOT_KNOWN;
}

static void survey_sizes(virDomainPtr d, struct facts *f)
{
    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *disk = &f->domain.disks[i];
        virDomainBlockInfo info;

        if (disk_is_empty(disk) || knows_sizes(f, disk) ||
            virDomainGetBlockInfo(d, disk->target, &info, 0) < 0)
            continue;
        if (f->domain.run != RUN_SHUTOFF)
            open_sizes(disk, &info);
        /* What the driver saw is the image's own word. */
        if (disk->at_source.capacity_bytes == NOT_KNOWN)
            disk->at_source.capacity_bytes = info.capacity;
        if (disk->at_source.allocated_bytes == NOT_KNOWN)
            disk->at_source.allocated_bytes = info.allocation;
    }
}

/* The names of the file systems that libvirt itself takes for shared; anything else is told as it is. */
static const char *file_system_of(const char *path)
{
    static const struct {
        uint32_t magic;
        const char *name;
    } known[] = {
        { 0x6969, "nfs" },       { 0x01161970, "gfs2" },    { 0x7461636f, "ocfs2" }, { 0x5346414F, "afs" },
        { 0xFF534D42, "cifs" },  { 0xFE534D42, "smb3" },    { 0x00C36400, "ceph" },  { 0x65735546, "fuse" },
        { 0x47504653, "gpfs" },  { 0xEF53, "ext4" },        { 0x58465342, "xfs" },   { 0x9123683E, "btrfs" },
        { 0x01021994, "tmpfs" }, { 0x794c7630, "overlay" },
    };
    struct statfs fs;

    if (statfs(path, &fs) < 0)
        return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((uint32_t)fs.f_type == known[i].magic)
            return known[i].name;
    return "other";
}

static void survey_downtime(virDomainPtr d, struct facts *f)
{
    unsigned long long ms;

    if (virDomainMigrateGetMaxDowntime(d, &ms, 0) == 0)
        f->domain.max_downtime_ms = (uint64_t)ms;
}

static int survey_state(struct child *c, virDomainPtr d, struct facts *f, struct error *err)
{
    int state, reason, persistent, autostart = 0;

    if (virDomainGetState(d, &state, &reason, 0) < 0)
        return libvirt_error(err, c->host, "could not ask for the domain's state");
    f->domain.run = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED ? RUN_RUNNING
                    : state == VIR_DOMAIN_PAUSED                               ? RUN_PAUSED
                                                                               : RUN_SHUTOFF;
    persistent = virDomainIsPersistent(d);
    f->domain.persistent = persistent < 0 ? TRI_NOT_KNOWN : persistent ? TRI_YES : TRI_NO;
    if (persistent == 1 && virDomainGetAutostart(d, &autostart) == 0)
        f->domain.autostart = autostart ? TRI_YES : TRI_NO;
    else if (persistent == 0)
        f->domain.autostart = TRI_NO;
    f->domain.has_managed_save = virDomainHasManagedSaveImage(d, 0) == 1;
    f->domain.has_snapshots = virDomainSnapshotNum(d, 0) > 0;
    f->domain.has_checkpoints = virDomainListAllCheckpoints(d, NULL, 0) > 0;
    return 0;
}

/* ---- disks through the drivers ---- */

/* 1 yes, 2 no, 0 not known. */
static enum tristate tristate_of(uint32_t word)
{
    return word == 1u ? TRI_YES : word == 2u ? TRI_NO : TRI_NOT_KNOWN;
}

static void image_of_driver(struct arena *a, struct disk_image *ret, const struct ferry_image *image)
{
    ret->present = image->present == 1u ? TRI_YES : image->present == 0u ? TRI_NO : TRI_NOT_KNOWN;
    if (image->capacity_bytes != FERRY_NOT_KNOWN)
        ret->capacity_bytes = image->capacity_bytes;
    if (image->allocated_bytes != FERRY_NOT_KNOWN)
        ret->allocated_bytes = image->allocated_bytes;
    ret->free_bytes = image->free_bytes;
    ret->pool = arena_text(a, image->pool);
    ret->keeps_length = image->keeps_length ? TRI_YES : TRI_NOT_KNOWN;
    ret->is_device = tristate_of(image->is_device);
    ret->in_use = tristate_of(image->in_use);
    ret->in_use_by = arena_text(a, image->in_use_by);
    if (image->block_bytes)
        ret->block_bytes = image->block_bytes;
    if (image->device_bytes)
        ret->device_bytes = image->device_bytes;
    if (image->head_read) {
        ret->head_read = TRI_YES;
        ret->n_snapshots = image->n_snapshots;
        ret->base = arena_text(a, image->base);
        ret->base_format = arena_text(a, image->base_format);
        ret->data_file = arena_text(a, image->data_file);
        /* What the file occupies is not what the image does. */
        if (image->data_file)
            ret->allocated_bytes = NOT_KNOWN;
    }
}

/* What QEMU opens for the name that an image gives its backing file; NULL: not a file, or no memory. */
static const char *path_of_base(struct arena *a, const char *above, const char *name)
{
    const char *slash = strrchr(above, '/');

    if (name[0] == '/')
        return name;
    if (!slash || memchr(name, ':', strcspn(name, "/")))
        return NULL;
    return arena_format(a, "%.*s%s", (int)(slash + 1 - above), above, name);
}

static void driver_error(struct facts *f, const struct disk *disk, const struct error *failed)
{
    struct finding *finding = facts_add_finding(f, WARNS, "storage-not-answering", disk->target);

    if (!finding)
        return;
    finding->what = failed->why[0] ? arena_format(f->arena, "%s: %s", failed->what, failed->why)
                                   : arena_text(f->arena, failed->what);
    finding->fix = failed->fix[0] ? arena_text(f->arena, failed->fix) : NULL;
}

/* What is known of the image at the source helps the driver that knows it; to another one, which has the
 * place that a map names, it would be a hint about another place. */
static const char *hint_of_source(const struct call_host *lent, const struct disk *disk,
                                  const struct disk *there)
{
    const struct ferry_storage *driver;

    if (!disk_is_mapped(disk))
        return disk->at_source.identity;
    driver = call_claim(lent, there, NULL, NULL);
    return driver && text_equal(driver->name, disk->driver) ? disk->at_source.identity : NULL;
}

/* An image to be looked at, of a disk or of what it rests on. */
struct look {
    struct disk *disk; /* the layer's own, where it is one */
    bool is_layer;
    bool is_new;      /* nobody has it yet: a disk shall be relocated to it */
    bool is_followed; /* its head says what it rests on: of a domain that is shut off libvirt does not */
    const struct ferry_storage *driver; /* NULL: nobody's */
    const struct plugin_entry *owner;
    struct ferry_disk seen;
};

/* Drivers know files and devices; of a volume the host says which it is. One that is of another kind at the
 * destination is no place for it. */
static void find_volume(struct child *c, struct facts *f, bool is_dest, struct disk *disk, struct disk *named)
{
    if (named->type != DISK_VOLUME || disk_is_empty(named))
        return;
    named->source = NULL;
    if (!volume_resolve(c, f->arena, named))
        return;
    if (!is_dest) {
        disk->source = named->source;
        disk->volume_is_device = named->volume_is_device;
    } else if (named->volume_is_device == disk->volume_is_device) {
        disk->volume_dest_path = named->source;
    } else {
        return;
    }
    disk_stand_for(named);
}

static void claim_image(struct child *c, struct facts *f, bool is_dest, struct look *look)
{
    struct call_host lent = verb_call_host(c);
    /* Any number of domains read a backing file. */
    const bool is_used =
        !look->is_layer && !look->is_new && (f->domain.run == RUN_RUNNING || f->domain.run == RUN_PAUSED);
    struct disk named = is_dest ? disk_there(look->disk) : *look->disk;
    const char *at_source;

    find_volume(c, f, is_dest, look->disk, &named);
    at_source = is_dest ? hint_of_source(&lent, look->disk, &named) : NULL;
    look->driver = call_claim(&lent, &named, at_source, &look->owner);
    look->seen = call_disk(&named, at_source);
    look->seen.flags |= (is_used ? FERRY_DISK_IN_USE : 0) | (is_dest ? FERRY_DISK_AT_DEST : 0);
}

/* Each driver has all that are its own at once, before it is asked for the first. */
static int look_ahead(struct child *c, const struct look *looks, size_t n, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    OWNED_MEMORY const struct ferry_disk **disks =
        calloc(n + 1, sizeof *disks); /* NOLINT(bugprone-sizeof-expression): of pointers */
    struct error ignored = { 0 };
    struct ferry_call call;

    if (!disks)
        return error_memory(err);
    for (size_t i = 0; i < n; i++) {
        const struct ferry_storage *driver = looks[i].driver;
        bool is_first = driver && driver->look_ahead;
        uint32_t n_disks = 0;

        for (size_t k = 0; is_first && k < n; k++) {
            is_first = looks[k].driver != driver || k >= i;
            if (looks[k].driver == driver)
                disks[n_disks++] = &looks[k].seen;
        }
        if (!is_first)
            continue;
        if (call_begin(&call, &lent, looks[i].owner, driver->name, looks[i].disk->target, NULL, &ignored) < 0)
            return error_memory(err);
        driver->look_ahead(&call, &call_services, disks, n_disks);
        call_done(&call);
    }
    return 0;
}

static void take_declared(struct facts *f, struct disk *disk, const struct ferry_storage *driver)
{
    disk->driver = arena_text(f->arena, driver->name);
    disk->driver_shares = driver->declares & FERRY_STORAGE_SHARES;
    disk->driver_creates = driver->create != NULL;
    disk->driver_retires = driver->retire != NULL;
    disk->driver_bases = driver->declares & FERRY_STORAGE_BASES;
    disk->driver_heads = driver->declares & FERRY_STORAGE_HEADS;
    disk->reads_zero = driver->declares & FERRY_STORAGE_READS_ZERO ? TRI_YES : TRI_NOT_KNOWN;
    disk->lock_enforced = driver->declares & FERRY_STORAGE_LOCKS ? TRI_YES : TRI_NOT_KNOWN;
}

static int look_at_image(struct child *c, struct facts *f, const struct look *look, struct disk_image *at,
                         bool *silent, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    const struct ferry_storage *driver = look->driver;
    struct disk *disk = look->disk;
    struct ferry_identity identity = { .size = sizeof identity };
    struct ferry_image image = { .size = sizeof image,
                                 .present = 2,
                                 .capacity_bytes = FERRY_NOT_KNOWN,
                                 .allocated_bytes = FERRY_NOT_KNOWN,
                                 .free_bytes = FERRY_NOT_KNOWN };
    struct error failed = { 0 };
    struct ferry_call call;

    if (!driver)
        return 0;
    take_declared(f, disk, driver);
    if (call_begin(&call, &lent, look->owner, driver->name, disk->target, f, &failed) < 0)
        return error_memory(err);
    if ((driver->identify && driver->identify(&call, &call_services, &look->seen, &identity) < 0) ||
        (driver->inspect && driver->inspect(&call, &call_services, &look->seen, &image) < 0) ||
        (driver->check && !look->is_layer && !look->is_new &&
         driver->check(&call, &call_services, &look->seen) < 0)) {
        (void)call_failed(&call, "looking at the disk");
        driver_error(f, disk, &failed);
    }
    at->identity = arena_text(f->arena, identity.identity);
    at->directory = arena_text(f->arena, identity.directory);
    at->evidence = arena_text(f->arena, identity.evidence);
    at->identity_read = identity.was_read ? TRI_YES : TRI_NOT_KNOWN;
    image_of_driver(f->arena, at, &image);
    *silent |= image.is_silent != 0;
    call_done(&call);
    return arena_failed(f->arena) ? error_memory(err) : 0;
}

static int look_at_all(struct child *c, struct facts *f, struct look *looks, size_t n, bool is_dest,
                       bool *silent, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        claim_image(c, f, is_dest, &looks[i]);
    if (look_ahead(c, looks, n, err) < 0)
        return -err->code;
    for (size_t i = 0; i < n; i++) {
        struct disk *disk = looks[i].disk;

        if (look_at_image(c, f, &looks[i], is_dest ? &disk->at_dest : &disk->at_source, silent, err) < 0)
            return -err->code;
    }
    return 0;
}

int survey_relocation(struct child *c, struct facts *f, struct disk *to, struct error *err)
{
    struct look look = { .disk = to, .is_new = true };
    bool silent = false;

    if (look_at_all(c, f, &look, 1, true, &silent, err) < 0)
        return -err->code;
    if (verb_is_local(c) && to->type == DISK_FILE && to->at_dest.directory)
        to->file_system = file_system_of(to->at_dest.directory);
    return 0;
}

static size_t list_images(struct facts *f, bool is_dest, struct look *looks)
{
    size_t n = 0;

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        struct disk *disk = &f->domain.disks[i];

        if (!disk_is_empty(disk))
            looks[n++] = (struct look){ .disk = disk,
                                        .is_followed =
                                            !is_dest && f->domain.run == RUN_SHUTOFF && disk->n_chain == 0 };
        for (size_t l = 0; l < disk->n_chain; l++) {
            disk->chain[l].target = disk->target;
            if (!disk_is_empty(&disk->chain[l]))
                looks[n++] = (struct look){ .disk = &disk->chain[l], .is_layer = true };
        }
    }
    return n;
}

/* What the head of an image says that it rests on becomes the next layer of its disk. NULL: nothing, or no
 * memory. */
static struct disk *grow_chain(struct facts *f, const struct disk *above)
{
    struct disk *disk = facts_disk(f, above->target);
    const char *path;
    struct disk *grown, *layer;

    if (!disk || !above->at_source.base || !(disk_is_file(above) || disk_is_device(above)) ||
        disk->n_chain >= FACTS_MAX_LAYERS)
        return NULL;
    path = path_of_base(f->arena, above->source, above->at_source.base);
    grown = path ? arena_grown(f->arena, disk->chain, disk->n_chain, sizeof *grown) : NULL;
    if (!grown)
        return NULL;
    layer = &grown[disk->n_chain++];
    disk_init(layer);
    layer->type = text_starts(path, "/dev/") ? DISK_BLOCK : DISK_FILE;
    layer->source = path;
    layer->format = above->at_source.base_format;
    layer->readonly = true;
    layer->target = disk->target;
    disk->chain = grown;
    return layer;
}

/* The layers below those in looks, which they replace. */
static size_t follow_heads(struct facts *f, struct look *looks, size_t n)
{
    size_t n_below = 0;

    for (size_t i = 0; i < n; i++) {
        struct disk *layer = looks[i].is_followed ? grow_chain(f, looks[i].disk) : NULL;

        if (layer)
            looks[n_below++] = (struct look){ .disk = layer, .is_layer = true, .is_followed = true };
    }
    return n_below;
}

/* *ret_silent: a storage does not answer. */
static int look_at_images(struct child *c, struct facts *f, bool is_dest, bool *ret_silent, struct error *err)
{
    OWNED_MEMORY struct look *looks = NULL;
    size_t n = f->domain.n_disks;

    *ret_silent = false;
    for (size_t i = 0; i < f->domain.n_disks; i++)
        n += f->domain.disks[i].n_chain;
    looks = calloc(n + 1, sizeof *looks);
    if (!looks)
        return error_memory(err);
    for (n = list_images(f, is_dest, looks); n > 0; n = follow_heads(f, looks, n))
        if (look_at_all(c, f, looks, n, is_dest, ret_silent, err) < 0)
            return -err->code;
    return arena_failed(f->arena) ? error_memory(err) : 0;
}

/* What libvirt asks QEMU for. */
static void survey_qemu(virDomainPtr d, struct facts *f)
{
    survey_downtime(d, f);
    if (f->domain.run != RUN_SHUTOFF) {
        survey_job(d, f);
        survey_memory(d, f);
    }
    if (f->domain.run == RUN_PAUSED)
        survey_use(d, f);
    survey_sizes(d, f);
}

struct live {
    struct child *c;
    virDomainPtr d;
    struct facts *f;
};

/* A program on the host, and QEMU's own words. They write other members, and only the first takes from the
 * arena. */
static void ask_live(void *context, size_t i)
{
    struct live *live = context;

    if (i == 0 && live->f->domain.run != RUN_SHUTOFF)
        open_compare(live->c, live->f);
    else if (i == 1)
        survey_qemu(live->d, live->f);
}

/* {"domain"}: "facts" with the domain in them, each disk looked at from here */
int verb_survey_domain(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED_DOMAIN d = verb_domain(c, args, err);
    OWNED_MEMORY char *xml = d ? virDomainGetXMLDesc(d, 0) : NULL;
    OWNED(facts) f = facts_new();
    bool is_silent;

    if (!d)
        return -err->code;
    if (!f)
        return error_memory(err);
    if (!xml)
        return libvirt_error(err, c->host, "could not read the domain's XML");
    if (domain_xml_read(f, xml, err) < 0 || survey_state(c, d, f, err) < 0 ||
        look_at_images(c, f, false, &is_silent, err) < 0)
        return -err->code;
    if (!is_silent)
        together(2, ask_live, &(struct live){ c, d, f });
    capabilities_at_source(c, f);
    capabilities_for_interfaces(c, f, false);
    if (verb_is_local(c))
        for (size_t i = 0; i < f->domain.n_disks; i++)
            if (disk_is_file(&f->domain.disks[i]) && f->domain.disks[i].source)
                f->domain.disks[i].file_system = file_system_of(f->domain.disks[i].source);
    if (arena_failed(f->arena))
        return error_memory(err);
    return json_put(reply, "facts", facts_to_json(f));
}

struct disk_look {
    struct child *c;
    struct facts *f;
    struct error *err;
    int r;
};

static void look_from_dest(void *context)
{
    struct disk_look *look = context;
    bool is_silent;

    look->r = look_at_images(look->c, look->f, true, &is_silent, look->err);
}

/* {"facts"}: the same facts, each disk looked at from here, the destination, and whether it can run the
 * domain, in "dest"; and whether a domain of that name or uuid is here already, in "has_same_name" */
int verb_survey_disks(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    struct disk_look look = { .c = c, .f = f, .err = err };
    bool has_same_name;

    if (!f)
        return -err->code;
    has_same_name = capabilities_for_domain(c, f, look_from_dest, &look);
    if (look.r < 0)
        return look.r;
    if (arena_failed(f->arena))
        return error_memory(err);
    if (json_put_flag(reply, "has_same_name", has_same_name) < 0)
        return error_memory(err);
    return json_put(reply, "facts", facts_to_json(f));
}
