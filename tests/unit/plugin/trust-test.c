/* SPDX-License-Identifier: Apache-2.0
 * Which folders and files are trusted: nobody but root and the effective user may be able to change any part
 * of the way to them. */
#include "plugin/trust.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <sys/types.h>

static char why[2048];

static enum trust_answer answer(const char *path, enum trust_kind kind)
{
    int fd = -1;
    enum trust_answer a;

    why[0] = '\0';
    a = trust_open(path, kind, &fd, why, sizeof why);
    ck_assert_int_eq(fd >= 0, a == TRUST_YES);
    ck_assert_int_eq(why[0] != '\0', a == TRUST_NO);
    if (fd >= 0)
        (void)close(fd);
    return a;
}

static const struct {
    mode_t mode;
    enum trust_answer as_last, on_the_way;
} folder_modes[] = {
    { 0755, TRUST_YES, TRUST_YES }, { 0700, TRUST_YES, TRUST_YES },  { 0775, TRUST_NO, TRUST_NO },
    { 0757, TRUST_NO, TRUST_NO },   { 01755, TRUST_YES, TRUST_YES },
};

START_TEST(a_folder_that_others_can_write_is_not_trusted)
    {
        struct build b = build_begin();

        build_folder(&b, "f", folder_modes[_i].mode);
        build_folder(&b, "f/inner", 0755);
        build_text(&b, "f/file", "x");
        ck_assert_int_eq(answer(build_path(&b, "f"), TRUST_FOLDER), folder_modes[_i].as_last);
        ck_assert_int_eq(answer(build_path(&b, "f/"), TRUST_FOLDER), folder_modes[_i].as_last);
        ck_assert_int_eq(answer(build_path(&b, "f/."), TRUST_FOLDER), folder_modes[_i].as_last);
        ck_assert_int_eq(answer(build_path(&b, "f/inner/.."), TRUST_FOLDER), folder_modes[_i].as_last);
        ck_assert_int_eq(answer(build_path(&b, "f/inner"), TRUST_FOLDER), folder_modes[_i].on_the_way);
        ck_assert_int_eq(answer(build_path(&b, "f/file"), TRUST_FILE), folder_modes[_i].on_the_way);
        build_end(&b);
    }
END_TEST

START_TEST(a_sticky_folder_of_root_will_do_on_the_way_and_not_at_the_end)
    {
        struct build b = build_begin();

        ck_assert_int_eq(answer(b.folder, TRUST_FOLDER), TRUST_YES);
        ck_assert_int_eq(answer("/tmp", TRUST_FOLDER), TRUST_NO);
        ck_assert_str_eq(why, "'/tmp' can be written by others than its owner");
        ck_assert_int_eq(answer("/tmp/.", TRUST_FOLDER), TRUST_NO);
        ck_assert_int_eq(symlink("/tmp/", build_path(&b, "link")), 0);
        ck_assert_int_eq(answer(build_path(&b, "link"), TRUST_FOLDER), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "link/."), TRUST_FOLDER), TRUST_NO);
        if (geteuid() == 0) {
            /* What another user put into it. */
            build_folder(&b, "sticky", 01777);
            build_folder(&b, "sticky/theirs", 0755);
            ck_assert_int_eq(answer(build_path(&b, "sticky/theirs"), TRUST_FOLDER), TRUST_YES);
            ck_assert_int_eq(chown(build_path(&b, "sticky/theirs"), 12345, 12345), 0);
            ck_assert_int_eq(answer(build_path(&b, "sticky/theirs"), TRUST_FOLDER), TRUST_NO);
            ck_assert(strstr(why, "belongs to user 12345"));
            build_folder(&b, "real", 0755);
            ck_assert_int_eq(symlink("../real", build_path(&b, "sticky/link")), 0);
            ck_assert_int_eq(answer(build_path(&b, "sticky/link"), TRUST_FOLDER), TRUST_YES);
            ck_assert_int_eq(lchown(build_path(&b, "sticky/link"), 12345, 12345), 0);
            ck_assert_int_eq(answer(build_path(&b, "sticky/link"), TRUST_FOLDER), TRUST_NO);
            /* Sticky protects nothing from the folder's own owner. */
            ck_assert_int_eq(chown(build_path(&b, "sticky"), 12345, 12345), 0);
            ck_assert_int_eq(answer(build_path(&b, "sticky/link"), TRUST_FOLDER), TRUST_NO);
        }
        build_end(&b);
    }
END_TEST

