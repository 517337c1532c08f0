/* SPDX-License-Identifier: Apache-2.0
 * O_TMPFILE and linkat: a death before the link leaves nothing, one after it a file whose inode and time of
 * birth the journal knows. */
#include "here.h"
#include "../common/qcow2.h"
#include "../common/words.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An inode's number is used again, its time of birth is not. */
#define IDENTITY_FORM "inode:%" PRIu64 ":%" PRId64 ".%09" PRIu32
#define MODE 0600

static int refuse(struct ferry_call *call, const struct ferry_services *services, const struct path *path,
                  int code)
{
    if (code == EEXIST)
        services->error(call, "Look at it and remove or rename it, or choose another place.",
                        "something stands at '%s/%s' already", path->folder, path->name);
    else if (code == EOPNOTSUPP)
        services->error(
            call, "Choose a folder on another file system, or move the disk while the guest runs.",
            "the file system of '%s' has no files without a name (O_TMPFILE), as which images are made",
            path->folder);
    else
        services->error(call, "See that the folder is there, can be written, and has room.",
                        "could not create '%s/%s': %s", path->folder, path->name, strerror(code));
    return -1;
}

static const char *identity_of(struct ferry_call *call, const struct ferry_services *services, int folder,
                               const char *name)
{
    struct statx st;
    const int code = statx(folder, name, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH),
                           STATX_INO | STATX_BTIME, &st) < 0
                         ? errno
                         : 0;

    if (code != 0 || !(st.stx_mask & STATX_BTIME)) {
        services->error(call, "Choose a folder on another file system.",
                        "the file system does not tell its files apart: %s",
                        code ? strerror(code) : "it keeps no time of birth");
        return NULL;
    }
    return services->text(call, IDENTITY_FORM, (uint64_t)st.stx_ino, (int64_t)st.stx_btime.tv_sec,
                          st.stx_btime.tv_nsec);
}

/* 0, or an errno. */
static int fill(int fd, const struct ferry_new_image *image, uint64_t bytes)
{
    const struct qcow2_base base = { .path = image->base, .format = image->base_format };
    OWNED_WORDS unsigned char *head = NULL;
    ssize_t n;

    if (ftruncate(fd, (off_t)bytes) < 0)
        return errno;
    if (strcmp(image->disk->format, "qcow2") != 0)
        return 0;
    head = malloc(QCOW2_HEAD_BYTES);
    if (!head)
        return ENOMEM;
    if (qcow2_write_head(image->capacity_bytes, image->base ? &base : NULL, head) < 0)
        return EINVAL;
    n = pwrite(fd, head, QCOW2_HEAD_BYTES, 0);
    return n == (ssize_t)QCOW2_HEAD_BYTES ? 0 : n < 0 ? errno : ENOSPC;
}

/* 0, or an errno; -1 with the error set. */
static int name_it(struct ferry_call *call, const struct ferry_services *services, const struct path *path,
                   int folder, int fd)
{
    const char *identity = identity_of(call, services, fd, "");
    char self[64];

    if (!identity)
        return -1;
    /* linkat refuses as well, after something was journalled in vain. */
    if (faccessat(folder, path->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    if (services->journal(call, HERE_WHAT, path->folder, path->name, identity) < 0)
        return -1;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, folder, path->name, AT_SYMLINK_FOLLOW) < 0)
        return errno;
    return fsync(folder) < 0 ? errno : 0;
}

int here_create(struct ferry_call *call, const struct ferry_services *services, const struct path *path,
                const struct ferry_new_image *image, uint64_t bytes)
{
    const int folder = open(path->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fd = folder < 0 ? -1 : openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
    int code = fd < 0 ? errno : fill(fd, image, bytes);

    if (code == 0)
        code = name_it(call, services, path, folder, fd);
    if (fd >= 0)
        (void)close(fd);
    if (folder >= 0)
        (void)close(folder);
    return code > 0 ? refuse(call, services, path, code) : code;
}

int here_remove(struct ferry_call *call, const struct ferry_services *services, const char *place,
                const char *name, const char *identity)
{
    const int folder = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *found;
    struct stat st;
    int result = 1;

    if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        const int code = errno;

        if (folder >= 0)
            (void)close(folder);
        if (code == ENOENT)
            return 0;
        services->error(call, NULL, "could not look at '%s/%s': %s", place, name, strerror(code));
        return -1;
    }
    found = identity_of(call, services, folder, name);
    if (!found)
        result = -1;
    else if (strcmp(found, identity) == 0) {
        result = unlinkat(folder, name, 0) == 0 ? 0 : -1;
        if (result < 0)
            services->error(call, "Remove it by hand.", "could not remove '%s/%s': %s", place, name,
                            strerror(errno));
    }
    (void)close(folder);
    return result;
}
