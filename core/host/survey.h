/* SPDX-License-Identifier: Apache-2.0
 * Both hosts and the domain surveyed into facts: asks the workers side by side, composes their answers,
 * proves sharing. Runs in the parent; owns the two host workers. */
#ifndef HOST_SURVEY_H
#define HOST_SURVEY_H

#include "facts/model.h"
#include "worker/worker.h"

struct way;

/* A connection in the making: to either host, over a new worker. */
struct reach {
    bool is_dest;
    struct worker *worker;
    struct call *call; /* "connect" */
    uint64_t ms;       /* for how long it is waited for */
};

struct survey {
    struct loop *loop;           /* lent */
    const struct config *config; /* lent */
    const char *source_uri;      /* of -c */
    const char *domain;          /* name or uuid, as given; NULL = none: the two hosts alone are looked at */
    const char *dest;            /* host name or libvirt URI, as given */
    const struct map *maps;      /* lent: what is called otherwise there */
    size_t n_maps;
    const char *tls_destination; /* lent: the name that the certificate for data bears; NULL = not said */
    const char *via; /* lent: the destination's address for RAM and disks, or a network that it lies in; NULL
                        = what the configuration says of that host */
    const json_t *locks; /* lent: where locks were seen (state/locks.h); NULL = nowhere */
    bool prove_locks;    /* where they were not seen they are tried: domains of ours are started */
    bool left;           /* something that was made to look may not be gone again */
    /* Made by survey_connect and survey_run: */
    char domain_name[256]; /* of a domain that was given by its uuid too; "" = not known */
    char via_address[64];  /* what via came to; "" = none is chosen */
    struct worker *source, *destination;
    char source_host[256], dest_host[256];
    bool source_is_here; /* this machine is the source */
    char *dest_uri;
    json_t *channels;               /* facts with the channels that were probed */
    struct reach domains, arriving; /* a second connection to the source; the destination's */
    struct reach looking;           /* a second to the destination, over which it looks at the disks */
    struct worker *spare[2];        /* for the destination, started while a login gives time for it */
    struct call *early;             /* the domain's survey over the second, asked before the ways stand */
    struct call *early_source;      /* "survey-host" of the source, where a login gives time for it */
    struct call *early_dest;        /* "survey-host" of the destination, asked behind its "connect" */
    struct call *early_disks;       /* "survey-disks", where the source had told all that it needs by then */
    int (*journal)(void *context, const json_t *record, struct error *err);
    void *context;
    /* Once the source has told its name, while a login is under way, if the destination was given by its URI:
     * what need not wait for that; may be NULL, and is told the context. */
    int (*meanwhile)(void *context, struct error *err);
    /* The host that asked for a user and a password when survey_connect_source failed; NULL = none did. */
    const char *wants_password;
    struct way *ways; /* to either host, newest first; what goes through an older one may still be alive */
};

/* Checks the names, connects the source, probes all channels to the destination from there, and opens the
 * ways that they need, side by side. */
int survey_connect_source(struct survey *s, struct error *err);
/* The source without any destination: nothing is probed. */
int survey_connect_alone(struct survey *s, struct error *err);
/* Its host and the domain; connected so. */
struct facts *survey_run_alone(struct survey *s, struct error *err);
/* Connects the destination, as was begun, by the channel that protects control best, the driver's preference
 * among equals; what is not available is a finding as long as one is. Without any (dest_uri is NULL: no
 * transport driver) it is left out of the survey. */
int survey_connect_dest(struct survey *s, struct error *err);
/* Everything else; both must be connected. */
struct facts *survey_run(struct survey *s, struct error *err);
/* "survey-host", asked of either host's worker. */
struct call *survey_ask_host(struct survey *s, struct worker *w, struct error *err);
/* The domain as the source has it: what was asked early, or else asked now. */
int survey_domain(struct survey *s, json_t **ret, struct error *err);
/* Since it was asked early the domain was changed: the answer is not wanted. */
void survey_domain_changed(struct survey *s);
/* "survey-disks", asked of a worker of the destination by what the source said of itself and of the domain.
 */
struct call *survey_ask_for_disks(struct survey *s, struct worker *w, const json_t *domain,
                                  const json_t *source, struct error *err);
/* Those whose part is over when the migration is say goodbye to libvirt: all but the source's. What still has
 * to be done over there is asked over survey_fresh. */
void survey_dismiss(struct survey *s);
/* All do, at once; survey_done waits for them. */
void survey_leave(struct survey *s);
void survey_done(struct survey *s);

/* A fresh worker with a fresh connection to a host; NULL with err set when it does not answer in ANSWER_MS.
 */
struct worker *survey_fresh(struct survey *s, bool is_dest, struct error *err);
/* The same in two steps, so that both hosts can be reached at once. */
void survey_reach(struct survey *s, bool is_dest, struct reach *ret);
struct worker *survey_reached(struct survey *s, struct reach *r, bool *ret_local, struct error *err);
void reach_done(struct reach *r);
#define OWNED_REACH __attribute__((cleanup(reach_done))) struct reach
/* What libvirt is to be told for a URI: the socket of the way that was opened for it, else itself. */
const char *survey_libvirt_uri(const struct survey *s, const char *uri);
/* The UNIX socket of the way to the source, for the gate; NULL when it is reached without one. */
const char *survey_source_socket(const struct survey *s);
/* After a failure: has something ended by itself that a way rests on? The source's first: what goes on beyond
 * it ends with it. */
bool survey_way_has_ended(struct survey *s, struct error *err);
/* Opens what RAM, by so many connections, and disks take over this channel, where its driver has to; in the
 * order of libvirt's asking. */
int survey_open_data(struct survey *s, const struct channel *ch, unsigned connections, struct error *err);
/* The host in a libvirt URI, or "localhost"; refuses what could be an option or is no host name. */
int survey_host_of_uri(const char *uri, char *buf, size_t size, struct error *err);

/* The look at all disks: a transient pool over a large directory takes seconds. */
#define SURVEY_DISKS_MS 30000u

#endif
