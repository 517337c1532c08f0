/* SPDX-License-Identifier: Apache-2.0
 * Networks and addresses, compared bit by bit. */
#include "state/network.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <string.h>

static unsigned family_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

static bool read_address(const char *s, struct network *ret)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    memset(ret, 0, sizeof *ret);
    ret->family = AF_INET;
    if (inet_pton(AF_INET, s, ret->address) != 1) {
        ret->family = AF_INET6;
        if (inet_pton(AF_INET6, s, ret->address) != 1)
            return false;
    }
    if (ret->family == AF_INET6 && memcmp(ret->address, mapped, sizeof mapped) == 0) {
        memmove(ret->address, ret->address + 12, 4);
        ret->family = AF_INET;
    }
    ret->prefix_bits = family_bits(ret->family);
    return true;
}

static bool bit(const uint8_t *address, unsigned i)
{
    return address[i / 8] >> (7 - i % 8) & 1;
}

int network_parse(const char *s, struct network *ret, struct error *err)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchrnul(s, '/');
    size_t n = (size_t)(slash - s);
    uint64_t bits = 0;

    if (n >= sizeof address)
        return error_set(err, ERROR_INPUT, NULL, "'%s' is not a network", s);
    memcpy(address, s, n);
    address[n] = '\0';
    if (!read_address(address, ret))
        return error_set(err, ERROR_INPUT, NULL, "'%s' is not a numeric address", address);
    if (*slash == '\0')
        return 0;
    if (text_parse_u64(slash + 1, family_bits(ret->family), &bits, err) < 0)
        return error_set(err, ERROR_INPUT, NULL, "'%s' is not a prefix length of 0 to %u", slash + 1,
                         family_bits(ret->family));
    ret->prefix_bits = (unsigned)bits;
    for (unsigned i = ret->prefix_bits; i < family_bits(ret->family); i++)
        if (bit(ret->address, i))
            return error_set(err, ERROR_INPUT, NULL, "'%s' has bits set behind its prefix", s);
    return 0;
}

int network_parse_via(const char *s, struct error *err)
{
    static const char *const of_no_host[] = { "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3",
                                              "::/127",    "ff00::/8",    "fe80::/10" };
    struct network n, other;

    if (network_parse(s, &n, err) < 0)
        return -err->code;
    for (size_t i = 0; !strchr(s, '/') && i < sizeof of_no_host / sizeof *of_no_host; i++)
        if (network_parse(of_no_host[i], &other, err) == 0 && network_holds(&other, s))
            return error_set(err, ERROR_INPUT, NULL,
                             "'%s' is no address that another host could be reached by", s);
    return 0;
}

bool network_holds(const struct network *n, const char *numeric_address)
{
    char plain[INET6_ADDRSTRLEN];
    struct network a;
    size_t length;

    if (!numeric_address)
        return false;
    length = strcspn(numeric_address, "%");
    if (length >= sizeof plain)
        return false;
    memcpy(plain, numeric_address, length);
    plain[length] = '\0';
    if (!read_address(plain, &a) || a.family != n->family)
        return false;
    for (unsigned i = 0; i < n->prefix_bits; i++)
        if (bit(a.address, i) != bit(n->address, i))
            return false;
    return true;
}
