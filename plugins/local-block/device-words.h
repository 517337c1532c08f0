/* SPDX-License-Identifier: Apache-2.0
 * What a host says of a block device, as text: which device it is, and who uses it. No I/O. */
#ifndef LOCAL_BLOCK_DEVICE_WORDS_H
#define LOCAL_BLOCK_DEVICE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_IDENTITY 1024

struct device {
    enum {
        DEVICE_NOT_KNOWN,
        DEVICE_NOTHING,
        DEVICE_OTHER,
        DEVICE_BLOCK,
        DEVICE_LISTED, /* something stands there, of which libvirt does not tell what it is */
    } what;
    uint64_t bytes;                 /* UINT64_MAX: not known */
    uint32_t block_bytes;           /* 0: not known */
    char identity[DEVICE_IDENTITY]; /* "": none */
    char evidence[512];             /* for the operator */
    bool was_read;                  /* without an identity it has none */
    enum { DEVICE_USE_NOT_KNOWN, DEVICE_IN_USE, DEVICE_FREE } use;
    char used_by[512];
};

/* What the script of device-look.c printed on the host. false: it did not come to its end. */
bool device_of_answer(const char *answer, struct device *ret);

/* What libvirt's node device has of a disk: block is its node, serial what udev calls so. Of the many words
 * that udev makes up only those are taken that the host's own sysfs has too. */
void device_of_node(const char *block, const char *serial, struct device *ret);

/* One that is made up, or that many devices have, so that it tells none from another. */
bool device_serial_is_weak(const char *serial);

#endif
