/* SPDX-License-Identifier: Apache-2.0
 * Which worlds were reached, from where and by what, and which of them break a rule. */
#ifndef UNIT_RUN_MODEL_SEARCH_H
#define UNIT_RUN_MODEL_SEARCH_H

#include "model.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum rule {
    TWO_RUN,         /* two vCPUs at once */
    SOURCE_AFTER,    /* the source runs though the destination has run */
    DEST_AFTER,      /* the destination runs though the source ran on */
    LAST_COPY,       /* a recovery ended the last copy, or one that had run */
    NOT_OURS,        /* somebody started what was paused before, or what others had stopped */
    LIED,            /* it is said to be gone, or to run twice, and is not */
    NOT_SETTLED,     /* all is well again, and the table does not end it */
    WRONGLY_SETTLED, /* it says "stayed" or "moved" where no guest is */
    RULES,
};
static const char *const rule_words[RULES] = { "two run",
                                               "the source runs after the destination has",
                                               "the destination runs after the source ran on",
                                               "a last copy was ended",
                                               "what was to stay paused was started",
                                               "a recovery said what was not so",
                                               "not settled",
                                               "wrongly settled" };

struct found {
    union world world;
    size_t from; /* its predecessor */
    const char *step;
};

struct search {
    struct variant v;
    struct table table;
    bool ends_early;    /* with the first rule that is broken */
    unsigned tolerated; /* but for these, a bit each */
    struct found *list;
    size_t n, size, at;
    uint32_t *slots; /* index into list + 1, 0 = free */
    size_t n_slots;
    size_t broken[RULES];              /* how many worlds break each rule */
    size_t first[RULES];               /* one of them */
    size_t calm[DECIDE_NOT_KNOWN + 1]; /* how many calm worlds got each decision */
};

static inline uint32_t *slot_of(struct search *s, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (s->n_slots - 1);

    while (s->slots[i] && s->list[s->slots[i] - 1].world.key != key)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

static inline void grow(struct search *s)
{
    s->size = s->size ? s->size * 2 : 1u << 16;
    s->n_slots = s->size * 4;
    s->list = realloc(s->list, s->size * sizeof *s->list);
    free(s->slots);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    if (!s->list || !s->slots)
        abort();
    for (size_t i = 0; i < s->n; i++)
        *slot_of(s, s->list[i].world.key) = (uint32_t)i + 1;
}

static inline void reach(struct search *s, union world w, const char *step)
{
    uint32_t *slot;

    if (s->n == s->size)
        grow(s);
    slot = slot_of(s, w.key);
    if (*slot)
        return;
    s->list[s->n] = (struct found){ .world = w, .from = s->at, .step = step };
    *slot = (uint32_t)++s->n;
}

/* A step: when the condition holds, the change is made to a copy and that world is reached. */
#define STEP(name, condition, ...)                                                                           \
    do {                                                                                                     \
        if (condition) {                                                                                     \
            union world w = now;                                                                             \
            __VA_ARGS__;                                                                                     \
            reach(s, w, name);                                                                               \
        }                                                                                                    \
    } while (0)

static inline void breaks(struct search *s, enum rule rule, bool is_broken)
{
    if (!is_broken)
        return;
    if (s->broken[rule]++ == 0)
        s->first[rule] = s->at;
}

/* Is there a guest that can go on, so that nobody may call it gone? After post-copy one host may have it
 * whole and not know, or both have a half. */
static inline bool is_left(union world w)
{
    if (!w.post)
        return w.s_qemu != ENDED || w.d_qemu != NOTHING;
    if (w.s_qemu != ENDED)
        return w.d_qemu != NOTHING;
    return w.d_qemu == STARTED && w.whole && !(w.d_failed && w.s_off != OFF_WORD && !w.said);
}

/* What is decided, by what was seen of the source, and by what nobody can see. */
static inline void check_said(struct search *s, enum decision d, struct side source, union world w)
{
    breaks(s, LAST_COPY,
           d == DECIDE_DROP_DEST && w.d_qemu != NOTHING && source.state != SIDE_RUNNING &&
               source.state != SIDE_PAUSED);
    breaks(s, LIED,
           (d == DECIDE_GONE && (is_left(w) || !w.asked)) ||
               (d == DECIDE_TWICE && (w.s_qemu != RUNNING || w.d_qemu == NOTHING)));
}

static inline const char *way_to(const struct search *s, size_t at)
{
    static char way[4096];
    const char *steps[256];
    size_t n = 0, len = 0;

    for (; at != 0 && n < 256; at = s->list[at].from)
        steps[n++] = s->list[at].step;
    way[0] = '\0';
    while (n > 0 && len < sizeof way - 80)
        len += (size_t)snprintf(way + len, sizeof way - len, "%s; ", steps[--n]);
    return way;
}

#endif
