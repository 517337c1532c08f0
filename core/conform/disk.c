/* SPDX-License-Identifier: Apache-2.0
 * The disks that a storage driver is tried with: of every kind, with names that nobody should have. None of
 * them is there; at the addresses nothing listens. */
#include "conform/trial.h"
#include <stdio.h>
#include <string.h>

#define HOSTILE "a\033[31m'\"`$(id)\nb\\;-- \t%s%n\xe2\x80\xae"
#define LONGEST 4095u

static const char *const nobody[] = { "127.0.0.1:1" };

static const struct row {
    const char *about, *type, *source, *format, *protocol, *pool;
    uint32_t flags;
    bool is_full; /* every optional member is there */
} rows[] = {
    { "a raw file", "file", "/nowhere/virt-ferry-check.raw", "raw", NULL, NULL, 0, true },
    { "a qcow2 file", "file", "/nowhere/virt-ferry-check.qcow2", "qcow2", NULL, NULL, 0, true },
    { "a file with all optional members NULL", "file", "/nowhere/virt-ferry-check.raw", NULL, NULL, NULL, 0,
      false },
    { "a disk with source and all optional members NULL", "file", NULL, NULL, NULL, NULL, 0, false },
    { "a block device", "block", "/dev/virt-ferry-check/none", "raw", NULL, NULL, 0, true },
    { "an nfs disk", "network", "/nowhere/virt-ferry-check.raw", "raw", "nfs", NULL, 0, true },
    { "an rbd disk", "network", "nowhere/virt-ferry-check", "raw", "rbd", NULL, 0, true },
    { "an iscsi disk", "network", "iqn.2000-01.none:check/0", "raw", "iscsi", NULL, 0, true },
    { "a network disk with protocol and source NULL", "network", NULL, NULL, NULL, NULL, 0, false },
    { "a volume of a pool", "volume", NULL, "raw", NULL, "virt-ferry-check", 0, true },
    { "an empty CD-ROM drive", "file", NULL, NULL, NULL, NULL, FERRY_DISK_CDROM | FERRY_DISK_READONLY,
      false },
    { "a disk of a type that is not known", "none-such", "/nowhere/x", "raw", NULL, NULL, 0, true },
    { "a file whose name has escape bytes, quotes and newlines", "file", HOSTILE, "raw", NULL, NULL, 0,
      true },
    { "a file with a path of 4095 characters", "file", "long", "raw", NULL, NULL, 0, true },
    { "a file with a relative path", "file", "nowhere/-check", "raw", NULL, NULL, 0, true },
    { "an rbd disk with a hostile name", "network", HOSTILE, "raw", "rbd", NULL, 0, true },
};
_Static_assert(sizeof rows / sizeof rows[0] == TRIAL_DISKS, "the number of disks stands in the header");

static const char *longest(void)
{
    static char path[LONGEST + 1];

    /* No component is longer than a file system allows. */
    for (unsigned i = 0; i < LONGEST; i++)
        path[i] = i % 200 ? 'x' : '/';
    return path;
}

/* The first disk could be made; of the hostile ones a file too. */
static const char *source_of(const struct row *r, const char *folder)
{
    static char path[PATH_MAX];

    if (!r->source || strcmp(r->source, "long") == 0)
        return r->source ? longest() : NULL;
    if (strcmp(r->type, "file") != 0 || (r != rows && strcmp(r->source, HOSTILE) != 0))
        return r->source;
    (void)snprintf(path, sizeof path, "%s/%s", folder, r == rows ? "virt-ferry-check.raw" : HOSTILE);
    return path;
}

void trial_disk(unsigned i, const char *folder, struct trial_disk *ret)
{
    const struct row *r = &rows[i];

    *ret = (struct trial_disk){ .about = r->about };
    ret->disk = (struct ferry_disk){
        .size = sizeof ret->disk,
        .flags = r->flags,
        .target = "vda",
        .type = r->type,
        .source = source_of(r, folder),
        .format = r->format,
        .protocol = r->protocol,
        .pool = r->pool,
        .volume = r->pool ? "virt-ferry-check" : NULL,
        .capacity_bytes = FERRY_NOT_KNOWN,
    };
    if (!r->is_full)
        return;
    ret->disk.cache = "none";
    ret->disk.user = ret->disk.group = "+0";
    ret->disk.at_source = "nobody's identity";
    ret->disk.flags |= FERRY_DISK_AT_DEST;
    if (!r->protocol)
        return;
    ret->disk.server = "127.0.0.1";
    ret->disk.hosts = nobody;
    ret->disk.n_hosts = 1;
    ret->disk.auth_user = "nobody";
}
