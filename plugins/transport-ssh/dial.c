/* SPDX-License-Identifier: Apache-2.0
 * The program stands in the plugin's own folder, and runs by a shell: its path and its words are checked. */
#include "dial.h"
#include "said.h"
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:"

bool dial_is_plain(const char *printed)
{
    static const struct {
        const char *key, *value;
    } plain[] = {
        { "addressfamily", "any" },
        { "checkhostip", "no" },
        { "canonicalizehostname", "false" },
        { "proxyusefdpass", "no" },
    };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!place_is(printed, plain[i].key, plain[i].value))
            return false;
    return !place_is_set(printed, "bindaddress") && !place_is_set(printed, "bindinterface");
}

static bool is_word(const char *word)
{
    return word[0] != '\0' && word[0] != '-' && word[strspn(word, WORD_LETTERS)] == '\0';
}

static bool command(char *buf, size_t size, const char *program, const char *host, const char *port,
                    unsigned seconds)
{
    int n;

    if (program[0] != '/' || program[strspn(program, WORD_LETTERS "/")] != '\0' || !is_word(host) ||
        !is_word(port))
        return false;
    n = snprintf(buf, size, "ProxyCommand=%s %s %s %u", program, host, port, seconds);
    return n > 0 && (size_t)n < size;
}

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

bool dial_option(char *buf, size_t size, const char *host, const char *port, unsigned seconds)
{
    char own[PATH_MAX], program[PATH_MAX];
    const char *slash;
    int n;

    if (!own_path(own, sizeof own) || !(slash = strrchr(own, '/')))
        return false;
    n = snprintf(program, sizeof program, "%.*s/" DIAL_PROGRAM, (int)(slash - own), own);
    return n > 0 && (size_t)n < sizeof program && is_ours(program) &&
           command(buf, size, program, host, port, seconds);
}

bool dial_failed(const char *said)
{
    return said_by(said) == SAID_NOTHING && strstr(said, "did not pass back a connection");
}
