/* SPDX-License-Identifier: Apache-2.0
 * Which of libvirt's sockets on this machine a URI means, as libvirt itself chooses. */
#include "handover/gate.h"

#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool gate_is_session(const char *uri)
{
    const size_t path = strcspn(uri, "?#");

    return path >= 8u && strncmp(uri + path - 8u, "/session", 8u) == 0;
}

static const char digits[] = "0123456789abcdef0123456789ABCDEF";

/* -1: it is no hexadecimal digit. */
static int hex_of(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* What the URI's own "socket=" says, decoded; "" where it says nothing. */
static void socket_named(const char *uri, char *path, size_t size)
{
    const char *at = strchr(uri, '?');
    size_t n = 0;

    while (at && !text_starts(at + 1, "socket="))
        at = strpbrk(at + 1, "&;");
    path[0] = '\0';
    if (!at)
        return;
    for (at += 1 + strlen("socket="); *at && !strchr("&;#", *at) && n + 1 < size; at++) {
        const int high = *at == '%' ? hex_of(at[1]) : -1, low = high >= 0 ? hex_of(at[2]) : -1;

        if (low >= 0)
            ((unsigned char *)path)[n++] = (unsigned char)((unsigned)high << 4 | (unsigned)low);
        else
            path[n++] = *at;
        at += low >= 0 ? 2 : 0;
    }
    path[n] = '\0';
}

/* GLib's order, which is libvirt's. "" where there is no place. */
static void session_folder(char *path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *cache = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");

    if (runtime && *runtime)
        (void)snprintf(path, size, "%s/libvirt", runtime);
    else if (cache && *cache)
        (void)snprintf(path, size, "%s/libvirt", cache);
    else
        (void)snprintf(path, size, home && *home ? "%s/.cache/libvirt" : "", home);
}

static char *copy_of(const char *path, struct error *err)
{
    char *copy = strdup(path);

    if (!copy)
        (void)error_memory(err);
    return copy;
}

char *gate_upstream(const char *uri, struct error *err)
{
    static const char *const sockets[] = { "virtqemud-sock", "libvirt-sock" };
    char path[512], folder[400] = "/run/libvirt";

    socket_named(uri, path, sizeof path);
    if (path[0])
        return copy_of(path, err);
    if (gate_is_session(uri))
        session_folder(folder, sizeof folder);
    for (size_t i = 0; folder[0] && i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, sockets[i]);
        if (access(path, F_OK) == 0)
            return copy_of(path, err);
    }
    error_set(err, ERROR_CONNECTION, NULL, "no libvirt socket is on this machine for '%s'", uri);
    return NULL;
}
