/* SPDX-License-Identifier: Apache-2.0
 * Runs a program and reaps whatever it leaves behind: `reaper PROGRAM ARGUMENT…`.
 * libvirt's QEMU daemonises; where pid 1 reaps late the dead one stays a zombie that libvirt polls
 * for, 200 ms at a time. Ends when the last descendant has ended. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    pid_t child;

    if (argc < 2) {
        fprintf(stderr, "usage: reaper PROGRAM [ARGUMENT…]\n");
        return 2;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        fprintf(stderr, "reaper: could not become a subreaper: %s\n", strerror(errno));
        return 1;
    }
    child = fork();
    if (child < 0) {
        fprintf(stderr, "reaper: could not fork: %s\n", strerror(errno));
        return 1;
    }
    if (child == 0) {
        execvp(argv[1], argv + 1);
        fprintf(stderr, "reaper: could not run '%s': %s\n", argv[1], strerror(errno));
        _exit(127);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return 0;
}
