/* SPDX-License-Identifier: Apache-2.0
 * Questions about images, each of them for many at once: what a domain has on one server takes as many round
 * trips as one image. */
#include "lines.h"
#include <stdlib.h>
#include <string.h>

#define LOOK_ACCESS (ACCESS3_READ | ACCESS3_LOOKUP | ACCESS3_MODIFY | ACCESS3_EXTEND)

#define TAKE(name, type)                                                                                     \
    static void take_##name(void *into, const void *result)                                                  \
    {                                                                                                        \
        memcpy(into, result, sizeof(type));                                                                  \
    }
TAKE(fsstat, FSSTAT3res)
TAKE(fsinfo, FSINFO3res)
TAKE(access, ACCESS3res)

static void take_lookup(void *into, const void *result)
{
    const LOOKUP3res *r = result;
    const LOOKUP3resok *ok = &r->LOOKUP3res_u.resok;
    struct found *f = into;

    f->status = r->status;
    if (r->status != NFS3_OK)
        return;
    server_keep_handle(&f->handle, ok->object.data.data_val, ok->object.data.data_len);
    if (ok->obj_attributes.attributes_follow)
        f->attributes = ok->obj_attributes.post_op_attr_u.attributes;
    else
        f->status = NFS3ERR_SERVERFAULT;
}

static void take_head(void *into, const void *result)
{
    const READ3res *r = result;
    struct look *look = into;
    const uint32_t n = r->status == NFS3_OK ? r->READ3res_u.resok.data.data_len : 0;

    look->has_head = true;
    look->head_n = n < sizeof look->head ? n : sizeof look->head;
    if (n > 0)
        memcpy(look->head, r->READ3res_u.resok.data.data_val, look->head_n);
}

/* What is in flight for one image. */
struct shot {
    struct asked of_lookup, of_stat, of_info, of_access, of_head;
    FSSTAT3res stat;
    FSINFO3res info;
    ACCESS3res access;
};

static int no_memory(struct trouble *t)
{
    *t = (struct trouble){ .id = "nfs-not-answering", .what = "no memory left" };
    return -1;
}

/* ---- looking ---- */

static void send_look(struct rpc_context *rpc, struct flight *f, struct want *w, struct shot *shot)
{
    const nfs_fh3 folder = server_handle(&w->look->folder);
    LOOKUP3args lookup = { { folder, (char *)(uintptr_t)w->name } };
    FSSTAT3args stat = { folder };
    FSINFO3args info = { folder };
    ACCESS3args access = { folder, LOOK_ACCESS };

    shot->stat.status = shot->info.status = shot->access.status = NFS3ERR_SERVERFAULT;
    shot->of_lookup = (struct asked){ f, take_lookup, &w->look->found };
    shot->of_stat = (struct asked){ f, take_fsstat, &shot->stat };
    shot->of_info = (struct asked){ f, take_fsinfo, &shot->info };
    shot->of_access = (struct asked){ f, take_access, &shot->access };
    f->waiting += 4;
    if (rpc_nfs3_lookup_async(rpc, flight_landed, &lookup, &shot->of_lookup) < 0 ||
        rpc_nfs3_fsstat_async(rpc, flight_landed, &stat, &shot->of_stat) < 0 ||
        rpc_nfs3_fsinfo_async(rpc, flight_landed, &info, &shot->of_info) < 0 ||
        rpc_nfs3_access_async(rpc, flight_landed, &access, &shot->of_access) < 0)
        flight_refuse(f, rpc);
}

static void take_look(const struct shot *shot, struct want *w)
{
    struct look *look = w->look;

    if (shot->stat.status == NFS3_OK) {
        look->has_room = true;
        look->free_bytes = shot->stat.FSSTAT3res_u.resok.abytes;
        look->free_files = shot->stat.FSSTAT3res_u.resok.afiles;
        look->total_files = shot->stat.FSSTAT3res_u.resok.tfiles;
    }
    look->write_most = shot->info.status == NFS3_OK ? shot->info.FSINFO3res_u.resok.wtmax : 0;
    look->folder_access = shot->access.status == NFS3_OK ? shot->access.ACCESS3res_u.resok.access : 0;
    w->is_seen = true;
}

static int look_once(struct server *s, struct want *const *wants, size_t n, struct shot *shots,
                     struct trouble *t)
{
    struct flight f = { .waiting = 0 };

