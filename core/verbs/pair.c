/* SPDX-License-Identifier: Apache-2.0
 * One script tells mounts and clock, wherever commands can be run. That a command takes its time is counted:
 * of two clocks only what is certain is called a difference. */
#include "verbs/pair.h"

#include "base/text.h"
#include "verbs/command.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 1500u
#define MOST_MACHINES 512u
#define MOST_MOUNTS 256u

/* No single quotes and no exclamation mark may stand in it. The clock first, before anything takes time.
 * printf, since the echo of some shells undoes the kernel's \\ooo. */
static const char script[] =
    "echo clock $(date +%s%3N); while read -r s t y rest; do case $y in "
    "nfs|nfs4|ceph|cifs|smb3|lustre|fuse.glusterfs|fuse.moosefs) printf \"mount %s %s %s\\n\" \"$y\" \"$s\" "
    "\"$t\";; esac; "
    "done </proc/self/mounts; echo end";

/* The kernel writes blanks and backslashes of a path as \ooo. */
static const char *plain_path(struct arena *a, const char *escaped)
{
    char *path = arena_text(a, escaped);
    char *to = path;

    for (const char *at = escaped; path && *at; at++) {
        char digits[4] = "";
        unsigned long code;

        memcpy(digits, at + 1, strnlen(at + 1, 3));
        code = strspn(digits, "01234567") == 3 ? strtoul(digits, NULL, 8) : 0;

        if (*at == '\\' && code > 0 && code < 128) {
            *to++ = (char)code;
            at += 3;
        } else {
            *to++ = *at;
        }
    }
    if (path)
        *to = '\0';
    return path;
}

static bool add_mount(struct arena *a, struct host *h, const char *type, const char *source,
                      const char *target)
{
    struct mount *grown =
        h->n_mounts < MOST_MOUNTS ? arena_grown(a, h->mounts, h->n_mounts, sizeof *grown) : NULL;

    if (!grown)
        return false;
    h->mounts = grown;
    grown[h->n_mounts++] = (struct mount){ .source = plain_path(a, source),
                                           .target = plain_path(a, target),
                                           .type = arena_text(a, type) };
    return true;
}

void pair_read(const char *said, struct arena *a, struct host *h, uint64_t *ret_clock_ms)
{
    struct host read = *h;
    char type[32], source[1024], target[1024];
    unsigned long long clock_ms = 0;
    bool is_whole = false, has_all = true;

    *ret_clock_ms = NOT_KNOWN;
    for (const char *at = said; *at;) {
        const size_t n = strcspn(at, "\n");
        char line[2200];
        int taken = 0;

        (void)snprintf(line, sizeof line, "%.*s", (int)n, at);
        is_whole = text_equal(line, "end");
        /* One that was cut is not a mount, nor is the list whole. */
        if (text_starts(line, "mount "))
            has_all &= n < sizeof line &&
                       sscanf(line, "mount %31s %1023s %1023s%n", type, source, target, &taken) == 3 &&
                       (size_t)taken == n && add_mount(a, &read, type, source, target);
        else
            clock_ms = text_starts(line, "clock ") ? strtoull(line + strlen("clock "), NULL, 10) : clock_ms;
        at += n + (at[n] == '\n');
    }
    if (!is_whole)
        return;
    /* A date that knows no %3N says so, and is no figure. */
    if (clock_ms > 1000000000000u)
        *ret_clock_ms = clock_ms;
    read.has_mount_list = has_all ? TRI_YES : TRI_NO;
    *h = read;
}

static int64_t wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static json_t *ask_machine(struct child *c, struct arena *a, struct host *h)
{
    const int64_t before = wall_ms();
    struct error ignored = { 0 };
    OWNED_MEMORY char *output = command_script(c, script, NULL, PATIENCE_MS, &ignored);
    uint64_t clock_ms;
    int64_t after;

    if (!output)
        return NULL;
    after = wall_ms();
    pair_read(output, a, h, &clock_ms);
    if (clock_ms == NOT_KNOWN || after < before)
        return NULL;
    return json_pack("{sI sI}", "offset_ms", (json_int_t)((int64_t)clock_ms - (before + after) / 2),
                     "spread_ms", (json_int_t)((after - before + 1) / 2));
}

/* ---- machine types ---- */

struct machines {
    struct arena *arena;
    struct finding_refs *to;
};

static bool add_machine(void *context, const char *name)
{
    struct machines *m = context;
    const char **grown;

    for (size_t i = 0; i < m->to->n; i++)
        if (text_equal(m->to->names[i], name))
            return true;
    grown = m->to->n < MOST_MACHINES && strlen(name) < 256
                ? arena_grown(m->arena, m->to->names, m->to->n, sizeof *grown)
                : NULL;
    if (!grown)
        return false;
    m->to->names = grown;
    grown[m->to->n++] = arena_text(m->arena, name);
    return true;
}

void pair_of_host(struct child *c, struct xml *capabilities, struct arena *a, struct host *h,
                  json_t **ret_clock)
{
    xml_each(capabilities,
             "/capabilities/guest/arch[@name=/capabilities/host/cpu/arch]/machine[not(@canonical)]",
             add_machine, &(struct machines){ a, &h->machines });
    *ret_clock = ask_machine(c, a, h);
}

uint64_t pair_clocks_apart_ms(const json_t *one, const json_t *other)
{
    const double apart = json_number(one, "offset_ms", 0) - json_number(other, "offset_ms", 0);
    const double spread = json_number(one, "spread_ms", 0) + json_number(other, "spread_ms", 0);
    const double least = (apart < 0 ? -apart : apart) - spread;

    if (!one || !other)
        return NOT_KNOWN;
    return least > 0 && least < 1e15 ? (uint64_t)least : 0;
}
