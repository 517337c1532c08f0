/* SPDX-License-Identifier: Apache-2.0
 * Makes the facts, and keeps one promise for them: what was not measured reads NOT_KNOWN, never 0.
 * Owns nothing but the arena; see facts/model.h. */
#include "facts/model.h"
#include "base/text.h"
#include <string.h>

static void forget_host(struct host *h)
{
    h->libvirt_version = h->qemu_version = NOT_KNOWN;
    h->memory_free_bytes = h->memory_bytes = NOT_KNOWN;
    h->cpus = h->link_bytes_per_s = h->cgroup_version = h->clock_apart_ms = NOT_KNOWN;
    h->cpus_idle_milli = NOT_KNOWN;
}

static void forget_image(struct disk_image *i)
{
    i->capacity_bytes = i->allocated_bytes = i->free_bytes = i->block_bytes = i->n_snapshots = NOT_KNOWN;
    i->open_least_bytes = i->open_most_bytes = i->device_bytes = NOT_KNOWN;
}

void constants_init(struct constants *c)
{
    c->bytes_per_s = c->setup_ms = c->finish_ms = c->downtime_ms = c->samples = NOT_KNOWN;
    c->bytes_per_s_spread = c->setup_ms_spread = c->finish_ms_spread = c->downtime_ms_spread = NOT_KNOWN;
    c->guest_bytes = c->guest_bytes_spread = NOT_KNOWN;
}

struct facts *facts_new(void)
{
    OWNED(arena) a = arena_new();
    struct facts *f = a ? arena_zeroed(a, 1, sizeof *f) : NULL;

    if (!f)
        return NULL;
    f->domain.memory_bytes = f->domain.memory_now_bytes = f->domain.memory_rss_bytes = NOT_KNOWN;
    f->domain.vcpus = f->domain.max_downtime_ms = f->domain.hugepage_bytes = NOT_KNOWN;
    forget_host(&f->source);
    forget_host(&f->dest);
    constants_init(&f->history);
    f->arena = HAND_OVER(a);
    return f;
}

void facts_free(struct facts *f)
{
    /* The facts themselves lie on the arena too. */
    if (f)
        arena_free(f->arena);
}

const char *channel_parameter(const struct channel *ch, const char *name)
{
    for (size_t i = 0; i < ch->n_parameters; i++)
        if (text_equal(ch->parameters[i].name, name))
            return ch->parameters[i].value;
    return NULL;
}

const char *channel_data_address(const struct channel *ch)
{
    return ch->data_address ? ch->data_address : ch->peer_address;
}

bool channel_trusts_data(const struct channel *ch)
{
    return ch->data_address ? ch->is_data_trusted : ch->is_trusted;
}

bool channel_has_tls(const struct channel *ch)
{
    for (size_t i = 0; i < ch->n_parameters; i++)
        if (text_equal(ch->parameters[i].name, "flag") && text_equal(ch->parameters[i].value, "tls"))
            return true;
    return false;
}

unsigned channel_forwards(const struct channel *ch, unsigned connections)
{
    if (!text_starts(ch->data_uri, "unix:"))
        return 0;
    if (ch->forwards == NOT_KNOWN || ch->forwards < 2 || connections < 2)
        return 1;
    return ch->forwards < connections ? (unsigned)ch->forwards : connections;
}

struct disk *facts_add_disk(struct facts *f)
{
    struct domain *dom = &f->domain;
    struct disk *grown = arena_grown(f->arena, dom->disks, dom->n_disks, sizeof *grown);

    if (!grown)
        return NULL;
    dom->disks = grown;
    disk_init(&grown[dom->n_disks]);
    return &grown[dom->n_disks++];
}

struct channel *facts_add_channel(struct facts *f)
{
    struct channel *grown = arena_grown(f->arena, f->channels, f->n_channels, sizeof *grown);

    if (!grown)
        return NULL;
    f->channels = grown;
    grown[f->n_channels].bytes_per_s = grown[f->n_channels].latency_us = NOT_KNOWN;
    grown[f->n_channels].data_port = grown[f->n_channels].measured_bytes_per_s = NOT_KNOWN;
    grown[f->n_channels].forwards = NOT_KNOWN;
    constants_init(&grown[f->n_channels].history);
    return &grown[f->n_channels++];
}

