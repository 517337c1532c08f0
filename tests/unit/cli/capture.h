/* SPDX-License-Identifier: Apache-2.0
 * Runs the whole program in a child, and keeps what it printed and how it ended.
 * No plugin, no configuration and no terminal of this machine is seen by it. */
#ifndef UNIT_CLI_CAPTURE_H
#define UNIT_CLI_CAPTURE_H

#include "check-main.h"
#include "cli/cli.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct captured {
    int exit_code; /* -1 = it did not end by itself */
    char out[32768], err[32768];
};

#define ARGV_MOST 16

__attribute__((unused)) static void capture_read(int fd, char *buf, size_t size)
{
    ssize_t n = pread(fd, buf, size - 1, 0);

    ck_assert_int_ge(n, 0);
    buf[n] = '\0';
    (void)close(fd);
}

/* in becomes standard input; stdout_path, where not NULL, is opened as standard output. */
__attribute__((unused)) static const struct captured *capture_with(const char *in, const char *stdout_path,
                                                                   char *const *argv)
{
    static struct captured c;
    int out = memfd_create("out", 0), err = memfd_create("err", 0), input = memfd_create("in", 0);
    int argc = 0, status;
    pid_t pid;

    while (argv[argc])
        argc++;
    ck_assert_int_eq(pwrite(input, in, strlen(in), 0), (ssize_t)strlen(in));
    (void)fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int named = stdout_path ? open(stdout_path, O_WRONLY) : out;

        (void)dup2(input, 0);
        (void)dup2(named, 1);
        (void)dup2(err, 2);
        (void)setenv("VIRT_FERRY_PLUGIN_PATH", "/nowhere", 1);
        (void)setenv("VIRT_FERRY_CONF", "/dev/null", 1);
        (void)setenv("XDG_CONFIG_HOME", "/nowhere", 1);
        _exit(cli_main(argc, (char **)(uintptr_t)argv));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    c.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    capture_read(out, c.out, sizeof c.out);
    capture_read(err, c.err, sizeof c.err);
    (void)close(input);
    return &c;
}

#define RUN(...) capture_with("", NULL, (char *[]){ (char *)"virt-ferry", __VA_ARGS__ __VA_OPT__(, ) NULL })

#define has(text, part) ck_assert_msg(strstr((text), (part)) != NULL, "'%s' is not in:\n%s", (part), (text))
#define has_not(text, part) ck_assert_msg(strstr((text), (part)) == NULL, "'%s' is in:\n%s", (part), (text))

#endif
