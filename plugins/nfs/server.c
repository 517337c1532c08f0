/* SPDX-License-Identifier: Apache-2.0
 * An NFS server spoken to by NFSv3. What is kept for the worker's life: connections, and handles of folders.
 * A server that was silent is not asked again for some seconds, so that many disks do not wait one by one.
 * QEMU's own driver is libnfs too: the ports come from the portmapper and the folder is mounted as it does.
 */
#include "clock.h"
#include "lines.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTMAPPER 111
#define TCP 6
#define SERVERS_MOST 8
#define FOLDERS_MOST 16
#define SILENT_MS 10000u

struct server {
    char address[ADDRESS_SIZE];
    struct rpc_context *mount, *nfs;
    uint32_t mount_port, nfs_port;
    struct clock clock; /* when it was asked for its ports last */
    struct {
        char *name;
        struct handle handle;
    } folders[FOLDERS_MOST];
    size_t n_folders, next_folder;
    uint64_t silent_until;
    struct trouble silence;
};

static struct server servers[SERVERS_MOST];
static size_t n_servers;
static uint64_t until_ms;
static unsigned trips;

void server_time(uint64_t ms)
{
    until_ms = flight_now_ms() + ms;
}

unsigned server_trips(void)
{
    return trips;
}

const char *server_words(nfsstat3 status)
{
    switch (status) {
    case NFS3ERR_PERM:
    case NFS3ERR_ACCES:
        return "permission denied";
    case NFS3ERR_NOENT:
        return "no such file";
    case NFS3ERR_EXIST:
        return "it exists";
    case NFS3ERR_ROFS:
        return "the export is read-only";
    case NFS3ERR_NOSPC:
        return "no space left";
    case NFS3ERR_DQUOT:
        return "the quota is reached";
    case NFS3ERR_STALE:
    case NFS3ERR_BADHANDLE:
        return "the file handle is stale";
    case NFS3ERR_NOTSUPP:
        return "the server does not support it";
    default:
        return nfsstat3_to_str((int)status);
    }
}

/* A fix names its server where it says SERVER. */
static void say_fix(const struct server *s, struct trouble *t, const char *fix)
{
    const char *word = fix ? strstr(fix, "SERVER") : NULL;

    t->fix[0] = '\0';
    if (word)
        (void)snprintf(t->fix, sizeof t->fix, "%.*s%s%s", (int)(word - fix), fix, s->address,
                       word + strlen("SERVER"));
    else if (fix)
        (void)snprintf(t->fix, sizeof t->fix, "%s", fix);
}

static int say(const struct server *s, struct trouble *t, const char *id, const char *fix, const char *format,
               ...) __attribute__((format(printf, 5, 6)));
static int say(const struct server *s, struct trouble *t, const char *id, const char *fix, const char *format,
               ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(t->what, sizeof t->what, format, args);
    va_end(args);
    t->id = id;
    t->is_silent = false;
    say_fix(s, t, fix);
    return -1;
}

static struct server *server_of(const char *address)
{
    struct server *s = NULL;

    for (size_t i = 0; i < n_servers && !s; i++)
        if (strcmp(servers[i].address, address) == 0)
            s = &servers[i];
    if (s)
        return s;
    if (n_servers < SERVERS_MOST) {
        s = &servers[n_servers++];
    } else {
        s = &servers[SERVERS_MOST - 1];
        if (s->nfs)
            rpc_destroy_context(s->nfs);
        if (s->mount)
            rpc_destroy_context(s->mount);
        for (size_t i = 0; i < s->n_folders; i++)
            free(s->folders[i].name);
        memset(s, 0, sizeof *s);
    }
    (void)snprintf(s->address, sizeof s->address, "%s", address);
    return s;
}

/* Of a flight that did not come back; remembered when the server was silent. */
static int silent(struct server *s, const struct flight *f, const char *doing, struct trouble *t)
{
    s->mount_port = s->nfs_port = 0;
    if (f->why[0]) {
        (void)say(s, t, "nfs-not-answering",
                  "See that the server runs and serves NFS version 3: rpcinfo -T tcp SERVER nfs 3.",
                  "NFS server '%s' could not be asked (%s): %s", s->address, doing, f->why);
        t->is_silent = true;
        return -1;
    }
    (void)say(s, t, "nfs-silent",
              "See that the server runs and that nothing drops its packets: showmount -e SERVER.",
              "NFS server '%s' does not answer (%s)", s->address, doing);
    t->is_silent = true;
    s->silence = *t;
    s->silent_until = flight_now_ms() + SILENT_MS;
    return -1;
}

/* ---- results, copied while libnfs holds them ---- */

