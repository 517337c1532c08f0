/* SPDX-License-Identifier: Apache-2.0
 * Trace events, one line each and one write each, so that the lines of several processes do not mix.
 * A trace that cannot be written is dropped: it must never be why a migration fails. */
#include "base/log.h"

#include "base/json.h"
#include "base/text.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static struct {
    int fd;
    bool is_file, is_json;
} target = { .fd = -1 };

void log_open(const char *setting)
{
    bool is_json = text_starts(setting, "json:");

    if (target.is_file)
        (void)close(target.fd);
    target.fd = -1;
    target.is_file = false;
    target.is_json = is_json;
    if (!setting || !*setting || text_equal(setting, "0"))
        return;
    if (text_equal(setting, "1")) {
        target.fd = STDERR_FILENO;
        return;
    }
    target.fd = open(is_json ? setting + 5 : setting, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    target.is_file = target.fd >= 0;
}

bool log_on(void)
{
    return target.fd >= 0;
}

static void write_line(const struct text *line)
{
    ssize_t n = line->failed ? 0 : write(target.fd, line->s, line->len);

    (void)n;
}

static void line_for_eyes(struct text *line, const struct timespec *now, const char *area, const char *event,
                          const char *message)
{
    struct tm utc = { 0 };

    (void)gmtime_r(&now->tv_sec, &utc);
    text_add(line, "%02d:%02d:%02d.%03ld %d %s %s: ", utc.tm_hour, utc.tm_min, utc.tm_sec,
             now->tv_nsec / 1000000, (int)getpid(), area, event);
    text_add_escaped(line, message);
}

static void line_for_programs(struct text *line, const struct timespec *now, const char *area,
                              const char *event, const char *message)
{
    OWNED_JSON o = json_object();
    OWNED_MEMORY char *s = NULL;
    struct error err;

    if (json_put_u64(o, "at_ms", (uint64_t)now->tv_sec * 1000 + (uint64_t)now->tv_nsec / 1000000) < 0 ||
        json_put_u64(o, "pid", (uint64_t)getpid()) < 0 || json_put_text(o, "area", area) < 0 ||
        json_put_text(o, "event", event) < 0 || json_put_text(o, "text", message) < 0 ||
        !(s = json_write(o, false, &err)))
        line->failed = true;
    else
        text_add(line, "%s", s);
}

void log_event(const char *area, const char *event, const char *format, ...)
{
    OWNED_TEXT line = { 0 };
    OWNED_MEMORY char *message = NULL;
    struct timespec now;
    va_list args;

    if (!log_on())
        return;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    if (!message || clock_gettime(CLOCK_REALTIME, &now) < 0)
        return;
    if (target.is_json)
        line_for_programs(&line, &now, area, event, message);
    else
        line_for_eyes(&line, &now, area, event, message);
    text_add(&line, "\n");
    write_line(&line);
}
