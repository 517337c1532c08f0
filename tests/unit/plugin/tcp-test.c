/* SPDX-License-Identifier: Apache-2.0
 * The TCP transport's probe against sockets that listen, refuse and keep silent, and its URIs. */
#include "../../../plugins/common/reach.c"          /* NOLINT(bugprone-suspicious-include) */
#include "../../../plugins/transport-tls/address.c" /* NOLINT(bugprone-suspicious-include) */

#include "base/owned.h"
#include "check-main.h"
#include <arpa/inet.h>

static const struct {
    const char *uri, *host, *port; /* host NULL: refused */
} uris[] = {
    { "qemu+tcp://hostB/system", "hostB", "" },
    { "qemu+tcp://hostB:16510/system", "hostB", "16510" },
    { "qemu+tcp://root@hostB:1/system", "hostB", "1" },
    { "qemu+tcp://[fe80::1]/system", "fe80::1", "" },
    { "qemu+tcp://root@[::1]:99999?x=[y]:", "::1", "99999" },
    { "qemu+tcp://hostB", "hostB", "" },
    { "qemu+tcp:///system", NULL, NULL },
    { "qemu+tcp://hostB:/system", NULL, NULL },
    { "qemu+tcp://hostB:123456/system", NULL, NULL },
    { "qemu+tcp://hostB:12a/system", NULL, NULL },
    { "qemu+tcp://[::1/system", NULL, NULL },
    { "qemu+tcp://[::1]x/system", NULL, NULL },
    { "qemu+tcp://[]/system", NULL, NULL },
    { "hostB", NULL, NULL },
};

START_TEST(host_and_port_are_taken_out_of_a_uri)
    {
        char host[16];
        char port[6];
        bool is_taken = address_of_uri(uris[_i].uri, host, sizeof host, port);

        ck_assert_int_eq(is_taken, uris[_i].host != NULL);
        if (is_taken) {
            ck_assert_str_eq(host, uris[_i].host);
            ck_assert_str_eq(port, uris[_i].port);
        }
    }
END_TEST

static const struct {
    const char *uri, *value, *strange; /* of "pkipath"; NULL: none */
} queries[] = {
    { "qemu+tls://hostB/system", NULL, NULL },
    { "qemu+tls://hostB/system?pkipath=/etc/x", "/etc/x", NULL },
    { "qemu+tls://hostB/system?authfile=/a&pkipath=/b", "/b", NULL },
    { "qemu+tls://hostB/system?authfile=/a;pkipath=/b#c", "/b", NULL },
    { "qemu+tls://hostB/system?no_verify=1", NULL, "no_verify" },
    { "qemu+tls://hostB/system?pkipath=/b&no_verify=1", "/b", "no_verify" },
    { "qemu+tls://hostB/system?no_verify", NULL, "no_verify" },
    { "qemu+tls://hostB/system?pkipath=/a%20b", NULL, "pkipath" },
    { "qemu+tls://hostB/system?pkipath=", NULL, "pkipath" },
    { "qemu+tls://hostB/system?pkipath", NULL, "pkipath" },
    { "qemu+tls://hostB/system?pkipathology=/x", NULL, "pkipathology" },
    { "qemu+tls://hostB/system?", NULL, "" },
    { "qemu+tls://hostB/system?pkipath=/a&pkipath=/b", "/a", "pkipath" },
    { "qemu+tls://hostB/system?authfile=/a&authfile=/b", NULL, "authfile" },
};

START_TEST(a_parameter_is_read_as_it_stands_and_a_strange_one_is_seen)
    {
        static const char *const known[] = { "pkipath", "authfile", NULL };
        char value[16] = "", strange[16] = "";

        ck_assert_int_eq(address_parameter(queries[_i].uri, "pkipath", value, sizeof value),
                         queries[_i].value != NULL);
        if (queries[_i].value)
            ck_assert_str_eq(value, queries[_i].value);
        ck_assert_int_eq(address_strange_parameter(queries[_i].uri, known, strange, sizeof strange),
                         queries[_i].strange != NULL);
        if (queries[_i].strange)
            ck_assert_str_eq(strange, queries[_i].strange);
    }
