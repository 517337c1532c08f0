/* SPDX-License-Identifier: Apache-2.0
 * Files made and removed on a server. CREATE is EXCLUSIVE: its random verifier is journalled before, and the
 * server itself answers by it, after a death in between, whether what stands there is what we made: the same
 * CREATE again succeeds for our file and no other. */
#include "image.h"
#include "../common/new-image.h"
#include "../common/no-answer.h"
#include "../common/qcow2.h"
#include "../common/words.h"
#include "send.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CREATE_MS 50000u
#define REMOVE_MS 4000u
#define PLACE_SCHEME "nfs://"
#define LARGEST_PIECE 65536u

int image_trouble(struct ferry_call *call, const struct ferry_services *services, const struct trouble *t)
{
    services->error(call, t->fix[0] ? t->fix : NULL, "%s", t->what);
    if (t->is_silent)
        no_answer(call, services);
    return -1;
}

static int refused(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                   const char *name, const char *doing, nfsstat3 status)
{
    const char *fix = "See that the folder can be written by the user that QEMU is, and that it has room.";

    if (status == NFS3ERR_EXIST)
        services->error(call, "Look at it and remove or rename it, or choose another place.",
                        "something stands at '%s/%s' on NFS server '%s' already", p->folder, name,
                        p->address);
    else
        services->error(call, fix, "could not %s '%s/%s' on NFS server '%s': %s", doing, p->folder, name,
                        p->address, server_words(status));
    return -1;
}

static const char *place_word(struct ferry_call *call, const struct ferry_services *services,
                              const struct place *p)
{
    const bool is_v6 = strchr(p->address, ':') != NULL;

    return services->text(call, PLACE_SCHEME "%s%s%s%s", is_v6 ? "[" : "", p->address, is_v6 ? "]" : "",
                          p->folder);
}

static struct made made_of(const struct found *f, const struct user *user)
{
    return (struct made){ .is_file = true,
                          .fsid = f->attributes.fsid,
                          .fileid = f->attributes.fileid,
                          .handle = made_digest(f->handle.bytes, f->handle.n),
                          .user = *user };
}

enum image_made image_make(struct ferry_call *call, const struct ferry_services *services,
                           const struct place *p, const char *what, const char *name,
                           const struct handle *folder, struct found *ret, struct trouble *ret_trouble)
{
    const char *where = place_word(call, services, p);
    struct made made = { .user = p->user };
    char identity[IDENTITY_SIZE];

    if (getrandom(made.verifier, sizeof made.verifier, 0) != (ssize_t)sizeof made.verifier) {
        services->error(call, NULL, "could not get random bytes");
        return IMAGE_FAILED;
    }
    /* Servers keep it in the file's times, and some mask the sign. */
    made.verifier[0] &= 0x7f;
    made.verifier[4] &= 0x7f;
    made_write(&made, identity);
    if (!where || services->journal(call, what, where, name, identity) < 0)
        return IMAGE_FAILED;
    if (server_create(p->address, &p->user, folder, name, made.verifier, ret, ret_trouble) < 0)
        return IMAGE_UNANSWERED;
    if (ret->status != NFS3_OK)
        return IMAGE_REFUSED;
    made = made_of(ret, &p->user);
    made_write(&made, identity);
    return services->journal(call, what, where, name, identity) < 0 ? IMAGE_FAILED : IMAGE_MADE;
}

/* ---- create ---- */

/* A file of an exclusive creation has no mode and no times yet. */
static int give_size(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                     const struct found *file, uint64_t bytes)
{
    sattr3 set = { .mode = { .set_it = 1, .set_mode3_u.mode = 0600 },
                   .size = { .set_it = 1, .set_size3_u.size = bytes },
                   .atime = { .set_it = SET_TO_SERVER_TIME },
                   .mtime = { .set_it = SET_TO_SERVER_TIME } };
    struct trouble t;
    nfsstat3 status;

    if (server_set(p->address, &p->user, &file->handle, &set, NULL, &status, &t) < 0)
        return image_trouble(call, services, &t);
    return status == NFS3_OK ? 0 : refused(call, services, p, p->name, "give its size to", status);
}

