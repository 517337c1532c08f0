/* SPDX-License-Identifier: Apache-2.0
 * What was typed stands where libvirt looks, beside what the user has in a file, and in no variable. */
#include "base/owned.h"
#include "check-main.h"
#include "host/passwords.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_own_file(char *folder)
{
    char path[200];
    FILE *file;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/auth.conf", folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("[credentials-own]\nauthname=mine\n", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("LIBVIRT_AUTH_FILE", path, 1), 0);
}

static void read_all(const char *path, char *buf, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t n;

    ck_assert_ptr_nonnull(file);
    n = fread(buf, 1, size - 1, file);
    buf[n] = '\0';
    (void)fclose(file);
}

START_TEST(a_password_stands_beside_the_users_own_and_a_worker_can_read_it)
    {
        char folder[] = "/tmp/virt-ferry-passwords.XXXXXX", own[200], text[1000];
        struct error err = { 0 };
        const char *path;
        int status = 1;
        pid_t worker;

        write_own_file(folder);
        (void)snprintf(own, sizeof own, "%s", getenv("LIBVIRT_AUTH_FILE"));
        ck_assert_int_eq(passwords_add("hostB", "ferry", "one", &err), 0);
        ck_assert_int_eq(passwords_add("hostA", "other", "two", &err), 0);
        path = getenv("LIBVIRT_AUTH_FILE");
        ck_assert_ptr_nonnull(path);
        ck_assert_str_ne(path, own);
        read_all(path, text, sizeof text);
        ck_assert_str_eq(text, "[credentials-own]\nauthname=mine\n"
                               "\n[credentials-virt-ferry-1]\nauthname=ferry\npassword=one\n"
                               "[auth-libvirt-hostB]\ncredentials=virt-ferry-1\n"
                               "\n[credentials-virt-ferry-2]\nauthname=other\npassword=two\n"
                               "[auth-libvirt-hostA]\ncredentials=virt-ferry-2\n");
        read_all(own, text, sizeof text);
        ck_assert_ptr_null(strstr(text, "password"));
        /* Workers close what they inherit. */
        worker = fork();
        ck_assert_int_ge(worker, 0);
        if (worker == 0) {
            for (int fd = 3; fd < 256; fd++)
                (void)close(fd);
            _exit(access(path, R_OK) == 0 ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(worker, &status, 0), worker);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(unlink(own), 0);
        ck_assert_int_eq(rmdir(folder), 0);
    }
END_TEST

TEST_MAIN("host/passwords", a_password_stands_beside_the_users_own_and_a_worker_can_read_it)
