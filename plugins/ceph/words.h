/* SPDX-License-Identifier: Apache-2.0
 * Names, places and figures of Ceph as text, taken apart and put together. No I/O, no library of Ceph. */
#ifndef CEPH_WORDS_H
#define CEPH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_NAME 256   /* a pool, namespace, image, snapshot or user, with its end */
#define WORDS_HOSTS 4096 /* all monitors */
#define WORDS_ID 64      /* an image's id */
#define WORDS_IDENTITY 512
#define WORDS_FSID 37

/* pool/image, or pool/namespace/image; space is "" without a namespace. */
struct words_name {
    char pool[WORDS_NAME], space[WORDS_NAME], image[WORDS_NAME];
};
/* NULL when done, else what is wrong with it. */
const char *words_cut_name(const char *source, struct words_name *ret);

/* The monitors of a disk as librados takes them, with commas between; "" for none. NULL when done, else what
 * is wrong with them. */
const char *words_join_hosts(const char *const *hosts, size_t n, char ret[WORDS_HOSTS]);
/* One of them is this very machine's own, whichever machine that is. */
bool words_hosts_are_loopback(const char *const *hosts, size_t n);

/* How a cluster is reached, and where in it. Secrets are named, never held. */
struct words_place {
    char hosts[WORDS_HOSTS]; /* "" = those of ceph.conf */
    char user[WORDS_NAME];   /* without "client."; "" = librados's own default */
    char secret_uuid[WORDS_NAME], secret_usage[WORDS_NAME];
    char pool[WORDS_NAME], space[WORDS_NAME];
};
#define WORDS_PLACE 8192
/* rbd://USER@HOSTS/POOL/NAMESPACE?secret=UUID, which a journal can hold; false when it does not fit. */
bool words_write_place(const struct words_place *place, char ret[WORDS_PLACE]);
bool words_read_place(const char *text, struct words_place *ret);

/* What the image is, anywhere: FSID/POOL/ID, FSID/POOL/NAMESPACE/ID, and @SNAPSHOT behind it. false: too
 * long. */
bool words_write_identity(const char *fsid, int64_t pool_id, const char *space, const char *id,
                          const char *snapshot, char ret[WORDS_IDENTITY]);
/* An image's id as its "rbd_id." object holds it; false when it is none. */
bool words_read_id(const void *bytes, size_t n, char ret[WORDS_ID]);

/* "layering, exclusive-lock"; a bit without a name by its number. */
void words_write_features(uint64_t features, char *ret, size_t size);
bool words_read_features(const char *text, uint64_t *ret);
/* Of bits, those that no name is known for. */
uint64_t words_nameless_features(uint64_t features);
/* "4MiB", "4M", "65536": a power of two from 4 KiB to 32 MiB, as its exponent. */
bool words_read_object_size(const char *text, uint64_t *ret_order);

/* Base64; false when ret is too small. */
bool words_base64(const void *bytes, size_t n, char *ret, size_t size);

/* The connection ends at this machine: no server in the URI, and no parameters. */
bool words_uri_is_local(const char *uri);

#endif
