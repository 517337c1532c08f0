/* SPDX-License-Identifier: Apache-2.0
 * The parent's end of a way: what a transport driver holds open to a host, in a worker of its own, so that
 * libvirt there is reached through a UNIX socket of this machine. */
#ifndef HOST_WAY_H
#define HOST_WAY_H

#include "facts/model.h"
#include "plugin/registry.h"
#include "worker/worker.h"

struct way;

/* The driver whose way must be opened for this URI; NULL: libvirt needs none. */
const struct ferry_transport *way_driver_of(const char *uri);

/* Begins to open it. uri NULL: as the driver names the host. host is lent for the way's life. patience_ms: as
 * in ferry_way. */
struct way *way_start(struct loop *l, const struct config *config, const struct ferry_transport *driver,
                      const char *host, const char *uri, uint32_t patience_ms, struct error *err);
/* Drives the loop until it is open. Where it could not be opened, ret_facts (may be NULL) gets the findings,
 * a new reference, or NULL. */
int way_wait(struct way *w, json_t **ret_facts, struct error *err);
/* Closes it, those that are older, and all that goes through them. */
void way_free(struct way *w);
OWNED_DEFINE(way)

/* Of an open way: */
const char *way_uri(const struct way *w);         /* as the user or the driver calls it */
const char *way_libvirt_uri(const struct way *w); /* what libvirt is told */
const char *way_socket(const struct way *w);
json_t *way_args(const struct way *w); /* for the verb "connect"; a new reference */
/* The way as a channel, in facts; seen as for the verb "probe", takes the reference. */
json_t *way_channel(struct way *w, json_t *seen, struct error *err);

/* Opens what RAM, by so many connections, and disks of that channel take, from the source behind that way
 * (NULL: from this machine); owner (may be NULL) as for ferry_transport's open_data. */
int way_open_data(struct way *w, const struct channel *ch, unsigned connections, const char *owner,
                  const struct way *source, const char *domain, struct error *err);
/* Something that it rests on has ended by itself: err says what. false: not as far as is known. */
bool way_has_ended(struct way *w, struct error *err);
/* Adds the addresses of the host, as it tells them itself; none where it cannot. */
void way_addresses(struct way *w, json_t *list);
bool way_is(const struct way *w, const char *driver, const char *uri);

/* For what keeps several: newest first. */
struct way *way_push(struct way *older, struct way *newest);
struct way *way_older(const struct way *w);

#endif
