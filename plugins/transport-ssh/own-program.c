/* SPDX-License-Identifier: Apache-2.0
 * The plugin's own folder, as the kernel has mapped its code. */
#include "own-program.h"
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && access(path, X_OK) == 0;
}

/* The loader was given a descriptor: where our own code was mapped from, only the kernel knows. */
static bool own_path(char *buf, size_t size)
{
    static const char here;
    const uintptr_t at = (uintptr_t)&here;
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    bool is_found = false;

    while (maps && !is_found && fgets(line, sizeof line, maps)) {
        const char *path = strchr(line, '/');
        char *end = NULL;
        const uintptr_t first = strtoul(line, &end, 16), last = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;

        line[strcspn(line, "\n")] = '\0';
        is_found = path && at >= first && at < last && strlen(path) < size;
        if (is_found)
            (void)snprintf(buf, size, "%s", path);
    }
    if (maps)
        (void)fclose(maps);
    return is_found;
}

bool own_program(const char *name, char *buf, size_t size)
{
    char own[PATH_MAX];
    const char *slash;
    int n;

    if (!own_path(own, sizeof own) || !(slash = strrchr(own, '/')))
        return false;
    n = snprintf(buf, size, "%.*s/%s", (int)(slash - own), own, name);
    return n > 0 && (size_t)n < size && is_ours(buf);
}
