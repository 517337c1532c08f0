/* SPDX-License-Identifier: Apache-2.0
 * Maps: how they are written, what they change in facts and in a domain's XML, and that it is all they
 * change. What is expected of an XML is the same text with a piece replaced, compared as canonical trees. */
#include "base/text.h"
#include "data.h"
#include "facts/domain-xml.h"
#include "facts/map.h"
#include <libxml/c14n.h>
#include <libxml/parser.h>

static const struct {
    enum map_kind kind;
    const char *text, *from, *to;
} read_rows[] = {
    { MAP_NETWORK, "br0=br1", "br0", "br1" },
    { MAP_NETWORK, "a\\=b=c=d", "a=b", "c=d" },
    { MAP_NETWORK, "a\\\\=c\\=d", "a\\", "c\\=d" },
    { MAP_NETWORK, "a\\b=c", "a\\b", "c" },
    { MAP_NETWORK, "<&'\">=\xc3\xa9", "<&'\">", "\xc3\xa9" },
    { MAP_STORAGE, "/srv/a=/srv/b", "/srv/a", "/srv/b" },
    { MAP_STORAGE, "/srv/a/=/srv/b/", "/srv/a", "/srv/b" },
    { MAP_STORAGE, "/srv/..a=/srv/.b", "/srv/..a", "/srv/.b" },
    { MAP_STORAGE, "images=fast.2", "pool:images", "pool:fast.2" },
    { MAP_STORAGE, "pool:images=fast", "pool:images", "pool:fast" },
    { MAP_STORAGE, "pool:a:b=pool:.c", "pool:a:b", "pool:.c" },
    { MAP_STORAGE, "pool:a/v=pool:b/w/x", "pool:a/v", "pool:b/w/x" },
    { MAP_STORAGE, "nfs://10.0.0.5/a/=nfs://[fd00::6]/b", "nfs://10.0.0.5/a", "nfs://[fd00::6]/b" },
    { MAP_STORAGE, "rbd:hot=rbd:cold", "rbd:hot", "rbd:cold" },
    { MAP_STORAGE, "rbd:a/n/i=rbd:b/i", "rbd:a/n/i", "rbd:b/i" },
};
START_TEST(a_map_is_read_as_it_is_written)
    {
        OWNED(arena) a = arena_new();
        struct error err = { 0 };
        struct map m;

        ck_assert_msg(map_parse(read_rows[_i].kind, read_rows[_i].text, a, &m, &err) == 0, "%s", err.what);
        ck_assert_str_eq(m.from, read_rows[_i].from);
        ck_assert_str_eq(m.to, read_rows[_i].to);
        ck_assert_int_eq(m.kind, read_rows[_i].kind);
    }
END_TEST

