/* SPDX-License-Identifier: Apache-2.0
 * Why there is no way by ssh, as a finding of its own each: what, and the command that helps. */
#ifndef TRANSPORT_SSH_TROUBLE_H
#define TRANSPORT_SSH_TROUBLE_H

#include "place.h"
#include <virt-ferry-plugin.h>

/* What ssh would do for this host, by its configuration; each as given where ssh does not say. */
struct settings {
    char host[256], user[65], port[6];
    char alias[256];                  /* the name that its key is known under */
    char ciphers[PLACE_CIPHERS_SIZE]; /* "" where it does not */
    bool has_proxy;
    bool has_session; /* as that of place */
    bool may_forward; /* of its own accord, or nobody knows */
    bool is_plain;    /* it connects as it does by itself (dial.h) */
};
void settings_of(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 struct settings *ret);

/* A finding and the call's error, in the same words; -1. */
int trouble(struct ferry_call *call, const struct ferry_services *services, const char *id, const char *fix,
            const char *what);
/* ssh ended before it was ready, and said so. */
int trouble_said(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                 const char *said);
/* Logged in, but libvirt's sockets could not be opened: asks the host why. */
int trouble_libvirt(struct ferry_call *call, const struct ferry_services *services, const struct place *p,
                    const char *folder);

#endif