#define TAKE(name, type)                                                                                     \
    static void take_##name(void *into, const void *result)                                                  \
    {                                                                                                        \
        memcpy(into, result, sizeof(type));                                                                  \
    }
TAKE(port, uint32_t)
TAKE(setattr, SETATTR3res)
TAKE(write, WRITE3res)
TAKE(commit, COMMIT3res)
TAKE(remove, REMOVE3res)

void server_keep_handle(struct handle *to, const char *bytes, uint32_t n)
{
    to->n = n <= sizeof to->bytes ? n : 0;
    memcpy(to->bytes, bytes, to->n);
}

static void take_create(void *into, const void *result)
{
    const CREATE3res *r = result;
    const CREATE3resok *ok = &r->CREATE3res_u.resok;
    struct found *f = into;

    f->status = r->status;
    if (r->status != NFS3_OK)
        return;
    if (!ok->obj.handle_follows || !ok->obj_attributes.attributes_follow) {
        f->status = NFS3ERR_SERVERFAULT;
        return;
    }
    server_keep_handle(&f->handle, ok->obj.post_op_fh3_u.handle.data.data_val,
                       ok->obj.post_op_fh3_u.handle.data.data_len);
    f->attributes = ok->obj_attributes.post_op_attr_u.attributes;
}

nfs_fh3 server_handle(const struct handle *h)
{
    return (nfs_fh3){ .data = { .data_len = h->n, .data_val = (char *)(uintptr_t)h->bytes } };
}

/* ---- the way to a folder ---- */

/* Nobody waits for it: a portmapper of old answers that it does not know the question, if at all. */
static void take_clock(struct rpc_context *rpc, int status, void *data, void *private_data)
{
    struct clock *c = private_data;

    (void)rpc;
    if (status != RPC_STATUS_SUCCESS || !data)
        return;
    memcpy(&c->second, data, sizeof c->second);
    c->told_ms = clock_now_ms();
}

static int find_ports(struct server *s, struct trouble *t)
{
    struct flight f;
    struct rpc_context *rpc;
    struct asked of_mount = { &f, take_port, &s->mount_port }, of_nfs = { &f, take_port, &s->nfs_port };

    if (s->mount_port && s->nfs_port)
        return 0;
    rpc = flight_connect(s->address, PORTMAPPER, &f, until_ms);
    if (!rpc)
        return silent(s, &f, "connecting to its portmapper", t);
    f.waiting = 2;
    s->clock = (struct clock){ .asked_ms = clock_now_ms() };
    (void)rpc_pmap3_gettime_async(rpc, take_clock, &s->clock);
    if (rpc_pmap2_getport_async(rpc, MOUNT_PROGRAM, MOUNT_V3, TCP, flight_landed, &of_mount) < 0 ||
        rpc_pmap2_getport_async(rpc, NFS_PROGRAM, NFS_V3, TCP, flight_landed, &of_nfs) < 0)
        flight_refuse(&f, rpc);
    trips++;
    if (!flight_wait(&rpc, &f, until_ms))
        return silent(s, &f, "asking for its ports", t);
    rpc_destroy_context(rpc);
    if (s->mount_port && s->nfs_port)
        return 0;
    s->mount_port = s->nfs_port = 0;
    return say(
        s, t, "nfs-no-version-3",
        "Let the server offer NFS version 3 over TCP, which QEMU's NFS driver speaks: rpcinfo -p SERVER.",
        "NFS server '%s' does not offer NFS version 3 over TCP", s->address);
}

static int open_line(struct server *s, struct rpc_context **line, uint32_t port, const char *doing,
                     struct trouble *t)
{
    struct flight f;

    if (*line)
        return 0;
    *line = flight_connect(s->address, (int)port, &f, until_ms);
    return *line ? 0 : silent(s, &f, doing, t);
}

static int refused_mount(const struct server *s, const char *folder, mountstat3 status, struct trouble *t)
{
    /* Some servers answer so where there is no such folder, too. */
    if (status == MNT3ERR_ACCES || status == MNT3ERR_PERM)
        return say(
            s, t, "nfs-not-exported",
            "See what it exports: showmount -e SERVER; let it export the folder to this machine as well.",
            "NFS server '%s' does not let this machine into '%s', if it is there", s->address, folder);
    if (status == MNT3ERR_NOENT || status == MNT3ERR_NOTDIR)
        return say(s, t, "nfs-not-exported", "See what it exports: showmount -e SERVER.",
                   "NFS server '%s' has no folder '%s', or does not export it", s->address, folder);
    return say(s, t, "nfs-not-exported", "See what it exports: showmount -e SERVER.",
               "NFS server '%s' does not mount '%s': %s", s->address, folder, mountstat3_to_str((int)status));
}