static const struct {
    enum map_kind kind;
    const char *text, *what;
} refused[] = {
    { MAP_NETWORK, "", "no '='" },
    { MAP_NETWORK, "br0", "no '='" },
    { MAP_NETWORK, "br0\\=br1", "no '='" },
    { MAP_NETWORK, "=br1", "FROM '' of a map is empty" },
    { MAP_NETWORK, "br0=", "TO '' of a map is empty" },
    { MAP_NETWORK, "br0=br0", "mapped to itself" },
    { MAP_NETWORK, "br/0=br1", "slash" },
    { MAP_NETWORK, "br0=b\x1bx", "control" },
    { MAP_NETWORK, "br\n=br1", "control" },
    { MAP_NETWORK, "br0=b\x7f", "control" },
    { MAP_NETWORK, "br0=b\xc2\x9b", "control" },
    { MAP_NETWORK, "br0=b\xef\xbf\xbe", "control" },
    { MAP_NETWORK, "br0=b\xff", "UTF-8" },
    { MAP_STORAGE, "srv/a=/srv/b", "FROM 'srv/a' of a map is no absolute" },
    { MAP_STORAGE, "/srv/a=srv/b", "TO 'srv/b' of a map is no absolute" },
    { MAP_STORAGE, "/=/srv/b", "root" },
    { MAP_STORAGE, "/srv/a=/", "root" },
    { MAP_STORAGE, "/srv/../a=/srv/b", "'..'" },
    { MAP_STORAGE, "/srv/a=/srv/b/..", "'..'" },
    { MAP_STORAGE, "/srv/a=/srv/./b", "'.'" },
    { MAP_STORAGE, "/srv//a=/srv/b", "two slashes" },
    { MAP_STORAGE, "//=/srv/b", "root" },
    { MAP_STORAGE, "/srv/a=/srv/a/", "mapped to itself" },
    { MAP_STORAGE, "a=pool:a", "mapped to itself" },
    { MAP_STORAGE, "images=fast/", "TO 'fast/' of a map is no absolute path, and no pool" },
    { MAP_STORAGE, "./images=fast", "no absolute path" },
    { MAP_STORAGE, ".images=fast", "may be a path or the name of a pool" },
    { MAP_STORAGE, "images=/data/images", "two kinds" },
    { MAP_STORAGE, "rbd:a=a", "two kinds" },
    { MAP_STORAGE, "nfs://s/a=/a", "two kinds" },
    { MAP_STORAGE, "pool:a/v=b", "a pool and a volume" },
    { MAP_STORAGE, "a=pool:b/v", "a pool and a volume" },
    { MAP_STORAGE, "pool:=b", "pool:NAME" },
    { MAP_STORAGE, "a=pool:b/", "pool:NAME" },
    { MAP_STORAGE, "iscsi:a=b", "no kind of location" },
    { MAP_STORAGE, "nfs://s=nfs://t/a", "with an export" },
    { MAP_STORAGE, "nfs:///a=nfs://t/a", "with an export" },
    { MAP_STORAGE, "nfs://s/=nfs://t/a", "with an export" },
    { MAP_STORAGE, "nfs://s:2049/a=nfs://t/a", "port" },
    { MAP_STORAGE, "nfs://fd00::1/a=nfs://t/a", "brackets" },
    { MAP_STORAGE, "nfs://[fd00::1/a=nfs://t/a", "brackets" },
    { MAP_STORAGE, "nfs://[fd00::1]:1/a=nfs://t/a", "port" },
    { MAP_STORAGE, "nfs://[]/a=nfs://t/a", "brackets" },
    { MAP_STORAGE, "nfs://root@s/a=nfs://t/a", "user" },
    { MAP_STORAGE, "nfs://s/a/../b=nfs://t/a", "'..'" },
    { MAP_STORAGE, "rbd:=rbd:b", "rbd:POOL" },
    { MAP_STORAGE, "rbd:a/=rbd:b", "rbd:POOL" },
    { MAP_STORAGE, "rbd:/a=rbd:b", "rbd:POOL" },
    { MAP_STORAGE, "rbd:a/b/c/d=rbd:b", "rbd:POOL" },
    { MAP_STORAGE, "rbd:a/b@s=rbd:b", "snapshot" },
};
START_TEST(what_cannot_be_a_map_is_refused_with_a_fix)
    {
        OWNED(arena) a = arena_new();
        struct error err = { 0 };
        struct map m;

        ck_assert_int_lt(map_parse(refused[_i].kind, refused[_i].text, a, &m, &err), 0);
        ck_assert_int_eq(err.code, ERROR_USAGE);
        ck_assert_msg(strstr(err.what, refused[_i].what) != NULL, "%s", err.what);
        ck_assert_msg(strstr(err.fix, "FROM=TO") != NULL, "%s", err.fix);
    }
END_TEST

/* Adds what the text says; the whole list is on a. */
struct list {
    struct arena *arena;
    struct map *maps;
    size_t n;
};
static int add(struct list *l, enum map_kind kind, const char *text, struct error *err)
{
    struct map m;

    if (!l->arena)
        l->arena = arena_new();
    if (map_parse(kind, text, l->arena, &m, err) < 0)
        return -err->code;
    return map_add(l->arena, &l->maps, &l->n, &m, err);
}
static void list_done(struct list *l)
{
    arena_free(l->arena);
}
#define OWNED_LIST __attribute__((cleanup(list_done))) struct list

START_TEST(one_name_has_one_map)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_NETWORK, "a=b", &err), 0);
        ck_assert_int_eq(add(&l, MAP_NETWORK, "a=b", &err), 0);
        ck_assert_uint_eq(l.n, 1);
        ck_assert_int_lt(add(&l, MAP_NETWORK, "a=c", &err), 0);
        ck_assert_int_eq(err.code, ERROR_USAGE);
        for (unsigned i = 1; i < MAP_MOST; i++) {
            char text[32];

            (void)snprintf(text, sizeof text, "n%u=b", i);
            ck_assert_int_eq(add(&l, MAP_NETWORK, text, &err), 0);
        }
        ck_assert_int_lt(add(&l, MAP_NETWORK, "more=b", &err), 0);
    }
