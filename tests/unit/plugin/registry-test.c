/* SPDX-License-Identifier: Apache-2.0
 * The registry: which plugins are loaded, which are refused, and in which words. */
#include "plugin/registry.h"

#include "base/text.h"
#include "check-main.h"
#include "plugin-build.h"
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

static struct error err;

static const struct plugin_entry *only(const struct build *b)
{
    ck_assert_int_eq(registry_load(b->folder, &err), 0);
    ck_assert_uint_eq(registry_count(), 1);
    return registry_at(0);
}

START_TEST(a_plugin_that_keeps_the_contract_is_found_by_every_name)
    {
        struct build b = build_begin();
        const struct plugin_entry *entry;
        const struct plugin_entry *owner = NULL;

        build_plugin(&b, "a.so", "");
        entry = only(&b);
        ck_assert_msg(!entry->refused, "%s", entry->refused);
        ck_assert_str_eq(entry->plugin.name, "sample");
        ck_assert_uint_eq(entry->plugin.size, sizeof entry->plugin);
        ck_assert_ptr_eq(registry_find("sample"), entry);
        ck_assert_ptr_eq(registry_storage("sample-storage", &owner), &entry->storage[0]);
        ck_assert_ptr_eq(owner, entry);
        ck_assert_ptr_eq(registry_transport("sample-transport", NULL), &entry->transports[0]);
        ck_assert_ptr_eq(registry_transport_for_scheme("qemu+sample", &owner), &entry->transports[0]);
        ck_assert_ptr_null(registry_find("sampl"));
        ck_assert_ptr_null(registry_storage("sample-transport", NULL));
        ck_assert_ptr_null(registry_transport(NULL, NULL));
        ck_assert_ptr_null(registry_at(1));
        build_end(&b);
    }
END_TEST

static const struct {
    const char *defines, *sentence;
} broken[] = {
    { "-DPLUGIN_ABI=7", "was built for ABI 7, this virt-ferry speaks ABI 1" },
    { "-DPLUGIN_ABI=0", "was built for ABI 0, this virt-ferry speaks ABI 1" },
    { "-DPLUGIN_ABI=7 -DPLUGIN_SIZE=8", "was built for ABI 7, this virt-ferry speaks ABI 1" },
    { "-DPLUGIN_SIZE=31", "says that its size is 31 bytes, 32 are needed" },
    { "-DPLUGIN_SIZE=0", "says that its size is 0 bytes, 32 are needed" },
    { "-DPLUGIN_NAME=NULL", "has no name, or one that is not a word with dashes" },
    { "-DPLUGIN_NAME='\"Big\"'", "has no name, or one that is not a word with dashes" },
    { "-DPLUGIN_VERSION=NULL", "lacks the required version" },
    { "-DPLUGIN_SUMMARY='\"\"'", "lacks the required summary" },
    { "-DSTORAGE_SIZE=31", "a storage driver says that its size is 31 bytes, 32 are needed" },
    { "-DSTORAGE_NAME=NULL", "a storage driver has no name, or one that is not a word with dashes" },
    { "-DSTORAGE_SUMMARY=NULL", "storage driver 'sample-storage' lacks the required summary" },
    { "-DSTORAGE_CLAIM=NULL", "storage driver 'sample-storage' lacks the required callback claim" },
    { "-DSTORAGE_REMOVE=NULL", "storage driver 'sample-storage' has create without remove" },
    { "-DSTORAGE_CREATE=NULL", "storage driver 'sample-storage' has remove without create" },
    { "-DTRANSPORT_SIZE=71", "a transport driver says that its size is 71 bytes, 72 are needed" },
    { "-DTRANSPORT_NAME='\"-x\"'", "a transport driver has no name, or one that is not a word with dashes" },
    { "-DTRANSPORT_SCHEME='\"\"'", "transport driver 'sample-transport' lacks the required uri_scheme" },
    { "-DTRANSPORT_URI=NULL", "transport driver 'sample-transport' lacks the required callback uri" },
    { "-DTRANSPORT_PROBE=NULL", "transport driver 'sample-transport' lacks the required callback probe" },
    { "-DTRANSPORT_PARAMETER=NULL",
      "transport driver 'sample-transport' lacks the required callback parameter" },
    { "-DTRANSPORT_CLOSE=NULL", "transport driver 'sample-transport' has open without close" },
    { "-DTRANSPORT_OPEN=NULL", "transport driver 'sample-transport' has close without open" },
    { "-DTRANSPORT_OPEN=NULL -DTRANSPORT_CLOSE=NULL",
      "transport driver 'sample-transport' has run without open" },
    { "-DTRANSPORT_OPEN=NULL -DTRANSPORT_CLOSE=NULL -DTRANSPORT_RUN=NULL",
      "transport driver 'sample-transport' has ended without open" },
    { "-DWITHOUT_SYMBOL", "has no symbol 'ferry_plugin_entry': it is not a virt-ferry plugin" },
    { "-DGIVES_NOTHING", "'ferry_plugin_entry' gave nothing" },
};

