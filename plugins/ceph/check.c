/* SPDX-License-Identifier: Apache-2.0
 * Each finding with its words. A refusal stands only on what the cluster or the host said; what could not be
 * asked is a warning, and the missing proof of sharing refuses by itself. */
#include "check.h"
#include "judge.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { NOTES = 1, WARNS = 2, REFUSES = 3 };

#define WATCH_TRIES 5
#define WATCH_PAUSE_MS 200

struct checking {
    struct ferry_call *call;
    const struct ferry_services *services;
    const struct ferry_disk *disk;
    struct image *image;
    bool is_dest, is_read;
};

#define TEXT(...) k->services->text(k->call, __VA_ARGS__)

static void say(const struct checking *k, int severity, const char *id, const char *what, const char *fix)
{
    if (what)
        k->services->finding(k->call, severity, id, what, fix);
}

static const char *spec(const struct checking *k)
{
    return k->disk->source;
}

/* ---- the way to the cluster ---- */

/* For a command: as the domain names it, where that is by uuid. */
static const char *secret_word(const struct cluster *c)
{
    const char *uuid = c->place.secret_uuid;

    return *uuid && strspn(uuid, "0123456789abcdefABCDEF-") == strlen(uuid) ? uuid : "UUID";
}

static void check_connection(const struct checking *k)
{
    const struct cluster *c = k->image->cluster;
    const bool is_hosts = c->secret == SECRET_READ; /* of the worker's host, not of this machine */

    switch (c->state) {
    case CLUSTER_OPEN:
        return;
    case CLUSTER_KEY_REFUSED:
        if (is_hosts)
            say(k, REFUSES, "ceph-key-refused", c->why,
                TEXT("Give the secret there the key that 'ceph auth get-key %s' shows: virsh "
                     "secret-set-value %s "
                     "--file FILE. A guest cannot open the image without it.",
                     c->user, secret_word(c)));
        else if (!k->is_dest)
            say(k, WARNS, "ceph-key-refused", c->why,
                TEXT("Put the key that 'ceph auth get %s' shows into its keyring on the machine where "
                     "virt-ferry "
                     "runs, or name another keyring or user in section [ceph] of its settings.",
                     c->user));
        return;
    case CLUSTER_NO_KEY:
        if (!k->is_dest)
            say(k, WARNS, "ceph-key-missing", c->why,
                TEXT("Put the keyring of '%s' to /etc/ceph/ceph.%s.keyring on the machine where virt-ferry "
                     "runs, "
                     "or name one in section [ceph] of its settings (keyring =, user =).",
                     c->user, c->user));
        return;
    case CLUSTER_SILENT:
        if (!k->is_dest)
            say(k, WARNS, "ceph-monitors-silent", c->why,
                TEXT("Look at the cluster with 'ceph -s', whether the machine where virt-ferry runs reaches "
                     "its "
                     "public network, and whether '%s' is one of its users.",
                     c->user));
        return;
    case CLUSTER_NO_LIBRARY:
        if (!k->is_dest)
            say(k, WARNS, "ceph-library-missing", c->why,
                "Install librados2 and librbd1 (16 or newer) on the machine where virt-ferry runs.");
        return;
    case CLUSTER_FAILED:
        if (!k->is_dest)
            say(k, WARNS, "ceph-not-reached", c->why,
                "Try the same by hand on the machine where virt-ferry runs: rbd info.");
        return;
    }
}

static void check_secret(const struct checking *k)
{
    const struct cluster *c = k->image->cluster;

    if (c->secret == SECRET_EMPTY)
        say(k, k->is_dest ? REFUSES : WARNS, "ceph-secret-empty",
            TEXT("the libvirt secret of user '%s' on host '%s' has no value", c->user,
                 k->services->host(k->call)),
            TEXT("Give it its value there: virsh secret-set-value %s --file FILE.", secret_word(c)));
}

/* ---- the image ---- */

const char *check_gap(struct ferry_call *call, const struct ferry_services *services,
                      const struct image *image)
{
    const struct cluster *c = image->cluster;
    const char *pool = image->name.pool, *name = image->name.image;

    if (c->state != CLUSTER_OPEN)
        return c->why;
    if (image->pool_code == -ENOENT)
        return services->text(call, "cluster %s has no pool '%s'", c->fsid, pool);
    if (image->pool_code < 0)
        return services->text(call, "pool '%s' could not be opened: %s", pool, strerror(-image->pool_code));
    if (image->is_old)
        return services->text(call, "image '%s' in pool '%s' is of format 1, which has no id", name, pool);
    if (image->id_code == -ENOENT)
        return services->text(call, "there is no image '%s' in pool '%s' of cluster %s", name, pool, c->fsid);
    if (image->id_code == -EPERM || image->id_code == -EACCES)
        return services->text(call, "user '%s' may not read pool '%s'", c->user, pool);
    if (image->id_code < 0)
        return services->text(call, "image '%s' in pool '%s' could not be read: %s", name, pool,
                              strerror(-image->id_code));
    return NULL;
}

