/* SPDX-License-Identifier: Apache-2.0
 * Findings about certificates, in words: which file, on which host, what is wrong, and how to make it anew.
 */
#ifndef TRANSPORT_TLS_SAY_H
#define TRANSPORT_TLS_SAY_H

#include "certificate.h"
#include <virt-ferry-plugin.h>

enum { SAY_NOTES = 1, SAY_WARNS, SAY_REFUSES };

/* Whose certificate it is: the word within the findings' ids. */
enum whose {
    WHOSE_OWN,  /* this machine's, as libvirt's client */
    WHOSE_PEER, /* libvirtd's, as it showed it */
    WHOSE_QEMU, /* QEMU's, for data */
};
struct shown {
    enum whose whose;
    enum certificate_use use;
    const char *host; /* where it stands */
    const char *file;
    const char *name; /* that it should bear; NULL = none */
};

/* A finding and the call's error, in the same words; -1. */
int say_trouble(struct ferry_call *call, const struct ferry_services *services, const char *id,
                const char *fix, const char *what);
/* A finding "tls-WHOSE-…" for each problem; the first that refuses is the call's error too where is_error.
 * Returns how many refuse. */
unsigned say_judgement(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                       const struct judgement *j, int is_error);
/* A file that is missing or cannot be read; why is the system's word. */
int say_unreadable(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                   const char *id, const char *why, int is_error);
/* How to make such a certificate. */
const char *say_how(struct ferry_call *call, const struct ferry_services *services, const struct shown *c);

#endif
