/* SPDX-License-Identifier: Apache-2.0
 * fork, exec, and a wait for the socket that ssh makes once it has logged in. What ssh says goes to memory
 * and not into a pipe: nobody need read it for ssh to go on. */
#include "master.h"
#include "ended.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 1
#define END_MS 120
#define NO_PROGRAM 127

static pid_t master, ended_pid;
static int log_fd = -1, ended_as;
static off_t said_before; /* until it was ready */

int64_t master_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static __attribute__((noreturn)) void become(const struct words *w, pid_t parent, int said)
{
    static char locale[] = "LC_ALL=C";
    int null = open("/dev/null", O_RDWR);
    int problem;
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(NO_PROGRAM);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(log_fd, 2) == 2 && putenv(locale) == 0)
        (void)execvp(w->argv[0], (char *const *)(uintptr_t)w->argv);
    problem = errno;
    (void)!write(said, &problem, sizeof problem);
    _exit(NO_PROGRAM);
}

/* 0, or the errno for which it could not be started. */
static int launch(const struct words *w)
{
    pid_t self = getpid();
    int said[2];
    int problem = 0;

    ended_pid = 0;
    said_before = 0;
    log_fd = memfd_create("ssh", MFD_CLOEXEC);
    if (log_fd < 0 || pipe2(said, O_CLOEXEC) < 0)
        return errno;
    (void)fcntl(log_fd, F_SETFL, O_APPEND);
    master = fork();
    if (master == 0)
        become(w, self, said[1]);
    if (master < 0)
        problem = errno;
    (void)close(said[1]);
    if (master > 0 && read(said[0], &problem, sizeof problem) != (ssize_t)sizeof problem)
        problem = 0;
    (void)close(said[0]);
    return problem;
}

static bool is_socket(const char *folder, const char *name)
{
    char path[PLACE_PATH_SIZE];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The control socket is the last thing that ssh makes before it serves. */
static bool is_ready(const char *folder)
{
    return is_socket(folder, PLACE_CONTROL);
}

enum master_answer master_begin(const struct words *w)
{
    int problem = launch(w);

    if (!problem)
        return MASTER_READY;
    master_end();
    errno = problem;
    return problem == ENOENT ? MASTER_MISSING : MASTER_FAILED;
}

enum master_answer master_wait(const char *folder, int ms)
{
    int64_t until = master_now_ms() + ms;
    struct stat st;

    while (!is_ready(folder)) {
        int status;

        if (waitpid(master, &status, WNOHANG) == master) {
            master = 0;
            return MASTER_ENDED;
        }
        if (master_now_ms() >= until)
            return MASTER_SILENT;
        (void)poll(NULL, 0, STEP_MS);
    }
    said_before = fstat(log_fd, &st) == 0 ? st.st_size : 0;
    return MASTER_READY;
}

bool master_has_ended(int *ret_code, long *ret_pid)
{
    int status;

    if (master > 0 && waitpid(master, &status, WNOHANG) == master) {
        ended_pid = master;
        ended_as = ended_code(status);
        master = 0;
    }
    *ret_code = ended_as;
    *ret_pid = (long)ended_pid;
    return ended_pid > 0;
}

static const char *said_from(off_t from)
{
    static char text[8192];
    ssize_t n = log_fd < 0 ? 0 : pread(log_fd, text, sizeof text - 1, from);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

const char *master_said(void)
{
    return said_from(said_before);
}

const char *master_said_first(void)
{
    return said_from(0);
}

static void wait_for_end(int ms)
{
    struct pollfd one = { pidfd_open(master, 0), POLLIN, 0 };

    /* Without one (Linux before 5.3) all of the time is waited. */
    (void)poll(&one, 1, ms);
    if (one.fd >= 0)
        (void)close(one.fd);
}

void master_end(void)
{
    if (master > 0) {
        (void)kill(master, SIGTERM);
        wait_for_end(END_MS);
        (void)kill(master, SIGKILL);
        (void)waitpid(master, NULL, 0);
    }
    master = 0;
    if (log_fd >= 0)
        (void)close(log_fd);
    log_fd = -1;
}