struct interface *facts_add_interface(struct facts *f)
{
    struct domain *dom = &f->domain;
    struct interface *grown = arena_grown(f->arena, dom->interfaces, dom->n_interfaces, sizeof *grown);

    if (!grown)
        return NULL;
    dom->interfaces = grown;
    grown[dom->n_interfaces].mtu = grown[dom->n_interfaces].dest_mtu = NOT_KNOWN;
    return &grown[dom->n_interfaces++];
}

struct finding *facts_add_finding(struct facts *f, enum severity severity, const char *id, const char *where)
{
    struct findings *all = &f->findings;
    struct finding *grown = arena_grown(f->arena, all->list, all->n, sizeof *grown);
    struct finding added = { .id = arena_text(f->arena, id),
                             .severity = severity,
                             .where = arena_text(f->arena, where) };

    if (!grown || !added.id || (where && !added.where))
        return NULL;
    all->list = grown;
    grown[all->n] = added;
    return &grown[all->n++];
}

struct disk *facts_disk(struct facts *f, const char *target)
{
    for (size_t i = 0; target && i < f->domain.n_disks; i++)
        if (text_equal(f->domain.disks[i].target, target))
            return &f->domain.disks[i];
    return NULL;
}

bool uri_is_here(const char *uri)
{
    const char *slashes = uri ? strstr(uri, "://") : NULL;

    return slashes && slashes[3] == '/' && !strstr(uri, "+ext:") && !strchr(uri, '?');
}

bool facts_is_here(const struct host *h)
{
    return uri_is_here(h->uri);
}

bool facts_is_off_elsewhere(const struct facts *f)
{
    return f->domain.run == RUN_SHUTOFF && f->source.uri && !facts_is_here(&f->source);
}

bool facts_may_overwrite(const struct facts *f, const struct disk *d)
{
    for (size_t i = 0; i < f->overwrite.n; i++)
        if (text_equal(f->overwrite.names[i], d->target))
            return true;
    return false;
}

bool disk_is_device(const struct disk *d)
{
    return (d->type == DISK_BLOCK || (d->type == DISK_VOLUME && d->volume_is_device == TRI_YES)) &&
           !disk_is_empty(d);
}

enum tristate pool_keeps_devices(const char *type)
{
    static const char *const files[] = { "dir", "fs", "netfs" };
    static const char *const devices[] = { "logical", "disk", "scsi", "mpath" };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (text_equal(type, files[i]))
            return TRI_NO;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (text_equal(type, devices[i]))
            return TRI_YES;
    return TRI_NOT_KNOWN;
}

bool disk_is_file(const struct disk *d)
{
    return (d->type == DISK_FILE || (d->type == DISK_VOLUME && d->volume_is_device == TRI_NO)) &&
           !disk_is_empty(d);
}

void disk_stand_for(struct disk *d)
{
    if (d->type == DISK_VOLUME && d->source && d->volume_is_device != TRI_NOT_KNOWN)
        d->type = d->volume_is_device == TRI_YES ? DISK_BLOCK : DISK_FILE;
}

bool disk_is_in_device(const struct disk *d)
{
    return disk_is_device(d) && text_equal(d->format, "qcow2");
}

/* The tables of an image with clusters of 64 KiB take 1/6554 of it, and some clusters. */
#define QCOW2_TABLES_PART 4096u
#define QCOW2_TABLES_LEAST (1u << 20)

uint64_t disk_device_need(const struct disk *d)
{
    const uint64_t capacity = d->at_source.capacity_bytes, has = d->at_source.device_bytes;
    uint64_t full;

    if (capacity == NOT_KNOWN ||
        __builtin_add_overflow(capacity, capacity / QCOW2_TABLES_PART + QCOW2_TABLES_LEAST, &full))
        return NOT_KNOWN;
    /* What it rests on comes into the copy, and was not on that device. */
    return d->n_chain == 0 && has < full ? has : full;
}

