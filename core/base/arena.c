/* SPDX-License-Identifier: Apache-2.0
 * The arena: blocks that grow, each allocation behind a header that knows its room, so that an array can be
 * grown in place. Owns every byte that it gave out. */
#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ALIGNMENT (_Alignof(max_align_t))
#define BLOCK_BYTES ((size_t)4096)
#define BLOCK_MOST ((size_t)1 << 20)
/* No single allocation of a model comes near; what does is a count from outside that nobody bounded. */
#define ALLOCATION_MOST ((size_t)1 << 30)

struct block {
    struct block *next;
    size_t size, used;
    max_align_t bytes[];
};

struct room {
    size_t bytes;
    max_align_t first[];
};

struct arena {
    struct block *blocks; /* the newest is filled */
    size_t next_bytes;
    bool failed;
};

struct arena *arena_new(void)
{
    struct arena *a = calloc(1, sizeof *a);

    if (a)
        a->next_bytes = BLOCK_BYTES;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        struct block *b = a->blocks;

        a->blocks = b->next;
        free(b);
    }
    free(a);
}

static void *refuse(struct arena *a)
{
    if (a)
        a->failed = true;
    return NULL;
}

static size_t rounded(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct block *block_with(struct arena *a, size_t bytes)
{
    struct block *b = a->blocks;
    size_t size = bytes > a->next_bytes ? bytes : a->next_bytes;

    if (b && b->size - b->used >= bytes)
        return b;
    b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    if (a->next_bytes < BLOCK_MOST)
        a->next_bytes *= 2;
    return b;
}

/* Blocks are zeroed when they are made and nothing is given out twice: so what is given out is zero. */
static void *take(struct arena *a, size_t bytes)
{
    size_t whole = rounded(bytes) + sizeof(struct room);
    struct block *b = bytes <= ALLOCATION_MOST ? block_with(a, whole) : NULL;
    struct room *r;

    if (!b)
        return refuse(a);
    r = (struct room *)(void *)((char *)b->bytes + b->used);
    b->used += whole;
    r->bytes = rounded(bytes);
    return r->first;
}

void *arena_zeroed(struct arena *a, size_t n, size_t size)
{
    size_t bytes;

    if (!a || __builtin_mul_overflow(n, size, &bytes))
        return refuse(a);
    return take(a, bytes);
}

static size_t room_of(const void *given)
{
    return ((const struct room *)(const void *)((const char *)given - sizeof(struct room)))->bytes;
}

void *arena_grown(struct arena *a, const void *array, size_t n, size_t size)
{
    size_t held, bytes;
    void *grown;

    if (!a || n == SIZE_MAX || __builtin_mul_overflow(n, size, &held) ||
        __builtin_mul_overflow(n + 1, size, &bytes))
        return refuse(a);
    if (array && bytes <= room_of(array)) {
        grown = (void *)(uintptr_t)array;
        memset((char *)grown + held, 0, size);
        return grown;
    }
    /* Doubling: else n additions would cost n * n bytes, for nothing is ever given back. */
    grown = take(a, bytes <= ALLOCATION_MOST / 2 ? bytes * 2 : bytes);
    if (grown && array && held > 0)
        memcpy(grown, array, held);
    return grown;
}

char *arena_text(struct arena *a, const char *s)
{
    size_t n = s ? strlen(s) + 1 : 0;
    char *copy = s ? arena_zeroed(a, n, 1) : NULL;

    if (copy)
        memcpy(copy, s, n);
    return copy;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args;
    char *s = NULL;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return refuse(a);
    s = arena_zeroed(a, (size_t)n + 1, 1);
    if (!s)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(s, (size_t)n + 1, format, args);
    va_end(args);
    return s;
}

bool arena_failed(const struct arena *a)
{
    return !a || a->failed;
}
