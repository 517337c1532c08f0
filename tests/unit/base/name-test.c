/* SPDX-License-Identifier: Apache-2.0
 * Names from outside: what would be an option, a path or part of a URI is refused; names of our own differ.
 */
#include "base/name.h"

#include "base/text.h"
#include "check-main.h"
#include <time.h>

static const struct {
    const char *name;
    bool is_good;
} hosts[] = {
    { "hostA", true },
    { "a", true },
    { "db-1.example.org", true },
    { "db-1.example.org.", true },
    { "my_host", true },
    { "192.0.2.7", true },
    { "[2001:db8::1]", true },
    { "[::1]", true },
    { "[::ffff:192.0.2.7]", true },
    { "", false },
    { "-oProxyCommand=touch /tmp/x", false },
    { "-oProxyCommand=x", false },
    { "-h", false },
    { "-", false },
    { "h-", true },
    { ".", false },
    { "..", false },
    { ".hidden", false },
    { "a..b", false },
    { "a/b", false },
    { "../etc", false },
    { "user@host", false },
    { "host:22", false },
    { "host?x=1", false },
    { "host#x", false },
    { "host%2f", false },
    { "host name", false },
    { "host\n", false },
    { "host\x1b", false },
    { "host;id", false },
    { "$(id)", false },
    { "h\xc3\xb6st", false },
    { "2001:db8::1", false },
    { "::1", false },
    { "[", false },
    { "]", false },
    { "[]", false },
    { "[::1", false },
    { "::1]", false },
    { "[::1]x", false },
    { "[192.0.2.7]", false },
    { "[fe80::1%eth0]", false },
    { "[::1]@evil]", false },
    { "[11111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111]", false },
};

START_TEST(a_host_is_a_name_or_an_address_and_nothing_else)
    {
        struct error err = { 0 };
        int rc = name_check_host(hosts[_i].name, &err);

        ck_assert_msg((rc == 0) == hosts[_i].is_good, "'%s' gave %d", hosts[_i].name, rc);
        ck_assert_int_eq(err.code, hosts[_i].is_good ? ERROR_NONE : ERROR_USAGE);
        ck_assert(hosts[_i].is_good || err.fix[0]);
    }
END_TEST

static const struct {
    const char *name;
    bool is_good;
} users[] = {
    { "root", true },
    { "ops-1", true },
    { "a.b_c", true },
    { "7", true },
    { "", false },
    { "-oProxyCommand=x", false },
    { ".ssh", false },
    { "a..b", false },
    { "root@host", false },
    { "root:secret", false },
    { "%h", false },
    { "${HOME}", false },
    { "`id`", false },
    { "a b", false },
    { "a\n", false },
    { "DOM\\user", false },
    { "j\xc3\xbcrgen", false },
    { "0123456789012345678901234567890123456789012345678901234567890123", true },
    { "01234567890123456789012345678901234567890123456789012345678901234", false },
};

START_TEST(a_user_is_a_plain_name)
    {
        struct error err = { 0 };
        int rc = name_check_user(users[_i].name, &err);

        ck_assert_msg((rc == 0) == users[_i].is_good, "'%s' gave %d", users[_i].name, rc);
        ck_assert_int_eq(err.code, users[_i].is_good ? ERROR_NONE : ERROR_USAGE);
        ck_assert(users[_i].is_good || err.fix[0]);
    }
END_TEST

START_TEST(a_bare_ipv6_address_is_refused_with_its_brackets)
    {
        struct error err = { 0 };

        ck_assert_int_lt(name_check_host("2001:db8::1", &err), 0);
        ck_assert_str_eq(err.fix, "Write an IPv6 address in brackets: [2001:db8::1].");
    }
END_TEST

START_TEST(lengths_of_names_end_at_their_limit)
    {
        struct error err = { 0 };
        char name[300];

        memset(name, 'a', sizeof name);
        name[253] = '\0';
        ck_assert_int_eq(name_check_host(name, &err), 0);
        name[253] = 'a';
        name[254] = '\0';
        ck_assert_int_lt(name_check_host(name, &err), 0);
        ck_assert_int_eq(name_check_domain(name, &err), 0);
        name[254] = 'a';
        name[255] = '\0';
        ck_assert_int_eq(name_check_domain(name, &err), 0);
        name[255] = 'a';
        name[256] = '\0';
        ck_assert_int_lt(name_check_domain(name, &err), 0);
        ck_assert_str_eq(err.what, "a domain's name has 256 bytes, 255 are the most");
        ck_assert_int_lt(name_check_host(NULL, &err), 0);
        ck_assert_int_lt(name_check_domain(NULL, &err), 0);
    }
