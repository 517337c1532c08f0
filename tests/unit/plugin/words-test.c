/* SPDX-License-Identifier: Apache-2.0
 * local-block's paths, XML text and URIs. */
#include "../../../plugins/common/words.c" /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"

static const struct {
    const char *path, *folder, *name; /* folder NULL: refused */
} paths[] = {
    { "/a/b/c.img", "/a/b", "c.img" },
    { "/c.img", "/", "c.img" },
    { "//a///b//c.img", "/a/b", "c.img" },
    { "/a/..b/c", "/a/..b", "c" },
    { "/a/b/...", "/a/b", "..." },
    { "/a/b/-rf", "/a/b", "-rf" },
    { "/a/./b", "/a", "b" },
    { "/.//./a/.x/.//b", "/a/.x", "b" },
    { "/./b", "/", "b" },
    { "/a/b/..", NULL, NULL },
    { "/a/../b", NULL, NULL },
    { "/a/b/", NULL, NULL },
    { "/a/.", NULL, NULL },
    { "a/b", NULL, NULL },
    { "", NULL, NULL },
    { NULL, NULL, NULL },
    { "/", NULL, NULL },
    { "/a\nb/c", NULL, NULL },
    { "/a/c\x7f", NULL, NULL },
};

START_TEST(a_path_is_cut_into_folder_and_name_or_refused)
    {
        char folder[64];
        char name[64];
        const char *problem = words_cut_path(paths[_i].path, folder, name, sizeof folder);

        ck_assert_int_eq(problem == NULL, paths[_i].folder != NULL);
        if (!problem) {
            ck_assert_str_eq(folder, paths[_i].folder);
            ck_assert_str_eq(name, paths[_i].name);
        }
    }
END_TEST

START_TEST(a_path_that_fills_its_room_is_cut_and_one_byte_more_is_refused)
    {
        char folder[16];
        char name[16];

        ck_assert_ptr_null(words_cut_path("/345678/0123456", folder, name, 16)); /* 15 and the end */
        ck_assert_str_eq(name, "0123456");
        ck_assert_ptr_nonnull(words_cut_path("/345678/01234567", folder, name, 16));
    }
END_TEST

static const char *const texts[] = { "plain", "", "a & b", "<\"'>", "&amp;", "&&&&&&&&", "\xc3\xa9 &lt;" };

START_TEST(text_that_is_escaped_is_read_back_the_same)
    {
        OWNED_MEMORY char *escaped = words_escape_xml(texts[_i]);
        OWNED_TEXT xml = { 0 };
        OWNED_MEMORY char *back = NULL;
        OWNED_MEMORY char *attribute = NULL;

        ck_assert_ptr_nonnull(escaped);
        ck_assert_ptr_null(strpbrk(escaped, "<>'\""));
        text_add(&xml, "<pool type='%s'>\n  <target>\n    <path>%s</path>\n  </target>\n</pool>", escaped,
                 escaped);
        back = words_xml_text(xml.s, "target", "path");
        attribute = words_xml_attribute(xml.s, "pool", "type");
        ck_assert_ptr_nonnull(back);
        ck_assert_str_eq(back, texts[_i]);
        ck_assert_str_eq(attribute, texts[_i]);
    }
END_TEST

START_TEST(what_is_not_in_the_xml_is_nothing)
    {
        ck_assert_ptr_null(words_xml_text("<pool><path>/a</path><target/></pool>", "target", "path"));
        ck_assert_ptr_null(words_xml_text("<pool><target><path/></target></pool>", "target", "path"));
        ck_assert_ptr_null(
            words_xml_text("<pool><target><pathology>/a</pathology></target></pool>", "target", "path"));
        ck_assert_ptr_null(words_xml_text("", "target", "path"));
        ck_assert_ptr_null(words_xml_attribute("<pool><target type='a'/></pool>", "pool", "type"));
        ck_assert_ptr_null(words_xml_attribute("<pool", "pool", "type"));
    }
END_TEST

START_TEST(a_quoted_name_is_one_word_to_a_shell)
    {
        OWNED_MEMORY char *quoted = words_quote("it's $(here) `now`\\");

        ck_assert_str_eq(quoted, "'it'\\''s $(here) `now`\\'");
    }
END_TEST

static const struct {
    const char *uri;
    bool is_local;
} uris[] = {
    { "qemu:///system", true },
    { "qemu+unix:///session", true },
    { "qemu+tcp://hostB/system", false },
    { "qemu+unix:///system?socket=/run/forward", false },
    { "qemu+ext:///system", false },
    { "qemu://hostB/system", false },
    { "qemu", false },
    { NULL, false },
};

