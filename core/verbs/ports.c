/* SPDX-License-Identifier: Apache-2.0
 * Whether the ports that RAM and disks travel to can be reached: a firewall that drops them shows only as a
 * migration that waits for minutes. The highest of the range is tried, which is taken last: a connection to
 * the lowest would become a move's own if one began at that moment. */
#include "verbs/verbs.h"

#include "base/name.h"
#include "base/text.h"
#include "verbs/command.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE_MS 1000 /* on a way whose answers take that long nothing else would work either */

/* A descriptor that connects, or -1; ret_now: it was over at once, with errno's value or 0. */
static int begin_connect(const struct addrinfo *to, int *ret_now)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *ret_now = EINPROGRESS;
    if (fd < 0)
        *ret_now = EMFILE;
    else if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        *ret_now = 0;
    else if (errno != EINPROGRESS)
        *ret_now = errno;
    return fd;
}

static int wait_for(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLOUT };
    socklen_t size = sizeof(int);
    int problem = 0, n;

    do
        n = poll(&one, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return ETIMEDOUT;
    return n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0 ? EIO : problem;
}

static enum tristate try_port(const char *address, uint64_t port)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *to = NULL;
    char service[16];
    int fd, problem;

    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &to) != 0)
        return TRI_NOT_KNOWN;
    fd = begin_connect(to, &problem);
    if (problem == EINPROGRESS)
        problem = wait_for(fd);
    if (fd >= 0)
        (void)close(fd);
    freeaddrinfo(to);
    switch (problem) {
    case 0:
    case ECONNREFUSED: /* nobody listens yet, and nothing stands between */
        return TRI_YES;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EACCES:
        return TRI_NO;
    default:
        return TRI_NOT_KNOWN;
    }
}

/* bash alone can open a connection everywhere; a refusal is an answer, silence is none. */
static const char try_there[] =
    "read -r a p; m=$(LC_ALL=C timeout 1 bash -c \"exec 3<>/dev/tcp/\\$0/\\$1\" \"$a\" \"$p\" 2>&1); case "
    "$?:$m in "
    "0:*|*refused*) echo open;; 124:*|*unreachable*|*route*) echo filtered;; esac";

/* The same on a source that is elsewhere, where a command can be run. */
static enum tristate try_port_there(struct child *c, const char *address, uint64_t port)
{
    OWNED_TEXT input = { 0 };
    OWNED_MEMORY char *output = NULL;
    struct error ignored = { 0 };

    text_add(&input, "%s %u\n", address, (unsigned)port);
    if (input.failed || !name_is_address(address))
        return TRI_NOT_KNOWN;
    output = command_script(c, try_there, text_of(&input), 2u * PATIENCE_MS, &ignored);
    if (!output)
        return TRI_NOT_KNOWN;
    return text_starts(output, "open") ? TRI_YES : text_starts(output, "filtered") ? TRI_NO : TRI_NOT_KNOWN;
}

/* What an earlier channel found of the same address holds for this one. */
static const struct channel *tried_before(const struct facts *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (text_equal(channel_data_address(&f->channels[k]), channel_data_address(&f->channels[i])) &&
            f->channels[k].data_port != NOT_KNOWN)
            return &f->channels[k];
    return NULL;
}

/* {"facts": with channels, "port"}: the same "facts", each channel whose data goes to a libvirt port tried */
int verb_reach_ports(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    OWNED(facts) f = facts_from_json(json_child(args, "facts"), err);
    const uint64_t port = json_u64(args, "port", 0);

    if (!f)
        return -err->code;
    for (size_t i = 0; port && i < f->n_channels; i++) {
        struct channel *ch = &f->channels[i];
        const struct channel *before = tried_before(f, i);
        const char *address = channel_data_address(ch);

        if (!address || !ch->data_uri || !text_starts(ch->data_uri, "tcp:"))
            continue;
        ch->data_port_open = before             ? before->data_port_open
                             : verb_is_local(c) ? try_port(address, port)
                                                : try_port_there(c, address, port);
        ch->data_port = port;
    }
    return json_put(reply, "facts", facts_to_json(f));
}
