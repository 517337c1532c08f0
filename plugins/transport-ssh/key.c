/* SPDX-License-Identifier: Apache-2.0
 * Fields are cut out by their letters; what does not end where it should is no key. */
#include "key.h"
#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_LETTERS LETTERS "._-:[]"

/* The first that a host has. */
static const char *const types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                     "ecdsa-sha2-nistp521", "ssh-rsa" };

/* The length of a field of these letters that ends at `end`, else 0. */
static size_t field(const char *s, const char *letters, const char *ends)
{
    size_t n = strspn(s, letters);

    return n > 0 && (s[n] == '\0' || strchr(ends, s[n])) ? n : 0;
}

/* "NAME TYPE BASE64" and nothing else. */
static bool take_line(const char *line, const char *type, struct host_key *ret)
{
    size_t name = field(line, NAME_LETTERS, " ");
    size_t n = name + 1;
    size_t key;

    if (name == 0 || line[name] != ' ' || strncmp(line + n, type, strlen(type)) != 0 ||
        line[n + strlen(type)] != ' ')
        return false;
    n += strlen(type) + 1;
    key = field(line + n, LETTERS "+/=", "\r\n");
    if (key == 0 || n + key >= sizeof ret->line)
        return false;
    memcpy(ret->line, line, n + key);
    ret->line[n + key] = '\0';
    (void)snprintf(ret->type, sizeof ret->type, "%s", type);
    return true;
}

bool key_of_scan(const char *printed, struct host_key *ret)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (const char *line = printed; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (take_line(line, types[i], ret))
                return true;
    return false;
}

bool key_line_under(const struct host_key *key, const char *name, char *buf, size_t size)
{
    const char *rest = strchr(key->line, ' ');
    const int n = rest && field(name, NAME_LETTERS, "") ? snprintf(buf, size, "%s%s", name, rest) : -1;

    return n > 0 && (size_t)n < size;
}

bool key_fingerprint_of(const char *printed, struct host_key *ret)
{
    const char *at = strstr(printed, " SHA256:");
    size_t n;

    if (!at)
        return false;
    n = 7 + field(at + 8, LETTERS "+/=", " \n");
    if (n == 7 || n >= sizeof ret->fingerprint)
        return false;
    memcpy(ret->fingerprint, at + 1, n);
    ret->fingerprint[n] = '\0';
    return true;
}
