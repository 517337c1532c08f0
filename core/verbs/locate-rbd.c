/* SPDX-License-Identifier: Apache-2.0
 * Without monitors in its XML a disk depends on the ceph.conf of whatever host it is on, and nothing proves
 * that two hosts mean one cluster: so they are written down where they can be found. */
#include "verbs/locate-rbd.h"

#include "base/text.h"
#include "state/config.h"
#include "verbs/command.h"
#include "verbs/verbs.h"
#include <stdio.h>
#include <string.h>

#define LOOK_MS 3000u
#define MOST_MONITORS 16u

static int add_name(struct arena *a, struct finding_refs *to, const char *name)
{
    const char **grown = arena_grown(a, to->names, to->n, sizeof *grown);

    if (!grown || !name)
        return -1;
    to->names = grown;
    grown[to->n++] = name;
    return 0;
}

int locate_rbd_monitors(struct arena *a, const char *mon_host, struct finding_refs *ret)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

    while (*mon_host && ret->n < MOST_MONITORS) {
        size_t n = strcspn(mon_host, "[], \t\n"), host, end;
        const char *word = mon_host;
        const bool is_v1 = text_starts(word, "v1:");

        mon_host += n ? n : 1;
        if (text_starts(word, "v1:") || text_starts(word, "v2:")) {
            word += 3;
            n -= 3;
        }
        host = strspn(word, plain);
        if (n == 0 || is_v1 || host == 0 || host > n)
            continue;
        end = host;
        if (end < n && word[end] == ':')
            end += 1 + strspn(word + end + 1, "0123456789");
        /* Behind it at most the nonce, "/0". */
        if (end < n && word[end] != '/')
            continue;
        if (add_name(a, ret, arena_format(a, "%.*s", (int)end, word)) < 0)
            return -1;
    }
    return 0;
}

static void take_words(struct disk *to, const struct disk *from)
{
    to->hosts = from->hosts;
    to->server = from->server;
    to->auth_user = from->auth_user;
    to->secret_type = from->secret_type;
    to->secret_uuid = from->secret_uuid;
    to->secret_usage = from->secret_usage;
    to->config_file = from->config_file;
}

/* ---- a pool of libvirt ---- */

struct adding {
    struct arena *arena;
    struct finding_refs *to;
    struct xml *pool;
    int failed;
};

static bool add_host(void *context, const char *name)
{
    struct adding *adding = context;
    char path[512];
    OWNED_MEMORY char *port = NULL;

    if (strpbrk(name, "'\"") ||
        (size_t)snprintf(path, sizeof path, "/pool/source/host[@name='%s']/@port", name) >= sizeof path)
        return true;
    port = xml_value(adding->pool, path);
    adding->failed |=
        add_name(adding->arena, adding->to,
                 arena_format(adding->arena, "%s%s%s", name, port ? ":" : "", port ? port : "")) < 0;
    return true;
}

static const char *host_alone(struct arena *a, const struct disk *to)
{
    return to->hosts.n ? arena_format(a, "%.*s", (int)strcspn(to->hosts.names[0], ":"), to->hosts.names[0])
                       : NULL;
}

int locate_rbd_pool(struct child *c, struct facts *f, struct xml *pool, struct disk *to, struct error *err)
{
    OWNED_MEMORY char *name = xml_value(pool, "/pool/source/name");
    OWNED_MEMORY char *user = xml_value(pool, "/pool/source/auth/@username");
    OWNED_MEMORY char *uuid = xml_value(pool, "/pool/source/auth/secret/@uuid");
    OWNED_MEMORY char *usage = xml_value(pool, "/pool/source/auth/secret/@usage");
    struct adding adding = { .arena = f->arena, .to = &to->hosts, .pool = pool };

    (void)c;
    if (!name)
        return error_set(err, ERROR_INPUT, NULL, "the pool does not say which one of Ceph it is");
    to->type = DISK_NETWORK;
    to->protocol = "rbd";
    to->source = arena_text(f->arena, name);
    to->auth_user = arena_text(f->arena, user);
    to->secret_type = user ? "ceph" : NULL;
    to->secret_uuid = arena_text(f->arena, uuid);
    to->secret_usage = uuid ? NULL : arena_text(f->arena, usage);
    xml_each(pool, "/pool/source/host/@name", add_host, &adding);
    to->server = host_alone(f->arena, to);
    return adding.failed || arena_failed(f->arena) ? error_memory(err) : 0;
}

