/* SPDX-License-Identifier: Apache-2.0
 * How long the planner needs for DOMAINS x HOSTS (10,000 x 20 unless given): each pair with two channels, one
 * disk shared and every third domain with a local one. Prints; fails where nothing could be chosen, since
 * plans that are all refused say nothing of those that are not. plan-scale [DOMAINS [HOSTS]] */
#include "facts/model.h"
#include "plan/brief.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)
enum { DISKS = 2, CHANNELS = 2, PLANS = 2000 };

struct guest {
    struct domain domain;
    struct disk disks[DISKS];
    struct dirty_window dirty;
    char name[24];
};
struct place {
    struct host host;
    struct channel channels[CHANNELS];
    char name[24], uuid[48];
};

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t below(uint64_t n)
{
    static uint64_t seed = 20261124;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static void disk_make(struct disk *d, const char *target, bool is_local)
{
    *d = (struct disk){ .target = target, .type = DISK_FILE, .source = "/srv/images/x.qcow2" };
    d->format = "qcow2";
    d->cache = "none";
    d->driver = "local-block";
    d->file_system = is_local ? "ext4" : "nfs";
    d->driver_shares = d->driver_creates = true;
    d->sharing = is_local ? SHARING_DENIED : SHARING_PROVED;
    d->at_dest = (struct disk_image){ .present = is_local ? TRI_NO : TRI_YES, .free_bytes = GiB(4000) };
    d->at_source = (struct disk_image){ .capacity_bytes = GiB(40),
                                        .free_bytes = NOT_KNOWN,
                                        .is_open = TRI_YES,
                                        .open_least_bytes = NOT_KNOWN,
                                        .open_most_bytes = NOT_KNOWN };
    d->at_source.allocated_bytes = GiB(1 + below(30));
}

static void guest_make(struct guest *g, const struct domain *blank, size_t i)
{
    const uint64_t writes = MiB(below(200)), memory = GiB(1 + below(32));

    (void)snprintf(g->name, sizeof g->name, "guest-%zu", i);
    g->domain = *blank;
    g->domain.name = g->name;
    g->domain.run = RUN_RUNNING;
    g->domain.memory_bytes = g->domain.memory_now_bytes = memory;
    g->domain.memory_rss_bytes = memory - memory / 4;
    g->dirty = (struct dirty_window){ 1000, writes / 2, writes, writes * 2 };
    g->domain.dirty = &g->dirty;
    g->domain.n_dirty = i % 4 != 0; /* one in four was not measured */
    disk_make(&g->disks[0], "vda", false);
    disk_make(&g->disks[1], "vdb", true);
    g->domain.disks = g->disks;
    g->domain.n_disks = 1 + (i % 3 == 0);
}

static void place_make(struct place *p, const struct host *blank, size_t i)
{
    static const char *const drivers[CHANNELS] = { "tcp", "tls" };

    (void)snprintf(p->name, sizeof p->name, "host-%zu", i);
    (void)snprintf(p->uuid, sizeof p->uuid, "bbbbbbbb-0000-0000-0000-%012zu", i);
    p->host = *blank;
    p->host.name = p->name;
    p->host.uuid = p->uuid;
    p->host.qemu_version = 7002000;
    p->host.link_bytes_per_s = 125000000u << below(4);
    p->host.memory_free_bytes = GiB(8 + below(64));
    for (int c = 0; c < CHANNELS; c++)
        p->channels[c] = (struct channel){ .driver = drivers[c],
                                           .data_uri = "tcp://10.0.0.2",
                                           .peer_address = "10.0.0.2",
                                           .was_probed = true,
                                           .is_trusted = true,
                                           .protects_control = (uint8_t)(2 * c),
                                           .protects_data = (uint8_t)(2 * c),
                                           .bytes_per_s = NOT_KNOWN,
                                           .latency_us = 200,
                                           .can_copy_disks = true,
                                           .can_postcopy = true,
                                           .data_port = NOT_KNOWN };
}

struct fleet {
    struct guest *guests;
    struct place *places;
    size_t n_guests, n_places;
    struct facts blank;
};

/* What a fleet does for each pair: the domain's facts, and one host's and its channels beside them. */
static struct facts pair_of(const struct fleet *f, size_t guest, size_t place)
{
    struct facts pair = f->blank;

    pair.domain = f->guests[guest].domain;
    pair.dest = f->places[place].host;
    pair.channels = f->places[place].channels;
    pair.n_channels = CHANNELS;
    return pair;
}

static bool fleet_make(struct fleet *f)
{
    OWNED(facts) blank = facts_new();

    f->guests = calloc(f->n_guests, sizeof *f->guests);
    f->places = calloc(f->n_places, sizeof *f->places);
    if (!blank || !f->guests || !f->places)
        return false;
    f->blank = *blank;
    f->blank.arena = NULL;
    f->blank.source.name = "source";
    f->blank.source.uuid = "aaaaaaaa-0000-0000-0000-000000000001";
    f->blank.source.is_local_socket = true;
    f->blank.source.qemu_version = 7002000;
    f->blank.source.link_bytes_per_s = 1250000000;
    for (size_t i = 0; i < f->n_guests; i++)
        guest_make(&f->guests[i], &blank->domain, i);
    for (size_t i = 0; i < f->n_places; i++)
        place_make(&f->places[i], &blank->dest, i);
    return true;
}

static const struct plan_limits limits = { .max_downtime_ms = NOT_KNOWN,
                                           .bandwidth_bytes_per_s = NOT_KNOWN,
                                           .deadline_ms = NOT_KNOWN };

static size_t measure_plans(const struct fleet *f)
{
    struct error err = { 0 };
    const double begun = seconds();
    size_t n = 0, n_valid = 0;

    for (; n < PLANS; n++) {
        const struct facts pair = pair_of(f, n % f->n_guests, n / f->n_guests % f->n_places);
        OWNED(plan) p = plan_make(&pair, &limits, &err);

        n_valid += p && plan_chosen(p);
    }
    printf("plan_make: %zu pairs, %zu with a choice, %.1f us each\n", n, n_valid,
           (seconds() - begun) / (double)n * 1e6);
    return n_valid;
}

static size_t measure_briefs(const struct fleet *f)
{
    OWNED(briefing) b = briefing_new(&limits);
    const size_t n = f->n_guests * f->n_places;
    struct brief *all = calloc(n, sizeof *all);
    struct error err = { 0 };
    size_t n_valid = 0, modes[MODE_OFFLINE + 1] = { 0 };
    const double begun = seconds();
    double took;

    if (!b || !all) {
        free(all);
        return 0;
    }
    for (size_t g = 0, i = 0; g < f->n_guests; g++)
        for (size_t h = 0; h < f->n_places; h++, i++) {
            const struct facts pair = pair_of(f, g, h);

            if (briefing_make(b, &pair, &all[i], &err) == 0 && all[i].channel) {
                n_valid++;
                modes[all[i].mode]++;
            }
        }
    took = seconds() - begun;
    printf("briefs: %zu domains x %zu hosts = %zu pairs in %.3f s, %.2f us each, %zu with a choice\n",
           f->n_guests, f->n_places, n, took, took / (double)n * 1e6, n_valid);
    for (int m = 0; m <= MODE_OFFLINE; m++)
        if (modes[m])
            printf("    %-10s %zu\n", memory_mode_word((enum memory_mode)m), modes[m]);
    printf("    kept: %zu bytes for each pair; heap in use %.1f MiB\n", sizeof *all,
           (double)mallinfo2().uordblks / 1048576 + (double)mallinfo2().hblkhd / 1048576);
    free(all);
    return n_valid;
}

int main(int argc, char **argv)
{
    struct fleet f = { .n_guests = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000,
                       .n_places = argc > 2 ? strtoul(argv[2], NULL, 10) : 20 };
    struct rusage used;
    bool has_choice;

    if (f.n_guests == 0 || f.n_places == 0 || !fleet_make(&f)) {
        (void)fprintf(stderr, "usage: plan-scale [DOMAINS [HOSTS]]\n");
        return EXIT_FAILURE;
    }
    has_choice = measure_plans(&f) > 0;
    has_choice = measure_briefs(&f) > 0 && has_choice;
    if (getrusage(RUSAGE_SELF, &used) == 0)
        printf("    largest resident set %.1f MiB\n", (double)used.ru_maxrss / 1024);
    free(f.guests);
    free(f.places);
    return has_choice ? EXIT_SUCCESS : EXIT_FAILURE;
}
