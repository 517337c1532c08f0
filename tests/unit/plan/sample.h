/* SPDX-License-Identifier: Apache-2.0
 * The facts that the planner's tests begin with: an idle 256 MiB guest, one disk on NFS proved shared, one
 * trusted clear channel. Everything is in order, so a test spoils just one thing. */
#ifndef UNIT_PLAN_SAMPLE_H
#define UNIT_PLAN_SAMPLE_H

#include "check-main.h"
#include "plan/plan.h"
#include "plan/planner.h"

#define KiB(n) ((uint64_t)(n) << 10)
#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

__attribute__((unused)) static struct channel *sample_channel(struct facts *f, const char *driver,
                                                              uint8_t protects)
{
    struct channel *c = facts_add_channel(f);

    ck_assert_ptr_nonnull(c);
    c->driver = driver;
    c->dest_uri = "qemu+tcp://10.0.0.2/system";
    c->data_uri = "tcp://10.0.0.2";
    c->peer_address = "10.0.0.2";
    c->was_probed = true;
    c->is_trusted = true;
    c->can_copy_disks = true;
    c->protects_control = c->protects_data = protects;
    c->latency_us = 200;
    return c;
}

__attribute__((unused)) static struct disk *sample_disk(struct facts *f, const char *target)
{
    struct disk *d = facts_add_disk(f);

    ck_assert_ptr_nonnull(d);
    d->target = target;
    d->type = DISK_FILE;
    d->source = "/images/web.qcow2";
    d->format = "qcow2";
    d->cache = "none";
    d->driver = "local-block";
    d->file_system = "nfs";
    d->driver_shares = d->driver_creates = true;
    d->sharing = SHARING_PROVED;
    d->sharing_evidence = "the nonce was seen from both hosts";
    d->at_dest.present = TRI_YES;
    d->at_dest.pool = "default";
    d->at_dest.free_bytes = GiB(10);
    d->at_source.capacity_bytes = GiB(1);
    d->at_source.allocated_bytes = MiB(400);
    return d;
}

/* The disk becomes one that has to be copied, and can be. */
__attribute__((unused)) static struct disk *sample_local(struct disk *d)
{
    d->file_system = "ext4";
    d->sharing = SHARING_DENIED;
    d->sharing_evidence = "the identities differ";
    d->at_dest.present = TRI_NO;
    return d;
}

/* The disk becomes a device of either host, alike but for what it holds, that the user has named. */
__attribute__((unused)) static struct disk *device_of(struct facts *f, struct disk *d)
{
    static const char *named[] = { "vda" };

    d->type = DISK_BLOCK;
    d->driver = "block";
    d->source = "/dev/vg0/web";
    d->format = "raw";
    d->file_system = NULL;
    d->sharing = SHARING_NOT_PROVED;
    d->sharing_evidence = "device 'dm-3' has no WWN";
    d->at_source.block_bytes = d->at_dest.block_bytes = 512;
    d->at_source.is_device = d->at_dest.is_device = TRI_YES;
    d->at_source.identity_read = d->at_dest.identity_read = TRI_YES;
    d->at_dest.in_use = TRI_NO;
    d->at_dest.pool = NULL;
    d->at_dest.free_bytes = NOT_KNOWN;
    d->at_source.capacity_bytes = d->at_dest.capacity_bytes = GiB(1);
    f->overwrite = (struct finding_refs){ named, 1 };
    return d;
}

/* A qcow2 image of 10 GiB in devices of 2 GiB. */
__attribute__((unused)) static struct disk *device_image_of(struct facts *f, struct disk *d)
{
    (void)device_of(f, d);
    d->format = "qcow2";
    d->driver_heads = true;
    d->at_source.capacity_bytes = GiB(10);
    d->at_dest.capacity_bytes = NOT_KNOWN;
    d->at_source.device_bytes = d->at_dest.device_bytes = GiB(2);
    return d;
}

/* A volume of a pool that both hosts have by that name, there of that type; at the source it keeps devices.
 */
__attribute__((unused)) static struct disk *volume_on_lvm(struct facts *f, const char *type_there)
{
    static struct pool pool;
    struct disk *d = device_of(f, &f->domain.disks[0]);

    pool = (struct pool){ .name = "images", .type = type_there, .is_active = true };
    f->dest.pools = &pool;
    f->dest.n_pools = f->dest.has_pool_list = 1;
    d->type = DISK_VOLUME;
    d->pool = "images";
    d->volume = "web";
    d->source = d->volume_dest_path = "/dev/images/web";
    d->volume_is_device = TRI_YES;
    d->driver_creates = true;
    return d;
}

__attribute__((unused)) static struct facts *sample(void)
{
    struct facts *f = facts_new();

    ck_assert_ptr_nonnull(f);
    f->domain.name = "web";
    f->domain.uuid = "7ad8ab1c-5a5e-4e1c-9b53-000000000001";
    f->domain.run = RUN_RUNNING;
    f->domain.memory_bytes = f->domain.memory_now_bytes = MiB(256);
    f->domain.memory_rss_bytes = MiB(155);
    f->source.name = "hostA";
    f->source.uuid = "aaaaaaaa-0000-0000-0000-000000000001";
    f->source.is_local_socket = true;
    f->source.qemu_version = f->dest.qemu_version = 7002000;
    f->source.link_bytes_per_s = f->dest.link_bytes_per_s = 125000000;
    f->dest.name = "hostB";
    f->dest.uuid = "bbbbbbbb-0000-0000-0000-000000000002";
    f->dest.memory_free_bytes = GiB(4);
    (void)sample_disk(f, "vda");
    (void)sample_channel(f, "tcp", 0);
    return f;
}

__attribute__((unused)) static void sample_dirty(struct facts *f, uint64_t window_ms, uint64_t bytes)
{
    struct dirty_window *w = arena_grown(f->arena, f->domain.dirty, f->domain.n_dirty, sizeof *w);

    ck_assert_ptr_nonnull(w);
    w[f->domain.n_dirty++] = (struct dirty_window){ window_ms, bytes * 9 / 10, bytes, bytes * 11 / 10 };
    f->domain.dirty = w;
}

__attribute__((unused)) static struct plan_limits sample_limits(void)
{
    return (struct plan_limits){ .max_downtime_ms = NOT_KNOWN,
                                 .bandwidth_bytes_per_s = NOT_KNOWN,
                                 .deadline_ms = NOT_KNOWN };
}

__attribute__((unused)) static struct plan *plan_with(const struct facts *f, struct plan_limits limits)
{
    struct error err = { 0 };
    struct plan *p = plan_make(f, &limits, &err);

    ck_assert_msg(p != NULL, "%s", err.what);
    return p;
}

__attribute__((unused)) static struct plan *plan_of(const struct facts *f)
{
    return plan_with(f, sample_limits());
}

__attribute__((unused)) static const struct finding *find_in(const struct findings *f, const char *id,
                                                             const char *where)
{
    for (size_t i = 0; i < f->n; i++)
        if (text_equal(f->list[i].id, id) && (!where || text_equal(f->list[i].where, where)))
            return &f->list[i];
    return NULL;
}

/* In the plan or in any strategy; where NULL = anywhere. */
__attribute__((unused)) static const struct finding *plan_finds(const struct plan *p, const char *id,
                                                                const char *where)
{
    const struct finding *found = find_in(&p->findings, id, where);

    for (size_t i = 0; !found && i < p->n; i++)
        found = find_in(&p->list[i].findings, id, where);
    return found;
}

#endif
