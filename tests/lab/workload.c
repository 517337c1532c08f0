/* SPDX-License-Identifier: Apache-2.0
 * What runs inside a lab guest: a static program beside busybox in its initramfs.
 * tick: sleeps 1 ms for ever; dirty: changes memory at a rate; log: stamps a disk (see stamp.h); obey: ends
 * as it is told. */
#define _GNU_SOURCE
#include "marker.h"
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_ms(long ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

/* One write per line: lines of several processes must not mix. */
static void console_put(const char *line, int length)
{
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
}

/* Not only a clock: QEMU 7.2 under TCG loses guest memory in a migration unless the virtual CPU is
 * switched between processes, which this one sees to. The line shows at once when two guests run. */
static _Noreturn void tick(void)
{
    unsigned long seconds = 0;
    uint64_t next = now_ns(CLOCK_MONOTONIC);
    char line[64];

    for (;;) {
        if (now_ns(CLOCK_MONOTONIC) >= next) {
            console_put(line, snprintf(line, sizeof line, "tick %lu\n", seconds++));
            next += 1000000000u;
        }
        sleep_ms(1);
    }
}

/* Four bytes of a counter per page: a byte that wraps to its old value is invisible to QEMU's page
 * sampling. Owed pages are paid every 10 ms, so the rate holds though sleeping is imprecise. */
static int dirty(unsigned long mib, unsigned long mib_per_s)
{
    size_t pages = mib * 256, at = 0;
    uint64_t start, done = 0;
    uint32_t counter = 0;
    uint8_t *memory =
        mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED || !pages)
        return 1;
    for (size_t page = 0; page < pages; page++)
        marker_make(1, memory + page * 4096 + 1024);
    start = now_ns(CLOCK_MONOTONIC);
    for (;;) {
        uint64_t owed = (now_ns(CLOCK_MONOTONIC) - start) / 1000000u * mib_per_s * 256u / 1000u;

        /* After a pause the rate goes on, the debt of the pause is forgotten. */
        if (owed > done + mib_per_s * 256u / 10u)
            done = owed - mib_per_s * 256u / 100u;
        for (; done < owed; done++, at = (at + 1) % pages)
            *(volatile uint32_t *)(memory + at * 4096) = ++counter;
        sleep_ms(10);
    }
}

static int block_read(int fd, struct stamp *stamp, unsigned block)
{
    off_t offset = STAMP_RING_OFFSET + (off_t)block * STAMP_BLOCK_SIZE;

    return pread(fd, stamp, sizeof *stamp, offset) == (ssize_t)sizeof *stamp ? 0 : -1;
}

static int block_write(int fd, struct stamp *stamp, unsigned disk, uint64_t sequence)
{
    unsigned block = (unsigned)(sequence % STAMP_BLOCKS);
    off_t offset = STAMP_RING_OFFSET + (off_t)block * STAMP_BLOCK_SIZE;

    memcpy(stamp->magic, STAMP_MAGIC, sizeof stamp->magic);
    stamp->disk = disk;
    stamp->block = block;
    stamp->sequence = sequence;
    stamp->time_ns = now_ns(CLOCK_MONOTONIC) ^ now_ns(CLOCK_REALTIME) << 20;
    memset(stamp->filling, (int)(sequence & 0xff), sizeof stamp->filling);
    marker_make(2, stamp->filling + 1024);
    stamp->sum = stamp_sum(stamp);
    return pwrite(fd, stamp, sizeof *stamp, offset) == (ssize_t)sizeof *stamp ? 0 : -1;
}

static uint64_t ring_last(int fd, struct stamp *stamp, unsigned disk, uint64_t *seen)
{
    uint64_t last = 0;

    for (unsigned block = 0; block < STAMP_BLOCKS; block++) {
        if (block_read(fd, stamp, block) < 0 || !stamp_is_valid(stamp, disk, block))
            continue;
        seen[block] = stamp->sequence;
        if (stamp->sequence > last)
            last = stamp->sequence;
    }
    return last;
}

/* Each block is read before it is written anew: what was acknowledged once must still be there. That it
 * cannot be read at all is no loss: a kernel that reboots breaks its devices first. */
static int log_writes(const char *path, unsigned disk)
{
    static uint64_t seen[STAMP_BLOCKS];
    int fd = open(path, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
    struct stamp *stamp = aligned_alloc(STAMP_BLOCK_SIZE, sizeof *stamp);
    char line[96];
    uint64_t sequence;

    if (fd < 0 || !stamp) {
        console_put(line, snprintf(line, sizeof line, "cannot log to %s\n", path));
        return 1;
    }
    for (sequence = ring_last(fd, stamp, disk, seen) + 1;; sequence++) {
        unsigned block = (unsigned)(sequence % STAMP_BLOCKS);

        while (seen[block] && block_read(fd, stamp, block) < 0)
            sleep_ms(100);
        if (seen[block] && (!stamp_is_valid(stamp, disk, block) || stamp->sequence != seen[block]))
            console_put(line, snprintf(line, sizeof line, STAMP_LOST_FORMAT "\n", disk, block,
                                       (unsigned long long)seen[block]));
        while (block_write(fd, stamp, disk, sequence) < 0)
            sleep_ms(100);
        seen[block] = sequence;
        console_put(line, snprintf(line, sizeof line, STAMP_ACK_FORMAT "\n", disk, block,
                                   (unsigned long long)sequence, (unsigned long long)stamp->sum));
        sleep_ms(15);
    }
}

static void panic(void)
{
    int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "c", 1) != 1)
        console_put("cannot panic\n", 13);
}

/* What an operator would do inside: words that arrive on UDP port 7. The writes of the log are synchronous,
 * so nothing is flushed before. */
static int obey(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char word[16];

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return 1;
    for (;;) {
        ssize_t n = recv(fd, word, sizeof word - 1, 0);

        if (n < 0)
            continue;
        word[n] = '\0';
        if (!strcmp(word, "reboot"))
            reboot(RB_AUTOBOOT);
        if (!strcmp(word, "poweroff"))
            reboot(RB_POWER_OFF);
        if (!strcmp(word, "panic"))
            panic();
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "obey"))
        return obey();
    if (argc == 2 && !strcmp(argv[1], "tick"))
        tick();
    if (argc == 4 && !strcmp(argv[1], "dirty"))
        return dirty(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    if (argc == 4 && !strcmp(argv[1], "log"))
        return log_writes(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    fprintf(stderr, "usage: workload tick | obey | dirty MIB MIB_PER_S | log DEVICE NUMBER\n");
    return 2;
}