END_TEST

static const struct {
    const char *name;
    bool is_good;
} domains[] = {
    { "vault", true },      { "-dashed", true },  { "two words", true }, { "caf\xc3\xa9", true },
    { "a\tb", true },       { "$(id)", true },    { "a\x7f", true },     { "", false },
    { "a/b", false },       { "/", false },       { "a\nb", false },     { "a\x01", false },
    { "a\x1b[31m", false }, { "caf\xc3", false }, { "\xff", false },     { "\xc0\xaf", false },
};

START_TEST(a_domain_is_what_libvirt_can_know)
    {
        struct error err = { 0 };
        int rc = name_check_domain(domains[_i].name, &err);

        ck_assert_msg((rc == 0) == domains[_i].is_good, "'%s' gave %d", domains[_i].name, rc);
        ck_assert(domains[_i].is_good || strstr(err.fix, "virsh list --all"));
    }
END_TEST

START_TEST(a_new_run_has_the_form_of_one_and_the_time_of_now)
    {
        struct error err = { 0 };
        char name[NAME_RUN_SIZE], before[32];
        time_t now = time(NULL);
        struct tm utc;

        strftime(before, sizeof before, "%Y%m%dT%H%M%S", gmtime_r(&now, &utc));
        ck_assert_int_eq(name_new_run(name, &err), 0);
        ck_assert_int_eq(name_check_run(name, &err), 0);
        ck_assert_uint_eq(strlen(name), 24);
        ck_assert_int_ge(strncmp(name, before, 15), 0);
        now += 60;
        strftime(before, sizeof before, "%Y%m%dT%H%M%S", gmtime_r(&now, &utc));
        ck_assert_int_le(strncmp(name, before, 15), 0);
    }
END_TEST

START_TEST(two_runs_never_share_a_name)
    {
        struct error err = { 0 };
        char one[NAME_RUN_SIZE], other[NAME_RUN_SIZE];

        ck_assert_int_eq(name_new_run(one, &err), 0);
        ck_assert_int_eq(name_new_run(other, &err), 0);
        ck_assert_str_ne(one + 16, other + 16);
    }
END_TEST

static const char *const no_runs[] = {
    "",
    "20261124T101530",
    "20261124T101530-",
    "20261124T101530-9f3a12b",
    "20261124T101530-9f3a12bcd",
    "20261124T101530-9F3A12BC",
    "20261124T101530-9f3a12bg",
    "20261124 101530-9f3a12bc",
    "2026112aT101530-9f3a12bc",
    "../../../../etc/passwd.",
    "20261124T101530-9f3a12b/",
    "20261124T101530-9f3a12bc\n",
};

START_TEST(what_is_no_run_is_refused)
    {
        struct error err = { 0 };

        ck_assert_int_eq(name_check_run("20261124T101530-9f3a12bc", &err), 0);
        ck_assert_int_lt(name_check_run(no_runs[_i], &err), 0);
        ck_assert_int_lt(name_check_run(NULL, &err), 0);
    }
END_TEST

START_TEST(random_hex_has_the_asked_length_and_differs)
    {
        struct error err = { 0 };
        char one[129], other[129];

        ck_assert_int_eq(name_random_hex(one, 64, &err), 0);
        ck_assert_int_eq(name_random_hex(other, 64, &err), 0);
        ck_assert_uint_eq(strlen(one), 128);
        ck_assert_uint_eq(strspn(one, "0123456789abcdef"), 128);
        ck_assert_str_ne(one, other);
        ck_assert_int_eq(name_random_hex(one, 0, &err), 0);
        ck_assert_str_eq(one, "");
        ck_assert_int_lt(name_random_hex(one, 65, &err), 0);
    }
END_TEST

TEST_MAIN("base/name", LOOP(a_host_is_a_name_or_an_address_and_nothing_else, TEST_ROWS(hosts)),
          LOOP(a_user_is_a_plain_name, TEST_ROWS(users)), a_bare_ipv6_address_is_refused_with_its_brackets,
          lengths_of_names_end_at_their_limit, LOOP(a_domain_is_what_libvirt_can_know, TEST_ROWS(domains)),
          a_new_run_has_the_form_of_one_and_the_time_of_now, two_runs_never_share_a_name,
          LOOP(what_is_no_run_is_refused, TEST_ROWS(no_runs)), random_hex_has_the_asked_length_and_differs)