END_TEST

START_TEST(maps_come_back_from_json_as_they_were_and_checked_anew)
    {
        OWNED_LIST l = { 0 };
        OWNED_LIST back = { .arena = arena_new() };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_NETWORK, "a=b", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/a=/b", &err), 0);
        ck_assert_ptr_nonnull(l.maps);
        l.maps[1].origin = "here:7";
        OWNED_JSON j = maps_to_json(l.maps, l.n);
        ck_assert_int_eq(maps_from_json(j, back.arena, &back.maps, &back.n, &err), 0);
        ck_assert_uint_eq(back.n, 2);
        ck_assert_int_eq(back.maps[1].kind, MAP_STORAGE);
        ck_assert_str_eq(back.maps[1].to, "/b");
        ck_assert_ptr_null(back.maps[0].origin);
        ck_assert_str_eq(back.maps[1].origin, "here:7");
        ck_assert_int_eq(maps_from_json(NULL, back.arena, &back.maps, &back.n, &err), 0);
        ck_assert_uint_eq(back.n, 0);
        (void)json_object_set_new(json_array_get(j, 1), "to", json_string("/b/../c"));
        ck_assert_int_lt(maps_from_json(j, back.arena, &back.maps, &back.n, &err), 0);
        (void)json_object_set_new(json_array_get(j, 1), "kind", json_string("voodoo"));
        ck_assert_int_lt(maps_from_json(j, back.arena, &back.maps, &back.n, &err), 0);
    }
END_TEST

/* ---- facts ---- */

static struct facts *facts_of(const char *name)
{
    struct error err = { 0 };
    struct facts *f = facts_new();
    size_t n;
    OWNED_MEMORY char *xml = data_read(name, &n);

    ck_assert_msg(domain_xml_read(f, xml, &err) == 0, "%s", err.what);
    return f;
}

START_TEST(interfaces_have_both_names_and_what_was_seen_of_the_other_is_forgotten)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };
        OWNED(facts) f = facts_of("hostdev.xml");
        struct interface *i = f->domain.interfaces;

        i[1].at_dest = TRI_NO;
        i[1].dest_mtu = 1500;
        i[2].at_dest = TRI_YES;
        ck_assert_int_eq(add(&l, MAP_NETWORK, "br0=lan", &err), 0);
        ck_assert_int_eq(add(&l, MAP_NETWORK, "nobody=lan", &err), 0);
        ck_assert_int_eq(maps_apply(f, l.maps, l.n, &err), 0);
        ck_assert_ptr_null(i[0].dest_source);
        ck_assert_str_eq(i[1].source, "br0");
        ck_assert_str_eq(interface_dest_source(&i[1]), "lan");
        ck_assert_int_eq(i[1].at_dest, TRI_NOT_KNOWN);
        ck_assert_uint_eq(i[1].dest_mtu, NOT_KNOWN);
        ck_assert_int_eq(i[2].at_dest, TRI_YES);
        ck_assert(f->maps[0].is_used && !f->maps[1].is_used);
    }
END_TEST

/* ---- XML ---- */

static char *canonical(const char *xml)
{
    xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);
    xmlChar *out = NULL;

    ck_assert_msg(doc != NULL, "it is no XML: %s", xml);
    ck_assert_int_ge(xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &out), 0);
    xmlFreeDoc(doc);
    char *copy = strdup((const char *)out);
    xmlFree(out);
    return copy;
}

/* Every occurrence. */
static char *replaced(const char *text, const char *from, const char *to)
{
    OWNED_TEXT t = { 0 };
    size_t n = strlen(from);

    while (*text)
        if (strncmp(text, from, n) == 0) {
            text_add(&t, "%s", to);
            text += n;
        } else {
            text_add_bytes(&t, text++, 1);
        }
    return strdup(text_of(&t));
}

static char *mapped(const char *xml, struct list *l, size_t *ret_changed)
{
    struct error err = { 0 };
    char *out = domain_xml_mapped(xml, l->maps, l->n, ret_changed, &err);

    ck_assert_msg(out != NULL, "%s", err.what);
    return out;
}

