/* SPDX-License-Identifier: Apache-2.0
 * The mark of a run: written, read in both of libvirt's spellings, taken out without touching anything else.
 */
#include "data.h"
#include "facts/domain-xml.h"

static const struct mark ours = { .run = "20261124T101530-9f3a12bc", .host = "admin1", .time_s = 1795515330 };

static void expect_equal(const struct mark *a, const struct mark *b)
{
    ck_assert_str_eq(a->run, b->run);
    ck_assert_str_eq(a->host, b->host);
    ck_assert_uint_eq(a->time_s, b->time_s);
}

static const char *const hosts[] = { "admin1", "a<b>&'\"c", "caf\xc3\xa9" };
START_TEST(a_mark_reads_as_it_was_written)
    {
        struct error err = { 0 };
        struct mark in = ours, out = { 0 };

        (void)snprintf(in.host, sizeof in.host, "%s", hosts[_i]);
        OWNED_MEMORY char *element = mark_write(&in, &err);
        ck_assert_msg(element != NULL, "%s", err.what);
        /* libvirt takes the first node of what it is given for the element. */
        ck_assert_int_eq(strncmp(element, "<run ", 5), 0);
        ck_assert_msg(mark_read(element, &out, &err) == 0, "%s", err.what);
        expect_equal(&in, &out);
    }
END_TEST

#define FIELDS "name='20261124T101530-9f3a12bc' host='admin1' time='1795515330'"
START_TEST(a_mark_reads_with_its_namespace_too)
    {
        struct error err = { 0 };
        struct mark out = { 0 };

        ck_assert_int_eq(mark_read("<ferry:run xmlns:ferry='" MARK_URI "' " FIELDS "/>", &out, &err), 0);
        expect_equal(&ours, &out);
    }
END_TEST

static const char *const unreadable[] = {
    "",
    "<run/>",
    "<run name='20261124T101530-9f3a12bc' host='admin1'/>",
    "<run name='20261124T101530-9f3a12bc' time='1'/>",
    "<run host='admin1' time='1'/>",
    "<run name='../../etc/passwd' host='admin1' time='1'/>",
    "<run name='20261124T101530-9f3a12bc' host='' time='1'/>",
    "<run name='20261124T101530-9f3a12bc' host='admin1' time='-1'/>",
    "<run name='20261124T101530-9f3a12bc' host='admin1' time='99999999999999999999'/>",
    "<walk " FIELDS "/>",
    "<x:run xmlns:x='urn:other' " FIELDS "/>",
    "<!DOCTYPE run><run " FIELDS "/>",
};
START_TEST(a_mark_that_is_not_ours_is_refused)
    {
        struct error err = { 0 };
        struct mark out = ours;

        ck_assert_int_lt(mark_read(unreadable[_i], &out, &err), 0);
        ck_assert_int_eq(err.code, ERROR_INPUT);
        expect_equal(&ours, &out);
    }
END_TEST

static int read_host_of(int n)
{
    char element[512];
    struct error err = { 0 };
    struct mark out = { 0 };

    (void)snprintf(element, sizeof element, "<run name='%s' host='%0*d' time='1'/>", ours.run, n, 0);
    return mark_read(element, &out, &err);
}
START_TEST(a_host_in_a_mark_is_read_up_to_127_bytes)
    {
        ck_assert_int_eq(read_host_of(127), 0);
        ck_assert_int_lt(read_host_of(128), 0);
    }
END_TEST

START_TEST(a_mark_without_a_run_or_host_is_not_written)
    {
        struct error err = { 0 };
        struct mark no_run = ours, no_host = ours, no_text = ours;

        no_run.run[0] = no_host.host[0] = '\0';
        no_text.host[0] = '\xff';
        ck_assert_ptr_null(mark_write(&no_run, &err));
        ck_assert_ptr_null(mark_write(&no_host, &err));
        ck_assert_ptr_null(mark_write(&no_text, &err));
    }
END_TEST

