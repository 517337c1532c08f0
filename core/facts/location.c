/* SPDX-License-Identifier: Apache-2.0
 * Locations: checked where a user wrote them, put together from a disk's parts and taken apart again. */
#include "facts/location.h"
#include "base/text.h"
#include <string.h>

#define NFS "nfs://"
#define RBD "rbd:"
#define POOL "pool:"

enum location_kind location_kind_of(const char *text)
{
    return text[0] == '/'            ? LOCATION_PATH
           : text_starts(text, NFS)  ? LOCATION_NFS
           : text_starts(text, RBD)  ? LOCATION_RBD
           : text_starts(text, POOL) ? LOCATION_POOL
                                     : LOCATION_NONE;
}

/* ---- as a user wrote it ---- */

static const char *problem_of_path(const char *path)
{
    if (path[0] != '/')
        return "is no absolute path";
    if (!path[1])
        return "is the root of all paths";
    for (const char *part = path; *part; part += strcspn(part, "/")) {
        size_t n;

        part++;
        n = strcspn(part, "/");
        if (n == 0)
            return "has two slashes side by side";
        if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return "has a component '.' or '..'";
    }
    return NULL;
}

static const char *problem_of_nfs(const char *server)
{
    const char *path = server + strcspn(server, "/");
    const char *end = server[0] == '[' ? memchr(server, ']', (size_t)(path - server)) : NULL;

    if (path == server || !*path || !path[1])
        return "names no server with an export: nfs://SERVER/EXPORT";
    if (server[0] == '[' ? !end || end + 1 != path || end == server + 1
                         : memchr(server, ':', (size_t)(path - server)) != NULL)
        return "has a port, which an NFS disk has none of, or an IPv6 address without brackets";
    if (memchr(server, '@', (size_t)(path - server)))
        return "has a user, which an NFS location has none of";
    return problem_of_path(path);
}

/* POOL, POOL/IMAGE, POOL/NAMESPACE/IMAGE. */
static const char *problem_of_rbd(const char *name)
{
    unsigned parts = 1;

    for (const char *c = name; *c; c++)
        parts += *c == '/';
    if (!*name || name[0] == '/' || strstr(name, "//") || parts > 3 || name[strlen(name) - 1] == '/')
        return "is none of rbd:POOL, rbd:POOL/IMAGE, rbd:POOL/NAMESPACE/IMAGE";
    return strchr(name, '@') ? "names a snapshot" : NULL;
}

static const char *problem_of_pool(const char *name)
{
    const size_t n = strcspn(name, "/");

    return n == 0 || (name[n] && !name[n + 1]) ? "is none of pool:NAME, pool:NAME/VOLUME" : NULL;
}

/* A word alone is a pool's name; what could be a path as well is neither. */
static const char *problem_of_word(const char *word)
{
    if (strchr(word, '/'))
        return "is no absolute path, and no pool's name has a slash";
    if (strchr(word, ':'))
        return "is of no kind of location that is known";
    return word[0] == '.' ? "may be a path or the name of a pool" : NULL;
}

const char *location_problem(const char *text)
{
    switch (location_kind_of(text)) {
    case LOCATION_PATH:
        return problem_of_path(text);
    case LOCATION_NFS:
        return problem_of_nfs(text + strlen(NFS));
    case LOCATION_RBD:
        return problem_of_rbd(text + strlen(RBD));
    case LOCATION_POOL:
        return problem_of_pool(text + strlen(POOL));
    case LOCATION_NONE:
        break;
    }
    return problem_of_word(text);
}

const char *location_plain(struct arena *a, const char *text)
{
    const enum location_kind kind = location_kind_of(text);
    size_t n = strlen(text);

    if (kind == LOCATION_NONE)
        return *text && !location_problem(text) ? arena_format(a, POOL "%s", text) : text;
    /* A folder may be written with a slash behind it. */
    if ((kind == LOCATION_PATH && n > 1 && text[n - 1] == '/') ||
        (kind == LOCATION_NFS && n > strlen(NFS) && text[n - 1] == '/'))
        return arena_format(a, "%.*s", (int)n - 1, text);
    return text;
}

/* ---- parts ---- */

const char *location_text(struct arena *a, const struct location *l)
{
    const bool is_v6 = l->server && strchr(l->server, ':') && l->server[0] != '[';

    switch (l->kind) {
    case LOCATION_PATH:
        return l->name;
    case LOCATION_NFS:
        return l->server && l->name ? arena_format(a, NFS "%s%s%s%s%s", is_v6 ? "[" : "", l->server,
                                                   is_v6 ? "]" : "", l->name[0] == '/' ? "" : "/", l->name)
                                    : NULL;
    case LOCATION_RBD:
        return l->name ? arena_format(a, RBD "%s", l->name) : NULL;
    case LOCATION_POOL:
        return l->pool && l->volume ? arena_format(a, POOL "%s/%s", l->pool, l->volume) : NULL;
    case LOCATION_NONE:
        break;
    }
    return NULL;
}

static int read_nfs(struct arena *a, const char *server, struct location *ret)
{
    const char *path = server + strcspn(server, "/");
    size_t n = (size_t)(path - server);

    if (n > 2 && server[0] == '[' && server[n - 1] == ']') {
        server++;
        n -= 2;
    }
    ret->server = arena_format(a, "%.*s", (int)n, server);
    ret->name = arena_text(a, path);
    return ret->server && ret->name ? 0 : -1;
}

static int read_pool(struct arena *a, const char *name, struct location *ret)
{
    const size_t n = strcspn(name, "/");

    ret->pool = arena_format(a, "%.*s", (int)n, name);
    ret->volume = arena_text(a, name[n] ? name + n + 1 : "");
    return ret->pool && ret->volume ? 0 : -1;
}

int location_read(struct arena *a, const char *text, struct location *ret)
{
    *ret = (struct location){ .kind = location_kind_of(text) };
    switch (ret->kind) {
    case LOCATION_NFS:
        return read_nfs(a, text + strlen(NFS), ret);
    case LOCATION_POOL:
        return read_pool(a, text + strlen(POOL), ret);
    case LOCATION_PATH:
    case LOCATION_RBD:
        ret->name = arena_text(a, ret->kind == LOCATION_RBD ? text + strlen(RBD) : text);
        return ret->name ? 0 : -1;
    case LOCATION_NONE:
        break;
    }
    return 0;
}

bool location_is_same(const struct location *a, const struct location *b)
{
    return a->kind == b->kind && text_equal(a->server, b->server) && text_equal(a->name, b->name) &&
           text_equal(a->pool, b->pool) && text_equal(a->volume, b->volume);
}

/* ---- disks ---- */

struct location location_of_disk(const struct disk *d)
{
    struct location l = { LOCATION_NONE };

    if ((d->type == DISK_FILE || d->type == DISK_BLOCK) && d->source)
        l = (struct location){ .kind = LOCATION_PATH, .name = d->source };
    else if (d->type == DISK_VOLUME && d->pool && d->volume)
        l = (struct location){ .kind = LOCATION_POOL, .pool = d->pool, .volume = d->volume };
    else if (d->type == DISK_NETWORK && text_equal(d->protocol, "nfs") && d->server && d->source)
        l = (struct location){ .kind = LOCATION_NFS, .server = d->server, .name = d->source };
    else if (d->type == DISK_NETWORK && text_equal(d->protocol, "rbd") && d->source)
        l = (struct location){ .kind = LOCATION_RBD, .name = d->source };
    return l;
}

struct location location_of_disk_there(const struct disk *d)
{
    const struct disk there = disk_there(d);

    return location_of_disk(&there);
}
