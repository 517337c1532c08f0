/* SPDX-License-Identifier: Apache-2.0
 * A file that may be lost: without it prices are wider, and nothing else. So what cannot be read is set aside
 * and said, never a reason to refuse a move. */
#include "state/history.h"

#include "state/record.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_BYTES (64u << 20)

static char *path_of(const char *dir, const char *suffix, struct error *err)
{
    char *path = NULL;

    if (asprintf(&path, "%s/history%s", dir, suffix) < 0) {
        error_memory(err);
        return NULL;
    }
    return path;
}

static int read_all(int fd, const char *path, struct text *ret, struct error *err)
{
    char buf[65536];
    ssize_t got;

    while ((got = read(fd, buf, sizeof buf)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, NULL, "could not read '%s'", path);
        if (ret->len + (size_t)got > MOST_BYTES)
            return error_set(err, ERROR_INPUT, NULL, "'%s' is larger than %u MiB", path, MOST_BYTES >> 20);
        text_add_bytes(ret, buf, (size_t)got);
    }
    return ret->failed ? error_memory(err) : 0;
}

/* The good records, and where they end. */
static enum record_state parse(const struct text *bytes, json_t *list, size_t *ret_end)
{
    enum record_state state;
    json_t *record = NULL;

    *ret_end = 0;
    while ((state = record_read(text_of(bytes), bytes->len, ret_end, &record)) == RECORD_GOOD)
        (void)json_array_append_new(list, record);
    return state;
}

static int set_aside(const char *dir, const char *path, struct text *ret_aside, struct error *err)
{
    char suffix[64];
    OWNED_MEMORY char *aside = NULL;

    snprintf(suffix, sizeof suffix, ".damaged-%llu", (unsigned long long)time(NULL));
    aside = path_of(dir, suffix, err);
    if (!aside)
        return -err->code;
    if (rename(path, aside) < 0)
        return error_errno(err, NULL, "could not set '%s' aside", path);
    if (ret_aside)
        text_add(ret_aside, "%s", aside);
    return 0;
}

json_t *history_read(const char *dir, struct text *ret_aside, struct error *err)
{
    OWNED_MEMORY char *path = path_of(dir, "", err);
    OWNED_FD fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    OWNED_TEXT bytes = { 0 };
    OWNED_JSON list = json_array();
    size_t end;

    if (!path)
        return NULL;
    if (!list) {
        error_memory(err);
        return NULL;
    }
    if (fd < 0 && errno == ENOENT)
        return HAND_OVER(list);
    if (fd < 0) {
        error_errno(err, NULL, "could not open '%s'", path);
        return NULL;
    }
    if (flock(fd, LOCK_SH) < 0 || read_all(fd, path, &bytes, err) < 0)
        return NULL;
    if (parse(&bytes, list, &end) == RECORD_DAMAGED && set_aside(dir, path, ret_aside, err) < 0)
        return NULL;
    return HAND_OVER(list);
}

/* Opened and locked, ending with a whole record. The file may be renamed while the lock is waited for. */
static int open_whole(const char *dir, const char *path, struct error *err)
{
    for (int tries = 0; tries < 5; tries++) {
        OWNED_FD fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        OWNED_TEXT bytes = { 0 };
        OWNED_JSON list = json_array();
        struct stat here, there;
        enum record_state state;
        size_t end;

        if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &here) < 0)
            return error_errno(err, NULL, "could not open '%s'", path);
        if (stat(path, &there) < 0 || there.st_ino != here.st_ino)
            continue;
        if (!list)
            return error_memory(err);
        if (read_all(fd, path, &bytes, err) < 0)
            return -err->code;
        state = parse(&bytes, list, &end);
        if (state == RECORD_DAMAGED) {
            if (set_aside(dir, path, NULL, err) < 0)
                return -err->code;
            continue;
        }
        if (state == RECORD_TORN && ftruncate(fd, (off_t)end) < 0)
            return error_errno(err, NULL, "could not cut '%s'", path);
        return HAND_OVER_FD(fd);
    }
    return error_set(err, ERROR_BUSY, NULL, "'%s' is replaced again and again", path);
}