END_TEST

START_TEST(a_host_that_does_not_fit_is_refused)
    {
        char host[6];
        char port[6];

        ck_assert(address_of_uri("a://12345/", host, sizeof host, port));
        ck_assert(!address_of_uri("a://123456/", host, sizeof host, port));
    }
END_TEST

START_TEST(only_a_bare_ipv6_address_needs_brackets)
    {
        ck_assert(address_needs_brackets("::1"));
        ck_assert(!address_needs_brackets("[::1]"));
        ck_assert(!address_needs_brackets("10.0.0.1"));
        ck_assert(!address_needs_brackets("hostB"));
    }
END_TEST

/* A listener on a port of the system's choice; queue 0 and nobody who accepts. */
static int listen_on(int family, const char *text, int queue, char port[6])
{
    struct sockaddr_storage own = { .ss_family = (sa_family_t)family };
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (family == AF_INET)
        ck_assert_int_eq(inet_pton(family, text, &((struct sockaddr_in *)&own)->sin_addr), 1);
    else
        ck_assert_int_eq(inet_pton(family, text, &((struct sockaddr_in6 *)&own)->sin6_addr), 1);
    if (bind(fd, (struct sockaddr *)&own, size) < 0) {
        (void)close(fd);
        return -1;
    }
    ck_assert_int_eq(listen(fd, queue), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    (void)snprintf(port, 6, "%u",
                   ntohs(family == AF_INET ? ((struct sockaddr_in *)&own)->sin_port
                                           : ((struct sockaddr_in6 *)&own)->sin6_port));
    return fd;
}

START_TEST(a_socket_that_listens_gives_its_numeric_address)
    {
        char port[6];
        OWNED_FD fd = listen_on(AF_INET, "127.0.0.1", 4, port);
        struct reached r;
        const char *why;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(reach("127.0.0.1", port, 2000, &r, &why), REACH_YES);
        ck_assert_uint_eq(reach_speed(r.address), r.bytes_per_s);
        ck_assert_uint_eq(reach_speed("no number"), UINT64_MAX);
        ck_assert_str_eq(r.address, "127.0.0.1");
        ck_assert_uint_gt(r.latency_us, 0);
        ck_assert_uint_lt(r.latency_us, 2000000);
        ck_assert_uint_eq(r.bytes_per_s, UINT64_MAX); /* the loopback has no speed */
    }
END_TEST

START_TEST(an_ipv6_address_comes_back_without_brackets)
    {
        char port[6];
        OWNED_FD fd = listen_on(AF_INET6, "::1", 4, port);
        struct reached r;
        const char *why;

        if (fd < 0)
            return; /* this machine has no IPv6 */
        ck_assert_int_eq(reach("::1", port, 2000, &r, &why), REACH_YES);
        ck_assert_str_eq(r.address, "::1");
    }
END_TEST

START_TEST(a_port_that_nobody_holds_refuses_at_once)
    {
        char port[6];
        int fd = listen_on(AF_INET, "127.0.0.1", 4, port);
        uint64_t begun = now_us();
        struct reached r;
        const char *why;

        ck_assert_int_ge(fd, 0);
        (void)close(fd);
        ck_assert_int_eq(reach("127.0.0.1", port, 4000, &r, &why), REACH_REFUSED);
        ck_assert_uint_lt(now_us() - begun, 2000000);
    }
END_TEST

/* A full queue makes the kernel drop what comes. */
static void silence(const struct sockaddr_in *to)
{
    for (int i = 0; i < 4; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(filler, 0);
        (void)connect(filler, (const struct sockaddr *)to, sizeof *to);
    }
}

START_TEST(a_silent_socket_costs_the_time_that_was_given_and_no_more)
    {
        char port[6];
        OWNED_FD fd = listen_on(AF_INET, "127.0.0.1", 0, port);
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
        uint64_t begun;
        struct reached r;
        const char *why;

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        silence(&to);
        begun = now_us();
        ck_assert_int_eq(reach("127.0.0.1", port, 400, &r, &why), REACH_SILENT);
        ck_assert_uint_ge(now_us() - begun, 400000);
        ck_assert_uint_lt(now_us() - begun, 1500000);
    }
END_TEST

START_TEST(a_name_that_is_none_is_said_with_the_resolvers_words)
    {
        struct reached r;
        const char *why;

        ck_assert_int_eq(reach("no such name", "1", 2000, &r, &why), REACH_NO_NAME);
        ck_assert_str_ne(why, "");
    }
END_TEST

/* As a name whose first address is 127.0.0.2, and its second 127.0.0.3; queue -1: nobody listens there. */
static enum reach_answer reach_two(int first_queue, int second_queue, struct reached *ret)
{
    struct sockaddr_in at[2] = { { .sin_family = AF_INET }, { .sin_family = AF_INET } };
    struct addrinfo all[2] = {
        { .ai_family = AF_INET,
          .ai_addrlen = sizeof at[0],
          .ai_addr = (struct sockaddr *)&at[0],
          .ai_next = &all[1] },
        { .ai_family = AF_INET, .ai_addrlen = sizeof at[1], .ai_addr = (struct sockaddr *)&at[1] }
    };
    const int queues[2] = { first_queue, second_queue };
    int fds[2], fd = -1;
    const char *why;
    enum reach_answer answer;

    for (int i = 0; i < 2; i++) {
        char port[6];

        fds[i] = listen_on(AF_INET, i ? "127.0.0.3" : "127.0.0.2", queues[i] < 0 ? 0 : queues[i], port);
        ck_assert_int_ge(fds[i], 0);
        at[i].sin_port = htons((uint16_t)strtoul(port, NULL, 10));
        at[i].sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)i);
        if (queues[i] == 0)
            silence(&at[i]);
        else if (queues[i] < 0)
            (void)close(fds[i]);
    }
    *ret = (struct reached){ .bytes_per_s = UINT64_MAX };
    answer = connect_one(all, now_us() + 3000000, ret, &why, &fd);
    for (int i = 0; i < 2; i++)
        if (queues[i] >= 0)
            (void)close(fds[i]);
    if (fd >= 0)
        (void)close(fd);
    return answer;
}

