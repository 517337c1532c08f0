/* SPDX-License-Identifier: Apache-2.0
 * Definitions in which disks lie elsewhere: what is changed, what stays, and what cannot be carried over. */
#include "data.h"
#include "facts/domain-xml.h"
#include <string.h>

#define HEAD "<domain xmlns:x='urn:x' type='kvm'><name>a</name><metadata><x:own/></metadata><devices>"
#define OTHER                                                                                                \
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/b'/><target "          \
    "dev='vdb'/></disk>"
#define TAIL OTHER "</devices><x:commandline/></domain>"
#define VDA "<target dev='vda' bus='virtio'/><serial>7</serial><x:y/>"

#define TO_FILE "<disk type='file'><driver name='qemu' type='raw'/><source file='/n&amp;w'/></disk>"
#define TO_BLOCK "<disk type='block'><driver name='qemu' type='raw'/><source dev='/dev/n'/></disk>"
#define RBD_SOURCE                                                                                           \
    "<source protocol='rbd' name='p/i'><host name='m' port='6789'/><auth username='u'><secret type='ceph' "  \
    "uuid='5'/></auth></source>"
#define TO_RBD "<disk type='network'><driver name='qemu' type='raw'/>" RBD_SOURCE "</disk>"

static const struct {
    const char *disk, *to, *wanted;
} moves[] = {
    { "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source "
      "file='/a'/>" VDA "</disk>",
      TO_FILE,
      "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source "
      "file='/n&amp;w'/>" VDA "</disk>" },
    { "<disk type='file' device='disk'><driver name='qemu' type='qcow2' io='native'/><source "
      "file='/a'/>" VDA "</disk>",
      TO_RBD,
      "<disk type='network' device='disk'><driver name='qemu' type='raw' io='native'/>" RBD_SOURCE VDA
      "</disk>" },
    { "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/a'/>" VDA "</disk>",
      TO_FILE,
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/n&amp;w'/>" VDA
      "</disk>" },
    { "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a' "
      "startupPolicy='mandatory'/>" VDA "</disk>",
      TO_BLOCK,
      "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/n'/>" VDA
      "</disk>" },
    /* The same kind of source keeps what it has beside its place. */
    { "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a' "
      "startupPolicy='optional'><seclabel model='dac' relabel='no'/></source>" VDA "</disk>",
      TO_FILE,
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/n&amp;w' "
      "startupPolicy='optional'><seclabel model='dac' relabel='no'/></source>" VDA "</disk>" },
    /* From a server nothing of the old place is left, wherever libvirt has it. */
    { "<disk type='network' device='disk'><driver name='qemu' type='raw'/>" RBD_SOURCE VDA "</disk>", TO_FILE,
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/n&amp;w'/>" VDA
      "</disk>" },
    { "<disk type='network' device='disk'><driver name='qemu' type='raw'/><auth username='u'/><source "
      "protocol='nfs' name='/e/f'><host name='s'/><identity user='+0' group='+0'/></source>" VDA "</disk>",
      TO_FILE,
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/n&amp;w'/>" VDA
      "</disk>" },
    /* Without a driver libvirt would take it for raw. */
    { "<disk type='file' device='disk'><source file='/a'/>" VDA "</disk>", TO_FILE,
      "<disk type='file' device='disk'><source file='/n&amp;w'/>" VDA "<driver name='qemu' "
      "type='raw'/></disk>" },
};
START_TEST(the_place_of_that_disk_alone_is_changed)
    {
        struct error err = { 0 };
        char xml[4096], wanted[4096];

        (void)snprintf(xml, sizeof xml, HEAD "%s" TAIL, moves[_i].disk);
        (void)snprintf(wanted, sizeof wanted, HEAD "%s" TAIL, moves[_i].wanted);
        for (char *at = wanted; *at; at++)
            if (*at == '\'')
                *at = '"';
        OWNED_MEMORY char *got = domain_xml_placed(xml, "vda", moves[_i].to, &err);
        ck_assert_msg(got != NULL, "%s", err.what);
        ck_assert_str_eq(got, wanted);
    }
END_TEST

