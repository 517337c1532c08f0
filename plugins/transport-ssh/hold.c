/* SPDX-License-Identifier: Apache-2.0
 * Two children: the program, and a pulse that owns the only writing end of its input and dies with us. */
#include "hold.h"
#include "ended.h"
#include "master.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PULSE_SECONDS 3u
#define END_MS 120 /* whoever has not tidied by then goes on by itself */
#define STEP_MS 5

extern char **environ;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* In a session of its own: Ctrl-C on our terminal is not meant for it. */
static int spawn(struct hold *h, const char *const *argv, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipes;
    int problem = posix_spawn_file_actions_init(&actions);

    if (problem)
        return problem;
    problem = posix_spawnattr_init(&attributes);
    if (problem) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return problem;
    }
    sigemptyset(&none);
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    if (!(problem = posix_spawn_file_actions_adddup2(&actions, in, 0)) &&
        !(problem = posix_spawn_file_actions_adddup2(&actions, out, 1)) &&
        !(problem = posix_spawn_file_actions_adddup2(&actions, h->errors, 2)) &&
        !(problem = posix_spawnattr_setsigmask(&attributes, &none)) &&
        !(problem = posix_spawnattr_setsigdefault(&attributes, &pipes)) &&
        !(problem = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                              POSIX_SPAWN_SETSID)))
        problem =
            posix_spawnp(&h->pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (problem)
        h->pid = 0;
    return problem;
}

static __attribute__((noreturn)) void pulse(int to, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (getppid() == parent && dup2(to, 0) == 0 && close_range(1, ~0u, 0) == 0)
        while (write(0, "\n", 1) == 1)
            (void)sleep(PULSE_SECONDS);
    _exit(0);
}

static int start_pulse(struct hold *h, int to, const char *input)
{
    const pid_t self = getpid();
    const size_t n = strlen(input);

    if (write(to, input, n) != (ssize_t)n)
        return EIO;
    h->pulse = fork();
    if (h->pulse == 0)
        pulse(to, self);
    if (h->pulse > 0)
        return 0;
    h->pulse = 0;
    return errno;
}

int hold_begin(struct hold *h, const char *const *argv, const char *input)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    int problem = 0;

    *h = (struct hold)HOLD_NONE;
    h->errors = memfd_create("hold", MFD_CLOEXEC);
    if (h->errors < 0 || fcntl(h->errors, F_SETFL, O_APPEND) < 0 || pipe2(in, O_CLOEXEC) < 0 ||
        pipe2(out, O_CLOEXEC) < 0)
        problem = errno;
    if (!problem)
        problem = spawn(h, argv, in[0], out[1]);
    if (!problem)
        problem = start_pulse(h, in[1], input);
    h->out = out[0];
    close_fd(&in[0]);
    close_fd(&in[1]);
    close_fd(&out[1]);
    if (problem)
        hold_end(h);
    return problem;
}

/* A whole line that begins so, behind that. */
static const char *find_line(const struct hold *h, const char *word)
{
    const size_t n = strlen(word);

    for (const char *line = h->line, *end; (end = strchr(line, '\n')); line = end + 1)
        if (strncmp(line, word, n) == 0)
            return line + n;
    return NULL;
}

/* More of its output; false: there is none by then, or no room for it. */
static bool hear(struct hold *h, int64_t until_ms)
{
    const size_t n = strlen(h->line);
    struct pollfd one = { h->out, POLLIN, 0 };
    ssize_t got;

    do {
        const int64_t left = until_ms - master_now_ms();

        if (h->out < 0 || (poll(&one, 1, left > 0 ? (int)left : 0) < 0 && errno != EINTR))
            return false;
        if (!one.revents && left <= 0)
            return false;
    } while (!one.revents);
    got = read(h->out, h->line + n, sizeof h->line - 1 - n);
    if (got > 0)
        h->line[n + (size_t)got] = '\0';
    return got > 0;
}

const char *hold_heard(struct hold *h, const char *word, int64_t until_ms)
{
    const char *rest = find_line(h, word);

    while (!rest && hear(h, until_ms))
        rest = find_line(h, word);
    return rest;
}

bool hold_wait(struct hold *h, int64_t until_ms)
{
    struct stat st;

    if (!hold_heard(h, "ready", until_ms))
        return false;
    h->said_before = fstat(h->errors, &st) == 0 ? (long)st.st_size : 0;
    return true;
}

bool hold_has_ended(struct hold *h)
{
    int status;

    if (h->pid > 0 && waitpid(h->pid, &status, WNOHANG) == h->pid) {
        h->code = ended_code(status);
        h->pid = 0;
    }
    return h->code >= 0;
}

void hold_said(const struct hold *h, char *buf, size_t size)
{
    ssize_t n = h->errors < 0 ? 0 : pread(h->errors, buf, size - 1, h->said_before);

    buf[n > 0 ? n : 0] = '\0';
}

static bool is_gone(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) != 0;
}

void hold_release(struct hold *h)
{
    if (h->pulse > 0) {
        (void)kill(h->pulse, SIGKILL);
        (void)waitpid(h->pulse, NULL, 0);
    }
    h->pulse = 0;
}

void hold_end(struct hold *h)
{
    struct pollfd one = { h->pid > 0 ? pidfd_open(h->pid, 0) : -1, POLLIN, 0 };

    hold_release(h);
    /* Without one (Linux before 5.3) each step is waited. */
    for (int waited = 0; h->pid > 0 && !is_gone(h->pid) && waited < END_MS; waited += STEP_MS)
        (void)poll(&one, 1, STEP_MS);
    close_fd(&one.fd);
    close_fd(&h->out);
    close_fd(&h->errors);
    *h = (struct hold)HOLD_NONE;
}
