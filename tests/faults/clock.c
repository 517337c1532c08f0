/* SPDX-License-Identifier: Apache-2.0
 * A wall clock that goes back an hour: preloaded into virt-ferry. As soon as the file stands that
 * FAULTS_CLOCK names, time of day is an hour ago; the monotonic clock, as in reality, goes on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BACK_SECONDS 3600

static time_t offset(void)
{
    const char *file = getenv("FAULTS_CLOCK");

    return file && access(file, F_OK) == 0 ? BACK_SECONDS : 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    int r;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    r = real(clock, t);
    if (r == 0 && clock == CLOCK_REALTIME)
        t->tv_sec -= offset();
    return r;
}

time_t time(time_t *ret)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec t = { 0 };

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}