struct target {
    struct ferry_call *call;
    const struct ferry_services *services;
    const struct place *place;
    const struct handle *file;
};

static int target_write(void *context, uint64_t offset, const unsigned char *bytes, uint32_t n,
                        uint32_t *ret_n, char ret_verifier[8])
{
    const struct target *at = context;
    WRITE3res r = { .status = NFS3ERR_SERVERFAULT };
    struct trouble t;

    if (server_write(at->place->address, &at->place->user, at->file, offset, bytes, n, &r, &t) < 0)
        return image_trouble(at->call, at->services, &t);
    if (r.status == NFS3_OK && (r.WRITE3res_u.resok.count == 0 || r.WRITE3res_u.resok.count > n))
        r.status = NFS3ERR_IO;
    if (r.status != NFS3_OK)
        return refused(at->call, at->services, at->place, at->place->name, "write", r.status);
    *ret_n = r.WRITE3res_u.resok.count;
    memcpy(ret_verifier, r.WRITE3res_u.resok.verf, 8);
    return 0;
}

static int target_commit(void *context, char ret_verifier[8])
{
    const struct target *at = context;
    COMMIT3res r = { .status = NFS3ERR_SERVERFAULT };
    struct trouble t;

    if (server_commit(at->place->address, &at->place->user, at->file, &r, &t) < 0)
        return image_trouble(at->call, at->services, &t);
    if (r.status != NFS3_OK)
        return refused(at->call, at->services, at->place, at->place->name, "write", r.status);
    memcpy(ret_verifier, r.COMMIT3res_u.resok.verf, 8);
    return 0;
}

static int write_qcow2(struct target *at, uint64_t capacity, uint32_t most)
{
    const struct sink sink = { .context = at, .write = target_write, .commit = target_commit };
    OWNED_WORDS unsigned char *head = malloc(QCOW2_HEAD_BYTES);
    int r;

    if (!head) {
        at->services->error(at->call, NULL, "no memory left");
        return -1;
    }
    (void)qcow2_write_head(capacity, NULL, head);
    r = send_all(&sink, head, QCOW2_HEAD_BYTES, most > 0 && most < LARGEST_PIECE ? most : LARGEST_PIECE);
    if (r > 0)
        at->services->error(at->call, "See why the server restarts.",
                            "NFS server '%s' restarted %d times while '%s/%s' was written",
                            at->place->address, SEND_TRIES, at->place->folder, at->place->name);
    return r == 0 ? 0 : -1;
}

int image_create(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_new_image *image)
{
    const bool is_qcow2 = strcmp(image->disk->format ? image->disk->format : "", "qcow2") == 0;
    const uint64_t reserved = is_qcow2 ? qcow2_reserved_bytes(image->capacity_bytes) : 0;
    const uint64_t least = new_image_bytes(call, services, image);
    /* QEMU's own driver takes the length once: an image that never grows can be moved while the guest runs.
     */
    const uint64_t bytes = least && reserved && strcmp(image->disk->type, "network") == 0 ? reserved : least;
    struct place p;
    struct look look;
    struct found file;
    struct trouble t;
    struct target at = { call, services, &p, &file.handle };

    if (bytes == 0)
        return -1;
    if (place_need(call, services, image->disk, &p) < 0)
        return -1;
    server_time(CREATE_MS);
    if (server_look(p.address, p.folder, p.name, &p.user, &look, &t) < 0)
        return image_trouble(call, services, &t);
    if (look.found.status != NFS3ERR_NOENT)
        return refused(call, services, &p, p.name, "create",
                       look.found.status == NFS3_OK ? NFS3ERR_EXIST : look.found.status);
    switch (image_make(call, services, &p, "image", p.name, &look.folder, &file, &t)) {
    case IMAGE_MADE:
        break;
    case IMAGE_UNANSWERED:
        return image_trouble(call, services, &t);
    case IMAGE_REFUSED:
        return refused(call, services, &p, p.name, "create", file.status);
    case IMAGE_FAILED:
        return -1;
    }
    if (give_size(call, services, &p, &file, bytes) < 0)
        return -1;
    if (is_qcow2)
        return write_qcow2(&at, image->capacity_bytes, look.write_most);
    return 0;
}

