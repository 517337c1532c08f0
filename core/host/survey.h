/* SPDX-License-Identifier: Apache-2.0
 * Both hosts and the domain surveyed into facts: asks the workers side by side, composes their answers,
 * proves sharing. Runs in the parent; owns the two host workers. */
#ifndef HOST_SURVEY_H
#define HOST_SURVEY_H

#include "facts/model.h"
#include "host/worker.h"

struct survey {
    struct loop *loop;           /* lent */
    const struct config *config; /* lent */
    const char *source_uri;      /* of -c */
    const char *domain;          /* name or uuid, as given */
    const char *dest;            /* host name or libvirt URI, as given */
    /* Made by survey_connect and survey_run: */
    struct worker *source, *destination;
    char source_host[256], dest_host[256];
    char *dest_uri;
    json_t *channels;   /* facts with the channels that were probed */
    struct call *early; /* the domain's survey, asked as soon as the source answered */
    int (*journal)(void *context, const json_t *record, struct error *err);
    void *context;
};

/* Checks the names, connects the source, probes the ways to the destination from there. */
int survey_connect_source(struct survey *s, struct error *err);
/* Connects the destination by the first channel; without one (dest_uri is NULL: no transport driver) it is
 * left out of the survey. */
int survey_connect_dest(struct survey *s, struct error *err);
/* Everything else; both must be connected. */
struct facts *survey_run(struct survey *s, struct error *err);
void survey_done(struct survey *s);

/* A fresh worker with a fresh connection to a host; NULL with err set when it does not answer in ANSWER_MS.
 */
struct worker *survey_fresh(struct survey *s, bool is_dest, struct error *err);
/* The host in a libvirt URI, or "localhost"; refuses what could be an option or is no host name. */
int survey_host_of_uri(const char *uri, char *buf, size_t size, struct error *err);

#endif
