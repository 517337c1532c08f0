/* SPDX-License-Identifier: Apache-2.0
 * A folder of the worker's host as libvirt's storage API shows it: through the pool that stands there, or
 * through a transient one of our own that is gone when the place is closed. */
#ifndef LOCAL_BLOCK_POOL_H
#define LOCAL_BLOCK_POOL_H

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <virt-ferry-plugin.h>

#define POOL_PREFIX ".virt-ferry-"

struct place {
    virStoragePoolPtr pool;
    const char *name; /* lent by the call's texts */
    bool is_ours;     /* transient, ours, destroyed at the end */
};

enum place_answer {
    PLACE_OPEN = 0,
    PLACE_FAILED = -1,   /* the error is set */
    PLACE_MISSING = -2,  /* no such folder; no error is set: it may be an answer */
    PLACE_INACTIVE = -3, /* a pool with this target is defined but not active: `name`; no error is set */
    PLACE_TAKEN = -4,    /* inside pool.c: somebody made a pool there a moment ago */
};

enum place_answer place_open(struct ferry_call *call, const struct ferry_services *services,
                             const char *folder, struct place *ret);
void place_close(struct ferry_call *call, const struct ferry_services *services, struct place *place);
/* For who cannot go on without it: sets the call's error where place_open set none; returns -1. */
int place_refuse(struct ferry_call *call, const struct ferry_services *services, enum place_answer answer,
                 const char *folder, const struct place *place);

/* Destroys a transient pool that an earlier call left; 0 gone, 1 left because it is another's, -1. */
int place_remove(struct ferry_call *call, const struct ferry_services *services, const char *name,
                 const char *uuid);

/* Sets the call's error from libvirt's last one; returns -1. */
int place_error(struct ferry_call *call, const struct ferry_services *services, const char *fix,
                const char *doing);
/* The command that starts a pool or makes a folder, as a sentence. */
const char *place_start_fix(struct ferry_call *call, const struct ferry_services *services, const char *pool);
const char *place_make_fix(struct ferry_call *call, const struct ferry_services *services,
                           const char *folder);
/* A temporary pool, ours or another run's. */
bool place_is_temporary(const struct place *place);
/* libvirt's last error is a system error with this errno. */
bool place_errno_is(int number);

#endif