static const struct {
    const char *source, *to, *named;
} losses[] = {
    { "<source file='/a'><slices><slice type='storage' offset='0' size='9'/></slices></source>", TO_FILE,
      "slices" },
    { "<source file='/a'><encryption format='luks'/></source>", TO_FILE, "encryption" },
    { "<source file='/a'><seclabel model='dac' relabel='no'/></source>", TO_RBD, "seclabel" },
    { "<source file='/a' startupPolicy='optional'/>", TO_RBD, "startupPolicy" },
    { "<source file='/a' fdgroup='x'/>", TO_BLOCK, "fdgroup" },
};
START_TEST(what_a_new_source_would_lose_is_refused_by_its_name)
    {
        struct error err = { 0 };
        char xml[4096];

        (void)snprintf(xml, sizeof xml, HEAD "<disk type='file' device='disk'>%s" VDA "</disk>" TAIL,
                       losses[_i].source);
        ck_assert_ptr_null(domain_xml_placed(xml, "vda", losses[_i].to, &err));
        ck_assert_int_eq(err.code, ERROR_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.what, losses[_i].named));
        ck_assert(err.fix[0]);
    }
END_TEST

START_TEST(a_disk_that_is_not_there_or_is_empty_is_an_error)
    {
        struct error err = { 0 };

        ck_assert_ptr_null(domain_xml_placed(HEAD TAIL, "vda", TO_FILE, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_ptr_null(domain_xml_placed(HEAD "<disk type='file' device='cdrom'>" VDA "</disk>" TAIL,
                                             "vda", TO_FILE, &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_ptr_null(domain_xml_placed("<domain", "vda", TO_FILE, &err));
        ck_assert_ptr_null(domain_xml_placed(HEAD TAIL, "vda", "<disk", &err));
    }
END_TEST

static char *rest_of(const char *xml)
{
    struct error err = { 0 };
    OWNED_JSON targets = json_pack("[s]", "vda");
    char *rest = domain_xml_but_places(xml, targets, &err);

    ck_assert_msg(rest != NULL, "%s", err.what);
    return rest;
}

START_TEST(but_for_the_places_both_are_the_same_and_nothing_else_is)
    {
        struct error err = { 0 };
        const char *before =
            HEAD "<disk type='file'>\n <driver name='qemu' type='qcow2'/>\n <source file='/a'/>\n "
                 "<backingStore type='file'><source file='/c'/></backingStore>\n" VDA "</disk>" TAIL;
        OWNED_MEMORY char *after = domain_xml_placed(before, "vda", TO_RBD, &err);
        OWNED_MEMORY char *rest_before = rest_of(before);
        OWNED_MEMORY char *rest_after = after ? rest_of(after) : NULL;
        OWNED_MEMORY char *rest_other = rest_of(
            HEAD "<disk type='file'><driver name='qemu' type='raw' cache='none'/><source file='/a'/>" VDA
                 "</disk>" TAIL);
        OWNED_MEMORY char *rest_vdb =
            rest_of(HEAD "<disk type='file'><driver name='qemu'/>" VDA
                         "</disk><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source "
                         "file='/else'/><target dev='vdb'/></disk></devices><x:commandline/></domain>");

        ck_assert_str_eq(rest_before, rest_after);
        ck_assert_str_ne(rest_before, rest_other);
        ck_assert_str_ne(rest_before, rest_vdb);
        ck_assert_ptr_nonnull(strstr(rest_before, "/b"));
    }
END_TEST

START_TEST(a_real_definition_is_read_back_with_the_new_place)
    {
        struct error err = { 0 };
        size_t n = 0;
        OWNED_MEMORY char *xml = data_read("local-qcow2-with-base.xml", &n);
        OWNED(facts) before = facts_new();
        OWNED(facts) after = facts_new();
        const struct disk *moved;

        ck_assert_int_eq(domain_xml_read(before, xml, &err), 0);
        OWNED_MEMORY char *got = domain_xml_placed(xml, before->domain.disks[0].target, TO_RBD, &err);
        ck_assert_msg(got != NULL, "%s", err.what);
        ck_assert_int_eq(domain_xml_read(after, got, &err), 0);
        moved = &after->domain.disks[0];
        ck_assert_int_eq(moved->type, DISK_NETWORK);
        ck_assert_str_eq(moved->source, "p/i");
        ck_assert_str_eq(moved->format, "raw");
        ck_assert_str_eq(moved->auth_user, "u");
        ck_assert_uint_eq(after->domain.n_disks, before->domain.n_disks);
    }
END_TEST

TEST_MAIN("facts/place-xml", LOOP(the_place_of_that_disk_alone_is_changed, TEST_ROWS(moves)),
          LOOP(what_a_new_source_would_lose_is_refused_by_its_name, TEST_ROWS(losses)),
          a_disk_that_is_not_there_or_is_empty_is_an_error,
          but_for_the_places_both_are_the_same_and_nothing_else_is,
          a_real_definition_is_read_back_with_the_new_place)