START_TEST(a_plugin_that_breaks_the_contract_is_refused_in_one_sentence)
    {
        struct build b = build_begin();
        const struct plugin_entry *entry;

        build_plugin(&b, "a.so", broken[_i].defines);
        entry = only(&b);
        ck_assert_ptr_nonnull(entry->refused);
        ck_assert_str_eq(entry->refused, broken[_i].sentence);
        ck_assert_str_eq(entry->plugin.name, "");
        ck_assert_uint_eq(entry->n_storage + entry->n_transports, 0);
        ck_assert_ptr_null(registry_find("sample"));
        build_end(&b);
    }
END_TEST

START_TEST(a_smaller_struct_is_an_older_plugin_whose_missing_fields_are_absent)
    {
        struct build b = build_begin();
        const struct plugin_entry *entry;

        /* What stands behind its size is filled, and must not be read. */
        build_plugin(&b, "a.so", "-DSTORAGE_SIZE='offsetof(struct ferry_storage,identify)'");
        entry = only(&b);
        ck_assert_msg(!entry->refused, "%s", entry->refused);
        ck_assert_uint_eq(entry->storage[0].size, sizeof entry->storage[0]);
        ck_assert_ptr_nonnull(entry->storage[0].claim);
        ck_assert_ptr_null(entry->storage[0].create);
        ck_assert_ptr_null(entry->storage[0].remove);
        ck_assert_ptr_null(entry->storage[0].look_ahead);
        build_end(&b);
    }
END_TEST

START_TEST(a_plugin_without_the_lists_is_an_older_one_with_no_drivers)
    {
        struct build b = build_begin();

        build_plugin(&b, "a.so", "-DPLUGIN_SIZE='offsetof(struct ferry_plugin,storage)'");
        ck_assert_ptr_null(only(&b)->refused);
        ck_assert_uint_eq(registry_at(0)->n_storage + registry_at(0)->n_transports, 0);
        build_end(&b);
    }
END_TEST

START_TEST(a_larger_struct_is_a_newer_plugin_and_is_cut)
    {
        struct build b = build_begin();

        build_plugin(&b, "a.so", "-DSTORAGE_SIZE='sizeof(struct ferry_storage)+8'");
        ck_assert_ptr_null(only(&b)->refused);
        ck_assert_uint_eq(registry_at(0)->storage[0].size, sizeof(struct ferry_storage));
        build_end(&b);
    }
END_TEST

static const struct {
    const char *second, *sentence;
} doubles[] = {
    { "-DPLUGIN_NAME='\"other\"' -DTRANSPORT_NAME='\"t\"'",
      "storage driver 'sample-storage' is there already" },
    { "-DPLUGIN_NAME='\"other\"' -DSTORAGE_NAME='\"s\"'",
      "transport driver 'sample-transport' is there already" },
    { "", "plugin 'sample' was loaded already" },
    { "-DPLUGIN_NAME='\"other\"' -DTRANSPORT_NAME='\"t\"' -DSTORAGE_NAME='\"s\"' "
      "-DMORE_STORAGE='&storage.known,'",
      "storage driver 's' is there already" },
};

START_TEST(a_name_that_is_taken_refuses_the_later_file_alone)
    {
        struct build b = build_begin();

        build_plugin(&b, "b.so", doubles[_i].second);
        build_plugin(&b, "a.so", "");
        build_plugin(&b, "c.so",
                     "-DPLUGIN_NAME='\"third\"' -DTRANSPORT_NAME='\"t3\"' -DSTORAGE_NAME='\"s3\"'");
        ck_assert_int_eq(registry_load(b.folder, &err), 0);
        ck_assert_uint_eq(registry_count(), 3);
        ck_assert(text_ends(registry_at(0)->path, "/a.so"));
        ck_assert_ptr_null(registry_at(0)->refused);
        ck_assert_ptr_nonnull(registry_at(1)->refused);
        ck_assert_msg(text_starts(registry_at(1)->refused, doubles[_i].sentence), "%s",
                      registry_at(1)->refused);
        ck_assert_ptr_null(registry_at(2)->refused);
        ck_assert_str_eq(registry_storage("s3", NULL)->name, "s3");
        build_end(&b);
    }
