/* SPDX-License-Identifier: Apache-2.0
 * An NFS server spoken to by NFSv3 and its MOUNT protocol, through libnfs's raw calls. One connection to each
 * server and worker, kept; every call is bounded by the time that server_time gave. Round trips:
 *   1  portmapper: the ports of MOUNT and NFS, and what time it is there
 *   2  MOUNT: the handles of all folders
 *   3  LOOKUP, FSSTAT, FSINFO, ACCESS for all images
 *   4  ACCESS of the images, as QEMU's user, where they are checked; READ of their heads */
#ifndef NFS_SERVER_H
#define NFS_SERVER_H

#include "flight.h"
#include "identity.h"
#include <nfsc/libnfs-raw-mount.h>
#include <nfsc/libnfs-raw-nfs.h>
#include <stddef.h>

struct handle {
    uint32_t n;
    char bytes[NFS3_FHSIZE];
};

/* Why the server gave no answer that can be used. */
struct trouble {
    const char *id; /* of the finding: "nfs-silent", … */
    char what[320];
    char fix[200];
    bool is_silent; /* nothing answers there, nor will it answer QEMU */
};

struct found {
    nfsstat3 status; /* of LOOKUP; what follows holds with NFS3_OK */
    struct handle handle;
    fattr3 attributes;
};

#define LOOK_HEAD_BYTES 4096u
#define LOOK_RIGHTS (ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND)

struct look {
    struct handle folder;
    struct found found;
    bool has_room;
    uint64_t free_bytes, free_files, total_files;
    uint32_t write_most;    /* bytes in one WRITE */
    uint32_t folder_access; /* ACCESS3_* */
    int64_t clock_ahead_ms; /* the server's, before this machine's, of one image of several; 0: not surely
                               apart */
    /* Of server_learn_all: */
    bool has_rights, has_head;
    nfsstat3 rights_status;
    uint32_t rights; /* of LOOK_RIGHTS */
    uint32_t head_n; /* 0 where the server gives none */
    unsigned char head[LOOK_HEAD_BYTES];
};

/* One of several images that are asked for together; texts and user are lent. */
struct want {
    const char *address, *folder, *name;
    const struct user *user;
    struct look *look;
    bool is_seen;                  /* the server answered, and look is what */
    bool wants_rights, wants_head; /* of server_learn_all */
};

/* All calls until the next one of this together take no longer. */
void server_time(uint64_t ms);
/* Round trips since the worker began. */
unsigned server_trips(void);

/* -1 with the trouble said where there is no answer; a status of NFS is an answer. */
int server_look(const char *address, const char *folder, const char *name, const struct user *user,
                struct look *ret, struct trouble *trouble);
/* All on the server of the first. -1 with the trouble when none was seen; else of those that were not seen,
 * where there are any, the trouble of one. */
int server_look_all(struct want *const *wants, size_t n, struct trouble *trouble);
/* More about images that were found, on the server of the first. */
int server_learn_all(struct want *const *wants, size_t n, struct trouble *trouble);
/* Exclusive: NFS3_OK too when a file with this very verifier stands there. */
int server_create(const char *address, const struct user *user, const struct handle *folder, const char *name,
                  const unsigned char verifier[8], struct found *ret, struct trouble *trouble);
/* guard NULL: whatever its change time. */
int server_set(const char *address, const struct user *user, const struct handle *file, const sattr3 *set,
               const nfstime3 *guard, nfsstat3 *ret_status, struct trouble *trouble);
int server_write(const char *address, const struct user *user, const struct handle *file, uint64_t offset,
                 const void *bytes, uint32_t n, WRITE3res *ret, struct trouble *trouble);
int server_commit(const char *address, const struct user *user, const struct handle *file, COMMIT3res *ret,
                  struct trouble *trouble);
int server_unlink(const char *address, const struct user *user, const struct handle *folder, const char *name,
                  nfsstat3 *ret_status, struct trouble *trouble);

/* After a look at something there: the port of its NFS service. */
int server_port(const char *address);

/* "permission denied", …: of a status that is not NFS3_OK. */
const char *server_words(nfsstat3 status);

#endif