static void expect(const char *xml, struct list *l, const char *wanted, size_t n_wanted)
{
    size_t changed = 99;
    OWNED_MEMORY char *out = mapped(xml, l, &changed);
    OWNED_MEMORY char *is = canonical(out), *should = canonical(wanted);

    ck_assert_str_eq(is, should);
    ck_assert_uint_eq(changed, n_wanted);
}

#define LIVE_NETWORK                                                                                         \
    "<source network='default' portid='0f0a1f5c-3c88-4a5e-8a43-6d7c1fb0a2f1' bridge='virbr0'/>"
static const struct {
    const char *file, *map;
    enum map_kind kind;
    const char *piece, *instead;
    size_t n;
} changes[] = {
    { "hostdev.xml", "br0=br7", MAP_NETWORK, "bridge='br0'", "bridge='br7'", 1 },
    { "hostdev.xml", "enp3s0=eth1", MAP_NETWORK, "dev='enp3s0'", "dev='eth1'", 1 },
    { "hostdev.xml", "default=lan", MAP_NETWORK, LIVE_NETWORK, "<source network='lan'/>", 1 },
    { "marked.xml", "default=<'&\">", MAP_NETWORK, LIVE_NETWORK,
      "<source network='&lt;&apos;&amp;&quot;&gt;'/>", 1 },
    { "openstack-metadata.xml", "nobody=lan", MAP_NETWORK, "", "", 0 },
    { "hostdev.xml", "br=br7", MAP_NETWORK, "", "", 0 },
    { "hostdev.xml", "virbr0=br7", MAP_NETWORK, "", "", 0 },
    { "one-shared-disk.xml", "/srv/shared=/mnt/a", MAP_STORAGE, "file='/srv/shared/", "file='/mnt/a/", 1 },
    { "one-shared-disk.xml", "/srv=/mnt", MAP_STORAGE, "file='/srv/", "file='/mnt/", 1 },
    { "one-shared-disk.xml", "/srv/shared/vault.qcow2=/v.img", MAP_STORAGE, "/srv/shared/vault.qcow2",
      "/v.img", 1 },
    { "one-shared-disk.xml", "/srv/share=/mnt", MAP_STORAGE, "", "", 0 },
    { "one-shared-disk.xml", "/srv/shared/vault=/mnt", MAP_STORAGE, "", "", 0 },
    { "one-shared-disk.xml", "/srv/shared/vault.qcow2/x=/mnt", MAP_STORAGE, "", "", 0 },
    { "one-shared-disk.xml", "/shared=/mnt", MAP_STORAGE, "", "", 0 },
    { "escape-bytes-in-name.xml", "/srv/shared=/m&<'\">", MAP_STORAGE, "file='/srv/shared/",
      "file='/m&amp;&lt;&apos;&quot;&gt;/", 1 },
    { "local-qcow2-with-base.xml", "/var/lib/libvirt/images=/i", MAP_STORAGE, "/var/lib/libvirt/images/",
      "/i/", 2 },
    { "local-qcow2-with-base.xml", "/dev/vg0=/dev/vg1", MAP_STORAGE, "/dev/vg0/", "/dev/vg1/", 1 },
    { "cdrom-floppy-empty.xml", "/srv/iso=/i", MAP_STORAGE, "file='/srv/iso/", "file='/i/", 1 },
    { "nvram-tpm.xml", "/srv/boot=/b&lt;", MAP_STORAGE, "/srv/boot/", "/b&amp;lt;/", 2 },
    { "nvram-tpm.xml", "/usr/share/OVMF=/o", MAP_STORAGE, "/usr/share/OVMF/", "/o/", 2 },
    { "nvram-tpm.xml", "/var/lib/libvirt/qemu/nvram=/n", MAP_STORAGE, "/var/lib/libvirt/qemu/nvram/", "/n/",
      1 },
    { "mixed-disks.xml", "/srv/shared=/s", MAP_STORAGE, "file='/srv/shared/", "file='/s/", 1 },
    { "mixed-disks.xml", "/dev/disk=/dev/x", MAP_STORAGE, "dev='/dev/disk/", "dev='/dev/x/", 2 },
    { "network-nfs-rbd.xml", "/etc/ceph=/c", MAP_STORAGE, "", "", 0 },
    { "network-nfs-rbd.xml", "nfs://10.0.0.5/export=nfs://10.0.0.5/data", MAP_STORAGE, "name='/export/",
      "name='/data/", 1 },
    { "network-nfs-rbd.xml", "nfs://10.0.0.5/export/vm/netted.raw=nfs://[fd00::7]/export/vm/netted.raw",
      MAP_STORAGE, "'10.0.0.5'", "'fd00::7'", 1 },
    { "network-nfs-rbd.xml", "nfs://10.0.0.6/export=nfs://10.0.0.7/export", MAP_STORAGE, "", "", 0 },
    { "network-nfs-rbd.xml", "/export=/data", MAP_STORAGE, "", "", 0 },
    { "network-nfs-rbd.xml", "rbd:vms=rbd:hot/n", MAP_STORAGE, "'vms/", "'hot/n/", 1 },
    { "network-nfs-rbd.xml", "rbd:images/base=rbd:b/b", MAP_STORAGE, "'images/base'", "'b/b'", 1 },
    { "network-nfs-rbd.xml", "rbd:vm=rbd:hot", MAP_STORAGE, "", "", 0 },
    { "network-nfs-rbd.xml", "rbd:vms/netted-data=rbd:hot", MAP_STORAGE, "", "", 0 },
    { "volume-pool.xml", "default=fast", MAP_STORAGE, "pool='default'", "pool='fast'", 1 },
    { "volume-pool.xml", "pool:default/pooled.qcow2=pool:default/p", MAP_STORAGE, "volume='pooled.qcow2'",
      "volume='p'", 1 },
    { "volume-pool.xml", "pool:default/pooled=pool:default/p", MAP_STORAGE, "", "", 0 },
    { "volume-pool.xml", "default=lan", MAP_NETWORK, LIVE_NETWORK, "<source network='lan'/>", 1 },
    { "openstack-metadata.xml", "/var/lib/nova/instances=/n", MAP_STORAGE, "'/var/lib/nova/instances/",
      "'/n/", 2 },
};
START_TEST(a_map_changes_its_names_in_the_xml_and_nothing_else)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };
        size_t n;
        OWNED_MEMORY char *xml = data_read(changes[_i].file, &n);

        ck_assert_int_eq(add(&l, changes[_i].kind, changes[_i].map, &err), 0);
        if (changes[_i].n)
            ck_assert_ptr_nonnull(strstr(xml, changes[_i].piece));
        OWNED_MEMORY char *wanted =
            changes[_i].n ? replaced(xml, changes[_i].piece, changes[_i].instead) : strdup(xml);
        expect(xml, &l, wanted, changes[_i].n);
    }