int history_append(const char *dir, json_t *record, struct error *err)
{
    OWNED_JSON owned = record;
    OWNED_MEMORY char *path = path_of(dir, "", err);
    OWNED_TEXT line = { 0 };
    int opened;

    if (!path || !owned)
        return owned ? -err->code : error_memory(err);
    if (record_write(&line, owned, err) < 0)
        return -err->code;
    opened = open_whole(dir, path, err);
    if (opened < 0)
        return opened;
    OWNED_FD fd = opened;
    /* One write: a second one could leave a torn line in the middle. */
    if (write(fd, text_of(&line), line.len) != (ssize_t)line.len || fdatasync(fd) < 0)
        return error_errno(err, NULL, "could not write '%s'", path);
    return 0;
}

/* ---- fitting ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *list, size_t n)
{
    qsort(list, n, sizeof *list, by_size);
    return n % 2 ? list[n / 2] : (list[n / 2 - 1] + list[n / 2]) / 2;
}

static bool concerns(const json_t *record, const char *source, const char *dest, const char *channel)
{
    return text_equal(json_text(record, "source_uuid", ""), source) &&
           text_equal(json_text(record, "dest_uuid", ""), dest) &&
           (!channel || text_equal(json_text(record, "channel", ""), channel));
}

struct fit {
    const json_t *records;
    const char *source, *dest, *channel;
    const char *guest; /* NULL: those of a way, else those of a guest */
};

static bool counts(const struct fit *f, const json_t *record)
{
    if (f->guest)
        return text_equal(json_text(record, "uuid", ""), f->guest);
    return concerns(record, f->source, f->dest, f->channel);
}

/* Returns how many moves showed it. */
static size_t fit_one(const struct fit *f, const char *key, uint64_t *ret, uint64_t *ret_spread)
{
    double seen[HISTORY_FITTED], away[HISTORY_FITTED], middle, spread;
    size_t n = 0;

    for (size_t i = json_array_size(f->records); i-- > 0 && n < HISTORY_FITTED;) {
        const json_t *record = json_array_get(f->records, i);
        const uint64_t value = json_u64(json_child(record, "actual"), key, NOT_KNOWN);

        if (value != NOT_KNOWN && counts(f, record))
            seen[n++] = (double)value;
    }
    if (n == 0)
        return 0;
    middle = median(seen, n);
    for (size_t i = 0; i < n; i++)
        away[i] = fabs(seen[i] - middle);
    spread = n < 3 ? 0.25 * middle : fmax(2 * 1.4826 * median(away, n), 0.1 * middle);
    *ret = (uint64_t)(middle + 0.5);
    *ret_spread = (uint64_t)(spread + 0.5);
    return n;
}

void history_fit(const json_t *records, const char *source_uuid, const char *dest_uuid, const char *channel,
                 struct constants *ret)
{
    const struct fit f = { records, source_uuid, dest_uuid, channel, NULL };
    size_t n;

    if (!source_uuid || !dest_uuid)
        return;
    n = fit_one(&f, "bytes_per_s", &ret->bytes_per_s, &ret->bytes_per_s_spread);
    (void)fit_one(&f, "setup_ms", &ret->setup_ms, &ret->setup_ms_spread);
    (void)fit_one(&f, "finish_ms", &ret->finish_ms, &ret->finish_ms_spread);
    (void)fit_one(&f, "downtime_ms", &ret->downtime_ms, &ret->downtime_ms_spread);
    if (n)
        ret->samples = n;
}

void history_fit_guest(const json_t *records, const char *uuid, struct constants *ret)
{
    const struct fit f = { .records = records, .guest = uuid };

    if (uuid)
        (void)fit_one(&f, "first_pass_bytes", &ret->guest_bytes, &ret->guest_bytes_spread);
}
