/* SPDX-License-Identifier: Apache-2.0
 * Counts the markers in all that passes an interface, until SIGTERM: capture INTERFACE FILE. FILE has "memory
 * N disks N bytes N". A marker that two frames share is not counted. */
#define _GNU_SOURCE
#include "marker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

static unsigned long count_in(const unsigned char *frame, size_t n, const unsigned char *marker)
{
    unsigned long found = 0;
    const unsigned char *at;

    while (n >= MARKER_BYTES && (at = memmem(frame, n, marker, MARKER_BYTES))) {
        found++;
        n -= (size_t)(at + MARKER_BYTES - frame);
        frame = at + MARKER_BYTES;
    }
    return found;
}

int main(int argc, char **argv)
{
    static unsigned char frame[1 << 18];
    unsigned char memory[MARKER_BYTES], disks[MARKER_BYTES];
    unsigned long in_memory = 0, on_disks = 0, bytes = 0;
    struct sockaddr_ll on = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
    struct sigaction sa = { .sa_handler = end };
    int room = 256 << 20;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    FILE *file;

    if (argc != 3) {
        fprintf(stderr, "usage: capture INTERFACE FILE\n");
        return 2;
    }
    on.sll_ifindex = (int)if_nametoindex(argv[1]);
    if (fd < 0 || !on.sll_ifindex || bind(fd, (struct sockaddr *)&on, sizeof on) < 0) {
        perror(argv[1]);
        return 1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    marker_make(1, memory);
    marker_make(2, disks);
    (void)sigaction(SIGTERM, &sa, NULL);
    puts("ready");
    fflush(stdout);
    while (!is_over) {
        ssize_t n = recv(fd, frame, sizeof frame, 0);

        if (n < 0 && errno != EINTR)
            break;
        if (n <= 0)
            continue;
        bytes += (unsigned long)n;
        in_memory += count_in(frame, (size_t)n, memory);
        on_disks += count_in(frame, (size_t)n, disks);
    }
    file = fopen(argv[2], "w");
    if (!file || fprintf(file, "memory %lu disks %lu bytes %lu\n", in_memory, on_disks, bytes) < 0 ||
        fclose(file) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
