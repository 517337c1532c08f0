/* SPDX-License-Identifier: Apache-2.0
 * Reads /proc/PID/mountinfo: "36 35 0:42 / /mnt rw,relatime shared:1 - nfs4 server:/export rw,vers=4.2,…".
 * The last line whose target holds the path wins: it covers those before it. */
#include "mounts.h"
#include <stdio.h>
#include <string.h>

#define MOST_FIELDS 24

struct line {
    const char *at[MOST_FIELDS];
    size_t length[MOST_FIELDS];
    size_t n, dash; /* dash: index of the "-" field */
};

static bool split(const char *text, size_t length, struct line *ret)
{
    const char *end = text + length;

    ret->n = ret->dash = 0;
    while (text < end && ret->n < MOST_FIELDS) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        const char *stop = space ? space : end;

        ret->at[ret->n] = text;
        ret->length[ret->n] = (size_t)(stop - text);
        if (!ret->dash && ret->n >= 6 && stop - text == 1 && *text == '-')
            ret->dash = ret->n;
        ret->n++;
        text = space ? space + 1 : end;
    }
    return ret->dash && ret->n >= ret->dash + 4;
}

/* Three octal digits, or -1. */
static int octal(const char *at)
{
    int value = 0;

    for (int i = 0; i < 3; i++) {
        if (at[i] < '0' || at[i] > '7')
            return -1;
        value = value * 8 + (at[i] - '0');
    }
    return value;
}

/* Spaces and their like stand as \040. false: too long. */
static bool unescape(const char *from, size_t length, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < length; n++) {
        if (n + 1 >= size)
            return false;
        if (from[i] == '\\' && i + 3 < length && octal(from + i + 1) >= 0) {
            ret[n] = (char)octal(from + i + 1);
            i += 4;
        } else {
            ret[n] = from[i++];
        }
    }
    ret[n] = '\0';
    return true;
}

static bool holds(const char *target, const char *folder)
{
    const size_t n = strlen(target);

    if (strcmp(target, "/") == 0)
        return true;
    return strncmp(target, folder, n) == 0 && (folder[n] == '/' || folder[n] == '\0');
}

/* The value of an option, "" of one without; false when it is not there. */
static bool option(const struct line *l, size_t field, const char *name, char *ret, size_t size)
{
    const char *at = l->at[field];
    const char *end = at + l->length[field];
    const size_t length = strlen(name);

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;

        if ((size_t)(stop - at) >= length && memcmp(at, name, length) == 0 &&
            (at + length == stop || at[length] == '=')) {
            const char *value = at + length + (at + length < stop);

            if ((size_t)(stop - value) >= size)
                return false;
            memcpy(ret, value, (size_t)(stop - value));
            ret[stop - value] = '\0';
            return true;
        }
        at = comma ? comma + 1 : end;
    }
    return false;
}

/* What stands behind "server:", with the path's own rest. */
static bool server_folder(const char *device, const struct mount *m, const char *folder, char *ret,
                          size_t size)
{
    const char *bracket = *device == '[' ? strchr(device, ']') : NULL;
    const char *path = strstr(bracket ? bracket : device, ":/");
    const char *rest = strcmp(m->target, "/") == 0 ? folder : folder + strlen(m->target);
    size_t n;

    if (!path)
        return false;
    path++;
    n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    if (strcmp(rest, "/") == 0)
        rest = "";
    if (n + strlen(rest) + 2 > size)
        return false;
    (void)snprintf(ret, size, "%.*s%s", (int)n, path, n + strlen(rest) == 0 ? "/" : rest);
    return true;
}

static enum mounts_answer read_nfs(const struct line *l, const char *folder, struct mount *ret)
{
    const size_t options = l->dash + 3;
    char device[PATH_MAX];
    char value[64];

    if (!option(l, options, "addr", value, sizeof value) || !address_normalise(value, ret->address) ||
        !unescape(l->at[l->dash + 2], l->length[l->dash + 2], device, sizeof device) ||
        !server_folder(device, ret, folder, ret->folder, sizeof ret->folder))
        return MOUNTS_UNCLEAR;
    if (!option(l, options, "vers", ret->version, sizeof ret->version))
        ret->version[0] = '\0';
    ret->is_soft =
        option(l, options, "soft", value, sizeof value) || option(l, options, "softerr", value, sizeof value);
    ret->is_read_only =
        option(l, options, "ro", value, sizeof value) || option(l, 5, "ro", value, sizeof value);
    ret->has_own_locks =
        option(l, options, "nolock", value, sizeof value) ||
        (option(l, options, "local_lock", value, sizeof value) && strcmp(value, "none") != 0);
    return MOUNTS_NFS;
}

static bool is_nfs(const struct line *l)
{
    const char *type = l->at[l->dash + 1];
    const size_t n = l->length[l->dash + 1];

    return (n == 3 && memcmp(type, "nfs", 3) == 0) || (n == 4 && memcmp(type, "nfs4", 4) == 0);
}

enum mounts_answer mounts_find(const char *mountinfo, const char *folder, struct mount *ret)
{
    enum mounts_answer answer = MOUNTS_UNCLEAR;
    struct line best = { 0 };

    memset(ret, 0, sizeof *ret);
    while (*mountinfo) {
        const size_t length = strcspn(mountinfo, "\n");
        char target[PATH_MAX];
        struct line l;

        if (split(mountinfo, length, &l) && unescape(l.at[4], l.length[4], target, sizeof target) &&
            holds(target, folder) && strlen(target) >= strlen(ret->target)) {
            memcpy(ret->target, target, strlen(target) + 1);
            best = l;
        }
        mountinfo += length + (mountinfo[length] == '\n');
    }
    if (best.dash)
        answer = is_nfs(&best) ? read_nfs(&best, folder, ret) : MOUNTS_OTHER;
    return answer;
}

/* A mount of one folder within what is mounted would lead somewhere else. */
static bool is_whole(const struct line *l)
{
    return l->length[3] == 1 && *l->at[3] == '/';
}

bool mounts_there(const char *mountinfo, const char *address, const char *folder, char ret[PATH_MAX])
{
    size_t best = 0;

    while (*mountinfo) {
        const size_t length = strcspn(mountinfo, "\n");
        struct mount m;
        struct line l;
        size_t n;

        if (split(mountinfo, length, &l) && is_nfs(&l) && is_whole(&l) &&
            unescape(l.at[4], l.length[4], m.target, sizeof m.target) &&
            read_nfs(&l, m.target, &m) == MOUNTS_NFS && strcmp(m.version, "4.2") == 0 &&
            strcmp(m.address, address) == 0 && holds(m.folder, folder)) {
            n = strcmp(m.folder, "/") == 0 ? 0 : strlen(m.folder);
            /* Of two that lead there the longer one, or the later. */
            if (n + 1 >= best &&
                (size_t)snprintf(ret, PATH_MAX, "%s%s", strcmp(m.target, "/") ? m.target : "", folder + n) <
                    PATH_MAX)
                best = n + 1;
        }
        mountinfo += length + (mountinfo[length] == '\n');
    }
    return best > 0;
}
