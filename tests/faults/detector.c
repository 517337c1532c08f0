/* SPDX-License-Identifier: Apache-2.0
 * Watches all through a run whether a guest runs twice: `detector GUEST HOST=PID… [-- CONSOLE…]`, PID being a
 * process in that host's network namespace. Reads the scheduler's counters of each QEMU's virtual CPUs, and
 * how far each console grew, 20 times a second until SIGTERM; then says who ran when. Exit 1: two ran at
 * once, or one ran again after another. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_MS 50
#define LOOK_EVERY 4 /* samples between two looks for new QEMUs: one is there long before it may run */
#define LEAST_RUN_NS 200000u /* in a period: below is what a suspended one does for its monitor */
#define LEAST_PERIODS                                                                                        \
    3 /* one after the other, until a QEMU counts as one that has run: its start alone is as busy for one.   \
         What runs for less is seen by its console, where any growth counts. */
#define LEAST_TURNS 4u /* times on a CPU in a period: the guest's clock wakes it every millisecond */
#define MOST_HOSTS 9
#define MOST_WATCHED 64
#define MOST_SAID 20

struct host {
    const char *name;
    ino_t namespace;
};

/* What may be seen to run: a QEMU, or a console to be seen to grow. */
struct watched {
    char name[300];
    pid_t pid; /* 0: a console */
    const char *console;
    uint64_t count, turns;
    double read_begin, read_end; /* of the last reading: it was made between these moments */
    bool is_read, is_gone;
    double ran_first, ran_last; /* bounds: had run by the first, ran after the last; 0 = never */
    double begun_at;            /* the end of the first of the periods without a pause */
    unsigned in_a_row;
    unsigned long ran_periods;
};

static struct host hosts[MOST_HOSTS];
static struct watched watched[MOST_WATCHED];
static int n_hosts, n_watched;
static const char *guest;
static double began, longest_gap;
static unsigned long samples, violations;
static volatile sig_atomic_t is_over;

static void end(int signal_number)
{
    (void)signal_number;
    is_over = 1;
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9 - began;
}

static ino_t namespace_of(const char *pid)
{
    char path[300];
    struct stat st;

    (void)snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static ssize_t read_file(const char *path, char *to, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return -1;
    n = fread(to, 1, size - 1, f);
    to[n] = '\0';
    (void)fclose(f);
    return (ssize_t)n;
}

static bool is_of_guest(const char *pid)
{
    static char line[65536];
    char path[300], wanted[280];
    ssize_t n;

    (void)snprintf(path, sizeof path, "/proc/%s/comm", pid);
    if (read_file(path, line, sizeof line) < 0 || strncmp(line, "qemu-system", 11) != 0)
        return false;
    (void)snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    (void)snprintf(wanted, sizeof wanted, "guest=%s,", guest);
    n = read_file(path, line, sizeof line);
    return n > 0 && memmem(line, (size_t)n, wanted, strlen(wanted)) != NULL;
}

static struct watched *add(void)
{
    if (n_watched == MOST_WATCHED) {
        (void)fprintf(stderr, "detector: more than %d to watch\n", MOST_WATCHED);
        exit(2);
    }
    return &watched[n_watched++];
}

static bool is_known(pid_t pid)
{
    for (int i = 0; i < n_watched; i++)
        if (watched[i].pid == pid && !watched[i].is_gone)
            return true;
    return false;
}

static void look_for_qemus(void)
{
    DIR *d = opendir("/proc");
    struct dirent *e;

    while (d && (e = readdir(d))) {
        const char *name = e->d_name;
        ino_t namespace;

        if (*name < '0' || *name > '9' || is_known(atoi(name)) || !is_of_guest(name))
            continue;
        namespace = namespace_of(name);
        for (int i = 0; i < n_hosts; i++) {
            struct watched *w;

            if (hosts[i].namespace != namespace)
                continue;
            w = add();
            w->pid = atoi(name);
            (void)snprintf(w->name, sizeof w->name, "QEMU %d on %s", w->pid, hosts[i].name);
        }
    }
    if (d)
        (void)closedir(d);
}

/* Time on a CPU and times put on one, summed over the virtual CPUs. */
static bool read_qemu(pid_t pid, uint64_t *ns, uint64_t *turns)
{
    char path[300], text[200];
    bool found = false;
    struct dirent *e;
    DIR *d;

    (void)snprintf(path, sizeof path, "/proc/%d/task", pid);
    *ns = *turns = 0;
    d = opendir(path);
    while (d && (e = readdir(d))) {
        unsigned long long time_ns = 0, times = 0;

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/comm", pid, e->d_name);
        if (read_file(path, text, sizeof text) < 0 || strncmp(text, "CPU ", 4) != 0)
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, e->d_name);
        if (read_file(path, text, sizeof text) < 0 || sscanf(text, "%llu %*u %llu", &time_ns, &times) != 2)
            continue;
        *ns += time_ns;
        *turns += times;
        found = true;
    }
    if (d)
        (void)closedir(d);
    return found;
}

