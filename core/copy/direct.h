/* SPDX-License-Identifier: Apache-2.0
 * Reads what an image of QEMU's holds past QEMU, where it lies in the image's file as it is: by a driver of
 * files, while QEMU has the image open and so locked. What has no such place goes through QEMU as before. */
#ifndef COPY_DIRECT_H
#define COPY_DIRECT_H

#include "copy/end.h"

/* e is open to be read, as qcow2, and `file` says how the file that it lies in is opened as bytes; its name
 * is a path. Where reading past QEMU is not possible nothing changes, and the trace says why. */
void direct_open(struct copy_end *e, const struct end_place *file);
void direct_close(struct copy_end *e);

/* From here on all is read through QEMU: what is to be compared is not read as it was copied. */
void direct_stop(struct copy_end *e);
/* The walk has come to `from`: learns where what follows lies. Up to which offset that is known; UINT64_MAX:
 * all goes through QEMU. */
uint64_t direct_look(struct copy_end *e, uint64_t from);

/* As end_submit, for a read. */
int direct_submit(struct copy_end *e, struct ferry_request *r, struct error *err);
/* What the driver of e gave back, made into what the engine sent. */
int direct_reap(struct copy_end *e, struct ferry_request **done, struct error *err);
/* To be polled; -1: nothing. */
int direct_fd(const struct copy_end *e);
/* How much was read past QEMU. */
uint64_t direct_bytes(const struct copy_end *e);

#endif
