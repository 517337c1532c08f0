/* SPDX-License-Identifier: Apache-2.0
 * Findings about an image on an NFS server. Nothing here writes: what the server would refuse is asked by
 * ACCESS, and why, by a SETATTR that sets nothing under a guard that cannot hold. */
#include "check.h"
#include <inttypes.h>
#include <string.h>

#define SEVERITY_NOTES 1
#define SEVERITY_WARNS 2
#define SEVERITY_REFUSES 3
#define WRITE_ACCESS (ACCESS3_MODIFY | ACCESS3_EXTEND)
#define LEAST_ROOM                                                                                           \
    (UINT64_C(16) << 20) /* a qcow2 image takes its clusters and tables in much smaller steps */
/* The portmapper tells whole seconds, and answers may take one. */
#define CLOCK_APART_S 3u
#define SQUASH_FIX                                                                                           \
    "Export the folder with no_root_squash (ganesha: Squash = No_Root_Squash), or let QEMU be a user who "   \
    "may "                                                                                                   \
    "write there: chown the image and name that user in the disk's <identity>."

struct check {
    struct ferry_call *call;
    const struct ferry_services *services;
    const struct ferry_disk *disk;
    const struct place *p;
    const struct look *look;
};

static void add(const struct check *c, int severity, const char *id, const char *what, const char *fix)
{
    c->services->finding(c->call, severity, id, what, fix);
}

/* What a write of this user would be answered. */
static nfsstat3 try_to_write(const struct check *c)
{
    const fattr3 *a = &c->look->found.attributes;
    const nfstime3 never = { .seconds = a->ctime.seconds ^ 1u, .nseconds = a->ctime.nseconds };
    const sattr3 nothing = { .mode = { 0 } };
    nfsstat3 status;
    struct trouble t;

    if (server_set(c->p->address, &c->p->user, &c->look->found.handle, &nothing, &never, &status, &t) < 0)
        return NFS3ERR_SERVERFAULT;
    return status;
}

static void say_not_writable(const struct check *c, const char *of, uint32_t uid, uint32_t mode)
{
    const struct place *p = c->p;
    const char *image =
        c->services->text(c->call, "'%s/%s' on NFS server '%s'", p->folder, p->name, p->address);

    if (try_to_write(c) == NFS3ERR_ROFS)
        add(c, SEVERITY_REFUSES, "nfs-read-only",
            c->services->text(c->call, "%s lies in an export that is read-only, and the guest writes to it",
                              image),
            "Export the folder read-write (rw) to all hosts.");
    else if (p->user.uid == 0)
        add(c, SEVERITY_REFUSES, "nfs-root-squash",
            c->services->text(c->call,
                              "root, who QEMU is, may not write %s (%s uid %" PRIu32 ", mode %04" PRIo32
                              "): the server takes root for nobody (root squash)",
                              image, of, uid, mode & 07777u),
            SQUASH_FIX);
    else
        add(c, SEVERITY_REFUSES, "nfs-not-writable",
            c->services->text(c->call,
                              "user %" PRIu32 ", who QEMU is, may not write %s (%s uid %" PRIu32
                              ", mode %04" PRIo32 ")",
                              p->user.uid, image, of, uid, mode & 07777u),
            "Give the image to that user: chown and chmod on the server; or name its owner in the disk's "
            "<identity>.");
}

static bool is_denial(nfsstat3 status)
{
    return status == NFS3ERR_ACCES || status == NFS3ERR_PERM;
}

static void say_not_shown(const struct check *c, nfsstat3 status)
{
    const struct place *p = c->p;

    add(c, SEVERITY_WARNS, status == NFS3ERR_STALE ? "nfs-stale" : "nfs-not-answering",
        c->services->text(c->call, "NFS server '%s' does not show '%s/%s': %s", p->address, p->folder,
                          p->name, server_words(status)),
        "Look whether the folder was removed, or exported anew, on the server.");
}

static void check_access(const struct check *c)
{
    const bool is_writable = !(c->disk->flags & (FERRY_DISK_READONLY | FERRY_DISK_CDROM));
    const uint32_t wanted = ACCESS3_READ | (is_writable ? WRITE_ACCESS : 0);
    const fattr3 *a = &c->look->found.attributes;
    struct look look = *c->look;
    struct want want = { .address = c->p->address, .user = &c->p->user, .look = &look, .wants_rights = true };
    struct want *const all[] = { &want };
    struct trouble t;

    if (!c->p->has_user) {
        add(c, SEVERITY_NOTES, "nfs-user-not-known",
            "whom QEMU is to the NFS server could not be told, so whether it may write was not tried", NULL);
        return;
    }
    if (!look.has_rights && server_learn_all(all, 1, &t) < 0) {
        add(c, SEVERITY_WARNS, t.id, t.what, t.fix[0] ? t.fix : NULL);
        return;
    }
    if (look.rights_status == NFS3_OK && (look.rights & wanted) == wanted)
        return;
    /* No word about rights. */
    if (look.rights_status != NFS3_OK && !is_denial(look.rights_status)) {
        say_not_shown(c, look.rights_status);
        return;
    }
    if (is_writable)
        say_not_writable(c, "owner", a->uid, a->mode);
    else
        add(c, SEVERITY_REFUSES, "nfs-not-readable",
            c->services->text(c->call,
                              "user %" PRIu32 ", who QEMU is, may not read '%s/%s' on NFS server '%s'",
                              c->p->user.uid, c->p->folder, c->p->name, c->p->address),
            "Give that user the right to read it: chmod on the server.");
}