END_TEST

START_TEST(a_truncated_file_is_refused_at_every_length)
    {
        struct build b = build_begin();
        off_t whole;

        build_plugin(&b, "a.so", "");
        whole = build_size(&b, "a.so");
        for (off_t n = whole; n >= 0; n -= n > 4096 ? 911 : 61) {
            const struct plugin_entry *entry;

            build_cut(&b, "a.so", n);
            entry = only(&b);
            ck_assert_msg(!entry->refused == (n == whole), "%ld of %ld: %s", (long)n, (long)whole,
                          entry->refused);
            if (n < whole)
                ck_assert_str_eq(entry->refused, n < 64 ? "is not an ELF file" : "is truncated");
            if (n == 0)
                break;
            if (n < 61)
                n = 61;
        }
        build_end(&b);
    }
END_TEST

START_TEST(a_text_file_is_no_plugin)
    {
        struct build b = build_begin();

        build_text(&b, "a.so",
                   "#!/bin/sh\nexit 0\n# and so on, longer than the header of an object is, by far\n");
        build_text(&b, "notes.txt", "not looked at");
        build_text(&b, ".hidden.so", "not looked at");
        ck_assert_str_eq(only(&b)->refused, "is not an ELF file");
        build_end(&b);
    }
END_TEST

START_TEST(folders_are_read_in_order_and_a_missing_one_is_empty)
    {
        struct build b = build_begin();
        char path[512];

        build_folder(&b, "two", 0755);
        build_plugin(&b, "two/a.so",
                     "-DPLUGIN_NAME='\"other\"' -DTRANSPORT_NAME='\"t\"' -DSTORAGE_NAME='\"s\"'");
        build_plugin(&b, "z.so", "");
        (void)snprintf(path, sizeof path, ":%s/none::%s:%s/two/:", b.folder, b.folder, b.folder);
        ck_assert_int_eq(setenv("VIRT_FERRY_PLUGIN_PATH", path, 1), 0);
        ck_assert_int_eq(registry_load(NULL, &err), 0);
        ck_assert_uint_eq(registry_count(), 2);
        ck_assert_str_eq(registry_at(0)->plugin.name, "sample");
        ck_assert_str_eq(registry_at(1)->plugin.name, "other");
        ck_assert_int_eq(registry_load("/nowhere/at/all", &err), 0);
        ck_assert_uint_eq(registry_count(), 0);
        build_end(&b);
    }
END_TEST

START_TEST(a_relative_folder_is_one_of_the_working_directory)
    {
        struct build b = build_begin();

        build_plugin(&b, "a.so", "");
        ck_assert_int_eq(chdir(b.folder), 0);
        ck_assert_int_eq(registry_load(".", &err), 0);
        ck_assert_uint_eq(registry_count(), 1);
        ck_assert_ptr_null(registry_at(0)->refused);
        build_end(&b);
    }
END_TEST

static size_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

START_TEST(unloading_gives_every_descriptor_back)
    {
        struct build b = build_begin();
        size_t before = open_descriptors();

        build_plugin(&b, "a.so", "");
        build_plugin(&b, "b.so", "-DPLUGIN_ABI=7");
        build_text(&b, "c.so", "no object");
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(registry_load(b.folder, &err), 0);
        ck_assert_uint_eq(registry_count(), 3);
        registry_unload();
        ck_assert_uint_eq(registry_count(), 0);
        ck_assert_uint_eq(open_descriptors(), before);
        build_end(&b);
    }
END_TEST

TEST_MAIN("plugin/registry", a_plugin_that_keeps_the_contract_is_found_by_every_name,
          LOOP(a_plugin_that_breaks_the_contract_is_refused_in_one_sentence, TEST_ROWS(broken)),
          a_smaller_struct_is_an_older_plugin_whose_missing_fields_are_absent,
          a_plugin_without_the_lists_is_an_older_one_with_no_drivers,
          a_larger_struct_is_a_newer_plugin_and_is_cut,
          LOOP(a_name_that_is_taken_refuses_the_later_file_alone, TEST_ROWS(doubles)),
          a_truncated_file_is_refused_at_every_length, a_text_file_is_no_plugin,
          folders_are_read_in_order_and_a_missing_one_is_empty,
          a_relative_folder_is_one_of_the_working_directory, unloading_gives_every_descriptor_back)