END_TEST

START_TEST(two_networks_change_places)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_NETWORK, "a=b", &err), 0);
        ck_assert_int_eq(add(&l, MAP_NETWORK, "b=a", &err), 0);
#define BRIDGES(one, other)                                                                                  \
    "<domain><devices><interface type='bridge'><source bridge='" one "'/></interface>"                       \
    "<interface type='bridge'><source bridge='" other "'/></interface></devices></domain>"
        expect(BRIDGES("a", "b"), &l, BRIDGES("b", "a"), 2);
    }
END_TEST

START_TEST(the_longest_from_is_for_a_path_and_no_path_is_mapped_twice)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_STORAGE, "/a=/b", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/a/c=/a", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/b=/a/c", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/e/f=/g", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/e=/h", &err), 0);
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/e/f/x"), "/g/x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/x"), "/b/x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/c/x"), "/a/x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/c"), "/a");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/b/x"), "/a/c/x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/ab/x"), "/ab/x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/../x"), "/a/../x");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/c/.."), "/a/c/..");
        ck_assert_str_eq(map_path(l.arena, l.maps, l.n, "/a/..x"), "/b/..x");
        ck_assert_ptr_null(map_path(l.arena, l.maps, l.n, NULL));
    }
END_TEST

START_TEST(disks_have_both_paths_and_what_was_seen_of_the_other_is_forgotten)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };
        OWNED(facts) f = facts_of("mixed-disks.xml");
        struct disk *d = facts_disk(f, f->domain.disks[0].target);

        for (size_t i = 0; i < f->domain.n_disks; i++) {
            f->domain.disks[i].at_dest.present = TRI_YES;
            f->domain.disks[i].at_dest.free_bytes = 7;
            f->domain.disks[i].sharing = SHARING_PROVED;
        }
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/srv/shared=/s", &err), 0);
        ck_assert_int_eq(add(&l, MAP_STORAGE, "/dev/nowhere=/d", &err), 0);
        ck_assert_int_eq(maps_apply(f, l.maps, l.n, &err), 0);
        ck_assert_str_eq(d->source, "/srv/shared/mixed-root.qcow2");
        ck_assert_str_eq(disk_dest_source(d), "/s/mixed-root.qcow2");
        ck_assert_int_eq(d->at_dest.present, TRI_NOT_KNOWN);
        ck_assert_uint_eq(d->at_dest.free_bytes, NOT_KNOWN);
        ck_assert_int_eq(d->sharing, SHARING_NOT_PROVED);
        for (size_t i = 1; i < f->domain.n_disks; i++) {
            ck_assert_ptr_null(f->domain.disks[i].dest_source);
            ck_assert_int_eq(f->domain.disks[i].sharing, SHARING_PROVED);
        }
        ck_assert(f->maps[0].is_used && !f->maps[1].is_used);
    }
