/* SPDX-License-Identifier: Apache-2.0
 * An NFS server spoken to by NFSv3 and its MOUNT protocol, through libnfs's raw calls. One connection to each
 * server and worker, kept; every call is bounded by the time that server_time gave. Round trips:
 *   1  portmapper: the ports of MOUNT and NFS          once for each server
 *   2  MOUNT: the handle of the folder                 once for each folder
 *   3  LOOKUP, FSSTAT, FSINFO, ACCESS in one flight    once for each image
 *   4  ACCESS of the image, as QEMU's user             once for each image, where it is checked */
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

struct look {
    struct handle folder;
    struct found found;
    bool has_room;
    uint64_t free_bytes, free_files, total_files;
    uint32_t write_most;    /* bytes in one WRITE */
    uint32_t folder_access; /* ACCESS3_* */
};

/* All calls until the next one of this together take no longer. */
void server_time(uint64_t ms);
/* Round trips since the worker began. */
unsigned server_trips(void);

/* -1 with the trouble said where there is no answer; a status of NFS is an answer. */
int server_look(const char *address, const char *folder, const char *name, const struct user *user,
                struct look *ret, struct trouble *trouble);
int server_access(const char *address, const struct user *user, const struct handle *file, uint32_t wanted,
                  nfsstat3 *ret_status, uint32_t *ret_granted, struct trouble *trouble);
/* Up to n bytes at the beginning; *ret_n 0 where the server gives none. */
int server_read(const char *address, const struct user *user, const struct handle *file, void *bytes,
                size_t n, size_t *ret_n, struct trouble *trouble);
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

/* "permission denied", …: of a status that is not NFS3_OK. */
const char *server_words(nfsstat3 status);

#endif
