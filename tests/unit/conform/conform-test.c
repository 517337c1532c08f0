/* SPDX-License-Identifier: Apache-2.0
 * What plugin check says of the plugins of the house, of the example, and of plugins that were broken on
 * purpose. */
#include "conform/conform.h"

#include "base/text.h"
#include "cli/capture.h"
#include "plugin/plugin-build.h"
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define QUICK 1500u /* ms for a call, where one that hangs need not be waited for so long */

static struct text told;
static unsigned n_told;

static void tell(void *context, const struct conform_line *line)
{
    (void)context;
    n_told++;
    text_add(&told, "%s %s%s%s\n", line->is_ok ? "ok" : "not ok", line->sentence,
             line->skipped ? " # SKIP " : "", line->skipped ? line->skipped : "");
    for (size_t i = 0; i < line->n_why; i++)
        text_add(&told, "# %s\n", line->why[i]);
}

/* The example claims what lies in its folder. */
static const char *config(void *context, const char *section, const char *key)
{
    (void)context;
    if (!text_equal(section, "example"))
        return NULL;
    return text_equal(key, "folder") ? "/nowhere" : text_equal(key, "cluster") ? "rack-7" : NULL;
}

static void *(*libvirt)(void *context);

/* What was told; *ret_failed of it. */
static const char *try_plugin(const char *path, const char *location, unsigned limit_ms, unsigned *ret_failed)
{
    struct error err = { 0 };
    const struct conform_ask ask = { .path = path,
                                     .location = location,
                                     .config = config,
                                     .libvirt = libvirt,
                                     .tell = tell,
                                     .limit_ms = limit_ms };

    text_done(&told);
    n_told = 0;
    ck_assert_msg(conform_run(&ask, ret_failed, &err) == 0, "%s", err.what);
    ck_assert(!told.failed);
    return text_of(&told);
}

static void build_broken(const struct build *b, const char *source, const char *defines)
{
    char command[1024];

    (void)snprintf(command, sizeof command,
                   "${CC:-cc} -D_GNU_SOURCE -w -O0 -shared -fPIC -Icore/plugin %s -o '%s' "
                   "tests/unit/conform/broken/%s.c -lpthread",
                   defines, build_path(b, "broken.so"), source);
    ck_assert_int_eq(build_run(command), 0);
    ck_assert_int_eq(chmod(build_path(b, "broken.so"), 0755), 0);
}

static const char *const house[] = { "local-block", "nfs", "ceph", "transport-tls", "transport-ssh" };

START_TEST(a_plugin_of_the_house_keeps_the_contract)
    {
        char path[PATH_MAX];
        const char *text;
        unsigned failed;

        ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
        (void)snprintf(path, sizeof path, "%s/plugins/%s.so", getenv("FERRY_BUILD"), house[_i]);
        text = try_plugin(path, NULL, 0, &failed);
        ck_assert_msg(failed == 0, "%s", text);
        ck_assert_uint_gt(n_told, 4);
        has_not(text, "# ");
    }
END_TEST

/* libvirt's own test driver as a host that is not this machine. These stand before libvirt's functions of the
 * same names, in the plugin too. */
static bool is_taken; /* another makes a pool on the folder at the same time */
static virError said;

char *virConnectGetURI(virConnectPtr connection)
{
    (void)connection;
    return strdup("test+tcp://hostB/default");
}

virErrorPtr virGetLastError(void)
{
    return &said;
}

virStoragePoolPtr virStoragePoolCreateXML(virConnectPtr connection, const char *xml, unsigned flags)
{
    (void)connection;
    (void)xml;
    (void)flags;
    said = is_taken ? (virError){ .code = VIR_ERR_OPERATION_FAILED }
                    : (virError){ .code = VIR_ERR_SYSTEM_ERROR, .int1 = ENOENT };
    is_taken = false;
    return NULL;
}

