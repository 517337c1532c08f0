/* SPDX-License-Identifier: Apache-2.0
 * What the tests of workers share: the verbs, and the parent's side. */
#ifndef WORKER_BENCH_H
#define WORKER_BENCH_H

#include "base/log.h"
#include "check-main.h"
#include "worker/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define WELL_MS 60000u /* a question that is to be answered, on a machine however busy */

/* ---- the verbs ---- */

static int verb_echo(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)c;
    (void)err;
    return args ? json_put(reply, "echo", json_deep_copy(args)) : 0;
}

static int verb_sleep(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)c;
    (void)reply;
    (void)err;
    loop_pause_ms((unsigned)json_u64(args, "ms", 0));
    return 0;
}

static int verb_fail(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)args;
    (void)reply;
    error_set(err, ERROR_SPACE, c->host, "no room for '%s'", "vda");
    return error_fix(err, "Make room.");
}

static int verb_die(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)c;
    (void)args;
    (void)reply;
    (void)err;
    (void)raise(SIGKILL);
    return 0;
}

/* Journals, and then makes the file: what the journal refuses must not come to be. */
static int verb_create(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *path = json_text(args, "path", "");
    int fd;

    (void)reply;
    if (child_journal(c, json_pack("{ss ss}", "step", "create", "path", path), err) < 0)
        return -err->code;
    fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? error_errno(err, NULL, "could not create '%s'", path) : close(fd);
}

/* Three records at once, and then the file. */
static int verb_create_of_many(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *path = json_text(args, "path", "");
    json_t *records = json_array();
    int fd;

    (void)reply;
    for (int i = 0; i < 3; i++)
        if (json_array_append_new(records, json_pack("{ss ss}", "step", "create", "path", path)) < 0)
            return -1;
    if (child_journal(c, records, err) < 0)
        return -err->code;
    fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? error_errno(err, NULL, "could not create '%s'", path) : close(fd);
}

/* {"paths"}: how many descriptors lead to one of these, in "hits" */
static int verb_descriptors(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t hits = 0;

    (void)c;
    (void)err;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char link[64], target[512] = "";
        size_t i;
        json_t *path;

        (void)snprintf(link, sizeof link, "/proc/self/fd/%.20s", e->d_name);
        if (readlink(link, target, sizeof target - 1) < 0)
            continue;
        json_array_foreach(json_child(args, "paths"), i, path) hits +=
            json_string_value(path) && strcmp(target, json_string_value(path)) == 0;
    }
    if (dir)
        (void)closedir(dir);
    return json_put_u64(reply, "hits", hits);
}

/* Takes the numbers that are free, then traces. */
static int verb_trace(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    (void)c;
    (void)reply;
    (void)err;
    for (int i = 0; i < 20; i++)
        if (open(json_text(args, "path", ""), O_WRONLY | O_APPEND | O_CLOEXEC) < 0)
            return -1;
    log_event("test", "traced", "in the child");
    return 0;
}

/* A program is started and told to end: by which "signal" it did. */
static int verb_child(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *const argv[] = { "sleep", "30", NULL };
    int status = 0;
    pid_t pid;

    (void)c;
    (void)args;
    (void)err;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
        return -1;
    if (kill(pid, SIGTERM) < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return json_put_u64(reply, "signal", WIFSIGNALED(status) ? (unsigned)WTERMSIG(status) : 0);
}

static int verb_rubbish(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *bytes = json_text(args, "bytes", "");
    uint32_t n = (uint32_t)json_u64(args, "n", strlen(bytes));

    (void)reply;
    (void)err;
    (void)send(c->fd, &n, sizeof n, MSG_NOSIGNAL);
    (void)send(c->fd, bytes, strlen(bytes), MSG_NOSIGNAL);
    return 0;
}

static const struct verb verbs[] = {
    { "echo", verb_echo },
    { "sleep", verb_sleep },
    { "fail", verb_fail },
    { "die", verb_die },
    { "create", verb_create },
    { "descriptors", verb_descriptors },
    { "trace", verb_trace },
    { "rubbish", verb_rubbish },
    { "child", verb_child },
    { "create-of-many", verb_create_of_many },
    { NULL, NULL },
};

/* ---- the parent ---- */

static struct loop *loop;
static struct error failed;

static struct worker *start(int (*journal)(void *, const json_t *, struct error *), void *context)
{
    struct worker_setup setup = { .host = "hostA", .verbs = verbs, .journal = journal, .context = context };
    struct worker *w;

    if (!loop)
        loop = loop_new(&failed);
    ck_assert_ptr_nonnull(loop);
    w = worker_start(loop, &setup, &failed);
    ck_assert_msg(w != NULL, "%s", failed.what);
    return w;
}

static void loop_end(void)
{
    loop_free(loop);
    loop = NULL;
}

static struct call *ask(struct worker *w, const char *verb, json_t *args, uint64_t timeout_ms)
{
    struct call *c = worker_ask(w, verb, args, timeout_ms, &failed);

    ck_assert_msg(c != NULL, "%s", failed.what);
    return c;
}

static void path_of_none(char *path, size_t size)
{
    (void)snprintf(path, size, "/tmp/worker-test-%d", (int)getpid());
    (void)unlink(path);
}

#endif
