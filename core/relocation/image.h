/* SPDX-License-Identifier: Apache-2.0
 * A copy of an image that no domain has open, from this machine's storage to a new image anywhere: made under
 * a journal, gone again when it fails, taken up again when it was killed. */
#ifndef RELOCATION_IMAGE_H
#define RELOCATION_IMAGE_H

#include "base/error.h"
#include "base/name.h"
#include "copy/copy.h"
#include "worker/worker.h"

struct config;

struct image_wish {
    const char *image; /* absolute path of a file or a block device of this machine; a location, as
                          location_plain gives it, of a file on an NFS server or of an RBD image */
    const char *to;    /* a location, as location_plain gives it */
    const char *uri;   /* libvirt's, for what drivers need it for */
    const char
        *image_format;  /* raw, qcow2: with another `format` what it holds is copied; NULL = its bytes are */
    const char *format; /* of the new image; NULL = as it is, or raw where nothing else can be */
    const char *verify; /* sampled, full, none; NULL = sampled */
    bool overwrite;     /* a device that is there is written over */
    const struct config *config;
    void (*say)(void *context, const char *line);
    void (*progress)(void *context, const struct copy_progress *p, uint64_t elapsed_ms);
    void *context;
};

struct image_relocated {
    char run[NAME_RUN_SIZE]; /* "" when nothing was begun */
    char dest[4200];         /* the location of the new image */
    struct copy_progress figures;
    uint64_t time_ms;
    bool was_resumed;
};

/* 0: the new image stands there, whole and verified as asked. Else nothing of it is left, but where the
 * storage went away (ERROR_TIMEOUT): then the same call goes on where it was. */
int relocate_image(const struct image_wish *c, struct image_relocated *ret, struct error *err);

#endif
