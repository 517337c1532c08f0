/* SPDX-License-Identifier: Apache-2.0
 * The drivers of this plugin, and what both do alike. */
#ifndef TRANSPORT_TLS_DRIVERS_H
#define TRANSPORT_TLS_DRIVERS_H

#include "../common/reach.h"
#include "../common/route.h"
#include "auth.h"

/* For how long a probe may wait; 0: as long as it likes. Until when, for a step that has ms of its own, of a
 * probe that began then; a connection that stands is given a quarter of a second at the least. */
int driver_patience(const struct ferry_route *route);
int64_t driver_until(int patience, int64_t begun, int ms);

extern const struct ferry_transport driver_tcp, driver_tls;

/* A port that did not let us in: what it was, on which host, and what to do; `listen` lets libvirt listen.
 * with_finding: an id for each case. -1. */
struct knock {
    const char *host, *port, *why;
    const char *kind;   /* "tcp", "tls": begins the ids */
    const char *listen; /* sentences */
    int ms;
};
int driver_refuse(struct ferry_call *call, const struct ferry_services *services, enum reach_answer answer,
                  const struct knock *k);
/* libvirt's client tries the addresses of a name in turn, and waits for each as long as TCP does: -1 with the
 * error where one that it would try first is silent. */
int driver_check_order(struct ferry_call *call, const struct ferry_services *services, const char *host,
                       const char *kind, const struct reached *reached);
/* What SASL needs of this machine. -1 with the error where nothing here could log in. */
int driver_passwords(struct ferry_call *call, const struct ferry_services *services, const char *uri,
                     const char *host, const struct auth *auth);
/* "migrate_uri" for an address. */
int driver_migrate_uri(struct ferry_call *call, const struct ferry_services *services, const char *address,
                       struct ferry_parameter *ret);

#endif
