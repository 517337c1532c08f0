/* SPDX-License-Identifier: Apache-2.0
 * Where a disk's image lies: server, folder and name there, and whom QEMU is to the server. Asks the host of
 * the worker where the disk does not say it all. */
#ifndef NFS_PLACE_H
#define NFS_PLACE_H

#include "identity.h"
#include "mounts.h"
#include <limits.h>
#include <virt-ferry-plugin.h>

#define PLACE_NAME_SIZE 256

struct place {
    char address[ADDRESS_SIZE];
    char others[ADDRESS_MOST][ADDRESS_SIZE]; /* more addresses of the server's name */
    size_t n_others;
    char folder[PATH_MAX], name[PLACE_NAME_SIZE]; /* on the server */
    bool is_mounted;                              /* a file; mount and host_folder tell */
    struct mount mount;
    char host_folder[PATH_MAX];
    struct user user;
    bool has_user; /* else user is who we are */
    /* Of PLACE_NOT_KNOWN and PLACE_NOT_MOUNTED: */
    char why[400];
    const char *fix; /* constant or text of the call; NULL = none */
};

enum place_answer {
    PLACE_KNOWN,
    PLACE_NOT_KNOWN,
    PLACE_NOT_MOUNTED, /* of a file: its folder lies on no NFS mount of that host */
    PLACE_FAILED,      /* the call's error is set */
};
enum place_answer place_find(struct ferry_call *call, const struct ferry_services *services,
                             const struct ferry_disk *disk, struct place *ret);
/* The same where nothing can be done without it: 0, or -1 with the call's error. */
int place_need(struct ferry_call *call, const struct ferry_services *services, const struct ferry_disk *disk,
               struct place *ret);

/* A file that lies on an NFS mount, as far as that can be known without asking any server. */
bool place_is_on_mount(struct ferry_call *call, const struct ferry_services *services, const char *path);

/* Of a file whose mount is known: the server answers the host's kernel, whatever it says to us. */
bool place_answers(struct ferry_call *call, const struct ferry_services *services, const struct place *p);

/* Of a file: its inode as that host sees it; false where that cannot be known. */
bool place_inode(struct ferry_call *call, const struct ferry_services *services, const char *path,
                 uint64_t *ret);

#endif
