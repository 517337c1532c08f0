/* SPDX-License-Identifier: Apache-2.0
 * What a domain may need of its destination, put into the sample's facts: pages, displays, secrets, pools,
 * interfaces, devices; each with a destination that has something of the kind. */
#ifndef UNIT_PLAN_NEEDS_H
#define UNIT_PLAN_NEEDS_H

#include "facts/map.h"
#include "plan/sample.h"

__attribute__((unused)) static void add_device(struct facts *f, const char *kind, const char *detail)
{
    struct device *d = arena_grown(f->arena, f->domain.devices, f->domain.n_devices, sizeof *d);

    ck_assert_ptr_nonnull(d);
    f->domain.devices = d;
    d[f->domain.n_devices++] = (struct device){ .kind = kind, .detail = detail };
}

__attribute__((unused)) static void add_interface(struct facts *f, const char *type, const char *source)
{
    static const char *names[] = { "br0", "default" };
    struct interface *i = arena_grown(f->arena, f->domain.interfaces, f->domain.n_interfaces, sizeof *i);

    ck_assert_ptr_nonnull(i);
    f->domain.interfaces = i;
    i[f->domain.n_interfaces++] = (struct interface){ .type = type, .source = source };
    f->dest.bridges = f->dest.networks = (struct finding_refs){ names, 2 };
}

__attribute__((unused)) static struct interface *interface_on(struct facts *f, const char *type,
                                                              const char *source)
{
    add_interface(f, type, source);
    f->dest.bridges.n = f->dest.networks.n = 0;
    return &f->domain.interfaces[f->domain.n_interfaces - 1];
}

__attribute__((unused)) static void use_map(struct facts *f, enum map_kind kind, const char *from,
                                            const char *to)
{
    const struct map m = { .kind = kind, .from = from, .to = to };
    struct error err = { 0 };

    ck_assert_int_eq(maps_apply(f, &m, 1, &err), 0);
}

static struct pages small_pages[] = { { MiB(2), 128 } }, both_pages[] = { { MiB(2), 128 }, { GiB(1), 0 } };

/* Huge pages of the size that the domain names, with so many free. */
__attribute__((unused)) static void need_pages(struct facts *f, struct pages *p, size_t n, uint64_t size,
                                               uint64_t n_free)
{
    f->domain.has_hugepages = true;
    f->domain.hugepage_bytes = size;
    f->dest.pages = p;
    f->dest.n_pages = n;
    p[0].free = n_free;
}

__attribute__((unused)) static struct graphics *show_on(struct facts *f, const char *address)
{
    static struct graphics one;
    static const char *there[] = { "127.0.0.1", "10.0.0.2", "192.168.122.1" };

    one = (struct graphics){ .type = "vnc", .address = address };
    f->domain.graphics = &one;
    f->domain.n_graphics = 1;
    f->dest.addresses = (struct finding_refs){ there, 3 };
    return &one;
}

__attribute__((unused)) static void need_secret(struct facts *f, struct secret needed)
{
    static struct secret there[] = { { "AAAA0000-0000-0000-0000-00000000000a", "ceph", "client.libvirt" } };
    static struct secret one;

    one = needed;
    f->domain.secrets = &one;
    f->domain.n_secrets = 1;
    f->dest.secrets = there;
    f->dest.n_secrets = f->dest.has_secret_list = 1;
}

__attribute__((unused)) static struct pool *volume_in(struct facts *f, const char *pool)
{
    static struct pool one;

    one = (struct pool){ .name = "images", .is_active = true };
    facts_disk(f, "vda")->type = DISK_VOLUME;
    facts_disk(f, "vda")->pool = pool;
    facts_disk(f, "vda")->volume = "web.qcow2";
    f->dest.pools = &one;
    f->dest.n_pools = f->dest.has_pool_list = 1;
    return &one;
}

static const char *const features[] = { "ss", "invtsc" }, *const backends[] = { "passthrough", "emulator" };
#define NAMES_OF(list, count) ((struct finding_refs){ (const char **)(uintptr_t)(list), (count) })

#endif
