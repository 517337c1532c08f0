/* SPDX-License-Identifier: Apache-2.0
 * A storage driver for plain files that keeps the contract; each -D makes it break one rule of it. */
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <virt-ferry-plugin.h>

#ifndef DECLARES
#define DECLARES FERRY_STORAGE_READS_ZERO
#endif
#ifndef SUMMARY
#define SUMMARY "plain files"
#endif
#ifndef PRESENT
#define PRESENT 1
#endif
#ifndef FIX
#define FIX "Name it otherwise."
#endif

#ifdef LEAVES_THREAD
static void *sleep_on(void *nothing)
{
    (void)sleep(100);
    return nothing;
}
#endif

static void misbehave(void)
{
#ifdef PRINTS
    printf("hello\n");
#endif
#ifdef EXITS
    exit(3);
#endif
#ifdef HANGS
    for (;;)
        (void)pause();
#endif
#ifdef LEAVES_THREAD
    pthread_t thread;

    (void)pthread_create(&thread, NULL, sleep_on, NULL);
#endif
#ifdef LEAVES_DESCRIPTOR
    (void)open("/dev/null", O_RDONLY);
#endif
#ifdef CHANGES_SIGNAL
    (void)signal(SIGUSR1, SIG_IGN);
#endif
#ifdef CHANGES_FOLDER
    (void)chdir("/");
    (void)chdir("/tmp");
#endif
#ifdef CHANGES_UMASK
    (void)umask(0123);
#endif
}

static int whole_claim(struct ferry_call *call, const struct ferry_services *services,
                       const struct ferry_disk *disk)
{
#ifdef CLAIM_ALTERNATES
    static int n;

    return n++ % 2;
#endif
#ifdef CLAIM_IS_SLOW
    if (strcmp(disk->type, "block") == 0)
        (void)usleep(300000);
#endif
#ifdef CLAIM_CALLS_RUN
    services->run(call, &(struct ferry_command){ .size = sizeof(struct ferry_command) });
#endif
    (void)call;
    (void)services;
    return strcmp(disk->type, "file") == 0 && disk->source && disk->source[0] == '/' ? 30 : 0;
}

static void whole_look_ahead(struct ferry_call *call, const struct ferry_services *services,
                             const struct ferry_disk *const *disks, uint32_t n)
{
#ifdef LOOKS_AND_FINDS
    services->finding(call, 1, "whole-looked", "it looked ahead", NULL);
#endif
#ifdef LOOKS_AND_JOURNALS
    (void)services->journal(call, "file", "/tmp", disks[0]->target, NULL);
#endif
#ifdef LOOKS_AT_NOTHING
    for (uint32_t i = 0; i < n; i++)
        services->log(call, "%zu", strlen(disks[i]->source));
#endif
    (void)call;
    (void)services;
    (void)disks;
    (void)n;
}

static const char *fails(struct ferry_call *call, const struct ferry_services *services, const char *what)
{
    services->error(call, FIX, "%s", what);
    return NULL;
}

static int whole_identify(struct ferry_call *call, const struct ferry_services *services,
                          const struct ferry_disk *disk, struct ferry_identity *ret)
{
    struct stat st;
#ifdef IDENTITY_CHANGES
    static int n;
#else
    const int n = 0;
#endif

    misbehave();
    if (!disk->source || stat(disk->source, &st) < 0) {
        (void)fails(call, services, "there is no such file");
        return -1;
    }
#ifdef IDENTITY_CHANGES
    n++;
#endif
    ret->identity = services->text(call, "%ju %d", (uintmax_t)st.st_ino, n);
    ret->evidence = "its inode";
    return ret->identity ? 0 : -1;
}

static int whole_inspect(struct ferry_call *call, const struct ferry_services *services,
                         const struct ferry_disk *disk, struct ferry_image *ret)
{
    struct stat st;

    ret->present = 2;
    ret->capacity_bytes = ret->allocated_bytes = ret->free_bytes = FERRY_NOT_KNOWN;
    if (!disk->source) {
        (void)fails(call, services, "it has no path");
        return -1;
    }
    if (stat(disk->source, &st) < 0) {
        ret->present = 0;
        return 0;
    }
    ret->present = PRESENT;
    ret->capacity_bytes = (uint64_t)st.st_size;
    ret->allocated_bytes = (uint64_t)st.st_blocks * 512;
    return 0;
}

/* The path cut in two; the folder is a text of the call. */
static const char *cut(struct ferry_call *call, const struct ferry_services *services, const char *path,
                       const char **ret_name)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    if (!slash || path[0] != '/' || !slash[1])
        return fails(call, services, "it has no whole path");
    *ret_name = slash + 1;
    return services->text(call, "%.*s", (int)(slash - path), path);
}

static int whole_create(struct ferry_call *call, const struct ferry_services *services,
                        const struct ferry_new_image *image)
{
    const struct ferry_disk *d = image->disk;
    const char *name, *folder = cut(call, services, d->source, &name);
    struct stat st;
    int fd, result = -1;

    if (!folder)
        return -1;
    if (!d->format || strcmp(d->format, "raw") != 0 || image->capacity_bytes == 0 ||
        image->capacity_bytes > INT64_MAX) {
        (void)fails(call, services, "such an image cannot be made");
        return -1;
    }
#ifdef CREATES_FIRST
    (void)close(open(d->source, O_CREAT | O_WRONLY, 0644));
#endif
#ifndef NEVER_JOURNALS
    if (services->journal(call, "file", folder, name, NULL) < 0)
        return -1;
#endif
#ifdef CREATES_OVER
    fd = open(d->source, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
#else
    fd = open(d->source, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
#endif
    if (fd < 0) {
        (void)fails(call, services, "it cannot be made");
        return -1;
    }
    if (ftruncate(fd, (off_t)image->capacity_bytes) == 0 && fstat(fd, &st) == 0) {
        const char *identity = services->text(call, "%ju", (uintmax_t)st.st_ino);

        result = identity ? services->journal(call, "file", folder, name, identity) : -1;
    }
    (void)close(fd);
    return result;
}

static int whole_remove(struct ferry_call *call, const struct ferry_services *services, const char *what,
                        const char *place, const char *name, const char *identity)
{
    const char *path = services->text(call, "%s/%s", place, name);
    char seen[32];
    struct stat st;

    if (!path)
        return -1;
    if (strcmp(what, "file") != 0 || strchr(name, '/'))
#ifdef REMOVES_ALL
        return unlink(path) == 0 ? 0 : 1;
#else
        return 1;
#endif
    if (stat(path, &st) < 0)
        return 0;
    (void)snprintf(seen, sizeof seen, "%ju", (uintmax_t)st.st_ino);
#ifndef COMPARES_NOTHING
    if (!identity || strcmp(identity, seen) != 0)
        return 1;
#endif
#ifdef NEVER_REMOVES
    return 0;
#endif
    return unlink(path);
}

static const struct ferry_storage whole = { .size = sizeof whole,
                                            .declares = DECLARES,
                                            .name = "whole",
                                            .summary = SUMMARY,
                                            .claim = whole_claim,
                                            .identify = whole_identify,
                                            .inspect = whole_inspect,
                                            .create = whole_create,
                                            .remove = whole_remove,
                                            .look_ahead = whole_look_ahead };

FERRY_PLUGIN(.name = "whole", .version = "1", .summary = "for tests",
             .storage = (const struct ferry_storage *const[]){ &whole, NULL })
