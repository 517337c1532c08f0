/* SPDX-License-Identifier: Apache-2.0
 * Calls a fuzz target with every file as it is and then with wounded copies, from a fixed seed: the same
 * inputs on every machine. For compilers without libFuzzer; `NAME -n COUNT | -s SECONDS FILE...`. An input
 * that ends the program, or takes longer than 20 s of processor time, is left in crash-NAME beside the
 * program. */
#include "fuzz.h"
#include <ctype.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_SECONDS = 20, FILES_MOST = 512, SPLICE_MOST = 4096 };

struct bytes {
    char *s;
    size_t n;
};
static struct bytes files[FILES_MOST];
static size_t n_files;
static char crash_path[4096];
static char hand[FUZZ_MOST + SPLICE_MOST];
static size_t n_hand;
static uint64_t seed = 20261124;

static uint64_t below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* Called from signal handlers too. */
static void keep_input(void)
{
    FILE *file = fopen(crash_path, "w");

    if (file) {
        (void)fwrite(hand, 1, n_hand, file);
        (void)fclose(file);
        (void)fprintf(stderr, "the input is kept in '%s'\n", crash_path);
    }
}

static void on_signal(int n)
{
    (void)fprintf(stderr, n == SIGPROF ? "too slow\n" : "ended\n");
    keep_input();
    _exit(3);
}

static const char *const splices[] = {
    "<",          ">",
    "&",          "'",
    "\"",         "/>",
    "<!--",       "]]>",
    "&#0;",       "<!DOCTYPE d [",
    "<disk>",     "</disk>",
    "unit='E'",   "<backingStore type='file'>",
    "[",          "{",
    "}",          "]",
    "null",       "\\u0000",
    "1e400",      "NaN",
    "true",       "\"proved\"",
    "\"denied\"", "\xe2\x80\xae",
    "\xff\xfe",   "\"paused\"",
    "\"no\"",     "\"yes\"",
};
static const char *const figures[] = {
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "0.5",
    "13194139533312" /* 12 TiB */,
    "4294967296",
    "65536",
    "255",
};
#define ONE_OF(list) ((list)[below(sizeof(list) / sizeof(list)[0])])

/* Puts s over the length bytes at at. */
static void replace(size_t at, size_t length, const char *s, size_t n)
{
    if (n_hand - length + n > FUZZ_MOST)
        return;
    memmove(hand + at + n, hand + at + length, n_hand - at - length);
    memcpy(hand + at, s, n);
    n_hand = n_hand - length + n;
}

/* The next number behind a place becomes an absurd one: that leaves the rest readable. */
static void wound_number(size_t at)
{
    size_t end;

    while (at < n_hand && !isdigit((unsigned char)hand[at]))
        at++;
    for (end = at; end < n_hand && isdigit((unsigned char)hand[end]);)
        end++;
    if (end > at) {
        const char *figure = ONE_OF(figures);

        replace(at, end - at, figure, strlen(figure));
    }
}

static void wound(void)
{
    static char piece[SPLICE_MOST];
    const size_t at = below(n_hand), left = n_hand - at;
    size_t length = 1 + below(left < 64 ? left : 64);
    const char *splice = ONE_OF(splices);

    switch (below(8)) {
    case 0:
        hand[at] = (char)(hand[at] ^ (1 << below(8)));
        break;
    case 1:
        n_hand = below(8) == 0 && at > 0 ? at : n_hand;
        break;
    case 2:
        replace(at, length, "", 0);
        break;
    case 3:
        replace(at, below(2) ? length : 0, splice, strlen(splice));
        break;
    case 4: /* a longer piece, once more, somewhere else */
        length = 1 + below(left < SPLICE_MOST ? left : SPLICE_MOST);
        memcpy(piece, hand + at, length);
        replace(below(n_hand), 0, piece, length);
        break;
    default:
        wound_number(at);
    }
}

static void run(void)
{
    /* On the heap and of just its size, so that a sanitizer sees a read behind the end. */
    uint8_t *input = malloc(n_hand ? n_hand : 1);

    PROMISE(input != NULL);
    memcpy(input, hand, n_hand);
    (void)setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = INPUT_SECONDS }, NULL);
    (void)LLVMFuzzerTestOneInput(input, n_hand);
    free(input);
}

static void take(const struct bytes *b)
{
    memcpy(hand, b->s, b->n);
    n_hand = b->n;
}

static int file_read(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "r");
    struct bytes *b = &files[n_files];

    if (!file || n_files == FILES_MOST || fstat(fileno(file), &st) < 0 || st.st_size > FUZZ_MOST) {
        (void)fprintf(stderr, "cannot take '%s'\n", path);
        return -1;
    }
    b->s = malloc((size_t)st.st_size + 1);
    PROMISE(b->s != NULL);
    b->n = fread(b->s, 1, (size_t)st.st_size, file);
    (void)fclose(file);
    n_files += b->n > 0;
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count = UINT64_MAX, n = 0;
    time_t until = 0;

    if (argc < 4 || (strcmp(argv[1], "-n") != 0 && strcmp(argv[1], "-s") != 0)) {
        (void)fprintf(stderr, "usage: %s -n COUNT | -s SECONDS FILE...\n", argv[0]);
        return 2;
    }
    if (strcmp(argv[1], "-n") == 0)
        count = strtoull(argv[2], NULL, 10);
    else
        until = time(NULL) + strtol(argv[2], NULL, 10);
    (void)snprintf(crash_path, sizeof crash_path, "%s.crash", argv[0]);
    for (int i = 3; i < argc; i++)
        if (file_read(argv[i]) < 0)
            return 2;
    __sanitizer_set_death_callback(keep_input);
    (void)signal(SIGPROF, on_signal);
    (void)signal(SIGABRT, on_signal);
    for (size_t i = 0; i < n_files; i++) {
        take(&files[i]);
        run();
    }
    for (; n < count && (!until || time(NULL) < until); n++) {
        take(&files[below(n_files)]);
        for (uint64_t wounds = 1 + below(6); wounds > 0 && n_hand > 2; wounds--)
            wound();
        run();
    }
    printf("%zu files, %llu wounded copies\n", n_files, (unsigned long long)n);
    return 0;
}
