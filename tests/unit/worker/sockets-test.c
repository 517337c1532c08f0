/* SPDX-License-Identifier: Apache-2.0
 * Folders for sockets: closed to others, held by a lock, and swept once nobody holds them. */
#include "worker/sockets.h"

#include "base/owned.h"
#include "base/text.h"
#include "check-main.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* As a user, so that the folder is below a place of our own; forked tests may change who they are. */
static char place[64];

static void begin(void)
{
    (void)snprintf(place, sizeof place, "/tmp/virt-ferry-sockets.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    ck_assert_int_eq(chmod(place, 0777), 0);
    ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", place, 1), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
}

static void end(void)
{
    char command[96];

    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", place);
    ck_assert_int_eq(seteuid(getuid()), 0);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static int make(char *folder, size_t size, int *lock, struct error *err)
{
    char parent[SOCKETS_PATH_SIZE];

    sockets_dir(parent, sizeof parent);
    return sockets_make(parent, SOCKETS_CLOSED, folder, size, lock, err);
}

static void sweep(void)
{
    char parent[SOCKETS_PATH_SIZE];

    sockets_dir(parent, sizeof parent);
    sockets_sweep(parent);
}

static bool stands(const char *path)
{
    return access(path, F_OK) == 0;
}

static void put_file(const char *folder, const char *name)
{
    char path[SOCKETS_PATH_SIZE + 16];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    OWNED_FD fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
}

START_TEST(a_folder_is_ours_alone_and_goes_with_what_lies_in_it)
    {
        char folder[SOCKETS_PATH_SIZE];
        struct error err = { 0 };
        struct stat st;
        OWNED_FD lock = -1;

        begin();
        ck_assert_msg(make(folder, sizeof folder, &lock, &err) == 0, "%s: %s", err.what, err.why);
        ck_assert(text_starts(folder, place));
        ck_assert_int_eq(lstat(folder, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777u, 0700);
        put_file(folder, "ctl");
        sockets_remove(folder);
        ck_assert(!stands(folder));
        end();
    }
END_TEST

START_TEST(a_sweep_leaves_the_living_and_removes_the_dead)
    {
        char living[SOCKETS_PATH_SIZE], dead[SOCKETS_PATH_SIZE];
        struct error err = { 0 };
        OWNED_FD lock = -1;
        int other = -1;

        begin();
        ck_assert_int_eq(make(living, sizeof living, &lock, &err), 0);
        ck_assert_int_eq(make(dead, sizeof dead, &other, &err), 0);
        put_file(dead, "libvirt-sock");
        sweep();
        ck_assert(stands(living) && stands(dead));
        ck_assert_int_eq(close(other), 0);
        sweep();
        ck_assert(stands(living));
        ck_assert(!stands(dead));
        end();
    }
END_TEST

START_TEST(a_sweep_touches_no_other_name_and_no_folder_below)
    {
        char folder[SOCKETS_PATH_SIZE], other[SOCKETS_PATH_SIZE], below[SOCKETS_PATH_SIZE + 16];
        struct error err = { 0 };
        int lock = -1;

        begin();
        ck_assert_int_eq(make(folder, sizeof folder, &lock, &err), 0);
        (void)snprintf(other, sizeof other, "%s/virt-ferry/0123456789abcdef", place);
        (void)snprintf(below, sizeof below, "%s/below", folder);
        ck_assert_int_eq(mkdir(other, 0700), 0);
        ck_assert_int_eq(mkdir(below, 0700), 0);
        ck_assert_int_eq(close(lock), 0);
        sweep();
        ck_assert(stands(other));
        ck_assert(stands(below));
        end();
    }
END_TEST

START_TEST(a_place_that_others_can_enter_is_refused)
    {
        char folder[SOCKETS_PATH_SIZE], parent[SOCKETS_PATH_SIZE];
        struct error err = { 0 };
        OWNED_FD lock = -1;

        begin();
        (void)snprintf(parent, sizeof parent, "%s/virt-ferry", place);
        ck_assert_int_eq(mkdir(parent, 0700), 0);
        ck_assert_int_eq(chmod(parent, 0710), 0);
        ck_assert_int_lt(make(folder, sizeof folder, &lock, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "closed to others"));
        ck_assert_int_eq(chmod(parent, 0700), 0);
        ck_assert_int_eq(make(folder, sizeof folder, &lock, &err), 0);
        end();
    }
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
    {
        char folder[40];
        struct error err = { 0 };
        OWNED_FD lock = -1;

        begin();
        ck_assert_int_lt(make(folder, sizeof folder, &lock, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.what, "too long"));
        end();
    }
END_TEST

TEST_MAIN("worker/sockets", a_folder_is_ours_alone_and_goes_with_what_lies_in_it,
          a_sweep_leaves_the_living_and_removes_the_dead, a_sweep_touches_no_other_name_and_no_folder_below,
          a_place_that_others_can_enter_is_refused, a_path_too_long_for_a_socket_is_refused)