START_TEST(of_two_addresses_the_one_in_front_is_taken_and_one_that_is_silent_there_is_named)
    {
        struct reached r;

        ck_assert_int_eq(reach_two(4, 4, &r), REACH_YES);
        ck_assert_str_eq(r.address, "127.0.0.2");
        ck_assert_str_eq(r.silent, "");
        ck_assert_int_eq(reach_two(4, 0, &r), REACH_YES);
        ck_assert_str_eq(r.address, "127.0.0.2");
        ck_assert_str_eq(r.silent, "");
        ck_assert_int_eq(reach_two(-1, 4, &r), REACH_YES); /* who is refused goes on at once */
        ck_assert_str_eq(r.address, "127.0.0.3");
        ck_assert_str_eq(r.silent, "");
        ck_assert_int_eq(reach_two(0, 4, &r), REACH_YES);
        ck_assert_str_eq(r.address, "127.0.0.3");
        ck_assert_str_eq(r.silent, "127.0.0.2");
        ck_assert_int_eq(reach_two(0, -1, &r), REACH_SILENT);
    }
END_TEST

TEST_MAIN("plugin/tcp", LOOP(host_and_port_are_taken_out_of_a_uri, TEST_ROWS(uris)),
          LOOP(a_parameter_is_read_as_it_stands_and_a_strange_one_is_seen, TEST_ROWS(queries)),
          a_host_that_does_not_fit_is_refused, only_a_bare_ipv6_address_needs_brackets,
          a_socket_that_listens_gives_its_numeric_address, an_ipv6_address_comes_back_without_brackets,
          a_port_that_nobody_holds_refuses_at_once, a_silent_socket_costs_the_time_that_was_given_and_no_more,
          a_name_that_is_none_is_said_with_the_resolvers_words,
          of_two_addresses_the_one_in_front_is_taken_and_one_that_is_silent_there_is_named)
