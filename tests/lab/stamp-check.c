/* SPDX-License-Identifier: Apache-2.0
 * Compares what a guest reported as written with what its disks hold:
 * `stamp-check NAME CONSOLE… -- DISK=RING…`, where RING holds the first bytes of that disk.
 * Says what is missing, by disk and block; a guest that ran twice shows as one sequence with two sums. */
#include "stamp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct ack {
    unsigned disk, block;
    uint64_t sequence, sum;
};

struct acks {
    struct ack *list;
    size_t count, room;
    unsigned long lost;  /* the guest itself read something else than it had written */
    unsigned long wrong; /* missing on the disk, or acknowledged twice with different contents */
};

static void acks_add(struct acks *acks, const struct ack *ack)
{
    if (acks->count == acks->room) {
        acks->room = acks->room ? acks->room * 2 : 4096;
        acks->list = realloc(acks->list, acks->room * sizeof *acks->list);
        if (!acks->list)
            abort();
    }
    acks->list[acks->count++] = *ack;
}

static int ack_parse(const char *text, struct ack *ack)
{
    unsigned long long sequence, sum;
    char again[64];

    if (sscanf(text, "ack %2x %4x %12llx %16llx.", &ack->disk, &ack->block, &sequence, &sum) != 4)
        return 0;
    ack->sequence = sequence;
    ack->sum = sum;
    /* Written again it must be the same text: that refuses every line which lost a part. */
    snprintf(again, sizeof again, STAMP_ACK_FORMAT, ack->disk, ack->block, sequence, sum);
    return !strncmp(text, again, strlen(again)) && ack->block < STAMP_BLOCKS;
}

static void console_read(struct acks *acks, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[1024];

    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        unsigned disk, block;
        unsigned long long sequence;
        const char *at = line;
        struct ack ack;

        while ((at = strstr(at, "ack "))) {
            if (ack_parse(at, &ack))
                acks_add(acks, &ack);
            at++;
        }
        at = strstr(line, "lost ");
        if (at && sscanf(at, "lost %2x %4x %12llx.", &disk, &block, &sequence) == 3) {
            printf("vd%c block %u: the guest could not read back its write %llu\n", 'a' + (int)disk, block,
                   sequence);
            acks->lost++;
        }
    }
    fclose(file);
}

static int ack_compare(const void *left, const void *right)
{
    const struct ack *a = left, *b = right;

    if (a->disk != b->disk)
        return a->disk < b->disk ? -1 : 1;
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void twins_find(struct acks *acks)
{
    for (size_t i = 1; i < acks->count; i++) {
        const struct ack *a = &acks->list[i - 1], *b = &acks->list[i];

        if (a->disk != b->disk || a->sequence != b->sequence || a->sum == b->sum)
            continue;
        if (acks->wrong++ < 10)
            printf("vd%c block %u: write %llu was acknowledged twice with different contents\n",
                   'a' + (int)a->disk, a->block, (unsigned long long)a->sequence);
    }
}

/* Of each block the last acknowledged write counts: those before it were overwritten on purpose. */
static void ring_compare(struct acks *acks, unsigned disk, FILE *ring)
{
    for (size_t i = 0; i < acks->count; i++) {
        const struct ack *ack = &acks->list[i];
        struct stamp stamp = { .sequence = 0 };

        if (ack->disk != disk)
            continue;
        if (i + 1 < acks->count && ack[1].disk == disk && ack[1].block == ack->block)
            continue;
        if (!ring || fseek(ring, STAMP_RING_OFFSET + (long)(ack->block * STAMP_BLOCK_SIZE), SEEK_SET) ||
            fread(&stamp, sizeof stamp, 1, ring) != 1 || !stamp_is_valid(&stamp, disk, ack->block))
            stamp.sequence = 0;
        if (stamp.sequence > ack->sequence || (stamp.sequence == ack->sequence && stamp.sum == ack->sum))
            continue;
        if (acks->wrong++ < 10)
            printf("vd%c block %u: write %llu was acknowledged, the disk holds %llu\n", 'a' + (int)disk,
                   ack->block, (unsigned long long)ack->sequence, (unsigned long long)stamp.sequence);
    }
}

static void rings_compare(struct acks *acks, char **rings, int count)
{
    for (unsigned disk = 0; disk < 26; disk++) {
        FILE *ring = NULL;

        for (int i = 0; i < count; i++) {
            char *name = strchr(rings[i], '=');

            if (name && strtoul(rings[i], NULL, 10) == disk)
                ring = fopen(name + 1, "r");
        }
        ring_compare(acks, disk, ring);
        if (ring)
            fclose(ring);
    }
}

int main(int argc, char **argv)
{
    struct acks acks = { .count = 0 };
    int at = 2;

    if (argc < 4) {
        fprintf(stderr, "usage: stamp-check NAME CONSOLE… -- DISK=RING…\n");
        return 2;
    }
    for (; at < argc && strcmp(argv[at], "--"); at++)
        console_read(&acks, argv[at]);
    if (!acks.count) {
        printf("verify %s: no acknowledged writes\n", argv[1]);
        return 1;
    }
    qsort(acks.list, acks.count, sizeof *acks.list, ack_compare);
    twins_find(&acks);
    rings_compare(&acks, argv + at + 1, argc - at - 1);
    if (acks.wrong + acks.lost)
        printf("verify %s: %zu acknowledged writes, %lu missing\n", argv[1], acks.count,
               acks.wrong + acks.lost);
    else
        printf("verify %s: %zu acknowledged writes, all present\n", argv[1], acks.count);
    free(acks.list);
    return acks.wrong + acks.lost ? 1 : 0;
}
