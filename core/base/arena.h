/* SPDX-License-Identifier: Apache-2.0
 * Memory that lives and dies together: a model's strings and arrays hang on one arena.
 * A failed allocation is remembered, so that a builder checks once at its end (arena_failed). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/owned.h"
#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void); /* NULL when there is no memory */
void arena_free(struct arena *a);
OWNED_DEFINE(arena)

/* Zeroed; NULL on failure, and arena_failed from then on. n * size is checked for overflow. */
void *arena_zeroed(struct arena *a, size_t n, size_t size);

/* Grows an array of n elements to n + 1, zeroes the new one; returns the (moved) array or NULL, old intact.
 */
void *arena_grown(struct arena *a, const void *array, size_t n, size_t size);

/* A copy; NULL gives NULL. On failure NULL too, and arena_failed. */
char *arena_text(struct arena *a, const char *s);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool arena_failed(const struct arena *a);

#endif