END_TEST

static const struct {
    const char *file, *map, *target;
    const char *source, *server, *pool, *volume; /* at the destination */
} places[] = {
    { "volume-pool.xml", "default=fast", "vda", NULL, NULL, "fast", "pooled.qcow2" },
    { "volume-pool.xml", "pool:default/pooled.qcow2=pool:fast/p", "vda", NULL, NULL, "fast", "p" },
    { "network-nfs-rbd.xml", "nfs://10.0.0.5/export=nfs://[fd00::7]/e", "vda", "/e/vm/netted.raw", "fd00::7",
      NULL, NULL },
    { "network-nfs-rbd.xml", "rbd:vms=rbd:hot", "vdb", "hot/netted-data", "mon1.example", NULL, NULL },
    { "mixed-disks.xml", "/dev/disk/by-id=/dev/x", "vdb", "/dev/x/wwn-0x5000c500a1b2c3d4", NULL, NULL, NULL },
};
START_TEST(pools_and_locations_of_disks_have_both_names_too)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };
        OWNED(facts) f = facts_of(places[_i].file);
        struct disk there;

        for (size_t i = 0; i < f->domain.n_disks; i++)
            f->domain.disks[i].at_dest.present = TRI_YES;
        ck_assert_int_eq(add(&l, MAP_STORAGE, places[_i].map, &err), 0);
        ck_assert_int_eq(maps_apply(f, l.maps, l.n, &err), 0);
        ck_assert(f->maps[0].is_used);
        for (size_t i = 0; i < f->domain.n_disks; i++) {
            const struct disk *d = &f->domain.disks[i];
            const bool is_it = text_equal(d->target, places[_i].target);

            ck_assert_int_eq(disk_is_mapped(d), is_it);
            ck_assert_int_eq(d->at_dest.present, is_it ? TRI_NOT_KNOWN : TRI_YES);
        }
        there = disk_there(facts_disk(f, places[_i].target));
        ck_assert_pstr_eq(there.source, places[_i].source);
        ck_assert_pstr_eq(there.server, places[_i].server);
        ck_assert_pstr_eq(there.pool, places[_i].pool);
        ck_assert_pstr_eq(there.volume, places[_i].volume);
        if (there.protocol && text_equal(there.protocol, "nfs")) {
            ck_assert_uint_eq(there.hosts.n, 1);
            ck_assert_str_eq(there.hosts.names[0], places[_i].server);
        }
    }
END_TEST

static const struct {
    const char *file, *map;
} files[] = {
    { "nvram-tpm.xml", "/srv/boot=/b" },
    { "nvram-tpm.xml", "/usr/share/OVMF=/o" },
    { "nvram-tpm.xml", "/var/lib/libvirt/qemu=/n" },
    { "local-qcow2-with-base.xml", "/var/lib/libvirt/images/ledger.s1=/i" },
    { "cdrom-floppy-empty.xml", "/srv/iso/debian.iso=/i" },
    { "network-nfs-rbd.xml", "rbd:images=rbd:i" },
};
START_TEST(a_map_is_used_by_every_file_that_the_xml_names)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };
        OWNED(facts) f = facts_of(files[_i].file);

        ck_assert_int_eq(add(&l, MAP_STORAGE, files[_i].map, &err), 0);
        ck_assert_int_eq(maps_apply(f, l.maps, l.n, &err), 0);
        ck_assert(f->maps[0].is_used);
    }
END_TEST

