/* SPDX-License-Identifier: Apache-2.0
 * Pings one guest without pause and remembers the longest time without a reply.
 * `run` is the daemon, `wait` and `gap` read what it keeps in a small mapped file. It uses replies
 * alone, so a lost request and a guest that stands still count the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct record {
    _Atomic uint64_t last_ns; /* when the last reply came; 0 before the first */
    _Atomic uint64_t gap_ns;  /* longest gap between two replies since it was last read */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct record *record_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct record *record;

    if (fd < 0 || ftruncate(fd, sizeof *record) < 0) {
        fprintf(stderr, "pinger: could not open '%s': %s\n", path, strerror(errno));
        exit(1);
    }
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (record == MAP_FAILED) {
        fprintf(stderr, "pinger: could not map '%s': %s\n", path, strerror(errno));
        exit(1);
    }
    close(fd);
    return record;
}

static uint16_t checksum(const void *data, size_t length)
{
    const uint8_t *byte = data;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)byte[i] << 8 | byte[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static void request_send(int fd, const struct sockaddr_in *guest, uint16_t id, uint16_t sequence)
{
    struct icmphdr request = { .type = ICMP_ECHO };

    request.un.echo.id = htons(id);
    request.un.echo.sequence = htons(sequence);
    request.checksum = checksum(&request, sizeof request);
    /* A cut link answers with errors here; it is the missing reply that counts. */
    sendto(fd, &request, sizeof request, 0, (const struct sockaddr *)guest, sizeof *guest);
}

static int reply_is_ours(int fd, const struct sockaddr_in *guest, uint16_t id)
{
    uint8_t packet[256];
    const struct iphdr *ip = (const void *)packet;
    const struct icmphdr *icmp;
    ssize_t length = recv(fd, packet, sizeof packet, MSG_DONTWAIT);

    if (length < (ssize_t)sizeof *ip || ip->saddr != guest->sin_addr.s_addr)
        return 0;
    if (length < (ssize_t)(ip->ihl * 4u + sizeof *icmp))
        return 0;
    icmp = (const void *)(packet + ip->ihl * 4u);
    return icmp->type == ICMP_ECHOREPLY && ntohs(icmp->un.echo.id) == id;
}

static void reply_note(struct record *record, uint64_t now)
{
    uint64_t last = atomic_exchange(&record->last_ns, now);
    uint64_t gap = last ? now - last : 0;
    uint64_t longest = atomic_load(&record->gap_ns);

    while (gap > longest && !atomic_compare_exchange_weak(&record->gap_ns, &longest, gap))
        continue;
}

static int run(const char *address, const char *path, unsigned interval_ms)
{
    struct sockaddr_in guest = { .sin_family = AF_INET };
    struct record *record = record_map(path);
    uint16_t id = (uint16_t)getpid(), sequence = 0;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    uint64_t next = now_ns();

    if (fd < 0 || inet_pton(AF_INET, address, &guest.sin_addr) != 1 || !interval_ms) {
        fprintf(stderr, "pinger: cannot ping '%s'\n", address);
        return 1;
    }
    for (;;) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        uint64_t now = now_ns();

        if (now >= next) {
            request_send(fd, &guest, id, sequence++);
            next = now + interval_ms * 1000000ull;
        }
        if (poll(&ready, 1, (int)((next - now) / 1000000u) + 1) > 0 && reply_is_ours(fd, &guest, id))
            reply_note(record, now_ns());
    }
}

static int wait_for_reply(const char *path, unsigned seconds)
{
    struct record *record = record_map(path);
    uint64_t end = now_ns() + seconds * 1000000000ull;

    while (!atomic_load(&record->last_ns)) {
        if (now_ns() > end)
            return 1;
        usleep(10000);
    }
    return 0;
}

static int gap(const char *path)
{
    struct record *record = record_map(path);
    uint64_t longest = atomic_exchange(&record->gap_ns, 0);
    uint64_t last = atomic_load(&record->last_ns), now = now_ns();

    if (!last) {
        fprintf(stderr, "pinger: the guest has not answered yet\n");
        return 1;
    }
    /* A silence that lasts still counts with what it has reached. */
    if (now - last > longest)
        longest = now - last;
    printf("%llu\n", (unsigned long long)(longest / 1000000u));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "run"))
        return run(argv[2], argv[3], (unsigned)atoi(argv[4]));
    if (argc == 4 && !strcmp(argv[1], "wait"))
        return wait_for_reply(argv[2], (unsigned)atoi(argv[3]));
    if (argc == 3 && !strcmp(argv[1], "gap"))
        return gap(argv[2]);
    fprintf(stderr, "usage: pinger run ADDRESS FILE INTERVAL_MS | wait FILE SECONDS | gap FILE\n");
    return 2;
}
