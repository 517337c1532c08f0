/* SPDX-License-Identifier: Apache-2.0
 * Its input is a pipe that this worker holds: it ends with the worker, with ssh, or with the connection, and
 * then the folder goes. No signal is needed for that, and no later run. */
#include "keeper.h"
#include "master.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MS 300
#define STEP_MS 4
#define READY "ready"

/* The parent of all such folders stays: others' may lie there. Nothing is removed that is not ours by name.
 */
const char *const keeper_words[] = {
    "sh", "-c",
    "trap \"\" HUP PIPE; IFS= read -r folder && IFS= read -r owner || exit 1; "
    "mkdir -p -m 0711 \"${folder%/*}\" && mkdir -m 0700 \"$folder\" || exit 1; "
    "if [ -z \"$owner\" ] || chown \"$owner\" \"$folder\"; then echo " READY "; cat >/dev/null; fi; "
    "rm -f \"$folder/" PLACE_RAM "\" \"$folder/" PLACE_DISKS "\"; rmdir \"$folder\"",
    NULL
};

static pid_t child;
static int input = -1;
static char said[512];

static __attribute__((noreturn)) void become(const struct words *w, pid_t parent, int in, int out)
{
    static char locale[] = "LC_ALL=C";
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 && putenv(locale) == 0)
        (void)execvp(w->argv[0], (char *const *)(uintptr_t)w->argv);
    _exit(127);
}

static int launch(const struct words *w, int *ret_output)
{
    pid_t self = getpid();
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) < 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) < 0) {
        (void)close(in[0]);
        (void)close(in[1]);
        return -1;
    }
    child = fork();
    if (child == 0)
        become(w, self, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    input = in[1];
    *ret_output = out[0];
    return child > 0 ? 0 : -1;
}

static bool tell(const char *folder, const char *owner)
{
    char lines[2 * PLACE_PATH_SIZE];
    int n = snprintf(lines, sizeof lines, "%s\n%s\n", folder, owner ? owner : "");

    return n > 0 && (size_t)n < sizeof lines && write(input, lines, (size_t)n) == n;
}

/* true: it said that it is ready. */
static bool listen_to(int output, int ms)
{
    const int64_t until = master_now_ms() + ms;
    size_t n = 0;

    said[0] = '\0';
    while (n + 1 < sizeof said) {
        int64_t left = until - master_now_ms();
        struct pollfd p = { output, POLLIN, 0 };
        ssize_t got;

        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return false;
        got = read(output, said + n, sizeof said - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        said[n] = '\0';
        if (strstr(said, READY "\n"))
            return true;
    }
    return false;
}

int keeper_begin(const struct words *w, const char *folder, const char *owner, int ms, const char **ret_said)
{
    int output = -1;
    bool is_ready;

    keeper_end();
    is_ready = launch(w, &output) == 0 && tell(folder, owner) && listen_to(output, ms);
    if (output >= 0)
        (void)close(output);
    if (is_ready)
        return 0;
    if (!said[0])
        (void)snprintf(said, sizeof said, "nothing was heard of it");
    *ret_said = said;
    keeper_end();
    return -1;
}

void keeper_end(void)
{
    if (input >= 0)
        (void)close(input);
    input = -1;
    if (child <= 0)
        return;
    for (int waited = 0; waitpid(child, NULL, WNOHANG) == 0; waited += STEP_MS) {
        if (waited >= END_MS) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, NULL, 0);
            break;
        }
        (void)poll(NULL, 0, STEP_MS);
    }
    child = 0;
}
