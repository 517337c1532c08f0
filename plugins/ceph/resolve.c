/* SPDX-License-Identifier: Apache-2.0
 * Through the resolver of this machine, as librados would. */
#include "resolve.h"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_SIZE 512

/* Splits "name:port" and "[address]:port"; port is "" without one. */
static bool split(const char *host, size_t n, char name[HOST_SIZE], char port[16])
{
    const bool is_bracketed = n > 0 && host[0] == '[';
    const char *end = is_bracketed ? memchr(host, ']', n) : memchr(host, ':', n);
    const char *from = host + is_bracketed, *colon = end && is_bracketed ? end + 1 : end;
    const size_t name_size = (size_t)((end ? end : host + n) - from);
    size_t port_size;

    port[0] = '\0';
    if ((is_bracketed && !end) || name_size == 0 || name_size >= HOST_SIZE)
        return false;
    memcpy(name, from, name_size);
    name[name_size] = '\0';
    if (!colon || colon == host + n)
        return true;
    port_size = (size_t)(host + n - colon - 1);
    if (*colon != ':' || port_size == 0 || port_size >= 16)
        return false;
    memcpy(port, colon + 1, port_size);
    port[port_size] = '\0';
    return strspn(port, "0123456789") == port_size;
}

/* Two equal ones would be two monitors of one address, at which librados aborts. */
static bool is_listed(const char *list, const char *one)
{
    const size_t n = strlen(one);

    for (const char *at = list; *at; at += strspn(at, ",")) {
        const size_t length = strcspn(at, ",");

        if (length == n && strncmp(at, one, n) == 0)
            return true;
        at += length;
    }
    return false;
}

static void add(char list[WORDS_HOSTS], const struct addrinfo *found, const char *port)
{
    char address[NI_MAXHOST], one[NI_MAXHOST + 32];
    const size_t at = strlen(list);
    const bool is_v6 = found->ai_family == AF_INET6;

    if (getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) != 0)
        return;
    (void)snprintf(one, sizeof one, "%s%s%s%s%s", is_v6 ? "[" : "", address, is_v6 ? "]" : "",
                   *port ? ":" : "", port);
    if (!is_listed(list, one) && at + strlen(one) + 2 <= WORDS_HOSTS)
        (void)snprintf(list + at, WORDS_HOSTS - at, "%s%s", at > 0 ? "," : "", one);
}

bool resolve_hosts(const char *hosts, char ret[WORDS_HOSTS])
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

    ret[0] = '\0';
    for (const char *at = hosts; *at; at += strspn(at, ",")) {
        const size_t n = strcspn(at, ",");
        char name[HOST_SIZE], port[16];
        struct addrinfo *found = NULL;

        if (split(at, n, name, port) && getaddrinfo(name, NULL, &hints, &found) == 0) {
            for (const struct addrinfo *i = found; i; i = i->ai_next)
                add(ret, i, port);
            freeaddrinfo(found);
        }
        at += n;
    }
    return *ret != '\0';
}
