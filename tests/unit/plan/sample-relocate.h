/* SPDX-License-Identifier: Apache-2.0
 * The sample's disk, made local, with a new place on an NFS server at which nothing stands. */
#ifndef UNIT_PLAN_SAMPLE_RELOCATE_H
#define UNIT_PLAN_SAMPLE_RELOCATE_H

#include "plan/sample.h"

__attribute__((unused)) static struct disk *relocation_of(struct facts *f, struct disk *d)
{
    struct disk *to = arena_zeroed(f->arena, 1, sizeof *to);

    ck_assert_ptr_nonnull(to);
    disk_init(to);
    (void)sample_local(d);
    d->at_source.n_snapshots = 0;
    to->target = d->target;
    to->type = DISK_NETWORK;
    to->protocol = "nfs";
    to->server = "10.0.0.9";
    to->source = arena_format(f->arena, "/export/web-%s.qcow2", d->target);
    to->format = "qcow2";
    to->driver = "nfs";
    to->driver_creates = true;
    to->at_dest.present = TRI_NO;
    to->at_dest.free_bytes = GiB(10);
    d->relocation = to;
    d->n_relocations = 1;
    return to;
}

__attribute__((unused)) static void relocation_to_itself(struct facts *f, struct disk *d)
{
    struct disk *to = relocation_of(f, d);

    to->type = d->type;
    to->protocol = to->server = NULL;
    to->source = d->source;
}

__attribute__((unused)) static struct disk *relocation_to_device(struct facts *f, struct disk *d)
{
    struct disk *to = relocation_of(f, d);

    to->type = DISK_BLOCK;
    to->protocol = to->server = NULL;
    to->source = "/dev/vg0/web";
    to->format = "raw";
    to->driver = "block";
    to->at_dest.present = TRI_YES;
    to->at_dest.is_device = TRI_YES;
    to->at_dest.in_use = TRI_NO;
    to->at_dest.capacity_bytes = GiB(1);
    return to;
}

__attribute__((unused)) static void name_device(struct facts *f)
{
    static const char *named[] = { "vda" };

    f->overwrite = (struct finding_refs){ named, 1 };
}

__attribute__((unused)) static struct disk *sample_cdrom(struct facts *f)
{
    struct disk *d = sample_disk(f, "sda");

    d->device = DEVICE_CDROM;
    d->readonly = true;
    return d;
}

__attribute__((unused)) static void sample_base(struct facts *f, struct disk *d)
{
    d->chain = arena_zeroed(f->arena, 1, sizeof *d->chain);
    ck_assert_ptr_nonnull(d->chain);
    disk_init(d->chain);
    d->n_chain = 1;
    d->chain->type = DISK_FILE;
    d->chain->source = "/images/base.qcow2";
    d->chain->format = "qcow2";
    d->chain->at_source.allocated_bytes = MiB(100);
}

#endif
