/* SPDX-License-Identifier: Apache-2.0
 * What tells an image on an NFS server from every other, as text. Pure. identity.c has the reasoning. */
#ifndef NFS_IDENTITY_H
#define NFS_IDENTITY_H

#include "address.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_SIZE 128

struct identity {
    char address[ADDRESS_SIZE];
    uint64_t fsid, fileid;
};

void identity_write(const struct identity *i, char ret[IDENTITY_SIZE]);
/* false: it is none of ours. */
bool identity_read(const char *text, struct identity *ret);
/* A numeric address, in brackets when it has colons, at *at, which goes past it. */
bool identity_take_address(const char **at, char ret[ADDRESS_SIZE]);
/* Begins as ours do: the image was found on an NFS server. */
bool identity_is_nfs(const char *text);

enum identity_verdict { IDENTITY_SAME, IDENTITY_DIFFERENT, IDENTITY_NOT_KNOWN };
enum identity_verdict identity_compare(const struct identity *a, const struct identity *b);

/* Whom QEMU is to the server. */
struct user {
    uint32_t uid, gid;
};

/* What the journal says of a file that create makes: before, the verifier of its exclusive creation; after,
 * the file itself with a digest of its handle, which knows the file's generation. */
struct made {
    bool is_file;
    unsigned char verifier[8];
    uint64_t fsid, fileid, handle;
    struct user user;
};
void made_write(const struct made *m, char ret[IDENTITY_SIZE]);
bool made_read(const char *text, struct made *ret);
uint64_t made_digest(const char *handle, size_t n);

/* "+107" or "107"; false: a name, or nothing. */
bool user_number(const char *text, uint32_t *ret);
/* The user of libvirt's "dac" model in its capabilities; false when there is none. */
bool user_of_capabilities(const char *xml, struct user *ret);
/* The id in a line of getent's passwd or group. */
bool user_of_getent(const char *line, uint32_t *ret);

#endif