static void check_found(const struct checking *k)
{
    const struct image *i = k->image;
    const char *gap = check_gap(k->call, k->services, i);
    const bool is_denied = i->id_code == -EPERM || i->id_code == -EACCES;

    if (!gap || i->cluster->state != CLUSTER_OPEN)
        return;
    if (i->pool_code == -ENOENT)
        say(k, REFUSES, "ceph-pool-missing", gap, "See what is there: ceph osd pool ls.");
    else if (i->is_old)
        say(k, REFUSES, "ceph-image-old", gap, "Bring it to format 2: rbd migration prepare.");
    else if (i->id_code == -ENOENT)
        say(k, REFUSES, "ceph-image-missing", gap,
            TEXT("See what is there: rbd ls -l %s%s%s, and rbd trash ls. A guest that still runs on it has "
                 "an image "
                 "that was removed or renamed.",
                 i->name.pool, i->name.space[0] ? "/" : "", i->name.space));
    else if (is_denied)
        say(k, i->cluster->is_disks_user ? REFUSES : WARNS, "ceph-pool-denied", gap,
            TEXT("Let it: ceph auth caps %s mon 'profile rbd' osd 'profile rbd pool=%s'.", i->cluster->user,
                 i->name.pool));
    else
        say(k, WARNS, "ceph-image-not-read", gap, "Look at the cluster with 'ceph -s'.");
}

static void check_features(const struct checking *k)
{
    const struct image *i = k->image;
    uint64_t features = 0, blocking;
    char words[256];

    if (!i->handle) {
        say(k, i->open_code == -ENOENT ? REFUSES : WARNS, "ceph-image-not-opened",
            TEXT("image '%s' could not be opened to read: %s", spec(k), strerror(-i->open_code)),
            "Look at it by hand: rbd info. An image with features that are newer than librbd cannot be "
            "opened.");
        return;
    }
    if (i->cluster->library->rbd_get_features(i->handle, &features) < 0)
        return;
    blocking = judge_blocking_feature(features);
    words_write_features(blocking ? blocking : words_nameless_features(features), words, sizeof words);
    if (blocking)
        say(k, REFUSES, "ceph-image-feature", TEXT("image '%s' has the feature '%s'", spec(k), words),
            blocking == RBD_FEATURE_DIRTY_CACHE
                ? "What the guest wrote last lies in a cache on a disk of its host. Stop the guest or the "
                  "cache "
                  "first: rbd persistent-cache flush."
                : "The image follows that of another cluster and takes no writes: rbd mirror image promote.");
    else if (*words)
        say(k, WARNS, "ceph-image-feature",
            TEXT("image '%s' has features that are newer than this virt-ferry: %s", spec(k), words),
            "See that librbd on both hosts is of the same version.");
}

static void check_full(const struct checking *k, int64_t pool_id, const char *which)
{
    const struct cluster_answer *answer = cluster_ask(k->image->cluster, CLUSTER_POOLS);
    const char *pool = k->image->name.pool;

    switch (judge_pool_full(answer ? answer->json : NULL, answer ? answer->n : 0, pool_id)) {
    case FULL_QUOTA:
        say(k, REFUSES, "ceph-pool-full",
            TEXT("the quota of %s '%s' is reached: writes wait, and a guest with writes under way cannot be "
                 "handed over",
                 which, pool),
            TEXT("Raise it: ceph osd pool set-quota %s max_bytes BYTES.", pool));
        return;
    case FULL_CLUSTER:
        say(k, REFUSES, "ceph-pool-full",
            TEXT("%s '%s' is full: writes wait, and a guest with writes under way cannot be handed over",
                 which, pool),
            "Free space or add OSDs: ceph health detail, ceph osd df.");
        return;
    case FULL_NEAR:
        say(k, WARNS, "ceph-pool-nearly-full", TEXT("%s '%s' is nearly full", which, pool),
            "Free space or add OSDs: ceph health detail, ceph osd df.");
        return;
    case FULL_NOT_KNOWN:
        k->services->log(k->call, "whether pool '%s' is full is not known", pool);
        return;
    case FULL_NO:
        return;
    }
}

/* Only what the disk's own user may do counts. */
static void check_writes(const struct checking *k, int64_t pool_id, const char *which)
{
    struct image *i = k->image;
    int code;

    if (k->is_read || !i->cluster->is_disks_user || i->cluster->state != CLUSTER_OPEN)
        return;
    code = image_try_write(i, pool_id);
    if (code == -EPERM || code == -EACCES)
        say(k, REFUSES, "ceph-pool-denied",
            TEXT("user '%s' may not write to %s '%s'", i->cluster->user, which, i->name.pool),
            TEXT("Let it: ceph auth caps %s mon 'profile rbd' osd 'profile rbd pool=%s'.", i->cluster->user,
                 i->name.pool));
    else if (code < 0)
        k->services->log(k->call, "trying to write to pool %" PRId64 ": %s", pool_id, strerror(-code));
}

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_nsec = ms * 1000000 };

    (void)nanosleep(&pause, NULL);
}

