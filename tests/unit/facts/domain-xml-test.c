/* SPDX-License-Identifier: Apache-2.0
 * Domain XML as libvirt writes it, against the facts that stand beside it; and as nobody should write it. */
#include "base/text.h"
#include "data.h"
#include "facts/domain-xml.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static const char *const pairs[] = {
    "one-shared-disk",
    "local-qcow2-with-base",
    "mixed-disks",
    "network-nfs-rbd",
    "volume-pool",
    "cdrom-floppy-empty",
    "nvram-tpm",
    "hostdev",
    "marked",
    "openstack-metadata",
    "escape-bytes-in-name",
    "needs",
};
START_TEST(a_domain_reads_as_the_facts_beside_it)
    {
        struct error err = { 0 };
        OWNED(facts) f = facts_new();
        OWNED_TEXT xml_name = { 0 }, facts_name = { 0 };
        size_t n;

        text_add(&xml_name, "%s.xml", pairs[_i]);
        text_add(&facts_name, "%s.facts.json", pairs[_i]);
        OWNED_MEMORY char *xml = data_read(text_of(&xml_name), &n);
        ck_assert_msg(domain_xml_read(f, xml, &err) == 0, "%s (%s)", err.what, err.why);
        OWNED_MEMORY char *text = facts_text(f);
        data_expect(text_of(&facts_name), text);

        OWNED_JSON j = facts_to_json(f);
        OWNED(facts) g = facts_from_json(j, &err);
        ck_assert_msg(g != NULL, "%s", err.what);
        OWNED_MEMORY char *again = facts_text(g);
        ck_assert_str_eq(text, again);
    }
END_TEST

#define HEAD "<domain type='kvm'><name>a</name><memory>1024</memory>"
#define DISKS(xml) HEAD "<devices>" xml "</devices></domain>"
#define VDA "<target dev='vda'/>"

static int read_xml(const char *xml, struct facts **ret, struct error *err)
{
    OWNED(facts) f = facts_new();
    int rc = domain_xml_read(f, xml, err);

    ck_assert_int_eq(rc, -err->code);
    if (ret)
        *ret = HAND_OVER(f);
    return rc;
}

static const struct {
    const char *xml, *what;
} refused[] = {
    { "", "not well-formed" },
    { " ", "not well-formed" },
    { "domain", "not well-formed" },
    { HEAD, "not well-formed" },
    { HEAD "</domain><domain/>", "not well-formed" },
    { "<!DOCTYPE domain>" HEAD "</domain>", "DOCTYPE" },
    { "<!DOCTYPE domain SYSTEM 'http://192.0.2.1/x.dtd'>" HEAD "</domain>", "DOCTYPE" },
    { "<!DOCTYPE domain PUBLIC '-//x' '/etc/passwd'>" HEAD "</domain>", "DOCTYPE" },
    { "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"
      "<domain><name>&c;</name></domain>",
      "DOCTYPE" },
    { "<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain><name>&a;</name></domain>", "DOCTYPE" },
    { "<!DOCTYPE d [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><domain/>", "DOCTYPE" },
    { "<domain><name>&a;</name><memory>1024</memory></domain>", "not well-formed" },
    { "<domain><name>&#x1b;[31m</name><memory>1024</memory></domain>", "not well-formed" },
    { "<domain><name>\x1b[31m</name><memory>1024</memory></domain>", "not well-formed" },
    { "<domain><name>\xff</name><memory>1024</memory></domain>", "not well-formed" },
    { "<network><name>a</name></network>", "'network'" },
    { "<domain xmlns='urn:x'><name>a</name><memory>1024</memory></domain>", "'domain'" },
    { "<domstatus><domain><name>a</name></domain></domstatus>", "'domstatus'" },
    { "<domain><memory>1024</memory></domain>", "no name" },
    { "<domain><name/><memory>1024</memory></domain>", "no name" },
    { "<domain xmlns:x='urn:x'><x:name>a</x:name><memory>1024</memory></domain>", "no name" },
    { "<domain><name>a</name></domain>", "nothing of the memory" },
    { DISKS("<disk type='file'><source file='/a'/></disk>"), "without a target" },
    { DISKS("<disk type='file'>" VDA "</disk>"), "no source for disk 'vda'" },
    { DISKS("<disk type='file'><source file=''/>" VDA "</disk>"), "no source for disk 'vda'" },
    { DISKS("<disk type='volume'><source pool='p'/>" VDA "</disk>"), "no source for disk 'vda'" },
    { DISKS("<disk><source file='/a'/>" VDA "</disk><disk><source file='/b'/>" VDA "</disk>"),
      "two disks 'vda'" },
};
START_TEST(hostile_xml_is_refused_and_said)
    {
        struct error err = { 0 };

        ck_assert_int_lt(read_xml(refused[_i].xml, NULL, &err), 0);
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_msg(strstr(err.what, refused[_i].what) != NULL, "'%s' in: %s", refused[_i].what, err.what);
        ck_assert_int_eq(strstr(err.what, "DOCTYPE") != NULL, err.fix[0] != '\0');
    }