static void remember_folder(struct server *s, const char *folder, const struct handle *handle)
{
    size_t i = s->next_folder++ % FOLDERS_MOST;
    char *name = strdup(folder);

    if (!name)
        return;
    free(s->folders[i].name);
    s->folders[i].name = name;
    s->folders[i].handle = *handle;
    if (s->n_folders < FOLDERS_MOST)
        s->n_folders++;
}

void server_forget(struct server *s, const char *folder)
{
    for (size_t i = 0; i < s->n_folders; i++)
        if (s->folders[i].name && strcmp(s->folders[i].name, folder) == 0)
            s->folders[i].name[0] = '\0';
}

static bool knows_folder(const struct server *s, const char *folder, struct handle *ret)
{
    for (size_t i = 0; i < s->n_folders; i++)
        if (s->folders[i].name && strcmp(s->folders[i].name, folder) == 0) {
            *ret = s->folders[i].handle;
            return true;
        }
    return false;
}

/* A folder that is mounted by the flight in hand. */
struct mounted {
    const char *folder;
    mountstat3 status;
    struct handle handle;
    struct asked asked;
};

static void take_mount(void *into, const void *result)
{
    const mountres3 *r = result;
    struct mounted *m = into;

    m->status = r->fhs_status;
    if (r->fhs_status == MNT3_OK)
        server_keep_handle(&m->handle, r->mountres3_u.mountinfo.fhandle.fhandle3_val,
                           r->mountres3_u.mountinfo.fhandle.fhandle3_len);
}

/* All in one flight. */
static int mount_all(struct server *s, struct mounted *list, size_t n, struct trouble *t)
{
    const bool was_open = s->mount != NULL;
    struct flight f = { .waiting = (unsigned)n };

    if (find_ports(s, t) < 0 ||
        open_line(s, &s->mount, s->mount_port, "connecting to its mount service", t) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        list[i].status = MNT3ERR_SERVERFAULT;
        list[i].asked = (struct asked){ &f, take_mount, &list[i] };
        if (rpc_mount3_mnt_async(s->mount, flight_landed, (char *)(uintptr_t)list[i].folder, &list[i].asked) <
            0)
            flight_refuse(&f, s->mount);
    }
    trips++;
    if (flight_wait(&s->mount, &f, until_ms))
        return 0;
    /* A connection that was kept may have been closed; a new one has no such excuse. */
    if (was_open && f.why[0])
        return mount_all(s, list, n, t);
    return silent(s, &f, "mounting the folder", t);
}

static struct mounted *mounted_among(struct mounted *list, size_t n, const char *folder)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].folder, folder) == 0)
            return &list[i];
    return NULL;
}

int server_folders(struct server *s, struct want *const *wants, size_t n, struct trouble *t)
{
    struct mounted *list = calloc(n, sizeof *list);
    size_t n_list = 0;
    int result;

    if (!list)
        return say(s, t, "nfs-not-answering", NULL, "no memory left");
    for (size_t i = 0; i < n; i++) {
        wants[i]->look->folder.n = 0;
        if (!knows_folder(s, wants[i]->folder, &wants[i]->look->folder) &&
            !mounted_among(list, n_list, wants[i]->folder))
            list[n_list++].folder = wants[i]->folder;
    }
    result = n_list > 0 ? mount_all(s, list, n_list, t) : 0;
    for (size_t i = 0; result == 0 && i < n_list; i++) {
        if (list[i].status == MNT3_OK && list[i].handle.n > 0)
            remember_folder(s, list[i].folder, &list[i].handle);
        else
            (void)refused_mount(s, list[i].folder, list[i].status, t);
    }
    for (size_t i = 0; result == 0 && i < n; i++) {
        const struct mounted *m = mounted_among(list, n_list, wants[i]->folder);

        if (m)
            wants[i]->look->folder = m->handle;
    }
    free(list);
    return result;
}

struct server *server_enter(const char *address, struct trouble *t)
{
    struct server *s = server_of(address);

    if (s->silent_until > flight_now_ms()) {
        *t = s->silence;
        return NULL;
    }
    if (find_ports(s, t) < 0 || open_line(s, &s->nfs, s->nfs_port, "connecting to its NFS port", t) < 0)
        return NULL;
    return s;
}

struct rpc_context *server_line(const struct server *s)
{
    return s->nfs;
}

bool server_may_be_asked_again(const struct server *s)
{
    return !s->nfs && s->silent_until <= flight_now_ms();
}

int server_speak_for(struct server *s, const struct user *user, struct trouble *t)
{
    struct AUTH *who = libnfs_authunix_create("virt-ferry", user->uid, user->gid, 0, NULL);

    if (!who)
        return say(s, t, "nfs-not-answering", NULL, "no memory left");
    rpc_set_auth(s->nfs, who);
    return 0;
}