const char *interface_dest_source(const struct interface *i)
{
    return i->dest_source ? i->dest_source : i->source;
}

void disk_init(struct disk *d)
{
    *d = (struct disk){ 0 };
    forget_image(&d->at_source);
    forget_image(&d->at_dest);
}

const struct disk *disk_loose_base(const struct disk *d)
{
    for (size_t i = 0; i < d->n_chain; i++)
        if (d->chain[i].sharing != SHARING_PROVED)
            return &d->chain[i];
    return NULL;
}

uint64_t disk_occupied_bytes(const struct disk *d)
{
    const uint64_t capacity = d->at_source.capacity_bytes;
    uint64_t sum = d->at_source.allocated_bytes;

    /* NOT_KNOWN is the largest figure, so that one which is not known makes the sum so. */
    for (size_t i = 0; i < d->n_chain; i++)
        if (__builtin_add_overflow(sum, d->chain[i].at_source.allocated_bytes, &sum))
            sum = NOT_KNOWN;
    return d->n_chain && sum > capacity ? capacity : sum;
}

const char *disk_dest_source(const struct disk *d)
{
    if (d->dest_source)
        return d->dest_source;
    return d->type == DISK_VOLUME && d->volume_dest_path ? d->volume_dest_path : d->source;
}

bool disk_is_mapped(const struct disk *d)
{
    return d->dest_source || d->dest_server || d->dest_pool || d->dest_volume;
}

struct disk disk_there(const struct disk *d)
{
    struct disk there = *d;

    there.source = disk_dest_source(d);
    if (d->dest_server) {
        there.server = d->dest_server;
        /* Of the kinds that maps know, one that names its server has one. */
        there.hosts = (struct finding_refs){ .names = (const char **)&d->dest_server, .n = 1 };
    }
    there.pool = d->dest_pool ? d->dest_pool : d->pool;
    there.volume = d->dest_volume ? d->dest_volume : d->volume;
    return there;
}

void disk_forget_dest(struct disk *d)
{
    d->at_dest = (struct disk_image){ 0 };
    forget_image(&d->at_dest);
    d->sharing = SHARING_NOT_PROVED;
    d->sharing_evidence = NULL;
    d->volume_dest_path = NULL;
}

const struct disk *disk_relocation(const struct disk *d)
{
    return d->n_relocations > 0 ? &d->relocation[0] : NULL;
}

bool disk_writes_zeroes(const struct disk *d)
{
    return d->type == DISK_NETWORK && text_equal(d->protocol, "nfs") && text_equal(d->format, "raw");
}

const char *relocation_format(const struct disk *d, const struct disk *to, const char *wanted)
{
    const bool is_raw_only =
        to->type == DISK_BLOCK || (to->type == DISK_NETWORK && text_equal(to->protocol, "rbd"));
    struct disk kept = *to;

    if (wanted && !text_equal(wanted, "keep"))
        return wanted;
    if (is_raw_only && !wanted)
        return "raw";
    kept.format = d->format;
    if (!wanted && (disk_writes_zeroes(&kept) || !text_equal(d->format, "raw")))
        return "qcow2";
    return d->format;
}

bool disk_is_empty(const struct disk *d)
{
    switch (d->type) {
    case DISK_EMPTY:
        return true;
    case DISK_NETWORK:
        /* The image needs no name on some protocols: an NBD server has a default export. */
        return !d->protocol;
    case DISK_VOLUME:
        return !d->pool || !d->volume;
    case DISK_OTHER:
        return false;
    case DISK_FILE:
    case DISK_BLOCK:
    case DISK_DIR:
        break;
    }
    return !d->source;
}

bool disk_is_writable(const struct disk *d)
{
    return !disk_is_empty(d) && !d->readonly && d->device != DEVICE_CDROM;
}

bool disk_may_be_let_go(const struct disk *d)
{
    /* libvirt drops the medium alone: a disk that QEMU sends its state of cannot be missing. */
    return (d->device == DEVICE_CDROM || d->device == DEVICE_FLOPPY) && !disk_is_writable(d) &&
           (text_equal(d->startup_policy, "optional") || text_equal(d->startup_policy, "requisite"));
}
