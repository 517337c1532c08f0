/* SPDX-License-Identifier: Apache-2.0
 * The journal of a run: one file, locked by the process that works on it, extended by one line at a time.
 * Owns the file and the folder it lies in; knows nothing of what the steps mean, but for "end". */
#include "state/journal.h"
#include "base/fault.h"
#include "base/name.h"
#include "base/text.h"
#include "state/record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define JOURNAL_VERSION 1u           /* what this program writes */
#define UNBEGUN_S 60                 /* a writer locks its file a moment after it made it */
#define JOURNAL_MAX_BYTES (64 << 20) /* far above any run; bounds what a reader takes into memory */

struct journal {
    int fd;
    char *path;
    char run[NAME_RUN_SIZE];
    json_t *records;
    off_t end;     /* of the last whole record */
    bool has_tail; /* bytes stand behind end that must go before the next record */
};

void journal_free(struct journal *j)
{
    if (!j)
        return;
    /* Never LOCK_UN: after a fork it would take the lock from the other holder of the descriptor. */
    if (j->fd >= 0)
        (void)close(j->fd);
    json_decref(j->records);
    free(j->path);
    free(j);
}

static char *run_path(const char *dir, const char *run, struct error *err)
{
    char *path;

    if (name_check_run(run, err) < 0)
        return NULL;
    if (asprintf(&path, "%s/runs/%s.journal", dir, run) < 0) {
        error_memory(err);
        return NULL;
    }
    return path;
}

static struct journal *journal_new(const char *dir, const char *run, struct error *err)
{
    OWNED_MEMORY char *path = run_path(dir, run, err);
    OWNED(journal) j = NULL;

    if (!path)
        return NULL;
    j = calloc(1, sizeof *j);
    if (!j || !(j->records = json_array())) {
        if (j)
            j->fd = -1;
        error_memory(err);
        return NULL;
    }
    j->fd = -1;
    j->path = HAND_OVER(path);
    (void)snprintf(j->run, sizeof j->run, "%s", run);
    return HAND_OVER(j);
}