static bool read_one(const struct watched *w, uint64_t *count, uint64_t *turns)
{
    struct stat st;

    if (w->pid)
        return read_qemu(w->pid, count, turns);
    *turns = 0;
    *count = stat(w->console, &st) == 0 ? (uint64_t)st.st_size : 0;
    return true;
}

static bool has_run(const struct watched *w, uint64_t count, uint64_t turns)
{
    if (!w->pid)
        return count > w->count;
    return count >= w->count + LEAST_RUN_NS && turns >= w->turns + LEAST_TURNS;
}

/* w ran at some moment after `from` and before `to`. If another one had begun later than w and had run by
 * `from`, then w has run again: at once with it, or after it. Neither may be. */
static void check(const struct watched *w, double from, double to)
{
    for (int i = 0; i < n_watched; i++) {
        const struct watched *o = &watched[i];

        if (o == w || !o->pid != !w->pid || o->ran_first == 0 || w->ran_first == 0 ||
            o->ran_first <= w->ran_first || o->ran_first > from)
            continue;
        if (violations++ < MOST_SAID)
            printf("VIOLATION %s ran between %.3f and %.3f s, and %s had run by %.3f s, last after %.3f s\n",
                   w->name, from, to, o->name, o->ran_first, o->ran_last);
    }
}

static void note_run(struct watched *w, double from, double to)
{
    if (w->in_a_row++ == 0)
        w->begun_at = to;
    /* Its end alone is as busy for a moment, too. */
    if (!w->pid || w->in_a_row >= LEAST_PERIODS) {
        check(w, from, to);
        if (w->ran_first == 0)
            w->ran_first = w->begun_at;
    }
    w->ran_last = from;
    w->ran_periods++;
}

static void sample_one(struct watched *w)
{
    uint64_t count, turns;
    double begin = now(), ended;
    bool is_there = read_one(w, &count, &turns);

    ended = now();
    if (!is_there) {
        /* A QEMU that has just begun has no virtual CPU yet. */
        w->is_gone = kill(w->pid, 0) < 0;
        return;
    }
    if (w->is_read && has_run(w, count, turns))
        note_run(w, w->read_begin, ended);
    else
        w->in_a_row = 0;
    w->is_read = true;
    w->count = count;
    w->turns = turns;
    w->read_begin = begin;
    w->read_end = ended;
}

static void report(void)
{
    printf("detector: %lu samples in %.1f s, the longest gap %.0f ms\n", samples, now(), longest_gap * 1000);
    for (int i = 0; i < n_watched; i++) {
        const struct watched *w = &watched[i];

        if (w->ran_first == 0)
            printf("%s: never ran\n", w->name);
        else
            printf("%s: ran from %.3f to %.3f s, in %lu periods\n", w->name, w->ran_first, w->ran_last,
                   w->ran_periods);
    }
    printf(violations ? "TWICE: %lu sightings\n" : "once: %lu sightings of two\n", violations);
}

static void parse(int argc, char **argv)
{
    int i = 2;

    guest = argv[1];
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *pid = strchr(argv[i], '=');

        if (!pid || n_hosts == MOST_HOSTS || !namespace_of(pid + 1)) {
            (void)fprintf(stderr, "detector: no host '%s'\n", argv[i]);
            exit(2);
        }
        *pid = '\0';
        hosts[n_hosts++] = (struct host){ argv[i], namespace_of(pid + 1) };
    }
    for (i++; i < argc; i++) {
        struct watched *w = add();

        w->console = argv[i];
        (void)snprintf(w->name, sizeof w->name, "console %s", argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct sigaction act = { .sa_handler = end };
    double last;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: detector GUEST HOST=PID… [-- CONSOLE…]\n");
        return 2;
    }
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGINT, &act, NULL);
    began = now();
    parse(argc, argv);
    last = now();
    while (!is_over) {
        struct timespec period = { .tv_nsec = PERIOD_MS * 1000000 };
        double at = now();

        if (samples++ % LOOK_EVERY == 0)
            look_for_qemus();
        for (int i = 0; i < n_watched; i++)
            if (!watched[i].is_gone)
                sample_one(&watched[i]);
        if (at - last > longest_gap)
            longest_gap = at - last;
        last = at;
        (void)nanosleep(&period, NULL);
    }
    report();
    return violations ? 1 : 0;
}