#define STORED(one, two, three, four, nvram)                                                                 \
    "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><os><dtb>" two "</dtb>" nvram "</os>"   \
    "<devices><disk><source file='" one "'/></disk>"                                                         \
    "<disk type='file'><source file='/a/../a/x'/><mirror type='file'><source file='/a/x'/></mirror></disk>"  \
    "<disk type='block'><source dev='" four "' file='/a/x'/></disk>"                                         \
    "<disk type='file'><source file='/ab/x'><seclabel/></source><backingStore type='file'>"                  \
    "<source file='" three "'/><backingStore type='block'><source dev='" four "'/></backingStore>"           \
    "</backingStore></disk><filesystem type='mount'><source dir='/a/x'/></filesystem>"                       \
    "<emulator>/a/qemu</emulator></devices><qemu:commandline><qemu:arg value='/a/x'/></qemu:commandline>"    \
    "</domain>"
START_TEST(files_and_devices_are_mapped_wherever_the_chain_names_one)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_STORAGE, "/a=/z", &err), 0);
        expect(STORED("/a/x", "/a/d", "/a/z", "/a/y", "<nvram type='file'><source file='/a/n'/></nvram>"), &l,
               STORED("/z/x", "/z/d", "/z/z", "/z/y", "<nvram type='file'><source file='/z/n'/></nvram>"), 6);
        expect(STORED("/b/x", "/b/d", "/b/z", "/b/y", "<nvram type='block'><source dev='/a/n'/></nvram>"), &l,
               STORED("/b/x", "/b/d", "/b/z", "/b/y", "<nvram type='block'><source dev='/a/n'/></nvram>"), 0);
    }
END_TEST

/* What the domain's maker put there is nobody's name. */
#define ALIEN(name)                                                                                          \
    "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' xmlns:x='urn:x'>"                       \
    "<metadata><x:interface type='bridge'><x:source bridge='br0'/></x:interface></metadata><devices>"        \
    "<interface type='bridge'><source bridge='" name "' x:bridge='br0'/><target dev='br0'/></interface>"     \
    "<x:interface type='bridge'><source bridge='br0'/></x:interface>"                                        \
    "<interface type='ethernet'><source bridge='br0'/></interface>"                                          \
    "<interface type='network'><source bridge='br0'/></interface><interface type='bridge'/><interface/>"     \
    "</devices><qemu:commandline><qemu:arg value='br0'/></qemu:commandline></domain>"
START_TEST(other_namespaces_and_other_places_are_not_touched)
    {
        OWNED_LIST l = { 0 };
        struct error err = { 0 };

        ck_assert_int_eq(add(&l, MAP_NETWORK, "br0=br1", &err), 0);
        expect(ALIEN("br0"), &l, ALIEN("br1"), 1);
    }
END_TEST

START_TEST(what_is_no_domain_is_not_rewritten)
    {
        static const char *const texts[] = { "<network/>", "<domain", "<!DOCTYPE d><domain/>" };
        size_t changed;

        for (size_t i = 0; i < TEST_ROWS(texts); i++) {
            struct error err = { 0 };

            ck_assert_ptr_null(domain_xml_mapped(texts[i], NULL, 0, &changed, &err));
            ck_assert_int_eq(err.code, ERROR_INPUT);
        }
    }
END_TEST

TEST_MAIN("facts/map", LOOP(a_map_is_read_as_it_is_written, TEST_ROWS(read_rows)),
          LOOP(what_cannot_be_a_map_is_refused_with_a_fix, TEST_ROWS(refused)), one_name_has_one_map,
          maps_come_back_from_json_as_they_were_and_checked_anew,
          interfaces_have_both_names_and_what_was_seen_of_the_other_is_forgotten,
          LOOP(a_map_changes_its_names_in_the_xml_and_nothing_else, TEST_ROWS(changes)),
          two_networks_change_places, the_longest_from_is_for_a_path_and_no_path_is_mapped_twice,
          disks_have_both_paths_and_what_was_seen_of_the_other_is_forgotten,
          LOOP(pools_and_locations_of_disks_have_both_names_too, TEST_ROWS(places)),
          LOOP(a_map_is_used_by_every_file_that_the_xml_names, TEST_ROWS(files)),
          files_and_devices_are_mapped_wherever_the_chain_names_one,
          other_namespaces_and_other_places_are_not_touched, what_is_no_domain_is_not_rewritten)
