/* SPDX-License-Identifier: Apache-2.0
 * Fills and maps errors. Each text is formatted aside first, so that a new message may quote the old one.
 * Escaping is the printer's: what stands here is what the outside said, bounded but not made safe. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Cut text ends in "..." behind a whole character: half of one would show as an escape that was never there.
 */
static void fill(char *buf, size_t size, const char *format, va_list args)
{
    char aside[sizeof((struct error){ 0 }.what)];
    size_t limit = size < sizeof aside ? size : sizeof aside;
    int n = vsnprintf(aside, limit, format, args);

    if (n < 0)
        aside[0] = '\0';
    if (n >= (int)limit) {
        size_t end = limit - sizeof "...";

        while (end > 0 && is_continuation(aside[end]))
            end--;
        memcpy(aside + end, "...", sizeof "...");
    }
    memcpy(buf, aside, strlen(aside) + 1);
}

static void fill_text(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void fill_text(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(buf, size, format, args);
    va_end(args);
}

static void set(struct error *err, enum error_code code, int detail, const char *host, const char *format,
                va_list args)
{
    err->code = (int)code;
    err->detail = detail;
    fill(err->what, sizeof err->what, format, args);
    fill_text(err->host, sizeof err->host, "%s", host ? host : "");
    err->why[0] = '\0';
    err->fix[0] = '\0';
}

int error_set(struct error *err, enum error_code code, const char *host, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, code, 0, host, format, args);
    va_end(args);
    return -err->code;
}

int error_why(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(err->why, sizeof err->why, format, args);
    va_end(args);
    return -err->code;
}

int error_fix(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(err->fix, sizeof err->fix, format, args);
    va_end(args);
    return -err->code;
}

int error_while(struct error *err, const char *format, ...)
{
    char doing[sizeof err->what];
    va_list args;

    va_start(args, format);
    fill(doing, sizeof doing, format, args);
    va_end(args);
    /* A failing path must never return 0, even when the one below it forgot to say what went wrong. */
    if (err->code == ERROR_NONE)
        return error_set(err, ERROR_FAILED, NULL, "%s: no reason was given", doing);
    fill_text(err->what, sizeof err->what, "%s: %s", doing, err->what);
    return -err->code;
}

int error_errno(struct error *err, const char *host, const char *format, ...)
{
    int number = errno;
    char buf[128];
    va_list args;

    va_start(args, format);
    set(err, ERROR_SYSTEM, number, host, format, args);
    va_end(args);
    return error_why(err, "%s", strerror_r(number, buf, sizeof buf));
}

int error_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, NULL, "no memory left");
}

int error_exit(int code)
{
    int positive = code < 0 && code >= -ERROR_LIBVIRT ? -code : code;

    if (positive >= ERROR_NONE && positive <= ERROR_GUEST_LOST)
        return positive;
    return positive == ERROR_TIMEOUT ? ERROR_CONNECTION : ERROR_FAILED;
}

void error_line(const struct error *err, char *buf, unsigned long size)
{
    const char *colon = err->why[0] ? ": " : "";

    if (size == 0)
        return;
    if (err->host[0])
        (void)snprintf(buf, size, "%s on host '%s'%s%s", err->what, err->host, colon, err->why);
    else
        (void)snprintf(buf, size, "%s%s%s", err->what, colon, err->why);
}
