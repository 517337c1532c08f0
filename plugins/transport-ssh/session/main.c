/* SPDX-License-Identifier: Apache-2.0
 * A command over the connection of an ssh that is a master, asked for as OpenSSH's PROTOCOL.mux has it
 * (version 4, since OpenSSH 5.4). ssh -S does that too, and takes 10 ms of a processor before it asks. Where
 * anything is not as it should be before the command has begun, ssh itself is run, which says what is wrong.
 */
#include "../../common/pass-fd.h"
#include "../session.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO 0x00000001u
#define NEW_SESSION 0x10000002u
#define SESSION_OPENED 0x80000006u
#define PERMISSION_DENIED 0x80000002u
#define FAILURE 0x80000003u
#define EXIT_MESSAGE 0x80000004u
#define VERSION 4u
#define NO_ESCAPE UINT32_MAX
#define OUR_REQUEST 1u
#define LOST 255 /* as ssh ends when the connection does */
#define NO_PROGRAM 127

/* The length that stands before it is not counted. */
struct packet {
    unsigned char bytes[8192];
    size_t n, at;
};

static bool write_all(int fd, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t n)
{
    unsigned char *at = bytes;

    while (n > 0) {
        ssize_t got = recv(fd, at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void put_number(struct packet *p, uint32_t number)
{
    const uint32_t wire = htonl(number);

    memcpy(p->bytes + p->n, &wire, sizeof wire);
    p->n += sizeof wire;
}

static void put_text(struct packet *p, const char *text)
{
    const size_t n = strlen(text);

    put_number(p, (uint32_t)n);
    memcpy(p->bytes + p->n, text, n);
    p->n += n;
}

static bool send_packet(int fd, const struct packet *p)
{
    const uint32_t length = htonl((uint32_t)p->n);

    return write_all(fd, &length, sizeof length) && write_all(fd, p->bytes, p->n);
}

static bool read_packet(int fd, struct packet *ret)
{
    uint32_t length;

    ret->n = ret->at = 0;
    if (!read_all(fd, &length, sizeof length) || ntohl(length) > sizeof ret->bytes ||
        !read_all(fd, ret->bytes, ntohl(length)))
        return false;
    ret->n = ntohl(length);
    return true;
}

static bool take_number(struct packet *p, uint32_t *ret)
{
    uint32_t wire;

    if (p->n - p->at < sizeof wire)
        return false;
    memcpy(&wire, p->bytes + p->at, sizeof wire);
    p->at += sizeof wire;
    *ret = ntohl(wire);
    return true;
}

static bool take_this(struct packet *p, uint32_t number)
{
    uint32_t got;

    return take_number(p, &got) && got == number;
}

static int connect_to(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path));
    return connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

static bool greet(int fd)
{
    struct packet p = { .n = 0 };

    put_number(&p, HELLO);
    put_number(&p, VERSION);
    return send_packet(fd, &p) && read_packet(fd, &p) && take_this(&p, HELLO) && take_this(&p, VERSION);
}

enum begun { BEGUN, NOT_BEGUN, NOT_KNOWN };

/* No terminal, no X11, no agent, no subsystem and no variables; our three ends are the command's. */
static enum begun ask_for(int fd, const char *command, uint32_t *ret_session)
{
    struct packet p = { .n = 0 };
    uint32_t answer;

    if (strlen(command) + 64 > sizeof p.bytes)
        return NOT_BEGUN;
    put_number(&p, NEW_SESSION);
    put_number(&p, OUR_REQUEST);
    put_text(&p, "");
    for (int i = 0; i < 4; i++)
        put_number(&p, 0);
    put_number(&p, NO_ESCAPE);
    put_text(&p, "");
    put_text(&p, command);
    if (!send_packet(fd, &p) || !pass_fd(STDIN_FILENO, fd) || !pass_fd(STDOUT_FILENO, fd) ||
        !pass_fd(STDERR_FILENO, fd))
        return NOT_BEGUN;
    if (!read_packet(fd, &p) || !take_number(&p, &answer) || !take_this(&p, OUR_REQUEST))
        return NOT_KNOWN;
    if (answer == SESSION_OPENED && take_number(&p, ret_session))
        return BEGUN;
    return answer == PERMISSION_DENIED || answer == FAILURE ? NOT_BEGUN : NOT_KNOWN;
}

static int lost(void)
{
    (void)fprintf(stderr, SESSION_PROGRAM ": the connection to ssh was closed\n");
    return LOST;
}

/* The end of the connection is the end of all output; the code comes before. */
static int wait_for(int fd, uint32_t session)
{
    struct packet p;
    uint32_t code = 0;
    bool is_told = false;

    while (read_packet(fd, &p))
        if (take_this(&p, EXIT_MESSAGE) && take_this(&p, session) && take_number(&p, &code))
            is_told = true;
    return is_told ? (int)(code & 0xff) : lost();
}

int main(int argc, char **argv)
{
    enum begun begun = NOT_BEGUN;
    uint32_t session;
    int fd;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: " SESSION_PROGRAM " CONTROL ssh ARGUMENT... COMMAND\n");
        return 2;
    }
    fd = connect_to(argv[1]);
    if (fd >= 0 && greet(fd))
        begun = ask_for(fd, argv[argc - 1], &session);
    if (begun != NOT_BEGUN)
        return begun == BEGUN ? wait_for(fd, session) : lost();
    if (fd >= 0)
        (void)close(fd);
    (void)execvp(argv[2], argv + 2);
    (void)fprintf(stderr, SESSION_PROGRAM ": %s: %s\n", argv[2], strerror(errno));
    return NO_PROGRAM;
}