END_TEST

START_TEST(hostile_xml_brings_no_word_on_stderr)
    {
        char path[] = "/tmp/ferry-stderr-XXXXXX";
        OWNED_FD file = mkstemp(path);
        int kept = dup(STDERR_FILENO);
        struct stat st;

        ck_assert(file >= 0 && kept >= 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_ge(dup2(file, STDERR_FILENO), 0);
        for (size_t i = 0; i < TEST_ROWS(refused); i++) {
            struct error err = { 0 };
            (void)read_xml(refused[i].xml, NULL, &err);
            free(domain_xml_without_mark(refused[i].xml, &err));
        }
        ck_assert_int_ge(dup2(kept, STDERR_FILENO), 0);
        ck_assert_int_eq(close(kept), 0);
        ck_assert_int_eq(fstat(file, &st), 0);
        ck_assert_int_eq(st.st_size, 0);
    }
END_TEST

START_TEST(a_million_laughs_cost_no_time)
    {
        struct error err = { 0 };
        OWNED_TEXT xml = { 0 };
        clock_t begin = clock();

        text_add(&xml, "<!DOCTYPE d [<!ENTITY e0 'ha'>");
        for (int i = 1; i < 40; i++)
            text_add(&xml, "<!ENTITY e%d '&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;'>", i, i - 1, i - 1, i - 1,
                     i - 1, i - 1, i - 1, i - 1, i - 1);
        text_add(&xml, "]><domain><name>&e39;</name><memory>1024</memory></domain>");
        ck_assert_int_lt(read_xml(text_of(&xml), NULL, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "DOCTYPE"));
        ck_assert_int_lt(clock() - begin, CLOCKS_PER_SEC);
    }
END_TEST

static const struct {
    const char *memory;
    uint64_t bytes; /* NOT_KNOWN = refused */
} figures[] = {
    { "<memory>1024</memory>", 1048576 },
    { "<memory unit='KiB'>1</memory>", 1024 },
    { "<memory unit='k'>1</memory>", 1024 },
    { "<memory unit='K'>1</memory>", 1024 },
    { "<memory unit='KB'>1</memory>", 1000 },
    { "<memory unit='b'>7</memory>", 7 },
    { "<memory unit='bytes'>7</memory>", 7 },
    { "<memory unit='M'>2</memory>", 2097152 },
    { "<memory unit='MiB'>2</memory>", 2097152 },
    { "<memory unit='MB'>2</memory>", 2000000 },
    { "<memory unit='G'>3</memory>", 3221225472 },
    { "<memory unit='GB'>3</memory>", 3000000000 },
    { "<memory unit='TiB'>1</memory>", 1099511627776 },
    { "<memory unit='E'>7</memory>", 8070450532247928832 },
    { "<memory unit='b'>9223372036854775807</memory>", INT64_MAX },
    { "<memory unit='b'>9223372036854775808</memory>", NOT_KNOWN },
    { "<memory unit='E'>8</memory>", NOT_KNOWN },
    { "<memory>9007199254740991</memory>", 9223372036854774784 },
    { "<memory>9007199254740992</memory>", NOT_KNOWN },
    { "<memory>99999999999999999999999999</memory>", NOT_KNOWN },
    { "<memory>-1</memory>", NOT_KNOWN },
    { "<memory>1.5</memory>", NOT_KNOWN },
    { "<memory>lots</memory>", NOT_KNOWN },
    { "<memory/>", NOT_KNOWN },
    { "<memory unit='X'>1</memory>", NOT_KNOWN },
    { "<memory unit='KiBi'>1</memory>", NOT_KNOWN },
    { "<memory>1024</memory><currentMemory>-1</currentMemory>", NOT_KNOWN },
};
START_TEST(memory_reads_in_the_units_of_libvirt_and_never_overflows)
    {
        struct error err = { 0 };
        OWNED_TEXT xml = { 0 };
        OWNED(facts) f = NULL;

        text_add(&xml, "<domain><name>a</name>%s</domain>", figures[_i].memory);
        ck_assert_int_eq(read_xml(text_of(&xml), &f, &err) == 0, figures[_i].bytes != NOT_KNOWN);
        if (figures[_i].bytes != NOT_KNOWN) {
            ck_assert_uint_eq(f->domain.memory_bytes, figures[_i].bytes);
            ck_assert_uint_eq(f->domain.memory_now_bytes, figures[_i].bytes);
        }
    }
END_TEST

/* n disks, the last with a target of its own when it is the same as the first's letter. */
static int read_disks(unsigned n, struct facts **ret, struct error *err)
{
    OWNED_TEXT xml = { 0 };

    text_add(&xml, HEAD "<devices>");
    for (unsigned i = 0; i < n; i++)
        text_add(&xml,
                 "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                 "<source file='/srv/images/%u.qcow2' index='%u'/><target dev='vd%u' bus='virtio'/></disk>",
                 i, i + 1, i);
    text_add(&xml, "</devices></domain>");
    return read_xml(text_of(&xml), ret, err);
}
START_TEST(a_hundred_disks_read_in_their_order)
    {
        struct error err = { 0 };
        OWNED(facts) f = NULL;

        ck_assert_int_eq(read_disks(100, &f, &err), 0);
        ck_assert_uint_eq(f->domain.n_disks, 100);
        ck_assert_str_eq(f->domain.disks[0].target, "vd0");
        ck_assert_str_eq(f->domain.disks[99].source, "/srv/images/99.qcow2");
    }
END_TEST
START_TEST(disks_are_read_up_to_1024)
    {
        struct error err = { 0 };
        OWNED(facts) f = NULL;

        ck_assert_int_eq(read_disks(DOMAIN_XML_MAX_DISKS, &f, &err), 0);
        ck_assert_uint_eq(f->domain.n_disks, DOMAIN_XML_MAX_DISKS);
        ck_assert_int_lt(read_disks(DOMAIN_XML_MAX_DISKS + 1, NULL, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "more than 1024 disks"));
    }
END_TEST

/* A domain of exactly so many bytes, most of them blanks. */
static int read_sized(size_t bytes, struct error *err)
{
    static const char before[] = HEAD, after[] = "</domain>";
    OWNED_MEMORY char *xml = malloc(bytes + 1);

    ck_assert_ptr_nonnull(xml);
    memset(xml, ' ', bytes);
    memcpy(xml, before, sizeof before - 1);
    memcpy(xml + bytes - (sizeof after - 1), after, sizeof after);
    /* libxml2 ends a text of 10 million bytes by itself: well above this. */
    return read_xml(xml, NULL, err);
}
START_TEST(xml_is_read_up_to_8_mib)
    {
        struct error err = { 0 };

        ck_assert_msg(read_sized(DOMAIN_XML_MAX_BYTES, &err) == 0, "%s %s", err.what, err.why);
        ck_assert_int_lt(read_sized(DOMAIN_XML_MAX_BYTES + 1, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "larger than 8"));
        ck_assert_int_lt(read_sized(9u << 20, &err), 0);
    }
END_TEST

static int read_value(int n, struct error *err)
{
    OWNED_TEXT xml = { 0 };

    text_add(&xml, DISKS("<disk><source file='%0*d'/>" VDA "</disk>"), n, 0);
    return read_xml(text_of(&xml), NULL, err);
}
START_TEST(values_are_read_up_to_4096_bytes)
    {
        struct error err = { 0 };

        ck_assert_int_eq(read_value(4096, &err), 0);
        ck_assert_int_lt(read_value(4097, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "'file' of element 'source'"));
    }
END_TEST

static int read_chain(unsigned depth, struct facts **ret, struct error *err)
{
    OWNED_TEXT xml = { 0 };

    text_add(&xml, HEAD "<devices><disk><source file='/top'/>" VDA);
    for (unsigned i = 0; i < depth; i++)
        text_add(&xml, "<backingStore type='file'><format type='raw'/><source file='/%u'/>", i);
    for (unsigned i = 0; i < depth; i++)
        text_add(&xml, "</backingStore>");
    text_add(&xml, "</disk></devices></domain>");
    return read_xml(text_of(&xml), ret, err);
}
START_TEST(a_chain_is_read_to_its_end_and_no_deeper_than_the_parser_goes)
    {
        struct error err = { 0 };
        OWNED(facts) f = NULL;

        ck_assert_int_eq(read_chain(200, &f, &err), 0);
        ck_assert_uint_eq(f->domain.disks[0].n_chain, 200);
        ck_assert_str_eq(f->domain.disks[0].chain[199].source, "/199");
        ck_assert_int_lt(read_chain(300, NULL, &err), 0);
        ck_assert_int_eq(err.code, ERROR_INPUT);
    }
END_TEST

static const struct {
    const char *xml, *manager;
} managers[] = {
    { "<metadata><v:vm xmlns:v='http://ovirt.org/vm/1.0'/></metadata>", "oVirt" },
    { "<metadata><v:qos xmlns:v='http://ovirt.org/vm/tune/1.0'/></metadata>", "oVirt" },
    { "<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.0'/></metadata>",
      "OpenStack" },
    { "<metadata><k:kubevirt xmlns:k='http://kubevirt.io'/></metadata>", "KubeVirt" },
    { "<metadata><o:vm xmlns:o='http://opennebula.org/xmlns/libvirt/1.0'/></metadata>", "OpenNebula" },
    { "<sysinfo type='smbios'><system><entry name='product'>CloudStack KVM "
      "Hypervisor</entry></system></sysinfo>",
      "CloudStack" },
    { "<sysinfo type='smbios'><system><entry name='serial'>oVirt</entry></system></sysinfo>", NULL },
    { "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'/></metadata>", NULL },
    { "<metadata><vm>http://ovirt.org/vm/1.0</vm></metadata>", NULL },
    { "<metadata><a:a xmlns:a='urn:a'><v:vm xmlns:v='http://ovirt.org/vm/1.0'/></a:a></metadata>", NULL },
    { "<metadata/>", NULL },
};
START_TEST(a_manager_shows_by_its_own_namespace_or_product)
    {
        struct error err = { 0 };
        OWNED_TEXT xml = { 0 };
        OWNED(facts) f = NULL;

        text_add(&xml, HEAD "%s</domain>", managers[_i].xml);
        ck_assert_msg(read_xml(text_of(&xml), &f, &err) == 0, "%s (%s)", err.what, err.why);
        ck_assert_msg(text_equal(f->domain.manager, managers[_i].manager), "%s", f->domain.manager);
    }
END_TEST

START_TEST(the_newer_form_of_nvram_is_read_too)
    {
        struct error err = { 0 };
        OWNED(facts) f = NULL;

        ck_assert_int_eq(
            read_xml(HEAD "<os><nvram type='file' template='/t'><source file='/v'/></nvram></os></domain>",
                     &f, &err),
            0);
        ck_assert_str_eq(f->domain.nvram, "/v");
        ck_assert_str_eq(f->domain.nvram_template, "/t");
    }
END_TEST

START_TEST(kinds_of_disk_that_are_new_are_not_taken_for_empty)
    {
        struct error err = { 0 };
        OWNED(facts) f = NULL;

        ck_assert_int_eq(read_xml(DISKS("<disk type='nvme'><source type='pci' namespace='1'/>" VDA "</disk>"
                                        "<disk type='empty'><target dev='vdb'/></disk>"),
                                  &f, &err),
                         0);
        ck_assert_int_eq(f->domain.disks[0].type, DISK_OTHER);
        ck_assert_int_eq(f->domain.disks[1].type, DISK_OTHER);
        ck_assert(disk_is_writable(&f->domain.disks[0]));
    }
END_TEST

TEST_MAIN("facts/domain-xml", LOOP(a_domain_reads_as_the_facts_beside_it, TEST_ROWS(pairs)),
          LOOP(hostile_xml_is_refused_and_said, TEST_ROWS(refused)), hostile_xml_brings_no_word_on_stderr,
          a_million_laughs_cost_no_time,
          LOOP(memory_reads_in_the_units_of_libvirt_and_never_overflows, TEST_ROWS(figures)),
          a_hundred_disks_read_in_their_order, disks_are_read_up_to_1024, xml_is_read_up_to_8_mib,
          values_are_read_up_to_4096_bytes, a_chain_is_read_to_its_end_and_no_deeper_than_the_parser_goes,
          LOOP(a_manager_shows_by_its_own_namespace_or_product, TEST_ROWS(managers)),
          the_newer_form_of_nvram_is_read_too, kinds_of_disk_that_are_new_are_not_taken_for_empty)
