/* SPDX-License-Identifier: Apache-2.0
 * The program stands in the plugin's own folder, and runs by a shell: its path is checked. */
#include "dial.h"
#include "own-program.h"
#include "said.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"

bool dial_is_plain(const char *printed)
{
    static const struct {
        const char *key, *value;
    } plain[] = {
        { "addressfamily", "any" },
        { "checkhostip", "no" },
        { "canonicalizehostname", "false" },
        { "proxyusefdpass", "no" },
    };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!place_is(printed, plain[i].key, plain[i].value))
            return false;
    return !place_is_set(printed, "bindaddress") && !place_is_set(printed, "bindinterface");
}

/* It inherits nothing from ssh: the gate is opened by the name that the kernel has for it. */
static bool command(char *buf, size_t size, const char *program, pid_t pid, int gate)
{
    int n;

    if (program[0] != '/' || program[strspn(program, PATH_LETTERS)] != '\0')
        return false;
    n = snprintf(buf, size, "ProxyCommand=%s /proc/%d/fd/%d", program, (int)pid, gate);
    return n > 0 && (size_t)n < size;
}

bool dial_new(struct dial *ret, char *buf, size_t size)
{
    char program[PATH_MAX];

    *ret = (struct dial){ { -1, -1 } };
    if (own_program(DIAL_PROGRAM, program, sizeof program) && pipe2(ret->gate, O_CLOEXEC) == 0 &&
        command(buf, size, program, getpid(), ret->gate[0]))
        return true;
    dial_done(ret);
    return false;
}

static bool is_word(const char *word)
{
    for (const char *c = word; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return word[0] != '\0';
}

bool dial_to(const struct dial *d, const char *host, const char *port, unsigned seconds)
{
    char line[DIAL_LINE_SIZE];
    const int n = snprintf(line, sizeof line, "%s %s %u\n", host, port, seconds);

    return is_word(host) && is_word(port) && n > 0 && (size_t)n < sizeof line &&
           write(d->gate[1], line, (size_t)n) == n;
}

void dial_done(struct dial *d)
{
    for (int i = 0; i < 2; i++) {
        if (d->gate[i] >= 0)
            (void)close(d->gate[i]);
        d->gate[i] = -1;
    }
}

bool dial_failed(const char *said)
{
    return said_by(said) == SAID_NOTHING && strstr(said, "did not pass back a connection");
}

#define TOLD DIAL_PROGRAM ": reached "

/* The first of its lines; NULL: there is none. */
static const char *told(const char *said)
{
    const char *line = said;

    while (*line && strncmp(line, TOLD, strlen(TOLD)) != 0) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return *line ? line + strlen(TOLD) : NULL;
}

void dial_reached(const char *said, struct dialled *ret)
{
    const char *line = told(said);
    const size_t n = line ? strspn(line, "0123456789abcdefABCDEF.:") : 0;
    const char *number = n ? line + n + 1 : "";
    char *end = NULL;

    *ret = (struct dialled){ .address = "" };
    if (n == 0 || n >= sizeof ret->address || line[n] != ' ' || *number < '0' || *number > '9')
        return;
    errno = 0;
    ret->latency_us = strtoull(number, &end, 10);
    if (errno == 0 && strncmp(end, " us\n", 4) == 0)
        memcpy(ret->address, line, n);
}

const char *dial_behind(const char *said)
{
    const char *line = told(said);

    if (!line)
        return said;
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}
