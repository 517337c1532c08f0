/* SPDX-License-Identifier: Apache-2.0
 * Where a connection leads is told by its address; what was there before, and what is no network, is not it.
 */
#include "check-main.h"
#include "verbs/peer.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void listen_at(int family, int *ret_fd, struct sockaddr_storage *ret_at, socklen_t *ret_size)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const struct sockaddr *at =
        family == AF_INET ? (const struct sockaddr *)&four : (const struct sockaddr *)&six;

    *ret_size = family == AF_INET ? sizeof four : sizeof six;
    *ret_fd = socket(family, SOCK_STREAM, 0);
    ck_assert_int_ge(*ret_fd, 0);
    ck_assert_int_eq(bind(*ret_fd, at, *ret_size), 0);
    ck_assert_int_eq(listen(*ret_fd, 4), 0);
    ck_assert_int_eq(getsockname(*ret_fd, (struct sockaddr *)ret_at, ret_size), 0);
}

static int connect_to(int family, const struct sockaddr_storage *at, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)at, size), 0);
    return fd;
}

START_TEST(the_newest_connection_tells_its_address)
    {
        struct sockaddr_storage at;
        socklen_t size;
        struct peers before;
        char address[INET6_ADDRSTRLEN];
        int listener, old, new, pair[2];

        listen_at(AF_INET, &listener, &at, &size);
        old = connect_to(AF_INET, &at, size);
        peers_note(&before);
        ck_assert(!peer_since(&before, address));
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ck_assert(!peer_since(&before, address));
        new = connect_to(AF_INET, &at, size);
        ck_assert(peer_since(&before, address));
        ck_assert_str_eq(address, "127.0.0.1");
        for (int *fd = (int[]){ listener, old, new, pair[0], pair[1], -1 }; *fd >= 0; fd++)
            ck_assert_int_eq(close(*fd), 0);
    }
END_TEST

START_TEST(one_of_ipv6_too)
    {
        struct sockaddr_storage at;
        socklen_t size;
        struct peers before;
        char address[INET6_ADDRSTRLEN];
        int listener, new;

        if (access("/proc/sys/net/ipv6", F_OK) != 0)
            return;
        peers_note(&before);
        listen_at(AF_INET6, &listener, &at, &size);
        ck_assert(!peer_since(&before, address));
        new = connect_to(AF_INET6, &at, size);
        ck_assert(peer_since(&before, address));
        ck_assert_str_eq(address, "::1");
        ck_assert_int_eq(close(listener), 0);
        ck_assert_int_eq(close(new), 0);
    }
END_TEST

TEST_MAIN("verbs/peer", the_newest_connection_tells_its_address, one_of_ipv6_too)
