/* SPDX-License-Identifier: Apache-2.0
 * Two addresses, one server? Nothing that a server says of itself proves it; a fresh file of random name that
 * was made through one address, and is there with the same number and handle through the other, does. */
#include "proof.h"
#include "image.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NOT_KNOWN_BECAUSE(...) ((void)snprintf(ret_why, size, __VA_ARGS__), IDENTITY_NOT_KNOWN)

static bool is_same_file(const struct found *a, const struct found *b)
{
    return a->attributes.fileid == b->attributes.fileid && a->attributes.fsid == b->attributes.fsid &&
           a->handle.n == b->handle.n && memcmp(a->handle.bytes, b->handle.bytes, a->handle.n) == 0;
}

static enum identity_verdict look_through(const struct place *p, const char *other, const char *name,
                                          const struct found *made, char *ret_why, size_t size)
{
    struct look there;
    struct trouble t;

    if (server_look(other, p->folder, name, &p->user, &there, &t) < 0)
        return NOT_KNOWN_BECAUSE("%s", t.what);
    if (there.found.status == NFS3ERR_NOENT)
        return IDENTITY_DIFFERENT;
    if (there.found.status != NFS3_OK)
        return NOT_KNOWN_BECAUSE("NFS server '%s': %s", other, server_words(there.found.status));
    return is_same_file(made, &there.found)
               ? IDENTITY_SAME
               : NOT_KNOWN_BECAUSE("'%s' and '%s' show one file with two handles", p->address, other);
}

/* All images of a domain in one folder ask the same. */
#define KEPT_MS 5000u

static char proved[PATH_MAX + 200];
static uint64_t proved_at;

static void name_pair(const struct place *p, const char *other, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s|%s|%s", p->address, other, p->folder);
}

static bool was_proved(const struct place *p, const char *other)
{
    char pair[sizeof proved];

    name_pair(p, other, pair, sizeof pair);
    return proved_at && flight_now_ms() - proved_at < KEPT_MS && strcmp(proved, pair) == 0;
}

void proof_forget(void)
{
    proved_at = 0;
}

enum identity_verdict proof_of_addresses(struct ferry_call *call, const struct ferry_services *services,
                                         const struct place *p, const char *other, char *ret_why, size_t size)
{
    enum identity_verdict verdict;
    uint64_t random[2];
    struct found made;
    struct trouble t;
    struct look look;
    char name[64];
    nfsstat3 status;

    if (was_proved(p, other))
        return IDENTITY_SAME;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return NOT_KNOWN_BECAUSE("could not get random bytes");
    (void)snprintf(name, sizeof name, ".virt-ferry-%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    if (server_look(p->address, p->folder, name, &p->user, &look, &t) < 0)
        return NOT_KNOWN_BECAUSE("%s", t.what);
    if (image_make(call, services, p, "mark", name, &look.folder, &made, &t) != IMAGE_MADE)
        return NOT_KNOWN_BECAUSE(
            "whether '%s' and '%s' are one server cannot be tried: no file can be made in '%s'", p->address,
            other, p->folder);
    verdict = look_through(p, other, name, &made, ret_why, size);
    proved_at = verdict == IDENTITY_SAME ? flight_now_ms() : 0;
    name_pair(p, other, proved, sizeof proved);
    /* What is left here stands in the journal. */
    if (server_unlink(p->address, &p->user, &look.folder, name, &status, &t) < 0)
        services->log(call, "'%s' in '%s' on '%s' is left: %s", name, p->folder, p->address, t.what);
    else if (status != NFS3_OK)
        services->log(call, "'%s' in '%s' on '%s' is left: %s", name, p->folder, p->address,
                      server_words(status));
    return verdict;
}
