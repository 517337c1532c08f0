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

/* Each takes what stands at *at and goes past it. */
static bool take_word(const char **at, const char *word)
{
    if (strncmp(*at, word, strlen(word)) != 0)
        return false;
    *at += strlen(word);
    return true;
}

static bool take_number(const char **at, int base, uint64_t *ret)
{
    char *end;

    /* No sign and no blank, which strtoull would take. */
    if (!strchr("0123456789abcdef", **at) || !**at)
        return false;
    *ret = strtoull(*at, &end, base);
    *at = end;
    return true;
}

static bool take_id(const char **at, uint32_t *ret)
{
    uint64_t n;

    if (!take_number(at, 10, &n) || n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* Numeric, in brackets when it has colons. */
bool identity_take_address(const char **at, char ret[ADDRESS_SIZE])
{
    const bool is_v6 = take_word(at, "[");
    const size_t n = strspn(*at, is_v6 ? "0123456789abcdef:." : "0123456789.");
    char word[ADDRESS_SIZE];

    if (n >= sizeof word)
        return false;
    memcpy(word, *at, n);
    word[n] = '\0';
    *at += n;
    return address_normalise(word, ret) && (!is_v6 || take_word(at, "]"));
}

bool identity_read(const char *text, struct identity *ret)
{
    const char *at = text;
    char again[IDENTITY_SIZE];

    if (!text || !take_word(&at, SCHEME) || !identity_take_address(&at, ret->address) ||
        !take_word(&at, "/fsid=") || !take_number(&at, 16, &ret->fsid) || !take_word(&at, "/fileid=") ||
        !take_number(&at, 10, &ret->fileid) || *at)
        return false;
    /* What is not as we write it is not ours. */
    identity_write(ret, again);
    return strcmp(again, text) == 0;
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

static bool take_verifier(const char **at, unsigned char ret[8])
{
    const char *start = *at;
    uint64_t number;

    if (!take_number(at, 16, &number) || *at - start != 16)
        return false;
    for (int i = 0; i < 8; i++)
        ret[i] = (unsigned char)(number >> (56 - 8 * i));
    return true;
}

bool made_read(const char *text, struct made *ret)
{
    const char *at = text;
    char again[IDENTITY_SIZE];

    memset(ret, 0, sizeof *ret);
    if (!text)
        return false;
    if (take_word(&at, "file:")) {
        ret->is_file = true;
        if (!take_number(&at, 16, &ret->fsid) || !take_word(&at, ":") ||
            !take_number(&at, 10, &ret->fileid) || !take_word(&at, ":") ||
            !take_number(&at, 16, &ret->handle))
            return false;
    } else if (!take_word(&at, "verifier:") || !take_verifier(&at, ret->verifier)) {
        return false;
    }
    if (!take_word(&at, ":") || !take_id(&at, &ret->user.uid) || !take_word(&at, ":") ||
        !take_id(&at, &ret->user.gid) || *at)
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
    return at && take_word(&at, ">+") && take_id(&at, &ret->uid) && take_word(&at, ":+") &&
           take_id(&at, &ret->gid) && *at == '<';
}

bool user_of_getent(const char *line, uint32_t *ret)
{
    char number[16];

    return sscanf(line, "%*[^:\n]:%*[^:\n]:%15[0-9]", number) == 1 && user_number(number, ret);
}
