/* SPDX-License-Identifier: Apache-2.0
 * Disks of type 'volume' on libvirt's own test host: what each pool makes of them, there or still to be made.
 */
#include "base/text.h"
#include "check-main.h"
#include "verbs/verbs.h"
#include <libvirt/virterror.h>

static const struct {
    const char *pool, *volume, *path;
    enum tristate is_device;
} volumes[] = {
    { "vg0", "web", "/dev/vg0/web", TRI_YES },
    { "vg0", "new", "/dev/vg0/new", TRI_YES },
    { "vg0", "../sda", NULL, TRI_YES },
    { "files", "web.img", "/srv/files/web.img", TRI_NO },
    { "files", "new.img", "/srv/files/new.img", TRI_NO },
    { "mounted", "new.img", "/srv/mounted/new.img", TRI_NO },
    { "asleep", "new.img", "/srv/asleep/new.img", TRI_NO }, /* not active: its place is the same */
    { "disks", "new", NULL, TRI_YES },                      /* named by the disk, not by the volume */
    { "cluster", "web", NULL, TRI_NOT_KNOWN },
    { "nowhere", "web", NULL, TRI_NOT_KNOWN },
};

static void silent(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

static void make_pool(virConnectPtr libvirt, const char *type, const char *name, const char *source,
                      const char *target, const char *volume)
{
    OWNED_TEXT xml = { 0 };

    text_add(&xml, "<pool type='%s'><name>%s</name>%s<target><path>%s</path></target></pool>", type, name,
             source, target);
    OWNED_POOL pool = volume ? virStoragePoolCreateXML(libvirt, text_of(&xml), 0)
                             : virStoragePoolDefineXML(libvirt, text_of(&xml), 0);
    ck_assert_msg(pool != NULL, "%s", virGetLastErrorMessage());
    if (!volume)
        return;
    xml.len = 0;
    text_add(&xml, "<volume><name>%s</name><capacity>1048576</capacity></volume>", volume);
    OWNED_VOLUME made = virStorageVolCreateXML(pool, text_of(&xml), 0);
    ck_assert_msg(made != NULL, "%s", virGetLastErrorMessage());
}

static virConnectPtr test_host(void)
{
    virConnectPtr libvirt;

    virSetErrorFunc(NULL, silent);
    libvirt = virConnectOpen("test:///default");
    ck_assert_ptr_nonnull(libvirt);
    make_pool(libvirt, "logical", "vg0", "<source><name>vg0</name></source>", "/dev/vg0", "web");
    make_pool(libvirt, "dir", "files", "", "/srv/files/", "web.img");
    make_pool(libvirt, "netfs", "mounted",
              "<source><host name='10.0.0.5'/><dir path='/export'/><format type='nfs'/></source>",
              "/srv/mounted", "web.img");
    make_pool(libvirt, "dir", "asleep", "", "/srv/asleep", NULL);
    make_pool(libvirt, "disk", "disks", "<source><device path='/dev/sdz'/><format type='gpt'/></source>",
              "/dev", NULL);
    make_pool(libvirt, "rbd", "cluster", "<source><host name='10.0.0.6'/><name>hot</name></source>", "/none",
              NULL);
    return libvirt;
}

START_TEST(a_volume_is_the_file_or_device_that_its_pool_keeps)
    {
        struct child c = { .libvirt = test_host() };
        OWNED(facts) f = facts_new();
        struct disk d;

        disk_init(&d);
        d.type = DISK_VOLUME;
        d.pool = volumes[_i].pool;
        d.volume = volumes[_i].volume;
        ck_assert_int_eq(volume_resolve(&c, f->arena, &d), volumes[_i].path != NULL);
        if (volumes[_i].path)
            ck_assert_str_eq(d.source, volumes[_i].path);
        else
            ck_assert_ptr_null(d.source);
        if (volumes[_i].path)
            ck_assert_int_eq(d.volume_is_device, volumes[_i].is_device);
        disk_stand_for(&d);
        ck_assert_int_eq(d.type, !volumes[_i].path                  ? DISK_VOLUME
                                 : volumes[_i].is_device == TRI_YES ? DISK_BLOCK
                                                                    : DISK_FILE);
        (void)virConnectClose(c.libvirt);
    }
END_TEST

TEST_MAIN("verbs/volume", LOOP(a_volume_is_the_file_or_device_that_its_pool_keeps, TEST_ROWS(volumes)))