#define MARK "<ferry:run xmlns:ferry='" MARK_URI "' name='x'/>"
static const struct {
    const char *marked, *without;
} strips[] = {
    { "<domain><name>a</name><metadata>" MARK "</metadata></domain>", "<domain><name>a</name></domain>" },
    { "<domain><metadata>\n  " MARK "\n</metadata></domain>", "<domain/>" },
    { "<domain><metadata>" MARK "<!-- kept --></metadata></domain>",
      "<domain><metadata><!-- kept --></metadata></domain>" },
    { "<domain><metadata>" MARK "<b:b xmlns:b=\"urn:b\"/>" MARK "</metadata></domain>",
      "<domain><metadata><b:b xmlns:b=\"urn:b\"/></metadata></domain>" },
    { "<domain xmlns:f='" MARK_URI "'><metadata><f:run/></metadata></domain>",
      "<domain xmlns:f=\"" MARK_URI "\"/>" },
    { "<domain><metadata/></domain>", "<domain><metadata/></domain>" },
    { "<domain><metadata><run/></metadata></domain>", "<domain><metadata><run/></metadata></domain>" },
    { "<domain><devices>" MARK "</devices></domain>",
      "<domain><devices><ferry:run xmlns:ferry=\"" MARK_URI "\" name=\"x\"/></devices></domain>" },
    { "<domain><name>a&amp;b&lt;</name><g p='&quot;&#10;&#9;'/></domain>",
      "<domain><name>a&amp;b&lt;</name><g p=\"&quot;&#10;&#9;\"/></domain>" },
    { "<domain xmlns:qemu='urn:q'><qemu:commandline><qemu:arg value='-x'/></qemu:commandline></domain>",
      "<domain xmlns:qemu=\"urn:q\"><qemu:commandline><qemu:arg value=\"-x\"/></qemu:commandline></domain>" },
    { "<?xml version='1.0'?><!-- top --><domain>\n <a><![CDATA[<]]></a>\n</domain>\n",
      "<domain>\n <a><![CDATA[<]]></a>\n</domain>" },
};
START_TEST(the_mark_alone_is_taken_out)
    {
        struct error err = { 0 };
        OWNED_MEMORY char *without = domain_xml_without_mark(strips[_i].marked, &err);

        ck_assert_msg(without != NULL, "%s (%s)", err.what, err.why);
        ck_assert_str_eq(without, strips[_i].without);
    }
END_TEST

START_TEST(a_real_domain_without_its_mark_is_the_same_domain)
    {
        struct error err = { 0 };
        OWNED(facts) before = facts_new();
        OWNED(facts) after = facts_new();
        size_t n;
        OWNED_MEMORY char *xml = data_read("marked.xml", &n);
        OWNED_MEMORY char *without = domain_xml_without_mark(xml, &err);

        ck_assert_msg(without != NULL, "%s", err.what);
        ck_assert_ptr_null(strstr(without, "ferry"));
        ck_assert_ptr_nonnull(strstr(without, "<libosinfo:os id=\"http://debian.org/debian/12\"/>"));
        ck_assert_int_eq(domain_xml_read(before, xml, &err), 0);
        ck_assert_int_eq(domain_xml_read(after, without, &err), 0);
        OWNED_MEMORY char *a = facts_text(before);
        OWNED_MEMORY char *b = facts_text(after);
        ck_assert_str_eq(a, b);
    }
END_TEST

START_TEST(xml_that_is_no_domain_is_not_edited)
    {
        struct error err = { 0 };

        ck_assert_ptr_null(domain_xml_without_mark("<network/>", &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
        ck_assert_ptr_null(domain_xml_without_mark("<!DOCTYPE domain><domain/>", &err));
        ck_assert_int_eq(err.code, ERROR_INPUT);
    }
END_TEST

TEST_MAIN("facts/mark", LOOP(a_mark_reads_as_it_was_written, TEST_ROWS(hosts)),
          a_mark_reads_with_its_namespace_too,
          LOOP(a_mark_that_is_not_ours_is_refused, TEST_ROWS(unreadable)),
          a_host_in_a_mark_is_read_up_to_127_bytes, a_mark_without_a_run_or_host_is_not_written,
          LOOP(the_mark_alone_is_taken_out, TEST_ROWS(strips)),
          a_real_domain_without_its_mark_is_the_same_domain, xml_that_is_no_domain_is_not_edited)
