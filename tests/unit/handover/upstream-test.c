/* SPDX-License-Identifier: Apache-2.0
 * The gate goes where libvirt itself would: never before the system's daemon for a session, and the other way
 * round. */
#include "check-main.h"
#include "handover/gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[64], made[4][128];
static size_t n_made;

static void make(const char *below, const char *name)
{
    char *path = made[n_made++];

    (void)snprintf(path, sizeof made[0], "%s%s%s", home, below, name);
    ck_assert_int_eq(*name ? mknod(path, S_IFREG | 0600, 0) : mkdir(path, 0700), 0);
}

static void begin(void)
{
    (void)snprintf(home, sizeof home, "/tmp/upstream-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    n_made = 0;
    ck_assert_int_eq(setenv("HOME", home, 1) + unsetenv("XDG_CACHE_HOME") + unsetenv("XDG_RUNTIME_DIR"), 0);
}

static void end(void)
{
    while (n_made > 0)
        ck_assert_int_eq(remove(made[--n_made]), 0);
    ck_assert_int_eq(rmdir(home), 0);
}

static void leads_to(const char *uri, const char *wanted)
{
    struct error err = { 0 };
    OWNED_MEMORY char *path = gate_upstream(uri, &err);

    if (!wanted) {
        ck_assert_ptr_null(path);
        ck_assert_int_eq(err.code, ERROR_CONNECTION);
        return;
    }
    ck_assert_msg(path && strcmp(path, wanted) == 0, "%s: %s", uri, path ? path : "none");
}

START_TEST(a_session_is_below_the_runtime_folder_and_virtqemud_comes_first)
    {
        char runtime[96], expected[128];
        struct error err = { 0 };

        begin();
        make("/run", "");
        make("/run/libvirt", "");
        (void)snprintf(runtime, sizeof runtime, "%s/run", home);
        ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", runtime, 1), 0);
        leads_to("qemu:///session", NULL);
        make("/run/libvirt", "/libvirt-sock");
        for (int both = 0; both < 2; both++) {
            OWNED_MEMORY char *path = gate_upstream("qemu:///session?no_verify=1", &err);

            (void)snprintf(expected, sizeof expected, "%s/libvirt/%s", runtime,
                           both ? "virtqemud-sock" : "libvirt-sock");
            ck_assert_str_eq(path, expected);
            if (!both)
                make("/run/libvirt", "/virtqemud-sock");
        }
        end();
    }
END_TEST

START_TEST(without_a_runtime_folder_it_is_the_users_cache_and_never_the_systems)
    {
        char expected[128];
        struct error err = { 0 };

        begin();
        leads_to("qemu:///session", NULL);
        make("/.cache", "");
        make("/.cache/libvirt", "");
        make("/.cache/libvirt", "/libvirt-sock");
        OWNED_MEMORY char *path = gate_upstream("qemu:///session", &err);
        (void)snprintf(expected, sizeof expected, "%s/.cache/libvirt/libvirt-sock", home);
        ck_assert_str_eq(path, expected);
        ck_assert_int_eq(unsetenv("HOME"), 0);
        leads_to("qemu:///session", NULL);
        end();
    }
END_TEST

static const struct {
    const char *uri, *socket;
} named[] = {
    { "qemu:///system?socket=/run/other/sock", "/run/other/sock" },
    { "qemu+unix:///session?mode=legacy&socket=/a%20b/%2Fc", "/a b//c" },
    { "qemu:///system?socket=/a&mode=direct", "/a" },
    { "qemu:///system?socket=/100%", "/100%" },
};

START_TEST(a_socket_that_the_uri_names_is_taken)
    {
        leads_to(named[_i].uri, named[_i].socket);
    }
END_TEST

static const struct {
    const char *uri;
    bool is_session;
} kinds[] = {
    { "qemu:///session", true },       { "qemu:///session?socket=/run/x/system", true },
    { "qemu:///system", false },       { "qemu:///system?socket=/run/session", false },
    { "qemu:///session#there", true }, { "session", false },
};

START_TEST(a_session_is_told_by_the_path_alone)
    {
        ck_assert_int_eq(gate_is_session(kinds[_i].uri), kinds[_i].is_session);
    }
END_TEST

TEST_MAIN("handover/upstream", a_session_is_below_the_runtime_folder_and_virtqemud_comes_first,
          without_a_runtime_folder_it_is_the_users_cache_and_never_the_systems,
          LOOP(a_socket_that_the_uri_names_is_taken, TEST_ROWS(named)),
          LOOP(a_session_is_told_by_the_path_alone, TEST_ROWS(kinds)))
