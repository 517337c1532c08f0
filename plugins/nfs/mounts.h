/* SPDX-License-Identifier: Apache-2.0
 * Which mount a path lies on, from the text of /proc/PID/mountinfo. Pure. */
#ifndef NFS_MOUNTS_H
#define NFS_MOUNTS_H

#include "address.h"
#include <limits.h>
#include <stdbool.h>

struct mount {
    char target[PATH_MAX];                     /* where it is mounted */
    char folder[PATH_MAX];                     /* the path's folder, as the server calls it */
    char address[ADDRESS_SIZE];                /* of the server, as that kernel uses it */
    char version[8];                           /* "3", "4.2" */
    bool is_soft, is_read_only, has_own_locks; /* soft; ro; nolock or local_lock=… */
};

enum mounts_answer {
    MOUNTS_NFS,   /* ret is filled */
    MOUNTS_OTHER, /* another file system */
    MOUNTS_UNCLEAR,
};
/* folder is absolute, with single slashes and none at its end, as words_cut_path gives it. */
enum mounts_answer mounts_find(const char *mountinfo, const char *folder, struct mount *ret);

/* Where on this machine a folder of a server may be reached by NFS 4.2; whether it is really that one is to
 * be seen there. false: nowhere. */
bool mounts_there(const char *mountinfo, const char *address, const char *folder, char ret[PATH_MAX]);

#endif