/* A peek takes the lock for an instant to see whether it is free: so one refusal is no proof. */
static int take_lock(const struct journal *j, struct error *err)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

    for (int tries = 0; flock(j->fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return error_errno(err, NULL, "could not lock the journal '%s'", j->path);
        if (tries >= 10) {
            error_set(err, ERROR_BUSY, NULL, "run '%s' is still in progress", j->run);
            error_why(err, "a living process holds its journal '%s'", j->path);
            return error_fix(err, "Wait for it, or cancel it first.");
        }
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

static int sync_folder(const char *dir, struct error *err)
{
    OWNED_MEMORY char *path = NULL;
    OWNED_FD fd = -1;

    if (asprintf(&path, "%s/runs", dir) < 0) {
        path = NULL;
        return error_memory(err);
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, NULL, "could not write the folder '%s' to disk", path);
    return 0;
}

static int write_whole(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        /* Short: the next call tells why, or ends it. */
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

static int cut_tail(struct journal *j, struct error *err)
{
    if (!j->has_tail)
        return 0;
    if (ftruncate(j->fd, j->end) < 0 || fdatasync(j->fd) < 0)
        return error_errno(err, NULL, "could not cut the torn end off the journal '%s'", j->path);
    j->has_tail = false;
    return 0;
}

static int write_record(struct journal *j, json_t *record, bool on_disk, struct error *err)
{
    OWNED_TEXT line = { 0 };

    if (j->fd < 0)
        return error_set(err, ERROR_FAILED, NULL, "the journal '%s' was opened for reading alone", j->path);
    if (cut_tail(j, err) < 0 || record_write(&line, record, err) < 0)
        return -err->code;
    if (j->end + (off_t)line.len > JOURNAL_MAX_BYTES)
        return error_set(err, ERROR_SPACE, NULL, "the journal '%s' is full", j->path);
    if (json_array_append(j->records, record) < 0)
        return error_memory(err);
    if (write_whole(j->fd, text_of(&line), line.len) < 0 || (on_disk && fdatasync(j->fd) < 0)) {
        struct error ignored = { 0 };

        error_errno(err, NULL, "could not write to the journal '%s'", j->path);
        error_fix(err, "Make room in the folder of the journal, or name another by VIRT_FERRY_STATE_DIR.");
        (void)json_array_remove(j->records, json_array_size(j->records) - 1);
        j->has_tail = true;
        (void)cut_tail(j, &ignored); /* tried again before the next record */
        return -err->code;
    }
    j->end += (off_t)line.len;
    return 0;
}

static int write_header(struct journal *j, struct error *err)
{
    OWNED_JSON header =
        json_pack("{s:s, s:i, s:i}", "step", "journal", "version", (int)JOURNAL_VERSION, "reads", 1);

    return header ? write_record(j, header, true, err) : error_memory(err);
}

struct journal *journal_create(const char *dir, const char *run, struct error *err)
{
    OWNED(journal) j = journal_new(dir, run, err);

    if (!j)
        return NULL;
    j->fd = open(j->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (j->fd < 0 && errno == EEXIST) {
        error_set(err, ERROR_EXISTS, NULL, "the journal '%s' exists already", j->path);
        return NULL;
    }
    if (j->fd < 0) {
        error_errno(err, NULL, "could not create the journal '%s'", j->path);
        return NULL;
    }
    if (take_lock(j, err) < 0 || write_header(j, err) < 0 || sync_folder(dir, err) < 0)
        return NULL;
    return HAND_OVER(j);
}

static char *read_all(int fd, size_t *ret_n, const char *path, struct error *err)
{
    OWNED_MEMORY char *bytes = NULL;
    struct stat st;
    size_t n = 0, size;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > JOURNAL_MAX_BYTES) {
        error_set(err, ERROR_NOT_KNOWN, NULL, "'%s' cannot be a journal", path);
        return NULL;
    }
    size = (size_t)st.st_size;
    bytes = malloc(size + 1);
    if (!bytes) {
        error_memory(err);
        return NULL;
    }
    while (n < size) {
        ssize_t got = pread(fd, bytes + n, size - n, (off_t)n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error_errno(err, NULL, "could not read the journal '%s'", path);
            return NULL;
        }
        if (got == 0) /* its holder cut a tail meanwhile */
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return HAND_OVER(bytes);
}

static int damaged(const char *path, size_t at, struct error *err)
{
    error_set(err, ERROR_NOT_KNOWN, NULL, "the journal '%s' is damaged at byte %zu", path, at);
    error_why(err, "what the run did after that cannot be known");
    return error_fix(err, "Stop here: look at both hosts with 'virsh list --all' and start nothing before "
                          "it is clear where the domain runs.");
}

static int check_header(const json_t *header, const char *path, struct error *err)
{
    uint64_t reads = json_u64(header, "reads", 0);

    if (!text_equal(json_text(header, "step", NULL), "journal") || reads == 0)
        return damaged(path, 0, err);
    if (reads <= JOURNAL_VERSION)
        return 0;
    error_set(err, ERROR_NOT_KNOWN, NULL, "the journal '%s' was written by a newer virt-ferry", path);
    error_why(err, "its reader must know version %llu, this one knows %u", (unsigned long long)reads,
              JOURNAL_VERSION);
    return error_fix(err, "Use the virt-ferry that began this run.");
}

/* Fills records up to a torn tail; ret_end is the end of the last whole record. */
static int read_records(int fd, const char *path, json_t *records, off_t *ret_end, bool *ret_has_tail,
                        struct error *err)
{
    size_t n = 0, at = 0;
    OWNED_MEMORY char *bytes = read_all(fd, &n, path, err);
    enum record_state state;
    json_t *record;

    if (!bytes)
        return -err->code;
    while ((state = record_read(bytes, n, &at, &record)) == RECORD_GOOD)
        if (json_array_append_new(records, record) < 0)
            return error_memory(err);
    if (state == RECORD_DAMAGED)
        return damaged(path, at, err);
    *ret_end = (off_t)at;
    *ret_has_tail = state == RECORD_TORN;
    return json_array_size(records) > 0 ? check_header(json_array_get(records, 0), path, err) : 0;
}

static int open_existing(const char *path, const char *run, int flags, struct error *err)
{
    int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_ABSENT, NULL, "there is no run '%s'", run);
    if (fd < 0)
        return error_errno(err, NULL, "could not open the journal '%s'", path);
    return fd;
}

struct journal *journal_open(const char *dir, const char *run, struct error *err)
{
    OWNED(journal) j = journal_new(dir, run, err);

    if (!j)
        return NULL;
    j->fd = open_existing(j->path, run, O_RDWR | O_APPEND, err);
    if (j->fd < 0)
        return NULL;
    if (take_lock(j, err) < 0 || read_records(j->fd, j->path, j->records, &j->end, &j->has_tail, err) < 0 ||
        cut_tail(j, err) < 0)
        return NULL;
    /* Its writer died before the header was on disk: nothing else was done then. */
    if (j->end == 0 && (write_header(j, err) < 0 || sync_folder(dir, err) < 0))
        return NULL;
    return HAND_OVER(j);
}

static uint64_t now_ms(void)
{
    struct timespec now = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A fault can be armed for one step by name: "kill:journal-migrated:1". */
static bool fault_at_step(const char *step)
{
    char point[80];

    (void)snprintf(point, sizeof point, "journal-%s", step);
    return fault_point(point);
}

static int append(struct journal *j, const char *step, json_t *fields, bool on_disk, struct error *err)
{
    OWNED_JSON owned_fields = fields;
    OWNED_JSON record = json_object();

    if (!record || json_put_text(record, "step", step) < 0 || json_put_u64(record, "at_ms", now_ms()) < 0 ||
        (fields && json_object_update_missing(record, fields) < 0))
        return error_memory(err);
    if (fault_point("journal-before"))
        return error_set(err, ERROR_FAILED, NULL, "step '%s' was not journalled: fault 'journal-before'",
                         step);
    if (write_record(j, record, on_disk, err) < 0)
        return -err->code;
    if (fault_at_step(step))
        return error_set(err, ERROR_FAILED, NULL, "step '%s' was journalled, then fault 'journal-%s'", step,
                         step);
    if (fault_point("journal"))
        return error_set(err, ERROR_FAILED, NULL, "step '%s' was journalled, then fault 'journal'", step);
    return 0;
}

int journal_append(struct journal *j, const char *step, json_t *fields, struct error *err)
{
    return append(j, step, fields, true, err);
}

int journal_append_ahead(struct journal *j, const char *step, json_t *fields, struct error *err)
{
    return append(j, step, fields, false, err);
}

const json_t *journal_records(const struct journal *j)
{
    return j->records;
}

const json_t *journal_last(const struct journal *j, const char *step)
{
    for (size_t i = json_array_size(j->records); i > 0; i--) {
        const json_t *record = json_array_get(j->records, i - 1);

        if (text_equal(json_text(record, "step", NULL), step))
            return record;
    }
    return NULL;
}

const char *journal_run(const struct journal *j)
{
    return j->run;
}

bool journal_is_ended(const struct journal *j)
{
    return journal_last(j, "end") != NULL;
}

json_t *journal_peek(const char *dir, const char *run, bool *ret_is_held, struct error *err)
{
    OWNED_MEMORY char *path = run_path(dir, run, err);
    OWNED_JSON records = json_array();
    OWNED_FD fd = -1;
    off_t end;
    bool has_tail;

    if (!path)
        return NULL;
    if (!records) {
        error_memory(err);
        return NULL;
    }
    fd = open_existing(path, run, O_RDONLY, err);
    if (fd < 0)
        return NULL;
    /* First the lock, then the records: what a dead holder left is then read whole. */
    *ret_is_held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    if (read_records(fd, path, records, &end, &has_tail, err) < 0)
        return NULL;
    return HAND_OVER(records);
}

struct journal *journal_look(const char *dir, const char *run, bool *ret_is_held, struct error *err)
{
    OWNED_JSON records = journal_peek(dir, run, ret_is_held, err);
    OWNED(journal) j = records ? journal_new(dir, run, err) : NULL;

    if (!j)
        return NULL;
    json_decref(j->records);
    j->records = HAND_OVER(records);
    return HAND_OVER(j);
}

int journal_close_unbegun(const char *dir, const char *run, struct error *err)
{
    OWNED_MEMORY char *path = run_path(dir, run, err);
    OWNED(journal) j = NULL;
    struct stat st;

    if (!path)
        return -err->code;
    if (lstat(path, &st) < 0)
        return error_errno(err, NULL, "could not look at the journal '%s'", path);
    if (st.st_mtime > time(NULL) - UNBEGUN_S)
        return 0;
    j = journal_open(dir, run, err);
    if (!j)
        return -err->code;
    if (json_array_size(j->records) > 1)
        return 0;
    return journal_append(j, "end", json_pack("{ss}", "outcome", "stayed"), err) < 0 ? -err->code : 1;
}
