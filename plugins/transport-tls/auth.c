/* SPDX-License-Identifier: Apache-2.0
 * libvirt's RPC: seven words of a head (length, program, version, procedure, type, serial, status), then XDR.
 * What an answer says is bounded, and taken only if it is whole. */
#include "auth.h"
#include <arpa/inet.h>
#include <string.h>

#define PROGRAM 0x20008086u
#define VERSION 1u
#define AUTH_LIST 66u
#define AUTH_SASL_INIT 67u
#define TYPE_REPLY 1u
#define HEAD 28u
#define MOST_BODY 4096u
enum { AUTH_NONE = 0, AUTH_SASL = 1, MOST_KINDS = 16 };

static uint32_t word_at(const unsigned char *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof w);
    return ntohl(w);
}

/* false: no whole answer to that question, or one that says no. */
static bool ask(struct stream *s, uint32_t procedure, unsigned char body[MOST_BODY], size_t *ret_n)
{
    const uint32_t words[] = { HEAD, PROGRAM, VERSION, procedure, 0, procedure, 0 };
    uint32_t head[7];
    unsigned char got[HEAD];
    uint32_t length;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        head[i] = htonl(words[i]);
    if (!stream_write(s, head, sizeof head) || !stream_read(s, got, sizeof got))
        return false;
    length = word_at(got);
    if (length < HEAD || length - HEAD > MOST_BODY || word_at(got + 4) != PROGRAM ||
        word_at(got + 12) != procedure || word_at(got + 16) != TYPE_REPLY)
        return false;
    *ret_n = length - HEAD;
    return stream_read(s, body, *ret_n) && word_at(got + 24) == 0;
}

bool auth_of_list(const unsigned char *body, size_t n, struct auth *ret)
{
    const uint32_t count = n >= 4 ? word_at(body) : 0;

    if (count == 0 || count > MOST_KINDS || n < 4u + 4u * (size_t)count)
        return false;
    /* libvirt's client takes the first that it knows. */
    ret->is_known = true;
    ret->asks_nothing = word_at(body + 4) == AUTH_NONE;
    ret->asks_sasl = word_at(body + 4) == AUTH_SASL;
    return true;
}

bool auth_of_mechanisms(const unsigned char *body, size_t n, struct auth *ret)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_,";
    const uint32_t length = n >= 4 ? word_at(body) : 0;

    if (length == 0 || length > n - 4 || length >= sizeof ret->mechanisms)
        return false;
    memcpy(ret->mechanisms, body + 4, length);
    ret->mechanisms[length] = '\0';
    if (ret->mechanisms[strspn(ret->mechanisms, plain)] == '\0')
        return true;
    ret->mechanisms[0] = '\0';
    return false;
}

void auth_ask(struct stream *s, struct auth *ret)
{
    unsigned char body[MOST_BODY];
    size_t n;

    *ret = (struct auth){ .is_known = false };
    if (ask(s, AUTH_LIST, body, &n) && auth_of_list(body, n, ret) && ret->asks_sasl &&
        ask(s, AUTH_SASL_INIT, body, &n))
        (void)auth_of_mechanisms(body, n, ret);
}
