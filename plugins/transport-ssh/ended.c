/* SPDX-License-Identifier: Apache-2.0
 * A table of what ssh says last, and where that leads an operator. */
#include "ended.h"
#include "said.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(...) services->text(call, __VA_ARGS__)
#define MOST_SIGNAL 64

static bool is_signal(int code)
{
    return code > 128 && code <= 128 + MOST_SIGNAL;
}

/* A figure of digits alone that ends so; NULL: there is none. */
static const char *take_figure(const char *at, char end, long *ret)
{
    char *after = NULL;

    if (*at < '0' || *at > '9')
        return NULL;
    *ret = strtol(at, &after, 10);
    return *after == end && *ret < INT_MAX ? after + 1 : NULL;
}

bool ended_read(const char *line, struct ended *ret)
{
    long code = 0, pid = 0;
    const char *at = take_figure(line, ' ', &code);

    if (!at || !take_figure(at, '\n', &pid) || pid == 0)
        return false;
    ret->code = (int)code;
    ret->pid = pid;
    return true;
}

#define RESET                                                                                                \
    "See on '", "' why sshd ended it: journalctl -u ssh -u sshd. If it did not, something on the way "       \
                "resets connections."

/* By its last words; the host that it led to stands between before and after. */
static const struct {
    const char *phrase, *before, *after;
} causes[] = {
    { "not responding", "Nothing came from '",
      "' for 15 s: see the link there, and whether that host stood still." },
    { "losed by remote host", "See on '", "' why sshd ended it: journalctl -u ssh -u sshd." },
    /* An sshd that dies with bytes unread resets the connection, and ssh says either. */
    { "reset by peer", RESET },
    { "Broken pipe", RESET },
    { "", "See the link to '", "', and what sshd says there: journalctl -u ssh -u sshd." },
};

static const char *where_to_look(struct ferry_call *call, const struct ferry_services *services,
                                 const struct ended *e, const char *line)
{
    size_t i = 0;

    if (is_signal(e->code))
        return TEXT("See %s who ended it: journalctl -k shows whether memory ran out.",
                    e->is_at_source ? "on the source" : "on this machine");
    while (!strstr(line, causes[i].phrase))
        i++;
    return TEXT("%s%s%s", causes[i].before, e->to, causes[i].after);
}

int ended_tell(struct ferry_call *call, const struct ferry_services *services, const struct ended *e)
{
    char line[256];
    const char *who = e->is_relay       ? TEXT("what hands connections on to our ssh to '%s'", e->to)
                      : e->is_at_source ? TEXT("the source's own ssh to '%s'", e->to)
                                        : TEXT("our ssh to '%s'", e->to);
    const char *process = e->pid > 0 ? TEXT(" (process %ld)", e->pid) : "";
    const char *fix;

    said_last_words(e->said, line, sizeof line);
    fix = where_to_look(call, services, e, line);
    if (!who || !process || !fix)
        return -1; /* no memory, and that is said */
    if (is_signal(e->code))
        services->error(call, fix, "%s%s was ended by signal %d (%s)", who, process, e->code - 128,
                        strsignal(e->code - 128));
    else if (line[0])
        services->error(call, fix, "%s%s ended: '%s'", who, process, line);
    else
        services->error(call, fix, "%s%s ended with code %d and said nothing", who, process, e->code);
    return -1;
}
