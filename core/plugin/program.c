/* SPDX-License-Identifier: Apache-2.0
 * fork and exec with three pipes and one poll loop. What does not fit into the caller's buffers is read and
 * dropped, so that no program is held up by us. */
#include "plugin/program.h"

#include "base/owned.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define NOT_FOUND 127

struct running {
    pid_t pid;
    int in, out, errors; /* our ends, -1 when closed */
    uint64_t written;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Only what may be done between fork and exec. */
static __attribute__((noreturn)) void become(const char *const *argv, pid_t parent, int in, int out,
                                             int errors, int said)
{
    static char *const words[] = { "LC_ALL=C" };
    sigset_t none;
    int problem;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(NOT_FOUND);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(errors, 2) == 2 && putenv(words[0]) == 0)
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    problem = errno;
    (void)!write(said, &problem, sizeof problem);
    _exit(NOT_FOUND);
}

static int start(const struct ferry_command *c, struct running *r, struct error *err)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errors[2] = { -1, -1 }, said[2] = { -1, -1 };
    int problem = 0;
    pid_t parent = getpid();

    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0 &&
        pipe2(said, O_CLOEXEC) == 0)
        r->pid = fork();
    else
        r->pid = -1;
    if (r->pid == 0)
        become(c->argv, parent, in[0], out[1], errors[1], said[1]);
    if (r->pid < 0)
        problem = errno;
    close_end(&in[0]);
    close_end(&out[1]);
    close_end(&errors[1]);
    close_end(&said[1]);
    r->in = in[1];
    r->out = out[0];
    r->errors = errors[0];
    /* Empty when exec worked: the pipe closed with it. */
    if (r->pid > 0 && read(said[0], &problem, sizeof problem) != (ssize_t)sizeof problem)
        problem = 0;
    close_end(&said[0]);
    if (!problem)
        return 0;
    errno = problem;
    if (problem == ENOENT)
        return error_set(err, ERROR_ABSENT, NULL, "program '%s' is not there", c->argv[0]);
    return error_errno(err, NULL, "program '%s' could not be started", c->argv[0]);
}

/* false: it is closed. */
static bool take(int fd, char *buf, uint64_t room, uint64_t *n, uint32_t *is_cut)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    uint64_t left = buf && room > 0 ? room - 1u - *n : 0;

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return false;
    if ((uint64_t)got > left) {
        *is_cut = buf != NULL || *is_cut;
        got = (ssize_t)left;
    }
    if (got > 0)
        memcpy(buf + *n, bytes, (size_t)got);
    *n += (uint64_t)got;
    return true;
}

/* false: nobody reads it any more, or all is written. */
static bool give(struct running *r, const struct ferry_command *c)
{
    ssize_t sent = write(r->in, c->input + r->written, c->input_bytes - r->written);

    if (sent < 0)
        return errno == EINTR || errno == EAGAIN;
    r->written += (uint64_t)sent;
    return r->written < c->input_bytes;
}

/* Until both outputs are closed; false when the time was over before. */
static bool converse(struct running *r, struct ferry_command *c, uint64_t until)
{
    if (!c->input || c->input_bytes == 0)
        close_end(&r->in);
    else
        (void)fcntl(r->in, F_SETFL, O_NONBLOCK);
    while (r->out >= 0 || r->errors >= 0) {
        struct pollfd ends[] = { { r->in, POLLOUT, 0 }, { r->out, POLLIN, 0 }, { r->errors, POLLIN, 0 } };
        uint64_t now = now_ms();

        if (now >= until)
            return false;
        if (poll(ends, 3, (int)(until - now)) < 0 && errno != EINTR)
            return false;
        if (ends[0].revents && !give(r, c))
            close_end(&r->in);
        if (ends[1].revents && !take(r->out, c->output, c->output_room, &c->output_bytes, &c->is_cut))
            close_end(&r->out);
        if (ends[2].revents && !take(r->errors, c->errors, c->errors_room, &c->errors_bytes, &c->is_cut))
            close_end(&r->errors);
    }
    return true;
}

static bool ended(pid_t pid, uint64_t until, int *ret_status)
{
    for (;;) {
        pid_t got = waitpid(pid, ret_status, WNOHANG);

        if (got == pid)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        if (now_ms() >= until)
            return false;
        (void)usleep(1000);
    }
}

int program_run(struct ferry_command *c, struct error *err)
{
    struct running r = { .pid = -1, .in = -1, .out = -1, .errors = -1 };
    uint64_t until = now_ms() + c->timeout_ms;
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    int status = 0, code;
    bool in_time = false;

    c->output_bytes = c->errors_bytes = 0;
    c->is_cut = 0;
    code = start(c, &r, err);
    if (code == 0)
        in_time = converse(&r, c, until) && ended(r.pid, until, &status);
    close_end(&r.in);
    close_end(&r.out);
    close_end(&r.errors);
    if (r.pid > 0 && !in_time) {
        (void)kill(r.pid, SIGKILL);
        while (waitpid(r.pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    (void)signal(SIGPIPE, old);
    if (c->output && c->output_room > 0)
        c->output[c->output_bytes] = '\0';
    if (c->errors && c->errors_room > 0)
        c->errors[c->errors_bytes] = '\0';
    c->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (code == 0 && !in_time)
        code = error_set(err, ERROR_TIMEOUT, NULL, "program '%s' did not end within %u ms", c->argv[0],
                         c->timeout_ms);
    return code;
}
