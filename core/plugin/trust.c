/* SPDX-License-Identifier: Apache-2.0
 * The walk from the root to a plugin, one component at a time, with a look at every owner and mode.
 * Knows files only; what stands in them is load.c's. Opens nothing but O_PATH, so no device is touched. */
#include "plugin/trust.h"
#include "base/owned.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LINKS 40 /* as the kernel: a loop of links ends here */

struct walk {
    int at;              /* the folder that was reached, O_PATH */
    char path[PATH_MAX]; /* what is walked */
    const char *rest;    /* what is left of it */
    char seen[PATH_MAX]; /* where the walk is, for the sentence only */
    unsigned links;
    char *why;
    size_t size;
};

static enum trust_answer say_no(struct walk *w, const char *problem)
{
    (void)snprintf(w->why, w->size, "'%s' %s", ESCAPED(w->seen[0] ? w->seen : "/"), problem);
    return TRUST_NO;
}

static enum trust_answer say_errno(struct walk *w)
{
    char problem[160];

    (void)snprintf(problem, sizeof problem, "could not be opened: %s", strerror(errno));
    return say_no(w, problem);
}

static bool is_ours(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* A folder such as /tmp, root's and sticky, lets others add names but not replace ours: it will do on the
 * way, as long as what is taken out of it is ours, which the next step of the walk checks. */
static enum trust_answer check_mode(struct walk *w, const struct stat *st, bool is_last)
{
    if (!is_ours(st)) {
        char problem[120];

        (void)snprintf(problem, sizeof problem,
                       "belongs to user %u, who is neither root nor the one who runs virt-ferry",
                       (unsigned)st->st_uid);
        return say_no(w, problem);
    }
    if (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)))
        return TRUST_YES;
    if (!is_last && S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && st->st_uid == 0)
        return TRUST_YES;
    return say_no(w, "can be written by others than its owner");
}

static enum trust_answer from_root(struct walk *w)
{
    if (w->at >= 0)
        (void)close(w->at);
    w->seen[0] = '\0';
    w->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return w->at < 0 ? say_errno(w) : TRUST_YES;
}

/* Takes the next component out of rest; "" at the end. */
static void next_name(struct walk *w, char name[NAME_MAX + 1], bool *ret_too_long)
{
    size_t skip = strspn(w->rest, "/");
    size_t n = strcspn(w->rest + skip, "/");

    *ret_too_long = n > NAME_MAX;
    if (*ret_too_long)
        n = NAME_MAX;
    memcpy(name, w->rest + skip, n);
    name[n] = '\0';
    w->rest += skip + n;
}

static void move_to(struct walk *w, int *next)
{
    (void)close(w->at);
    w->at = *next;
    *next = -1;
}

static bool rest_is_empty(const struct walk *w)
{
    return w->rest[strspn(w->rest, "/")] == '\0';
}

static enum trust_answer note_seen(struct walk *w, const char *name)
{
    size_t n = strlen(w->seen);

    if (n + 1 + strlen(name) >= sizeof w->seen)
        return say_no(w, "leads to a path that is too long");
    (void)snprintf(w->seen + n, sizeof w->seen - n, "/%s", name);
    return TRUST_YES;
}

/* Puts the link's text in front of what is left to walk. */
static enum trust_answer take_link(struct walk *w, int link, const char *name)
{
    char text[PATH_MAX];
    char joined[PATH_MAX];
    ssize_t n = readlinkat(link, "", text, sizeof text - 1);

    if (n < 0)
        return say_errno(w);
    text[n] = '\0';
    if (++w->links > MAX_LINKS)
        return say_no(w, "is a symbolic link that leads in circles");
    if (n == 0 || snprintf(joined, sizeof joined, "%s/%s", text, w->rest) >= (int)sizeof joined)
        return say_no(w, "is a symbolic link to a path that is empty or too long");
    memcpy(w->path, joined, strlen(joined) + 1);
    w->rest = w->path;
    if (text[0] == '/')
        return from_root(w);
    w->seen[strlen(w->seen) - strlen(name) - 1] = '\0';
    return TRUST_YES;
}

static enum trust_answer step(struct walk *w, enum trust_kind kind)
{
    char name[NAME_MAX + 1];
    bool is_too_long;
    struct stat st;
    enum trust_answer answer;

    next_name(w, name, &is_too_long);
    if (is_too_long)
        return TRUST_ABSENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        return TRUST_YES;
    OWNED_FD next = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (next < 0 && (errno == ENOENT || errno == ENOTDIR))
        return TRUST_ABSENT;
    if ((answer = note_seen(w, name)) != TRUST_YES)
        return answer;
    if (next < 0 || fstat(next, &st) < 0)
        return say_errno(w);
    if ((answer = check_mode(w, &st, rest_is_empty(w))) != TRUST_YES)
        return answer;
    if (S_ISLNK(st.st_mode))
        return take_link(w, next, name);
    if (rest_is_empty(w) && kind == TRUST_FILE && !S_ISREG(st.st_mode))
        return say_no(w, "is not a regular file");
    if ((!rest_is_empty(w) || kind == TRUST_FOLDER) && !S_ISDIR(st.st_mode))
        return say_no(w, "is not a folder");
    move_to(w, &next);
    return TRUST_YES;
}

static enum trust_answer begin(struct walk *w, const char *path)
{
    struct stat st;
    enum trust_answer answer;
    int n;

    if (path[0] == '/') {
        n = snprintf(w->path, sizeof w->path, "%s", path);
    } else {
        char here[PATH_MAX];

        if (!getcwd(here, sizeof here))
            return say_errno(w);
        n = snprintf(w->path, sizeof w->path, "%s/%s", here, path);
    }
    if (n < 0 || (size_t)n >= sizeof w->path)
        return say_no(w, "cannot be reached: the path is too long");
    w->rest = w->path;
    if ((answer = from_root(w)) != TRUST_YES)
        return answer;
    if (fstat(w->at, &st) < 0)
        return say_errno(w);
    return check_mode(w, &st, false);
}

/* Once more, on what is handed out: a path that ends in a slash, a dot or two, or in a link to such a path,
 * had its last folder looked at as one on the way. */
static enum trust_answer check_end(struct walk *w, enum trust_kind kind)
{
    struct stat st;

    if (fstat(w->at, &st) < 0)
        return say_errno(w);
    if (kind == TRUST_FILE && !S_ISREG(st.st_mode))
        return say_no(w, "is not a regular file");
    return check_mode(w, &st, true);
}

enum trust_answer trust_open(const char *path, enum trust_kind kind, int *ret_fd, char *why, size_t size)
{
    struct walk w = { .at = -1, .why = why, .size = size };
    enum trust_answer answer = begin(&w, path);

    while (answer == TRUST_YES && !rest_is_empty(&w))
        answer = step(&w, kind);
    if (answer == TRUST_YES)
        answer = check_end(&w, kind);
    if (answer != TRUST_YES) {
        if (w.at >= 0)
            (void)close(w.at);
        return answer;
    }
    *ret_fd = w.at;
    return TRUST_YES;
}