/* ---- remove ---- */

static bool read_place(const char *text, struct place *ret)
{
    const char *at = text + strlen(PLACE_SCHEME);

    return strncmp(text, PLACE_SCHEME, strlen(PLACE_SCHEME)) == 0 &&
           identity_take_address(&at, ret->address) && *at == '/' && strlen(at) < sizeof ret->folder &&
           snprintf(ret->folder, sizeof ret->folder, "%s", at) > 0;
}

/* 1: what stands there is not what was made. */
static int is_made(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                   const char *name, const struct made *made, const struct look *look)
{
    struct found again = { 0 };
    struct trouble t;

    if (made->is_file) {
        const struct made seen = made_of(&look->found, &made->user);

        return seen.fsid != made->fsid || seen.fileid != made->fileid || seen.handle != made->handle;
    }
    if (server_create(p->address, &p->user, &look->folder, name, made->verifier, &again, &t) < 0)
        return image_trouble(call, services, &t);
    if (again.status == NFS3_OK)
        return 0;
    return again.status == NFS3ERR_EXIST ? 1 : refused(call, services, p, name, "look at", again.status);
}

int image_remove(struct ferry_call *call, const struct ferry_services *services, const char *place,
                 const char *name, const char *identity)
{
    struct place p = { 0 };
    struct made made = { 0 };
    struct look look;
    struct trouble t;
    nfsstat3 status;
    int other;

    if (!read_place(place, &p) || !made_read(identity, &made) || strchr(name, '/') || !*name)
        return 1;
    p.user = made.user;
    server_time(REMOVE_MS);
    if (server_look(p.address, p.folder, name, &p.user, &look, &t) < 0)
        return image_trouble(call, services, &t);
    if (look.found.status == NFS3ERR_NOENT)
        return 0;
    if (look.found.status != NFS3_OK)
        return refused(call, services, &p, name, "look at", look.found.status);
    other = is_made(call, services, &p, name, &made, &look);
    if (other != 0)
        return other;
    if (server_unlink(p.address, &p.user, &look.folder, name, &status, &t) < 0)
        return image_trouble(call, services, &t);
    return status == NFS3_OK || status == NFS3ERR_NOENT ? 0
                                                        : refused(call, services, &p, name, "remove", status);
}

int image_retire(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const char *identity)
{
    struct identity known;
    struct place p;
    struct look look;
    struct trouble t;
    nfsstat3 status;

    if (!identity_read(identity, &known) || place_find(call, services, disk, &p) != PLACE_KNOWN)
        return 1;
    server_time(REMOVE_MS);
    if (server_look(p.address, p.folder, p.name, &p.user, &look, &t) < 0)
        return image_trouble(call, services, &t);
    if (look.found.status == NFS3ERR_NOENT)
        return 0;
    if (look.found.status != NFS3_OK)
        return refused(call, services, &p, p.name, "look at", look.found.status);
    if (look.found.attributes.fsid != known.fsid || look.found.attributes.fileid != known.fileid)
        return 1;
    if (server_unlink(p.address, &p.user, &look.folder, p.name, &status, &t) < 0)
        return image_trouble(call, services, &t);
    return status == NFS3_OK || status == NFS3ERR_NOENT
               ? 0
               : refused(call, services, &p, p.name, "remove", status);
}
