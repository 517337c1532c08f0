/* SPDX-License-Identifier: Apache-2.0
 * A folder for one test below /tmp, and plugins built into it by the compiler. */
#ifndef UNIT_PLUGIN_BUILD_H
#define UNIT_PLUGIN_BUILD_H

#include "plugin/registry.h"
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct build {
    char folder[64];
};

/* A shell's exit code. */
__attribute__((unused)) static int build_run(const char *command)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

__attribute__((unused)) static struct build build_begin(void)
{
    struct build b = { "/tmp/virt-ferry-plugin-test.XXXXXX" };

    ck_assert_ptr_nonnull(mkdtemp(b.folder));
    return b;
}

__attribute__((unused)) static void build_end(struct build *b)
{
    char command[160];

    registry_unload();
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", b->folder);
    ck_assert_int_eq(build_run(command), 0);
}

static inline const char *build_path(const struct build *b, const char *name)
{
    static char path[2][512];
    static int turn;

    turn = !turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", b->folder, name);
    return path[turn];
}

/* The sample plugin with these -D options. */
__attribute__((unused)) static void build_plugin(const struct build *b, const char *name, const char *defines)
{
    const char *cc = getenv("CC");
    char command[1024];

    (void)snprintf(command, sizeof command,
                   "%s -w -O0 -shared -fPIC -Icore/plugin %s -o '%s' tests/unit/plugin/sample/sample.c",
                   cc && *cc ? cc : "cc", defines, build_path(b, name));
    ck_assert_int_eq(build_run(command), 0);
    ck_assert_int_eq(chmod(build_path(b, name), 0755), 0);
}

__attribute__((unused)) static void build_text(const struct build *b, const char *name, const char *text)
{
    FILE *f = fopen(build_path(b, name), "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(build_path(b, name), 0644), 0);
}

__attribute__((unused)) static void build_folder(const struct build *b, const char *name, mode_t mode)
{
    ck_assert_int_eq(mkdir(build_path(b, name), 0700), 0);
    ck_assert_int_eq(chmod(build_path(b, name), mode), 0);
}

__attribute__((unused)) static off_t build_size(const struct build *b, const char *name)
{
    struct stat st;

    ck_assert_int_eq(stat(build_path(b, name), &st), 0);
    return st.st_size;
}

__attribute__((unused)) static void build_cut(const struct build *b, const char *name, off_t n)
{
    ck_assert_int_eq(truncate(build_path(b, name), n), 0);
}

#endif