    for (size_t i = 0; i < n; i++) {
        memset(wants[i]->look, 0, sizeof *wants[i]->look);
        wants[i]->is_seen = false;
    }
    if (server_folders(s, wants, n, t) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (wants[i]->look->folder.n == 0)
            continue;
        if (server_speak_for(s, wants[i]->user, t) < 0)
            flight_refuse(&f, server_line(s));
        else
            send_look(server_line(s), &f, wants[i], &shots[i]);
    }
    if ((f.waiting > 0 || f.failed) && server_land(s, &f, "looking for the image", t) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (wants[i]->look->folder.n > 0)
            take_look(&shots[i], wants[i]);
    /* It is one clock, whatever lies there. */
    wants[0]->look->clock_ahead_ms = server_clock_apart_ms(s);
    return 0;
}

/* A handle that was kept may have become stale: then its folder is mounted anew. */
static bool forget_stale(struct server *s, struct want *const *wants, size_t n)
{
    bool has_stale = false;

    for (size_t i = 0; i < n; i++) {
        const nfsstat3 status = wants[i]->look->found.status;

        if (!wants[i]->is_seen || (status != NFS3ERR_STALE && status != NFS3ERR_BADHANDLE))
            continue;
        server_forget(s, wants[i]->folder);
        has_stale = true;
    }
    return has_stale;
}

int server_look_all(struct want *const *wants, size_t n, struct trouble *t)
{
    struct shot *shots = calloc(n, sizeof *shots);
    int result = -1;

    if (!shots)
        return no_memory(t);
    for (int turns = 0; turns < 2; turns++) {
        struct server *s = server_enter(wants[0]->address, t);

        if (!s)
            break;
        result = look_once(s, wants, n, shots, t);
        /* A kept connection that the server closed meanwhile is opened anew, once. */
        if (result < 0 ? !server_may_be_asked_again(s) : !forget_stale(s, wants, n))
            break;
    }
    free(shots);
    return result;
}

int server_look(const char *address, const char *folder, const char *name, const struct user *user,
                struct look *ret, struct trouble *t)
{
    struct want want = { .address = address, .folder = folder, .name = name, .user = user, .look = ret };
    struct want *const all[] = { &want };

    return server_look_all(all, 1, t) == 0 && want.is_seen ? 0 : -1;
}

/* ---- learning more of what was found ---- */

static void send_more(struct rpc_context *rpc, struct flight *f, struct want *w, struct shot *shot)
{
    const nfs_fh3 file = server_handle(&w->look->found.handle);
    ACCESS3args access = { file, LOOK_RIGHTS };
    READ3args head = { .file = file, .offset = 0, .count = sizeof w->look->head };

    shot->access.status = NFS3ERR_SERVERFAULT;
    shot->of_access = (struct asked){ f, take_access, &shot->access };
    shot->of_head = (struct asked){ f, take_head, w->look };
    f->waiting += (unsigned)w->wants_rights + (unsigned)w->wants_head;
    if ((w->wants_rights && rpc_nfs3_access_async(rpc, flight_landed, &access, &shot->of_access) < 0) ||
        (w->wants_head && rpc_nfs3_read_async(rpc, flight_landed, &head, &shot->of_head) < 0))
        flight_refuse(f, rpc);
}

int server_learn_all(struct want *const *wants, size_t n, struct trouble *t)
{
    struct server *s = server_enter(wants[0]->address, t);
    struct shot *shots = s ? calloc(n, sizeof *shots) : NULL;
    struct flight f = { .waiting = 0 };
    int result;

    if (!shots)
        return s ? no_memory(t) : -1;
    for (size_t i = 0; i < n; i++) {
        if (server_speak_for(s, wants[i]->user, t) < 0)
            flight_refuse(&f, server_line(s));
        else
            send_more(server_line(s), &f, wants[i], &shots[i]);
    }
    result = f.waiting > 0 || f.failed ? server_land(s, &f, "asking what is allowed", t) : 0;
    for (size_t i = 0; result == 0 && i < n; i++) {
        if (!wants[i]->wants_rights)
            continue;
        wants[i]->look->has_rights = true;
        wants[i]->look->rights_status = shots[i].access.status;
        wants[i]->look->rights =
            shots[i].access.status == NFS3_OK ? shots[i].access.ACCESS3res_u.resok.access : 0;
    }
    free(shots);
    return result;
}