START_TEST(only_a_plain_uri_without_a_server_ends_here)
    {
        ck_assert_int_eq(words_uri_is_local(uris[_i].uri), uris[_i].is_local);
    }
END_TEST

static const struct {
    const char *identity, *path, *format;
    uint64_t capacity, length;
    bool is_ours;
} images[] = {
    /* About to be created: the length that nobody else gives a file there. */
    { "size:5120", "/a/b/c", "raw", 5120, 5120, true },
    { "size:5120", "/a/b/c", "raw", 4096, 4096, false },
    { "size:5120", "/a/b/c", "qcow2", 5120, 4096, false },
    { "size:5120x", "/a/b/c", "raw", 5120, 5120, false },
    { "size:", "/a/b/c", "raw", 0, 0, false },
    { "size:5120", "/a/b/d", "raw", 5120, 5120, false },
    /* Raw, before its length was set and after; what a guest wrote does not matter. */
    { "made:raw:4096:5120:4096", "/a/b/c", "raw", 5120, 5120, true },
    { "made:raw:4096:5120:4096", "/a/b/c", "raw", 4096, 4096, true },
    { "made:raw:4096:5120:4096", "/a/b/c", "luks", 77, 4096, true },
    { "made:raw:4096:5120:4096", "/a/b/c", "raw", 4608, 4608, false },
    { "made:raw:4096:5120:4096", "/a/b/c", "qcow2", 4096, 9999, false },
    { "made:raw:4096:5120:4096", "/a/c", "raw", 4096, 4096, false },
    { "made:raw:4096:5120:4096", "/a/b/b/c", "raw", 4096, 4096, false },
    { "made:raw:4096:5120:4096", "/a/bc", "raw", 4096, 4096, false },
    { "made:raw:4096:5120:4096", NULL, "raw", 4096, 4096, false },
    /* qcow2, not yet written, written, and grown. */
    { "made:qcow2:1048576:9216:8192", "/a/b/c", "raw", 9216, 9216, true },
    { "made:qcow2:1048576:9216:8192", "/a/b/c", "raw", 8192, 8192, true },
    { "made:qcow2:1048576:9216:8192", "/a/b/c", "qcow2", 1048576, 700000, true },
    { "made:qcow2:1048576:9216:8192", "/a/b/c", "qcow2", 1048577, 700000, false },
    { "made:qcow2:1048576:9216:8192", "/a/b/c", "raw", 1048576, 700000, false },
    { "made:qcow2:1048576:9216:8192", "/a/b/c", NULL, 1048576, 700000, false },
    /* Being filled by a stream, which cuts it at each hole. */
    { "sent:4096", "/a/b/c", "qcow2", 1048576, 4096, true },
    { "sent:4096", "/a/b/c", "raw", 512, 512, true },
    { "sent:4096", "/a/b/c", "raw", 4608, 4608, false },
    { "sent:4096", "/a/b/d", "raw", 4096, 4096, false },
    { "sent:4096x", "/a/b/c", "raw", 4096, 4096, false },
    /* What nobody journals says nothing. */
    { "made", "/a/b/c", "raw", 4096, 4096, false },
    { "made:raw:4096:5120", "/a/b/c", "raw", 4096, 4096, false },
    { "made:raw:4096:5120:4096:1", "/a/b/c", "raw", 4096, 4096, false },
    { "", "/a/b/c", "raw", 4096, 4096, false },
};

START_TEST(only_what_fits_its_identity_is_ours_to_remove)
    {
        const struct words_volume v = { images[_i].path, images[_i].format, images[_i].capacity,
                                        images[_i].length };

        ck_assert_int_eq(words_is_ours(images[_i].identity, "/a/b", "c", &v), images[_i].is_ours);
    }
END_TEST

START_TEST(an_image_in_the_root_is_found_by_its_path_too)
    {
        const struct words_volume v = { "/c", "raw", 512, 512 };

        ck_assert(words_is_ours("size:512", "/", "c", &v));
        ck_assert(!words_is_ours("size:512", "/", "d", &v));
    }
END_TEST

TEST_MAIN("plugin/words", LOOP(a_path_is_cut_into_folder_and_name_or_refused, TEST_ROWS(paths)),
          a_path_that_fills_its_room_is_cut_and_one_byte_more_is_refused,
          LOOP(text_that_is_escaped_is_read_back_the_same, TEST_ROWS(texts)),
          what_is_not_in_the_xml_is_nothing, a_quoted_name_is_one_word_to_a_shell,
          LOOP(only_what_fits_its_identity_is_ours_to_remove, TEST_ROWS(images)),
          an_image_in_the_root_is_found_by_its_path_too,
          LOOP(only_a_plain_uri_without_a_server_ends_here, TEST_ROWS(uris)))
