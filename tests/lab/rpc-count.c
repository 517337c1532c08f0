/* SPDX-License-Identifier: Apache-2.0
 * A relay that stands for an NFS server, or an OSD of Ceph, and counts what clients ask of it: rpc-count FILE
 * ADDRESS SERVER PORT… It listens on ADDRESS at each port and hands on to the same port of SERVER; a port of
 * an OSD is written osd:PORT. FILE has "CALLS TRIPS CONNECTIONS".
 *
 * A call is a last fragment of ONC RPC over TCP (its record mark has the highest bit), or an operation on an
 * object of Ceph. Calls that are sent without waiting for a reply are one round trip, whatever connection
 * they take; so that the relay does not take them for more, each reply is held until the clients have been
 * silent for HELD_MS. */
#define _GNU_SOURCE
#include "osd-frames.h"
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MOST 8
#define LINES_MOST 64
#define HELD_MS 40

/* One direction of a connection, as far as its record marks tell. */
struct marks {
    unsigned char head[4];
    unsigned n_head;
    uint32_t left;
    bool is_last;
    unsigned char call[24]; /* xid, type, version of RPC, program, its version, procedure */
    unsigned n_call;
};
static struct line {
    int client, server;
    bool is_osd;
    struct marks asked;
    struct frames frames;
} lines[LINES_MOST];
static unsigned n_lines, calls, trips, connections;
static bool has_replied = true; /* since the last trip began */
static FILE *counts;

static void say(void)
{
    rewind(counts);
    fprintf(counts, "%u %u %u\n", calls, trips, connections);
    fflush(counts);
}

static unsigned word(const unsigned char *b)
{
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static void count(void)
{
    calls++;
    trips += has_replied;
    has_replied = false;
    say();
}

static void read_operations(struct frames *f, const unsigned char *bytes, size_t n)
{
    char object[128];
    size_t used;

    for (; n > 0; bytes += used, n -= used) {
        if (!frames_take(f, bytes, n, &used))
            continue;
        count();
        frames_object(f, object, sizeof object);
        printf("trip %u: object %s\n", trips, object);
        fflush(stdout);
        f->n = 0;
    }
}

static void count_call(struct marks *m)
{
    count();
    if (m->n_call == sizeof m->call)
        printf("trip %u: program %u, procedure %u\n", trips, word(m->call + 12), word(m->call + 20));
    fflush(stdout);
    m->n_call = 0;
}

static void read_marks(struct marks *m, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        if (m->left == 0) {
            m->head[m->n_head++] = *bytes++;
            n--;
            if (m->n_head < 4)
                continue;
            m->n_head = 0;
            m->is_last = m->head[0] & 0x80;
            m->left = ((uint32_t)(m->head[0] & 0x7f) << 24) | ((uint32_t)m->head[1] << 16) |
                      ((uint32_t)m->head[2] << 8) | m->head[3];
        } else {
            const size_t some = n < m->left ? n : m->left;

            for (size_t i = 0; i < some && m->n_call < sizeof m->call; i++)
                m->call[m->n_call++] = bytes[i];
            bytes += some;
            n -= some;
            m->left -= (uint32_t)some;
        }
        if (m->left == 0 && m->is_last) {
            m->is_last = false;
            count_call(m);
        }
    }
}

static int die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

    if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
        die(text);
    return a;
}

static int listen_at(const char *address, uint16_t port)
{
    struct sockaddr_in a = address_of(address, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0)
        die("listening");
    return fd;
}

static void drop(unsigned i)
{
    close(lines[i].client);
    close(lines[i].server);
    lines[i] = lines[--n_lines];
}

static bool is_osd(const char *port)
{
    return strncmp(port, "osd:", 4) == 0;
}

static uint16_t port_of(const char *port)
{
    return (uint16_t)atoi(is_osd(port) ? port + 4 : port);
}

static void take(int listener, const char *server, const char *port)
{
    struct sockaddr_in a = address_of(server, port_of(port));
    struct line l = { .client = accept(listener, NULL, NULL),
                      .server = socket(AF_INET, SOCK_STREAM, 0),
                      .is_osd = is_osd(port) };

    if (l.client < 0 || l.server < 0 || n_lines == LINES_MOST)
        die("accepting");
    if (connect(l.server, (struct sockaddr *)&a, sizeof a) < 0) {
        close(l.client);
        close(l.server);
        return;
    }
    connections++;
    lines[n_lines++] = l;
    say();
}

/* false: it is at its end. */
static bool hand_on(int from, int to, struct line *asking)
{
    static unsigned char bytes[1 << 16];
    ssize_t n = read(from, bytes, sizeof bytes);

    if (n <= 0)
        return false;
    if (asking && asking->is_osd)
        read_operations(&asking->frames, bytes, (size_t)n);
    else if (asking)
        read_marks(&asking->asked, bytes, (size_t)n);
    else
        has_replied = true;
    for (ssize_t sent = 0, some; sent < n; sent += some)
        if ((some = send(to, bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

/* Clients first; replies only when no client has said anything for a while. */
static void turn(const int *listeners, char **ports, unsigned n_ports, const char *server)
{
    struct pollfd at[PORTS_MOST + 2 * LINES_MOST];
    unsigned n = 0;
    bool has_asked = false;

    for (unsigned i = 0; i < n_ports; i++)
        at[n++] = (struct pollfd){ .fd = listeners[i], .events = POLLIN };
    for (unsigned i = 0; i < n_lines; i++)
        at[n++] = (struct pollfd){ .fd = lines[i].client, .events = POLLIN };
    if (poll(at, n, n_lines ? HELD_MS : -1) < 0)
        die("poll");
    for (unsigned i = n_lines; i-- > 0;)
        if (at[n_ports + i].revents) {
            has_asked = true;
            if (!hand_on(lines[i].client, lines[i].server, &lines[i]))
                drop(i);
        }
    for (unsigned i = 0; i < n_ports; i++)
        if (at[i].revents) {
            has_asked = true;
            take(listeners[i], server, ports[i]);
        }
    for (unsigned i = n_lines; !has_asked && i-- > 0;) {
        struct pollfd one = { .fd = lines[i].server, .events = POLLIN };

        if (poll(&one, 1, 0) > 0 && !hand_on(lines[i].server, lines[i].client, NULL))
            drop(i);
    }
}

int main(int argc, char **argv)
{
    int listeners[PORTS_MOST];
    const unsigned n_ports = (unsigned)argc - 4;

    if (argc < 5 || n_ports > PORTS_MOST) {
        fprintf(stderr, "usage: rpc-count FILE ADDRESS SERVER PORT…\n");
        return 2;
    }
    counts = fopen(argv[1], "w");
    if (!counts)
        die(argv[1]);
    for (unsigned i = 0; i < n_ports; i++)
        listeners[i] = listen_at(argv[2], port_of(argv[4 + i]));
    say();
    for (;;)
        turn(listeners, argv + 4, n_ports, argv[3]);
}