static void check_room(const struct check *c)
{
    const struct look *l = c->look;

    if (!l->has_room)
        return;
    if (l->free_bytes < LEAST_ROOM)
        add(c, SEVERITY_WARNS, "nfs-full",
            c->services->text(c->call,
                              "NFS server '%s' has %" PRIu64
                              " KiB left in '%s': a guest that needs more is stopped, or told of errors",
                              c->p->address, l->free_bytes / 1024u, c->p->folder),
            "Free space in the export.");
    if (l->found.status == NFS3ERR_NOENT && l->total_files > 0 && l->free_files == 0)
        add(c, SEVERITY_REFUSES, "nfs-no-inodes",
            c->services->text(c->call, "NFS server '%s' can hold no more files in '%s'", c->p->address,
                              c->p->folder),
            "Remove files from the export, or give its file system more inodes.");
}

/* Caches of clients bear any difference: they compare what one server says with what it said before. */
static void check_clock(const struct check *c)
{
    const int64_t ahead_ms = c->look->clock_ahead_ms;
    const bool is_behind = ahead_ms < 0;
    const uint64_t apart_s = (uint64_t)(is_behind ? -ahead_ms : ahead_ms) / 1000u;

    if (apart_s < CLOCK_APART_S)
        return;
    add(c, SEVERITY_WARNS, "nfs-clock",
        c->services->text(c->call,
                          "the clock of NFS server '%s' is %" PRIu64
                          " s or more %s this machine's: the times of files there are by it",
                          c->p->address, apart_s, is_behind ? "behind" : "ahead of"),
        "What goes by these times errs (backups, clean-up by age), and Kerberos bears five minutes: let the "
        "server and the hosts take the time from the same source.");
}

void check_image(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const struct place *p, const struct look *look)
{
    const struct check c = { call, services, disk, p, look };
    const nfsstat3 status = look->found.status;

    check_room(&c);
    check_clock(&c);
    if (status == NFS3_OK && look->found.attributes.type == NF3REG) {
        check_access(&c);
    } else if (is_denial(status)) {
        add(&c, SEVERITY_REFUSES, p->user.uid == 0 ? "nfs-root-squash" : "nfs-not-readable",
            services->text(call, "user %" PRIu32 ", who QEMU is, may not enter '%s' on NFS server '%s'%s",
                           p->user.uid, p->folder, p->address,
                           p->user.uid == 0 ? ": the server takes root for nobody (root squash)" : ""),
            p->user.uid == 0 ? SQUASH_FIX : "Give that user the right to enter it: chmod on the server.");
    } else if (status == NFS3ERR_NOENT && !disk->at_source) {
        add(&c, SEVERITY_REFUSES, "nfs-image-missing",
            services->text(call, "there is no '%s/%s' on NFS server '%s'", p->folder, p->name, p->address),
            "Look for the image on the server; a guest that runs on it has its last copy open.");
    } else if (status != NFS3_OK && status != NFS3ERR_NOENT) {
        say_not_shown(&c, status);
    }
}

void check_mount(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, const struct place *p)
{
    const struct check c = { call, services, disk, p, NULL };
    const struct mount *m = &p->mount;
    const char *host = services->host(call);

    if (!m->target[0])
        return;
    if (m->is_read_only && !(disk->flags & (FERRY_DISK_READONLY | FERRY_DISK_CDROM)))
        add(&c, SEVERITY_REFUSES, "nfs-read-only",
            services->text(call, "'%s' is mounted read-only on host '%s', and the guest writes to it",
                           m->target, host),
            "Mount it read-write there: mount -o remount,rw FOLDER.");
    if (m->is_soft)
        add(&c, SEVERITY_WARNS, "nfs-soft-mount",
            services->text(
                call, "'%s' is mounted with 'soft' on host '%s': a slow server becomes errors of the disk",
                m->target, host),
            "Mount it with 'hard'.");
    if (m->has_own_locks)
        add(&c, SEVERITY_WARNS, "nfs-own-locks",
            services->text(
                call,
                "'%s' is mounted with locks of its own ('nolock' or 'local_lock') on host '%s': QEMU's "
                "lock on the image does not reach other hosts",
                m->target, host),
            "Mount it without 'nolock' and 'local_lock'.");
}
