/* SPDX-License-Identifier: Apache-2.0
 * flock on the folder itself tells the living from the dead; a lock goes with its process, a name does not.
 */
#include "worker/sockets.h"

#include "base/log.h"
#include "base/name.h"
#include "base/owned.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PREFIX "way-"
#define SYSTEM_DIR "/run/virt-ferry"
#define RANDOM_BYTES 8u
#define ATTEMPTS 8

void sockets_dir(char *buf, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 || !runtime)
        snprintf(buf, size, "%s", SYSTEM_DIR);
    else
        snprintf(buf, size, "%s/virt-ferry", runtime);
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whatever the umask takes away. */
static int make_folder(const char *path, mode_t mode)
{
    return mkdir(path, mode) < 0 || chmod(path, mode) < 0 ? -1 : 0;
}

/* Whoever could write there could put his own socket before us. */
static int make_parent(const char *path, mode_t mode, struct error *err)
{
    struct stat st;

    if (make_folder(path, mode) < 0 && errno != EEXIST)
        return error_errno(err, NULL, "could not make the folder '%s'", path);
    if (lstat(path, &st) < 0)
        return error_errno(err, NULL, "could not look at the folder '%s'", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077u & ~mode) == 0)
        return 0;
    error_set(err, ERROR_SYSTEM, NULL, "'%s' is no folder of ours that is closed to others", path);
    return error_fix(err, "Remove it; virt-ferry makes it anew.");
}

/* The folder that is locked is the one that has the name: another run's sweep may have come in between. */
static bool is_still(const char *path, int fd)
{
    struct stat by_name;
    struct stat by_fd;

    return lstat(path, &by_name) == 0 && fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
           by_name.st_dev == by_fd.st_dev;
}

int sockets_make(const char *parent, mode_t mode, char *buf, size_t size, int *ret_lock, struct error *err)
{
    char hex[2 * RANDOM_BYTES + 1];

    if (make_parent(parent, mode, err) < 0)
        return -err->code;
    for (int i = 0; i < ATTEMPTS; i++) {
        OWNED_FD fd = -1;

        if (name_random_hex(hex, RANDOM_BYTES, err) < 0)
            return -err->code;
        if (snprintf(buf, size, "%s/" PREFIX "%s", parent, hex) >= (int)size)
            return error_set(err, ERROR_SYSTEM, NULL, "the path '%s' is too long for a socket", parent);
        if (make_folder(buf, mode) < 0) {
            /* Another run's sweep took it away before it was locked. */
            if (errno == ENOENT)
                continue;
            return error_errno(err, NULL, "could not make the folder '%s'", buf);
        }
        fd = open_folder(buf);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still(buf, fd)) {
            *ret_lock = HAND_OVER_FD(fd);
            return 0;
        }
    }
    return error_set(err, ERROR_SYSTEM, NULL, "could not make a folder in '%s'", parent);
}

static void remove_in(int dir, const char *path)
{
    int again = dup(dir);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;

    for (struct dirent *d; list && (d = readdir(list));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            (void)unlinkat(dir, d->d_name, 0);
    if (list)
        (void)closedir(list);
    else if (again >= 0)
        (void)close(again);
    if (rmdir(path) < 0 && errno != ENOENT)
        log_event("sockets", "left", "%s: %m", path);
}

void sockets_remove(const char *folder)
{
    OWNED_FD fd = open_folder(folder);

    if (fd >= 0)
        remove_in(fd, folder);
}

void sockets_sweep(const char *parent)
{
    DIR *list = opendir(parent);

    for (struct dirent *d; list && (d = readdir(list));) {
        char path[SOCKETS_PATH_SIZE + 256];
        OWNED_FD fd = -1;

        if (!text_starts(d->d_name, PREFIX))
            continue;
        snprintf(path, sizeof path, "%s/%s", parent, d->d_name);
        fd = open_folder(path);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_in(fd, path);
    }
    if (list)
        (void)closedir(list);
}
