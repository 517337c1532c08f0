/* SPDX-License-Identifier: Apache-2.0
 * Names from outside, refused before they reach a library, a URI or a program; and names of our own that
 * cannot be guessed. Owns what is allowed in a host's, a domain's and a run's name. */
#include "base/name.h"

#include "base/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define HOST_MOST 253
#define USER_MOST 64
#define DOMAIN_MOST 255
#define RANDOM_MOST 64

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_host_name(const char *s)
{
    if (*s == '-' || *s == '.' || strstr(s, ".."))
        return false;
    for (; *s; s++)
        if (!is_alphanumeric(*s) && *s != '.' && *s != '-' && *s != '_')
            return false;
    return true;
}

static bool is_ipv6(const char *s, size_t n)
{
    char buf[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (n == 0 || n >= sizeof buf)
        return false;
    memcpy(buf, s, n);
    buf[n] = '\0';
    return inet_pton(AF_INET6, buf, &address) == 1;
}

bool name_is_address(const char *s)
{
    struct in_addr address;

    return s && (inet_pton(AF_INET, s, &address) == 1 || is_ipv6(s, strlen(s)));
}

int name_check_host(const char *name, struct error *err)
{
    size_t n = name ? strlen(name) : 0;

    if (n == 0) {
        error_set(err, ERROR_USAGE, NULL, "a host's name is empty");
        return error_fix(err, "Name the host, or give its libvirt URI.");
    }
    if (n > HOST_MOST) {
        error_set(err, ERROR_USAGE, NULL, "a host's name has %zu bytes, %d are the most", n, HOST_MOST);
        return error_fix(err, "Give a shorter name of it, or its address.");
    }
    if (is_host_name(name) || (name[0] == '[' && name[n - 1] == ']' && is_ipv6(name + 1, n - 2)))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' cannot be a host's name", name);
    if (is_ipv6(name, n))
        return error_fix(err, "Write an IPv6 address in brackets: [%s].", name);
    return error_fix(err, "A host is letters, digits, dots, dashes and underscores, and begins with no dash, "
                          "or it is an IPv4 address or an IPv6 address in brackets.");
}

int name_check_user(const char *name, struct error *err)
{
    size_t n = name ? strlen(name) : 0;

    if (n == 0) {
        error_set(err, ERROR_USAGE, NULL, "a user's name is empty");
        return error_fix(err, "Write the user before the '@', or leave the '@' out.");
    }
    if (n > USER_MOST) {
        error_set(err, ERROR_USAGE, NULL, "a user's name has %zu bytes, %d are the most", n, USER_MOST);
        return error_fix(err, "Set User in ~/.ssh/config and leave it out of the URI.");
    }
    if (is_host_name(name))
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' cannot be a user's name", name);
    return error_fix(err, "A user is letters, digits, dots, dashes and underscores, and begins with no dash; "
                          "for another name set User in ~/.ssh/config and leave it out of the URI.");
}

/* What XML cannot carry, libvirt can have in no name. */
static bool has_forbidden(const char *s)
{
    for (; *s; s++)
        if (*s == '/' || (*s > 0 && *s < 0x20 && *s != '\t' && *s != '\r'))
            return true;
    return false;
}

static int refuse_domain(const char *name, const char *why, struct error *err)
{
    error_set(err, ERROR_USAGE, NULL, "'%s' cannot be a domain's name", name);
    error_why(err, "%s", why);
    return error_fix(err, "Give the name or the UUID that 'virsh list --all' shows.");
}

int name_check_domain(const char *name, struct error *err)
{
    size_t n = name ? strlen(name) : 0;

    if (n == 0) {
        error_set(err, ERROR_USAGE, NULL, "a domain's name is empty");
        return error_fix(err, "Give the name or the UUID that 'virsh list --all' shows.");
    }
    if (n > DOMAIN_MOST) {
        error_set(err, ERROR_USAGE, NULL, "a domain's name has %zu bytes, %d are the most", n, DOMAIN_MOST);
        return error_fix(err, "Give the UUID that 'virsh list --all --uuid' shows.");
    }
    if (!text_is_utf8(name))
        return refuse_domain(name, "it is not valid UTF-8", err);
    if (has_forbidden(name))
        return refuse_domain(name, "libvirt allows no slash, newline or control byte in it", err);
    return 0;
}

int name_random_hex(char *buf, unsigned n, struct error *err)
{
    unsigned char bytes[RANDOM_MOST];
    ssize_t got;

    buf[0] = '\0';
    if (n > sizeof bytes)
        return error_set(err, ERROR_FAILED, NULL, "%u random bytes were asked for, %zu are the most", n,
                         sizeof bytes);
    do
        got = getrandom(bytes, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(err, NULL, "could not get random bytes");
    /* The kernel never gives less than asked below 256 bytes; half a name must still not pass for one. */
    if (got != (ssize_t)n)
        return error_set(err, ERROR_SYSTEM, NULL, "could not get random bytes");
    for (size_t i = 0; i < n; i++)
        (void)snprintf(buf + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

int name_new_run(char *buf, struct error *err)
{
    char hex[9];
    struct timespec now;
    struct tm utc;

    if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &utc))
        return error_errno(err, NULL, "could not read the clock");
    if (name_random_hex(hex, 4, err) < 0)
        return error_while(err, "naming a run");
    /* Four digits hold every year that a run can see; a clock beyond is wrong, and the name must sort. */
    if (utc.tm_year < 70 || utc.tm_year > 9999 - 1900)
        return error_set(err, ERROR_SYSTEM, NULL, "the clock cannot be right: year %d", utc.tm_year + 1900);
    (void)snprintf(buf, NAME_RUN_SIZE, "%04u%02u%02uT%02u%02u%02u-%s", (unsigned)(utc.tm_year + 1900) % 10000,
                   (unsigned)(utc.tm_mon + 1) % 100, (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100,
                   (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100, hex);
    return 0;
}

int name_check_run(const char *name, struct error *err)
{
    static const char form[] = "ddddddddTdddddd-xxxxxxxx";
    size_t i = 0;

    for (; name && name[i] && form[i]; i++) {
        bool is_digit = name[i] >= '0' && name[i] <= '9';

        if (form[i] == 'd'   ? !is_digit
            : form[i] == 'x' ? !is_digit && (name[i] < 'a' || name[i] > 'f')
                             : name[i] != form[i])
            break;
    }
    if (name && !name[i] && !form[i])
        return 0;
    error_set(err, ERROR_USAGE, NULL, "'%s' is no run's name", name ? name : "");
    return error_fix(err,
                     "A run's name looks like 20261124T101530-9f3a12bc; it is printed when the run starts.");
}
