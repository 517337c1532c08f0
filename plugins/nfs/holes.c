/* SPDX-License-Identifier: Apache-2.0
 * A thread goes through the file by lseek and lists the runs of data; whoever asks waits until it has come
 * that far, or has stood still for a while. */
#include "holes.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 5
/* 16 MiB of them; what lies behind is data. */
#define RUNS_MOST (1u << 20)

struct run {
    uint64_t begin, end;
};

struct holes {
    char *path;
    uint64_t fileid, length;
    long kind;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    /* Under the lock: */
    struct run *runs;
    size_t n, room;
    uint64_t known_to; /* all before is known */
    bool is_over;      /* nothing more will be */
    bool is_unwanted;
};

/* ---- the thread ---- */

static int open_it(const struct holes *h)
{
    const int fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct statfs fs;
    struct stat st;

    if (fd >= 0 && fstatfs(fd, &fs) == 0 && (long)fs.f_type == h->kind && fstat(fd, &st) == 0 &&
        S_ISREG(st.st_mode) && st.st_ino == h->fileid && (uint64_t)st.st_size == h->length)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static bool has_room(struct holes *h)
{
    const size_t room = h->room ? 2 * h->room : 64;
    struct run *grown;

    if (h->n < h->room)
        return true;
    grown = h->n < RUNS_MOST ? realloc(h->runs, room * sizeof *grown) : NULL;
    if (!grown)
        return false;
    h->runs = grown;
    h->room = room;
    return true;
}

/* A run of data, which may be empty, and all before it; false: nobody wants more, or no more can be kept. */
static bool add(struct holes *h, uint64_t begin, uint64_t end)
{
    bool goes_on;

    (void)pthread_mutex_lock(&h->lock);
    goes_on = !h->is_unwanted && (begin == end || has_room(h));
    if (goes_on && begin < end)
        h->runs[h->n++] = (struct run){ begin, end };
    if (goes_on)
        h->known_to = end;
    (void)pthread_cond_signal(&h->moved);
    (void)pthread_mutex_unlock(&h->lock);
    return goes_on;
}

static void go_through(struct holes *h, int fd)
{
    uint64_t at = 0;

    while (at < h->length) {
        const off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        off_t hole;

        if (data < 0) {
            if (errno == ENXIO)
                (void)add(h, h->length, h->length);
            return;
        }
        hole = lseek(fd, data, SEEK_HOLE);
        /* A file that is cut meanwhile, or an answer that cannot be. */
        if (hole <= data || (uint64_t)data < at || (uint64_t)hole > h->length)
            return;
        if (!add(h, (uint64_t)data, (uint64_t)hole))
            return;
        at = (uint64_t)hole;
    }
}

static void *look(void *own)
{
    struct holes *h = own;
    const int fd = open_it(h);

    if (fd >= 0) {
        go_through(h, fd);
        (void)close(fd);
    }
    (void)pthread_mutex_lock(&h->lock);
    h->is_over = true;
    (void)pthread_cond_signal(&h->moved);
    (void)pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- as it is asked ---- */

static void free_it(struct holes *h)
{
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->moved);
    free(h->runs);
    free(h->path);
    free(h);
}

struct holes *holes_begin(const char *path, uint64_t fileid, uint64_t length, long kind)
{
    struct holes *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->path = strdup(path);
    h->fileid = fileid;
    h->length = length;
    h->kind = kind;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->moved, NULL);
    if (h->path && pthread_create(&h->thread, NULL, look, h) == 0)
        return h;
    free_it(h);
    return NULL;
}

static struct timespec until(void)
{
    struct timespec when;

    (void)clock_gettime(CLOCK_REALTIME, &when);
    when.tv_sec += PATIENCE_SECONDS;
    return when;
}

/* As long as there is something new within each span of time. */
static void wait_for(struct holes *h, uint64_t from)
{
    while (!h->is_over && h->known_to <= from) {
        const struct timespec when = until();

        /* Nobody waits twice for one that is silent. */
        if (pthread_cond_timedwait(&h->moved, &h->lock, &when) == ETIMEDOUT && h->known_to <= from)
            h->is_over = h->is_unwanted = true;
    }
}

/* The first that ends behind `at`. */
static size_t first_behind(const struct holes *h, uint64_t at)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (h->runs[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void holes_at(struct holes *h, uint64_t from, struct ferry_extent *ret)
{
    uint64_t end = h->length;
    bool is_zero = false;
    size_t i;

    (void)pthread_mutex_lock(&h->lock);
    wait_for(h, from);
    i = first_behind(h, from);
    if (i < h->n) {
        is_zero = h->runs[i].begin > from;
        end = is_zero ? h->runs[i].begin : h->runs[i].end;
    } else if (h->known_to > from) {
        is_zero = true;
        end = h->known_to;
    }
    (void)pthread_mutex_unlock(&h->lock);
    *ret = (struct ferry_extent){ .offset_bytes = from, .length_bytes = end - from, .is_zero = is_zero };
}

void holes_end(struct holes *h)
{
    const struct timespec when = until();

    if (!h)
        return;
    (void)pthread_mutex_lock(&h->lock);
    h->is_unwanted = true;
    (void)pthread_mutex_unlock(&h->lock);
    /* One that hangs in the kernel keeps what it works with; it ends with the process. */
    if (pthread_timedjoin_np(h->thread, NULL, &when) == 0)
        free_it(h);
    else
        (void)pthread_detach(h->thread);
}