/* The server, its NFS connection speaking for that user. */
static struct server *enter(const char *address, const struct user *user, struct trouble *t)
{
    struct server *s = server_enter(address, t);

    return s && server_speak_for(s, user, t) == 0 ? s : NULL;
}

int server_land(struct server *s, struct flight *f, const char *doing, struct trouble *t)
{
    trips++;
    return flight_wait(&s->nfs, f, until_ms) ? 0 : silent(s, f, doing, t);
}

/* ---- the calls ---- */

int server_create(const char *address, const struct user *user, const struct handle *folder, const char *name,
                  const unsigned char verifier[8], struct found *ret, struct trouble *t)
{
    CREATE3args args = { .where = { server_handle(folder), (char *)(uintptr_t)name },
                         .how = { .mode = EXCLUSIVE } };
    struct flight f = { .waiting = 1 };
    struct asked a = { &f, take_create, ret };
    struct server *s;

    memset(ret, 0, sizeof *ret);
    memcpy(args.how.createhow3_u.verf, verifier, 8);
    s = enter(address, user, t);
    if (!s)
        return -1;
    if (rpc_nfs3_create_async(s->nfs, flight_landed, &args, &a) < 0)
        flight_refuse(&f, s->nfs);
    return server_land(s, &f, "creating a file", t);
}

int server_set(const char *address, const struct user *user, const struct handle *file, const sattr3 *set,
               const nfstime3 *guard, nfsstat3 *ret_status, struct trouble *t)
{
    SETATTR3res r = { .status = NFS3ERR_SERVERFAULT };
    SETATTR3args args = { .object = server_handle(file), .new_attributes = *set };
    struct flight f = { .waiting = 1 };
    struct asked a = { &f, take_setattr, &r };
    struct server *s;

    if (guard) {
        args.guard.check = 1;
        args.guard.sattrguard3_u.obj_ctime = *guard;
    }
    s = enter(address, user, t);
    if (!s)
        return -1;
    if (rpc_nfs3_setattr_async(s->nfs, flight_landed, &args, &a) < 0)
        flight_refuse(&f, s->nfs);
    if (server_land(s, &f, "setting a file's size", t) < 0)
        return -1;
    *ret_status = r.status;
    return 0;
}

int server_write(const char *address, const struct user *user, const struct handle *file, uint64_t offset,
                 const void *bytes, uint32_t n, WRITE3res *ret, struct trouble *t)
{
    WRITE3args args = { .file = server_handle(file), .offset = offset, .count = n, .stable = UNSTABLE };
    struct flight f = { .waiting = 1 };
    struct asked a = { &f, take_write, ret };
    struct server *s;

    args.data.data_len = n;
    args.data.data_val = (char *)(uintptr_t)bytes;
    s = enter(address, user, t);
    if (!s)
        return -1;
    if (rpc_nfs3_write_async(s->nfs, flight_landed, &args, &a) < 0)
        flight_refuse(&f, s->nfs);
    return server_land(s, &f, "writing", t);
}

int server_commit(const char *address, const struct user *user, const struct handle *file, COMMIT3res *ret,
                  struct trouble *t)
{
    COMMIT3args args = { .file = server_handle(file) };
    struct flight f = { .waiting = 1 };
    struct asked a = { &f, take_commit, ret };
    struct server *s = enter(address, user, t);

    if (!s)
        return -1;
    if (rpc_nfs3_commit_async(s->nfs, flight_landed, &args, &a) < 0)
        flight_refuse(&f, s->nfs);
    return server_land(s, &f, "committing", t);
}

int server_unlink(const char *address, const struct user *user, const struct handle *folder, const char *name,
                  nfsstat3 *ret_status, struct trouble *t)
{
    REMOVE3res r = { .status = NFS3ERR_SERVERFAULT };
    REMOVE3args args = { .object = { server_handle(folder), (char *)(uintptr_t)name } };
    struct flight f = { .waiting = 1 };
    struct asked a = { &f, take_remove, &r };
    struct server *s = enter(address, user, t);

    if (!s)
        return -1;
    if (rpc_nfs3_remove_async(s->nfs, flight_landed, &args, &a) < 0)
        flight_refuse(&f, s->nfs);
    if (server_land(s, &f, "removing a file", t) < 0)
        return -1;
    *ret_status = r.status;
    return 0;
}

int64_t server_clock_apart_ms(const struct server *s)
{
    return clock_apart_ms(&s->clock);
}

int server_port(const char *address)
{
    return (int)server_of(address)->nfs_port;
}