/* A client that makes a snapshot has the image open for a moment, and after a cut QEMU watches anew within
 * seconds: so a strange list is read again before it is believed. */
static void check_watchers(const struct checking *k)
{
    const struct judge_use use = { .is_in_use = k->disk->flags & FERRY_DISK_IN_USE,
                                   .is_read = k->is_read,
                                   .is_shareable = k->disk->flags & FERRY_DISK_SHAREABLE };
    enum judge_watch verdict = WATCH_EXPECTED;
    struct image_watchers watchers;

    for (int i = 0; i < WATCH_TRIES && k->image->cluster->state == CLUSTER_OPEN; i++) {
        int code = image_watchers(k->image, &watchers);

        if (code < 0) {
            say(k, WARNS, "ceph-watchers-not-known",
                TEXT("who has image '%s' open could not be asked: %s", spec(k), strerror(-code)),
                "Look by hand: rbd status.");
            return;
        }
        verdict = judge_watchers(watchers.n, use);
        if (verdict == WATCH_EXPECTED)
            break;
        pause_ms(WATCH_PAUSE_MS);
    }
    if (verdict == WATCH_SECOND)
        say(k, REFUSES, "ceph-second-watcher",
            TEXT("image '%s' is open more than once: %s", spec(k), watchers.text),
            "One of them is not this guest: find it by its address. A client that died is forgotten after 30 "
            "s.");
    else if (verdict == WATCH_SOMEBODY)
        say(k, use.is_read ? WARNS : REFUSES, "ceph-image-in-use",
            use.is_read ? TEXT("image '%s', which the guest only reads, is open: %s", spec(k), watchers.text)
                        : TEXT("the domain is shut off, and image '%s' is open: %s", spec(k), watchers.text),
            "Find who has it by the address. A client that died is forgotten after 30 s.");
    else if (verdict == WATCH_NONE)
        say(k, REFUSES, "ceph-image-not-open",
            TEXT("the domain is not shut off, yet nobody has image '%s' open: its QEMU uses another one, or "
                 "was "
                 "shut out",
                 spec(k)),
            "Compare with 'virsh domblklist' and 'rbd status', and look at 'ceph osd blocklist ls'.");
}

/* Whether the user could shut a lost writer out, asked once. The address cannot be one: the monitors judge
 * the user's rights first, and then refuse it. */
static int try_fencing(struct cluster *c)
{
    if (!c->is_fencing_tried)
        c->fencing_code = cluster_command(
            c, "{\"prefix\": \"osd blocklist\", \"blocklistop\": \"add\", \"addr\": \"virt-ferry/0\"}");
    c->is_fencing_tried = true;
    return c->fencing_code;
}

static void check_fencing(const struct checking *k)
{
    struct cluster *c = k->image->cluster;
    char value[16];
    int code;

    if (k->is_read || !c->is_disks_user || c->state != CLUSTER_OPEN)
        return;
    code = try_fencing(c);
    if (code == -EACCES || code == -EPERM)
        say(k, WARNS, "ceph-cannot-fence",
            TEXT(
                "user '%s' may not put clients on the blocklist: a writer that is lost could not be shut out",
                c->user),
            TEXT("Let it: ceph auth caps %s mon 'profile rbd' osd 'profile rbd pool=%s'.", c->user,
                 k->image->name.pool));
    if (c->library->rados_conf_get(c->rados, "rbd_blocklist_on_break_lock", value, sizeof value) == 0 &&
        strcmp(value, "true") != 0)
        say(k, WARNS, "ceph-no-blocklist",
            "rbd_blocklist_on_break_lock is off: who breaks a lock does not shut its owner out",
            "Set it, as is the default: ceph config set client rbd_blocklist_on_break_lock true.");
}

void check_image(struct ferry_call *call, const struct ferry_services *services,
                 const struct ferry_disk *disk, struct image *image)
{
    const struct checking k = { .call = call,
                                .services = services,
                                .disk = disk,
                                .image = image,
                                .is_dest = disk->flags & FERRY_DISK_AT_DEST,
                                .is_read = disk->flags & (FERRY_DISK_READONLY | FERRY_DISK_CDROM) ||
                                           disk->snapshot };
    int64_t data_pool;

    check_connection(&k);
    check_secret(&k);
    if (k.is_dest)
        return;
    check_found(&k);
    if (!image->id[0] || image->cluster->state != CLUSTER_OPEN)
        return;
    (void)image_open(image);
    check_features(&k);
    check_full(&k, image->pool_id, "pool");
    check_writes(&k, image->pool_id, "pool");
    if (!image->handle)
        return;
    data_pool = image->cluster->library->rbd_get_data_pool_id(image->handle);
    if (data_pool >= 0 && data_pool != image->pool_id) {
        check_full(&k, data_pool, "the data pool of the image in pool");
        check_writes(&k, data_pool, "the data pool of the image in pool");
    }
    check_watchers(&k);
    check_fencing(&k);
}
