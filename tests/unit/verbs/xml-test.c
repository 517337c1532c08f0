/* SPDX-License-Identifier: Apache-2.0
 * Values out of libvirt's XML, what is refused as XML, and text made safe to write into some. */
#include "check-main.h"
#include "verbs/xml.h"

static const char sample[] = "<pool type='dir'><name>a&amp;b &lt;c&gt;</name><empty/>"
                             "<target><path>/one</path><path>/two</path></target></pool>";

static const struct {
    const char *xpath, *value;
} values[] = {
    { "/pool/@type", "dir" },
    { "/pool/name", "a&b <c>" },
    { "/pool/name/text()", "a&b <c>" },
    { "/pool/target/path", "/one" },
    { "//path[2]", "/two" },
    { "/pool/target", "/one/two" },
    { "/pool/empty", "" },
    { "/pool/none", NULL },
    { "/pool/@none", NULL },
    { "/pool/name[@x='y']", NULL },
    { "count(/pool/target/path)", NULL }, /* no node */
};

START_TEST(the_first_match_is_the_value)
    {
        OWNED(xml) x = xml_read(sample);

        ck_assert_ptr_nonnull(x);
        OWNED_MEMORY char *value = xml_value(x, values[_i].xpath);
        if (values[_i].value)
            ck_assert_str_eq(value, values[_i].value);
        else
            ck_assert_ptr_null(value);
    }
END_TEST

static const char *const refused[] = {
    NULL,
    "",
    " ",
    "no xml",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a x=1/>",
    "<a>\x01</a>",
    "<a>\xff</a>",
    "<a>&undefined;</a>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
    "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
    "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>",
};

START_TEST(what_is_no_xml_or_brings_a_doctype_is_refused)
    {
        OWNED(xml) x = xml_read(refused[_i]);

        ck_assert_ptr_null(x);
    }
END_TEST

START_TEST(eight_mib_are_read_and_a_byte_more_is_not)
    {
        size_t n = 8u << 20;
        OWNED_MEMORY char *text = malloc(n + 2);

        ck_assert_ptr_nonnull(text);
        memset(text, ' ', n + 1);
        text[n] = text[n + 1] = '\0';
        memcpy(text, "<a>", 3);
        memcpy(text + n - 4, "</a>", 4);
        OWNED(xml) fits = xml_read(text);
        ck_assert_ptr_nonnull(fits);
        text[n] = ' ';
        OWNED(xml) larger = xml_read(text);
        ck_assert_ptr_null(larger);
    }
END_TEST

static const struct {
    const char *plain, *quoted;
} quotes[] = {
    { "", "" },
    { "plain", "plain" },
    { "a&b", "a&amp;b" },
    { "<'\">", "&lt;&apos;&quot;&gt;" },
    { "&amp;", "&amp;amp;" },
    { "'/><disk/>", "&apos;/&gt;&lt;disk/&gt;" },
    { "\xc3\xa9", "\xc3\xa9" },
};

START_TEST(text_that_is_quoted_reads_back_as_it_was)
    {
        OWNED_MEMORY char *quoted = xml_quoted(quotes[_i].plain);
        char whole[256];

        ck_assert_str_eq(quoted, quotes[_i].quoted);
        (void)snprintf(whole, sizeof whole, "<a b='%s' c=\"%s\">%s</a>", quoted, quoted, quoted);
        OWNED(xml) x = xml_read(whole);
        ck_assert_ptr_nonnull(x);
        OWNED_MEMORY char *element = xml_value(x, "/a"), *b = xml_value(x, "/a/@b"),
                          *c = xml_value(x, "/a/@c");
        ck_assert_str_eq(element, quotes[_i].plain);
        ck_assert_str_eq(b, quotes[_i].plain);
        ck_assert_str_eq(c, quotes[_i].plain);
    }
END_TEST

TEST_MAIN("verbs/xml", LOOP(the_first_match_is_the_value, TEST_ROWS(values)),
          LOOP(what_is_no_xml_or_brings_a_doctype_is_refused, TEST_ROWS(refused)),
          eight_mib_are_read_and_a_byte_more_is_not,
          LOOP(text_that_is_quoted_reads_back_as_it_was, TEST_ROWS(quotes)))
