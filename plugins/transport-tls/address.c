/* SPDX-License-Identifier: Apache-2.0
 * Takes a URI apart by hand: the two parts that are needed, and nothing that is not understood. */
#include "address.h"
#include <stdio.h>
#include <string.h>

bool address_needs_brackets(const char *host)
{
    return host[0] != '[' && strchr(host, ':') != NULL;
}

static bool take_port(const char *s, size_t n, char port[6])
{
    if (n == 0 || n > 5 || strspn(s, "0123456789") < n)
        return false;
    memcpy(port, s, n);
    port[n] = '\0';
    return true;
}

bool address_of_uri(const char *uri, char *host, size_t host_size, char port[6])
{
    const char *at = strstr(uri, "://");
    const char *end;
    const char *after; /* what follows the user, then the host */
    const char *host_end;

    if (!at)
        return false;
    at += 3;
    end = at + strcspn(at, "/?#");
    after = memchr(at, '@', (size_t)(end - at));
    if (after)
        at = after + 1;
    if (*at == '[') {
        at++;
        host_end = memchr(at, ']', (size_t)(end - at));
        if (!host_end)
            return false;
        after = host_end + 1;
    } else {
        host_end = memchr(at, ':', (size_t)(end - at));
        after = host_end = host_end ? host_end : end;
    }
    port[0] = '\0';
    if (after < end && (*after != ':' || !take_port(after + 1, (size_t)(end - after - 1), port)))
        return false;
    if (host_end == at || (size_t)(host_end - at) >= host_size)
        return false;
    memcpy(host, at, (size_t)(host_end - at));
    host[host_end - at] = '\0';
    return true;
}

/* The next "name=value" behind at, NULL when there is none; both are lent from the URI. */
static const char *next_parameter(const char *at, size_t *ret_name, size_t *ret_value)
{
    at += strcspn(at, "?&;#");
    if (!*at || *at == '#')
        return NULL;
    at++;
    *ret_name = strcspn(at, "=&;#");
    *ret_value = at[*ret_name] == '=' ? strcspn(at + *ret_name + 1, "&;#") : 0;
    return at;
}

static bool take(const char *from, size_t n, char *to, size_t size)
{
    if (n == 0 || n >= size || memchr(from, '%', n) || memchr(from, '+', n))
        return false;
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

bool address_parameter(const char *uri, const char *name, char *value, size_t size)
{
    size_t n, n_value;

    for (const char *at = strchr(uri, '?'); at && (at = next_parameter(at, &n, &n_value));)
        if (n == strlen(name) && strncmp(at, name, n) == 0)
            return take(at + n + 1, n_value, value, size);
    return false;
}

bool address_strange_parameter(const char *uri, const char *const *known, char *name, size_t size)
{
    char value[1024];
    size_t n, n_value;
    unsigned seen = 0;

    for (const char *at = strchr(uri, '?'); at && (at = next_parameter(at, &n, &n_value));) {
        const char *const *k = known;
        unsigned bit;

        while (*k && (strlen(*k) != n || strncmp(at, *k, n) != 0))
            k++;
        bit = 1u << (k - known);
        /* Of one that stands there twice libvirt takes the last. */
        if (*k && !(seen & bit) && take(at + n + 1, n_value, value, sizeof value)) {
            seen |= bit;
            continue;
        }
        (void)snprintf(name, size, "%.*s", (int)(n < size ? n : size - 1), at);
        return true;
    }
    return false;
}