static void silent(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

/* As a worker of virt-ferry has it: libvirt says nothing by itself. */
static void *hostB(void *context)
{
    virConnectPtr connection;

    virSetErrorFunc(NULL, silent);
    connection = virConnectOpen("test:///default");

    (void)context;
    /* Once, below the file that is looked for first where nobody else looks. */
    if (connection)
        virStoragePoolFree(virStoragePoolDefineXML(
            connection, "<pool type='dir'><name>asleep</name><target><path>/nowhere</path></target></pool>",
            0));
    return connection;
}

/* Folders that are missing, at once or when another's pool on them is gone, and one of a pool that is not
 * active. */
START_TEST(local_block_keeps_the_contract_on_a_host_that_is_another)
    {
        char path[PATH_MAX];
        const char *text;
        unsigned failed;

        ck_assert_ptr_nonnull(getenv("FERRY_BUILD"));
        (void)snprintf(path, sizeof path, "%s/plugins/local-block.so", getenv("FERRY_BUILD"));
        is_taken = _i;
        libvirt = hostB;
        text = try_plugin(path, NULL, 0, &failed);
        libvirt = NULL;
        ck_assert_msg(failed == 0, "%s", text);
    }
END_TEST

START_TEST(the_example_keeps_the_contract)
    {
        struct build b = build_begin();
        char command[256];
        const char *text;
        unsigned failed;

        (void)snprintf(
            command, sizeof command,
            "env -u MAKEFLAGS make -s -C contrib/example-plugin FERRY_CFLAGS='-I../../core/plugin' "
            "OUT='%s/example.so'",
            b.folder);
        ck_assert_int_eq(build_run(command), 0);
        ck_assert_int_eq(chmod(build_path(&b, "example.so"), 0755), 0);
        text = try_plugin(build_path(&b, "example.so"), NULL, QUICK, &failed);
        ck_assert_msg(failed == 0, "%s", text);
        has(text, "ok storage driver 'example': identify returns");
        build_end(&b);
    }
END_TEST

#define CLAIM "claim answers 0 to 100, the same twice, and asks no storage"
#define IDENTIFY "identify returns for disks that are not there, with texts that live"
#define AHEAD "look_ahead returns for disks that are not there"
#define EARLY "create makes nothing before the journal has agreed"
#define AT "at the location: "

/* The sanitizer ends the process by an exit code of its own, and fills what was freed. */
#ifdef __SANITIZE_ADDRESS__
#define CRASHES "ends the process with exit code 1"
#define DEAD_TEXT "identify of a raw file: 'identity' is not valid UTF-8"
#else
#define CRASHES "ends the process by signal 11"
#define DEAD_TEXT "identify of a raw file: 'identity' is a text that does not live"
#endif

static const struct {
    const char *source, *defines, *sentence, *why;
    bool at_location;
} faults[] = {
    { "score", "", CLAIM, "claim of a raw file: answers 200, and there are 0 to 100", false },
    { "null-members", "", IDENTIFY, "identify of a file with all optional members NULL: " CRASHES, false },
    { "dead-text", "", IDENTIFY, DEAD_TEXT, false },
    { "dead-text", "", IDENTIFY,
      "identify of a disk with source and all optional members NULL: returns -1 and sets no error", false },
    { "early", "", EARLY,
      "create of a raw file while the journal refuses: makes 'virt-ferry-check.raw' before the journal",
      false },
    { "early", "", EARLY, "prints to standard output or standard error: 'made /tmp/", false },
    { "early", "", "create refuses what cannot be, with an error and a fix",
      "create of an image without a size: returns 0, and it cannot be created", false },
    { "whole", "-DCLAIM_ALTERNATES", CLAIM, "answers 0 and then 1 for the same disk", false },
    { "whole", "-DCLAIM_IS_SLOW", CLAIM, "takes longer than 250 ms, and no storage is to be asked", false },
    { "whole", "-DCLAIM_CALLS_RUN", CLAIM, "with services of an older host: " CRASHES, false },
    { "whole", "-DLOOKS_AND_FINDS", AHEAD, "look_ahead to all disks: calls 'finding', and findings belong",
      false },
    { "whole", "-DLOOKS_AND_JOURNALS", AHEAD, "look_ahead to a raw file: calls 'journal'", false },
    { "whole", "-DLOOKS_AT_NOTHING", AHEAD, "look_ahead to all disks: " CRASHES, false },
    { "whole", "-DPRINTS", IDENTIFY, "identify of a raw file: prints to standard output", false },
    { "whole", "-DEXITS", IDENTIFY, "identify of a raw file: ends the process with exit code 3", false },
    { "whole", "-DHANGS", IDENTIFY, "identify of a raw file: does not return in time and was killed", false },
    { "whole", "-DLEAVES_THREAD", IDENTIFY, "leaves 1 threads behind", false },
    { "whole", "-DLEAVES_DESCRIPTOR", IDENTIFY, "leaves 1 descriptors open", false },
    { "whole", "-DCHANGES_SIGNAL", IDENTIFY, "changes the handler of signal 10", false },
    { "whole", "-DCHANGES_FOLDER", IDENTIFY, "changes the working directory to '/tmp'", false },
    { "whole", "-DCHANGES_UMASK", IDENTIFY, "changes the umask to 123", false },
    { "whole", "-DDECLARES=0x101", "flags have a meaning", "bits in 'declares' that have no meaning: 0x100",
      false },
    { "whole", "-DSUMMARY='\"two\\nlines\"'", "summaries are lines", "is not one line of printable UTF-8",
      false },
    { "whole", "-DFIX=NULL", "create refuses what cannot be", "sets an error without a fix", false },
    { "whole", "-DCREATES_FIRST", EARLY, "makes 'virt-ferry-check.raw' before the journal has agreed",
      false },
    { "whole", "-DREMOVES_ALL", "remove leaves alone what was never made", ": removes it", false },
    { "whole", "-DPRESENT=0", AT "create journals and makes an image", "says 0 for 'present', and 1 is true",
      true },
    { "whole", "-DNEVER_JOURNALS", AT "create makes nothing while the journal refuses",
      "inspect after the journal refused: says 1", true },
    { "whole", "-DCREATES_OVER", AT "create refuses a place where something stands",
      "returns 0, and something", true },
    { "whole", "-DIDENTITY_CHANGES", AT "identify says the same twice", "and then that it is", true },
    { "whole", "-DCOMPARES_NOTHING", AT "remove leaves an image of another identity",
      "inspect after a removal under another identity: says 0", true },
    { "whole", "-DNEVER_REMOVES", AT "remove takes away what create made",
      "says 1 for 'present', and 0 is true", true },
};

/* The lines from the one that is not ok and has the sentence to the next one. */
static const char *lines_of(const char *text, const char *sentence)
{
    static char lines[16384];

    for (const char *at = text; (at = strstr(at, "not ok ")); at += 7) {
        const char *end = strstr(at + 1, "\nok ");
        const char *other = strstr(at + 1, "\nnot ok ");
        size_t n = strlen(at);

        if (end && (size_t)(end - at) < n)
            n = (size_t)(end - at);
        if (other && (size_t)(other - at) < n)
            n = (size_t)(other - at);
        (void)snprintf(lines, sizeof lines, "%.*s", (int)n, at);
        lines[strcspn(lines, "\n")] = strchr(lines, '\n') ? '\1' : '\0';
        if (strstr(lines, sentence))
            return lines;
    }
    return NULL;
}

START_TEST(a_broken_plugin_is_caught_and_its_fault_is_named)
    {
        struct build b = build_begin();
        const char *text, *lines;
        unsigned failed;

        build_broken(&b, faults[_i].source, faults[_i].defines);
        text =
            try_plugin(build_path(&b, "broken.so"), faults[_i].at_location ? b.folder : NULL, QUICK, &failed);
        ck_assert_uint_gt(failed, 0);
        lines = lines_of(text, faults[_i].sentence);
        ck_assert_msg(lines != NULL, "no line that is not ok has '%s':\n%s", faults[_i].sentence, text);
        has(lines, faults[_i].why);
        build_end(&b);
    }
END_TEST

START_TEST(after_a_crash_the_rest_goes_on)
    {
        struct build b = build_begin();
        const char *text;
        unsigned failed;

        build_broken(&b, "null-members", "");
        text = try_plugin(build_path(&b, "broken.so"), NULL, QUICK, &failed);
        ck_assert_uint_eq(failed, 1);
        has(text, "with all optional members NULL: ends");
        has(text, "an empty CD-ROM drive: ends");
        has(text, "with services of an older host: ends");
        build_end(&b);
    }
END_TEST

START_TEST(a_whole_plugin_makes_and_removes_an_image_at_the_location)
    {
        struct build b = build_begin();
        char command[200];
        const char *text;
        unsigned failed;

        build_broken(&b, "whole", "");
        text = try_plugin(build_path(&b, "broken.so"), b.folder, QUICK, &failed);
        ck_assert_msg(failed == 0, "%s", text);
        has_not(text, "SKIP");
        has(text, "ok storage driver 'whole': at the location: remove takes away what create made\n");
        (void)snprintf(command, sizeof command, "test \"$(ls '%s')\" = broken.so", b.folder);
        ck_assert_int_eq(build_run(command), 0);
        text = try_plugin(build_path(&b, "broken.so"), "nfs://127.0.0.1/nowhere", QUICK, &failed);
        ck_assert_uint_eq(failed, 1);
        has(text, "# no storage driver of it claims a disk at 'nfs://127.0.0.1/nowhere'");
        build_end(&b);
    }
END_TEST

START_TEST(a_file_that_is_not_loaded_is_told_with_the_reason)
    {
        struct build b = build_begin();
        unsigned failed;

        build_plugin(&b, "a.so", "-DPLUGIN_ABI=7");
        has(try_plugin(build_path(&b, "a.so"), NULL, QUICK, &failed),
            "# was built for ABI 7, this virt-ferry speaks ABI 1");
        ck_assert_uint_eq(failed, 1);
        ck_assert_uint_eq(n_told, 1);
        ck_assert_int_eq(chmod(build_path(&b, "a.so"), 0777), 0);
        has(try_plugin(build_path(&b, "a.so"), NULL, QUICK, &failed),
            "can be written by others than its owner");
        has(try_plugin(build_path(&b, "none.so"), NULL, QUICK, &failed),
            "# leads to a file that is not there");
        build_end(&b);
    }
END_TEST

START_TEST(the_command_prints_tap_and_its_exit_code_says_whether_all_is_well)
    {
        struct build b = build_begin();
        const struct captured *c;
        char path[128], count[32];

        build_broken(&b, "score", "");
        (void)snprintf(path, sizeof path, "%s", build_path(&b, "broken.so"));
        c = RUN((char *)"plugin", (char *)"check", path);
        ck_assert_int_eq(c->exit_code, 1);
        ck_assert_int_eq(strncmp(c->out, "TAP version 13\nok 1 - the file", 30), 0);
        has(c->out, "\nnot ok 3 - storage driver 'score': " CLAIM "\n# claim of a raw file: answers 200");
        (void)snprintf(count, sizeof count, "\n1..%d\n", 3);
        has(c->out, count);
        c = RUN((char *)"--json", (char *)"plugin", (char *)"check", path);
        ck_assert_int_eq(c->exit_code, 1);
        has(c->out, "\"failed\": 1");
        build_broken(&b, "whole", "");
        c = RUN((char *)"plugin", (char *)"check", path, (char *)"--location", b.folder);
        ck_assert_msg(c->exit_code == 0, "%s%s", c->out, c->err);
        build_end(&b);
    }
END_TEST

TEST_MAIN("conform/conform", LOOP(a_plugin_of_the_house_keeps_the_contract, TEST_ROWS(house)),
          LOOP(local_block_keeps_the_contract_on_a_host_that_is_another, 2), the_example_keeps_the_contract,
          LOOP(a_broken_plugin_is_caught_and_its_fault_is_named, TEST_ROWS(faults)),
          after_a_crash_the_rest_goes_on, a_whole_plugin_makes_and_removes_an_image_at_the_location,
          a_file_that_is_not_loaded_is_told_with_the_reason,
          the_command_prints_tap_and_its_exit_code_says_whether_all_is_well)