START_TEST(a_link_is_as_good_as_every_folder_that_it_leads_through)
    {
        struct build b = build_begin();

        build_folder(&b, "good", 0755);
        build_folder(&b, "bad", 0777);
        build_folder(&b, "bad/inner", 0755);
        build_text(&b, "good/file", "x");
        build_text(&b, "bad/inner/file", "x");
        ck_assert_int_eq(symlink("good", build_path(&b, "to-good")), 0);
        ck_assert_int_eq(symlink(build_path(&b, "bad/inner"), build_path(&b, "to-bad")), 0);
        ck_assert_int_eq(symlink("to-bad", build_path(&b, "to-to-bad")), 0);
        ck_assert_int_eq(symlink("../bad/inner/file", build_path(&b, "good/link")), 0);
        ck_assert_int_eq(answer(build_path(&b, "to-good"), TRUST_FOLDER), TRUST_YES);
        ck_assert_int_eq(answer(build_path(&b, "to-good/file"), TRUST_FILE), TRUST_YES);
        ck_assert_int_eq(answer(build_path(&b, "to-bad"), TRUST_FOLDER), TRUST_NO);
        ck_assert(text_ends(why, "/bad' can be written by others than its owner"));
        ck_assert_int_eq(answer(build_path(&b, "to-to-bad"), TRUST_FOLDER), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "to-to-bad/file"), TRUST_FILE), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "good/link"), TRUST_FILE), TRUST_NO);
        build_end(&b);
    }
END_TEST

START_TEST(links_in_circles_and_into_nothing_end)
    {
        struct build b = build_begin();

        ck_assert_int_eq(symlink("b", build_path(&b, "a")), 0);
        ck_assert_int_eq(symlink("a", build_path(&b, "b")), 0);
        ck_assert_int_eq(symlink("nowhere", build_path(&b, "dangling")), 0);
        ck_assert_int_eq(answer(build_path(&b, "a"), TRUST_FOLDER), TRUST_NO);
        ck_assert(text_ends(why, "is a symbolic link that leads in circles"));
        ck_assert_int_eq(answer(build_path(&b, "dangling"), TRUST_FILE), TRUST_ABSENT);
        build_end(&b);
    }
END_TEST

static const struct {
    mode_t mode;
    enum trust_answer wanted;
} file_modes[] = { { 0755, TRUST_YES }, { 0400, TRUST_YES }, { 0664, TRUST_NO }, { 0646, TRUST_NO } };

START_TEST(a_file_that_others_can_write_is_not_trusted)
    {
        struct build b = build_begin();

        build_text(&b, "file", "x");
        ck_assert_int_eq(chmod(build_path(&b, "file"), file_modes[_i].mode), 0);
        ck_assert_int_eq(answer(build_path(&b, "file"), TRUST_FILE), file_modes[_i].wanted);
        build_end(&b);
    }
END_TEST

START_TEST(a_folder_is_no_file_and_a_file_no_folder)
    {
        struct build b = build_begin();

        build_text(&b, "file", "x");
        build_folder(&b, "folder", 0755);
        ck_assert_int_eq(mkfifo(build_path(&b, "pipe"), 0600), 0);
        ck_assert_int_eq(answer(build_path(&b, "file"), TRUST_FOLDER), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "folder"), TRUST_FILE), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "folder/."), TRUST_FILE), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "pipe"), TRUST_FILE), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "file/more"), TRUST_FILE), TRUST_NO);
        ck_assert_int_eq(answer(build_path(&b, "none"), TRUST_FILE), TRUST_ABSENT);
        ck_assert_int_eq(answer("/", TRUST_FOLDER), TRUST_YES);
        build_end(&b);
    }
END_TEST

START_TEST(the_registry_lists_a_folder_that_is_not_trusted_and_goes_on)
    {
        struct build b = build_begin();
        struct error err = { 0 };
        char path[512];

        build_folder(&b, "bad", 0777);
        build_folder(&b, "good", 0755);
        build_plugin(&b, "bad/a.so", "");
        build_plugin(&b, "good/a.so", "-DPLUGIN_NAME='\"good\"'");
        build_plugin(&b, "good/b.so", "");
        ck_assert_int_eq(chmod(build_path(&b, "good/b.so"), 0775), 0);
        (void)snprintf(path, sizeof path, "%s/bad:%s/good", b.folder, b.folder);
        ck_assert_int_eq(registry_load(path, &err), 0);
        ck_assert_uint_eq(registry_count(), 3);
        ck_assert(text_ends(registry_at(0)->path, "/bad"));
        ck_assert(text_starts(registry_at(0)->refused, "is not trusted: '"));
        ck_assert_ptr_null(registry_at(1)->refused);
        ck_assert(text_starts(registry_at(2)->refused, "is not trusted: '"));
        ck_assert_ptr_null(registry_find("sample"));
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/trust", LOOP(a_folder_that_others_can_write_is_not_trusted, TEST_ROWS(folder_modes)),
          a_sticky_folder_of_root_will_do_on_the_way_and_not_at_the_end,
          a_link_is_as_good_as_every_folder_that_it_leads_through, links_in_circles_and_into_nothing_end,
          LOOP(a_file_that_others_can_write_is_not_trusted, TEST_ROWS(file_modes)),
          a_folder_is_no_file_and_a_file_no_folder,
          the_registry_lists_a_folder_that_is_not_trusted_and_goes_on)
