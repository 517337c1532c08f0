/* SPDX-License-Identifier: Apache-2.0
 * Opens the two libraries once per process. Never closed: librados leaves threads behind. */
#include "library.h"
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#define LIBRADOS "librados.so.2"
#define LIBRBD "librbd.so.1"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define LIBRARY_ROW(function) { #function, offsetof(struct library, function) },
    LIBRARY_FUNCTIONS(LIBRARY_ROW)
#undef LIBRARY_ROW
};

static bool find_all(void *rados, void *rbd, struct library *ret, const char **ret_why)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const bool is_rbd = functions[i].name[1] == 'b';
        void *at = dlsym(is_rbd ? rbd : rados, functions[i].name);

        if (!at) {
            *ret_why = is_rbd ? "the library " LIBRBD " is older than 16"
                              : "the library " LIBRADOS " is older than 16";
            return false;
        }
        *(void **)((char *)ret + functions[i].offset) = at;
    }
    return true;
}

const struct library *library_open(const char **ret_why)
{
    static struct library library;
    static const char *why;
    static bool is_tried, is_there;
    void *rados, *rbd;

    if (!is_tried) {
        is_tried = true;
        rados = dlopen(LIBRADOS, RTLD_NOW | RTLD_LOCAL);
        rbd = rados ? dlopen(LIBRBD, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (!rados)
            why = "the library " LIBRADOS " cannot be loaded";
        else if (!rbd)
            why = "the library " LIBRBD " cannot be loaded";
        else
            is_there = find_all(rados, rbd, &library, &why);
    }
    *ret_why = why;
    return is_there ? &library : NULL;
}
