/* SPDX-License-Identifier: Apache-2.0
 * What the head of a qcow2 image says, versions 2 and 3. Pure. Only asked where the domain says that the
 * format is qcow2: a guest can write such a head into a raw image. */
#ifndef COMMON_QCOW2_HEAD_H
#define COMMON_QCOW2_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QCOW2_LOOK_BYTES 4096u /* all that is asked for */
#define QCOW2_NAME_SIZE 1024u  /* the longest name that an image can hold, and its end */

struct qcow2_head {
    uint64_t capacity;
    uint32_t n_snapshots;            /* internal ones */
    char base[QCOW2_NAME_SIZE];      /* the backing file, as the image names it; "": none */
    char base_format[16];            /* "": the image does not say */
    bool has_data_file;              /* its data lies in another file */
    char data_file[QCOW2_NAME_SIZE]; /* as the image names it; "": it does not */
    bool is_plain; /* 64 KiB clusters, 16 bits to count each, no snapshots, no bitmaps, nothing unusual */
};

/* false where it is no head that makes sense, or where what is needed of it lies behind the n bytes. */
bool qcow2_read_head(const unsigned char *bytes, size_t n, struct qcow2_head *ret);

#endif
