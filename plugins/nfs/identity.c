/* SPDX-License-Identifier: Apache-2.0
 * What tells an image on an NFS server from every other.
 *
 * A file is known to its server by fsid and fileid. That pair is the same through every export and every name
 * of the server, while file handles are not: a server may write the export into them. It is not unique in the
 * world: fsids are device numbers or figures that an administrator chose, and two servers made from one image
 * have all of them equal, to the generation of each inode. What distinguishes servers is where they answer:
 * so the address belongs to the identity, numeric, as the host in question resolves the name, for a name may
 * lead each host elsewhere. One address is one server for all hosts that move guests to each other, but for
 * those addresses that every machine or every link has (address.c), which identify nothing.
 *
 * Two addresses may be one server, and nothing that a server says of itself proves it (names, boot times and
 * handles are equal on clones). So two identities are
 *   the same       with equal address, fsid and fileid;
 *   different      with unequal fileid: no server gives one file two numbers;
 *   not known      otherwise: a file that was made through one address and seen through the other is the
 * proof (proof.c), and without it neither "shared" nor "not shared" is said. */
#include "identity.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "nfs://"

void identity_write(const struct identity *i, char ret[IDENTITY_SIZE])
{
    const bool is_v6 = strchr(i->address, ':') != NULL;

    (void)snprintf(ret, IDENTITY_SIZE, SCHEME "%s%s%s/fsid=%" PRIx64 "/fileid=%" PRIu64, is_v6 ? "[" : "",
                   i->address, is_v6 ? "]" : "", i->fsid, i->fileid);
}

bool identity_is_nfs(const char *text)
{
    return text && strncmp(text, SCHEME, strlen(SCHEME)) == 0;
}

bool identity_read(const char *text, struct identity *ret)
{
    char address[ADDRESS_SIZE + 1];
    char again[IDENTITY_SIZE];
    int end = -1;

    if (!identity_is_nfs(text))
        return false;
    text += strlen(SCHEME);
    if (sscanf(text, "[%45[0-9a-f:.]]/fsid=%" SCNx64 "/fileid=%" SCNu64 "%n", address, &ret->fsid,
               &ret->fileid, &end) != 3 &&
        sscanf(text, "%45[0-9.]/fsid=%" SCNx64 "/fileid=%" SCNu64 "%n", address, &ret->fsid, &ret->fileid,
               &end) != 3)
        return false;
    if (!address_normalise(address, ret->address))
        return false;
    /* What is not as we write it is not ours. */
    identity_write(ret, again);
    return end > 0 && text[end] == '\0' && strcmp(again + strlen(SCHEME), text) == 0;
}

enum identity_verdict identity_compare(const struct identity *a, const struct identity *b)
{
    if (a->fileid != b->fileid)
        return IDENTITY_DIFFERENT;
    return strcmp(a->address, b->address) == 0 && a->fsid == b->fsid ? IDENTITY_SAME : IDENTITY_NOT_KNOWN;
}

void made_write(const struct made *m, char ret[IDENTITY_SIZE])
{
    const unsigned char *v = m->verifier;

    if (m->is_file)
        (void)snprintf(ret, IDENTITY_SIZE, "file:%" PRIx64 ":%" PRIu64 ":%" PRIx64 ":%" PRIu32 ":%" PRIu32,
                       m->fsid, m->fileid, m->handle, m->user.uid, m->user.gid);
    else
        (void)snprintf(ret, IDENTITY_SIZE, "verifier:%02x%02x%02x%02x%02x%02x%02x%02x:%" PRIu32 ":%" PRIu32,
                       v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], m->user.uid, m->user.gid);
}

bool made_read(const char *text, struct made *ret)
{
    unsigned char *v = ret->verifier;
    char again[IDENTITY_SIZE];

    memset(ret, 0, sizeof *ret);
    if (!text)
        return false;
    if (sscanf(text, "file:%" SCNx64 ":%" SCNu64 ":%" SCNx64 ":%" SCNu32 ":%" SCNu32, &ret->fsid,
               &ret->fileid, &ret->handle, &ret->user.uid, &ret->user.gid) == 5)
        ret->is_file = true;
    else if (sscanf(text, "verifier:%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx:%" SCNu32 ":%" SCNu32, &v[0],
                    &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &ret->user.uid, &ret->user.gid) != 10)
        return false;
    made_write(ret, again);
    return strcmp(again, text) == 0;
}

uint64_t made_digest(const char *handle, size_t n)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        digest = (digest ^ (unsigned char)handle[i]) * UINT64_C(0x100000001b3);
    return digest;
}

bool user_number(const char *text, uint32_t *ret)
{
    unsigned long long n;
    char *end;

    if (!text)
        return false;
    text += *text == '+';
    if (*text < '0' || *text > '9' || strlen(text) > 10)
        return false;
    n = strtoull(text, &end, 10);
    /* The last one means "leave it". */
    if (*end != '\0' || n >= UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

bool user_of_capabilities(const char *xml, struct user *ret)
{
    const char *at = xml ? strstr(xml, "<model>dac</model>") : NULL;
    const char *end = at ? strstr(at, "</secmodel>") : NULL;

    at = at ? strstr(at, "<baselabel type=") : NULL;
    at = at && end && at < end ? strchr(at, '>') : NULL;
    return at && sscanf(at, ">+%" SCNu32 ":+%" SCNu32 "<", &ret->uid, &ret->gid) == 2;
}

bool user_of_getent(const char *line, uint32_t *ret)
{
    char number[16];

    return sscanf(line, "%*[^:\n]:%*[^:\n]:%15[0-9]", number) == 1 && user_number(number, ret);
}
