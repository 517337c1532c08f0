/* SPDX-License-Identifier: Apache-2.0
 * Numeric addresses of servers in one spelling. */
#include "address.h"
#include <arpa/inet.h>
#include <string.h>

bool address_normalise(const char *text, char ret[ADDRESS_SIZE])
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!text)
        return false;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return inet_ntop(AF_INET, &v4, ret, ADDRESS_SIZE) != NULL;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return inet_ntop(AF_INET, &v6.s6_addr[12], ret, ADDRESS_SIZE) != NULL;
    return inet_ntop(AF_INET6, &v6, ret, ADDRESS_SIZE) != NULL;
}

static const char *problem_of_v4(const unsigned char *b)
{
    if (b[0] == 127)
        return "is each host's own loopback address";
    if (b[0] == 0)
        return "is no address of a machine";
    if (b[0] == 169 && b[1] == 254)
        return "is a link-local address, which each network has anew";
    return NULL;
}

const char *address_problem(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return problem_of_v4((const unsigned char *)&v4);
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return "is no numeric address";
    if (IN6_IS_ADDR_LOOPBACK(&v6))
        return "is each host's own loopback address";
    if (IN6_IS_ADDR_UNSPECIFIED(&v6))
        return "is no address of a machine";
    if (IN6_IS_ADDR_LINKLOCAL(&v6))
        return "is a link-local address, which each network has anew";
    return NULL;
}

static bool is_listed(char list[ADDRESS_MOST][ADDRESS_SIZE], size_t n, const char *address)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], address) == 0)
            return true;
    return false;
}

size_t address_list(const char *output, char ret[ADDRESS_MOST][ADDRESS_SIZE])
{
    size_t n = 0;

    while (*output) {
        const size_t length = strcspn(output, " \t\n");
        char word[ADDRESS_SIZE];
        char address[ADDRESS_SIZE];

        if (length > 0 && length < sizeof word) {
            memcpy(word, output, length);
            word[length] = '\0';
            if (address_normalise(word, address) && !is_listed(ret, n, address)) {
                if (n == ADDRESS_MOST)
                    return ADDRESS_MOST + 1;
                memcpy(ret[n++], address, sizeof address);
            }
        }
        output += strcspn(output, "\n");
        output += *output == '\n';
    }
    return n;
}
