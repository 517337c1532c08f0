/* SPDX-License-Identifier: Apache-2.0
 * Which of libvirt's sockets behind a master that has just logged in is served. */
#ifndef TRANSPORT_SSH_HELLO_H
#define TRANSPORT_SSH_HELLO_H

#include "place.h"

enum hello_answer {
    HELLO_YES,    /* libvirt answers there */
    HELLO_CLOSED, /* every connection was opened and closed again */
    HELLO_SILENT, /* one that would have been preferred says nothing */
};

/* Asks behind the sockets here, at once, something that libvirt answers to anybody; the first that answers is
 * preferred. Of HELLO_YES and HELLO_SILENT *ret_which is the one. */
enum hello_answer hello(const struct forward list[PLACE_SERVICES], int ms, unsigned *ret_which);

#endif
