/* SPDX-License-Identifier: Apache-2.0
 * Ownership by scope: a variable declared OWNED is freed when it leaves it, HAND_OVER gives it away.
 * Every type with a _free that takes NULL can have both; nothing else in the house frees by hand. */
#ifndef BASE_OWNED_H
#define BASE_OWNED_H

#include <stdlib.h>
#include <unistd.h>

#define OWNED_DEFINE(type)                                                                                   \
    static inline void type##_freep(struct type **p)                                                         \
    {                                                                                                        \
        type##_free(*p);                                                                                     \
    }
#define OWNED(type) __attribute__((cleanup(type##_freep))) struct type *
#define HAND_OVER(p)                                                                                         \
    __extension__({                                                                                          \
        __typeof__(p) given_ = (p);                                                                          \
        (p) = NULL;                                                                                          \
        given_;                                                                                              \
    })

static inline void owned_memory_freep(void *p)
{
    free(*(void **)p);
}
static inline void owned_fd_closep(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* A plain allocation, and a descriptor: OWNED_MEMORY char *s = …; OWNED_FD fd = open(…); */
#define OWNED_MEMORY __attribute__((cleanup(owned_memory_freep)))
#define OWNED_FD __attribute__((cleanup(owned_fd_closep))) int
static inline int owned_fd_take(int *fd)
{
    const int given = *fd;

    *fd = -1;
    return given;
}
#define HAND_OVER_FD(fd) owned_fd_take(&(fd))

#endif