/* 1: a pool of libvirt is that one of Ceph, and to has what it says. */
static int ask_pools(struct child *c, struct facts *f, const char *name, struct disk *to, struct error *err)
{
    virStoragePoolPtr *list = NULL;
    int n = virConnectListAllStoragePools(c->libvirt, &list, VIR_CONNECT_LIST_STORAGE_POOLS_RBD), r = 0;

    for (int i = 0; i < n; i++) {
        OWNED_MEMORY char *text = virStoragePoolGetXMLDesc(list[i], 0);
        OWNED(xml) x = text ? xml_read(text) : NULL;
        OWNED_MEMORY char *source = x ? xml_value(x, "/pool/source/name") : NULL;
        const char *image = to->source;

        if (r == 0 && text_equal(source, name)) {
            r = locate_rbd_pool(c, f, x, to, err) < 0 ? -err->code : 1;
            to->source = image;
        }
        (void)virStoragePoolFree(list[i]);
    }
    free(list);
    return r;
}

/* ---- the host ---- */

static int read_conf(struct child *c, struct facts *f, struct disk *to, struct error *err)
{
    static const char script[] =
        "sed -n \"s/^[[:blank:]]*mon[ _]host[[:blank:]]*=[[:blank:]]*//p\" /etc/ceph/ceph.conf | head -n 1";
    struct error ignored = { 0 };
    OWNED_MEMORY char *output = command_script(c, script, NULL, LOOK_MS, &ignored);

    if (!output)
        return 0; /* QEMU reads it by itself */
    return locate_rbd_monitors(f->arena, output, &to->hosts) < 0 ? error_memory(err) : 0;
}

/* "client.libvirt secret", as the documentation of Ceph names it: whose key it is. */
static const char *user_of_usage(struct arena *a, const char *usage)
{
    if (!usage || !text_starts(usage, "client.") || !usage[7])
        return NULL;
    return arena_format(a, "%.*s", (int)strcspn(usage + 7, " "), usage + 7);
}

static void take_secret(struct arena *a, virSecretPtr secret, struct disk *to)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virSecretGetUUIDString(secret, uuid) < 0)
        return;
    to->secret_type = "ceph";
    to->secret_uuid = arena_text(a, uuid);
    if (!to->auth_user)
        to->auth_user = user_of_usage(a, virSecretGetUsageID(secret));
}

static int find_secret(struct child *c, struct facts *f, struct disk *to, struct error *err)
{
    const char *user = c->config ? config_get(c->config, "ceph", "user") : NULL;
    virSecretPtr *list = NULL;
    int n = virConnectListAllSecrets(c->libvirt, &list, 0), n_ceph = 0;

    to->auth_user = arena_text(f->arena, user);
    for (int i = 0; i < n; i++) {
        if (virSecretGetUsageType(list[i]) == VIR_SECRET_USAGE_TYPE_CEPH && n_ceph++ == 0)
            take_secret(f->arena, list[i], to);
        (void)virSecretFree(list[i]);
    }
    free(list);
    if (n_ceph == 1 && to->auth_user)
        return 0;
    error_set(err, ERROR_REFUSED, c->host,
              n_ceph == 0  ? "libvirt has no secret of Ceph"
              : n_ceph > 1 ? "libvirt has several secrets of Ceph"
                           : "whose key libvirt's secret of Ceph is cannot be told");
    return error_fix(err,
                     "Name a libvirt pool of type rbd instead (pool:NAME), which says user and secret%s.",
                     n_ceph == 1 ? ", or the user: 'user = NAME' in section [ceph] of the settings" : "");
}

int locate_rbd(struct child *c, struct facts *f, struct disk *to, struct error *err)
{
    const char *name = arena_format(f->arena, "%.*s", (int)strcspn(to->source, "/"), to->source);
    int r;

    for (size_t i = 0; i < f->domain.n_disks; i++) {
        const struct disk *d = &f->domain.disks[i];

        if (d->type == DISK_NETWORK && text_equal(d->protocol, "rbd")) {
            take_words(to, d);
            return 0;
        }
    }
    r = ask_pools(c, f, name, to, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (read_conf(c, f, to, err) < 0)
        return -err->code;
    to->server = host_alone(f->arena, to);
    return find_secret(c, f, to, err);
}
